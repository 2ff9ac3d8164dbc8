/*
 * charset - see charset.h.
 *
 * A value is cut at its escape sequences; each piece is in one set, and iconv knows them all. The sets of Japanese that
 * have no name of their own there are given their escape sequence again.
 */
#include "report/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "report/text.h"

enum { ESCAPE = 0x1B, TERM_SIZE = 32, OUT_SIZE = 512 };

#define REPLACEMENT "\xef\xbf\xbd"

/* Sets by their defined terms, "ISO 2022 IR 100" as "ISO_IR 100". */
static const struct {
    const char *term, *name;
} sets[] = {
    {"ISO_IR 100", "ISO-8859-1"},
    {"ISO_IR 101", "ISO-8859-2"},
    {"ISO_IR 109", "ISO-8859-3"},
    {"ISO_IR 110", "ISO-8859-4"},
    {"ISO_IR 144", "ISO-8859-5"},
    {"ISO_IR 127", "ISO-8859-6"},
    {"ISO_IR 126", "ISO-8859-7"},
    {"ISO_IR 138", "ISO-8859-8"},
    {"ISO_IR 148", "ISO-8859-9"},
    {"ISO_IR 203", "ISO-8859-15"},
    {"ISO_IR 166", "TIS-620"},
    {"ISO_IR 13", "SHIFT_JIS"},
    {"ISO_IR 149", "EUC-KR"},
    {"ISO_IR 58", "GB2312"},
    {"ISO_IR 192", "UTF-8"},
    {"GB18030", "GB18030"},
    {"GBK", "GBK"},
};

/* Sets by what follows an escape; `wrapped` ones are 7 bits wide and keep their escape for iconv. */
static const struct {
    const char *escape, *name;
    bool wrapped;
} extensions[] = {
    {"(B", NULL, false},          {"(J", NULL, false},           {")I", "SHIFT_JIS", false},
    {"-A", "ISO-8859-1", false},  {"-B", "ISO-8859-2", false},   {"-C", "ISO-8859-3", false},
    {"-D", "ISO-8859-4", false},  {"-L", "ISO-8859-5", false},   {"-G", "ISO-8859-6", false},
    {"-F", "ISO-8859-7", false},  {"-H", "ISO-8859-8", false},   {"-M", "ISO-8859-9", false},
    {"-b", "ISO-8859-15", false}, {"-T", "TIS-620", false},      {"$)C", "EUC-KR", false},
    {"$)A", "GB2312", false},     {"$B", "ISO-2022-JP-2", true}, {"$(D", "ISO-2022-JP-2", true},
};

enum { SET_COUNT = sizeof sets / sizeof sets[0], OPEN_MAX_COUNT = 8 };

/* Pieces in one set. */
struct piece {
    const char *name;   /* for iconv; NULL = ASCII, or whatever it is */
    const char *escape; /* to be given to iconv again; NULL = none */
};

struct charset {
    const char *name; /* of what comes before any escape; NULL = none was named */
    struct {
        const char *name;
        iconv_t descriptor;
    } open[OPEN_MAX_COUNT]; /* in the order of their first use */
    size_t open_count;
};

struct charset *charset_create(void)
{
    return calloc(1, sizeof(struct charset));
}

void charset_destroy(struct charset *charset)
{
    if (charset == NULL)
        return;
    for (size_t i = 0; i < charset->open_count; i++)
        iconv_close(charset->open[i].descriptor);
    free(charset);
}

void charset_select(struct charset *charset, const char *terms)
{
    char term[TERM_SIZE] = "";
    size_t len = strcspn(terms, "\\");
    const char *extended = "ISO 2022 IR ";
    charset->name = NULL;
    if (strncmp(terms, extended, strlen(extended)) == 0) {
        terms += strlen(extended);
        len -= strlen(extended);
        memcpy(term, "ISO_IR ", 7);
    }
    if (len >= sizeof term - strlen(term))
        return;
    strncat(term, terms, len);
    for (size_t i = 0; i < SET_COUNT; i++)
        if (strcmp(term, sets[i].term) == 0)
            charset->name = sets[i].name;
}

