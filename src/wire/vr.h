/*
 * vr - the value representations (PS3.5 6.2) and how they are encoded (PS3.5 7.1.2).
 */
#ifndef WIRE_VR_H
#define WIRE_VR_H

#include <stdbool.h>
#include <stdint.h>

enum vr_kind { VR_TEXT, VR_SIGNED, VR_UNSIGNED, VR_FLOAT, VR_TAG, VR_BYTES, VR_SEQUENCE };

struct vr_info {
    char name[3];
    uint8_t kind;     /* enum vr_kind */
    uint8_t size;     /* of one value in bytes; 0 = no fixed size */
    bool long_length; /* Explicit VR: 2 reserved bytes and 4 of length, instead of 2 of length */
    bool one_value;   /* VR_TEXT: a backslash is a character like any other */
};

/* The row for the two letters at `name`, or NULL. */
const struct vr_info *vr_find(const char *name);

#endif
