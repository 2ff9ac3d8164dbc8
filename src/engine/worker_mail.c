/*
 * worker_mail - what a worker sends home: outcomes in company, notices and log records at once, work that is done or
 * given back.
 *
 * On the worker's thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/worker_private.h"

enum {
    OUTBOX_MAX = 64,     /* outcomes that wait for company on their way home, */
    OUTBOX_DELAY_MS = 10 /* and how long at most */
};

static void flush_outbox(struct worker *worker)
{
    worker->outbox_count = 0;
    uv_timer_stop(&worker->outbox_timer);
    mailbox_post_all(worker->options->home, &worker->outbox);
}

static void on_outbox_timer(uv_timer_t *timer)
{
    flush_outbox(timer->data);
}

void worker_post_home(struct worker *worker, struct mail *mail)
{
    list_append(&worker->outbox, &mail->node);
    flush_outbox(worker);
}

/* Waking the main thread for each of thousands of outcomes a second would cost more than the store itself. */
void worker_post_outcome(struct worker *worker, struct instance *instance)
{
    instance->mail.kind = MAIL_INSTANCE;
    list_append(&worker->outbox, &instance->mail.node);
    if (++worker->outbox_count == OUTBOX_MAX)
        flush_outbox(worker);
    else if (worker->outbox_count == 1)
        uv_timer_start(&worker->outbox_timer, on_outbox_timer, OUTBOX_DELAY_MS, 0);
}

void worker_post_notice(struct worker *worker, enum session_mail kind, const struct worker_notice *notice)
{
    struct worker_notice *copy = memory_allocate(sizeof *copy);
    if (copy == NULL)
        abort(); /* a few dozen bytes: without them nothing could be said, and silence would be a lie */
    *copy = *notice;
    copy->mail.kind = (int)kind;
    copy->worker = worker->number;
    worker_post_home(worker, &copy->mail);
}

void worker_write_log(void *user, const struct dicomnet_log_record *record)
{
    struct worker *worker = user;
    struct dicomnet_log_record stamped = *record;
    stamped.time_us = clock_wall_us();
    stamped.worker = worker->number;
    stamped.association = worker->association_number;
    stamped.study = worker->work != NULL && worker->work->study_uid[0] != '\0' ? worker->work->study_uid : NULL;
    struct worker_log *mail = malloc(sizeof *mail);
    struct dicomnet_log_record *copy = dicomnet_log_record_copy(&stamped);
    if (mail == NULL || copy == NULL) {
        free(mail);
        free(copy);
        return;
    }
    mail->mail.kind = MAIL_LOG;
    mail->record = copy;
    worker_post_home(worker, &mail->mail);
}

void worker_finish_work(struct worker *worker)
{
    struct work *work = worker->work;
    assert(list_is_empty(&work->instances) && list_is_empty(&worker->again));
    LOG(&worker->logger, DICOMNET_LOG_INFO, EVENT_STUDY_ENDED, LOG_NUMBER("stored", work->stored),
        LOG_NUMBER("failed", work->failed));
    worker->work = NULL;
    worker->again_attempt = 0;
    work->mail.kind = MAIL_WORK_DONE;
    worker_post_home(worker, &work->mail);
}

void worker_give_instances_back(struct worker *worker)
{
    struct list_node *node;
    list_splice(&worker->again, &worker->work->instances);
    while ((node = list_pop(&worker->again)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        instance->mail.kind = MAIL_INSTANCE_BACK;
        list_append(&worker->outbox, &instance->mail.node);
    }
    flush_outbox(worker);
}

void worker_give_work_back(struct worker *worker)
{
    if (worker->work == NULL)
        return;
    worker_give_instances_back(worker);
    worker_finish_work(worker);
}
