/* clock - see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

void clock_format(uint64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char date[24];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text, CLOCK_TEXT_SIZE, "%.19s.%06uZ", date, (unsigned)(wall_us % 1000000));
}
