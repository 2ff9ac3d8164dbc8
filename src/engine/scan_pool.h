/*
 * scan_pool - the scanners: threads that read folders and look into files side by side, as many as the storage is slow.
 *
 * They are threads of their own and not those of libuv's pool, whose number is fixed and which look up names as well.
 * What they work on and what they found is under one lock (scan_queue.h); the loop is woken when there is something for
 * it. How many there are is decided by scan_width.h, some hundred times a second; they end when the pool is closed.
 *
 * A thread that hangs in the storage stops nobody else: another takes its place. If the pool is stopped and such a
 * thread does not come back within SCAN_POOL_GRACE_MS, it is left behind: what it worked on is lost, and what it may
 * still touch (this struct, not the loop) is freed by whoever is the last, or by the end of the process. A thread
 * cannot be ended from outside, and a file system that does not answer lets nobody cancel a call.
 *
 * Without descriptors (EMFILE) a scanner waits a little and tries again, and there are fewer of them from then on;
 * without threads (EAGAIN), those that there are do it.
 */
#ifndef ENGINE_SCAN_POOL_H
#define ENGINE_SCAN_POOL_H

#include <stdbool.h>

#include "base/list.h"
#include "dicomnet/error.h"
#include "engine/figures.h"

struct discover_options;
struct scan_options;
struct scan_piece;
struct scan_pool;
struct uv_loop_s;

enum { SCAN_POOL_GRACE_MS = 400 };

/* All on the loop's thread. */
struct scan_pool_handler {
    /* These pieces (struct scan_piece) are scanned, or, if there is a record to ask, looked at. They are the receiver's
     * until scan_pool_scan or scan_pool_release. Perhaps none: something else has changed. */
    void (*found)(void *user, struct list *pieces);
    /* All threads have ended or were left behind, and nothing is left on the loop. */
    void (*closed)(void *user);
};

/*
 * Begin. `scanners`: their number at any time; 0 = by measure. `asks`: paths are looked at, and given to the loop,
 * before they are scanned. The options are copied, and scan->held shared; scan->found is not for this, as it would be
 * called on any thread. Returns 0 or a negative error: no memory, no thread at all, or what opening files_from gave.
 */
int scan_pool_open(struct scan_pool **ret_pool, struct uv_loop_s *loop, const struct discover_options *discover,
                   const struct scan_options *scan, unsigned scanners, bool asks,
                   const struct scan_pool_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* These pieces are to be scanned. */
void scan_pool_scan(struct scan_pool *pool, struct list *pieces);

/* Done with a piece; it is freed. */
void scan_pool_release(struct scan_pool *pool, struct scan_piece *piece);

/* Begin with nothing more while `paused`. Meanwhile nothing of it keeps the loop alive. */
void scan_pool_pause(struct scan_pool *pool, bool paused);

/* Begin with nothing more, ever, and forget what waits. What is under way comes, or is left behind. */
void scan_pool_stop(struct scan_pool *pool);

/* Nothing more comes: all was scanned, or it was stopped; and all pieces were released. */
bool scan_pool_is_done(struct scan_pool *pool);

/* 0, or what it was stopped for by itself: -ENOMEM. */
int scan_pool_error(struct scan_pool *pool);

/* End the threads, once it is done. handler.closed comes later, and the pool is gone then. */
void scan_pool_close(struct scan_pool *pool);

/* What was done up to now. */
struct scan_figures scan_pool_figures(struct scan_pool *pool);

#endif
