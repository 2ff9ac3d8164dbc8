/*
 * charset - see charset.h.
 *
 * Text is cut into runs of one encoding, which iconv converts. Without code extensions that is one run; with them
 * (ISO 2022) an escape sequence begins another, and a delimiter ("\", and "^" and "=" of a name) goes back to the
 * first.
 */
#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

enum { ESCAPE = 0x1B };

/*
 * A defined term, the escape sequence that switches to it ("" = none), and what iconv calls it; "" is the default
 * repertoire, which is ASCII, and in truth whatever somebody put there.
 */
struct encoding {
    const char *term;
    const char *escape;
    const char *name;
};

static const struct encoding encodings[] = {
    {"ISO_IR 6", "", ""},
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
    {"ISO 2022 IR 6", "\033(B", ""},
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

void charset_fini(struct charset *charset)
{
    if (charset->converter != NULL)
        iconv_close(charset->converter);
    *charset = (struct charset){0};
}

bool charset_is_ascii(struct dicomnet_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80 || text.data[i] == ESCAPE)
            return false;
    return true;
}

/* The encoding that text begins in: the first value of (0008,0005). */
static const struct encoding *first_encoding(const char *terms)
{
    size_t len = strcspn(terms, "\\");
    while (len > 0 && terms[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < ENCODING_COUNT; i++)
        if (strlen(encodings[i].term) == len && strncmp(encodings[i].term, terms, len) == 0)
            return &encodings[i];
    return &encodings[0];
}

/* The encoding that the escape sequence at the beginning of `text` switches to; NULL if it is none. */
static const struct encoding *escaped_encoding(struct dicomnet_span text)
{
    for (size_t i = 0; i < ENCODING_COUNT; i++) {
        size_t len = strlen(encodings[i].escape);
        if (len > 0 && text.len >= len && memcmp(text.data, encodings[i].escape, len) == 0)
            return &encodings[i];
    }
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

/* Make ready for this encoding. False if the system does not have it. */
static bool open_converter(struct charset *charset, const char *name)
{
    if (charset->name == NULL || strcmp(charset->name, name) != 0) {
        charset_fini(charset);
        iconv_t converter = iconv_open("UTF-8", name);
        if (converter == (iconv_t)-1)
            return false;
        *charset = (struct charset){.name = name, .converter = converter};
    }
    (void)iconv(charset->converter, NULL, NULL, NULL, NULL);
    return true;
}

/* Convert a run, or as much of it as there is room for. Returns how many of its bytes were no character. */
static size_t convert(struct charset *charset, const char *name, struct dicomnet_span run, struct output *output)
{
    if (!open_converter(charset, name)) {
        put(output, REPLACEMENT, 3);
        return run.len;
    }
    char *in = (char *)(uintptr_t)run.data;
    size_t wrong = 0;
    while (run.len > 0 && !output->full) {
        size_t result = iconv(charset->converter, &in, &run.len, &output->text, &output->left);
        if (result != (size_t)-1)
            continue;
        if (errno == E2BIG) {
            output->full = true;
        } else {
            put(output, REPLACEMENT, 3);
            wrong++;
            in++;
            run.len--;
        }
    }
    return wrong;
}

static void put_run(struct charset *charset, const char *name, struct dicomnet_span run, struct output *output)
{
    struct output before = *output;
    if (*name != '\0') {
        (void)convert(charset, name, run, output);
    } else if (convert(charset, "UTF-8", run, output) > 0) {
        *output = before;
        (void)convert(charset, "ISO-8859-1", run, output);
    }
}

/* True if a byte below 80 may be half of a character. */
static bool is_double(const struct encoding *encoding)
{
    return strncmp(encoding->name, "ISO-2022", 8) == 0;
}

static bool is_delimiter(uint8_t byte, const char *delimiters)
{
    return byte != '\0' && strchr(delimiters, byte) != NULL;
}

/* Where a run that begins at `text` ends: at an escape sequence or, where there can be one, behind a delimiter. */
static size_t run_len(struct dicomnet_span text, const struct encoding *encoding, const char *delimiters)
{
    size_t len = 1;
    while (len < text.len && text.data[len] != ESCAPE &&
           (is_double(encoding) || !is_delimiter(text.data[len - 1], delimiters)))
        len++;
    return len;
}

/* With escape sequences. */
static void put_extended(struct charset *charset, const struct encoding *first, const char *delimiters,
                         struct dicomnet_span text, struct output *output)
{
    const struct encoding *current = first;
    while (text.len > 0) {
        const struct encoding *escaped = text.data[0] == ESCAPE ? escaped_encoding(text) : NULL;
        if (escaped == NULL && text.data[0] == ESCAPE) {
            put(output, REPLACEMENT, 3);
            text = (struct dicomnet_span){.data = text.data + 1, .len = text.len - 1};
            continue;
        }
        if (escaped != NULL) /* to ASCII below 80: above it is what it was at first */
            current = *escaped->name != '\0' ? escaped : first;
        size_t len = run_len(text, current, delimiters);
        /* Only ISO-2022-JP wants to see the escape sequence itself. */
        size_t skipped = escaped != NULL && !is_double(current) ? strlen(escaped->escape) : 0;
        put_run(charset, current->name, (struct dicomnet_span){.data = text.data + skipped, .len = len - skipped},
                output);
        if (!is_double(current) && is_delimiter(text.data[len - 1], delimiters))
            current = first;
        text = (struct dicomnet_span){.data = text.data + len, .len = text.len - len};
    }
}

void charset_to_utf8(struct charset *charset, const char *terms, const char *vr, struct dicomnet_span text,
                     char *ret_text, size_t size)
{
    struct output output = {.text = ret_text, .left = size - 1};
    bool concerned = strstr("LO LT PN SH ST UC UT", vr) != NULL;
    const struct encoding *first = concerned ? first_encoding(terms) : &encodings[0];
    if (charset_is_ascii(text))
        put(&output, (const char *)text.data, text.len < output.left ? text.len : output.left);
    else if (concerned && memchr(text.data, ESCAPE, text.len) != NULL)
        put_extended(charset, first, strcmp(vr, "PN") == 0 ? "\\^=" : "\\", text, &output);
    else
        put_run(charset, first->name, text, &output);
    *output.text = '\0';
}
