/* pair_counts - see pair_counts.h. */
#include "report/pair_counts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The item of this pair, new if need be: then the last one. NULL if out of memory. */
static struct pair_count *find_item(struct pair_counts *counts, const char *first, const char *second)
{
    for (size_t i = 0; i < counts->count; i++)
        if (strcmp(counts->items[i].first, first) == 0 && strcmp(counts->items[i].second, second) == 0)
            return &counts->items[i];
    if (counts->count == counts->room) {
        size_t room = counts->room > 0 ? counts->room * 2 : 8;
        struct pair_count *more = realloc(counts->items, room * sizeof *more);
        if (more == NULL)
            return NULL;
        counts->items = more;
        counts->room = room;
    }
    struct pair_count *item = &counts->items[counts->count++];
    *item = (struct pair_count){.files = 0};
    snprintf(item->first, sizeof item->first, "%s", first);
    snprintf(item->second, sizeof item->second, "%s", second);
    return item;
}

int pair_counts_add(struct pair_counts *counts, const char *first, const char *second, uint64_t bytes)
{
    struct pair_count *item = find_item(counts, first, second);
    if (item == NULL)
        return -ENOMEM;
    item->files++;
    item->bytes += bytes;
    counts->files++;
    for (; item > counts->items && item[-1].files < item->files; item--) {
        struct pair_count before = item[-1];
        item[-1] = *item;
        *item = before;
    }
    return 0;
}

void pair_counts_fini(struct pair_counts *counts)
{
    free(counts->items);
    *counts = (struct pair_counts){0};
}
