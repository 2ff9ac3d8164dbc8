/* retrieval_state - see retrieval_state.h. */
#include "fetch/retrieval_state.h"

#define BIT(state) (1u << RETRIEVAL_STATE_##state)

static const struct {
    const char *name;
    unsigned successors;
} states[RETRIEVAL_STATE_COUNT] = {
    [RETRIEVAL_STATE_NEW] = {"new", BIT(OPENING) | BIT(DONE)},
    [RETRIEVAL_STATE_OPENING] = {"opening", BIT(QUERYING) | BIT(CLOSING) | BIT(PAUSED) | BIT(DONE)},
    [RETRIEVAL_STATE_QUERYING] = {"querying", BIT(QUERYING) | BIT(LINGERING) | BIT(CLOSING)},
    [RETRIEVAL_STATE_LINGERING] = {"lingering", BIT(LINGERING) | BIT(QUERYING) | BIT(CLOSING) | BIT(SETTLING) |
                                                    BIT(PAUSED) | BIT(DONE)},
    [RETRIEVAL_STATE_CLOSING] = {"closing", BIT(OPENING) | BIT(SETTLING) | BIT(PAUSED) | BIT(DONE)},
    [RETRIEVAL_STATE_SETTLING] = {"settling", BIT(PAUSED) | BIT(DONE)},
    [RETRIEVAL_STATE_PAUSED] = {"paused", BIT(OPENING) | BIT(DONE)},
    [RETRIEVAL_STATE_DONE] = {"done", 0},
};

const char *retrieval_state_name(enum retrieval_state state)
{
    return states[state].name;
}

bool retrieval_state_may_follow(enum retrieval_state state, enum retrieval_state next)
{
    return (states[state].successors & 1u << next) != 0;
}

enum retrieval_phase retrieval_state_phase(enum retrieval_state state, enum retrieval_stage stage)
{
    bool waits = state == RETRIEVAL_STATE_SETTLING || state == RETRIEVAL_STATE_PAUSED;
    if (state == RETRIEVAL_STATE_DONE)
        return RETRIEVAL_DONE;
    if (stage == RETRIEVAL_STAGE_LISTING)
        return RETRIEVAL_LISTING;
    return waits ? RETRIEVAL_WAITING : RETRIEVAL_ASKING;
}
