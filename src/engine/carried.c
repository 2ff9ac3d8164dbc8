/* carried - see carried.h. */
#include "engine/carried.h"

#include "instance/instance.h"

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
