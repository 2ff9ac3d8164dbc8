/*
 * lessons - what was learnt about the peer and holds for every worker, and for the rest of the session. Pure.
 *
 * The session has one of these for all (peer.h) and tells each worker what is new (MAIL_LESSON); each worker has its
 * own, which its own stores add to as well.
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
    uint64_t store_max;       /* stores after which the peer ends an association; 0 = it is not known to */
    size_t unsupported_count; /* classes that it accepts and cannot store (status 0122) */
    const struct context_pair *unsupported[DICOMNET_PDU_CONTEXTS_MAX]; /* one pair of each such class */
};

/* The peer cannot store the class of this pair, which is borrowed as long as the lessons live. True if that is new. */
bool lessons_learn_unsupported(struct lessons *lessons, const struct context_pair *pair);

/* True if the peer has answered 0122 to an instance of this class, though it accepts it: no other need be sent. */
bool lessons_is_unsupported(const struct lessons *lessons, const char *class_uid);

#endif
