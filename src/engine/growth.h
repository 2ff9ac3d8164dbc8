/*
 * growth - when a peer that turned an association away for the time being may be asked for one more.
 *
 * Each time that one more was asked for in vain, the next try waits twice as long. Pure logic: the time comes from
 * outside, in milliseconds of any clock that does not go back.
 */
#ifndef ENGINE_GROWTH_H
#define ENGINE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GROWTH_FIRST_MS = 10 * 1000, /* until one more association is asked for; doubled if that was in vain, up to */
    GROWTH_MAX_MS = 300 * 1000
};

/* All zero: nothing was turned away. */
struct growth {
    uint64_t next_ms; /* when to ask for one more association; 0 = not at all */
    uint64_t delay_ms;
    bool grown; /* one more was asked for since the last was turned away */
};

/* An association was turned away for the time being. Several at the same time count once. */
void growth_turned_away(struct growth *growth, uint64_t now_ms);

/* True once, each time that one more association may be asked for. */
bool growth_may_grow(struct growth *growth, uint64_t now_ms);

/* There are as many associations as are wanted: no more growing. */
void growth_stop(struct growth *growth);

#endif
