/* read_ahead - see read_ahead.h. */
#include "engine/read_ahead.h"

enum {
    COPIED_BYTES_PER_US = 1000, /* by a machine that is not quick */
    READINGS_ENOUGH = 32,       /* to know better than the scan */
    REMOTE_DEPTH = 2,
    FIRST_DEPTH = 4,                   /* before it is known how long anything takes */
    WEIGHT = 8,                        /* the newest duration has a weight of one in so many */
    READING_US_MAX = 10 * 1000 * 1000, /* one that hangs says nothing of the next ones */
    STORE_US_MIN = 20,
    STORE_US_MAX = 1000 * 1000
};

static uint64_t average(uint64_t so_far_us, uint64_t us)
{
    return so_far_us == 0 ? us : (so_far_us * (WEIGHT - 1) + us) / WEIGHT;
}

uint64_t read_ahead_without_copying(uint64_t took_us, uint64_t bytes)
{
    uint64_t copying_us = bytes / COPIED_BYTES_PER_US;
    return took_us > copying_us ? took_us - copying_us : 0;
}

void read_ahead_note_reading(struct read_ahead *ahead, uint64_t took_us, uint64_t bytes)
{
    slowness_note(&ahead->slowness, read_ahead_without_copying(took_us, bytes));
    ahead->readings++;
    ahead->latency_us = average(ahead->latency_us, took_us < READING_US_MAX ? took_us : READING_US_MAX);
}

void read_ahead_note_store(struct read_ahead *ahead, uint64_t took_us)
{
    if (took_us < STORE_US_MIN)
        took_us = STORE_US_MIN;
    if (took_us <= STORE_US_MAX) /* more is a pause, and no store */
        ahead->store_us = average(ahead->store_us, took_us);
}

unsigned read_ahead_depth(const struct read_ahead *ahead, const struct read_ahead_scan *scan)
{
    bool slow = ahead->readings < READINGS_ENOUGH ? scan->slow || slowness_is_slow(&ahead->slowness)
                                                  : slowness_is_slow(&ahead->slowness);
    if (!slow)
        return scan->remote ? REMOTE_DEPTH : 0;
    if (ahead->store_us == 0 || ahead->latency_us == 0)
        return FIRST_DEPTH;
    uint64_t depth = (ahead->latency_us + ahead->store_us - 1) / ahead->store_us + 1;
    return depth < READ_AHEAD_DEPTH_MAX ? (unsigned)depth : READ_AHEAD_DEPTH_MAX;
}
