/* identity_set - see identity_set.h. */
#include "files/identity_set.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SIZE_MIN = 256 };

/* Where (device, inode) is, or would go. The set has a free place. */
static struct identity *find_place(const struct identity_set *set, uint64_t device, uint64_t inode)
{
    uint64_t hash = (inode ^ device << 32 ^ device >> 32) * 0x9e3779b97f4a7c15;
    size_t at = (size_t)(hash >> 20) & (set->size - 1);
    while (set->places[at].inode != 0 && (set->places[at].inode != inode || set->places[at].device != device))
        at = (at + 1) & (set->size - 1);
    return &set->places[at];
}

static bool grow(struct identity_set *set)
{
    size_t size = set->size == 0 ? SIZE_MIN : set->size * 2;
    struct identity_set grown = {.size = size, .count = set->count};
    grown.places = (struct identity *)calloc(size, sizeof *grown.places);
    if (grown.places == NULL)
        return false;
    for (size_t i = 0; i < set->size; i++) {
        if (set->places[i].inode != 0)
            *find_place(&grown, set->places[i].device, set->places[i].inode) = set->places[i];
    }
    free(set->places);
    *set = grown;
    return true;
}

int identity_set_add(struct identity_set *set, uint64_t device, uint64_t inode)
{
    if (inode == 0)
        return 1;
    if ((set->count + 1) * 2 > set->size && !grow(set))
        return -ENOMEM;
    struct identity *place = find_place(set, device, inode);
    if (place->inode != 0)
        return 0;
    *place = (struct identity){.device = device, .inode = inode};
    set->count++;
    return 1;
}

void identity_set_fini(struct identity_set *set)
{
    free(set->places);
    *set = (struct identity_set){0};
}
