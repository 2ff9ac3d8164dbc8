/*
 * losses - what it means that an association ends while something is being stored on it: is it one file, or is it the
 * peer?
 *
 * An association that was accepted shows that the peer is there. If it is aborted, closed, silent or answers nonsense
 * under a store, that is the matter of the instance in flight, however many of them stand in a row: it is tried once
 * more at once, then set aside, and tried alone over an association of its own when nothing else is to be sent. One
 * that was silent is set aside at once, as each try costs a timeout.
 *
 *   in flight at an association's end
 *      first loss ------------> again, the first on the next association   (not if it was silence)
 *      second loss -----------> set aside: alone, when all else is sent
 *      lost alone, --retry + 1 losses in all -> it fails; its neighbours never pay
 *
 * Only a peer that has answered no store at all is given up, so that a run against one that can store nothing ends:
 * after long, or, if it has never answered one in this session, after a few that were tried alone in vain: by then each
 * instance has had its turn. Many that end quickly each time are tried to the end. Pure logic: the time comes from
 * outside, in milliseconds of any clock that does not go back.
 */
#ifndef ENGINE_LOSSES_H
#define ENGINE_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOSSES_BEFORE_ASIDE = 2,     /* so many losses, and an instance is set aside; fewer if --retry allows fewer */
    LOSSES_ROW = 100,            /* associations lost in a row: the peer may be given up if that also took long */
    LOSSES_ALONE = 5,            /* associations lost with an instance alone, of a peer that has never answered one, */
    LOSSES_ALONE_MS = 10 * 1000, /* and so long since the first of them: it is given up */
    LOSSES_UNHURRIED_AFTER = 30, /* losses in a row of one worker, and it waits a little before each association */
    LOSSES_WAIT_MS = 100,
    LOSSES_SETTLE_MS = 1000 /* from the last loss to the first instance that is tried alone: a peer may recover */
};

/* What becomes of an instance that was in flight. */
enum loss_verdict {
    LOSS_AGAIN, /* it is the first on the next association */
    LOSS_ASIDE, /* it is sent alone, when nothing else is to be sent */
    LOSS_FINAL  /* it was tried as often as allowed */
};

/*
 * Judge an instance that was in flight at its `lost`-th association's end (from 1). `silent`: no answer came in time;
 * `alone`: it was the only store of that association. `retry` further attempts are allowed: with 0 the first loss ends
 * it. What was not alone is otherwise never at the end of its tries, as its neighbour may be the cause.
 */
enum loss_verdict losses_judge_instance(unsigned lost, bool silent, bool alone, unsigned retry);

/* What the session knows. All zero: nothing yet. */
struct losses {
    bool answered;           /* the peer has answered a store in this session */
    unsigned row;            /* accepted associations in a row that ended under a store without having answered one */
    unsigned row_alone;      /* those of them with an instance that had been set aside */
    uint64_t since_ms;       /* when the row began, */
    uint64_t alone_since_ms; /* and when the first of the latter ended */
};

/* The peer has answered a store, whatever it said. */
void losses_answered(struct losses *losses);

/* An accepted association ended under a store and had answered none. `aside`: it was for an instance set aside. */
void losses_count(struct losses *losses, bool aside, uint64_t now_ms);

/* True if it is the peer that can store nothing: after `patience_ms` without an answer, or as it answers nobody. */
bool losses_blame_peer(const struct losses *losses, uint64_t patience_ms, uint64_t now_ms);

/* How long a worker waits before its next association, after so many losses in a row. */
uint32_t losses_wait_ms(unsigned row);

#endif
