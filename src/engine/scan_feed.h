/*
 * scan_feed - what is found below the inputs, looked into side by side (scan_pool.h), comes to the main thread as
 * instances, in any order. What a record knows of them is asked before and after the scan. It pauses when told to, so
 * that the number of instances in memory is bounded.
 */
#ifndef ENGINE_SCAN_FEED_H
#define ENGINE_SCAN_FEED_H

#include <stdbool.h>

#include "dicomnet/error.h"
#include "engine/figures.h"
#include "engine/scan_queue.h"
#include "files/discover.h"
#include "files/scan.h"

struct instance;
struct record;
struct scan_feed;
struct uv_loop_s;

struct scan_feed_handler {
    /*
     * A path was looked at, or an earlier session's outcome of it stands. `twin` is what the record knows of another
     * file with its SOP Instance UID (record.h), or NULL. Both are the receiver's now.
     */
    void (*found)(void *user, struct instance *instance, struct instance *twin);
    /* The record could not be asked. Its files are then looked at as if nothing was known of them: whoever wants none
     * of them sent has to see to it. */
    void (*record_failed)(void *user, const char *problem);
    /* Several calls of `found` are over: a moment to act on them. */
    void (*batch_ended)(void *user);
    /* Everything was looked at (0), or memory ran out or the walk was cancelled (a negative error). */
    void (*ended)(void *user, int error);
};

/* All pointers are borrowed until `ended`. */
struct scan_feed_options {
    const struct discover_options *discover;
    const struct scan_options *scan;
    const struct record *record; /* asked of files before they are opened, and of instances before they are told; or
                                    NULL: there is nothing to ask */
    unsigned scanners;           /* their number; 0 = as many as are worth it (scan_width.h) */
};

/* Begin. Returns 0, or the error of scan_pool_open. */
int scan_feed_start(struct scan_feed **ret_feed, struct uv_loop_s *loop, const struct scan_feed_options *options,
                    const struct scan_feed_handler *handler, void *user) DICOMNET_MUST_CHECK;

/*
 * Start no further job while `paused`; not after scan_feed_cancel, which it would keep from its end. What is under way
 * still comes: at most SCAN_FEED_SLACK instances. `found` is never called from within.
 */
void scan_feed_pause(struct scan_feed *feed, bool paused);

enum { SCAN_FEED_SLACK = SCAN_PIECES_OUT * SCAN_PIECE_MAX };

/* Look no further; `ended` comes once the files under way are through, or after SCAN_POOL_GRACE_MS without those that
 * hang, and what was asked of the record is answered. Nothing comes from within. */
void scan_feed_cancel(struct scan_feed *feed);

/* What was done up to now. */
struct scan_figures scan_feed_figures(const struct scan_feed *feed);

/* After `ended`. NULL is fine. */
void scan_feed_destroy(struct scan_feed *feed);

#endif
