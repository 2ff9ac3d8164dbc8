/* gate - see gate.h. */
#include "engine/gate.h"

enum gate_leave gate_ask(const struct gate *gate, uint64_t now_ms)
{
    if (gate->breaker.state == BREAKER_FLOWING)
        return GATE_OPEN;
    return breaker_may_probe(&gate->breaker, now_ms) ? GATE_TRIAL : GATE_SHUT;
}

void gate_try(struct gate *gate)
{
    breaker_probe(&gate->breaker);
}

uint64_t gate_row(const struct gate *gate)
{
    return gate->breaker.row_number;
}

unsigned gate_tries(const struct gate *gate)
{
    return gate->breaker.tries;
}

struct gate_verdict gate_refused(struct gate *gate, struct instance_trials *trials, uint64_t now_ms)
{
    struct breaker *breaker = &gate->breaker;
    bool was_open = breaker->state == BREAKER_FLOWING;
    unsigned pauses = breaker->pauses;
    struct gate_verdict verdict = {.own_matter = breaker_refused(breaker, trials, now_ms)};
    verdict.is_shut = breaker->state != BREAKER_FLOWING;
    verdict.has_shut = was_open && verdict.is_shut;
    if (breaker->pauses > pauses) {
        verdict.first_pause = breaker->pauses == 1;
        verdict.pause_ms = breaker->resume_ms - now_ms;
    }
    if (verdict.first_pause)
        gate->paused_ms = now_ms;
    return verdict;
}

bool gate_stored(struct gate *gate)
{
    return breaker_stored(&gate->breaker);
}

bool gate_blames_rest(struct gate *gate, enum breaker_rest rest, uint64_t now_ms)
{
    return breaker_blames_rest(&gate->breaker, rest, now_ms);
}

uint64_t gate_rest_ms(const struct gate *gate, const struct instance_trials *trials, uint32_t random)
{
    return breaker_rest_ms(&gate->breaker, trials, random);
}

uint64_t gate_paused_for_ms(const struct gate *gate, uint64_t now_ms)
{
    return now_ms - gate->paused_ms;
}

struct gate_pause gate_pause(const struct gate *gate, uint64_t now_ms)
{
    const struct breaker *breaker = &gate->breaker;
    bool waits = breaker->state == BREAKER_PAUSED && breaker->resume_ms > now_ms;
    return (struct gate_pause){.pauses = breaker->pauses, .left_ms = waits ? breaker->resume_ms - now_ms : 0};
}
