/*
 * session_private - the inside of a session, shared by the files it is written in. All on the main thread.
 *   session.c          the run: start, mail from the workers, interruption, the end
 *   session_crew.c     the workers: started, given work, told to stop
 *   session_peer.c     what the peer lets us do: pauses, fewer associations, lessons, giving up
 *   holdup.c           what keeps it from storing, for those who watch
 *   session_intake.c   what its intake (intake.h) tells
 */
#ifndef ENGINE_SESSION_PRIVATE_H
#define ENGINE_SESSION_PRIVATE_H

#include <uv.h>

#include "engine/breaker.h"
#include "engine/channel_dimse.h"
#include "engine/intake.h"
#include "engine/interrupt.h"
#include "engine/keeping.h"
#include "engine/losses.h"
#include "engine/pace.h"
#include "engine/plan.h"
#include "engine/session.h"
#include "engine/worker.h"
#include "files/synthetic.h"
#include "instance/event.h"
#include "serve/loopback.h"
#include "services/peer_text.h"

/* The session's view of a worker. */
struct crew {
    struct worker *worker; /* NULL = not started, or joined */
    struct work *work;     /* it has; NULL = idle */
    bool open;             /* its association is open */
    bool backs_off;        /* it cannot open one; no work until MAIL_READY */
    bool turned_away;      /* it backs off because the peer rejected it for the time being */
    uint64_t died_after;   /* stores that its last association had answered when the peer ended it, 0 = it did not */
    bool saw_absence;      /* somebody could not open an association while its own was open */
    bool resting;          /* it was told to release its association, and was given no work since */
    bool releasing;        /* the same, as there is nothing for it now */
    uint64_t idle_us;      /* monotonic; since when it has no work */
    bool stopping;         /* it was told to stop */
    unsigned failures;     /* fruitless associations in a row */
    uint64_t retry_us;     /* monotonic; when it tries again, or did */
};

/* See the diagram in session.c. */
enum session_phase {
    PHASE_LOOKING,   /* nothing is sent yet: nothing to send was found, or all is to be found first */
    PHASE_VERIFYING, /* something is to be sent, and a C-ECHO that has to succeed before is under way */
    PHASE_SENDING,   /* workers store; the scan may still go on */
    PHASE_STOPPING,  /* no further store begins, the workers end, and what is left stays pending */
    PHASE_OVER       /* every instance has ended; the handles are being closed */
};

struct session {
    const struct session_options *options;
    const struct session_observer *observer;
    struct session_result *result;
    uv_loop_t loop;
    struct interrupt interrupt;
    uv_timer_t timer; /* progress */
    uv_check_t turn;  /* after each turn of the loop in which something came */
    struct keeping keeping;
    bool record_failed;
    bool closed; /* the handles are, or are about to be */
    struct mailbox inbox;
    bool inbox_open;
    struct dicomnet_logger logger;
    enum session_phase phase; /* set it with session_enter */
    struct session_progress progress;
    uint64_t begun_us;          /* monotonic */
    uint64_t transfer_begun_us; /* monotonic; 0 = not yet */

    struct intake *intake;           /* NULL = not begun */
    struct synthetic_spec synthetic; /* what instances are made from, if options->synthetic */
    struct dicomnet_verification *verification;
    bool verifying; /* a C-ECHO has not come back */
    struct plan plan;
    bool time_is_up; /* of a session with a duration: what is left is forgotten */

    struct loopback *loopback;
    struct channel_dimse_peer scp; /* whom the workers store to */
    struct worker_options worker_options;
    struct pace pace;      /* with threads_auto */
    unsigned crew_count;   /* workers started */
    unsigned crew_max;     /* to be started, as work turns up */
    unsigned crew_allowed; /* of them so many may have work or an association at a time: 1 to crew_max. Set it with
                              session_allow_workers */
    unsigned crew_left;    /* of them not joined */
    struct breaker breaker;
    struct losses losses;
    struct list refused;       /* instances that the peer had no room for, until they may be sent again */
    struct list suspects;      /* instances set aside (losses.h): sent one by one when nothing else is to be sent, */
    uint64_t suspects_from_ms; /* monotonic; and not before */
    uint64_t paused_us;        /* monotonic; since when all workers pause */
    bool peer_was_there;       /* it has agreed to an association once, or was too busy to */
    uint64_t trouble_since_us; /* monotonic; since when it cannot be reached, or has no room; 0 = it is not so */
    char trouble[200];         /* and what is the matter */
    unsigned unauthorised;     /* answers 0124 in a row, to any worker */
    bool uid_missing_said;     /* that the peer leaves SOP Instance UIDs out, */
    bool context_other_said;   /* and that it answers on other presentation contexts */
    uint64_t store_max;        /* the peer ends associations after so many stores; 0 = not known to */
    size_t unsupported_count;  /* classes that the peer answered 0122 for */
    const struct context_pair *unsupported[DICOMNET_PDU_CONTEXTS_MAX];

