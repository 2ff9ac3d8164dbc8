/* What each status means: the rows of the rules, for all 65,536 of them. */
#include <criterion/criterion.h>

#include <string.h>

#include "instance/status_rule.h"

/* The rows as the contract has them; what is in no row is unknown: never stored, once more on a new association. */
static const struct row {
    uint16_t first, last;
    enum outcome_state state;
    enum status_rule_again again;
    bool new_association;
} rows[] = {
    {0x0000, 0x0000, OUTCOME_STORED, AGAIN_NEVER, false}, {0x0001, 0x0001, OUTCOME_WARNED, AGAIN_NEVER, false},
    {0x0107, 0x0107, OUTCOME_WARNED, AGAIN_NEVER, false}, {0x0116, 0x0116, OUTCOME_WARNED, AGAIN_NEVER, false},
    {0xB000, 0xBFFF, OUTCOME_WARNED, AGAIN_NEVER, false}, {0xA700, 0xA7FF, OUTCOME_FAILED, AGAIN_LATER, false},
    {0x0213, 0x0213, OUTCOME_FAILED, AGAIN_LATER, false}, {0x0110, 0x0110, OUTCOME_FAILED, AGAIN_OFTEN, true},
    {0xA900, 0xA9FF, OUTCOME_FAILED, AGAIN_NEVER, false}, {0xC000, 0xCFFF, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0112, 0x0112, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0115, 0x0115, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0117, 0x0121, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0122, 0x0122, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0124, 0x0124, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0111, 0x0111, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0210, 0x0212, OUTCOME_FAILED, AGAIN_ONCE, true},
};
static const struct row otherwise = {0, 0, OUTCOME_FAILED, AGAIN_ONCE, true};

static const struct row *row_of(unsigned status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (status >= rows[i].first && status <= rows[i].last)
            return &rows[i];
    return &otherwise;
}

Test(status_rule, every_status)
{
    for (unsigned status = 0; status <= 0xFFFF; status++) {
        const struct row *row = row_of(status);
        struct status_rule_verdict verdict = status_rule_judge_status((uint16_t)status);
        cr_assert_eq(verdict.state, row->state, "%04X", status);
        cr_assert_eq(verdict.again, row->again, "%04X", status);
        cr_assert_eq(verdict.new_association, row->new_association, "%04X", status);
    }
}

Test(status_rule, pending_and_cancel_never_mean_stored)
{
    static const uint16_t statuses[] = {0xFF00, 0xFF01, 0xFFFF, 0xFE00, 0x1234, 0xA800, 0xD000, 0xFEFF};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        cr_expect_eq(status_rule_judge_status(statuses[i]).state, OUTCOME_FAILED, "%04X", statuses[i]);
}

Test(status_rule, backoff_doubles_up_to_a_minute)
{
    static const uint32_t seconds[] = {1, 1, 1, 2, 4, 8, 16, 32, 60, 60, 60}; /* by attempt, from 0 */
    uint32_t random = 1;
    for (unsigned attempt = 0; attempt < 2000; attempt++) {
        uint32_t base = attempt < 11 ? seconds[attempt] * 1000 : 60000;
        uint32_t least = UINT32_MAX, most = 0;
        for (unsigned i = 0; i < 500; i++) {
            random = random * 1664525u + 1013904223u;
            uint32_t delay = status_rule_backoff_ms(attempt, random >> 8);
            least = delay < least ? delay : least;
            most = delay > most ? delay : most;
        }
        cr_assert_geq(least, base - base / 10, "attempt %u", attempt);
        cr_assert_leq(most, base + base / 10, "attempt %u", attempt);
        cr_assert_gt(most - least, base / 10, "attempt %u: it must scatter", attempt);
    }
    cr_expect_leq(status_rule_backoff_ms(UINT32_MAX, UINT32_MAX), 66000);
}

Test(status_rule, no_status_is_as_an_unknown_one)
{
    struct status_rule_verdict verdict = status_rule_judge_no_status();
    cr_expect_eq(verdict.state, otherwise.state);
    cr_expect_eq(verdict.again, otherwise.again);
    cr_expect(verdict.new_association);
}
