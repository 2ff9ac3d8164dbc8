/* uid_set - see uid_set.h. */
#include "engine/uid_set.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"

enum { FIRST_SLOTS = 256 };

uint64_t uid_set_hash(const char *uid)
{
    uint64_t hash = hash_text(uid);
    return hash != 0 ? hash : 1;
}

/* Where the hash is, or would go. There is a free slot. */
static uint64_t *find_slot(const struct uid_set *set, uint64_t hash)
{
    size_t at = (size_t)hash & (set->slot_count - 1);
    while (set->slots[at] != 0 && set->slots[at] != hash)
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

static bool grow(struct uid_set *set)
{
    struct uid_set grown = {.slot_count = set->slot_count > 0 ? 2 * set->slot_count : FIRST_SLOTS, .count = set->count};
    grown.slots = (uint64_t *)calloc(grown.slot_count, sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != 0)
            *find_slot(&grown, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = grown;
    return true;
}

int uid_set_add(struct uid_set *set, const char *uid)
{
    if (5 * (set->count + 1) > 4 * set->slot_count && !grow(set))
        return -ENOMEM;
    uint64_t hash = uid_set_hash(uid), *slot = find_slot(set, hash);
    if (*slot != 0)
        return 0;
    *slot = hash;
    set->count++;
    return 1;
}

void uid_set_fini(struct uid_set *set)
{
    free(set->slots);
    *set = (struct uid_set){0};
}
