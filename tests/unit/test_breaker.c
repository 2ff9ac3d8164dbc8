/* Whose fault a refusal is, when to pause and for how long. */
#include <criterion/criterion.h>

#include <string.h>

#include "engine/breaker.h"
#include "instance/instance.h"

static struct breaker breaker;
static struct instance_trials trials[10];
static uint64_t now_ms;

static void reset(void)
{
    memset(&breaker, 0, sizeof breaker);
    memset(trials, 0, sizeof trials);
    now_ms = 1000;
}

static bool refuse(int instance)
{
    return breaker_refused(&breaker, &trials[instance], now_ms);
}

/* The pause is over: one store is tried. */
static void wait_for_probe(uint64_t pause_ms)
{
    cr_assert_eq(breaker.state, BREAKER_PAUSED);
    now_ms += pause_ms - 1;
    cr_expect(!breaker_may_probe(&breaker, now_ms), "before %u ms are over", (unsigned)pause_ms);
    now_ms++;
    cr_expect(breaker_may_probe(&breaker, now_ms), "after %u ms", (unsigned)pause_ms);
    breaker_probe(&breaker);
    cr_expect_eq(breaker.state, BREAKER_PROBING);
}

/* Three were refused: three others are tried at once, and are refused as well. */
static void refuse_until_paused(void)
{
    for (int i = 0; i < 3; i++)
        refuse(i);
    for (int i = 3; i < 3 + BREAKER_TRIES; i++) {
        cr_assert_eq(breaker.pauses, 0);
        cr_assert(breaker_may_probe(&breaker, now_ms), "at once");
        breaker_probe(&breaker);
        cr_expect(!refuse(i));
    }
    cr_assert_eq(breaker.pauses, 1);
}

TestSuite(breaker, .init = reset);

Test(breaker, several_in_a_row_pause)
{
    cr_expect(!refuse(0));
    cr_expect(!refuse(1));
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
    refuse_until_paused();
    cr_expect_eq(breaker.state, BREAKER_PAUSED);
    uint64_t resume_ms = breaker.resume_ms;
    now_ms += 100;
    cr_expect(!refuse(9), "what was under way");
    cr_expect_eq(breaker.resume_ms, resume_ms, "does not make the pause longer");
    cr_expect(!breaker_stored(&breaker), "nor does it end it");
    cr_expect_eq(breaker.state, BREAKER_PAUSED);
    wait_for_probe(5 * 1000 - 100);
}

/* One that is tried at once is stored: there is no pause, and what was refused is charged when it is refused again. */
Test(breaker, one_of_others_is_stored)
{
    for (int i = 0; i < 3; i++)
        cr_expect(!refuse(i));
    cr_expect_eq(breaker.state, BREAKER_PAUSED);
    cr_assert(breaker_may_probe(&breaker, now_ms));
    breaker_probe(&breaker);
    cr_expect(!breaker_stored(&breaker), "no pause has ended");
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
    for (int i = 0; i < 3; i++) {
        cr_expect(refuse(i));
        cr_expect_eq(trials[i].refused, 2, "the first refusal counts as well");
    }
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
}

Test(breaker, blames_what_is_left)
{
    static const enum breaker_rest rests[] = {REST_REFUSED, REST_SIBLINGS, REST_MIXED};
    for (size_t k = 0; k < 3; k++) {
        reset();
        refuse_until_paused();
        cr_expect(!breaker_blames_rest(&breaker, rests[k], breaker.resume_ms), "not after one pause");
        wait_for_probe(5 * 1000);
        cr_expect(!refuse(0));
        cr_expect(!breaker_blames_rest(&breaker, rests[k], breaker.resume_ms - 1), "not before the second is over");
        cr_expect(!breaker_blames_rest(&breaker, REST_OTHERS, breaker.resume_ms), "not while there are others");
        cr_expect(breaker_blames_rest(&breaker, rests[k], breaker.resume_ms));
        cr_expect_eq(breaker.state, BREAKER_FLOWING);
        for (int i = 0; i < 12; i++)
            cr_expect(refuse(i % 3), "%d", i);
        cr_expect_eq(breaker.state, BREAKER_FLOWING);
        cr_expect_eq(trials[2].refused, 5);
        cr_expect(refuse(9), "also one that was never refused");
        cr_expect_eq(trials[9].refused, 1);
        uint64_t rest_ms = breaker_rest_ms(&breaker, &trials[9], 0);
        if (rests[k] == REST_MIXED)
            cr_expect_eq(rest_ms, BREAKER_DOUBT_MS, "the peer may be full all the same");
        else
            cr_expect_leq(rest_ms, 1100);
        breaker_stored(&breaker);
        cr_expect(!breaker.blames, "it stores: judged anew");
    }
}

Test(breaker, pauses_grow)
{
    static const uint64_t pauses_s[] = {5, 10, 20, 40, 80, 160, 300, 300, 300};
    refuse_until_paused();
    for (size_t i = 0; i < sizeof pauses_s / sizeof pauses_s[0]; i++) {
        wait_for_probe(pauses_s[i] * 1000);
        cr_expect(!refuse((int)i));
    }
    cr_expect_eq(trials[0].refused + trials[1].refused + trials[2].refused, 0, "no attempt is counted");
    wait_for_probe(300 * 1000);
    cr_expect(breaker_stored(&breaker));
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
    for (int i = 0; i < 3; i++)
        cr_expect(!refuse(i), "what came before a long pause is forgiven");
}

Test(breaker, a_store_ends_the_row)
{
    for (int i = 0; i < 9; i++) {
        cr_expect(!refuse(i));
        cr_expect_eq(breaker.state, BREAKER_FLOWING);
        if (i % 2 == 1)
            cr_expect(!breaker_stored(&breaker), "there was no pause to be ended");
    }
}

Test(breaker, the_instance_own_matter)
{
    cr_expect(!refuse(0), "one refusal says nothing");
    for (unsigned i = 2; i <= 6; i++) {
        breaker_stored(&breaker);
        cr_expect(refuse(0));
        cr_expect_eq(trials[0].refused, i);
    }
    cr_expect(refuse(0), "also when nothing is left to be stored beside it");
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
}

/* One file is no archive: nothing is known but that it was refused again and again. */
Test(breaker, one_instance_only)
{
    cr_expect(!refuse(0));
    cr_expect(refuse(0));
    cr_expect(refuse(0));
    cr_expect(refuse(0));
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
}

Test(breaker, two_in_turns_pause)
{
    cr_expect(!refuse(0));
    cr_expect(!refuse(1));
    cr_expect(!refuse(0));
    cr_expect_eq(breaker.state, BREAKER_PAUSED);
}

/* A pause whose first probe is stored was most likely for some bad instances: next time they are charged. */
Test(breaker, a_short_pause_forgives_nothing)
{
    refuse_until_paused();
    wait_for_probe(5 * 1000);
    cr_expect(breaker_stored(&breaker));
    cr_expect(refuse(0));
    cr_expect(refuse(1));
    cr_expect(refuse(2));
    cr_expect(!refuse(8));
    cr_expect_eq(breaker.state, BREAKER_FLOWING);
}
