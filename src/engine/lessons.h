/*
 * lessons - what a worker has learnt about the peer, from its own stores and from those of others (MAIL_LESSON). Pure.
 */
#ifndef ENGINE_LESSONS_H
#define ENGINE_LESSONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/pdu.h"

struct context_pair;

/* All zero: nothing yet. */
struct lessons {
    uint64_t store_max;       /* the peer ends associations after so many stores; 0 = not known to */
    bool busy;                /* its last answer to this worker said that it is out of resources */
    unsigned unauthorised;    /* answers 0124 (not authorised) to this worker in a row */
    size_t unsupported_count; /* pairs whose class it accepts and cannot store: one pair for each class */
    const struct context_pair *unsupported[DICOMNET_PDU_CONTEXTS_MAX];
};

/* The peer answered this status to an instance of that pair (NULL = not known which). */
void lessons_take_status(struct lessons *lessons, uint16_t status, const struct context_pair *pair);

/* The peer cannot store the class of this pair, which is borrowed as long as the lessons live. NULL is fine. */
void lessons_learn_unsupported(struct lessons *lessons, const struct context_pair *pair);

/* True if the peer has answered 0122 to an instance of this class, though it accepts it: no other need be sent. */
bool lessons_is_unsupported(const struct lessons *lessons, const char *class_uid);

#endif
