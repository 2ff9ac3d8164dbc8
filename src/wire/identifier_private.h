/*
 * identifier_private - how an identifier lies in memory, shared by the files it is written in:
 *   identifier.c         made, changed, walked
 *   identifier_value.c   values to and from text
 *   identifier_decode.c  from bytes
 *   identifier_encode.c  to bytes
 *
 * One block holds records behind each other, in the order of writing. A record is a header and its value:
 *
 *     tag (4, of this machine)  VR (2)  depth (1)  0 (1)  length (4, of this machine)  value ...
 *
 * A sequence is a record whose value is its items; an item is a record (DICOMNET_TAG_ITEM, "--") whose value is its
 * elements. So the next record inside is at the header's end, the next one beside at the value's end, and nothing has
 * to recurse. Values are little endian and even, as on the wire.
 */
#ifndef WIRE_IDENTIFIER_PRIVATE_H
#define WIRE_IDENTIFIER_PRIVATE_H

#include <string.h>

#include "dicomnet/identifier.h"

enum {
    RECORD_HEADER_LEN = 12,
    CONTAINERS_MAX =
        2 * DICOMNET_IDENTIFIER_DEPTH_MAX + 1 /* sequences and items that can be around an element, and the top */
};

struct record {
    uint32_t tag;
    char vr[2];
    uint8_t depth;
    uint8_t zero;
    uint32_t len;
};
_Static_assert(sizeof(struct record) == RECORD_HEADER_LEN, "a record's header has no holes");

static inline struct record record_at(const struct dicomnet_identifier *identifier, size_t at)
{
    struct record record;
    memcpy(&record, identifier->data + at, sizeof record);
    return record;
}

static inline void record_put(struct dicomnet_identifier *identifier, size_t at, const struct record *record)
{
    memcpy(identifier->data + at, record, sizeof *record);
}

/* True for sequences and items: what follows is inside them. */
static inline bool record_is_container(const struct record *record)
{
    return memcmp(record->vr, "SQ", 2) == 0 || record->tag == DICOMNET_TAG_ITEM;
}

/* Where the record at `at` ends, with all that is inside it. */
static inline size_t record_end(const struct dicomnet_identifier *identifier, size_t at)
{
    return at + RECORD_HEADER_LEN + record_at(identifier, at).len;
}

/* Make room for `more` bytes at the end. 0, DICOMNET_ERROR_IDENTIFIER_TOO_LONG or -ENOMEM. */
int identifier_reserve(struct dicomnet_identifier *identifier, size_t more);

/* Append a record with the first `len` bytes of its value, which may be none; room is made. */
int identifier_append_record(struct dicomnet_identifier *identifier, const struct record *record, const void *value,
                             size_t len);

/* The first record beside each other from `at` to `end` whose tag is `tag` or more; `end` if there is none. */
size_t identifier_find_place(const struct dicomnet_identifier *identifier, size_t at, size_t end, uint32_t tag);

/*
 * Replace the `old_len` bytes at `at` by `new_len` bytes that are still to be written there. 0 or an error; lengths
 * of records around them are the caller's.
 */
int identifier_splice(struct dicomnet_identifier *identifier, size_t at, size_t old_len, size_t new_len);

/* The byte that pads a value of this VR to even length. */
uint8_t identifier_padding(const char *vr);

#endif
