/*
 * syntax - how a transfer syntax encodes a data set (PS3.5 Annex A), as far as the structure check needs to know.
 */
#ifndef FILES_SYNTAX_H
#define FILES_SYNTAX_H

#include <stdbool.h>

#include "files/walk.h"

/* The form that Pixel Data (7FE0,0010) of the data set itself must have. */
enum syntax_pixels {
    SYNTAX_PIXELS_ANY,         /* it has none (JPIP, real-time video), or nothing is known */
    SYNTAX_PIXELS_NATIVE,      /* of defined length (PS3.5 A.1 to A.3, A.5) */
    SYNTAX_PIXELS_ENCAPSULATED /* fragments, of undefined length (PS3.5 A.4) */
};

struct syntax {
    bool walked; /* how it encodes a data set is known; else nothing below says anything */
    enum walk_form form;
    bool deflated;
    enum syntax_pixels pixels;
};

/*
 * What is known of the transfer syntax with this UID: all of PS3.6 Annex A but those that hold no data elements (MIME,
 * XML), and the one private syntax that is common. Any other private or future one is not walked: what it does with the
 * data set is its own affair.
 */
struct syntax syntax_find(const char *uid);

#endif
