/*
 * scan_pool_private - what the two files of the scan pool share: scan_pool.c is the side of the loop,
 * scan_pool_thread.c that of the threads.
 */
#ifndef ENGINE_SCAN_POOL_PRIVATE_H
#define ENGINE_SCAN_POOL_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>
#include <uv.h>

#include "engine/scan_pool.h"
#include "engine/scan_queue.h"
#include "engine/scan_width.h"
#include "files/scan.h"

/*
 *   NONE --> RUNNING --> ENDED --> NONE (joined)
 *               |
 *               +------> LEFT
 */
enum scan_thread_state {
    SCAN_THREAD_NONE,
    SCAN_THREAD_RUNNING,
    SCAN_THREAD_ENDED, /* it touches nothing any more, and can be joined */
    SCAN_THREAD_LEFT   /* it hangs, and nobody waits for it */
};

struct scan_thread {
    struct scan_pool *pool;
    struct scanner *scanner;
    uv_thread_t thread;
    enum scan_thread_state state;
    bool at_work;                   /* it has a job, */
    bool is_out;                    /* with a piece that is out (scan_queue.h) */
    atomic_uint_least64_t begun_us; /* when its step began; 0 = it is between two */
    /* Its own: not yet in pool->work. */
    struct scan_work work;
    uint64_t cpu_us, waits, measured_us; /* clocks when it was added to pool->work last */
};

/* What the loop alone uses, as it must be closed before the pool's memory may go. */
struct scan_loop_end {
    uv_async_t wake;
    uv_timer_t timer;
    const struct scan_pool_handler *handler; /* NULL = nobody is told */
    void *user;
    unsigned open; /* handles */
};

struct scan_pool {
    uv_mutex_t lock; /* over all that follows, but `end` */
    uv_cond_t work_came;
    unsigned users; /* the loop and each thread: the last one frees it */
    struct scan_queue queue;
    struct list done; /* pieces for the loop */
    struct scan_thread threads[SCAN_WIDTH_MAX];
    unsigned running, at_work, idle;
    unsigned width; /* the most that may be at work */
    struct scan_width decision;
    struct scan_work work;
    struct scan_figures figures;
    struct discover_options discover; /* with copies of all strings */
    struct scan_options scan;
    bool paused, stopped, closing;
    int error;
    uint64_t stopped_us;
    struct scan_loop_end *end; /* NULL = the loop is not to be woken any more */
};

/* The threads' main function, of a struct scan_thread. */
void scan_thread_run(void *arg);

/* Under the lock. Wake the loop, if it is still there. */
void scan_pool_wake(struct scan_pool *pool);

/* Under the lock, which is given up: one less uses the pool. */
void scan_pool_leave(struct scan_pool *pool);

/* Under the lock. Take nothing more; an error is why, or 0. */
void scan_pool_halt(struct scan_pool *pool, int error);

#endif
