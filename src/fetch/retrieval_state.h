/*
 * retrieval_state - what a retrieval is doing, and what it may do next.
 *
 *     NEW
 *      |
 *      v      established          no query left, or lost          the list is made
 *   OPENING ------------> QUERYING ------------> CLOSING ------------------------------> OPENING
 *      |                   |    ^                 ^  |  |
 *      |                   v    |                 |  |  +----> SETTLING ----> DONE
 *      |                  LINGERING --------------+  |            |
 *      |  lost                                       v            v
 *      +-----------------------------------------> PAUSED <-------+
 *                                                    |
 *                                                    +----> OPENING
 *
 * CLOSING follows OPENING at once if there is nothing to be asked, or the peer does not take the query.
 * What ends while it is LINGERING goes on as from CLOSING. DONE may follow all but QUERYING, whose query ends first:
 * when everything is there, when there is no further round, or when the retrieval is given up.
 *
 * What the queries are for is the stage: it goes from listing to asking, once. LINGERING and SETTLING belong to asking.
 */
#ifndef FETCH_RETRIEVAL_STATE_H
#define FETCH_RETRIEVAL_STATE_H

#include <stdbool.h>

#include "fetch/retrieval.h"

enum retrieval_state {
    RETRIEVAL_STATE_NEW,       /* nothing has been done yet: it begins on the loop's next turn */
    RETRIEVAL_STATE_OPENING,   /* an association is being established */
    RETRIEVAL_STATE_QUERYING,  /* a C-FIND, C-MOVE or C-GET is under way on it */
    RETRIEVAL_STATE_LINGERING, /* a C-MOVE was answered, and what the peer has sent has not all come: so long there is
                                  no next one, as only the request tells to which part belongs what was not listed */
    RETRIEVAL_STATE_CLOSING,   /* nothing more is asked for on this association: it is about to end */
    RETRIEVAL_STATE_SETTLING,  /* no association; the round's last answers may have overtaken its last instances */
    RETRIEVAL_STATE_PAUSED,    /* no association; a time of back-off before the next one */
    RETRIEVAL_STATE_DONE,      /* it has ended, but for closing what it had opened */
    RETRIEVAL_STATE_COUNT
};

enum retrieval_stage { RETRIEVAL_STAGE_LISTING, RETRIEVAL_STAGE_ASKING };

/* "lingering" */
const char *retrieval_state_name(enum retrieval_state state);

/* True if `next` may follow `state`. */
bool retrieval_state_may_follow(enum retrieval_state state, enum retrieval_state next);

/* What is told of it to people. */
enum retrieval_phase retrieval_state_phase(enum retrieval_state state, enum retrieval_stage stage);

#endif