    struct idle_clock idle_clock; /* why workers without work have none */
    unsigned signals;             /* SIGINT, SIGTERM or SIGHUP that have come */
    uint64_t last_answer_us;      /* monotonic; when the peer last answered a store */
    struct crew crew[SESSION_THREADS_MAX];
};

/* The one place where the phase changes. */
void session_enter(struct session *session, enum session_phase phase);

/* The instance's outcome is final: count it, tell the observer, free it. */
void session_end_instance(struct session *session, struct instance *instance);

/* An instance that was handed out and not sent: it is planned again. */
void session_take_back(struct session *session, struct instance *instance);

/* Something was found, or the scan or a comparison ended: go on with what can be done now. */
void session_go_on(struct session *session);

/* Log at the session's level with the main thread's stamp. */
#define SESSION_LOG(session, level, event, ...) LOG(&(session)->logger, level, event, __VA_ARGS__)

/* A record that says where in the session it comes from, to the observer. */
void session_log_record(struct session *session, const struct event_record *record);

/* Stop: no further store begins, the workers end, what is left stays pending. */
void session_stop(struct session *session, enum session_verdict verdict, const char *text);

/* The record (record.h) cannot be used any more: stop, and say why. */
void session_note_record_problem(struct session *session, const char *problem);

/* ---- session_crew.c ---- */

/* What all workers share. */
void session_set_worker_options(struct session *session);

/* Give work to every worker that can take some, and start workers while there is more. */
void session_hand_out(struct session *session);

/* So many workers may have work or an association from now on (kept within 1 and crew_max). Who is above the number
 * finishes its study, releases its association and rests. */
void session_allow_workers(struct session *session, unsigned count);

/* With threads_auto: see how it goes, and allow more or fewer. To be called a few times a second. */
void session_pace_crew(struct session *session);

/* With threads_auto: allow fewer, as the peer takes no more associations, or has no room. */
void session_back_off(struct session *session, bool rejected);

/* A work came home: the worker goes on with the same study if there is more of it. */
void session_take_work_back(struct session *session, struct work *work);

/* If all is sent and nothing more can come: let the workers go. Until then who has no work releases its association at
 * once: a silent one is a burden to peers that serve few at a time. It opens another if there is work again. */
void session_let_idle_go(struct session *session);

/* Tell every worker to stop, `now` or once what is in flight has ended. */
void session_stop_workers(struct session *session, bool now);

/* The notices of workers about themselves. */
void session_take_notice(struct session *session, enum session_mail kind, struct worker_notice *notice);

/* To a worker that has been started. */
void session_post_to_worker(struct crew *crew, enum worker_mail kind);

/* Workers with an open association. */
unsigned session_count_open(const struct session *session);

/* Why a worker without work has none. */
enum time_kind session_why_idle(const struct session *session);

/* True if any worker has work. */
bool session_anyone_works(const struct session *session);

/* ---- session_peer.c ---- */

/* For peer_describe_end. */

/* MAIL_INSTANCE_REFUSED: the peer had no room for it. */
void session_take_refused(struct session *session, struct instance *instance);

/* MAIL_INSTANCE_LOST: it is suspected of being the associations' undoing. */
void session_take_lost(struct session *session, struct instance *instance);

/* Nothing else is to be sent: plan one that is suspected, if there is one. */
void session_try_suspect(struct session *session);

/* True if nothing but these is left, and the time of the first has not come yet. */
bool session_suspects_rest(const struct session *session);

/* What the outcome of an instance that a worker had says about the peer. */
void session_learn_from_outcome(struct session *session, const struct instance *instance);

/* What the end of an association says about it; and that one has opened. */
void session_learn_from_end(struct session *session, struct crew *crew, const struct worker_notice *notice);
void session_learn_from_opening(struct session *session);

/* Tell a worker that was just started what is known. */
void session_teach(struct session *session, struct crew *crew);

/* It has said too often that this sender may not store. */
void session_stop_unauthorised(struct session *session);

/* A few times a second: what waited for its time goes on; the session is given up if nothing helps. */
void session_look_after_peer(struct session *session);

/* The end is near: what waits to be sent again will not be. */
void session_end_waiting(struct session *session);

/* ---- session_log.c ---- */

/* How it ended, to the log: stored at info, failed at error, a stored one with a flaw at warn. */
void session_log_outcome(struct session *session, const struct instance *instance);

/* ---- holdup.c ---- */

/* A worker's record says when it tries again. */
void session_note_retry(struct session *session, const struct event_record *record);

/* Fill in what session_progress says of it. */
void session_note_holdup(struct session *session);

/* ---- session_intake.c ---- */

/* Begin the scan, or the making of instances. 0 or an error. */
int session_start_scan(struct session *session);

/* The time of a session with a duration is up: make and send nothing more. */
void session_end_of_time(struct session *session);

/* True while paths are looked at, instances made or duplicates compared. */
bool session_is_scanning(const struct session *session);

/* A dry run: tell the observer what would be sent, unless it was stopped, and end every instance as pending. */
void session_show_plan(struct session *session);

#endif
