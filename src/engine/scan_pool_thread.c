/*
 * scan_pool_thread - a thread of the scan pool: takes a job, does it without the lock, and brings back what it found.
 *
 * A job is made of steps: a folder is read, a path is looked at, a file is looked into. Each step is timed, as it may
 * take as long as the storage likes; between two steps the thread sees that it is to stop. After a step it may turn out
 * that nobody waits for it any more (SCAN_THREAD_LEFT): then it touches nothing but the pool, and goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "engine/scan_pool_private.h"
#include "files/folder.h"
#include "files/given.h"
#include "files/scan.h"
#include "instance/instance.h"

enum {
    MEASURE_US = 4000,      /* what was measured is added up at least so often */
    LONG_STEP_US = 500000,  /* a step that took longer says nothing of the others, and is not counted */
    PUT_AT_ONCE = 64,       /* names of a folder that are put into the queue with one lock */
    GIVEN_AT_ONCE = 256,    /* paths that are taken from what was given, with one job, */
    READING_US = 50 * 1000, /* which is over after so long; and so is the reading of a folder, to go on later */
    DESCRIPTOR_TRIES = 50,  /* without descriptors: so often, */
    DESCRIPTOR_WAIT_MS = 20 /* and so long between two */
};

/* ---- what it measures ---- */

