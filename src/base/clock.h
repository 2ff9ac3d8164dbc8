/*
 * clock - the two clocks: one to measure with, one to show to people.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds of the monotonic clock: for durations, never shown. */
uint64_t clock_monotonic_us(void);

/* Microseconds since the Unix epoch: for logs and reports. */
uint64_t clock_wall_us(void);

enum { CLOCK_TEXT_SIZE = 32 };

/* "2026-03-01T12:00:00.123456Z" (UTC, RFC 3339) into `ret_text` of CLOCK_TEXT_SIZE bytes. */
void clock_format(uint64_t wall_us, char ret_text[CLOCK_TEXT_SIZE]);

#endif
