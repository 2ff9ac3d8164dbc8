/*
 * losses - what it means that an association ends while something is being stored on it: is it one file, or is it the
 * peer?
 *
 * An association that was accepted shows that the peer is there. If it is aborted, closed, silent or answers nonsense
 * under a store, that is taken for the matter of the instance that was under way, however often it happens in a row.
 * Such an instance is tried once more at once. Then it is set aside: it is sent alone, over an association of its own,
 * when nothing else is left to be sent. One that met silence is set aside at once, as each try costs a timeout.
 *
 *   under way at the end of an association
 *      first loss ------------> again, the first on the next association   (not if it was silence)
 *      second loss -----------> set aside: alone, when all else is sent
 *      lost alone, --retry + 1 losses in all -> it fails; its neighbours never pay
 *
 * The peer itself is given up when it has answered no store over LOSSES_ROW associations in a row, and for as long as
 * the user is willing to wait: a run against a peer that can store nothing ends. A peer that has answered no store in
 * the whole session is given up earlier: after LOSSES_ALONE instances that were tried alone, if those took
 * LOSSES_ALONE_MS; each instance has had its turn by then.
 *
 * Pure logic: the time comes from outside, in milliseconds of any clock that does not go back.
 */
#ifndef ENGINE_LOSSES_H
#define ENGINE_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOSSES_BEFORE_ASIDE = 2,     /* losses of an instance before it is set aside; --retry if that is less */
    LOSSES_ROW = 100,            /* lost associations in a row before the peer may be given up */
    LOSSES_ALONE = 5,            /* the same for a peer that has never answered: those with an instance alone, */
    LOSSES_ALONE_MS = 10 * 1000, /* and the time that they have to have taken */
    LOSSES_UNHURRIED_AFTER = 30, /* lost associations of a worker in a row before it waits between two */
    LOSSES_WAIT_MS = 100,        /* that wait */
    LOSSES_SETTLE_MS = 1000      /* from the last loss to the first instance that is tried alone: a peer may recover */
};

/* What becomes of an instance that was under way. */
enum loss_verdict {
    LOSS_AGAIN, /* it is the first on the next association */
    LOSS_ASIDE, /* it is sent alone, when nothing else is to be sent */
    LOSS_FINAL  /* it was tried as often as allowed */
};

/*
 * Judge an instance that was under way when an association ended, for the `lost`-th time (from 1). `silent`: no answer
 * came in time. `alone`: it was the only store of that association. `retry` further attempts are allowed after the
 * first; with none, the first loss is final. An instance that was not alone is otherwise never at the end of its
 * attempts, as another one may be the cause.
 */
enum loss_verdict losses_judge_instance(unsigned lost, bool silent, bool alone, unsigned retry);

/* What the session knows of the losses of all workers. All zero: nothing yet. */
struct losses {
    bool answered;           /* the peer has answered a store in this session */
    unsigned row;            /* associations in a row that were lost: ended under a store, with none answered */
    unsigned row_alone;      /* those of them with an instance that had been set aside */
    uint64_t since_ms;       /* when the first of `row` ended */
    uint64_t alone_since_ms; /* when the first of `row_alone` ended */
};

/* The peer has answered a store, with any status: the row ends. */
void losses_answered(struct losses *losses);

/* An association was lost. `aside`: it was for an instance that had been set aside. */
void losses_count(struct losses *losses, bool aside, uint64_t now_ms);

/* True if the peer is to be given up. `patience_ms` is how long the user is willing to wait without an answer. */
bool losses_blame_peer(const struct losses *losses, uint64_t patience_ms, uint64_t now_ms);

/* How long a worker waits before its next association, after `row` losses of its own in a row; 0 = not at all. */
uint32_t losses_wait_ms(unsigned row);

#endif
