/* vr - see wire/vr.h. */
#include "wire/vr.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct vr_info rows[] = {
    {"AE", VR_TEXT,     0, false, false},
    {"AS", VR_TEXT,     0, false, false},
    {"AT", VR_TAG,      4, false, false},
    {"CS", VR_TEXT,     0, false, false},
    {"DA", VR_TEXT,     0, false, false},
    {"DS", VR_TEXT,     0, false, false},
    {"DT", VR_TEXT,     0, false, false},
    {"FD", VR_FLOAT,    8, false, false},
    {"FL", VR_FLOAT,    4, false, false},
    {"IS", VR_TEXT,     0, false, false},
    {"LO", VR_TEXT,     0, false, false},
    {"LT", VR_TEXT,     0, false, true},
    {"OB", VR_BYTES,    0, true,  false},
    {"OD", VR_BYTES,    0, true,  false},
    {"OF", VR_BYTES,    0, true,  false},
    {"OL", VR_BYTES,    0, true,  false},
    {"OV", VR_BYTES,    0, true,  false},
    {"OW", VR_BYTES,    0, true,  false},
    {"PN", VR_TEXT,     0, false, false},
    {"SH", VR_TEXT,     0, false, false},
    {"SL", VR_SIGNED,   4, false, false},
    {"SQ", VR_SEQUENCE, 0, true,  false},
    {"SS", VR_SIGNED,   2, false, false},
    {"ST", VR_TEXT,     0, false, true},
    {"SV", VR_SIGNED,   8, true,  false},
    {"TM", VR_TEXT,     0, false, false},
    {"UC", VR_TEXT,     0, true,  false},
    {"UI", VR_TEXT,     0, false, false},
    {"UL", VR_UNSIGNED, 4, false, false},
    {"UN", VR_BYTES,    0, true,  false},
    {"UR", VR_TEXT,     0, true,  true},
    {"US", VR_UNSIGNED, 2, false, false},
    {"UT", VR_TEXT,     0, true,  true},
    {"UV", VR_UNSIGNED, 8, true,  false},
};
/* clang-format on */

const struct vr_info *vr_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (memcmp(rows[i].name, name, 2) == 0)
            return &rows[i];
    return NULL;
}
