/*
 * charset - text of any Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 6.1) as UTF-8.
 *
 * Single sets, UTF-8, GBK and GB18030, and code extensions (ISO 2022 escape sequences, PS3.5 6.1.2.5) by way of iconv.
 * What a peer sends in no set, or in another than it says, is shown as well as it can be: nothing here fails on its
 * input.
 */
#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/span.h"

/* What iconv needs, for the encoding that was met last. All zero is ready. */
struct charset {
    const char *name;
    void *converter; /* NULL = none */
};

void charset_fini(struct charset *charset);

/* What a text of `len` bytes needs at most, with its NUL. */
#define CHARSET_ROOM(len) (3 * (size_t)(len) + 1)

/*
 * Convert the text of an element with this VR; `terms` is the value of (0008,0005), "" for none. It concerns LO, LT,
 * PN, SH, ST, UC and UT (PS3.5 6.1.2.3). Bytes that are no character become U+FFFD. Where no set is named, or an
 * unknown one, what is UTF-8 stays and what is not is taken for ISO 8859-1. What does not fit is cut, between
 * characters.
 */
void charset_to_utf8(struct charset *charset, const char *terms, const char *vr, struct dicomnet_span text,
                     char *ret_text, size_t size);

/* True if all bytes are ASCII and none begins an escape sequence. */
bool charset_is_ascii(struct dicomnet_span text);

#endif
