/* growth - see growth.h. */
#include "engine/growth.h"

void growth_turned_away(struct growth *growth, uint64_t now_ms)
{
    if (growth->delay_ms == 0)
        growth->delay_ms = GROWTH_FIRST_MS;
    else if (growth->grown && growth->delay_ms < GROWTH_MAX_MS / 2)
        growth->delay_ms *= 2;
    else if (growth->grown)
        growth->delay_ms = GROWTH_MAX_MS;
    growth->grown = false;
    growth->next_ms = now_ms + growth->delay_ms;
}

bool growth_may_grow(struct growth *growth, uint64_t now_ms)
{
    if (growth->next_ms == 0 || now_ms < growth->next_ms)
        return false;
    growth->grown = true;
    growth->next_ms = now_ms + growth->delay_ms;
    return true;
}

void growth_stop(struct growth *growth)
{
    growth->next_ms = 0;
}
