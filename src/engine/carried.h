/*
 * carried - what one association has carried, and whether the next instance may go on it. Pure.
 *
 * An instance that was set aside (losses.h) goes alone over an association of its own. All others share one until it
 * has reached a limit: one that the user gave, or one that the peer is known to have.
 */
#ifndef ENGINE_CARRIED_H
#define ENGINE_CARRIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/figures.h"

struct instance;

/* Whom an association is for. */
enum carried_use {
    USE_UNDECIDED, /* no store has begun on it */
    USE_SHARED,    /* it carries one instance after another */
    USE_ALONE      /* it carries one that was set aside, and no other */
};

/* All zero: an association that is asked for. */
struct carried {
    enum carried_use use;
    bool new_wanted;         /* an instance that is to be sent again wants another association */
    uint64_t opened_ms;      /* of the loop's clock */
    uint64_t begun;          /* stores, */
    uint64_t bytes_begun;    /* of their data sets */
    uint64_t stored, failed; /* answered stores: acknowledged (warnings too), and failed */
    uint64_t bytes;          /* data set bytes acknowledged */
    uint64_t store_us;       /* time with a store under way; with several, once */
};

/* True if this instance wants another association. `store_max`: the peer ends associations after that many stores; 0 =
 * not known to. `now_ms` is of the loop's clock. */
bool carried_wants_another(const struct carried *carried, const struct instance *instance,
                           const struct session_limit *limit, uint64_t store_max, uint64_t now_ms);

/* The store of an instance begins; and: it did not begin after all. */
void carried_begin(struct carried *carried, const struct instance *instance);
void carried_unbegin(struct carried *carried, const struct instance *instance);

/* True if the peer has answered a store on it. */
static inline bool carried_is_answered(const struct carried *carried)
{
    return carried->stored + carried->failed > 0;
}

#endif
