/*
 * address_race - which address of a host is tried when (RFC 8305, "Happy Eyeballs").
 *
 * The addresses of a host are tried one after the other, and none waits for the end of the one before: it begins a
 * moment later, or at once when another has failed. So an address behind which everything is swallowed costs a quarter
 * of a second and not a whole timeout, and an address that answers in time is not rivalled.
 *
 * Pure logic: facts and the time go in, a verdict comes out. net/dial.h has the sockets.
 */
#ifndef NET_ADDRESS_RACE_H
#define NET_ADDRESS_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADDRESS_RACE_MAX = 32,           /* addresses of one host; further ones are not tried */
    ADDRESS_RACE_STAGGER_MS = 250,   /* the Connection Attempt Delay that RFC 8305 (8) recommends */
    ADDRESS_RACE_STAGGER_MIN_MS = 10 /* and the least that it allows */
};

struct address_race {
    unsigned count, started, failed; /* addresses */
    uint32_t stagger_ms;
    uint64_t started_ms; /* when the last of them was */
    bool next_now;       /* one has failed since */
    int error;           /* what to tell if none connects: see address_race_failed */
};

enum address_race_step {
    ADDRESS_RACE_START, /* the next one, now */
    ADDRESS_RACE_WAIT,  /* for what the started ones do, and for so long at most; 0 ms = as long as it takes */
    ADDRESS_RACE_OVER   /* all have failed */
};

/*
 * The order in which to try them: families in turn, beginning with that of the first, and within a family as they were
 * given, which is how the system prefers them (RFC 6724). ret_order[0] is the index of the first to try.
 */
void address_race_order(const int *families, size_t count, size_t *ret_order);

/*
 * `count` addresses, at most ADDRESS_RACE_MAX, within timeout_ms (0 = for ever). They begin ADDRESS_RACE_STAGGER_MS
 * apart, or closer where there are so many that the last ones would have less than half of the time.
 */
void address_race_init(struct address_race *race, size_t count, uint32_t timeout_ms);

/* The next one was started; one has failed. */
void address_race_started(struct address_race *race, uint64_t now_ms);

/*
 * Of several errors the last is kept; but that this machine has no way to an address says little where another failed
 * in another way.
 */
void address_race_failed(struct address_race *race, int error);

enum address_race_step address_race_next(const struct address_race *race, uint64_t now_ms, uint32_t *ret_wait_ms);

#endif
