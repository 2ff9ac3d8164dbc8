/*
 * worker_state - the states of a worker, which of them may follow which, and what its time goes into in each.
 *
 *             work               opened              list empty
 *    IDLE ---------> OPENING -----------> SENDING ---------------> IDLE (the association stays open, for more work,
 *     ^ ^             |    ^              |  |  ^                        until MAIL_REST or MAIL_RELEASE)
 *     | |  not opened |    | all sent,    |  |  | the session's word
 *     | |             v    | some again   |  |  |
 *     | |     BACKING_OFF  +--- PAUSING <-+  |  +--- ASKING   (the peer had no room for an instance)
 *     | |             |    |                 |
 *     | +-------------+    +--- RELEASING <--+                (another association is wanted, or none)
 *     |       time over         |
 *     +-------------------------+
 *
 *    SENDING ---> BACKING_OFF   an association was opened, and ended before a store could begin
 *    SENDING ---> UNAUTHORISED  the peer answers each store that this sender may not store
 *    any     ---> STOPPING ---> STOPPED
 *
 * A table only: worker.c holds the state, and one setter there asks this table.
 */
#ifndef ENGINE_WORKER_STATE_H
#define ENGINE_WORKER_STATE_H

#include <stdbool.h>

#include "engine/time_kind.h"

enum worker_state {
    WORKER_IDLE,         /* no work; an association may be open, for the work to come */
    WORKER_OPENING,      /* there is work, and an association for it was asked for */
    WORKER_SENDING,      /* there is work, and an association is open: stores begin and end */
    WORKER_ASKING,       /* MAIL_INSTANCE_REFUSED was posted: stores under way end, none begins before MAIL_GO_ON or
                            MAIL_GIVE_BACK has come; the association may have ended meanwhile */
    WORKER_RELEASING,    /* the association is released, for another one or as there is no work: what comes next waits
                            for its end */
    WORKER_PAUSING,      /* there is work, and its next association or attempt waits for the timer; the last association
                            may still be open */
    WORKER_BACKING_OFF,  /* no store could begin on the last association: no work, MAIL_READY when the timer ends */
    WORKER_UNAUTHORISED, /* MAIL_REFUSED was posted: stores under way end, none begins any more; MAIL_STOP will come */
    WORKER_STOPPING,     /* told to stop: stores under way end, and then the association */
    WORKER_STOPPED       /* MAIL_STOPPED was posted: nothing is left; MAIL_EXIT will come */
};
enum { WORKER_STATE_COUNT = WORKER_STOPPED + 1 };

/* True if `to` may be the next state after `from`. A state never follows itself. */
bool worker_state_may_follow(enum worker_state from, enum worker_state to);

/* What the time of a worker in this state goes into while no store is under way. */
enum time_kind worker_state_time(enum worker_state state);

#endif
