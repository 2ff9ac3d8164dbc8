/* scan_pool - see scan_pool.h: the side of the loop. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/scan_pool_private.h"
#include "files/held_files.h"
#include "files/scan.h"

enum {
    TICK_MS = 10,         /* the width is looked after so often */
    STUCK_US = 200 * 1000 /* a step that takes longer is stuck: another scanner takes its place */
};

/* ---- the memory, which outlives the loop's interest in it ---- */

static void free_options(struct discover_options *options)
{
    for (size_t i = 0; options->inputs != NULL && i < options->input_count; i++)
        free((void *)(uintptr_t)options->inputs[i]);
    free((void *)(uintptr_t)options->inputs);
    free((void *)(uintptr_t)options->files_from);
    free((void *)(uintptr_t)options->pattern);
}

/* 0 or -ENOMEM; what was copied is there. */
static int copy_options(struct discover_options *copy, const struct discover_options *options)
{
    *copy = *options;
    copy->files_from = copy->pattern = NULL;
    const char **inputs = calloc(options->input_count + 1, sizeof *inputs);
    copy->inputs = inputs;
    bool complete = inputs != NULL;
    for (size_t i = 0; complete && i < options->input_count; i++)
        complete = (inputs[i] = strdup(options->inputs[i])) != NULL;
    if (complete && options->files_from != NULL)
        complete = (copy->files_from = strdup(options->files_from)) != NULL;
    if (complete && options->pattern != NULL)
        complete = (copy->pattern = strdup(options->pattern)) != NULL;
    return complete ? 0 : -ENOMEM;
}

static void destroy(struct scan_pool *pool)
{
    scan_queue_fini(&pool->queue);
    free_options(&pool->discover);
    held_files_destroy(pool->scan.held);
    uv_cond_destroy(&pool->work_came);
    uv_mutex_destroy(&pool->lock);
    free(pool);
}

void scan_pool_leave(struct scan_pool *pool)
{
    bool last = --pool->users == 0;
    uv_mutex_unlock(&pool->lock);
    if (last)
        destroy(pool);
}

/* ---- under the lock ---- */

void scan_pool_wake(struct scan_pool *pool)
{
    if (pool->end != NULL)
        (void)uv_async_send(&pool->end->wake);
}

void scan_pool_halt(struct scan_pool *pool, int error)
{
    if (pool->error == 0)
        pool->error = error;
    if (!pool->stopped)
        pool->stopped_us = clock_monotonic_us();
    pool->stopped = true;
    scan_queue_drop(&pool->queue);
    uv_cond_broadcast(&pool->work_came);
    scan_pool_wake(pool);
}

static int start_thread(struct scan_pool *pool)
{
    struct scan_thread *thread = NULL;
    for (size_t i = 0; i < SCAN_WIDTH_MAX && thread == NULL; i++)
        if (pool->threads[i].state == SCAN_THREAD_NONE)
            thread = &pool->threads[i];
    if (thread == NULL)
        return -EAGAIN;
    thread->pool = pool;
    thread->scanner = scanner_create(&pool->scan);
    int error = thread->scanner == NULL ? -ENOMEM : uv_thread_create(&thread->thread, scan_thread_run, thread);
    if (error != 0) {
        scanner_destroy(thread->scanner);
        return error;
    }
    thread->state = SCAN_THREAD_RUNNING;
    pool->running++;
    pool->users++;
    return 0;
}

/* As many threads as may be at work, and have something to do. Those that cannot be started are done without. */
static void start_threads(struct scan_pool *pool)
{
    size_t waiting = scan_queue_waiting(&pool->queue);
    while (pool->running < pool->width && waiting > pool->idle && !pool->stopped && !pool->paused) {
        if (start_thread(pool) < 0) {
            scan_width_limit(&pool->decision, pool->running);
            pool->width = pool->decision.width;
            return;
        }
        waiting--;
    }
}

/* Threads at a step for so long. */
static unsigned count_stuck(struct scan_pool *pool, uint64_t now_us)
{
    unsigned stuck = 0;
    for (size_t i = 0; i < SCAN_WIDTH_MAX; i++) {
        uint64_t begun_us = atomic_load(&pool->threads[i].begun_us);
        stuck += pool->threads[i].state == SCAN_THREAD_RUNNING && begun_us > 0 && begun_us + STUCK_US < now_us;
    }
    return stuck;
}

