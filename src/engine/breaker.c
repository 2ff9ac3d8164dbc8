/* breaker - see breaker.h. */
#include "engine/breaker.h"

#include <assert.h>
#include <stddef.h>

#include "instance/instance.h"
#include "instance/status_rule.h"

/* Which states may follow, as bits. A trial that says nothing (its file could not be read, say) is followed by another.
 */
static const unsigned successors[] = {
    [BREAKER_FLOWING] = 1u << BREAKER_PAUSED | 1u << BREAKER_FLOWING,
    [BREAKER_PAUSED] = 1u << BREAKER_PROBING | 1u << BREAKER_FLOWING,
    [BREAKER_PROBING] = 1u << BREAKER_PAUSED | 1u << BREAKER_FLOWING | 1u << BREAKER_PROBING,
};

/* The one place where the state changes. */
static void enter(struct breaker *breaker, enum breaker_state state)
{
    assert((successors[breaker->state] & 1u << state) != 0);
    breaker->state = state;
}

static void pause_for_longer(struct breaker *breaker, uint64_t now_ms)
{
    uint64_t pause_ms = BREAKER_PAUSE_FIRST_MS;
    for (unsigned i = 0; i < breaker->pauses && pause_ms < BREAKER_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    enter(breaker, BREAKER_PAUSED);
    breaker->pauses++;
    breaker->resume_ms = now_ms + (pause_ms < BREAKER_PAUSE_MAX_MS ? pause_ms : BREAKER_PAUSE_MAX_MS);
}

/*
 * True if a refusal is held against the instance and not against the peer: it was held against it before; the peer has
 * stored another instance since it refused this one; it is refused again, and no other was refused in this row; or what
 * is left is held responsible as a whole (`blames`).
 */
static bool is_own_matter(const struct breaker *breaker, const struct instance_trials *trials)
{
    bool others_stored = trials->refused_row != 0 && trials->refused_row != breaker->row_number;
    bool alone = breaker->row > 0 && breaker->first == trials && !breaker->several;
    return breaker->blames || trials->refused > 0 || others_stored || alone;
}

bool breaker_refused(struct breaker *breaker, struct instance_trials *trials, uint64_t now_ms)
{
    if (breaker->row_number == 0)
        breaker->row_number = 1;
    bool own = breaker->state == BREAKER_FLOWING && is_own_matter(breaker, trials);
    if (own) /* the first refusal of this instance was not counted when it came, and counts now */
        trials->refused += trials->refused == 0 && trials->refused_row != 0 ? 2 : 1;
    trials->refused_row = breaker->row_number;
    if (own)
        return true;
    breaker->several = breaker->several || (breaker->row > 0 && breaker->first != trials);
    if (breaker->row++ == 0)
        breaker->first = trials;
    bool holds = breaker->state == BREAKER_FLOWING && breaker->row >= BREAKER_ROW && breaker->several;
    if (holds || (breaker->state == BREAKER_PROBING && breaker->tries < BREAKER_TRIES)) {
        enter(breaker, BREAKER_PAUSED);
        breaker->resume_ms = now_ms;
    } else if (breaker->state == BREAKER_PROBING) {
        pause_for_longer(breaker, now_ms);
    }
    return false;
}

static void flow(struct breaker *breaker)
{
    enter(breaker, BREAKER_FLOWING);
    breaker->row = breaker->pauses = breaker->tries = 0;
    breaker->several = false;
    breaker->first = NULL;
}

/* A store that was under way when a pause began may end well during it. That does not show that the peer has room for
 * one that begins now. */
bool breaker_stored(struct breaker *breaker)
{
    if (breaker->state == BREAKER_PAUSED)
        return false;
    breaker->blames = breaker->doubtful = false;
    if (breaker->row == 0)
        return false;
    bool resumes = breaker->state == BREAKER_PROBING && breaker->pauses > 0;
    if (breaker->pauses <= 1) /* else a probe was refused too: it was the peer, and no instance's own matter */
        breaker->row_number++;
    flow(breaker);
    return resumes;
}

bool breaker_blames_rest(struct breaker *breaker, enum breaker_rest rest, uint64_t now_ms)
{
    if (breaker->state != BREAKER_PAUSED || breaker->pauses < BREAKER_TAIL || now_ms < breaker->resume_ms ||
        rest == REST_OTHERS)
        return false;
    breaker->blames = true;
    breaker->doubtful = rest == REST_MIXED;
    breaker->row_number++;
    flow(breaker);
    return true;
}

bool breaker_may_probe(const struct breaker *breaker, uint64_t now_ms)
{
    return breaker->state == BREAKER_PROBING || (breaker->state == BREAKER_PAUSED && now_ms >= breaker->resume_ms);
}

void breaker_probe(struct breaker *breaker)
{
    enter(breaker, BREAKER_PROBING);
    breaker->tries++;
}

uint64_t breaker_rest_ms(const struct breaker *breaker, const struct instance_trials *trials, uint32_t random)
{
    unsigned refused = trials->refused > 0 ? trials->refused : 1;
    uint64_t doubt_ms = BREAKER_DOUBT_MS;
    if (!breaker->doubtful)
        return status_rule_backoff_ms(refused + 1, random);
    for (unsigned i = 1; i < refused && doubt_ms < BREAKER_PAUSE_MAX_MS; i++)
        doubt_ms *= 2;
    return doubt_ms;
}
