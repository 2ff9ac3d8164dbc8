/*
 * proposal - the pairs (study.h) that an association is asked for, each as a presentation context of its own. Pure.
 *
 * With the ways of an instance all or none of them are in it, so that the association leaves nothing open: what it
 * takes in none of its ways, the peer does not take.
 */
#ifndef ENGINE_PROPOSAL_H
#define ENGINE_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/pdu.h"

struct context_pair;

/* All zero: none. */
struct proposal {
    size_t count;
    const struct context_pair *pairs[DICOMNET_PDU_CONTEXTS_MAX]; /* each once; borrowed as long as it is used */
};

/* Add all ways of instances with this pair; false, and nothing is added, if there is no room for all. */
bool proposal_add_ways(struct proposal *proposal, const struct context_pair *pair);

/* Add what may come of instances with these pairs, as far as there is room: how they lie before what they become. */
void proposal_fill(struct proposal *proposal, struct context_pair *const *pairs, size_t count);

/* Put the pairs in which something lies before those that things only become; each kind stays in the order it is in. */
void proposal_order(struct proposal *proposal);

#endif
