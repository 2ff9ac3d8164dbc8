/*
 * breaker - what a peer that refuses for lack of room means for the whole run: is it the peer, or is it one file?
 *
 * Statuses A7xx and 0213 say "out of resources". If several instances are refused in a row, it is the peer: all workers
 * pause, which costs no instance an attempt, and after the pause one store is tried. If the peer stores others in
 * between, it is the instance's own matter and its attempts count.
 *
 *               several refused in a row                pause over
 *   FLOWING ----------------------------> PAUSED --------------------> PROBING
 *      ^                                    ^    refused: longer pause    |
 *      |                                    +-----------------------------+
 *      +------------------------------------------------------------------+
 *                                     stored, or only instances are left that were refused
 *
 * It also knows when a peer that turned associations away may be asked for one more. Pure logic on the main thread:
 * the time comes from outside, in milliseconds of any clock that does not go back.
 */
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct instance_trials;

enum {
    BREAKER_ROW = 3,                   /* so many in a row are several */
    BREAKER_TAIL = 2,                  /* so many pauses are made for the last instances of a session */
    BREAKER_PAUSE_FIRST_MS = 5 * 1000, /* doubled by each probe that is refused, up to */
    BREAKER_PAUSE_MAX_MS = 300 * 1000,
    BREAKER_GROW_FIRST_MS = 10 * 1000, /* until one more association is asked for; doubled if that was in vain, up to */
    BREAKER_GROW_MAX_MS = 300 * 1000
};

enum breaker_state {
    BREAKER_FLOWING, /* stores go out */
    BREAKER_PAUSED,  /* none begins before resume_ms */
    BREAKER_PROBING  /* one is tried */
};

struct breaker {
    enum breaker_state state;
    unsigned row;        /* refusals since the peer last stored something */
    uint64_t row_number; /* changes when a store shows that the refusals before it were the instances' own matter */
    const struct instance_trials *first; /* of the row; to be compared only */
    bool several;                        /* another one was refused in it */
    unsigned pauses;                     /* in a row */
    uint64_t resume_ms;

    uint64_t grow_ms; /* when to ask for one more association; 0 = not at all */
    uint64_t grow_delay_ms;
    bool grown; /* one more was asked for since the last was turned away */
};

/*
 * The instance of these trials was refused for lack of room. True if that is its own matter, as far as can be told:
 * `trials->refused` has grown. False if it may be the peer's, and costs no attempt. The state may be PAUSED afterwards.
 */
bool breaker_refused(struct breaker *breaker, struct instance_trials *trials, uint64_t now_ms);

/* The peer stored an instance. True if that ended a pause. */
bool breaker_stored(struct breaker *breaker);

/*
 * Nothing is left to be sent but instances that were refused, while the peer has stored all others. True if, after
 * BREAKER_TAIL pauses in vain, that is taken for their own matter: stores go out again, and each refusal counts.
 */
bool breaker_blames_rest(struct breaker *breaker, uint64_t now_ms);

/* The time has come, perhaps: true if a pause is over and the state is PROBING now. */
bool breaker_may_probe(struct breaker *breaker, uint64_t now_ms);

/* An association was turned away for the time being. */
void breaker_turned_away(struct breaker *breaker, uint64_t now_ms);

/* True once, each time that one more association may be asked for. */
bool breaker_may_grow(struct breaker *breaker, uint64_t now_ms);

/* There are as many associations as are wanted: no more growing. */
void breaker_stop_growing(struct breaker *breaker);

#endif
