/* slots - see slots.h. */
#include "engine/slots.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/study.h"
#include "files/decoder.h"

int slots_init(struct slots *slots, unsigned count, const struct source_options *sources)
{
    *slots = (struct slots){.sources = *sources, .count = count, .list = calloc(count, sizeof slots->list[0])};
    return slots->list != NULL ? 0 : -ENOMEM;
}

void slots_fini(struct slots *slots)
{
    decoder_destroy(slots->sources.decoder);
    free(slots->list);
}

struct slot *slots_find_free(const struct slots *slots)
{
    for (unsigned i = 0; i < slots->count; i++)
        if (slots->list[i].instance == NULL)
            return &slots->list[i];
    return NULL;
}

/* Of what goes out as it lies there is nothing that the error does not say. */
static void note_failure(const struct slot *slot, struct instance *instance)
{
    const char *text = source_failure_text(&slot->source);
    if (text[0] != '\0')
        instance_note(instance, "%s", text);
}

int slots_open(struct slots *slots, struct slot *slot, struct instance *instance, const struct context_pair *way)
{
    if (way != instance->pair && slots->sources.decoder == NULL)
        slots->sources.decoder = decoder_create(NULL);
    int error = source_open(&slot->source, instance, way->syntax_uid, &slots->sources);
    instance_drop_hold(instance); /* the source has taken what it needs of it */
    slot->way = way;
    if (error != 0)
        note_failure(slot, instance);
    return error;
}

int slots_close(struct slot *slot)
{
    struct instance *instance = slot->instance;
    slot->instance = NULL;
    int error = source_close(&slot->source);
    note_failure(slot, instance);
    return error;
}
