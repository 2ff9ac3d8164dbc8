/*
 * slots - the stores of a courier that are prepared or under way: each an instance with its data open, in the way that
 * was agreed. The index of a slot is the number of its store (channel.h).
 */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include "dicomnet/error.h"
#include "engine/time_kind.h"
#include "files/source.h"
#include "instance/instance.h"

struct context_pair;

struct slot {
    struct source source;
    struct instance *instance;      /* owned; NULL = the slot is free */
    const struct context_pair *way; /* in which it goes out */
};

struct slots {
    struct source_options sources; /* with a decoder, owned, once something is to be converted */
    unsigned count;
    struct slot *list; /* owned */
};

/* `sources` is copied, and what it points to borrowed; it names no decoder. 0 or -ENOMEM. */
int slots_init(struct slots *slots, unsigned count, const struct source_options *sources) DICOMNET_MUST_CHECK;

/* All are free. */
void slots_fini(struct slots *slots);

/* NULL = none is free. */
struct slot *slots_find_free(const struct slots *slots);

/* Open the data of an instance in this slot, which stays free. As source_open; an error is noted in the instance. */
int slots_open(struct slots *slots, struct slot *slot, struct instance *instance,
               const struct context_pair *way) DICOMNET_MUST_CHECK;

/* Take the instance out and close its data; as source_close. What is known of why its data failed is noted in it. */
int slots_close(struct slot *slot);

/* What the time goes to in which an instance's data is opened and read, to go out on this way. */
static inline enum time_kind slots_time_kind(const struct instance *instance, const struct context_pair *way)
{
    return way == instance->pair ? TIME_STORAGE : TIME_CONVERTING;
}

/* The number of the store in it. */
static inline unsigned slots_number(const struct slots *slots, const struct slot *slot)
{
    return (unsigned)(slot - slots->list);
}

#endif
