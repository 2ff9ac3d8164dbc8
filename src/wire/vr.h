/*
 * vr - the value representations (PS3.5 6.2) and how they are encoded (PS3.5 7.1.2).
 */
#ifndef WIRE_VR_H
#define WIRE_VR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vr_kind { VR_TEXT, VR_SIGNED, VR_UNSIGNED, VR_FLOAT, VR_TAG, VR_BYTES, VR_SEQUENCE };

struct vr_info {
    char name[3];
    uint8_t kind;     /* enum vr_kind */
    uint8_t size;     /* of one value in bytes; 0 = no fixed size */
    bool long_length; /* Explicit VR: 2 reserved bytes and 4 of length, instead of 2 of length */
    bool one_value;   /* VR_TEXT: a backslash is a character like any other */
    bool nested;      /* its value may be a sequence: SQ, and UN */
};

/* A row for each pair of letters, in order; the `name` of one that is no VR is empty. For vr_find. */
enum { VR_LETTERS = 26 };
extern const struct vr_info vr_rows[VR_LETTERS * VR_LETTERS];

/* The row for the two letters at `name`, or NULL. A scan asks for every element: so it stands here. */
static inline const struct vr_info *vr_find(const char *name)
{
    unsigned first = (unsigned char)name[0] - 'A', second = (unsigned char)name[1] - 'A';
    if (first >= VR_LETTERS || second >= VR_LETTERS)
        return NULL;
    const struct vr_info *row = &vr_rows[first * VR_LETTERS + second];
    return row->name[0] != '\0' ? row : NULL;
}

#endif
