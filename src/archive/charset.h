/*
 * charset - text of any Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 6.1) as UTF-8.
 *
 * The index holds UTF-8, queries are turned into it, and answers that are not plain ASCII go out as ISO_IR 192: so a
 * name is found whatever character set it was stored in and asked for.
 */
#ifndef ARCHIVE_CHARSET_H
#define ARCHIVE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Convert the text of an element with this VR; `character_set` is the value of (0008,0005), "" for the default
 * repertoire. Only AE-like VRs that the character set concerns are converted (LO, LT, PN, SH, ST, UC, UT), others are
 * copied. What cannot be converted becomes U+FFFD. What does not fit is cut, between characters.
 */
void charset_to_utf8(const char *character_set, const char *vr, const char *text, char *ret_text, size_t size);

/* True if all bytes are ASCII. */
bool charset_is_ascii(const char *text);

#endif
