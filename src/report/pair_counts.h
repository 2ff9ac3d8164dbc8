/*
 * pair_counts - files counted by two UIDs, as by the transfer syntaxes they lie in and went out in: how many, and how
 * many bytes.
 */
#ifndef REPORT_PAIR_COUNTS_H
#define REPORT_PAIR_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "dicomnet/uid.h"

struct pair_count {
    char first[DICOMNET_UID_SIZE], second[DICOMNET_UID_SIZE];
    uint64_t files;
    uint64_t bytes; /* of their data sets as they lie in the files */
};

/* All zero is none. */
struct pair_counts {
    struct pair_count *items; /* owned; those with the most files first */
    size_t count, room;
    uint64_t files; /* of all items */
};

/* One more file of this pair. 0 or -ENOMEM: then it is not counted. */
int pair_counts_add(struct pair_counts *counts, const char *first, const char *second,
                    uint64_t bytes) DICOMNET_MUST_CHECK;

void pair_counts_fini(struct pair_counts *counts);

#endif
