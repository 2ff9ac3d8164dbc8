/* scan_feed - see scan_feed.h. Everything but the two job functions runs on the loop's thread. */
#include "engine/scan_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "instance/instance.h"

enum {
    BATCH_PATHS = 256,
    SCANNERS = 2 /* jobs that scan at the same time */
};

/* Paths found together, scanned together. Problems the walk met are instances at once. */
struct batch {
    struct list_node node;
    size_t count;
    char *paths[BATCH_PATHS];
    struct file_facts *facts; /* of each path, by stat; NULL if nobody asks for them. An inode of 0: not known */
    struct list instances;
    bool out_of_memory;
};

struct job {
    uv_work_t request;
    struct scan_feed *feed;
    struct scanner *scanner; /* scan jobs only */
    struct batch *batch;     /* under way; NULL = idle */
};

struct scan_feed {
    uv_loop_t *loop;
    const struct scan_feed_handler *handler;
    void *user;
    struct discover *discover;
    struct job walk;
    struct job scans[SCANNERS];
    struct list ready; /* batches that wait for a scanner */
    bool walk_ended;
    bool cancelled;
    bool paused;
    bool ended;
    int error;
};

static void go_on(struct scan_feed *feed);

static void destroy_batch(struct batch *batch)
{
    struct list_node *node;
    while ((node = list_pop(&batch->instances)) != NULL)
        instance_destroy(list_entry(node, struct instance, mail.node));
    for (size_t i = 0; i < batch->count; i++)
        free(batch->paths[i]);
    free(batch->facts);
    free(batch);
}

/* ---- walking; on the thread pool ---- */

static bool add_problem(struct batch *batch, const struct discover_entry *entry)
{
    struct instance *instance = instance_create(&(struct file_facts){.path = entry->path});
    if (instance == NULL)
        return false;
    instance->outcome.state = entry->state;
    instance->outcome.reason = entry->reason;
    instance->outcome.error = entry->error;
    instance->outcome.detail = entry->detail;
    list_append(&batch->instances, &instance->mail.node);
    return true;
}

/* As the scanner will see it: links are followed. What cannot be seen is left to the scanner. */
static struct file_facts look_at(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return (struct file_facts){.path = path};
    return (struct file_facts){.path = path,
                               .size_bytes = (uint64_t)status.st_size,
                               .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                               .device = status.st_dev,
                               .inode = status.st_ino};
}

static void walk_batch(uv_work_t *request)
{
    struct job *job = request->data;
    struct batch *batch = job->batch;
    for (size_t looked = 0; looked < BATCH_PATHS && !batch->out_of_memory; looked++) {
        struct discover_entry entry = discover_next(job->feed->discover);
        if (entry.kind == DISCOVER_END) {
            job->feed->walk_ended = true; /* read on the loop's thread only after this job is over */
            return;
        }
        if (entry.kind == DISCOVER_PROBLEM) {
            batch->out_of_memory = !add_problem(batch, &entry);
            continue;
        }
        char *path = strdup(entry.path);
        batch->out_of_memory = path == NULL;
        if (path == NULL)
            return;
        if (batch->facts != NULL)
            batch->facts[batch->count] = look_at(path);
        batch->paths[batch->count++] = path;
    }
}

/* Take out of the batch what has its outcome already. */
static void recall_batch(struct scan_feed *feed, struct batch *batch)
{
    size_t left = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct file_facts *facts = &batch->facts[i];
        struct instance *instance = facts->inode != 0 ? feed->handler->recall(feed->user, facts) : NULL;
        if (instance == NULL) {
            batch->paths[left++] = batch->paths[i];
            continue;
        }
        free(batch->paths[i]);
        feed->handler->found(feed->user, instance);
    }
    bool recalled = left < batch->count;
    batch->count = left;
    if (recalled)
        feed->handler->batch_ended(feed->user);
}

static void after_walk(uv_work_t *request, int status)
{
    (void)status;
    struct job *job = request->data;
    struct scan_feed *feed = job->feed;
    struct batch *batch = job->batch;
    if (batch->facts != NULL && !feed->cancelled)
        recall_batch(feed, batch);
    list_append(&feed->ready, &batch->node);
    job->batch = NULL;
    go_on(feed);
}

/* ---- scanning; on the thread pool ---- */

