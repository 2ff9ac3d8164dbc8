/*
 * courier - carries the instances of one work to the peer, one store after another: opens each one's data, begins its
 * store, and does with it what judge.h says when it has ended.
 *
 * On the worker's thread. The worker says when: it opens the channel, calls courier_step while stores may begin, and
 * hands over what the channel tells. The courier sends outcomes home by the outbox, and calls nobody back.
 *
 *    courier_take_work                                                          the list of instances
 *    courier_expect_channel -> courier_use_channel -> courier_leave_channel     for each channel, in order
 *    courier_step ... courier_end_store ...                                     while there is a channel and work
 *    courier_finish_work, or courier_give_work_back                             the work goes home
 *
 * What the courier holds of the work is in one of three places: in the work's list (not begun), in a slot (prepared or
 * under way), in `again` (to be sent again, once the worker has waited: courier_take_up_again).
 */
#ifndef ENGINE_COURIER_H
#define ENGINE_COURIER_H

#include "engine/agreed.h"
#include "engine/carried.h"
#include "engine/channel.h"
#include "engine/flight.h"
#include "engine/lessons.h"
#include "engine/lookahead.h"
#include "engine/outbox.h"
#include "engine/plan.h"
#include "engine/slots.h"
#include "engine/worker.h"
#include "engine/worker_time.h"
#include "instance/instance.h"

struct courier {
    const struct worker_options *options;
    struct outbox *outbox;
    struct worker_time *time;
    uv_loop_t *loop; /* for its clock */

    struct work *work;      /* owned; NULL = none */
    struct list again;      /* instances of it that are to be sent again */
    unsigned again_attempt; /* the highest number of attempts among them */

    struct channel *channel; /* open, or ending; NULL = none. Borrowed from the worker */
    bool one_at_a_time;      /* until the peer has answered a store on it */
    struct carried carried;
    struct flight flight;
    struct agreed agreed;

    struct lookahead lookahead; /* the files of `work` that are read before their turn */
    struct lessons lessons;
    bool peer_busy;        /* its last answer said that it is out of resources */
    unsigned unauthorised; /* answers 0124 (not authorised) in a row */

    struct slot *prepared;     /* the next store, ready to begin; NULL = none */
    unsigned in_flight;        /* stores under way, */
    unsigned excused;          /* and those of them whose last attempt ended on this side, for the sake of another */
    uint64_t storing_since_us; /* monotonic; since when there is one */
    struct slots slots;
};

/* `options`, `outbox`, `time` and `loop` are borrowed. 0 or -ENOMEM. */
int courier_init(struct courier *courier, const struct worker_options *options, struct outbox *outbox,
                 struct worker_time *time, uv_loop_t *loop) DICOMNET_MUST_CHECK;

/* It has no work. */
void courier_fini(struct courier *courier);

/* ---- work ---- */

/* Take work on; it had none. */
void courier_take_work(struct courier *courier, struct work *work);

/* The work is done: nothing of it is left. It goes home. */
void courier_finish_work(struct courier *courier);

/* What has not begun goes back, to be planned again. What is in flight stays, and so does the work. */
void courier_give_instances_back(struct courier *courier);

/* The same, and nothing is in flight: the work goes home. Without work nothing happens. */
void courier_give_work_back(struct courier *courier);

/* What has not begun ends as not sent, and nothing begins any more; the work goes home once nothing is in flight. */
void courier_stop(struct courier *courier);

/* Work that it has not taken on: all its instances end as not sent, and it goes home. */
void courier_stop_work(struct courier *courier, struct work *work);

/* What is to be sent again comes next, before all others: whose fault the end of a channel was shows when nothing else
 * is under way. */
void courier_take_up_again(struct courier *courier);

/* ---- the channel ---- */

/* A channel with this number (within the session) is asked for, for the pairs of the work. */
void courier_expect_channel(struct courier *courier, uint64_t number);

/* It has opened. `one_at_a_time`: those before it answered nothing, so the window is not used before the peer has
 * answered a store: the next loss is to cost one instance its attempt, not a whole window. */
void courier_use_channel(struct courier *courier, struct channel *channel, bool one_at_a_time);

/* It has ended, and with it each store under way (courier_end_store). */
void courier_leave_channel(struct courier *courier);

/* ---- stores ---- */

enum courier_step {
    STEP_GOES_ON,       /* something was done: there may be more to do */
    STEP_WAITS,         /* nothing can be done before the channel tells something */
    STEP_WANTS_ANOTHER, /* the next instance wants another channel; nothing is in flight */
    STEP_LIST_EMPTY     /* nothing of the list is left, nothing is in flight; `again` may hold some */
};

/* Prepare the next store, or begin the one that is prepared. There is work and a channel. While the peer is busy with
 * one store, the next is read and framed. */
enum courier_step courier_step(struct courier *courier);

/* What the end of a store says beyond its instance. */
struct courier_news {
    uint64_t now_us;   /* monotonic */
    bool busy;         /* the peer says that it is out of resources, and did not in its answer before */
    bool unauthorised; /* it has answered 0124 so often in a row that it means every instance */
    bool asks;         /* MAIL_INSTANCE_REFUSED went home: the session's word is awaited */
};

/* The channel says that the store of this number has ended: its instance goes home, or to `again`. `stopping`: nothing
 * is to be sent any more. */
struct courier_news courier_end_store(struct courier *courier, unsigned number, const struct channel_answer *answer,
                                      bool stopping);

/* ---- what is known of the peer ---- */

/* From another worker. */
void courier_learn(struct courier *courier, const struct worker_lesson *lesson);

#endif
