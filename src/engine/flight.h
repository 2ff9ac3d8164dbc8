/*
 * flight - how many bytes of stores may be under way on one association that has a window. Pure.
 *
 * A window is there for the time in which a peer's answer is on its way: so many bytes as the line carries in that time
 * keep it busy. More than that is no faster. It lies in the system's buffers, long enough to fall out of the caches of
 * the processors, and where the peer is near, sender and peer take the processors from each other in long stretches
 * instead of sharing what one has just written and the other is about to read.
 *
 * The time is that of the quickest answer so far, from the last byte of a store to its response. Until there is one,
 * the window alone limits. An answer is heard late while a further store is written, so where the peer turns out to be
 * near, a few stores go alone, to have their time measured.
 */
#ifndef ENGINE_FLIGHT_H
#define ENGINE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLIGHT_AT_ONCE_US = 50,     /* an answer that is this quick is there before its thread sleeps (net/tcp.h); else */
    FLIGHT_NEAR_US = 1000,      /* the peer is near: it costs nothing to look closely */
    FLIGHT_ALONE = 4,           /* so many stores go alone then */
    FLIGHT_STORES_MIN = 2,      /* one is answered while the next is sent */
    FLIGHT_BYTES_MIN = 1 << 19, /* small instances: the window alone limits */
    FLIGHT_BYTES_PER_US = 1250  /* 10 Gbit/s: what one association may reach on a line that is not near */
};

/* All zero: nothing is under way, and nothing was answered. */
struct flight {
    unsigned stores; /* under way, */
    uint64_t bytes;  /* with so many bytes of data sets */
    bool answered;
    uint64_t least_wait_us; /* if answered */
    unsigned alone_left;    /* so many are still to go alone */
};

void flight_begin(struct flight *flight, uint64_t bytes);

/* The store of so many bytes is no longer under way: it was acknowledged, or ended otherwise. */
void flight_acknowledged(struct flight *flight, uint64_t bytes, uint64_t wait_us);
void flight_ended(struct flight *flight, uint64_t bytes);

/* True if one more store may be under way, as far as bytes go. */
bool flight_may_begin(const struct flight *flight);

#endif
