/* option_values - see option_values.h. */
#include "programs/option_values.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "net/address.h"
#include "programs/option_groups.h"
#include "programs/options_table.h"

/* Digits only: no sign, no spaces, no 0x, nothing behind. False also if it does not fit. */
static bool read_number(const char *text, uint32_t *ret_value)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c))
            return false;
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

/* "5", "0.25", ".5" seconds. What is more than 0 stays more than 0, as 0 means for ever. */
static bool read_seconds(const char *text, uint32_t max_s, uint32_t *ret_ms)
{
    uint64_t micro = 0, unit = 1000000;
    bool digits = false, fraction = false, more = false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (!isdigit((unsigned char)*c) || micro > UINT32_MAX * 1000000ull)
            return false;
        digits = true;
        uint64_t digit = (uint64_t)(*c - '0');
        if (!fraction) {
            micro = micro * 10 + digit * 1000000;
            continue;
        }
        unit /= 10;
        micro += digit * unit;
        more = more || (unit == 0 && digit > 0);
    }
    if (!digits || micro > max_s * 1000000ull)
        return false;
    uint64_t ms = (micro + 500) / 1000;
    *ret_ms = (uint32_t)(ms == 0 && (micro > 0 || more) ? 1 : ms);
    return true;
}

/* Who makes a file must be able to write and read it: 600 is the least. */
static bool read_mode(const char *text, uint32_t *ret_value)
{
    size_t len = strlen(text);
    if (len < 3 || len > 4 || strspn(text, "01234567") != len)
        return false;
    *ret_value = (uint32_t)strtoul(text, NULL, 8);
    return *ret_value <= 0777 && (*ret_value & 0600) == 0600;
}

static bool read_status(const char *text, uint32_t *ret_value)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t len = strlen(text);
    if (len < 1 || len > 4 || strspn(text, "0123456789abcdefABCDEF") != len)
        return false;
    unsigned value = 0;
    if (sscanf(text, "%x", &value) != 1)
        return false;
    *ret_value = value;
    return true;
}

/* "1,2,4,8" */
static bool read_ramp(const struct option_row *row, const char *text, struct option_ramp *ret_ramp)
{
    ret_ramp->count = 0;
    for (const char *at = text;; at++) {
        char number[12];
        size_t len = strcspn(at, ",");
        uint32_t value;
        if (len >= sizeof number || ret_ramp->count == RAMP_STEPS_MAX)
            return false;
        snprintf(number, sizeof number, "%.*s", (int)len, at);
        if (!read_number(number, &value) || value < row->min || value > row->max)
            return false;
        ret_ramp->threads[ret_ramp->count++] = value;
        at += len;
        if (*at == '\0')
            return true;
    }
}

/* "10:A700" */
static bool read_every(const struct option_row *row, const char *text, struct option_every *ret_every)
{
    char number[16];
    uint32_t status;
    size_t len = strcspn(text, ":");
    if (text[len] == '\0' || len >= sizeof number)
        return false;
    snprintf(number, sizeof number, "%.*s", (int)len, text);
    if (!read_number(number, &ret_every->every) || ret_every->every < row->min || ret_every->every > row->max ||
        !read_status(text + len + 1, &status))
        return false;
    ret_every->status = (uint16_t)status;
    return true;
}

static bool read_choice(const struct option_row *row, const char *text, uint32_t *ret_value)
{
    for (const struct option_choice *choice = row->choices; choice->name != NULL; choice++) {
        if (strcasecmp(choice->name, text) == 0) {
            *ret_value = choice->value;
            return true;
        }
    }
    return false;
}

