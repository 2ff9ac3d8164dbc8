/*
 * session - one run: what is found on disk goes through the plan to the workers, and every outcome to the observer.
 *
 * It lives on a loop that is handed in, beside whatever else is there, other sessions too: the progress timer, the
 * scan, the mail of the workers, the plan. It never blocks on the network, listens to no signals, and prints nothing:
 * the observer is told what happens.
 */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "dicomnet/association.h"
#include "engine/figures.h"
#include "engine/intake.h"
#include "files/discover.h"
#include "files/scan.h"
#include "instance/event.h"
#include "instance/fallback.h"
#include "instance/outcome.h"

struct channel_peer;
struct instance;
struct planned_study;
struct peer_words;
struct probed_pair;
struct record;
struct session;
struct synthetic_spec;
struct uv_loop_s;

enum {
    SESSION_FOUND_MAX = 16 * 1024 /* the default of session_options.found_max */
};

struct session_options {
    /* Of the peer. All pointers here, and in this, are borrowed until the session has ended. */
    struct dicomnet_association_parameters association;
    const struct channel_peer *peer;     /* whom the workers store to, in whatever protocol (channel.h); NULL = the
                                            storage SCP at `association`. `verify` and texts go by `association` */
    const struct peer_words *peer_words; /* for texts of how an association ended; NULL = they name no option */
    unsigned threads;                    /* workers: 1 to SESSION_THREADS_MAX */
    bool threads_auto;                   /* begin with one and find out how many are worth it, at most `threads` */
    uint16_t priority;                   /* enum dicomnet_dimse_priority */
    struct fallback_policy transcode;    /* in which syntaxes an instance may go out */
    bool verify;                         /* C-ECHO before anything is sent; it must succeed */
    unsigned retry;                      /* further attempts for what is worth another try; also for connecting */
    uint64_t give_up_ms; /* stop once the peer could not be reached, or had no room, for so long; 0 = after as many
                            attempts as `retry` says if it has never answered, else 600 s (engine/peer.h) */
    struct session_limit association_limit;
    enum intake_conflict on_conflict;
    bool strict;        /* warnings and skipped files fail the run */
    uint64_t found_max; /* the scan pauses while this many are found and have not ended; 0 = SESSION_FOUND_MAX. Not for
                           scan_first and dry_run */
    unsigned scan_threads; /* files looked into at a time; 0 = as many as are worth it (scan_width.h) */
    bool scan_first;       /* send nothing before everything was looked at: exact totals from the start, and the
                              largest study of all first; memory grows with the number of files */
    const struct synthetic_spec *synthetic; /* NULL = files; else these instances are made and sent, and the inputs of
                                    `discover` are not looked at */
    uint64_t repeat;      /* synthetic: how many times they are made, with fresh UIDs; 0 = once, or until the time is
                             up if there is a duration */
    uint64_t duration_ms; /* synthetic: stop after this time; 0 = no limit */
    bool propose_all;     /* also propose the commonest storage classes, for peers that judge by it */
    bool probe;           /* a dry run (`dry_run` is set too) that does connect: to ask the peer what it would take.
                             observer.pair_probed is called then, and not study_planned */
    bool dry_run;         /* scan and plan, connect to nobody; `record` is asked and not told */
    const struct record *record; /* what outlives the session; NULL = nothing. Not for synthetic */
    struct discover_options discover;
    struct scan_options scan;
    enum dicomnet_log_level log_level; /* records above it are not made */
};

/* Counts of instances by outcome. files = the sum of all the others. */
struct session_totals {
    uint64_t files;
    uint64_t by_state[OUTCOME_STATE_COUNT]; /* by enum outcome_state */
    uint64_t earlier[OUTCOME_STATE_COUNT];  /* those of them that ended so in an earlier session */
    uint64_t bytes_stored;                  /* data set bytes of those stored or warned in this session */
    uint64_t bytes_found;                   /* data set bytes of all that could be sent */
    uint64_t studies;                       /* with something to send in this session */
};

/* What the peer acknowledged in this session. */
static inline uint64_t session_acknowledged(const struct session_totals *totals)
{
    return totals->by_state[OUTCOME_STORED] + totals->by_state[OUTCOME_WARNED] - totals->earlier[OUTCOME_STORED] -
           totals->earlier[OUTCOME_WARNED];
}

/* What keeps it from storing right now. */
enum session_holdup {
    HOLDUP_NONE,
    HOLDUP_PAUSED,     /* the peer has no room: nothing is sent, or one store to see whether it has some by now */
    HOLDUP_CONNECTING, /* nobody has an association: it is asked for, or will be */
    HOLDUP_STOPPING    /* no further store begins; those under way are finished */
};

