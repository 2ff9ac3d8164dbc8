/*
 * worker_private - the inside of a worker, shared by the two files it is written in:
 *   worker.c        the thread, its mail, its states
 *   worker_store.c  one instance: file opened, stored, and its result judged
 */
#ifndef ENGINE_WORKER_PRIVATE_H
#define ENGINE_WORKER_PRIVATE_H

#include "catalog/file_source.h"
#include "catalog/instance.h"
#include "catalog/synthetic.h"
#include "dicomnet/storage.h"
#include "engine/plan.h"
#include "engine/worker.h"

enum worker_state {
    WORKER_IDLE,      /* no work; an association may be open, for the next study */
    WORKER_OPENING,   /* an association was asked for */
    WORKER_SENDING,   /* there is work, and an association is open */
    WORKER_RELEASING, /* the association does not suit; the next is opened when it has ended */
    WORKER_BACKOFF,   /* waiting before the next try; an association may be open */
    WORKER_STOPPED    /* nothing is left to do but to end */
};

enum { UNAUTHORISED_MAX = 3 };

/* One store under way. */
struct slot {
    struct store store;
    union {
        struct file_source file;
        struct synthetic_instance synthetic;
    } source;
    struct instance *instance; /* owned; NULL = free */
};

struct worker {
    int number;
    const struct worker_options *options;
    uv_thread_t thread;
    uv_loop_t loop;
    struct mailbox inbox;
    struct mail exit_mail;
    struct logger logger; /* for the association: its records travel home */

    enum worker_state state;
    bool stopping;
    bool ready_owed; /* the session waits for MAIL_READY */
    bool held;       /* MAIL_REFUSED was posted: nothing more is sent */
    bool new_association_wanted;
    unsigned unauthorised;    /* answers 0124 in a row */
    bool peer_is_busy;        /* it said so in its last answer */
    size_t unsupported_count; /* pairs whose class the peer answered 0122 for, on any association */
    const struct context_pair *unsupported[PDU_CONTEXTS_MAX];
    uv_timer_t timer; /* backoff */
    uint32_t random;

    struct list outbox; /* outcomes and other mail, to be posted together */
    unsigned outbox_count;
    uv_timer_t outbox_timer;

    struct list queue;      /* works that wait */
    struct work *work;      /* the one being done */
    struct list again;      /* its instances that are to be sent again, after a backoff */
    unsigned again_attempt; /* the highest attempt among them */

    struct storage_user *user; /* the association, if there is one */
    bool opened;
    uint64_t association_number;
    unsigned failures;         /* fruitless associations in a row */
    uint64_t failing_since_us; /* monotonic; when the first of these was asked for */
    uint64_t stores_begun;     /* on this association */
    struct association_figures figures;
    size_t proposed_count; /* pairs proposed on it */
    const struct context_pair *proposed[PDU_CONTEXTS_MAX];
    const struct association_context *last_context; /* of the last store: the next one's is most likely the same */

    struct slot *prepared; /* the next store, ready to go as soon as it may; NULL = none */
    unsigned slots_used;   /* stores in flight */
    uint64_t storing_since_us; /* monotonic; if slots are used */
    struct slot slots[STORAGE_WINDOW_MAX];
};

/* Send an instance home, with others that end about the same time. */
void worker_post_outcome(struct worker *worker, struct instance *instance);

/* What became of an attempt to prepare the store of an instance. */
enum store_begin {
    STORE_PREPARED,     /* it is worker->prepared */
    STORE_ENDED,        /* it cannot be sent: its outcome has gone home */
    STORE_NOT_PROPOSED, /* the association does not propose its context: not touched */
    STORE_NOT_NOW       /* the association is ending: not touched */
};

/* Open the file of an instance of the current work and frame the beginning of its store; it belongs to the slot then.
 */
enum store_begin worker_prepare_store(struct worker *worker, struct instance *instance);

/* Begin the store that was prepared. False if the association does not take it now: it is still prepared. */
bool worker_begin_store(struct worker *worker);

/* What was prepared goes back into the work, as the first. */
void worker_unprepare_store(struct worker *worker);

/* The store of a slot has ended: judge it, and send it home or to worker->again. */
void worker_end_store(struct worker *worker, struct store *store);

/* Send an instance home with this outcome. */
void worker_end_instance(struct worker *worker, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error);

#endif
