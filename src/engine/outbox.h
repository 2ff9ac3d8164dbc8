/*
 * outbox - what a worker sends home: outcomes in company, everything else at once and in order.
 *
 * On the worker's thread. Waking the main thread for each of thousands of outcomes a second would cost more than the
 * store itself: they wait a few milliseconds for others. Whatever something depends on (notices, work, log records)
 * leaves at once, behind the outcomes that were waiting.
 */
#ifndef ENGINE_OUTBOX_H
#define ENGINE_OUTBOX_H

#include <uv.h>

#include "base/list.h"
#include "dicomnet/log.h"
#include "engine/mailbox.h"
#include "engine/worker_mail.h"

struct instance;

struct outbox {
    struct mailbox *home; /* borrowed */
    int worker;           /* number */
    struct list waiting;  /* mail */
    unsigned waiting_count;
    uv_timer_t timer;
    struct dicomnet_logger logger; /* its records travel home as MAIL_LOG, stamped with the worker and: */
    uint64_t association;          /* the number of its association; 0 = it has had none */
    const char *study_uid;         /* of the study being sent; borrowed; NULL = none */
};

/* On the worker's loop, which is to be run once more after outbox_close. */
void outbox_open(struct outbox *outbox, uv_loop_t *loop, struct mailbox *home, int worker,
                 enum dicomnet_log_level log_level);
void outbox_close(struct outbox *outbox);

/* Send an instance home whose outcome is set (MAIL_INSTANCE), with others that end about the same time. */
void outbox_post_outcome(struct outbox *outbox, struct instance *instance);

/* Send mail home at once; its kind is set. */
void outbox_post(struct outbox *outbox, struct mail *mail);

/* The same for a list of mail, which is empty afterwards. */
void outbox_post_all(struct outbox *outbox, struct list *mails);

/* A copy of this notice, with its kind and the worker's number. */
void outbox_post_notice(struct outbox *outbox, enum session_mail kind, const struct worker_notice *notice);

#endif