/* "1000" stores, "500M" bytes (of 1024 to the K), "60s". */
static bool read_limit(const char *text, struct session_limit *ret_limit)
{
    static const char units[] = "KMG";
    char digits[16];
    uint32_t value;
    size_t len = strlen(text);
    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, text, len + 1);
    char last = (char)toupper((unsigned char)digits[len - 1]);
    if (!isdigit((unsigned char)last))
        digits[len - 1] = '\0';
    if (!read_number(digits, &value) || value == 0)
        return false;
    *ret_limit = (struct session_limit){0};
    if (isdigit((unsigned char)last)) {
        ret_limit->stores = value;
        return true;
    }
    if (last == 'S') {
        ret_limit->ms = (uint64_t)value * 1000;
        return true;
    }
    const char *unit = strchr(units, last);
    if (unit == NULL || text[len - 1] == 'm') /* minutes, or megabytes? */
        return false;
    ret_limit->bytes = (uint64_t)value << (10 * (unit - units + 1));
    return true;
}

const char *ae_title_problem(const char *title)
{
    size_t len = strlen(title);
    if (len == 0)
        return "is empty";
    if (strspn(title, " ") == len)
        return "is all spaces";
    for (const char *c = title; *c != '\0'; c++) {
        if (*c == '\\')
            return "contains a backslash";
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return "contains a control character";
        if ((unsigned char)*c > 0x7F)
            return "contains a character that is not ASCII";
    }
    return len > 16 ? "has more than 16 characters" : NULL;
}

/* "a number from 1 to 64 or auto"; of many names the first few. */
static void expect_number(const struct option_row *row, char ret_text[OPTION_EXPECTED_SIZE])
{
    enum { NAMES_SHOWN = 3 };
    size_t shown = 0;
    int len = snprintf(ret_text, OPTION_EXPECTED_SIZE, "a number from %u to %u", row->min, row->max);
    for (const struct option_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++) {
        if (shown == NAMES_SHOWN) {
            snprintf(ret_text + len, OPTION_EXPECTED_SIZE - (size_t)len, ", ...");
            break;
        }
        len += snprintf(ret_text + len, OPTION_EXPECTED_SIZE - (size_t)len, "%s%s", shown++ == 0 ? " or " : ", ",
                        choice->name);
    }
}

void option_value_expected(const struct option_row *row, char ret_text[OPTION_EXPECTED_SIZE])
{
    switch (row->takes) {
    case OPTION_UNSIGNED:
        expect_number(row, ret_text);
        break;
    case OPTION_SECONDS:
        snprintf(ret_text, OPTION_EXPECTED_SIZE, "a number of seconds from %u to %u", row->min, row->max);
        break;
    case OPTION_STATUS:
        snprintf(ret_text, OPTION_EXPECTED_SIZE, "a status of 1 to 4 hexadecimal digits");
        break;
    case OPTION_MODE:
        snprintf(ret_text, OPTION_EXPECTED_SIZE, "permissions as 3 or 4 octal digits, 600 among them, e.g. 640");
        break;
    case OPTION_CHOICE: {
        int len = snprintf(ret_text, OPTION_EXPECTED_SIZE, "one of ");
        for (const char *c = row->value; *c != '\0' && len + 3 < OPTION_EXPECTED_SIZE; c++)
            len += snprintf(ret_text + len, OPTION_EXPECTED_SIZE - (size_t)len, "%.*s", *c == '|' ? 2 : 1,
                            *c == '|' ? ", " : c);
        break;
    }
    case OPTION_EVERY:
        snprintf(ret_text, OPTION_EXPECTED_SIZE, "N:HEX, N from %u to %u, such as 10:A700", row->min, row->max);
        break;
    case OPTION_AE:
        snprintf(ret_text, OPTION_EXPECTED_SIZE,
                 "an AE title: 1 to 16 ASCII characters, no backslash, no control characters, not all spaces");
        break;
    default:
        snprintf(ret_text, OPTION_EXPECTED_SIZE, "%s", row->value);
        break;
    }
}

bool option_value_is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

bool option_value_is_address(const char *text)
{
    union address address;
    return address_parse(text, 0, &address) == 0;
}

