/* keeping - see keeping.h. */
#include "engine/keeping.h"

static void on_flushed(struct record_flush *flush)
{
    struct keeping *keeping = list_entry(flush, struct keeping, flush);
    keeping->flushing = false;
    keeping->answered(keeping->user, flush->problem);
}

void keeping_init(struct keeping *keeping, const struct record *record,
                  void (*answered)(void *user, const char *problem), void *user)
{
    *keeping = (struct keeping){.record = record, .answered = answered, .user = user};
}

void keeping_add(struct keeping *keeping, const struct instance *instance)
{
    if (keeping->record == NULL)
        return;
    keeping->record->keep(keeping->record->user, instance);
    keeping->dirty = true;
}

void keeping_flush(struct keeping *keeping)
{
    if (!keeping->dirty || keeping->flushing)
        return;
    keeping->dirty = false;
    keeping->flushing = true;
    keeping->flush = (struct record_flush){.answered = on_flushed};
    if (keeping->record->flush(keeping->record->user, &keeping->flush) == RECORD_NOW)
        on_flushed(&keeping->flush);
}

bool keeping_is_settled(const struct keeping *keeping)
{
    return !keeping->dirty && !keeping->flushing;
}
