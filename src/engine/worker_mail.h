/*
 * worker_mail - what a session and its workers say to each other: each mail belongs to whoever receives it.
 *
 *    session: MAIL_WORK ---------------------------------> worker
 *             <--- MAIL_OPENED, MAIL_INSTANCE ..., MAIL_WORK_DONE
 *             MAIL_STOP --------------------------------->
 *             <--- MAIL_ENDED, MAIL_STOPPED
 *             MAIL_EXIT --------------------------------->  its thread ends
 */
#ifndef ENGINE_WORKER_MAIL_H
#define ENGINE_WORKER_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "engine/figures.h"
#include "engine/time_kind.h"

struct context_pair;
struct event_record;

/* Mail to a worker: each a struct mail of its own, but where another struct is named. */
enum worker_mail {
    MAIL_WORK,      /* struct work, to be done. Only one at a time: it comes home as MAIL_WORK_DONE before the next */
    MAIL_GIVE_BACK, /* finish the stores under way and give the rest of the work back; keep the association. Also an
                       answer to MAIL_INSTANCE_REFUSED */
    MAIL_GO_ON,     /* the other answer to MAIL_INSTANCE_REFUSED: begin stores again */
    MAIL_LESSON,    /* struct worker_lesson: what another worker has learnt about the peer */
    MAIL_WAKE,      /* the peer answers others again: do not wait any longer before the next association */
    MAIL_REST,      /* fewer workers are to be at the peer: release the association if there is no work. The time until
                       the next MAIL_WORK is not counted */
    MAIL_RELEASE,   /* there is nothing to hand out now: release the association if there is no work */
    MAIL_STOP,      /* finish the stores under way, send the rest home as pending, release the association, end */
    MAIL_STOP_NOW,  /* the same, but abort the association; may follow MAIL_STOP */
    MAIL_EXIT       /* the answer to MAIL_STOPPED: end the thread */
};

/* Mail from a worker, with the struct around it. */
enum session_mail {
    MAIL_INSTANCE,         /* struct instance: its outcome is final, or OUTCOME_PENDING / OUTCOME_IN_DOUBT at a stop */
    MAIL_INSTANCE_REFUSED, /* struct instance: the peer had no room for it. What becomes of it is for the session to
                              decide; the worker begins no store before MAIL_GO_ON or MAIL_GIVE_BACK */
    MAIL_INSTANCE_LOST,    /* struct instance: it was set aside (losses.h), to be sent when nothing else is */
    MAIL_INSTANCE_BACK,    /* struct instance: not sent, to be planned again */
    MAIL_WORK_DONE,        /* struct work, with no instance left in it: the worker can take the next */
    MAIL_LOG,              /* struct worker_log */
    MAIL_OPENED,           /* struct worker_notice: an association was opened */
    MAIL_ENDED,            /* struct worker_notice: an association that was asked for ended, with its figures. If no
                              store could begin on it (`backs_off`), the work comes home next, and the worker takes no
                              other before MAIL_READY */
    MAIL_READY,            /* struct worker_notice: the wait after such an end is over: the worker can take work */
    MAIL_BUSY,             /* struct worker_notice: the peer says that it is out of resources. Not repeated before it
                              has given another answer */
    MAIL_REFUSED,          /* struct worker_notice: the peer has answered several stores in a row that this sender is
                              not authorised: the worker sends nothing more, and waits for MAIL_STOP */
    MAIL_STOPPED /* struct worker_notice, the last mail, with `time_us`: the worker has nothing left, and waits
                    for MAIL_EXIT */
};

/* What is known of the peer from now on. */
struct worker_lesson {
    struct mail mail;
    uint64_t store_max;                     /* stores after which it ends an association; 0 = nothing new */
    const struct context_pair *unsupported; /* it accepts this class and cannot store it; NULL = nothing new */
};

struct worker_log {
    struct mail mail;
    struct event_record *record; /* owned: free both */
};

struct worker_notice {
    struct mail mail;
    int worker;
    bool opened;               /* MAIL_ENDED: the association had been opened */
    bool backs_off;            /* MAIL_ENDED: no store could begin on it */
    bool lost;                 /* MAIL_ENDED: it ended under a store and had answered none (losses.h) */
    bool aside;                /* MAIL_ENDED: it was for an instance that had been set aside (losses.h) */
    unsigned failures;         /* MAIL_ENDED: associations of this worker in a row on which no store could begin */
    uint64_t failing_since_us; /* MAIL_ENDED: monotonic; when the first of these was asked for */
    struct association_figures figures;
    uint64_t time_us[TIME_KINDS]; /* MAIL_STOPPED: what its time went into, since the idle clock began */
};

#endif
