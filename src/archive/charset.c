/*
 * charset - see archive/charset.h.
 *
 * Text is cut into runs of one encoding, which iconv converts. Without code extensions that is one run; with them
 * (ISO 2022) an escape sequence begins another, and a delimiter ("\", and "^" and "=" of a name) goes back to the
 * first.
 */
#include "archive/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

/* A defined term, the escape sequence that switches to it ("" = none), and what iconv calls it. */
struct encoding {
    const char *term;
    const char *escape;
    const char *name;
};

static const struct encoding encodings[] = {
    {"ISO_IR 6", "", "ASCII"},
    {"ISO_IR 192", "", "UTF-8"},
    {"GB18030", "", "GB18030"},
    {"GBK", "", "GBK"},
    {"ISO_IR 100", "", "ISO-8859-1"},
    {"ISO_IR 101", "", "ISO-8859-2"},
    {"ISO_IR 109", "", "ISO-8859-3"},
    {"ISO_IR 110", "", "ISO-8859-4"},
    {"ISO_IR 144", "", "ISO-8859-5"},
    {"ISO_IR 127", "", "ISO-8859-6"},
    {"ISO_IR 126", "", "ISO-8859-7"},
    {"ISO_IR 138", "", "ISO-8859-8"},
    {"ISO_IR 148", "", "ISO-8859-9"},
    {"ISO_IR 203", "", "ISO-8859-15"},
    {"ISO_IR 13", "", "SHIFT_JIS"},
    {"ISO_IR 166", "", "TIS-620"},
    {"ISO 2022 IR 6", "\033(B", "ASCII"},
    {"ISO 2022 IR 100", "\033-A", "ISO-8859-1"},
    {"ISO 2022 IR 101", "\033-B", "ISO-8859-2"},
    {"ISO 2022 IR 109", "\033-C", "ISO-8859-3"},
    {"ISO 2022 IR 110", "\033-D", "ISO-8859-4"},
    {"ISO 2022 IR 144", "\033-L", "ISO-8859-5"},
    {"ISO 2022 IR 127", "\033-G", "ISO-8859-6"},
    {"ISO 2022 IR 126", "\033-F", "ISO-8859-7"},
    {"ISO 2022 IR 138", "\033-H", "ISO-8859-8"},
    {"ISO 2022 IR 148", "\033-M", "ISO-8859-9"},
    {"ISO 2022 IR 203", "\033-b", "ISO-8859-15"},
    {"ISO 2022 IR 166", "\033-T", "TIS-620"},
    {"ISO 2022 IR 13", "\033)I", "SHIFT_JIS"},
    {"ISO 2022 IR 13", "\033(J", "SHIFT_JIS"},
    {"ISO 2022 IR 87", "\033$B", "ISO-2022-JP-2"},
    {"ISO 2022 IR 159", "\033$(D", "ISO-2022-JP-2"},
    {"ISO 2022 IR 149", "\033$)C", "EUC-KR"},
    {"ISO 2022 IR 58", "\033$)A", "EUC-CN"},
};
enum { ENCODING_COUNT = sizeof encodings / sizeof encodings[0] };

bool charset_is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80 || *text == '\033')
            return false;
    return true;
}

/* The encoding that text begins in: the first value of (0008,0005). An unknown one is taken for UTF-8. */
static const struct encoding *first_encoding(const char *character_set)
{
    size_t len = strcspn(character_set, "\\");
    while (len > 0 && character_set[len - 1] == ' ')
        len--;
    if (len == 0)
        return &encodings[0];
    for (size_t i = 0; i < ENCODING_COUNT; i++)
        if (strlen(encodings[i].term) == len && strncmp(encodings[i].term, character_set, len) == 0)
            return &encodings[i];
    return &encodings[1];
}

static const struct encoding *escaped_encoding(const char *text)
{
    for (size_t i = 0; i < ENCODING_COUNT; i++)
        if (encodings[i].escape[0] != '\0' && strncmp(encodings[i].escape, text, strlen(encodings[i].escape)) == 0)
            return &encodings[i];
    return NULL;
}

struct output {
    char *text;
    size_t left; /* without the NUL */
    bool full;
};

static void put(struct output *output, const char *bytes, size_t len)
{
    output->full = output->full || len > output->left;
    if (output->full)
        return;
    memcpy(output->text, bytes, len);
    output->text += len;
    output->left -= len;
}

/* Convert a run. */
static void convert(struct output *output, const char *name, const char *bytes, size_t len)
{
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1) {
        put(output, "\xEF\xBF\xBD", 3);
        return;
    }
    char *in = (char *)(uintptr_t)bytes;
    while (len > 0 && !output->full) {
        size_t result = iconv(converter, &in, &len, &output->text, &output->left);
        if (result != (size_t)-1)
            continue;
        if (errno == E2BIG) {
            output->full = true;
        } else { /* a byte that means nothing here */
            put(output, "\xEF\xBF\xBD", 3);
            in++;
            len--;
        }
    }
    iconv_close(converter);
}

/* True if a byte below 80 may be half of a character. */
static bool is_double(const struct encoding *encoding)
{
    return strncmp(encoding->name, "ISO-2022", 8) == 0;
}

/* Where a run that begins at `text` ends: at an escape sequence or, where there can be one, behind a delimiter. */
static size_t run_len(const char *text, const struct encoding *encoding, const char *delimiters)
{
    size_t len = 1;
    while (text[len] != '\0' && text[len] != '\033' &&
           (is_double(encoding) || strchr(delimiters, text[len - 1]) == NULL))
        len++;
    return len;
}

void charset_to_utf8(const char *character_set, const char *vr, const char *text, char *ret_text, size_t size)
{
    struct output output = {.text = ret_text, .left = size - 1};
    const struct encoding *first = first_encoding(character_set), *current = first;
    bool concerned = strstr("LO LT PN SH ST UC UT", vr) != NULL && !charset_is_ascii(text);
    bool extended = strstr(character_set, "ISO 2022") != NULL;
    const char *delimiters = strcmp(vr, "PN") == 0 ? "\\^=" : "\\";
    while (concerned && *text != '\0') {
        const struct encoding *escaped = extended && *text == '\033' ? escaped_encoding(text) : NULL;
        current = escaped != NULL ? escaped : current;
        size_t len = extended ? run_len(text, current, delimiters) : strlen(text);
        /* Only ISO-2022-JP wants to see the escape sequence itself. */
        size_t skipped = escaped != NULL && !is_double(current) ? strlen(escaped->escape) : 0;
        convert(&output, current->name, text + skipped, len - skipped);
        if (!is_double(current) && strchr(delimiters, text[len - 1]) != NULL)
            current = first;
        text += len;
    }
    if (!concerned)
        put(&output, text, strlen(text) < output.left ? strlen(text) : output.left);
    *output.text = '\0';
}
