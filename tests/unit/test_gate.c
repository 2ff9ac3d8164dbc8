/* Whether a store may begin, and what follows when the peer has no room for one. */
#include <criterion/criterion.h>

#include <string.h>

#include "engine/gate.h"
#include "instance/instance.h"

static struct gate gate;
static struct instance_trials trials[10];
static uint64_t now_ms;

static void reset(void)
{
    memset(&gate, 0, sizeof gate);
    memset(trials, 0, sizeof trials);
    now_ms = 1000;
}

static struct gate_verdict refuse(int instance)
{
    return gate_refused(&gate, &trials[instance], now_ms);
}

TestSuite(gate, .init = reset);

Test(gate, is_open)
{
    cr_expect_eq(gate_ask(&gate, 0), GATE_OPEN);
    cr_expect_eq(gate_ask(&gate, UINT64_MAX), GATE_OPEN);
}

/* Three refusals shut it, once; one store at a time may be tried; when those are in vain, all pause. */
static void refuse_until_paused(void)
{
    for (int i = 0; i < BREAKER_ROW; i++) {
        struct gate_verdict verdict = refuse(i);
        bool last = i + 1 == BREAKER_ROW;
        cr_expect(!verdict.own_matter);
        cr_expect_eq(verdict.is_shut, last, "refusal %d", i);
        cr_expect_eq(verdict.has_shut, last, "refusal %d", i);
        cr_expect_eq(verdict.pause_ms, 0, "others are tried before");
    }
    for (int i = 0; i < BREAKER_TRIES; i++) {
        cr_assert_eq(gate_ask(&gate, now_ms), GATE_TRIAL);
        cr_expect_eq(gate_tries(&gate), i);
        gate_try(&gate);
        struct gate_verdict verdict = refuse(BREAKER_ROW + i);
        bool last = i + 1 == BREAKER_TRIES;
        cr_expect(verdict.is_shut && !verdict.has_shut, "it was shut before");
        cr_expect_eq(verdict.first_pause, last);
        cr_expect_eq(verdict.pause_ms, last ? BREAKER_PAUSE_FIRST_MS : 0);
    }
}

Test(gate, shuts_tries_and_pauses)
{
    refuse_until_paused();
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_SHUT);
    now_ms += BREAKER_PAUSE_FIRST_MS - 1;
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_SHUT);
    cr_expect_eq(gate_pause(&gate, now_ms).left_ms, 1);
    cr_expect_eq(gate_pause(&gate, now_ms).pauses, 1);
    now_ms++;
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_TRIAL);
    cr_expect_eq(gate_pause(&gate, now_ms).left_ms, 0);
}

Test(gate, opens_when_a_store_succeeds)
{
    refuse_until_paused();
    cr_expect(!gate_stored(&gate), "what was under way says nothing");
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_SHUT);
    now_ms += BREAKER_PAUSE_FIRST_MS;
    gate_try(&gate);
    now_ms += 250;
    cr_expect(gate_stored(&gate), "the pause is over");
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_OPEN);
    cr_expect_eq(gate_paused_for_ms(&gate, now_ms), BREAKER_PAUSE_FIRST_MS + 250);
    cr_expect(!gate_stored(&gate), "there is none to end");
}

/* The time of the first pause is kept: it says for how long nothing was stored. */
Test(gate, later_pauses_belong_to_the_first)
{
    refuse_until_paused();
    uint64_t begun_ms = now_ms;
    now_ms += BREAKER_PAUSE_FIRST_MS;
    gate_try(&gate);
    struct gate_verdict verdict = refuse(0);
    cr_expect_eq(verdict.pause_ms, 2 * BREAKER_PAUSE_FIRST_MS);
    cr_expect(!verdict.first_pause && !verdict.has_shut);
    cr_expect_eq(gate_paused_for_ms(&gate, now_ms), now_ms - begun_ms);
    now_ms += verdict.pause_ms;
    cr_expect(!gate_blames_rest(&gate, REST_OTHERS, now_ms));
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_TRIAL);
    uint64_t row = gate_row(&gate);
    cr_expect(gate_blames_rest(&gate, REST_REFUSED, now_ms), "nothing else is left after two pauses");
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_OPEN);
    cr_expect_neq(gate_row(&gate), row, "what is refused now is refused anew");
    cr_expect(refuse(0).own_matter);
    cr_expect_eq(gate_ask(&gate, now_ms), GATE_OPEN);
}

/* A file that is refused again while others are stored is its own matter, and shuts nothing. */
Test(gate, one_file_shuts_nothing)
{
    cr_expect(!refuse(0).own_matter);
    for (unsigned i = 2; i < 20; i++) {
        gate_stored(&gate);
        struct gate_verdict verdict = refuse(0);
        cr_expect(verdict.own_matter && !verdict.is_shut && verdict.pause_ms == 0);
        cr_expect_eq(trials[0].refused, i);
        cr_expect_gt(gate_rest_ms(&gate, &trials[0], 0), 0);
    }
}
