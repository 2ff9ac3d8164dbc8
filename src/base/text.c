/* text - see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"

enum { FIRST_SIZE = 256 };

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void text_fini(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_clear(struct text *text)
{
    text->len = 0;
    text->failed = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

/* Room for `len` more bytes and a NUL; false if there is no memory. */
static bool reserve(struct text *text, size_t len)
{
    if (text->failed)
        return false;
    if (text->size - text->len > len)
        return true;
    size_t size = text->size > 0 ? text->size : FIRST_SIZE;
    while (size - text->len <= len)
        size *= 2;
    char *data = realloc(text->data, size);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->size = size;
    return true;
}

void text_put_bytes(struct text *text, const char *bytes, size_t len)
{
    if (!reserve(text, len))
        return;
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_put(struct text *text, const char *string)
{
    text_put_bytes(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0 || !reserve(text, (size_t)len))
        return;
    va_start(arguments, format);
    vsnprintf(text->data + text->len, (size_t)len + 1, format, arguments);
    va_end(arguments);
    text->len += (size_t)len;
}

size_t text_decode_utf8(const char *string, uint32_t *ret_character)
{
    const unsigned char *p = (const unsigned char *)string;
    if (p[0] < 0x80) {
        *ret_character = p[0];
        return 1;
    }
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    uint32_t character = p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) /* the NUL at the end stops here too */
            return 0;
        character = character << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (character < least[len] || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return 0;
    *ret_character = character;
    return len;
}

bool text_is_utf8(const char *string)
{
    uint32_t character;
    for (size_t len; *string != '\0'; string += len)
        if ((len = text_decode_utf8(string, &character)) == 0)
            return false;
    return true;
}

void text_put_utf8(struct text *text, const char *string)
{
    const char *run = string;
    while (*string != '\0') {
        uint32_t character;
        size_t len = text_decode_utf8(string, &character);
        if (len == 0) {
            text_put_bytes(text, run, (size_t)(string - run));
            text_put(text, REPLACEMENT);
            run = string + 1;
        }
        string += len > 0 ? len : 1;
    }
    text_put_bytes(text, run, (size_t)(string - run));
}

/* Marks, embeddings, overrides and isolates: they make a terminal show a name in another order than it has. */
static bool turns_direction(uint32_t character)
{
    return character == 0x061C || character == 0x200E || character == 0x200F ||
           (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
}

void text_put_visible(struct text *text, const char *string)
{
    while (*string != '\0') {
        uint32_t character;
        size_t len = text_decode_utf8(string, &character);
        if (len == 0) {
            text_printf(text, "\\x%02x", (unsigned char)*string);
            len = 1;
        } else if (character == '\n' || character == '\r' || character == '\t') {
            text_put(text, character == '\n' ? "\\n" : character == '\r' ? "\\r" : "\\t");
        } else if (character < 0x20 || (character >= 0x7F && character < 0xA0)) {
            text_printf(text, "\\x%02x", (unsigned)character);
        } else if (turns_direction(character) || character == 0x2028 || character == 0x2029) {
            text_printf(text, "\\u%04x", (unsigned)character);
        } else {
            text_put_bytes(text, string, len);
        }
        string += len;
    }
}

void text_put_decoded(struct text *text, struct charset *charset, const char *terms, const char *vr,
                      struct dicomnet_span bytes)
{
    size_t size = CHARSET_ROOM(bytes.len);
    if (!reserve(text, size))
        return;
    charset_to_utf8(charset, terms, vr, bytes, text->data + text->len, size);
    text->len += strlen(text->data + text->len);
}