static bool read_text(const struct option_row *row, const char *text, const char **ret_text,
                      char ret_problem[OPTION_PROBLEM_SIZE])
{
    *ret_text = text;
    if (*text == '\0') {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is empty");
        return false;
    }
    if (row->takes == OPTION_HOST && strpbrk(text, " \t\r\n") != NULL) {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not a host name or an address");
        return false;
    }
    if (row->takes == OPTION_ADDRESS && address_problem(text) != NULL) {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "%s", address_problem(text));
        return false;
    }
    return true;
}

/* What is more than a word or a number. False if it is wrong: the problem. */
static bool read_compound(const struct option_row *row, const char *text, void *field,
                          char ret_problem[OPTION_PROBLEM_SIZE])
{
    char expected[OPTION_EXPECTED_SIZE];
    bool right = false;
    switch (row->takes) {
    case OPTION_SYNTHETIC:
        right = synthetic_spec_parse(text, field);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not STUDIESxINSTANCESxSIZE[:CT|MR|SC], such as 4x50x512K:CT");
        break;
    case OPTION_LIMIT:
        right = read_limit(text, field);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE,
                 "is not a number of stores, a size such as 500M or a time such as 60s");
        break;
    case OPTION_RAMP:
        right = read_ramp(row, text, field);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not 1 to %d numbers from %u to %u, such as 1,2,4,8",
                 RAMP_STEPS_MAX, row->min, row->max);
        break;
    case OPTION_PEOPLE:
        right = synthetic_population_parse(text, field);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not STUDIESxSERIESxINSTANCES[:SIZE] of at most %d instances",
                 SYNTHETIC_POPULATION_MAX);
        break;
    case OPTION_EVERY:
    default:
        right = read_every(row, text, field);
        option_value_expected(row, expected);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not %s", expected);
        break;
    }
    return right;
}

static bool read_ae(const struct option_row *row, const char *text, char *field, char ret_problem[OPTION_PROBLEM_SIZE])
{
    char expected[OPTION_EXPECTED_SIZE];
    if (ae_title_problem(text) == NULL) {
        strcpy(field, text);
        return true;
    }
    option_value_expected(row, expected);
    snprintf(ret_problem, OPTION_PROBLEM_SIZE, "%s: it takes %s", ae_title_problem(text), expected);
    return false;
}

/* Unsigned integers and enums are of the size that is right where they are used. */
static void set_unsigned(void *field, size_t size, uint32_t value)
{
    switch (size) {
    case sizeof(uint16_t):
        *(uint16_t *)field = (uint16_t)value;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)field = value;
        break;
    default:
        assert(size == sizeof(uint64_t));
        *(uint64_t *)field = value;
        break;
    }
}

uint64_t option_value_unsigned(const struct options *options, const struct option_row *row)
{
    const void *field = option_value_of(options, row);
    switch (row->field.size) {
    case sizeof(uint16_t):
        return *(const uint16_t *)field;
    case sizeof(uint32_t):
        return *(const uint32_t *)field;
    default:
        assert(row->field.size == sizeof(uint64_t));
        return *(const uint64_t *)field;
    }
}

int option_value_read(struct options *options, const struct option_row *row, const char *text,
                      char ret_problem[OPTION_PROBLEM_SIZE])
{
    void *field = option_field_of(options, row);
    char expected[OPTION_EXPECTED_SIZE];
    uint32_t value = 0;
    bool right = false;

    switch (row->takes) {
    case OPTION_SYNTHETIC:
    case OPTION_LIMIT:
    case OPTION_RAMP:
    case OPTION_PEOPLE:
    case OPTION_EVERY:
        return read_compound(row, text, field, ret_problem) ? 0 : -1;
    case OPTION_TEXT:
    case OPTION_HOST:
    case OPTION_ADDRESS:
        return read_text(row, text, field, ret_problem) ? 0 : -1;
    case OPTION_AE:
        return read_ae(row, text, field, ret_problem) ? 0 : -1;
    case OPTION_UNSIGNED:
        right = read_number(text, &value) ? value >= row->min && value <= row->max
                                          : row->choices != NULL && read_choice(row, text, &value);
        break;
    case OPTION_SECONDS:
        right = read_seconds(text, row->max, &value) && value >= row->min;
        break;
    case OPTION_STATUS:
        right = read_status(text, &value);
        break;
    case OPTION_MODE:
        right = read_mode(text, &value);
        break;
    case OPTION_CHOICE:
        right = read_choice(row, text, &value);
        break;
    case OPTION_SWITCH:
    case OPTION_INPUT:
    case OPTION_KEY:
    case OPTION_LIST:
    case OPTION_ADDRESSES:
    case OPTION_SYNTAXES:
        break;
    }
    if (!right) {
        option_value_expected(row, expected);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is not %s", expected);
        return -1;
    }
    set_unsigned(field, row->field.size, value);
    return 0;
}

