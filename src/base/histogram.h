/*
 * histogram - a distribution of durations in fixed memory, for percentiles.
 *
 * Log-linear: 32 steps to each power of two, so a percentile is within 3.2 % of the true value; 0 to 2^42 microseconds.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_POWERS = 38, HISTOGRAM_SIZE = HISTOGRAM_STEPS * HISTOGRAM_POWERS };

struct histogram {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint32_t buckets[HISTOGRAM_SIZE];
};

/* All zero is an empty histogram. */
void histogram_add(struct histogram *histogram, uint64_t value_us);

/* The value below which `share` (0 to 1) of all lie, 0 if empty; never above max_us. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

#endif
