/* carried - see carried.h. */
#include "engine/carried.h"

#include <string.h>

#include "engine/plan.h"
#include "instance/instance.h"

void carried_init(struct carried *carried, const struct work *work)
{
    *carried = (struct carried){.use = USE_UNDECIDED, .asked_count = work->pair_count};
    for (size_t i = 0; i < work->pair_count; i++)
        carried->asked[i] = work->pairs[i];
}

const struct context_pair *carried_find_asked(const struct carried *carried, const struct instance *instance)
{
    for (size_t i = 0; i < carried->asked_count; i++)
        if (strcmp(carried->asked[i]->class_uid, instance->file.class_uid) == 0 &&
            strcmp(carried->asked[i]->syntax_uid, instance->file.syntax_uid) == 0)
            return carried->asked[i];
    return NULL;
}

bool carried_wants_another(const struct carried *carried, const struct instance *instance,
                           const struct session_limit *limit, uint64_t store_max, uint64_t now_ms)
{
    if (carried->use == USE_UNDECIDED)
        return false;
    return carried->use == USE_ALONE || instance->trials.aside || (store_max > 0 && carried->begun >= store_max) ||
           (limit->stores > 0 && carried->begun >= limit->stores) ||
           (limit->bytes > 0 && carried->bytes_begun >= limit->bytes) ||
           (limit->ms > 0 && now_ms - carried->opened_ms >= limit->ms);
}

void carried_begin(struct carried *carried, const struct instance *instance)
{
    carried->use = instance->trials.aside ? USE_ALONE : USE_SHARED;
    carried->begun++;
    carried->bytes_begun += instance_wire_len(instance);
}

void carried_unbegin(struct carried *carried, const struct instance *instance)
{
    carried->begun--;
    carried->bytes_begun -= instance_wire_len(instance);
    if (carried->begun == 0)
        carried->use = USE_UNDECIDED;
}