static void scan_batch(uv_work_t *request)
{
    struct job *job = request->data;
    struct batch *batch = job->batch;
    for (size_t i = 0; i < batch->count && !batch->out_of_memory; i++) {
        struct instance *instance = scanner_read(job->scanner, batch->paths[i]);
        if (instance == NULL)
            batch->out_of_memory = true;
        else
            list_append(&batch->instances, &instance->mail.node);
    }
}

static void after_scan(uv_work_t *request, int status)
{
    (void)status;
    struct job *job = request->data;
    struct scan_feed *feed = job->feed;
    struct batch *batch = job->batch;
    struct list_node *node;
    job->batch = NULL;
    if (batch->out_of_memory) {
        feed->cancelled = true;
        feed->error = -ENOMEM;
    }
    while ((node = list_pop(&batch->instances)) != NULL)
        feed->handler->found(feed->user, list_entry(node, struct instance, mail.node));
    destroy_batch(batch);
    feed->handler->batch_ended(feed->user);
    go_on(feed);
}

/* ---- on the loop ---- */

static void start_walk(struct scan_feed *feed)
{
    struct batch *batch = calloc(1, sizeof *batch);
    bool recalls = feed->handler->recall != NULL;
    if (batch != NULL && recalls && (batch->facts = calloc(BATCH_PATHS, sizeof *batch->facts)) == NULL) {
        free(batch);
        batch = NULL;
    }
    if (batch == NULL) {
        feed->cancelled = true;
        feed->error = -ENOMEM;
        return;
    }
    list_init(&batch->instances);
    feed->walk.batch = batch;
    uv_queue_work(feed->loop, &feed->walk.request, walk_batch, after_walk);
}

static void go_on(struct scan_feed *feed)
{
    bool busy = feed->walk.batch != NULL;
    for (size_t i = 0; i < SCANNERS; i++) {
        bool idle = feed->scans[i].batch == NULL && !feed->paused;
        struct list_node *node = idle ? list_pop(&feed->ready) : NULL;
        if (node != NULL) {
            feed->scans[i].batch = list_entry(node, struct batch, node);
            uv_queue_work(feed->loop, &feed->scans[i].request, scan_batch, after_scan);
        }
        busy = busy || feed->scans[i].batch != NULL;
    }
    /* One batch is kept ahead of the scanners, no more. */
    if (feed->walk.batch == NULL && !feed->walk_ended && !feed->cancelled && !feed->paused &&
        list_is_empty(&feed->ready)) {
        start_walk(feed);
        busy = busy || feed->walk.batch != NULL;
    }
    /* While a walk is under way, walk_ended is that job's. */
    if (!busy && (feed->walk_ended || feed->cancelled) && list_is_empty(&feed->ready) && !feed->ended) {
        feed->ended = true;
        feed->handler->ended(feed->user, feed->error);
    }
}

int scan_feed_start(struct scan_feed **ret_feed, struct uv_loop_s *loop, const struct discover_options *discover,
                    const struct scan_options *scan, const struct scan_feed_handler *handler, void *user)
{
    struct scan_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return -ENOMEM;
    feed->loop = loop;
    feed->handler = handler;
    feed->user = user;
    feed->walk.feed = feed;
    feed->walk.request.data = &feed->walk;
    list_init(&feed->ready);
    int error = discover_create(&feed->discover, discover);
    for (size_t i = 0; i < SCANNERS && error == 0; i++) {
        feed->scans[i].feed = feed;
        feed->scans[i].request.data = &feed->scans[i];
        feed->scans[i].scanner = scanner_create(scan);
        error = feed->scans[i].scanner == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        scan_feed_destroy(feed);
        return error;
    }
    *ret_feed = feed;
    go_on(feed);
    return 0;
}

void scan_feed_pause(struct scan_feed *feed, bool paused)
{
    bool resumed = feed->paused && !paused;
    feed->paused = paused;
    if (resumed && !feed->ended)
        go_on(feed);
}

void scan_feed_cancel(struct scan_feed *feed)
{
    feed->cancelled = true;
    feed->paused = false;
    if (feed->error == 0)
        feed->error = -ECANCELED;
    go_on(feed);
}

void scan_feed_destroy(struct scan_feed *feed)
{
    if (feed == NULL)
        return;
    for (size_t i = 0; i < SCANNERS; i++)
        scanner_destroy(feed->scans[i].scanner);
    discover_destroy(feed->discover);
    free(feed);
}
