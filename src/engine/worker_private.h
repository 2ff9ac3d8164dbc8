/*
 * worker_private - the inside of a worker, shared by the files it is written in:
 *   worker.c        the thread and its states
 *   worker_state.c  the change of state, and where its time goes
 *   worker_mail.c   what it sends home
 *   worker_store.c  one instance: file opened, stored, and its result judged
 */
#ifndef ENGINE_WORKER_PRIVATE_H
#define ENGINE_WORKER_PRIVATE_H

#include "dicomnet/storage.h"
#include "engine/losses.h"
#include "engine/plan.h"
#include "engine/worker.h"
#include "instance/instance.h"

enum worker_state {
    WORKER_IDLE,      /* no work; an association may be open, for the next study */
    WORKER_OPENING,   /* an association was asked for */
    WORKER_SENDING,   /* there is work, and an association is open */
    WORKER_RELEASING, /* the association does not suit; the next is opened when it has ended */
    WORKER_BACKOFF,   /* waiting before the next try; an association may be open */
    WORKER_STOPPED    /* nothing is left to do but to end */
};

/* One store under way. */
struct slot {
    struct dicomnet_store store;
    struct source source;
    struct instance *instance; /* owned; NULL = free */
};

struct worker {
    int number;
    const struct worker_options *options;
    uv_thread_t thread;
    uv_loop_t loop;
    struct mailbox inbox;
    struct mail exit_mail;
    struct dicomnet_logger logger; /* for the association: its records travel home */

    enum worker_state state; /* set it with worker_enter */
    struct worker_time time;
    bool stopping;
    bool ready_owed;  /* the session waits for MAIL_READY */
    bool held;        /* MAIL_REFUSED was posted: nothing more is sent */
    bool awaits_word; /* MAIL_INSTANCE_REFUSED was posted: nothing is sent before MAIL_GO_ON or MAIL_GIVE_BACK */
    bool resting;     /* told to, and given no work since */
    bool new_association_wanted;
    bool isolated;         /* the association has, or had, an instance that may be its peer's undoing: no other goes */
    uint64_t store_max;    /* the peer ends associations after so many; 0 = not known to */
    unsigned unauthorised; /* answers 0124 in a row */
    bool peer_is_busy;     /* it said so in its last answer */
    size_t unsupported_count; /* pairs whose class the peer answered 0122 for, to any worker */
    const struct context_pair *unsupported[DICOMNET_PDU_CONTEXTS_MAX];
    uv_timer_t timer; /* backoff */
    uint32_t random;

    struct list outbox; /* outcomes and other mail, to be posted together */
    unsigned outbox_count;
    uv_timer_t outbox_timer;

    struct list queue;      /* works that wait */
    struct work *work;      /* the one being done */
    struct list again;      /* its instances that are to be sent again, after a backoff */
    unsigned again_attempt; /* the highest attempt among them */

    struct dicomnet_storage_user *user; /* the association, if there is one */
    bool opened;
    uint64_t association_number;
    unsigned failures;         /* associations in a row on which no store could begin */
    unsigned fruitless;        /* those of them that were opened */
    unsigned losses;           /* associations in a row that ended under a store and had answered none */
    uint64_t failing_since_us; /* monotonic; when the first of these was asked for */
    uint64_t stores_begun;     /* on this association, */
    uint64_t bytes_begun;      /* with so many bytes of data sets */
    uint64_t opened_ms;        /* of the loop's clock */
    struct association_figures figures;
    size_t proposed_count; /* pairs proposed on it */
    const struct context_pair *proposed[DICOMNET_PDU_CONTEXTS_MAX];
    const struct dicomnet_association_context
        *last_context; /* of the last store: the next one's is most likely the same */

    struct slot *prepared;     /* the next store, ready to go as soon as it may; NULL = none */
    unsigned slots_used;       /* stores in flight */
    uint64_t storing_since_us; /* monotonic; if slots are used */
    struct slot slots[DICOMNET_STORAGE_WINDOW_MAX];
};

/* ---- worker_state.c ---- */

/* The one place where the state changes: its time goes into something else from now on. */
void worker_enter(struct worker *worker, enum worker_state state);

/* What its time goes into, with no store under way. */
enum time_kind worker_time_kind(const struct worker *worker);

/* The association opened, or ended before: of the time since it was asked for, so much was not connecting. */
void worker_claim_negotiation(struct worker *worker);

/* ---- worker_mail.c ---- */

/* Send an instance home, with others that end about the same time. */
void worker_post_outcome(struct worker *worker, struct instance *instance);

/* Send mail that something depends on: it goes at once, behind the outcomes that wait. */
void worker_post_home(struct worker *worker, struct mail *mail);
void worker_post_notice(struct worker *worker, enum session_mail kind, const struct worker_notice *notice);

/* For the logger of its association. */
void worker_write_log(void *user, const struct dicomnet_log_record *record);

/* The current work is done: nothing of it is left. */
void worker_finish_work(struct worker *worker);

/* What has not begun of the current work goes back to be planned again. */
void worker_give_instances_back(struct worker *worker);

/* The same, and nothing of it is in flight: it is done. No work: nothing happens. */
void worker_give_work_back(struct worker *worker);

/* ---- worker_store.c ---- */

/* What became of an attempt to prepare the store of an instance. */
enum store_begin {
    STORE_PREPARED,      /* it is worker->prepared */
    STORE_ENDED,         /* it cannot be sent: its outcome has gone home */
    STORE_NEEDS_ANOTHER, /* it wants another association, with its context, say: not touched */
    STORE_NOT_NOW        /* the association is ending: not touched */
};

/* Open the file of an instance of the current work and frame the beginning of its store; it belongs to the slot then.
 */
enum store_begin worker_prepare_store(struct worker *worker, struct instance *instance);

/* Begin the store that was prepared. False if the association does not take it now: it is still prepared. */
bool worker_begin_store(struct worker *worker);

/* What was prepared goes back into the work, as the first. */
void worker_unprepare_store(struct worker *worker);

/* The peer cannot store this class. */
void worker_learn_unsupported(struct worker *worker, const struct context_pair *pair);

/* The store of a slot has ended: judge it, and send it home or to worker->again. */
void worker_end_store(struct worker *worker, struct dicomnet_store *store);

/* Send an instance home with this outcome. */
void worker_end_instance(struct worker *worker, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error);

#endif
