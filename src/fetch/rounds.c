/* rounds - see rounds.h. */
#include "fetch/rounds.h"

#include "instance/status_rule.h"

int64_t rounds_next(struct rounds *rounds, const struct rounds_facts *facts, unsigned retry, uint32_t random)
{
    bool goes_on = facts->progress && facts->is_list;
    rounds->attempt = facts->progress ? 0 : rounds->attempt + 1;
    rounds->fruitless = facts->progress ? 0 : rounds->fruitless + !facts->failed;
    if (rounds->attempt > retry || (retry == 0 && !goes_on))
        return ROUNDS_NO_MORE;
    return rounds->attempt > 0 ? status_rule_backoff_ms(rounds->attempt + 1, random) : 0;
}
