/* number_text - see base/number_text.h. */
#include "base/number_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* strto... skip white space and take signs where none belongs: the first character decides before they see it. */
static bool begins_number(const char *text, bool may_be_negative)
{
    if ((*text == '-' && may_be_negative) || *text == '+')
        text++;
    return isdigit((unsigned char)*text) != 0 || *text == '.';
}

bool number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    char *end;
    if (!begins_number(text, true))
        return false;
    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret_number >= min && *ret_number <= max;
}

bool number_parse_unsigned(const char *text, uint64_t max, uint64_t *ret_number)
{
    char *end;
    if (!begins_number(text, false))
        return false;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret_number <= max;
}

bool number_parse_double(const char *text, double *ret_number)
{
    char *end;
    if (!begins_number(text, true))
        return false;
    *ret_number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret_number);
}

void number_format_signed(int64_t number, char ret_text[NUMBER_TEXT_SIZE])
{
    snprintf(ret_text, NUMBER_TEXT_SIZE, "%" PRId64, number);
}

void number_format_unsigned(uint64_t number, char ret_text[NUMBER_TEXT_SIZE])
{
    snprintf(ret_text, NUMBER_TEXT_SIZE, "%" PRIu64, number);
}

void number_format_status(uint16_t status, char ret_text[NUMBER_STATUS_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    ret_text[0] = '0';
    ret_text[1] = 'x';
    for (unsigned i = 0; i < 4; i++)
        ret_text[2 + i] = digits[status >> (12 - 4 * i) & 0xF];
    ret_text[6] = '\0';
}

void number_format_double(double number, bool is_float, char ret_text[NUMBER_TEXT_SIZE])
{
    for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
        snprintf(ret_text, NUMBER_TEXT_SIZE, "%.*g", digits, number);
        double back = strtod(ret_text, NULL);
        if (is_float ? (float)back == (float)number : back == number)
            return;
    }
}
