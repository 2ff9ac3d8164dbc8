/*
 * text - text that grows, and bytes of unknown encoding made safe to show.
 *
 * A path is bytes of the file system in any encoding, a comment is what a peer sent: neither may reach a terminal or a
 * JSON document as it is. Nothing here fails on its input; running out of memory sets `failed` and keeps it set, so
 * that a whole text is checked once, at its end.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/span.h"

struct charset;

/* All zero is an empty text. `data` is owned, NUL-terminated once anything was put; text_fini frees it. */
struct text {
    char *data;
    size_t len;
    size_t size;
    bool failed;
};

void text_fini(struct text *text);

/* Empty it and keep its memory. */
void text_clear(struct text *text);

void text_put_bytes(struct text *text, const char *bytes, size_t len);
void text_put(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Put `string` as a terminal may show it: control characters (C0, DEL, C1), bytes that are not UTF-8 and the characters
 * that turn the direction of text become "\n", "\t", "\x1b" or "\u202e"; a backslash stays as it is.
 */
void text_put_visible(struct text *text, const char *string);

/*
 * The length in bytes (1 to 4) of the UTF-8 character `string` begins with, and the character; 0 if it begins with no
 * valid one (a stray or missing continuation byte, an overlong form, a surrogate, above U+10FFFF). `string` is
 * NUL-terminated.
 */
size_t text_decode_utf8(const char *string, uint32_t *ret_character);

bool text_is_utf8(const char *string);

/* Put the text of an element with this VR, in the character set that `terms` (0008,0005) names, as UTF-8. */
void text_put_decoded(struct text *text, struct charset *charset, const char *terms, const char *vr,
                      struct dicomnet_span bytes);

/* Put `string` as UTF-8: each byte that is part of no valid character becomes U+FFFD. */
void text_put_utf8(struct text *text, const char *string);

#endif
