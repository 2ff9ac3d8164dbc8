/*
 * crew - all workers of a session: started when there is work for them, given studies, told what is known of the peer,
 * resting while the peer takes fewer associations, stopped and joined.
 *
 * A `hand` is one of them as the session sees it: what it was given and what its mail has said, in the order in which
 * that came. Work is taken from the plan, and only while the gate lets stores begin; both come as arguments. How many
 * may be at the peer at a time is found out here: by pace.h, or after a peer that turns associations away by growth.h.
 *
 *     crew_hand_out                          MAIL_WORK_DONE: more of the same study, else any
 *   no thread ------> started, idle --work--> working --------------------------------------> idle
 *                          |  ^                  | association failed (MAIL_ENDED, backs_off)   | nothing to do,
 *                          |  | MAIL_READY       v                                             v or too many
 *                          |  +------------ backing off                           releases its association, rests
 *                          +-- crew_stop --> stopping --MAIL_STOPPED--> joined
 *
 * On the main thread. It knows no session: what it cannot do it says by its results, and what people are to know it
 * logs. The time comes from outside.
 */
#ifndef ENGINE_CREW_H
#define ENGINE_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/figures.h"
#include "engine/growth.h"
#include "engine/pace.h"
#include "engine/peer.h"
#include "engine/worker.h"

struct claims;
struct event_record;
struct gate;
struct plan;
struct work;

struct crew_options {
    struct worker_options worker;  /* what all workers share; `threads` of them at most */
    bool threads_auto;             /* find out how many of them are worth it */
    const struct lessons *lessons; /* what a worker that starts is told; borrowed */
    struct claims *claims; /* asked before a study is given to a worker; borrowed. NULL = all studies are ours */
    const struct dicomnet_logger *logger;
};

struct hand {
    struct worker *worker; /* NULL = not started, or joined */
    struct work *work;     /* it has, or will have; NULL = none */
    bool claims;           /* whether its work may be sent is asked (claims.h): its worker has not got it yet */
    bool on_trial;         /* that is work to see whether the peer has room */
    bool open;             /* its association is open */
    bool backs_off;        /* it cannot open one; no work until MAIL_READY */
    bool turned_away;      /* it backs off because the peer rejected it for the time being: its place is free */
    bool resting;          /* it was told to release its association, and was given no work since */
    bool releasing;        /* the same, as there is nothing for it now */
    bool stopping;         /* it was told to stop */
    uint64_t idle_us;      /* monotonic; since when it has no work */
    unsigned failures;     /* associations in a row on which no store could begin */
    uint64_t retry_us;     /* monotonic; when it tries again, or did */
};

struct crew {
    struct crew_options options;
    struct pace pace;     /* with threads_auto */
    struct growth growth; /* without */
    unsigned count;       /* hands that were started */
    unsigned max;         /* to be started, as work turns up */
    unsigned allowed;     /* how many may have work or an association at a time: 1 to max */
    unsigned left;        /* hands that are not joined */
    struct hand hands[SESSION_THREADS_MAX];
};

/* The options are copied; what they point to is borrowed until every worker is joined. Few descriptors allow fewer. */
void crew_init(struct crew *crew, const struct crew_options *options);

/* ---- work ---- */

/*
 * Give work to every hand that can take some, and start more while there is work for them; or one store, if the gate
 * allows just that and nobody works. 0; or a negative error if there is work and nobody can ever take it.
 */
int crew_hand_out(struct crew *crew, struct plan *plan, struct gate *gate, uint64_t now_us) DICOMNET_MUST_CHECK;

/*
 * A work came home (MAIL_WORK_DONE), and belongs to the plan again. `sending`: its hand goes on with the same study, if
 * more of it was found meanwhile and the gate is open.
 */
void crew_take_back(struct crew *crew, struct work *work, struct plan *plan, const struct gate *gate, bool sending,
                    uint64_t now_us);

/* The late answer of the claims: worker number `worker` gets this work, if stores may begin; NULL = it gets none. */
void crew_note_claimed(struct crew *crew, struct gate *gate, int worker, struct work *work, uint64_t now_us);

/* What has not begun comes back from all who have work: nothing is to begin for now. */
void crew_hold(struct crew *crew);

/* The answer to MAIL_INSTANCE_REFUSED of worker number `worker`: go on, or give back what has not begun. */
void crew_answer_refusal(struct crew *crew, int worker, bool go_on);

/* ---- how many ---- */

/* From now on `count` may have work or an association (kept within 1 and max). Who is above the number finishes its
 * study, releases its association and rests. */
void crew_allow(struct crew *crew, unsigned count);

/* With threads_auto, a few times a second: see how far the session is, and allow more or fewer. */
void crew_measure(struct crew *crew, uint64_t instances, uint64_t bytes, uint64_t now_us);

/* The peer turned an association away for the time being: fewer, and one more after a while. `sending`: with
 * threads_auto this counts only while instances are sent. */
void crew_turned_away(struct crew *crew, bool sending, uint64_t now_ms);

/* With threads_auto: the peer is out of resources, so fewer. */
void crew_back_off(struct crew *crew);

/* A few times a second: ask for one more association if the time has come. */
void crew_grow(struct crew *crew, uint64_t now_ms);

/* True if some that are there may not work, as the peer turned associations away. */
bool crew_is_curbed(const struct crew *crew);

/* ---- the end ---- */

/* Who has had no work for a moment (or at all, if not `more_to_come`) releases its association: a silent one is a
 * burden to peers that serve few at a time. It opens another if there is work again. */
void crew_release_idle(struct crew *crew, bool more_to_come, uint64_t now_us);

/* Tell all to stop, `now` or once what is in flight has ended. */
void crew_stop(struct crew *crew, bool now);

/* ---- what workers say of themselves ---- */

void crew_note_opened(struct crew *crew, const struct worker_notice *notice);
void crew_note_ended(struct crew *crew, const struct worker_notice *notice);
void crew_note_ready(struct crew *crew, const struct worker_notice *notice);

/* It has said its last word: it is joined. */
void crew_note_stopped(struct crew *crew, const struct worker_notice *notice);

/* A worker's record says when it tries again; other records are ignored. */
void crew_note_retry(struct crew *crew, const struct event_record *record, uint64_t now_us);

/* ---- what they are told ---- */

/* A lesson that was just learnt (peer.h); 0 and NULL: nothing of that kind. */
void crew_teach(struct crew *crew, uint64_t store_max, const struct context_pair *unsupported);

/* Who backs off since it could not open an association tries now. */
void crew_wake(struct crew *crew);

/* ---- how they are ---- */

unsigned crew_count_open(const struct crew *crew);
bool crew_has_work(const struct crew *crew);

/* True if worker number `worker` has work. */
bool crew_hand_has_work(const struct crew *crew, int worker);

/* True if one has asked for an association and waits for the answer. */
bool crew_asks(const struct crew *crew);

/*
 * True if nobody has an association, and some would if they could: then which try is coming or under way, and how long
 * until the first of them makes it, 0 = it is under way.
 */
bool crew_is_connecting(const struct crew *crew, uint64_t now_us, unsigned *ret_tries, uint64_t *ret_next_us);

#endif
