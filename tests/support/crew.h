/*
 * crew - workers and their main thread, without a session: works go out, and whatever comes home is counted.
 */
#ifndef SUPPORT_CREW_H
#define SUPPORT_CREW_H

#include <stdbool.h>
#include <uv.h>

#include "engine/plan.h"
#include "engine/worker.h"

enum { CREW_MAX = 16 };

struct crew {
    uv_loop_t loop;
    struct mailbox home;
    struct worker_options options;
    struct plan plan;
    unsigned count; /* workers */
    struct worker *workers[CREW_MAX];
    struct work *works[CREW_MAX];
    bool stopping[CREW_MAX], backs_off[CREW_MAX];
    unsigned left; /* workers not joined */

    /* What came home. */
    unsigned by_state[OUTCOME_STATE_COUNT];
    unsigned instances;  /* with a final outcome, or pending or in doubt at a stop */
    unsigned given_back; /* MAIL_INSTANCE_BACK; planned again unless stopping */
    unsigned opened, ended, refused, busy, ready, works_done;
    unsigned most_attempts;
    struct worker_notice last_end;
    bool rests; /* to be set: after each work a worker is told to rest */
    void (*on_instance)(struct crew *crew, const struct instance *instance); /* before it is freed; may be NULL */
    void (*on_ended)(struct crew *crew, const struct worker_notice *notice); /* may be NULL */
    void *user;
};

/* Set up: options.host, port, timeouts, retry and so on may be changed afterwards. */
void crew_init(struct crew *crew, uint16_t port);

/* Start `count` workers and give them what is planned; run until all have stopped, then close everything. */
void crew_run(struct crew *crew, unsigned count);

/* Tell all workers to stop, once they have finished what is in flight or at once. On the crew's thread. */
void crew_stop(struct crew *crew, bool now);

#endif