/* Nobody waits any longer for threads that are at work. What they hold is not in the queue any more. */
static void leave_behind(struct scan_pool *pool)
{
    for (size_t i = 0; i < SCAN_WIDTH_MAX; i++) {
        struct scan_thread *thread = &pool->threads[i];
        if (thread->state != SCAN_THREAD_RUNNING || !thread->at_work)
            continue;
        thread->state = SCAN_THREAD_LEFT;
        pool->running--;
        pool->at_work--;
        pool->queue.taken--;
        pool->queue.out -= thread->is_out;
        (void)pthread_detach(thread->thread);
    }
}

/* ---- on the loop ---- */

static void on_closed(uv_handle_t *handle)
{
    struct scan_loop_end *end = handle->data;
    if (--end->open > 0)
        return;
    if (end->handler != NULL)
        end->handler->closed(end->user);
    free(end);
}

static void close_handles(struct scan_loop_end *end)
{
    end->wake.data = end->timer.data = end;
    uv_close((uv_handle_t *)&end->wake, on_closed);
    uv_close((uv_handle_t *)&end->timer, on_closed);
}

/* Give up the loop's part of the pool. `closed` comes when the handles are. */
static void close_end(struct scan_pool *pool)
{
    struct scan_loop_end *end = pool->end;
    uv_mutex_lock(&pool->lock);
    pool->end = NULL;
    scan_pool_leave(pool);
    close_handles(end);
}

/* Join those threads that have ended. They have given up the lock, or are about to. */
static void join_threads(struct scan_pool *pool)
{
    for (size_t i = 0; i < SCAN_WIDTH_MAX; i++) {
        struct scan_thread *thread = &pool->threads[i];
        uv_mutex_lock(&pool->lock);
        bool ended = thread->state == SCAN_THREAD_ENDED;
        uv_mutex_unlock(&pool->lock);
        if (ended)
            uv_thread_join(&thread->thread);
        if (ended)
            thread->state = SCAN_THREAD_NONE;
    }
}

static void on_tick(uv_timer_t *timer);

