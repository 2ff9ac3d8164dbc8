/* vr - see wire/vr.h. */
#include "wire/vr.h"

#define ROW(first, second, ...)                                                                                        \
    [((first) - 'A') * VR_LETTERS + (second) - 'A'] = {{(first), (second), '\0'}, __VA_ARGS__}

/* clang-format off */
const struct vr_info vr_rows[VR_LETTERS * VR_LETTERS] = {
    ROW('A', 'E', VR_TEXT,     0, false, false, false),
    ROW('A', 'S', VR_TEXT,     0, false, false, false),
    ROW('A', 'T', VR_TAG,      4, false, false, false),
    ROW('C', 'S', VR_TEXT,     0, false, false, false),
    ROW('D', 'A', VR_TEXT,     0, false, false, false),
    ROW('D', 'S', VR_TEXT,     0, false, false, false),
    ROW('D', 'T', VR_TEXT,     0, false, false, false),
    ROW('F', 'D', VR_FLOAT,    8, false, false, false),
    ROW('F', 'L', VR_FLOAT,    4, false, false, false),
    ROW('I', 'S', VR_TEXT,     0, false, false, false),
    ROW('L', 'O', VR_TEXT,     0, false, false, false),
    ROW('L', 'T', VR_TEXT,     0, false, true,  false),
    ROW('O', 'B', VR_BYTES,    0, true,  false, false),
    ROW('O', 'D', VR_BYTES,    0, true,  false, false),
    ROW('O', 'F', VR_BYTES,    0, true,  false, false),
    ROW('O', 'L', VR_BYTES,    0, true,  false, false),
    ROW('O', 'V', VR_BYTES,    0, true,  false, false),
    ROW('O', 'W', VR_BYTES,    0, true,  false, false),
    ROW('P', 'N', VR_TEXT,     0, false, false, false),
    ROW('S', 'H', VR_TEXT,     0, false, false, false),
    ROW('S', 'L', VR_SIGNED,   4, false, false, false),
    ROW('S', 'Q', VR_SEQUENCE, 0, true,  false, true),
    ROW('S', 'S', VR_SIGNED,   2, false, false, false),
    ROW('S', 'T', VR_TEXT,     0, false, true,  false),
    ROW('S', 'V', VR_SIGNED,   8, true,  false, false),
    ROW('T', 'M', VR_TEXT,     0, false, false, false),
    ROW('U', 'C', VR_TEXT,     0, true,  false, false),
    ROW('U', 'I', VR_TEXT,     0, false, false, false),
    ROW('U', 'L', VR_UNSIGNED, 4, false, false, false),
    ROW('U', 'N', VR_BYTES,    0, true,  false, true),
    ROW('U', 'R', VR_TEXT,     0, true,  true,  false),
    ROW('U', 'S', VR_UNSIGNED, 2, false, false, false),
    ROW('U', 'T', VR_TEXT,     0, true,  true,  false),
    ROW('U', 'V', VR_UNSIGNED, 8, true,  false, false),
};
/* clang-format on */
