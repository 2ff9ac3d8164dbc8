/*
 * breaker - what a peer that refuses for lack of room means for the whole run: is it the peer, or is it one file?
 *
 * Statuses A7xx and 0213 say "out of resources". If several instances are refused in a row, nothing else begins, and a
 * few that were not refused yet are tried at once, one by one, of other studies if there are any. If one is stored, the
 * refusals are the instances' own matter, and their attempts count. If none is, it is the peer: all workers pause,
 * which costs no instance an attempt, and after the pause one store is tried.
 *
 *               several refused in a row              time has come
 *   FLOWING ----------------------------> PAUSED --------------------> PROBING
 *      ^                                    ^    refused: longer pause    |
 *      |                                    +-----------------------------+
 *      +------------------------------------------------------------------+
 *                                     stored, or what is left is to blame
 *
 * After two pauses in vain what is left is to blame, if nothing is left but what was refused, be it in an earlier
 * session; or if nothing is left of any study but those that are refused, while the peer has stored others.
 *
 * Pure logic on the main thread: the time comes from outside, in milliseconds of any clock that does not go back.
 */
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct instance_trials;

enum {
    BREAKER_ROW = 3,   /* refusals in a row, of several instances, after which no other store begins */
    BREAKER_TRIES = 3, /* stores that are tried at once, before the first pause */
    BREAKER_TAIL = 2,  /* pauses after which nothing was stored; then what is left of the session is held responsible */
    BREAKER_DOUBT_MS = 10 * 1000, /* between attempts while it may be the peer or the instance; doubled each time */
    BREAKER_PAUSE_FIRST_MS = 5 * 1000, /* doubled by each probe that is refused, up to */
    BREAKER_PAUSE_MAX_MS = 300 * 1000
};

enum breaker_state {
    BREAKER_FLOWING, /* stores begin as work turns up; refusals are counted */
    BREAKER_PAUSED,  /* no store begins before resume_ms; what was under way comes to its end */
    BREAKER_PROBING  /* one store after the other, to see whether the peer has room */
};

struct breaker {
    enum breaker_state state; /* changes in one place, breaker.c */
    unsigned row;             /* refusals since the peer last stored something */
    uint64_t row_number; /* changes when a store shows that the refusals before it were the instances' own matter */
    const struct instance_trials *first; /* in this row: an address to compare with, never followed */
    bool several;                        /* another instance was refused in this row as well */
    unsigned tries;                      /* stores that were tried since it last flowed */
    unsigned pauses; /* since it last flowed; 0 in PAUSED: it only waits for what is under way, there is no pause yet */
    bool blames;     /* what is refused from now on is the instance's matter, until one is stored */
    bool doubtful;   /* with `blames`: it may be the peer all the same, so there is more time between attempts */
    uint64_t resume_ms;
};

/*
 * The instance of these trials was refused for lack of room. True if that is its own matter, as far as can be told:
 * `trials->refused` has grown. False if it may be the peer's, and costs no attempt. The state may be PAUSED afterwards.
 */
bool breaker_refused(struct breaker *breaker, struct instance_trials *trials, uint64_t now_ms);

/* The peer stored an instance. True if that ended a pause. */
bool breaker_stored(struct breaker *breaker);

/* What is left to be sent. */
enum breaker_rest {
    REST_OTHERS,   /* instances of other studies than those refused; or the peer has not stored anything */
    REST_MIXED,    /* not yet refused ones, of refused studies of which some instances are stored */
    REST_SIBLINGS, /* not yet refused ones, of refused studies of which nothing is stored, while others are */
    REST_REFUSED   /* nothing but what was refused, in this session or, in vain, in an earlier one */
};

/* True if, after BREAKER_TAIL pauses in vain, the rest is to blame: stores go out again, and each refusal counts. */
bool breaker_blames_rest(struct breaker *breaker, enum breaker_rest rest, uint64_t now_ms);

/* True if one store may be tried now. The caller sees to it that no other is under way. */
bool breaker_may_probe(const struct breaker *breaker, uint64_t now_ms);

/* It is tried. */
void breaker_probe(struct breaker *breaker);

/* How long an instance rests that was refused and whose matter it is, or may be. */
uint64_t breaker_rest_ms(const struct breaker *breaker, const struct instance_trials *trials, uint32_t random);

#endif
