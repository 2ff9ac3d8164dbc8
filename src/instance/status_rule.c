/* status_rule - see status_rule.h. */
#include "instance/status_rule.h"

#include <stddef.h>

static const struct status_rule {
    uint16_t first, last;
    enum outcome_state state;
    enum status_rule_again again;
    bool new_association;
} rules[] = {
    {0x0000, 0x0000, OUTCOME_STORED, AGAIN_NEVER, false}, {0x0001, 0x0001, OUTCOME_WARNED, AGAIN_NEVER, false},
    {0x0107, 0x0107, OUTCOME_WARNED, AGAIN_NEVER, false}, {0x0110, 0x0110, OUTCOME_FAILED, AGAIN_OFTEN, true},
    {0x0111, 0x0111, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0112, 0x0112, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0115, 0x0115, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0116, 0x0116, OUTCOME_WARNED, AGAIN_NEVER, false},
    {0x0117, 0x0121, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0122, 0x0122, OUTCOME_FAILED, AGAIN_NEVER, false},
    {0x0124, 0x0124, OUTCOME_FAILED, AGAIN_NEVER, false}, {0x0210, 0x0210, OUTCOME_FAILED, AGAIN_ONCE, true},
    {0x0211, 0x0211, OUTCOME_FAILED, AGAIN_ONCE, true},   {0x0212, 0x0212, OUTCOME_FAILED, AGAIN_ONCE, true},
    {0x0213, 0x0213, OUTCOME_FAILED, AGAIN_LATER, false}, {0xA700, 0xA7FF, OUTCOME_FAILED, AGAIN_LATER, false},
    {0xA900, 0xA9FF, OUTCOME_FAILED, AGAIN_NEVER, false}, {0xB000, 0xBFFF, OUTCOME_WARNED, AGAIN_NEVER, false},
    {0xC000, 0xCFFF, OUTCOME_FAILED, AGAIN_NEVER, false}, {0xFE00, 0xFE00, OUTCOME_FAILED, AGAIN_ONCE, true},
    {0xFF00, 0xFFFF, OUTCOME_FAILED, AGAIN_ONCE, true},
};
static const struct status_rule unknown = {0, 0, OUTCOME_FAILED, AGAIN_ONCE, true};

static const struct status_rule *find_rule(uint16_t status)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (status >= rules[i].first && status <= rules[i].last)
            return &rules[i];
    return &unknown;
}

static struct status_rule_verdict verdict_by(const struct status_rule *rule)
{
    return (struct status_rule_verdict){
        .state = rule->state, .again = rule->again, .new_association = rule->new_association};
}

struct status_rule_verdict status_rule_judge_status(uint16_t status)
{
    return verdict_by(find_rule(status));
}

struct status_rule_verdict status_rule_judge_no_status(void)
{
    return verdict_by(&unknown);
}

bool status_rule_says_busy(uint16_t status)
{
    return find_rule(status)->again == AGAIN_LATER;
}

uint32_t status_rule_backoff_ms(unsigned attempt, uint32_t random)
{
    enum { FIRST_MS = 1000, LAST_MS = 60 * 1000 };
    unsigned doublings = attempt >= 2 ? attempt - 2 : 0;
    uint32_t base = doublings < 6 ? (uint32_t)FIRST_MS << doublings : LAST_MS;
    if (base > LAST_MS)
        base = LAST_MS;
    return base - base / 10 + random % (base / 5 + 1);
}
