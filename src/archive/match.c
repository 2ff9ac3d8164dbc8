/* match - see archive/match.h. */
#include "archive/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PART_SIZE = 1024, MOMENT_SIZE = 16 };

static bool is_one_of(const char *vr, const char *list)
{
    return strstr(list, vr) != NULL;
}

static bool has_wildcards(const char *vr)
{
    return is_one_of(vr, "AE CS LO LT PN SH ST UC UR UT");
}

static bool is_one_text(const char *vr)
{
    return is_one_of(vr, "LT ST UR UT");
}

bool match_is_universal(const char *vr, const char *key)
{
    return key[0] == '\0' || (has_wildcards(vr) && strspn(key, "*") == strlen(key));
}

/* ---- wildcards ---- */

static char fold(char c, bool ignore_case)
{
    return ignore_case ? (char)tolower((unsigned char)c) : c;
}

/* Past the whole UTF-8 character at `text`, which is not at its end. */
static const char *next_character(const char *text)
{
    text++;
    while (((unsigned char)*text & 0xC0) == 0x80)
        text++;
    return text;
}

/* Where a mismatch comes, the last "*" takes one character more: no recursion, and no more than len * len steps. */
static bool match_wildcard(const char *key, const char *value, bool ignore_case)
{
    const char *star = NULL, *retry = NULL;
    while (*value != '\0') {
        if (*key == '*') {
            star = ++key;
            retry = value;
        } else if (*key == '?') {
            key++;
            value = next_character(value);
        } else if (*key != '\0' && fold(*key, ignore_case) == fold(*value, ignore_case)) {
            key++;
            value++;
        } else if (star != NULL) {
            key = star;
            value = retry = next_character(retry);
        } else {
            return false;
        }
    }
    return key[strspn(key, "*")] == '\0';
}

/* ---- names ---- */

/* Copy one component group, or the whole name, without trailing delimiters and spaces. */
static void copy_name(const char *text, size_t len, char ret_text[PART_SIZE])
{
    len = len < PART_SIZE - 1 ? len : PART_SIZE - 1;
    while (len > 0 && strchr("^= ", text[len - 1]) != NULL)
        len--;
    memcpy(ret_text, text, len);
    ret_text[len] = '\0';
}

/* PS3.5 6.2.1.2: up to three component groups; a key without "=" is looked for in each. */
static bool match_name(const char *key, const char *value)
{
    char wanted[PART_SIZE], part[PART_SIZE];
    copy_name(key, strlen(key), wanted);
    copy_name(value, strlen(value), part);
    if (match_wildcard(wanted, part, true) || match_wildcard(key, value, true))
        return true;
    while (strchr(wanted, '=') == NULL && *value != '\0') {
        size_t len = strcspn(value, "=");
        copy_name(value, len, part);
        if (match_wildcard(wanted, part, true))
            return true;
        value += len + (value[len] == '=');
    }
    return false;
}

/* ---- dates and times ---- */

/*
 * Make a date or time comparable as text: without the separators of ACR-NEMA, filled up with `filler` to its full
 * length. False if it is none.
 */
static bool make_moment(const char *text, size_t len, const char *vr, char filler, char ret_moment[MOMENT_SIZE])
{
    bool has_fraction = strcmp(vr, "TM") == 0;
    size_t full = has_fraction ? 13 /* HHMMSS.FFFFFF */ : 8, point = 6, used = 0;
    for (size_t i = 0; i < len && used < full; i++) {
        bool fraction = text[i] == '.' && has_fraction && used == point;
        if (isdigit((unsigned char)text[i]) || fraction)
            ret_moment[used++] = text[i];
        else if (strchr(". :", text[i]) == NULL)
            return false;
    }
    bool any = used > 0;
    while (used < full) {
        ret_moment[used] = has_fraction && used == point ? '.' : filler;
        used++;
    }
    ret_moment[used] = '\0';
    return any;
}

static bool match_moment(const char *vr, const char *key, const char *value)
{
    char moment[MOMENT_SIZE], limit[MOMENT_SIZE];
    const char *dash = strchr(key, '-');
    size_t first_len = dash != NULL ? (size_t)(dash - key) : strlen(key);
    const char *last = dash != NULL ? dash + 1 : key;
    if (!make_moment(value, strlen(value), vr, '0', moment))
        return false;
    bool from = make_moment(key, first_len, vr, '0', limit);
    if (from && strcmp(moment, limit) < 0)
        return false;
    bool to = make_moment(last, strlen(last), vr, '9', limit);
    if (to && strcmp(moment, limit) > 0)
        return false;
    return from || to;
}

/* ---- one value against one key ---- */

static bool match_number(const char *key, const char *value)
{
    char *key_end, *value_end;
    double wanted = strtod(key, &key_end), number = strtod(value, &value_end);
    if (key_end == key || *key_end != '\0' || value_end == value || *value_end != '\0')
        return strcmp(key, value) == 0;
    return wanted <= number && wanted >= number;
}

static bool match_one(const char *vr, const char *key, const char *value)
{
    if (strcmp(vr, "PN") == 0)
        return match_name(key, value);
    if (is_one_of(vr, "DA TM"))
        return match_moment(vr, key, value);
    if (is_one_of(vr, "DS IS"))
        return match_number(key, value);
    return has_wildcards(vr) ? match_wildcard(key, value, false) : strcmp(key, value) == 0;
}

/* Copy the value that `*text` begins with, without spaces around it, and step over it. False at the end. */
static bool next_part(const char **text, bool one_text, char ret_part[PART_SIZE])
{
    if (*text == NULL)
        return false;
    const char *begin = *text;
    size_t len = one_text ? strlen(begin) : strcspn(begin, "\\");
    *text = begin[len] == '\\' ? begin + len + 1 : NULL;
    while (len > 0 && *begin == ' ') {
        begin++;
        len--;
    }
    while (len > 0 && begin[len - 1] == ' ')
        len--;
    len = len < PART_SIZE - 1 ? len : PART_SIZE - 1;
    memcpy(ret_part, begin, len);
    ret_part[len] = '\0';
    return true;
}

bool match_value(const char *vr, const char *key, const char *value)
{
    char wanted[PART_SIZE], part[PART_SIZE];
    bool one_text = is_one_text(vr);
    if (match_is_universal(vr, key))
        return true;
    for (const char *keys = key; next_part(&keys, one_text, wanted);) {
        if (wanted[0] == '\0')
            continue;
        for (const char *values = value; next_part(&values, one_text, part);)
            if (match_one(vr, wanted, part))
                return true;
    }
    return false;
}
