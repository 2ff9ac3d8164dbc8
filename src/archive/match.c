/* match - see archive/match.h. */
#include "archive/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "archive/fold.h"

enum {
    PART_SIZE = 1024, /* of a value that is kept: see ATTRIBUTE_VALUE_SIZE */
    MOMENT_SIZE = 16,
    STEP_WORK = 512 * 1024 /* characters of keys times characters of values in one step, about a millisecond's */
};

/* A key, as its values one after another, each with a NUL behind it and without spaces around it; none is empty. */
struct match_key {
    const char *vr;
    bool is_name, is_one_text, is_universal;
    size_t len; /* of all of `values` */
    char values[];
};

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

size_t match_count_values(const char *vr, const char *key)
{
    size_t count = 1;
    for (const char *p = is_one_text(vr) ? NULL : strchr(key, '\\'); p != NULL; p = strchr(p + 1, '\\'))
        count++;
    return count;
}

/* ---- wildcards ---- */

/* Past the whole UTF-8 character at `text`, which is not at its end. */
static const char *next_character(const char *text, const char *end)
{
    text++;
    while (text < end && ((unsigned char)*text & 0xC0) == 0x80)
        text++;
    return text;
}

/* Where a mismatch comes, the last "*" takes one character more: no recursion, and no more than len * len steps. */
static bool match_wildcard(const char *key, size_t key_len, const char *value, size_t value_len)
{
    const char *key_end = key + key_len, *value_end = value + value_len;
    const char *star = NULL, *retry = NULL;
    while (value < value_end) {
        if (key < key_end && *key == '*') {
            star = ++key;
            retry = value;
        } else if (key < key_end && *key == '?') {
            key++;
            value = next_character(value, value_end);
        } else if (key < key_end && *key == *value) {
            key++;
            value++;
        } else if (star != NULL) {
            key = star;
            value = retry = next_character(retry, value_end);
        } else {
            return false;
        }
    }
    while (key < key_end && *key == '*')
        key++;
    return key == key_end;
}

/* ---- names ---- */

/* The length of one component group, or of the whole name, without trailing delimiters and spaces. */
static size_t name_len(const char *text, size_t len)
{
    while (len > 0 && strchr("^= ", text[len - 1]) != NULL)
        len--;
    return len;
}

/*
 * PS3.5 6.2.1.2: up to three component groups; a key without "=" is looked for in each. Both are folded, and the key is
 * without trailing delimiters already.
 */
static bool match_name(const char *key, const char *value)
{
    size_t key_len = strlen(key);
    size_t value_len = strlen(value);
    if (match_wildcard(key, key_len, value, name_len(value, value_len)) ||
        match_wildcard(key, key_len, value, value_len)) /* the delimiters at its end may be asked for */
        return true;
    while (strchr(key, '=') == NULL && *value != '\0') {
        size_t len = strcspn(value, "=");
        if (match_wildcard(key, key_len, value, name_len(value, len)))
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

static bool match_one(const struct match_key *key, const char *wanted, const char *value)
{
    if (key->is_name)
        return match_name(wanted, value);
    if (is_one_of(key->vr, "DA TM"))
        return match_moment(key->vr, wanted, value);
    if (is_one_of(key->vr, "DS IS"))
        return match_number(wanted, value);
    return has_wildcards(key->vr) ? match_wildcard(wanted, strlen(wanted), value, strlen(value))
                                  : strcmp(wanted, value) == 0;
}

/* The value that `*text` begins with, without spaces around it; steps over it. False at the end. */
static bool next_part(const char **text, bool one_text, const char **ret_part, size_t *ret_len)
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
    *ret_part = begin;
    *ret_len = len;
    return true;
}

/* Copy a value of the key in the form in which it is compared, cut where values are. Returns the length. */
static size_t put_value(const struct match_key *key, const char *part, size_t len, char *ret_text)
{
    size_t used = 0;
    bool wildcards = has_wildcards(key->vr);
    for (size_t i = 0; i < len && used < PART_SIZE - 1; i++)
        if (!wildcards || part[i] != '*' || used == 0 || ret_text[used - 1] != '*')
            ret_text[used++] = part[i];
    ret_text[used] = '\0';
    if (!key->is_name)
        return used;
    used = name_len(ret_text, fold_name(ret_text, ret_text));
    ret_text[used] = '\0';
    return used;
}

struct match_key *match_key_create(const char *vr, const char *text)
{
    struct match_key *key = malloc(sizeof *key + strlen(text) + 2);
    if (key == NULL)
        return NULL;
    *key = (struct match_key){.vr = vr,
                              .is_name = strcmp(vr, "PN") == 0,
                              .is_one_text = is_one_text(vr),
                              .is_universal = match_is_universal(vr, text)};
    const char *part;
    size_t len;
    while (next_part(&text, key->is_one_text, &part, &len)) {
        if (len > 0)
            key->len += put_value(key, part, len, key->values + key->len) + 1;
    }
    return key;
}

void match_key_destroy(struct match_key *key)
{
    free(key);
}

/* One value of the key against each of those of `value`. */
static bool match_any(const struct match_key *key, const char *wanted, const char *value)
{
    const char *part;
    char text[PART_SIZE];
    for (size_t len; next_part(&value, key->is_one_text, &part, &len);) {
        len = len < PART_SIZE - 1 ? len : PART_SIZE - 1;
        memcpy(text, part, len);
        text[len] = '\0';
        if (match_one(key, wanted, text))
            return true;
    }
    return false;
}

enum match_verdict match_step(const struct match_key *key, const char *value, struct match_position *position)
{
    char folded[PART_SIZE];
    if (key->is_universal)
        return MATCH_YES;
    size_t value_len = strlen(value);
    if (key->is_name && value_len < sizeof folded) {
        fold_name(value, folded);
        value = folded;
    }
    for (size_t work = 0; position->value < key->len;) {
        const char *wanted = key->values + position->value;
        size_t len = strlen(wanted);
        if (work > STEP_WORK)
            return MATCH_UNFINISHED;
        work += (len + 1) * (value_len + 1);
        position->value += len + 1;
        if (match_any(key, wanted, value))
            return MATCH_YES;
    }
    return MATCH_NO;
}

bool match_value(const char *vr, const char *key_text, const char *value)
{
    struct match_position position = {0};
    enum match_verdict verdict = MATCH_UNFINISHED;
    struct match_key *key = match_key_create(vr, key_text);
    while (key != NULL && verdict == MATCH_UNFINISHED)
        verdict = match_step(key, value, &position);
    match_key_destroy(key);
    return verdict == MATCH_YES;
}