static void format_seconds(uint64_t ms, char *ret_text, size_t size)
{
    if (ms % 1000 == 0)
        snprintf(ret_text, size, "%" PRIu64, ms / 1000);
    else
        snprintf(ret_text, size, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

/* The name of a value that has one, else its number. */
static void format_choice(const struct option_row *row, uint64_t value, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%" PRIu64, value);
    for (const struct option_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++) {
        if (choice->value == value) {
            snprintf(ret_text, size, "%s", choice->name);
            break;
        }
    }
}

static void format_list(const struct option_row *row, const struct option_list *list, char *ret_text, size_t size)
{
    size_t len = 0;
    ret_text[0] = '\0';
    if (row->stands_for != NULL) { /* the list may hold more than it put there */
        snprintf(ret_text, size, "true");
    } else if (row->takes == OPTION_KEY) { /* values may be names of patients */
        snprintf(ret_text, size, "%zu keys", list->count);
    } else if (row->takes == OPTION_INPUT && list->count != 1) {
        snprintf(ret_text, size, "%zu paths", list->count);
    } else {
        for (size_t i = 0; i < list->count && len < size; i++)
            len += (size_t)snprintf(ret_text + len, size - len, "%s%s", i > 0 ? " " : "", list->items[i]);
    }
}

void option_value_format(const struct options *options, const struct option_row *row, char *ret_text, size_t size)
{
    const void *field = option_value_of(options, row);
    switch (row->takes) {
    case OPTION_SWITCH:
        snprintf(ret_text, size, "%s", field == NULL || *(const bool *)field ? "true" : "false");
        break;
    case OPTION_SECONDS:
        format_seconds(option_value_unsigned(options, row), ret_text, size);
        break;
    case OPTION_STATUS:
        snprintf(ret_text, size, "%04X", (unsigned)option_value_unsigned(options, row));
        break;
    case OPTION_MODE:
        snprintf(ret_text, size, "%o", (unsigned)option_value_unsigned(options, row));
        break;
    case OPTION_UNSIGNED:
    case OPTION_CHOICE:
        format_choice(row, option_value_unsigned(options, row), ret_text, size);
        break;
    case OPTION_TEXT:
    case OPTION_HOST:
    case OPTION_ADDRESS:
        snprintf(ret_text, size, "%s", *(const char *const *)field != NULL ? *(const char *const *)field : "");
        break;
    case OPTION_AE:
        snprintf(ret_text, size, "%s", (const char *)field);
        break;
    case OPTION_SYNTHETIC:
    case OPTION_LIMIT:
    case OPTION_RAMP:
    case OPTION_EVERY:
    case OPTION_PEOPLE: {
        const char *typed = options->given[row - option_rows];
        snprintf(ret_text, size, "%s", typed != NULL ? typed : "");
        break;
    }
    case OPTION_INPUT:
    case OPTION_KEY:
    case OPTION_LIST:
    case OPTION_ADDRESSES:
    case OPTION_SYNTAXES:
        format_list(row, field, ret_text, size);
        break;
    }
}
