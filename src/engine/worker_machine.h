/*
 * worker_machine - what a worker does, as a state machine (worker_state.h): it takes mail, opens associations for its
 * work, waits, stops. What is carried on an association is the courier's.
 *
 * On the worker's thread, which worker.c makes.
 */
#ifndef ENGINE_WORKER_MACHINE_H
#define ENGINE_WORKER_MACHINE_H

#include <uv.h>

#include "engine/channel.h"
#include "engine/courier.h"
#include "engine/outbox.h"
#include "engine/streak.h"
#include "engine/worker.h"
#include "engine/worker_state.h"
#include "engine/worker_time.h"

struct worker_machine {
    int number;
    const struct worker_options *options;
    uv_loop_t *loop;
    struct outbox outbox;
    struct worker_time time;
    struct courier courier;

    enum worker_state state; /* set with `enter` alone */
    uv_timer_t timer;        /* of WORKER_PAUSING and WORKER_BACKING_OFF */
    uint32_t random;
    struct work *given; /* owned: work that came in WORKER_RELEASING; it begins when the association has ended */
    bool resting;       /* told to rest, and given no work since: idle time is TIME_RESTING. It changes nothing else */

    struct channel *channel; /* the association; NULL = there is none */
    bool opened;             /* it has opened */
    struct association_figures figures;
    struct streak streak; /* of associations that came to nothing */
};

/* `loop`, `options` and what these point to are borrowed. 0, or an error: then there is nothing to close. */
int worker_machine_open(struct worker_machine *worker, uv_loop_t *loop, int number,
                        const struct worker_options *options) DICOMNET_MUST_CHECK;

/* Mail to the worker: any but MAIL_EXIT. It belongs to the machine from now on. */
void worker_machine_take(struct worker_machine *worker, struct mail *mail);

/* After MAIL_STOPPED, or if no mail came: close the handles. The memory is the owner's when the loop has run. */
void worker_machine_close(struct worker_machine *worker);

#endif
