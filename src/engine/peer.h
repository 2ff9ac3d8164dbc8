/*
 * peer - what a session knows of its peer, seen over all workers: whether it is there, whether it can store anything
 * at all, how many stores it bears on one association, which classes it cannot store, and when to give it up.
 *
 * Pure logic: facts go in, a verdict comes out, and nobody is called. Whether it has room for more stores is the
 * matter of the gate, and how many associations it bears that of the crew. The time comes from outside, in
 * microseconds of a clock that does not go back, as workers measure it.
 *
 *   what happens                                  what follows
 *   an association opens                          it is there; workers that back off since it was not try at once
 *   none can be opened                            trouble: given up after a time, or after as many tries as allowed
 *   rejected for good, or the host is unknown     given up at once
 *   it speaks no DICOM, or TLS does not suit it   given up at once, unless it did before in this session
 *   rejected for the time being                   it is there, and takes no more associations now
 *   associations end under their first store      the instances' matter (losses.h), unless it has stored nothing long
 *   two in turn end after as many stores          a lesson for all workers: release before that
 *   status 0122                                   a lesson: instances of this class need not be sent
 *   status 0124, several in a row                 given up
 */
#ifndef ENGINE_PEER_H
#define ENGINE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/association.h"
#include "engine/figures.h"
#include "engine/lessons.h"
#include "engine/losses.h"
#include "services/peer_text.h"

struct context_pair;
struct outcome;

enum { PEER_GIVE_UP_MS = 600 * 1000 }; /* how long a peer that was there once is waited for, unless told otherwise */

struct peer_options {
    const struct dicomnet_association_parameters *association; /* whom we ask, and as whom: for its texts; borrowed */
    const struct peer_words *words;                            /* for these too; may be NULL; borrowed */
    unsigned retry;                                            /* further attempts to reach it */
    uint64_t give_up_ms; /* how long trouble is borne; 0 = PEER_GIVE_UP_MS, and as many attempts as `retry` says if it
                            was never there */
};

struct peer {
    struct peer_options options;
    struct lessons lessons; /* what every worker is to know of it, those that start later too */
    struct losses losses;
    bool was_there;                /* it has agreed to an association once, or was too busy to */
    bool has_opened;               /* it has agreed to one in this session */
    uint64_t trouble_since_us;     /* monotonic; since when it cannot be reached, or has no room; 0 = it is not so */
    char trouble[PEER_TEXT_SIZE];  /* and what is the matter */
    uint64_t last_answer_us;       /* monotonic; when it last answered a store */
    unsigned unauthorised;         /* answers 0124 in a row, to any worker */
    bool uid_missing;              /* it leaves SOP Instance UIDs out of its responses, */
    bool context_other;            /* and answers on other presentation contexts: both were noted */
    char why[PEER_TEXT_SIZE + 64]; /* of the last verdict to give up */
    struct peer_worker {
        uint64_t died_after; /* stores that its last association had answered when the peer ended it, 0 = it did not */
        bool saw_absence;    /* somebody could not open an association while its own was open */
    } workers[SESSION_THREADS_MAX];
};

/* What follows from a fact. All zero: nothing. */
struct peer_verdict {
    const char
        *give_up;     /* why the session is to be stopped, for people; valid until the next verdict. NULL = it is not */
    bool wake;        /* workers that back off since they could not open an association are to try now */
    bool turned_away; /* it takes no more associations for the time being */
    uint64_t store_max;                     /* a new lesson: see lessons.h; 0 = none */
    const struct context_pair *unsupported; /* another; NULL = none */
    bool uid_missing, context_other;        /* noted for the first time */
};

void peer_init(struct peer *peer, const struct peer_options *options);

/*
 * An instance that a worker had has its final outcome. `pair`: that of its class and syntax, which outlives the peer;
 * it is needed only if its status is 0122, else it may be NULL.
 */
struct peer_verdict peer_learn_outcome(struct peer *peer, const struct outcome *outcome,
                                       const struct context_pair *pair);

/* The peer answered a store at this time. */
void peer_note_answer(struct peer *peer, uint64_t answered_us);

/* An association of worker number `worker` (from 1) has opened. `open`: the gate is. */
struct peer_verdict peer_learn_opened(struct peer *peer, int worker, bool open);

/* An association that was asked for has ended, and how. */
struct peer_ending {
    int worker; /* from 1 */
    const struct dicomnet_association_end *end;
    bool opened;               /* it had been opened, */
    bool had_work;             /* and the worker had work for it */
    uint64_t answered;         /* stores, whatever the answer was */
    bool lost;                 /* it ended under a store, and had answered none */
    bool aside;                /* if `lost`: as losses_count */
    bool backs_off;            /* no store could begin on it: the worker waits before its next try */
    unsigned failures;         /* such associations of this worker in a row, this one too */
    uint64_t failing_since_us; /* when the first of these was asked for */
    bool others_open;          /* other workers have an association open, */
    bool others_ask;           /* or any has asked for one, and waits for the answer */
};
struct peer_verdict peer_learn_ended(struct peer *peer, const struct peer_ending *ending, uint64_t now_us);

/* A worker holds back, as it was told several times in a row that this sender may not store: to be given up. */
struct peer_verdict peer_learn_unauthorised(struct peer *peer);

/* It has had no room since then; and it has room again. */
void peer_note_no_room(struct peer *peer, uint64_t since_us);
void peer_note_room(struct peer *peer);

/* A few times a second while instances are to be sent: give it up if trouble has been borne for long enough. */
struct peer_verdict peer_look(struct peer *peer, uint64_t now_us);

/* True if the peer turned this association away for the time being (A-ASSOCIATE-RJ, result 2; PS3.8 9.3.4). */
bool peer_end_is_for_now(const struct dicomnet_association_end *end);

#endif
