/* streak - see streak.h. */
#include "engine/streak.h"

void streak_ask(struct streak *streak, uint64_t now_us)
{
    if (streak->failures == 0)
        streak->failing_since_us = now_us;
}

void streak_open(struct streak *streak, uint64_t now_us)
{
    streak->failures = streak->opened_failures;
    if (streak->failures == 0)
        streak->failing_since_us = now_us;
}

enum streak_verdict streak_close(struct streak *streak, const struct streak_end *end)
{
    bool in_vain = end->opened && !end->answered && !end->on_purpose;
    bool lost = in_vain && end->begun;
    bool failed = !end->opened || (in_vain && !lost);
    if (failed)
        streak->failures++;
    else if (end->answered || lost)
        streak->failures = 0;
    if (lost)
        streak->losses++;
    else if (end->answered)
        streak->losses = 0;
    if (end->opened)
        streak->opened_failures = streak->failures;
    return failed ? STREAK_FAILED : lost ? STREAK_LOST : STREAK_OVER;
}

void streak_forget_failures(struct streak *streak)
{
    streak->failures = streak->opened_failures = 0;
}
