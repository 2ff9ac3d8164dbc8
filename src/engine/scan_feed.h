/*
 * scan_feed - walks the inputs and scans what it finds on libuv's thread pool, and hands instances to the main thread.
 *
 * One job walks (discover is one thread's at a time) and gives batches of paths; a few jobs scan batches, each with a
 * scanner of its own. It pauses when told to, so the number of instances in memory is bounded.
 */
#ifndef ENGINE_SCAN_FEED_H
#define ENGINE_SCAN_FEED_H

#include <stdbool.h>

#include "dicomnet/error.h"
#include "files/discover.h"
#include "files/scan.h"

struct file_facts;
struct instance;
struct scan_feed;
struct uv_loop_s;

struct scan_feed_handler {
    /*
     * Asked before a file is opened, with its path, device, inode, size and mtime: an instance that has its outcome
     * already, which then comes through `found`, or NULL if it is to be looked at. NULL = nobody is asked.
     */
    struct instance *(*recall)(void *user, const struct file_facts *file);
    /* A path was looked at. The instance is the receiver's now. */
    void (*found)(void *user, struct instance *instance);
    /* Several calls of `found` are over: a moment to act on them. */
    void (*batch_ended)(void *user);
    /* Everything was looked at (0), or memory ran out or the walk was cancelled (a negative error). */
    void (*ended)(void *user, int error);
};

/* Begin. Returns 0, or the error of discover_create. Pointers in the options are borrowed until `ended`. */
int scan_feed_start(struct scan_feed **ret_feed, struct uv_loop_s *loop, const struct discover_options *discover,
                    const struct scan_options *scan, const struct scan_feed_handler *handler,
                    void *user) DICOMNET_MUST_CHECK;

/*
 * Start no further job while `paused`. What is under way still comes: at most SCAN_FEED_SLACK instances. `found` is
 * never called from within.
 */
void scan_feed_pause(struct scan_feed *feed, bool paused);

enum { SCAN_FEED_SLACK = 1024 };

/* Look no further; `ended` comes once the jobs under way are through, from within if there are none. */
void scan_feed_cancel(struct scan_feed *feed);

/* After `ended`. NULL is fine. */
void scan_feed_destroy(struct scan_feed *feed);

#endif
