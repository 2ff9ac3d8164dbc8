/* worker_state - see worker_state.h. */
#include "engine/worker_state.h"

#include <stdint.h>

#define TO(state) (1u << WORKER_##state)

static const struct state_row {
    uint32_t successors; /* bits: TO(state) */
    enum time_kind time;
} rows[WORKER_STATE_COUNT] = {
    [WORKER_IDLE] = {TO(OPENING) | TO(SENDING) | TO(RELEASING) | TO(STOPPING), TIME_IDLE},
    [WORKER_OPENING] = {TO(SENDING) | TO(BACKING_OFF) | TO(STOPPING), TIME_CONNECTING},
    /* OPENING: the association ended under a store, and the next is asked for at once */
    [WORKER_SENDING] = {TO(IDLE) | TO(OPENING) | TO(ASKING) | TO(RELEASING) | TO(PAUSING) | TO(BACKING_OFF) |
                            TO(UNAUTHORISED) | TO(STOPPING),
                        TIME_STORAGE},
    /* IDLE, OPENING: the association ended before the session's word came */
    [WORKER_ASKING] = {TO(IDLE) | TO(OPENING) | TO(SENDING) | TO(UNAUTHORISED) | TO(STOPPING), TIME_PAUSED},
    /* PAUSING: many associations were lost in a row */
    [WORKER_RELEASING] = {TO(IDLE) | TO(OPENING) | TO(PAUSING) | TO(STOPPING), TIME_WAITING},
    /* IDLE: what was to be sent again was given back */
    [WORKER_PAUSING] = {TO(IDLE) | TO(OPENING) | TO(SENDING) | TO(STOPPING), TIME_PAUSED},
    [WORKER_BACKING_OFF] = {TO(IDLE) | TO(STOPPING), TIME_PAUSED},
    [WORKER_UNAUTHORISED] = {TO(STOPPING), TIME_PAUSED},
    [WORKER_STOPPING] = {TO(STOPPED), TIME_WAITING},
    [WORKER_STOPPED] = {0, TIME_IDLE},
};

bool worker_state_may_follow(enum worker_state from, enum worker_state to)
{
    return (rows[from].successors & 1u << to) != 0;
}

enum time_kind worker_state_time(enum worker_state state)
{
    return rows[state].time;
}
