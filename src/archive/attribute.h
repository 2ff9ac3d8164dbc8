/*
 * attribute - what the archive knows of patients, studies, series and instances, and can be asked for (PS3.4 C.6).
 *
 * A stored attribute is a column of the index; its value comes from the first instance of its patient, study or series.
 * A computed one is an expression over the index (counts, the modalities of a study). Both can be matched and returned.
 */
#ifndef ARCHIVE_ATTRIBUTE_H
#define ARCHIVE_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/identifier.h"
#include "dicomnet/query_retrieve.h"

enum { ATTRIBUTES_MAX = 96, ATTRIBUTE_VALUE_SIZE = 1024 /* longest value in UTF-8, NUL included */ };

struct attribute {
    uint32_t tag;
    enum dicomnet_query_level level; /* whose it is */
    const char *name;                /* of its column; the keyword */
    const char *expression;          /* NULL for a stored one */
};

/* By level, from the patient down. */
extern const struct attribute attributes[];
extern const size_t attribute_count;

/* The attribute with this tag, or NULL. */
const struct attribute *attribute_find(uint32_t tag);

/* "patient", "study", "series", "instance": the table of a level. */
const char *attribute_table(enum dicomnet_query_level level);

/*
 * The text of a key as UTF-8, a number as decimal text; `element` is of this identifier, `vr` what it is by the
 * dictionary. NULL if memory is short; the caller frees it.
 */
char *attribute_read_key(const struct dicomnet_identifier *identifier, const struct dicomnet_element *element,
                         const char *vr);

/* The values of one instance's stored attributes, UTF-8, trimmed, "" where it has none; by index of `attributes`. */
struct attribute_values {
    char *texts[ATTRIBUTES_MAX]; /* into `room` or "" */
    size_t used;
    char character_set[ATTRIBUTE_VALUE_SIZE];
    char room[24 * 1024];
};

/* Forget all values. */
void attribute_values_clear(struct attribute_values *values);

/*
 * Keep a value, as it stands in a data set of that character set ("" = ASCII); nothing happens if it is no stored
 * attribute, is too long, or was there before.
 */
void attribute_values_set(struct attribute_values *values, uint32_t tag, struct dicomnet_span value, bool big_endian);

/* The value of a stored attribute; "" if it is not there. */
const char *attribute_values_get(const struct attribute_values *values, uint32_t tag);

#endif
