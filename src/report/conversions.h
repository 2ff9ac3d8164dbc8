/*
 * conversions - how many instances went out in another transfer syntax than they lie in, by where from and where to.
 */
#ifndef REPORT_CONVERSIONS_H
#define REPORT_CONVERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/uid.h"

struct instance;
struct text;

struct conversion {
    char from[DICOMNET_UID_SIZE], to[DICOMNET_UID_SIZE]; /* UIDs of transfer syntaxes */
    uint64_t files;
    uint64_t bytes; /* of their data sets as they lie in the files, not as they went out */
};

/* All zero is none. Used on one thread. */
struct conversions {
    struct conversion *items; /* owned; the commonest first */
    size_t count, room;
    uint64_t files; /* of all items */
};

/* Count it, if it was converted and stored in this session; of all others nothing is done. 0 or -ENOMEM. */
int conversions_add(struct conversions *conversions, const struct instance *instance);

void conversions_fini(struct conversions *conversions);

/* "JPEG Lossless to Explicit VR Little Endian". */
void conversions_put_pair(struct text *text, const char *from, const char *to);

/*
 * The commonest and what is left of the others, in one line: "JPEG Lossless to Explicit VR Little Endian", or "250 ...
 * to ..., 60 ... to ..., 2 otherwise". Nothing if there are none.
 */
void conversions_put(struct text *text, const struct conversions *conversions);

#endif
