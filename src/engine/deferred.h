/*
 * deferred - instances that are to be sent again, and not yet.
 *
 *   resting     the peer had no room for them (breaker.h): each until its own time
 *   set aside   associations ended while they were in flight (losses.h): one by one, when nothing else is to be sent,
 *               and not before the peer has had a moment to recover from the last loss
 *
 * They are in no plan and with no worker meanwhile. On the main thread; the time comes from outside, in milliseconds
 * of any clock that does not go back.
 */
#ifndef ENGINE_DEFERRED_H
#define ENGINE_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct instance;

struct deferred {
    struct list resting;    /* in the order of their times, trials.rest_until_ms */
    struct list aside;      /* in the order they came */
    uint64_t aside_from_ms; /* none of `aside` is sent before */
};

void deferred_init(struct deferred *deferred);

/* It rests until trials.rest_until_ms; it belongs to the list until it is taken out again. */
void deferred_rest(struct deferred *deferred, struct instance *instance);

/* It was in flight at the end of an association, and is set aside; the list's as above. */
void deferred_set_aside(struct deferred *deferred, struct instance *instance, uint64_t now_ms);

/* Take one whose rest is over; NULL if there is none. It is the caller's. */
struct instance *deferred_take_rested(struct deferred *deferred, uint64_t now_ms);

/* Take the first that was set aside, if its time has come; NULL if not. That nothing else is to be sent is for the
 * caller to see to. */
struct instance *deferred_take_aside(struct deferred *deferred, uint64_t now_ms);

/* Take any, whatever its time: for the end of a session. NULL if there is none. */
struct instance *deferred_take_any(struct deferred *deferred);

/* True if some rest. */
bool deferred_rests(const struct deferred *deferred);

/* True if some are set aside; and if so, and the first of them may not be sent yet. */
bool deferred_is_aside(const struct deferred *deferred);
bool deferred_aside_waits(const struct deferred *deferred, uint64_t now_ms);

#endif
