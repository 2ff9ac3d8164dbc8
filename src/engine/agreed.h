/*
 * agreed - what an association was asked for, and what was agreed on it: in which way (study.h) the instances of a pair
 * go out on it, if in any.
 *
 * An instance goes in the first of its ways that the association has a context for. But it is not sent in a lesser way,
 * nor given up, on an association that was not asked for a better one: then it wants another.
 */
#ifndef ENGINE_AGREED_H
#define ENGINE_AGREED_H

#include <stddef.h>

#include "engine/proposal.h"

struct channel;

enum agreement_kind {
    AGREED_WAY,     /* they go out in `way` */
    AGREED_NOTHING, /* the peer takes them in none of their ways: it was asked for each */
    AGREED_UNKNOWN  /* it was not asked for all that counts: they want another association */
};

/* Of the instances with this pair. */
struct agreement {
    const struct context_pair *pair;
    enum agreement_kind kind;
    const struct context_pair *way; /* AGREED_WAY: `pair` itself = as they lie */
    int context;                    /* of the channel, for channel_request */
};

struct agreed {
    struct proposal asked;
    size_t known_count;
    struct agreement known[DICOMNET_PDU_CONTEXTS_MAX]; /* what was looked up so far */
    const struct agreement *last;                      /* of them; the next instance's is most likely the same */
};

/* An association is asked for this, which is copied. */
void agreed_init(struct agreed *agreed, const struct proposal *asked);

/* As agreed_find, which it is for. */
const struct agreement *agreed_look_up(struct agreed *agreed, struct channel *channel, const struct context_pair *pair);

/* What was agreed on this channel, which is open, for instances with that pair. Valid until the next look-up. */
static inline const struct agreement *agreed_find(struct agreed *agreed, struct channel *channel,
                                                  const struct context_pair *pair)
{
    if (agreed->last != NULL && agreed->last->pair == pair)
        return agreed->last;
    return agreed_look_up(agreed, channel, pair);
}

#endif
