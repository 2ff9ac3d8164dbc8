/*
 * worker - one thread with one loop and at most one association: it stores the instances of the work it is given.
 *
 * Work comes and results go by mail. Everything the worker holds is its own while it holds it; what it shares with the
 * main thread is two mailboxes and constant options.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/mailbox.h"
#include "engine/session.h"
#include "engine/worker_time.h"
#include "files/source.h"
#include "instance/event.h"

struct channel_peer;
struct worker;
struct work;
struct context_pair;

/* Mail to a worker. */
enum worker_mail {
    MAIL_WORK,      /* struct work: to be done; it comes home as MAIL_WORK_DONE */
    MAIL_GIVE_BACK, /* struct mail: finish what is in flight and give the rest of the work back; keep the association */
    MAIL_GO_ON, /* struct mail: the word that it waits for after MAIL_INSTANCE_REFUSED, unless that is MAIL_GIVE_BACK */
    MAIL_LESSON,   /* struct worker_lesson: what another worker has learnt about the peer */
    MAIL_WAKE,     /* struct mail: the peer answers again: end a backoff after a failure to open */
    MAIL_REST,     /* struct mail: release the association if there is no work; work may follow later */
    MAIL_RELEASE,  /* struct mail: the same, as there is nothing to hand out now: it has no work, and is not resting */
    MAIL_STOP,     /* struct mail: finish what is in flight, give the rest back, release, end */
    MAIL_STOP_NOW, /* struct mail: abort; may follow MAIL_STOP */
    MAIL_EXIT      /* struct mail: the answer to MAIL_STOPPED: end the thread */
};

/* Mail from a worker, with the struct around it. */
enum session_mail {
    MAIL_INSTANCE,         /* struct instance: its outcome is final, or OUTCOME_PENDING / OUTCOME_IN_DOUBT at a stop */
    MAIL_INSTANCE_REFUSED, /* struct instance: the peer had no room for it: what to do is for the session to say, and
                              the worker begins no store before it has */
    MAIL_INSTANCE_LOST,    /* struct instance: associations end again and again when it is sent: it is to be sent once
                              more when nothing else is */
    MAIL_INSTANCE_BACK,    /* struct instance: not sent, to be planned again */
    MAIL_WORK_DONE,        /* struct work, empty: the worker wants the next */
    MAIL_LOG,              /* struct worker_log */
    MAIL_OPENED,           /* struct worker_notice: an association was opened */
    MAIL_ENDED,            /* struct worker_notice: an association that was asked for ended; figures are set. If no
                              store could begin on it, the work comes back now and the worker backs off until
                              MAIL_READY */
    MAIL_READY,            /* struct worker_notice: the backoff after a failure to open is over: work is welcome */
    MAIL_BUSY,             /* struct worker_notice: the peer says that it is out of resources; not again before it has
                              said otherwise */
    MAIL_REFUSED,          /* struct worker_notice: the peer says again and again that we are not authorised: the worker
                              sends nothing more and waits for MAIL_STOP */
    MAIL_STOPPED /* struct worker_notice: the last mail: time_us is set, nothing is left, MAIL_EXIT is awaited */
};

/* What is known of the peer from now on. */
struct worker_lesson {
    struct mail mail;
    uint64_t store_max;                     /* it ends associations after so many stores; 0 = nothing new */
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
    bool backs_off;            /* MAIL_ENDED: see there */
    bool lost;                 /* MAIL_ENDED: under a store, and it had answered none: see losses.h */
    bool aside;                /* MAIL_ENDED: if `lost`, as losses_count */
    unsigned failures;         /* MAIL_ENDED: associations of this worker in a row on which no store could begin */
    uint64_t failing_since_us; /* MAIL_ENDED: monotonic; when the first of these was asked for */
    struct association_figures figures;
    uint64_t time_us[TIME_KINDS]; /* MAIL_STOPPED: what its time went into, since the idle clock began */
};

/* What all workers share, constant while any of them runs. */
struct worker_options {
    const struct channel_peer *peer; /* whom to store to */
    struct session_limit association_limit;
    unsigned retry;   /* attempts after the first */
    unsigned threads; /* workers there are: associations are numbered number, number + threads, ... */
    struct source_options sources;
    enum dicomnet_log_level log_level;
    struct mailbox *home;          /* where its mail goes */
    struct idle_clock *idle_clock; /* why a worker has no work; NULL = nobody says */
};

/* Start worker `number` (from 1) on a thread of its own. `options` is borrowed until it is joined. */
int worker_start(struct worker **ret_worker, int number, const struct worker_options *options) DICOMNET_MUST_CHECK;

/* Post to it, from the main thread. */
void worker_post(struct worker *worker, struct mail *mail);

/* After its MAIL_STOPPED: end the thread, wait for it and free it. Nothing is posted to it any more. */
void worker_join(struct worker *worker);

#endif
