/*
 * scan_feed - see scan_feed.h. All on the loop's thread; the scanners are those of scan_pool.h.
 *
 * The way of a piece; at each arrow it may wait:
 *
 *   pool: found, looked at --> recall_files (record) --> pool: scanned --> recall_twins (record) --> handler.found
 *                                    |
 *                                    +--> handler.found: those whose outcome stands
 *
 * Without a record it is scanned at once. The record is asked of many pieces together, as many as have come.
 */
#include "engine/scan_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "engine/record.h"
#include "engine/scan_pool.h"
#include "engine/scan_queue.h"
#include "instance/instance.h"

/* Pieces of which the record is asked together. */
struct inquiry {
    struct scan_feed *feed;
    struct list pieces;
    size_t count; /* of their paths */
    struct file_facts facts[RECORD_BATCH_MAX];
    struct record_recall recall;
};

struct scan_feed {
    const struct record *record; /* NULL = nothing is known of earlier sessions */
    const struct scan_feed_handler *handler;
    void *user;
    struct scan_pool *pool; /* not to be touched once it is closing */
    struct scan_figures figures;
    bool cancelled;
    bool closing;
    int error;
};

static void go_on(struct scan_feed *feed);

/* ---- the record ---- */

/* Without memory there is no scan. */
static void run_out_of_memory(struct scan_feed *feed)
{
    feed->cancelled = true;
    feed->error = -ENOMEM;
    scan_pool_stop(feed->pool);
}

/* Ask, and go on with `answered`, be it now or later. */
static void ask(struct inquiry *inquiry, enum record_when (*function)(void *user, struct record_recall *recall),
                void (*answered)(struct record_recall *recall))
{
    struct record_recall *recall = &inquiry->recall;
    recall->answered = answered;
    if (recall->count == 0 || function(inquiry->feed->record->user, recall) == RECORD_NOW)
        answered(recall);
}

/* The pieces that come first in the list, as many as one question takes; the list is not empty. NULL if out of memory.
 */
static struct inquiry *make_inquiry(struct scan_feed *feed, struct list *pieces)
{
    struct inquiry *inquiry = calloc(1, sizeof *inquiry);
    if (inquiry == NULL)
        return NULL;
    inquiry->feed = feed;
    list_init(&inquiry->pieces);
    struct list_node *node;
    while ((node = list_first(pieces)) != NULL) {
        struct scan_piece *piece = list_entry(node, struct scan_piece, node);
        if (inquiry->count + piece->count > RECORD_BATCH_MAX)
            break;
        inquiry->count += piece->count;
        list_remove(node);
        list_append(&inquiry->pieces, node);
    }
    return inquiry;
}

static struct inquiry *take_answer(struct record_recall *recall)
{
    struct inquiry *inquiry = list_entry(recall, struct inquiry, recall);
    if (recall->problem != NULL)
        inquiry->feed->handler->record_failed(inquiry->feed->user, recall->problem);
    return inquiry;
}

/* ---- what the record knows of files ---- */

/* Take out of the piece what has its outcome already. `asked` is what was answered before. */
static bool take_out_known(struct inquiry *inquiry, struct scan_piece *piece, size_t *asked)
{
    struct scan_feed *feed = inquiry->feed;
    struct record_recall *recall = &inquiry->recall;
    size_t left = 0, count = piece->count;
    for (size_t i = 0; i < count; i++) {
        struct find find = piece->finds[i];
        struct record_answer answer = {.instance = NULL};
        if (find.kind == FIND_FILE && find.inode != 0)
            answer = recall->answers[(*asked)++];
        if (answer.instance != NULL) {
            find_fini(&find);
            feed->handler->found(feed->user, answer.instance, NULL);
            continue;
        }
        piece->finds[left] = find;
        piece->refused[left++] = answer.refused;
    }
    piece->count = left;
    return left < count;
}

static void on_files_answered(struct record_recall *recall)
{
    struct inquiry *inquiry = take_answer(recall);
    struct scan_feed *feed = inquiry->feed;
    bool recalled = false;
    size_t asked = 0;
    for (struct list_node *node = list_first(&inquiry->pieces); node != NULL; node = list_next(&inquiry->pieces, node))
        recalled = take_out_known(inquiry, list_entry(node, struct scan_piece, node), &asked) || recalled;
    scan_pool_scan(feed->pool, &inquiry->pieces);
    free(inquiry);
    if (recalled)
        feed->handler->batch_ended(feed->user);
    go_on(feed);
}

static void ask_of_files(struct inquiry *inquiry)
{
    struct record_recall *recall = &inquiry->recall;
    for (struct list_node *node = list_first(&inquiry->pieces); node != NULL;
         node = list_next(&inquiry->pieces, node)) {
        const struct scan_piece *piece = list_entry(node, struct scan_piece, node);
        for (size_t i = 0; i < piece->count; i++) {
            const struct find *find = &piece->finds[i];
            if (find->kind != FIND_FILE || find->inode == 0)
                continue;
            struct file_facts *facts = &inquiry->facts[recall->count];
            *facts = (struct file_facts){.path = find->path,
                                         .size_bytes = find->size_bytes,
                                         .mtime_ns = find->mtime_ns,
                                         .device = find->device,
                                         .inode = find->inode};
            recall->files[recall->count++] = facts;
        }
    }
    ask(inquiry, inquiry->feed->record->recall_files, on_files_answered);
}

