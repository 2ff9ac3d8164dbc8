/*
 * exact - bytes in a heap block of exactly their length, so that AddressSanitizer sees the first byte read past them.
 */
#ifndef SUPPORT_EXACT_H
#define SUPPORT_EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A copy of `len` bytes; free() it. Of no bytes: a block of which no byte may be read. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len);
    if (copy != NULL && len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* The next number of a small generator (xorshift), the same on every machine. `*state` is not zero. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