static uint64_t thread_cpu_us(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static uint64_t thread_waits(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : 0;
}

static void begin_measuring(struct scan_thread *thread)
{
    thread->cpu_us = thread_cpu_us();
    thread->waits = thread_waits();
    thread->measured_us = clock_monotonic_us();
}

/* What was done since begin_measuring, or since this was called last, is in thread->work. */
static void measure(struct scan_thread *thread)
{
    uint64_t cpu_us = thread->cpu_us, waits = thread->waits;
    begin_measuring(thread);
    thread->work.cpu_us += thread->cpu_us - cpu_us;
    thread->work.waits += thread->waits - waits;
}

/* Under the lock. */
static void add_work(struct scan_thread *thread)
{
    struct scan_work *sum = &thread->pool->work, *work = &thread->work;
    struct scan_figures *figures = &thread->pool->figures;
    sum->steps += work->steps;
    sum->wall_us += work->wall_us;
    sum->cpu_us += work->cpu_us;
    sum->waits += work->waits;
    figures->busy_us += work->wall_us;
    if (work->waits > 0 && work->wall_us > work->cpu_us)
        figures->storage_us += work->wall_us - work->cpu_us;
    *work = (struct scan_work){0};
}

static void begin_step(struct scan_thread *thread)
{
    atomic_store(&thread->begun_us, clock_monotonic_us());
}

/* The step is over. False if nothing more is to be done. */
static bool end_step(struct scan_thread *thread)
{
    uint64_t now_us = clock_monotonic_us(), took_us = now_us - atomic_load(&thread->begun_us);
    atomic_store(&thread->begun_us, 0);
    if (took_us <= LONG_STEP_US) {
        thread->work.steps++;
        thread->work.wall_us += took_us;
    }
    if (now_us - thread->measured_us < MEASURE_US || uv_mutex_trylock(&thread->pool->lock) != 0)
        return true; /* waiting for the lock would be measured, too */
    measure(thread);
    bool goes_on = !thread->pool->stopped && thread->state == SCAN_THREAD_RUNNING;
    if (thread->state == SCAN_THREAD_RUNNING)
        add_work(thread);
    uv_mutex_unlock(&thread->pool->lock);
    return goes_on;
}

/* After an error: was it for want of a descriptor, and shall it be tried again? There are fewer scanners then. */
static bool waits_for_descriptor(struct scan_thread *thread, int error, unsigned *tries)
{
    struct scan_pool *pool = thread->pool;
    if ((error != -EMFILE && error != -ENFILE) || ++*tries > DESCRIPTOR_TRIES)
        return false;
    uv_mutex_lock(&pool->lock);
    bool goes_on = !pool->stopped;
    if (*tries == 1 && goes_on) {
        scan_width_limit(&pool->decision, pool->at_work / 2);
        pool->width = pool->decision.width;
    }
    uv_mutex_unlock(&pool->lock);
    if (goes_on)
        uv_sleep(DESCRIPTOR_WAIT_MS);
    return goes_on;
}

/* ---- jobs; without the lock ---- */

/*
 * Put what was found into the queue. `finds` is empty afterwards. False if nothing more is to be done. Whole pieces are
 * told of at once; what is less than that, and folders, by the tick of the pool or the end of this job.
 */
static bool put_all(struct scan_thread *thread, struct find *finds, size_t *count, struct list *folders)
{
    struct scan_pool *pool = thread->pool;
    int error = 0;
    uv_mutex_lock(&pool->lock);
    bool goes_on = !pool->stopped && thread->state == SCAN_THREAD_RUNNING;
    for (size_t i = 0; i < *count; i++)
        if (goes_on && error == 0)
            error = scan_queue_put(&pool->queue, &finds[i], folders);
        else
            find_fini(&finds[i]);
    if (error < 0)
        scan_pool_halt(pool, error);
    for (unsigned i = pool->idle; i > 0 && pool->queue.pieces >= i; i--)
        uv_cond_signal(&pool->work_came);
    uv_mutex_unlock(&pool->lock);
    *count = 0;
    return goes_on && error == 0;
}

/* The folder itself has ended with a reason. */
static struct find blame(const struct folder *folder, enum outcome_reason reason, int error)
{
    struct find find = find_make_given(folder->path, false);
    if (find.path == NULL || error < 0)
        find_set_failure(&find, find.path == NULL ? -ENOMEM : error);
    else
        find_set_problem(&find, OUTCOME_FAILED, reason, 0);
    return find;
}

static void read_folder(struct scan_thread *thread, struct scan_job *job, struct list *folders)
{
    const struct discover_options *options = &thread->pool->discover;
    struct folder *folder = job->folder;
    struct find finds[PUT_AT_ONCE];
    unsigned tries = 0;
    size_t count = 0;
    int error;
    do {
        begin_step(thread);
        error = folder_read(folder, job->names, clock_monotonic_us() + READING_US);
        if (!end_step(thread))
            return;
    } while (waits_for_descriptor(thread, error, &tries));
    while (folder_next(folder, options, &finds[count]))
        if (++count == PUT_AT_ONCE && !put_all(thread, finds, &count, folders))
            return;
    if (error < 0)
        finds[count++] = blame(folder, REASON_NONE, error);
    else if (!folder_is_open(folder) && folder_has_only_folders(folder))
        finds[count++] = blame(folder, REASON_ONLY_FOLDERS, 0);
    (void)put_all(thread, finds, &count, folders);
}

static void take_given(struct scan_thread *thread)
{
    struct scan_pool *pool = thread->pool;
    struct find find;
    size_t count = 0;
    uint64_t until_us = clock_monotonic_us() + READING_US;
    bool more = true, goes_on = true;
    for (int i = 0; i < GIVEN_AT_ONCE && more && goes_on && clock_monotonic_us() < until_us; i++) {
        uv_mutex_lock(&pool->lock);
        bool once = pool->queue.once;
        uv_mutex_unlock(&pool->lock);
        begin_step(thread);
        more = given_next(pool->queue.given, once, &find);
        goes_on = end_step(thread);
        count = more;
        if (more)
            goes_on = put_all(thread, &find, &count, NULL) && goes_on;
    }
    uv_mutex_lock(&pool->lock);
    pool->queue.given_ended = pool->queue.given_ended || !more;
    uv_mutex_unlock(&pool->lock);
}

static void look_at_paths(struct scan_thread *thread, struct scan_piece *piece)
{
    const struct discover_options *options = &thread->pool->discover;
    bool goes_on = true;
    for (size_t i = 0; i < piece->count && goes_on; i++) {
        struct find *find = &piece->finds[i];
        begin_step(thread);
        if (find->kind == FIND_UNKNOWN)
            find_look(find, options);
        if (find->kind == FIND_FILE && thread->pool->queue.asks)
            find_look_at_facts(find);
        goes_on = end_step(thread);
    }
}

static struct instance *make_problem(const struct find *find)
{
    struct instance *instance = instance_create(&(struct file_facts){.path = find->path != NULL ? find->path : ""});
    if (instance == NULL)
        return NULL;
    instance_set_end(instance, find->state, find->reason, find->error);
    instance->outcome.detail = find->detail;
    return instance;
}

/* Look into a file. *ret_goes_on: false if nothing more is to be done. NULL if out of memory. */
static struct instance *scan_file(struct scan_thread *thread, const char *path, bool *ret_goes_on)
{
    unsigned tries = 0;
    for (;;) {
        begin_step(thread);
        struct instance *instance = scanner_read(thread->scanner, path);
        *ret_goes_on = end_step(thread);
        int error = instance != NULL && *ret_goes_on ? instance->outcome.error : 0;
        if (!waits_for_descriptor(thread, error, &tries))
            return instance;
        instance_destroy(instance);
    }
}

/* The record knows it as it was when it was looked at. */
static bool was_refused(const struct scan_piece *piece, size_t number, const struct file_facts *scanned)
{
    const struct find *looked = &piece->finds[number];
    return piece->refused[number] && looked->inode == scanned->inode && looked->device == scanned->device &&
           looked->size_bytes == scanned->size_bytes && looked->mtime_ns == scanned->mtime_ns;
}

/* 0 or -ENOMEM. */
static int scan_files(struct scan_thread *thread, struct scan_piece *piece)
{
    bool goes_on = true;
    piece->scanned = true;
    for (size_t i = 0; i < piece->count && goes_on; i++) {
        const struct find *find = &piece->finds[i];
        struct instance *instance =
            find->kind == FIND_PROBLEM ? make_problem(find) : scan_file(thread, find->path, &goes_on);
        if (instance == NULL)
            return -ENOMEM;
        instance->trials.refused_earlier = was_refused(piece, i, &instance->file);
        list_append(&piece->instances, &instance->mail.node);
    }
    return 0;
}

static int do_job(struct scan_thread *thread, struct scan_job *job, struct list *folders)
{
    int error = 0;
    begin_measuring(thread);
    if (job->kind == SCAN_JOB_GIVEN)
        take_given(thread);
    else if (job->kind == SCAN_JOB_FOLDER)
        read_folder(thread, job, folders);
    else if (job->kind == SCAN_JOB_LOOK)
        look_at_paths(thread, job->piece);
    else
        error = scan_files(thread, job->piece);
    measure(thread);
    return error;
}

/* ---- the thread ---- */

/* What a thread that was left behind still holds. */
static void drop_job(struct scan_job *job, struct list *folders)
{
    struct list_node *node;
    while ((node = list_pop(folders)) != NULL)
        folder_destroy(list_entry(node, struct folder, node));
    while (job->piece != NULL && (node = list_pop(&job->piece->instances)) != NULL)
        instance_destroy(list_entry(node, struct instance, mail.node));
    scan_piece_destroy(job->piece);
    folder_destroy(job->folder);
}

/* Under the lock. The next job; false if there is none for it now. */
static bool take_job(struct scan_thread *thread, struct scan_job *ret_job)
{
    struct scan_pool *pool = thread->pool;
    if (pool->paused || pool->stopped || pool->at_work >= pool->width)
        return false;
    int error = scan_queue_take(&pool->queue, pool->width, ret_job);
    if (error < 0)
        scan_pool_halt(pool, error);
    return ret_job->kind != SCAN_JOB_NONE;
}

/* Under the lock. What a job found goes into the queue, or to the loop. */
static void finish_job(struct scan_thread *thread, const struct scan_job *job, struct list *folders, int error)
{
    struct scan_pool *pool = thread->pool;
    struct scan_piece *piece;
    add_work(thread);
    int queue_error = scan_queue_finish(&pool->queue, job, folders, &piece);
    if (piece != NULL)
        list_append(&pool->done, &piece->node);
    if (error < 0 || queue_error < 0)
        scan_pool_halt(pool, error < 0 ? error : queue_error);
    thread->at_work = false;
    pool->at_work--;
    if (!list_is_empty(&pool->done) || pool->paused || pool->stopped || scan_queue_is_done(&pool->queue))
        scan_pool_wake(pool);
    if (job->kind != SCAN_JOB_SCAN && pool->idle > 0)
        uv_cond_broadcast(&pool->work_came); /* a folder brings work for many */
}

/* Under the lock. False if the thread was left behind, and does not have the lock any more. */
static bool work(struct scan_thread *thread)
{
    struct scan_pool *pool = thread->pool;
    struct scan_job job;
    struct list folders;
    list_init(&folders);
    while (!pool->closing && !take_job(thread, &job)) {
        pool->idle++;
        uv_cond_wait(&pool->work_came, &pool->lock);
        pool->idle--;
    }
    if (pool->closing)
        return false;
    thread->at_work = true;
    thread->is_out = job.kind == SCAN_JOB_SCAN || (job.kind == SCAN_JOB_LOOK && pool->queue.asks);
    pool->at_work++;
    if (pool->at_work > pool->figures.scanners)
        pool->figures.scanners = pool->at_work;
    uv_mutex_unlock(&pool->lock);
    int error = do_job(thread, &job, &folders);
    uv_mutex_lock(&pool->lock);
    if (thread->state == SCAN_THREAD_LEFT) {
        drop_job(&job, &folders);
        return false;
    }
    finish_job(thread, &job, &folders, error);
    return true;
}

void scan_thread_run(void *arg)
{
    struct scan_thread *thread = arg;
    struct scan_pool *pool = thread->pool;
    uv_mutex_lock(&pool->lock);
    while (work(thread)) {
    }
    scanner_destroy(thread->scanner);
    if (thread->state == SCAN_THREAD_RUNNING) {
        thread->state = SCAN_THREAD_ENDED;
        pool->running--;
        scan_pool_wake(pool);
    }
    scan_pool_leave(pool);
}
