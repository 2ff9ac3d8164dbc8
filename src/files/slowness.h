/*
 * slowness - is storage slow? By the last 32 times that something was asked of it: it is while three of four took
 * longer than a local disk takes with what it has in memory.
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
    SLOWNESS_US = 150,   /* a slow one took longer */
    SLOWNESS_ENOUGH = 24 /* of the last 32 */
};

/* All zero: nothing was slow. */
struct slowness {
    _Atomic uint32_t recent; /* a bit each, the last one lowest: 1 = it was slow */
};

static inline void slowness_note(struct slowness *slowness, uint64_t took_us)
{
    uint32_t recent = atomic_load_explicit(&slowness->recent, memory_order_relaxed);
    atomic_store_explicit(&slowness->recent, recent << 1 | (took_us > SLOWNESS_US), memory_order_relaxed);
}

static inline bool slowness_is_slow(const struct slowness *slowness)
{
    uint32_t recent = atomic_load_explicit(&slowness->recent, memory_order_relaxed);
    return recent != 0 && __builtin_popcount(recent) >= SLOWNESS_ENOUGH;
}

#endif