/* ---- what was scanned ---- */

/* `inquiry`: what was asked of their twins; or NULL. */
static void deliver(struct scan_feed *feed, struct list *pieces, const struct inquiry *inquiry)
{
    struct list_node *piece_node, *node;
    size_t asked = 0;
    while ((piece_node = list_pop(pieces)) != NULL) {
        struct scan_piece *piece = list_entry(piece_node, struct scan_piece, node);
        while ((node = list_pop(&piece->instances)) != NULL) {
            struct instance *instance = list_entry(node, struct instance, mail.node), *twin = NULL;
            const struct record_recall *recall = inquiry != NULL ? &inquiry->recall : NULL;
            if (recall != NULL && asked < recall->count && recall->files[asked] == &instance->file)
                twin = recall->answers[asked++].instance;
            feed->handler->found(feed->user, instance, twin);
        }
        scan_pool_release(feed->pool, piece);
    }
}

static void on_twins_answered(struct record_recall *recall)
{
    struct inquiry *inquiry = take_answer(recall);
    struct scan_feed *feed = inquiry->feed;
    deliver(feed, &inquiry->pieces, inquiry);
    free(inquiry);
    feed->handler->batch_ended(feed->user);
    go_on(feed);
}

static void ask_of_twins(struct inquiry *inquiry)
{
    struct record_recall *recall = &inquiry->recall;
    for (struct list_node *at = list_first(&inquiry->pieces); at != NULL; at = list_next(&inquiry->pieces, at)) {
        const struct scan_piece *piece = list_entry(at, struct scan_piece, node);
        for (struct list_node *node = list_first(&piece->instances); node != NULL;
             node = list_next(&piece->instances, node)) {
            const struct instance *instance = list_entry(node, struct instance, mail.node);
            if (instance->outcome.state == OUTCOME_PENDING)
                recall->files[recall->count++] = &instance->file;
        }
    }
    ask(inquiry, inquiry->feed->record->recall_twins, on_twins_answered);
}

/* ---- from the pool ---- */

static void ask_of(struct scan_feed *feed, struct list *pieces, void (*question)(struct inquiry *inquiry))
{
    while (!list_is_empty(pieces)) {
        struct inquiry *inquiry = make_inquiry(feed, pieces);
        if (inquiry == NULL) {
            run_out_of_memory(feed);
            deliver(feed, pieces, NULL);
            return;
        }
        question(inquiry);
    }
}

static void on_found(void *user, struct list *pieces)
{
    struct scan_feed *feed = user;
    struct list looked, scanned;
    struct list_node *node;
    list_init(&looked);
    list_init(&scanned);
    while ((node = list_pop(pieces)) != NULL)
        list_append(list_entry(node, struct scan_piece, node)->scanned ? &scanned : &looked, node);
    const struct record *record = feed->record;
    bool asks_twins = record != NULL && record->recall_twins != NULL && !list_is_empty(&scanned);
    if (asks_twins) {
        ask_of(feed, &scanned, ask_of_twins);
    } else if (!list_is_empty(&scanned)) {
        deliver(feed, &scanned, NULL);
        feed->handler->batch_ended(feed->user);
    }
    if (feed->cancelled)
        deliver(feed, &looked, NULL);
    ask_of(feed, &looked, ask_of_files);
    go_on(feed);
}

static void on_closed(void *user)
{
    struct scan_feed *feed = user;
    feed->handler->ended(feed->user, feed->error);
}

static const struct scan_pool_handler pool_handler = {.found = on_found, .closed = on_closed};

static void go_on(struct scan_feed *feed)
{
    if (feed->closing || !scan_pool_is_done(feed->pool))
        return;
    feed->closing = true;
    feed->figures = scan_pool_figures(feed->pool);
    int error = scan_pool_error(feed->pool);
    if (error != 0)
        feed->error = error;
    scan_pool_close(feed->pool);
}

int scan_feed_start(struct scan_feed **ret_feed, struct uv_loop_s *loop, const struct scan_feed_options *options,
                    const struct scan_feed_handler *handler, void *user)
{
    struct scan_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return -ENOMEM;
    feed->record = options->record;
    feed->handler = handler;
    feed->user = user;
    bool asks = options->record != NULL && options->record->recall_files != NULL;
    int error = scan_pool_open(&feed->pool, loop, options->discover, options->scan, options->scanners, asks,
                               &pool_handler, feed);
    if (error != 0) {
        free(feed);
        return error;
    }
    *ret_feed = feed;
    return 0;
}

void scan_feed_pause(struct scan_feed *feed, bool paused)
{
    if (!feed->closing && !feed->cancelled) /* what is under way must come to its end */
        scan_pool_pause(feed->pool, paused);
}

void scan_feed_cancel(struct scan_feed *feed)
{
    if (feed->closing)
        return;
    feed->cancelled = true;
    if (feed->error == 0)
        feed->error = -ECANCELED;
    scan_pool_stop(feed->pool);
}

struct scan_figures scan_feed_figures(const struct scan_feed *feed)
{
    return !feed->closing ? scan_pool_figures(feed->pool) : feed->figures;
}

void scan_feed_destroy(struct scan_feed *feed)
{
    free(feed);
}
