/*
 * gate - whether a store may begin now. Whatever may forbid it to all workers is asked here, and nowhere else.
 *
 * Today that is the breaker alone: a peer that has no room. Time windows and an operator who pauses a session would be
 * asked here as well: a store may begin if all of them agree. A rate is too fine for it: a worker that was given a
 * study stores all of it, unless the gate shuts. Each worker would ask for it itself, as for the bytes under way
 * (flight.h).
 *
 * Pure logic on the main thread: facts and the time come from outside, in milliseconds of any clock that does not go
 * back.
 */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/breaker.h"

/* All zero is an open gate. */
struct gate {
    struct breaker breaker;
    uint64_t paused_ms; /* since when all workers pause */
};

enum gate_leave {
    GATE_OPEN,  /* stores may begin */
    GATE_TRIAL, /* one may, if nothing else is under way (the caller sees to that), and is then told: gate_try */
    GATE_SHUT   /* none may */
};

enum gate_leave gate_ask(const struct gate *gate, uint64_t now_ms);

/* The store that GATE_TRIAL allows is handed out. */
void gate_try(struct gate *gate);

/* For the choice of what is tried (plan_next_probe): the row of refusals that is under way, and how many were tried. */
uint64_t gate_row(const struct gate *gate);
unsigned gate_tries(const struct gate *gate);

/* ---- what happened ---- */

/* What a refusal for lack of room means. */
struct gate_verdict {
    bool own_matter;   /* it is the instance's own matter: trials->refused has grown. Else it costs no attempt */
    bool is_shut;      /* nothing begins now: the worker gives back what has not begun of its work */
    bool has_shut;     /* the gate was open before: so do all workers */
    bool first_pause;  /* with pause_ms: the first pause since the gate was open */
    uint64_t pause_ms; /* a pause of this length begins; 0 = none begins now */
};

/* The instance of these trials was refused for lack of room. */
struct gate_verdict gate_refused(struct gate *gate, struct instance_trials *trials, uint64_t now_ms);

/* The peer stored an instance. True if that ended a pause. */
bool gate_stored(struct gate *gate);

/*
 * True if what is left is to blame, and not the peer: the gate is open, and each refusal counts from now on. To be
 * asked when it is GATE_TRIAL, as finding out what is left may take long.
 */
bool gate_blames_rest(struct gate *gate, enum breaker_rest rest, uint64_t now_ms);

/* How long to wait before an instance is sent again that the peer refused while the gate was open. */
uint64_t gate_rest_ms(const struct gate *gate, const struct instance_trials *trials, uint32_t random);

/* ---- for who watches ---- */

/* How long all workers have paused; of a pause that has just ended. */
uint64_t gate_paused_for_ms(const struct gate *gate, uint64_t now_ms);

/* Why it is not open: how many pauses there were so far, and how long the one under way goes on, 0 = none does. */
struct gate_pause {
    unsigned pauses;
    uint64_t left_ms;
};
struct gate_pause gate_pause(const struct gate *gate, uint64_t now_ms);

#endif
