/*
 * dictionary - see dicomnet/dictionary.h.
 *
 * The rows are a generated table in ascending order, searched by halving; keywords, which only people use, one by one.
 */
#include "dicomnet/dictionary.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct dicomnet_dictionary_entry rows[] = {
#include "wire/tag_table.h"
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0], KEYWORD_SIZE = 96 };

static int compare_tag(const void *tag, const void *row)
{
    uint32_t first = *(const uint32_t *)tag, second = ((const struct dicomnet_dictionary_entry *)row)->tag;
    return (first > second) - (first < second);
}

const struct dicomnet_dictionary_entry *dicomnet_dictionary_find_tag(uint32_t tag)
{
    return bsearch(&tag, rows, ROW_COUNT, sizeof rows[0], compare_tag);
}

const struct dicomnet_dictionary_entry *dicomnet_dictionary_find_keyword(const char *keyword)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcasecmp(rows[i].keyword, keyword) == 0)
            return &rows[i];
    return NULL;
}

const char *dicomnet_dictionary_keyword(uint32_t tag)
{
    const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_tag(tag);
    return entry != NULL ? entry->keyword : "";
}

const char *dicomnet_dictionary_vr(uint32_t tag)
{
    uint32_t group = tag >> 16, number = tag & 0xFFFF;
    if (number == 0)
        return "UL";
    if (group % 2 != 0)
        return number >= 0x10 && number <= 0xFF ? "LO" : "UN";
    const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_tag(tag);
    return entry != NULL ? entry->vr : "UN";
}

/* ---- what people write ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The 4 hex digits at *text, which is moved past them. */
static bool take_hex(const char **text, uint32_t *ret_number)
{
    *ret_number = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(**text);
        if (digit < 0)
            return false;
        *ret_number = *ret_number << 4 | (uint32_t)digit;
        ++*text;
    }
    return true;
}

static bool parse_number(const char *text, uint32_t *ret_tag)
{
    uint32_t group, number;
    bool bracket = *text == '(';
    text += bracket;
    if (!take_hex(&text, &group))
        return false;
    bool comma = *text == ',';
    text += comma;
    if ((bracket && !comma) || !take_hex(&text, &number))
        return false;
    if (bracket && *text++ != ')')
        return false;
    *ret_tag = group << 16 | number;
    return *text == '\0';
}

bool dicomnet_dictionary_parse_tag(const char *text, uint32_t *ret_tag)
{
    if (parse_number(text, ret_tag))
        return true;
    const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_keyword(text);
    if (entry != NULL)
        *ret_tag = entry->tag;
    return entry != NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be added, dropped or changed to make one of the other. Both shorter than KEYWORD_SIZE. */
static unsigned distance_between(const char *a, const char *b)
{
    unsigned row[KEYWORD_SIZE];
    size_t b_len = strlen(b);
    for (unsigned k = 0; k <= b_len; k++)
        row[k] = k;
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned k = 0; k < b_len; k++) {
            bool equal = (a[i] | 0x20) == (b[k] | 0x20);
            unsigned least = min3(row[k] + 1, row[k + 1] + 1, diagonal + !equal);
            diagonal = row[k + 1];
            row[k + 1] = least;
        }
    }
    return row[b_len];
}

size_t dicomnet_dictionary_find_nearest(const char *keyword, const char **ret_keywords, size_t count)
{
    unsigned distances[DICOMNET_DICTIONARY_NEAREST_MAX];
    size_t found = 0, len = strlen(keyword);
    if (len == 0 || len >= KEYWORD_SIZE)
        return 0;
    if (count > DICOMNET_DICTIONARY_NEAREST_MAX)
        count = DICOMNET_DICTIONARY_NEAREST_MAX;
    unsigned limit = 2 + (unsigned)len / 4, limit_of_part = 3;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        unsigned distance = distance_between(keyword, rows[i].keyword);
        if (distance > limit_of_part && len > 3 && strcasestr(rows[i].keyword, keyword) != NULL)
            distance = limit_of_part;
        if (distance > limit)
            continue;
        size_t place = found;
        while (place > 0 && distances[place - 1] > distance)
            place--;
        if (place >= count)
            continue;
        size_t moved = (found < count ? found : count - 1) - place;
        memmove(&distances[place + 1], &distances[place], moved * sizeof distances[0]);
        memmove(&ret_keywords[place + 1], &ret_keywords[place], moved * sizeof ret_keywords[0]);
        distances[place] = distance;
        ret_keywords[place] = rows[i].keyword;
        found += found < count;
    }
    return found;
}
