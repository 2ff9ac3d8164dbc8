/*
 * scan_feed - see scan_feed.h. Everything but the two job functions runs on the loop's thread.
 *
 * The way of a batch; at each arrow it may wait:
 *
 *   walk (pool) --> recall_files (record) --> ready --> scan (pool) --> recall_twins (record) --> handler.found
 *                         |
 *                         +--> handler.found: those whose outcome stands
 */
#include "engine/scan_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "engine/record.h"
#include "instance/instance.h"

enum {
    BATCH_PATHS = RECORD_BATCH_MAX,
    BATCHES_MAX = 8, /* that exist at a time; only a record that answers late makes them so many */
    SCANNERS = 2     /* jobs that scan at the same time */
};

/* What is known of a batch's files by stat, and what the record knows of them. */
struct inquiry {
    struct file_facts facts[BATCH_PATHS]; /* of each path; an inode of 0: not known */
    bool refused[BATCH_PATHS];            /* of each path: see record_answer */
    struct record_recall recall;
    struct batch *batch;
};

/* Paths found together, scanned together. Problems the walk met are instances at once. */
struct batch {
    struct list_node node;
    struct scan_feed *feed;
    size_t count;
    char *paths[BATCH_PATHS];
    struct list instances;
    bool out_of_memory;
    struct inquiry *inquiry; /* NULL = there is no record to ask */
};

struct job {
    uv_work_t request;
    struct scan_feed *feed;
    struct scanner *scanner; /* scan jobs only */
    struct batch *batch;     /* under way; NULL = idle */
};

struct scan_feed {
    uv_loop_t *loop;
    const struct record *record; /* NULL = nothing is known of earlier sessions */
    const struct scan_feed_handler *handler;
    void *user;
    struct discover *discover;
    struct job walk;
    struct job scans[SCANNERS];
    unsigned batch_count; /* batches that exist */
    struct list ready;    /* batches that wait for a scanner */
    bool walk_ended;
    bool cancelled;
    bool paused;
    bool ended;
    int error;
};

static void go_on(struct scan_feed *feed);

static struct batch *make_batch(struct scan_feed *feed)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    if (feed->record != NULL && (batch->inquiry = calloc(1, sizeof *batch->inquiry)) == NULL) {
        free(batch);
        return NULL;
    }
    if (batch->inquiry != NULL)
        batch->inquiry->batch = batch;
    batch->feed = feed;
    list_init(&batch->instances);
    feed->batch_count++;
    return batch;
}

/* Its instances have been taken out of it. */
static void destroy_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        free(batch->paths[i]);
    batch->feed->batch_count--;
    free(batch->inquiry);
    free(batch);
}

/* ---- walking; on the thread pool ---- */

static bool add_problem(struct batch *batch, const struct discover_entry *entry)
{
    struct instance *instance = instance_create(&(struct file_facts){.path = entry->path});
    if (instance == NULL)
        return false;
    instance_set_end(instance, entry->state, entry->reason, entry->error);
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
        if (batch->inquiry != NULL)
            batch->inquiry->facts[batch->count] = look_at(path);
        batch->paths[batch->count++] = path;
    }
}

/* ---- what the record knows of files ---- */

/* Ask, and go on with `answered`, be it now or later. */
static void ask(struct batch *batch, enum record_when (*function)(void *user, struct record_recall *recall),
                void (*answered)(struct record_recall *recall))
{
    struct record_recall *recall = &batch->inquiry->recall;
    memset(recall->answers, 0, sizeof recall->answers);
    recall->problem = NULL;
    recall->answered = answered;
    if (recall->count == 0 || function(batch->feed->record->user, recall) == RECORD_NOW)
        answered(recall);
}

static struct batch *batch_of(struct record_recall *recall)
{
    return list_entry(recall, struct inquiry, recall)->batch;
}

static void say_problem(struct batch *batch, const struct record_recall *recall)
{
    if (recall->problem != NULL)
        batch->feed->handler->record_failed(batch->feed->user, recall->problem);
}

/* Take out of the batch what has its outcome already. */
static void on_files_answered(struct record_recall *recall)
{
    struct batch *batch = batch_of(recall);
    struct scan_feed *feed = batch->feed;
    struct inquiry *inquiry = batch->inquiry;
    size_t left = 0, asked = 0;
    say_problem(batch, recall);
    for (size_t i = 0; i < batch->count; i++) {
        struct record_answer answer = {.instance = NULL};
        if (asked < recall->count && recall->files[asked] == &inquiry->facts[i])
            answer = recall->answers[asked++];
        if (answer.instance != NULL) {
            free(batch->paths[i]);
            feed->handler->found(feed->user, answer.instance, NULL);
            continue;
        }
        batch->paths[left] = batch->paths[i];
        inquiry->facts[left] = inquiry->facts[i];
        inquiry->refused[left++] = answer.refused;
    }
    bool recalled = left < batch->count;
    batch->count = left;
    list_append(&feed->ready, &batch->node);
    if (recalled)
        feed->handler->batch_ended(feed->user);
    go_on(feed);
}

static void ask_of_files(struct batch *batch)
{
    struct inquiry *inquiry = batch->inquiry;
    inquiry->recall.count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (inquiry->facts[i].inode != 0)
            inquiry->recall.files[inquiry->recall.count++] = &inquiry->facts[i];
    ask(batch, batch->feed->record->recall_files, on_files_answered);
}

