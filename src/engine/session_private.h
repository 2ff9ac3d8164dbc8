/*
 * session_private - the inside of a session, shared by the files it is written in. All on the main thread.
 *   session.c           the run: phases, beginning and end, progress
 *   session_outcomes.c  what becomes of instances
 *   session_log.c       records of the log about instances
 *   session_intake.c    what its intake (intake.h) tells
 *   session_dry_run.c   what it says of what it found, if it stores nothing
 *   session_mail.c      what its workers send home, and what the crew, the gate and the peer make of it
 * It alone holds all of these, and none of them knows it.
 */
#ifndef ENGINE_SESSION_PRIVATE_H
#define ENGINE_SESSION_PRIVATE_H

#include <uv.h>

#include "engine/channel_dimse.h"
#include "engine/claims.h"
#include "engine/crew.h"
#include "engine/deferred.h"
#include "engine/gate.h"
#include "engine/intake.h"
#include "engine/keeping.h"
#include "engine/peer.h"
#include "engine/plan.h"
#include "engine/probe.h"
#include "engine/session.h"
#include "engine/verify.h"
#include "engine/worker.h"
#include "files/synthetic.h"
#include "instance/event.h"

/* See the diagram in session.c. */
enum session_phase {
    PHASE_LOOKING,   /* nothing is sent yet: too little was found, or all is to be found first */
    PHASE_VERIFYING, /* something is to be sent, and a C-ECHO that has to succeed before is under way */
    PHASE_PROBING,   /* a dry run: the peer is asked what it would take of what was found */
    PHASE_SENDING,   /* workers store; the scan may still go on */
    PHASE_STOPPING,  /* no further store begins, the workers end, and what is left stays pending */
    PHASE_OVER       /* every instance has ended; the handles are being closed */
};

struct session {
    const struct session_options *options;
    const struct session_observer *observer;
    struct session_result *result;
    uv_loop_t *loop;
    void (*ended)(void *user); /* NULL = nobody is told */
    void *ended_user;
    unsigned handles_open;
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
    struct scan_options scan;        /* as asked for, and */
    struct readers *readers;         /* what reads files before their turn; NULL = nothing does */
    struct held_files *held;         /* what the scan keeps of files for the workers; NULL = nothing */
    struct synthetic_spec synthetic; /* what instances are made from, if options->synthetic */
    struct verify verify;
    struct probe probe;
    struct plan plan;
    bool time_is_up; /* of a session with a duration: what is left is forgotten */

    struct channel_dimse_peer scp;           /* the storage SCP, unless options->peer is another */
    const struct channel_peer *channel_peer; /* whom the workers store to */
    struct claims claims;
    struct crew crew;
    struct peer peer;
    struct gate gate;
    struct deferred deferred;

    struct idle_clock idle_clock; /* why workers without work have none */
};

/* The one place where the phase changes. */
void session_enter(struct session *session, enum session_phase phase);

/* Something was found, or the scan or a comparison ended: go on with what can be done now. */
void session_go_on(struct session *session);

/* Stop: no further store begins, the workers end, what is left stays pending. */
void session_stop_for(struct session *session, enum session_verdict verdict, const char *text);

/* Log at the session's level with the main thread's stamp. */
#define SESSION_LOG(session, level, event, ...) LOG(&(session)->logger, level, event, __VA_ARGS__)

/* ---- session_outcomes.c ---- */

/* A record that says where in the session it comes from, to the observer; with a time, if it has none. */
void session_log_record(struct session *session, const struct event_record *record);

/* For the session's logger: a record of the session itself. */
void session_write_log(void *user, const struct dicomnet_log_record *record);

/* The instance's outcome is final: count it, keep it, tell the observer, free it. */
void session_end_instance(struct session *session, struct instance *instance);

/* An instance that was handed out and not sent: it is planned again. */
void session_take_back(struct session *session, struct instance *instance);

/* An instance that was not sent, and will not be: it ends as pending, or in doubt if it is. */
void session_end_unsent(struct session *session, struct instance *instance);

/* The record (record.h) cannot be used any more, so a store that ends from here on is not certain to be recorded: no
 * further one begins. `problem` says why. */
void session_note_record_problem(struct session *session, const char *problem);

/* ---- session_log.c ---- */

/* An instance has its outcome: stored at info, failed at error, a stored one with a flaw at warn. */
void session_log_outcome(struct session *session, const struct instance *instance);

/* The peer had no room for it, and it is sent again. */
void session_log_again(struct session *session, const struct instance *instance);

/* ---- session_dry_run.c ---- */

/* Ask the peer what it would take of what was found. */
void session_begin_probing(struct session *session);

/* A dry run: tell the observer what would be sent, unless it was stopped, and end every instance as pending. */
void session_show_plan(struct session *session);

/* ---- session_mail.c ---- */

/* For the session's claims. */
extern const struct claims_handler session_claims_handler;

/* For the session's mailbox. */
void session_deliver(void *user, struct mail *mail);

/* A few times a second: what waited for its time goes on; the session is given up if nothing helps. */
void session_look_after_peer(struct session *session);

/* ---- session_intake.c ---- */

/* What keeps files open and reads them before their turn. The crew is there, and starts nobody yet. */
void session_make_ready_to_read(struct session *session);

/* Begin the scan, or the making of instances. 0 or an error. */
int session_start_scan(struct session *session);

/* The time of a session with a duration is up: make and send nothing more. */
void session_end_of_time(struct session *session);

/* True while paths are looked at, instances made or duplicates compared. */
bool session_is_scanning(const struct session *session);

#endif
