/* The states of a worker: each can be reached, each can be left for the end, and what must not follow does not. */
#include <criterion/criterion.h>

#include "engine/worker_state.h"

Test(worker_state, every_state_is_reached_and_leads_to_the_end)
{
    bool reached[WORKER_STATE_COUNT] = {[WORKER_IDLE] = true};
    for (int round = 0; round < WORKER_STATE_COUNT; round++)
        for (int from = 0; from < WORKER_STATE_COUNT; from++)
            for (int to = 0; to < WORKER_STATE_COUNT; to++)
                if (reached[from] && worker_state_may_follow(from, to))
                    reached[to] = true;
    for (int state = 0; state < WORKER_STATE_COUNT; state++) {
        cr_expect(reached[state], "state %d", state);
        cr_expect_not(worker_state_may_follow(state, state), "state %d", state);
        if (state != WORKER_STOPPING && state != WORKER_STOPPED)
            cr_expect(worker_state_may_follow(state, WORKER_STOPPING), "state %d cannot stop", state);
    }
}

/* The rest of the table, written once more by hand: what may follow, but for WORKER_STOPPING. */
Test(worker_state, what_may_follow)
{
    static const struct {
        enum worker_state from, to;
    } allowed[] = {
        {WORKER_IDLE, WORKER_OPENING},        {WORKER_IDLE, WORKER_SENDING},
        {WORKER_IDLE, WORKER_RELEASING},      {WORKER_OPENING, WORKER_SENDING},
        {WORKER_OPENING, WORKER_BACKING_OFF}, {WORKER_SENDING, WORKER_IDLE},
        {WORKER_SENDING, WORKER_OPENING},     {WORKER_SENDING, WORKER_ASKING},
        {WORKER_SENDING, WORKER_RELEASING},   {WORKER_SENDING, WORKER_PAUSING},
        {WORKER_SENDING, WORKER_BACKING_OFF}, {WORKER_SENDING, WORKER_UNAUTHORISED},
        {WORKER_ASKING, WORKER_IDLE},         {WORKER_ASKING, WORKER_OPENING},
        {WORKER_ASKING, WORKER_SENDING},      {WORKER_ASKING, WORKER_UNAUTHORISED},
        {WORKER_RELEASING, WORKER_IDLE},      {WORKER_RELEASING, WORKER_OPENING},
        {WORKER_RELEASING, WORKER_PAUSING},   {WORKER_PAUSING, WORKER_IDLE},
        {WORKER_PAUSING, WORKER_OPENING},     {WORKER_PAUSING, WORKER_SENDING},
        {WORKER_BACKING_OFF, WORKER_IDLE},    {WORKER_STOPPING, WORKER_STOPPED},
    };
    unsigned count = 0;
    for (int from = 0; from < WORKER_STATE_COUNT; from++)
        for (int to = 0; to < WORKER_STATE_COUNT; to++)
            count += to != WORKER_STOPPING && worker_state_may_follow(from, to);
    cr_expect_eq(count, sizeof allowed / sizeof allowed[0]);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        cr_expect(worker_state_may_follow(allowed[i].from, allowed[i].to), "row %zu", i);
    cr_expect_not(worker_state_may_follow(WORKER_STOPPED, WORKER_STOPPING));
}
