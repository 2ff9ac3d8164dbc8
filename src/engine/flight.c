/* flight - see flight.h. */
#include "engine/flight.h"

#include <assert.h>

void flight_begin(struct flight *flight, uint64_t bytes)
{
    flight->stores++;
    flight->bytes += bytes;
}

void flight_ended(struct flight *flight, uint64_t bytes)
{
    assert(flight->stores > 0 && flight->bytes >= bytes);
    flight->alone_left -= flight->stores == 1 && flight->alone_left > 0;
    flight->stores--;
    flight->bytes -= bytes;
}

void flight_acknowledged(struct flight *flight, uint64_t bytes, uint64_t wait_us)
{
    bool was_near = flight->answered && flight->least_wait_us < FLIGHT_NEAR_US;
    flight_ended(flight, bytes);
    if (!flight->answered || wait_us < flight->least_wait_us)
        flight->least_wait_us = wait_us;
    flight->answered = true;
    if (!was_near && flight->least_wait_us < FLIGHT_NEAR_US)
        flight->alone_left = FLIGHT_ALONE;
}

bool flight_may_begin(const struct flight *flight)
{
    if (!flight->answered || flight->bytes < FLIGHT_BYTES_MIN)
        return true;
    if (flight->alone_left > 0)
        return false;
    bool overlaps = flight->least_wait_us > FLIGHT_AT_ONCE_US && flight->stores < FLIGHT_STORES_MIN;
    return overlaps || flight->bytes / FLIGHT_BYTES_PER_US < flight->least_wait_us;
}