/* How far the session is; handed to observer.progress about twice a second and at the end. */
struct session_progress {
    struct session_totals totals; /* by_state[OUTCOME_PENDING] counts what is found and has not ended */
    bool scan_ended;              /* until then the totals still grow */
    uint64_t elapsed_us;          /* since the session began */
    uint64_t transfer_us;         /* since the first association was asked for; 0 = not yet */
    unsigned workers_open;        /* workers with an open association */
    enum session_holdup holdup;
    unsigned tries;       /* of a holdup: number of the try that is coming or under way, from 1; of pauses: so far */
    uint64_t next_try_us; /* until that try; 0 = it is under way */
};

enum { SESSION_STOP_TEXT_SIZE = 720 };

/* How the session ended. */
enum session_verdict {
    SESSION_COMPLETE,    /* every instance that could be sent has ended */
    SESSION_INTERRUPTED, /* by session_stop: `stop_text` says why */
    SESSION_STOPPED      /* the peer or the record cannot be used: `stop_text` says why; the rest is pending */
};
struct session_result {
    enum session_verdict verdict;
    bool strict; /* as it was asked for */
    char stop_text[SESSION_STOP_TEXT_SIZE];
    struct session_totals totals;
    uint64_t begun_us, ended_us; /* wall clock: for people; what lies between is duration_us */
    uint64_t duration_us;        /* of the session */
    uint64_t scan_us;            /* duration of the scan */
    uint64_t slow_open_us;       /* what opening a file took the scan on average, if that was long; else 0 */
    struct scan_figures scan;    /* how wide it was, and what it waited for */
    uint64_t transfer_us;        /* first association asked for to last store ended */
    struct histogram response;   /* read_us + write_us + wait_us of answered stores */
    struct histogram connect, negotiate, read, write, wait;
    uint64_t time_us[TIME_KINDS]; /* what the time of all workers went into */
    uint64_t worker_us;           /* the sum of it */
    unsigned worker_count;
    struct worker_figures workers[SESSION_THREADS_MAX]; /* worker 1 is the first */
    uint64_t peak_workers;
    unsigned threads_chosen; /* with threads_auto: the number arrived at; else 0 */
    bool threads_settled;    /* with threads_auto: more were tried and were no better, or were not allowed; false if it
                                ended too soon or there was too little work to try */
};

/*
 * The exit code of a result: 0 all stored, 1 nothing sent or all failed, 2 some failed, 130 interrupted. What an
 * earlier session stored is stored. If it is strict, what was stored with a warning or skipped counts as failed.
 */
int session_exit_code(const struct session_result *result);

/* What the session tells, all on the calling thread. Any may be NULL. Pointers are valid for the call. */
struct session_observer {
    void *user;
    void (*log)(void *user, const struct event_record *record);
    /* An instance or path has its final outcome: exactly once for each. */
    void (*instance_ended)(void *user, const struct instance *instance, const struct session_progress *progress);
    void (*association_ended)(void *user, const struct association_figures *figures);
    void (*study_planned)(void *user, const struct planned_study *study);
    void (*pair_probed)(void *user, const struct probed_pair *pair);
    void (*progress)(void *user, const struct session_progress *progress);
};

/*
 * Begin a session on this loop. Everything is borrowed until `ended`, which is called once, from the loop, when all is
 * over and *ret_result is whole: whatever became of it, the session's memory is gone then. Or a negative error, if it
 * could not run at all (no memory, no threads, files_from unreadable): then `ended` is not called, and what was
 * borrowed is free once the loop has closed the handles that were begun with.
 *
 * Callbacks of the observer may come from within.
 */
int session_start(struct session **ret_session, struct uv_loop_s *loop, const struct session_options *options,
                  const struct session_observer *observer, struct session_result *ret_result, void (*ended)(void *user),
                  void *user) DICOMNET_MUST_CHECK;

/*
 * Stop: no further store begins, those under way are finished, and what is left stays pending. `why` is the result's
 * stop_text, if it was not stopping already. `hint` is said with how long that may take: how it can be made shorter;
 * may be NULL. Not from within a callback of the observer.
 */
void session_stop(struct session *session, const char *why, const char *hint);

/* The same at once: associations are aborted, and stores under way are in doubt. It may follow session_stop. */
void session_stop_now(struct session *session, const char *why);

#endif