/* The open descriptor for this set; (iconv_t)-1 if the system does not have it. */
static iconv_t find_descriptor(struct charset *charset, const char *name)
{
    for (size_t i = 0; i < charset->open_count; i++)
        if (charset->open[i].name == name)
            return charset->open[i].descriptor;
    iconv_t descriptor = iconv_open("UTF-8", name);
    if (descriptor == (iconv_t)-1)
        return descriptor;
    if (charset->open_count == OPEN_MAX_COUNT) {
        iconv_close(charset->open[0].descriptor);
        charset->open_count--;
        memmove(&charset->open[0], &charset->open[1], charset->open_count * sizeof charset->open[0]);
    }
    charset->open[charset->open_count].name = name;
    charset->open[charset->open_count++].descriptor = descriptor;
    return descriptor;
}

/* What does not convert becomes U+FFFD, a byte at a time. */
static void convert(iconv_t descriptor, struct text *text, char *in, size_t in_len)
{
    char out[OUT_SIZE];
    while (in_len > 0) {
        char *end = out;
        size_t room = sizeof out;
        size_t result = iconv(descriptor, &in, &in_len, &end, &room);
        text_put_bytes(text, out, (size_t)(end - out));
        if (result == (size_t)-1 && errno != E2BIG) {
            text_put(text, REPLACEMENT);
            in++;
            in_len--;
        }
    }
}

static bool is_ascii(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] >= 0x80)
            return false;
    return true;
}

static void put_piece(struct charset *charset, struct text *text, struct piece piece, struct span bytes)
{
    if (bytes.len == 0)
        return;
    if (piece.escape == NULL && is_ascii(bytes)) {
        text_put_bytes(text, (const char *)bytes.data, bytes.len);
        return;
    }
    struct text raw = {0};
    if (piece.escape != NULL)
        text_printf(&raw, "%c%s", ESCAPE, piece.escape);
    text_put_bytes(&raw, (const char *)bytes.data, bytes.len);
    text_put(&raw, "");
    if (raw.failed) {
        text->failed = true;
        return;
    }
    const char *name = piece.name;
    if (name == NULL)
        name = text_is_utf8(raw.data) ? "UTF-8" : "ISO-8859-1";
    iconv_t descriptor = find_descriptor(charset, name);
    if (descriptor == (iconv_t)-1) {
        text_put_utf8(text, raw.data);
    } else {
        iconv(descriptor, NULL, NULL, NULL, NULL);
        convert(descriptor, text, raw.data, raw.len);
    }
    text_fini(&raw);
}

/* What begins with the escape `bytes` begins with; returns its length, 0 if it is not known. */
static size_t find_extension(struct span bytes, struct piece *ret_piece)
{
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        size_t len = strlen(extensions[i].escape);
        if (bytes.len > len && memcmp(bytes.data + 1, extensions[i].escape, len) == 0) {
            ret_piece->name = extensions[i].name;
            ret_piece->escape = extensions[i].wrapped ? extensions[i].escape : NULL;
            return len + 1;
        }
    }
    return 0;
}

void charset_put_utf8(struct charset *charset, struct text *text, struct span bytes)
{
    struct piece piece = {.name = charset->name};
    while (bytes.len > 0) {
        const uint8_t *escape = memchr(bytes.data, ESCAPE, bytes.len);
        size_t len = escape != NULL ? (size_t)(escape - bytes.data) : bytes.len;
        put_piece(charset, text, piece, (struct span){.data = bytes.data, .len = len});
        bytes.data += len;
        bytes.len -= len;
        if (bytes.len == 0)
            break;
        size_t skip = find_extension(bytes, &piece);
        if (skip == 0) {
            text_put(text, REPLACEMENT);
            skip = 1;
        }
        bytes.data += skip;
        bytes.len -= skip;
    }
}
