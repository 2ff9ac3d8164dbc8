/* outbox - see outbox.h. */
#include "engine/outbox.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "instance/event.h"
#include "instance/instance.h"

enum {
    WAITING_MAX = 64,   /* outcomes that wait for others, */
    WAITING_MAX_MS = 10 /* and how long the first of them at most */
};

static void flush(struct outbox *outbox)
{
    outbox->waiting_count = 0;
    uv_timer_stop(&outbox->timer);
    mailbox_post_all(outbox->home, &outbox->waiting);
}

static void on_timer(uv_timer_t *timer)
{
    flush(timer->data);
}

void outbox_post(struct outbox *outbox, struct mail *mail)
{
    list_append(&outbox->waiting, &mail->node);
    flush(outbox);
}

void outbox_post_all(struct outbox *outbox, struct list *mails)
{
    list_splice(&outbox->waiting, mails);
    flush(outbox);
}

void outbox_post_outcome(struct outbox *outbox, struct instance *instance)
{
    instance->mail.kind = MAIL_INSTANCE;
    list_append(&outbox->waiting, &instance->mail.node);
    if (++outbox->waiting_count == WAITING_MAX)
        flush(outbox);
    else if (outbox->waiting_count == 1)
        uv_timer_start(&outbox->timer, on_timer, WAITING_MAX_MS, 0);
}

void outbox_post_notice(struct outbox *outbox, enum session_mail kind, const struct worker_notice *notice)
{
    struct worker_notice *copy = memory_allocate(sizeof *copy);
    if (copy == NULL)
        abort(); /* a few hundred bytes: without them the session would wait for this worker for ever */
    *copy = *notice;
    copy->mail.kind = (int)kind;
    copy->worker = outbox->worker;
    outbox_post(outbox, &copy->mail);
}

static void write_log(void *user, const struct dicomnet_log_record *record)
{
    struct outbox *outbox = user;
    struct event_record stamped = {
        .log = *record, .worker = outbox->worker, .association = outbox->association, .study = outbox->study_uid};
    stamped.log.time_us = clock_wall_us();
    struct worker_log *mail = malloc(sizeof *mail);
    struct event_record *copy = event_record_copy(&stamped);
    if (mail == NULL || copy == NULL) {
        free(mail);
        free(copy);
        return;
    }
    mail->mail.kind = MAIL_LOG;
    mail->record = copy;
    outbox_post(outbox, &mail->mail);
}

void outbox_open(struct outbox *outbox, uv_loop_t *loop, struct mailbox *home, int worker,
                 enum dicomnet_log_level log_level)
{
    outbox->home = home;
    outbox->worker = worker;
    outbox->logger = (struct dicomnet_logger){.write = write_log, .user = outbox, .level = log_level};
    list_init(&outbox->waiting);
    uv_timer_init(loop, &outbox->timer);
    outbox->timer.data = outbox;
}

void outbox_close(struct outbox *outbox)
{
    uv_close((uv_handle_t *)&outbox->timer, NULL);
}
