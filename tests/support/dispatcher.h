/*
 * dispatcher - workers and their main thread, without a session: works go out, and whatever comes home is counted.
 */
#ifndef SUPPORT_DISPATCHER_H
#define SUPPORT_DISPATCHER_H

#include <stdbool.h>
#include <uv.h>

#include "engine/channel_dimse.h"
#include "engine/plan.h"
#include "engine/worker.h"
#include "engine/worker_mail.h"

enum { DISPATCHER_WORKERS_MAX = 16 };

struct dispatcher {
    uv_loop_t loop;
    struct mailbox home;
    struct channel_dimse_peer peer;
    struct worker_options options;
    struct plan plan;
    unsigned count; /* workers */
    struct worker *workers[DISPATCHER_WORKERS_MAX];
    struct work *works[DISPATCHER_WORKERS_MAX];
    bool stopping[DISPATCHER_WORKERS_MAX], backs_off[DISPATCHER_WORKERS_MAX];
    unsigned left; /* workers not joined */

    /* What came home. */
    unsigned by_state[OUTCOME_STATE_COUNT];
    unsigned came[MAIL_STOPPED + 1]; /* mails of each kind (enum session_mail) */
    unsigned instances;              /* with a final outcome, or pending or in doubt at a stop */
    unsigned most_attempts;
    struct worker_notice last_end;
    bool rests; /* to be set: after each work a worker is told to rest */
    void (*on_instance)(struct dispatcher *dispatcher,
                        const struct instance *instance); /* before it is freed; may be NULL */
    void (*on_ended)(struct dispatcher *dispatcher, const struct worker_notice *notice); /* may be NULL */
    void *user;
};

/* Set up: peer and options may be changed afterwards. */
void dispatcher_init(struct dispatcher *dispatcher, uint16_t port);

/* Start `count` workers and give them what is planned; run until all have stopped, then close everything. */
void dispatcher_run(struct dispatcher *dispatcher, unsigned count);

/* Tell all workers to stop, once they have finished what is in flight or at once. On the dispatcher's thread. */
void dispatcher_stop(struct dispatcher *dispatcher, bool now);

#endif