/* While it is paused and nothing is under way, it keeps no loop alive, and no clock ticks. */
static void keep_loop(struct scan_pool *pool)
{
    struct scan_loop_end *end = pool->end;
    uv_mutex_lock(&pool->lock);
    bool rests = pool->paused && !pool->closing && pool->at_work == 0 && list_is_empty(&pool->done);
    uv_mutex_unlock(&pool->lock);
    if (rests && uv_is_active((uv_handle_t *)&end->timer)) {
        uv_timer_stop(&end->timer);
        uv_unref((uv_handle_t *)&end->wake);
    } else if (!rests && !uv_is_active((uv_handle_t *)&end->timer)) {
        (void)uv_timer_start(&end->timer, on_tick, TICK_MS, TICK_MS);
        uv_ref((uv_handle_t *)&end->wake);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct scan_pool *pool = wake->data;
    struct list done;
    list_init(&done);
    uv_mutex_lock(&pool->lock);
    list_splice(&done, &pool->done);
    start_threads(pool);
    bool closing = pool->closing, all_ended = pool->running == 0;
    uv_mutex_unlock(&pool->lock);
    if (closing && all_ended) {
        join_threads(pool);
        close_end(pool);
        return;
    }
    if (!closing)
        pool->end->handler->found(pool->end->user, &done);
    keep_loop(pool);
}

static void on_tick(uv_timer_t *timer)
{
    struct scan_pool *pool = timer->data;
    uint64_t now_us = clock_monotonic_us();
    uv_mutex_lock(&pool->lock);
    unsigned width = scan_width_judge(&pool->decision, &pool->work, count_stuck(pool, now_us), now_us);
    if (width > pool->width)
        uv_cond_broadcast(&pool->work_came);
    else if (pool->idle > 0 && pool->at_work < width && scan_queue_waiting(&pool->queue) > 0)
        uv_cond_signal(&pool->work_came); /* of a job that goes on, or hangs: see put_all */
    pool->width = width;
    start_threads(pool);
    bool overdue = pool->stopped && pool->at_work > 0 && now_us > pool->stopped_us + SCAN_POOL_GRACE_MS * 1000;
    if (overdue)
        leave_behind(pool);
    uv_mutex_unlock(&pool->lock);
    if (overdue)
        on_wake(&pool->end->wake);
}

static int open_end(struct scan_pool *pool, struct uv_loop_s *loop, const struct scan_pool_handler *handler, void *user)
{
    struct scan_loop_end *end = calloc(1, sizeof *end);
    if (end == NULL)
        return -ENOMEM;
    end->handler = handler;
    end->user = user;
    int error = uv_async_init(loop, &end->wake, on_wake);
    if (error != 0) {
        free(end);
        return error;
    }
    (void)uv_timer_init(loop, &end->timer);
    end->open = 2;
    end->wake.data = end->timer.data = pool;
    pool->end = end;
    return 0;
}

/* It could not begin: there is no thread, and nobody is told. */
static void give_up(struct scan_pool *pool)
{
    if (pool->end != NULL) {
        pool->end->handler = NULL;
        close_handles(pool->end);
    }
    destroy(pool);
}

static unsigned count_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

int scan_pool_open(struct scan_pool **ret_pool, struct uv_loop_s *loop, const struct discover_options *discover,
                   const struct scan_options *scan, unsigned scanners, bool asks,
                   const struct scan_pool_handler *handler, void *user)
{
    struct scan_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return -ENOMEM;
    if (uv_mutex_init(&pool->lock) != 0) {
        free(pool);
        return -ENOMEM;
    }
    if (uv_cond_init(&pool->work_came) != 0) {
        uv_mutex_destroy(&pool->lock);
        free(pool);
        return -ENOMEM;
    }
    pool->users = 1;
    pool->scan = *scan;
    pool->scan.held = held_files_share(scan->held);
    list_init(&pool->done);
    int copied = copy_options(&pool->discover, discover);
    int error = scan_queue_init(&pool->queue, &pool->discover, asks);
    error = copied < 0 ? copied : error;
    unsigned least = scanners > 0 ? scanners : SCAN_WIDTH_LEAST, most = scanners > 0 ? scanners : SCAN_WIDTH_MAX;
    scan_width_begin(&pool->decision, least, most, count_cores(), clock_monotonic_us());
    pool->width = pool->decision.width;
    if (error == 0)
        error = open_end(pool, loop, handler, user);
    uv_mutex_lock(&pool->lock);
    if (error == 0)
        error = start_thread(pool);
    for (unsigned i = 1; i < SCAN_WIDTH_LEAST && i < pool->width && error == 0; i++)
        if (start_thread(pool) < 0)
            scan_width_limit(&pool->decision, pool->running);
    pool->width = pool->decision.width;
    uv_mutex_unlock(&pool->lock);
    if (error != 0) {
        give_up(pool);
        return error;
    }
    keep_loop(pool);
    *ret_pool = pool;
    return 0;
}

void scan_pool_scan(struct scan_pool *pool, struct list *pieces)
{
    struct list_node *node;
    uv_mutex_lock(&pool->lock);
    while ((node = list_pop(pieces)) != NULL)
        scan_queue_add(&pool->queue, list_entry(node, struct scan_piece, node));
    if (pool->idle > 0)
        uv_cond_broadcast(&pool->work_came);
    start_threads(pool);
    uv_mutex_unlock(&pool->lock);
}

void scan_pool_release(struct scan_pool *pool, struct scan_piece *piece)
{
    uv_mutex_lock(&pool->lock);
    scan_queue_release(&pool->queue, piece);
    if (pool->idle > 0)
        uv_cond_signal(&pool->work_came);
    uv_mutex_unlock(&pool->lock);
}

void scan_pool_pause(struct scan_pool *pool, bool paused)
{
    uv_mutex_lock(&pool->lock);
    pool->paused = paused;
    uv_cond_broadcast(&pool->work_came);
    uv_mutex_unlock(&pool->lock);
    keep_loop(pool);
}

void scan_pool_stop(struct scan_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    pool->paused = false;
    scan_pool_halt(pool, 0);
    uv_mutex_unlock(&pool->lock);
    keep_loop(pool);
}

bool scan_pool_is_done(struct scan_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    bool done = scan_queue_is_done(&pool->queue);
    uv_mutex_unlock(&pool->lock);
    return done;
}

int scan_pool_error(struct scan_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    int error = pool->error;
    uv_mutex_unlock(&pool->lock);
    return error;
}

void scan_pool_close(struct scan_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    pool->closing = true;
    uv_cond_broadcast(&pool->work_came);
    scan_pool_wake(pool); /* perhaps no thread is left to do so */
    uv_mutex_unlock(&pool->lock);
}

struct scan_figures scan_pool_figures(struct scan_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    struct scan_figures figures = pool->figures;
    uv_mutex_unlock(&pool->lock);
    return figures;
}
