/* losses - see losses.h. */
#include "engine/losses.h"

enum loss_verdict losses_judge_instance(unsigned lost, bool silent, bool alone, unsigned retry)
{
    unsigned before_aside = retry < LOSSES_BEFORE_ASIDE ? retry : LOSSES_BEFORE_ASIDE;
    if (retry == 0 || (alone && lost > retry))
        return LOSS_FINAL;
    return silent || lost >= before_aside ? LOSS_ASIDE : LOSS_AGAIN;
}

void losses_answered(struct losses *losses)
{
    *losses = (struct losses){.answered = true};
}

void losses_count(struct losses *losses, bool aside, uint64_t now_ms)
{
    if (losses->row++ == 0)
        losses->since_ms = now_ms;
    if (aside && losses->row_alone++ == 0)
        losses->alone_since_ms = now_ms;
}

bool losses_blame_peer(const struct losses *losses, uint64_t patience_ms, uint64_t now_ms)
{
    if (losses->row >= LOSSES_ROW && now_ms - losses->since_ms >= patience_ms)
        return true;
    return !losses->answered && losses->row_alone >= LOSSES_ALONE && now_ms - losses->alone_since_ms >= LOSSES_ALONE_MS;
}

uint32_t losses_wait_ms(unsigned row)
{
    return row > LOSSES_UNHURRIED_AFTER ? LOSSES_WAIT_MS : 0;
}
