/*
 * slowness - is storage slow? By the last 32 times that something was asked of it, and six at least: it is while seven
 * of eight took longer than a local disk takes with what it has in memory.
 *
 * A few slow ones among many are a machine that is busy, and not its storage. Any thread may note and ask; two that
 * note at the same moment may lose one of the two, which does no harm.
 */
#ifndef FILES_SLOWNESS_H
#define FILES_SLOWNESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SLOWNESS_US = 150,  /* a slow one took longer */
    SLOWNESS_ENOUGH = 6 /* that were noted, to say anything */
};

/* All zero: nothing was noted. */
struct slowness {
    _Atomic uint64_t
        recent; /* a bit each, the last one lowest: in the upper half 1 = it was, in the lower = it was slow */
};

static inline void slowness_note(struct slowness *slowness, uint64_t took_us)
{
    uint64_t recent = atomic_load_explicit(&slowness->recent, memory_order_relaxed);
    uint32_t noted = (uint32_t)(recent >> 32) << 1 | 1, slow = (uint32_t)recent << 1 | (took_us > SLOWNESS_US);
    atomic_store_explicit(&slowness->recent, (uint64_t)noted << 32 | slow, memory_order_relaxed);
}

static inline bool slowness_is_slow(const struct slowness *slowness)
{
    uint64_t recent = atomic_load_explicit(&slowness->recent, memory_order_relaxed);
    if ((uint32_t)recent == 0)
        return false;
    int noted = __builtin_popcount((uint32_t)(recent >> 32)), slow = __builtin_popcount((uint32_t)recent);
    return noted >= SLOWNESS_ENOUGH && 8 * slow >= 7 * noted;
}

#endif