/* The batch of a job that the thread pool is done with. The job is free for the next. */
static struct batch *finish_job(uv_work_t *request)
{
    struct job *job = request->data;
    struct batch *batch = job->batch;
    job->batch = NULL;
    return batch;
}

static void after_walk(uv_work_t *request, int status)
{
    (void)status;
    struct batch *batch = finish_job(request);
    struct scan_feed *feed = batch->feed;
    if (feed->record != NULL && feed->record->recall_files != NULL && !feed->cancelled) {
        ask_of_files(batch);
        go_on(feed);
        return;
    }
    list_append(&feed->ready, &batch->node);
    go_on(feed);
}

/* ---- scanning; on the thread pool ---- */

/* The record knows it as it was when the walk looked at it. */
static bool was_refused(const struct batch *batch, size_t number, const struct file_facts *scanned)
{
    if (batch->inquiry == NULL || !batch->inquiry->refused[number])
        return false;
    const struct file_facts *walked = &batch->inquiry->facts[number];
    return walked->inode == scanned->inode && walked->device == scanned->device &&
           walked->size_bytes == scanned->size_bytes && walked->mtime_ns == scanned->mtime_ns;
}

static void scan_batch(uv_work_t *request)
{
    struct job *job = request->data;
    struct batch *batch = job->batch;
    for (size_t i = 0; i < batch->count && !batch->out_of_memory; i++) {
        struct instance *instance = scanner_read(job->scanner, batch->paths[i]);
        if (instance == NULL) {
            batch->out_of_memory = true;
        } else {
            instance->trials.refused_earlier = was_refused(batch, i, &instance->file);
            list_append(&batch->instances, &instance->mail.node);
        }
    }
}

static void deliver(struct batch *batch)
{
    struct scan_feed *feed = batch->feed;
    const struct record_recall *recall = batch->inquiry != NULL ? &batch->inquiry->recall : NULL;
    struct list_node *node;
    size_t asked = 0;
    while ((node = list_pop(&batch->instances)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node), *twin = NULL;
        if (recall != NULL && asked < recall->count && recall->files[asked] == &instance->file)
            twin = recall->answers[asked++].instance;
        feed->handler->found(feed->user, instance, twin);
    }
    destroy_batch(batch);
    feed->handler->batch_ended(feed->user);
    go_on(feed);
}

static void on_twins_answered(struct record_recall *recall)
{
    struct batch *batch = batch_of(recall);
    say_problem(batch, recall);
    deliver(batch);
}

static void ask_of_twins(struct batch *batch)
{
    struct record_recall *recall = &batch->inquiry->recall;
    recall->count = 0;
    for (struct list_node *node = list_first(&batch->instances); node != NULL;
         node = list_next(&batch->instances, node)) {
        const struct instance *instance = list_entry(node, struct instance, mail.node);
        if (instance->outcome.state == OUTCOME_PENDING)
            recall->files[recall->count++] = &instance->file;
    }
    ask(batch, batch->feed->record->recall_twins, on_twins_answered);
}

static void after_scan(uv_work_t *request, int status)
{
    (void)status;
    struct batch *batch = finish_job(request);
    struct scan_feed *feed = batch->feed;
    if (batch->out_of_memory) {
        feed->cancelled = true;
        feed->error = -ENOMEM;
    }
    if (batch->inquiry != NULL)
        batch->inquiry->recall.count = 0;
    if (feed->record != NULL && feed->record->recall_twins != NULL)
        ask_of_twins(batch);
    else
        deliver(batch);
}

/* ---- on the loop ---- */

static void start_walk(struct scan_feed *feed)
{
    struct batch *batch = make_batch(feed);
    if (batch == NULL) {
        feed->cancelled = true;
        feed->error = -ENOMEM;
        return;
    }
    feed->walk.batch = batch;
    uv_queue_work(feed->loop, &feed->walk.request, walk_batch, after_walk);
}

static void go_on(struct scan_feed *feed)
{
    for (size_t i = 0; i < SCANNERS; i++) {
        bool idle = feed->scans[i].batch == NULL && !feed->paused;
        struct list_node *node = idle ? list_pop(&feed->ready) : NULL;
        if (node != NULL) {
            feed->scans[i].batch = list_entry(node, struct batch, node);
            uv_queue_work(feed->loop, &feed->scans[i].request, scan_batch, after_scan);
        }
    }
    /* One batch is kept ahead of the scanners, no more. While a walk is under way, walk_ended is that job's. */
    if (feed->walk.batch == NULL && !feed->walk_ended && !feed->cancelled && !feed->paused &&
        list_is_empty(&feed->ready) && feed->batch_count < BATCHES_MAX)
        start_walk(feed);
    if (feed->batch_count == 0 && (feed->walk_ended || feed->cancelled) && !feed->ended) {
        feed->ended = true;
        feed->handler->ended(feed->user, feed->error);
    }
}

int scan_feed_start(struct scan_feed **ret_feed, struct uv_loop_s *loop, const struct discover_options *discover,
                    const struct scan_options *scan, const struct record *record,
                    const struct scan_feed_handler *handler, void *user)
{
    struct scan_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return -ENOMEM;
    feed->loop = loop;
    feed->record = record;
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
    feed->paused = paused && !feed->cancelled; /* what is under way must come to its end */
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
