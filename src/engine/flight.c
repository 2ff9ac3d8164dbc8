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
    flight->stores--;
    flight->bytes -= bytes;
}

void flight_acknowledged(struct flight *flight, uint64_t bytes, uint64_t wait_us)
{
    flight_ended(flight, bytes);
    if (!flight->answered || wait_us < flight->least_wait_us)
        flight->least_wait_us = wait_us;
    flight->answered = true;
}

bool flight_may_begin(const struct flight *flight)
{
    return !flight->answered || flight->stores < FLIGHT_STORES_MIN || flight->bytes < FLIGHT_BYTES_MIN ||
           flight->bytes / FLIGHT_BYTES_PER_US < flight->least_wait_us;
}
