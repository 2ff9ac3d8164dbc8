/*
 * histogram - see histogram.h.
 *
 * Values below 2 * STEPS have a bucket each; above, a value's bucket is its power of two and the next five bits.
 */
#include "base/histogram.h"

enum { STEP_BITS = 5 };

static unsigned bucket_of(uint64_t value_us)
{
    if (value_us < 2 * HISTOGRAM_STEPS)
        return (unsigned)value_us;
    unsigned shift = 63 - STEP_BITS - (unsigned)__builtin_clzll(value_us);
    unsigned bucket = shift * HISTOGRAM_STEPS + (unsigned)(value_us >> shift);
    return bucket < HISTOGRAM_SIZE ? bucket : HISTOGRAM_SIZE - 1;
}

/* The largest value that falls into a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    uint64_t step = bucket - shift * HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    histogram->count++;
    histogram->sum_us += value_us;
    if (value_us > histogram->max_us)
        histogram->max_us = value_us;
    histogram->buckets[bucket_of(value_us)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count + 0.5);
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_SIZE; bucket++) {
        seen += histogram->buckets[bucket];
        if (histogram->buckets[bucket] > 0 && seen >= wanted) {
            uint64_t top = bucket_top(bucket);
            return top < histogram->max_us ? top : histogram->max_us;
        }
    }
    return histogram->max_us;
}
