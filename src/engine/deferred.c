/* deferred - see deferred.h. */
#include "engine/deferred.h"

#include <stddef.h>

#include "engine/losses.h"
#include "instance/instance.h"

void deferred_init(struct deferred *deferred)
{
    list_init(&deferred->resting);
    list_init(&deferred->aside);
    deferred->aside_from_ms = 0;
}

static struct instance *instance_of(struct list_node *node)
{
    return node != NULL ? list_entry(node, struct instance, mail.node) : NULL;
}

void deferred_rest(struct deferred *deferred, struct instance *instance)
{
    struct list_node *place = deferred->resting.head.prev;
    while (place != &deferred->resting.head &&
           instance_of(place)->trials.rest_until_ms > instance->trials.rest_until_ms)
        place = place->prev;
    list_insert_after(place, &instance->mail.node);
}

void deferred_set_aside(struct deferred *deferred, struct instance *instance, uint64_t now_ms)
{
    if (instance->trials.lost <= LOSSES_BEFORE_ASIDE)
        deferred->aside_from_ms = now_ms + LOSSES_SETTLE_MS;
    list_append(&deferred->aside, &instance->mail.node);
}

struct instance *deferred_take_rested(struct deferred *deferred, uint64_t now_ms)
{
    struct instance *first = instance_of(list_first(&deferred->resting));
    if (first == NULL || first->trials.rest_until_ms > now_ms)
        return NULL;
    list_remove(&first->mail.node);
    return first;
}

struct instance *deferred_take_aside(struct deferred *deferred, uint64_t now_ms)
{
    return deferred_aside_waits(deferred, now_ms) ? NULL : instance_of(list_pop(&deferred->aside));
}

struct instance *deferred_take_any(struct deferred *deferred)
{
    struct list_node *node = list_pop(&deferred->resting);
    return instance_of(node != NULL ? node : list_pop(&deferred->aside));
}

bool deferred_rests(const struct deferred *deferred)
{
    return !list_is_empty(&deferred->resting);
}

bool deferred_is_aside(const struct deferred *deferred)
{
    return !list_is_empty(&deferred->aside);
}

bool deferred_aside_waits(const struct deferred *deferred, uint64_t now_ms)
{
    return deferred_is_aside(deferred) && now_ms < deferred->aside_from_ms;
}
