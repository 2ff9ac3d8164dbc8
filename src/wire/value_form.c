/* value_form - see value_form.h. */
#include "wire/value_form.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/vr.h"

struct form {
    char vr[3];
    uint16_t len_max;       /* of one value; 0 = no limit */
    uint16_t range_len_max; /* of two with a hyphen between them, or one beside it; 0 = the VR has no ranges */
    const char *characters; /* NULL = all but control characters */
};

/* Lengths are in bytes for those whose characters are ASCII, else in characters. AE and CS are taken in lower case too.
 */
static const struct form forms[] = {
    {"AE", 16, 0, NULL},
    {"AS", 4, 0, "0123456789DWMY"},
    {"CS", 16, 0, NULL},
    {"DA", 10, 21, "0123456789."},
    {"DS", 16, 0, "0123456789+-.Ee "},
    {"DT", 26, 53, "0123456789.+-"},
    {"IS", 12, 0, "0123456789+- "},
    {"LO", 64, 0, NULL},
    {"LT", 10240, 0, NULL},
    {"PN", 3 * 64 + 2, 0, NULL},
    {"SH", 16, 0, NULL},
    {"ST", 1024, 0, NULL},
    {"TM", 16, 33, "0123456789.:"},
    {"UC", 0, 0, NULL},
    {"UI", 64, 0, "0123456789."},
    {"UR", 0, 0, NULL},
    {"UT", 0, 0, NULL},
};

static const struct form *form_of(const char *vr)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (memcmp(forms[i].vr, vr, 2) == 0)
            return &forms[i];
    return NULL;
}

static struct dicomnet_span trimmed(struct dicomnet_span value)
{
    while (value.len > 0 && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }
    while (value.len > 0 && value.data[value.len - 1] == ' ')
        value.len--;
    return value;
}

static bool is_wild(uint8_t character)
{
    return character == '*' || character == '?';
}

/* What a control character may be: ESC changes the character set (PS3.5 6.1.2.5.3); paragraphs have lines. */
static bool may_stand(uint8_t character, bool paragraph)
{
    return character >= 0x20 ? character != 0x7F : character == 0x1B || (paragraph && strchr("\t\n\f\r", character));
}

static bool has_characters(const struct form *form, struct dicomnet_span value, bool paragraph, bool *ret_measurable)
{
    *ret_measurable = true;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t character = value.data[i];
        if (is_wild(character) || character >= 0x80 || character == 0x1B)
            *ret_measurable = false;
        if (character == 0 || !may_stand(character, paragraph))
            return false;
        bool ranges = form->range_len_max > 0 && character == '-';
        if (form->characters != NULL && !is_wild(character) && !ranges && strchr(form->characters, character) == NULL)
            return false;
    }
    return true;
}

static bool has_digits(struct dicomnet_span value, size_t begin, size_t count)
{
    for (size_t i = begin; i < begin + count; i++)
        if (i >= value.len || value.data[i] < '0' || value.data[i] > '9')
            return false;
    return true;
}

/* YYYYMMDD, or YYYY.MM.DD as it was before DICOM 3.0. */
static bool is_date(struct dicomnet_span value)
{
    if (value.len == 8)
        return has_digits(value, 0, 8);
    return value.len == 10 && has_digits(value, 0, 4) && value.data[4] == '.' && has_digits(value, 5, 2) &&
           value.data[7] == '.' && has_digits(value, 8, 2);
}

/* One date; or two with a hyphen between them, of which one may be missing. */
static bool is_date_or_range(struct dicomnet_span value)
{
    const uint8_t *hyphen = memchr(value.data, '-', value.len);
    if (hyphen == NULL)
        return is_date(value);
    size_t first = (size_t)(hyphen - value.data);
    struct dicomnet_span begin = {value.data, first}, end = {hyphen + 1, value.len - first - 1};
    return begin.len + end.len > 0 && (begin.len == 0 || is_date(begin)) && (end.len == 0 || is_date(end));
}

/* [+-] and digits. */
static bool is_integer(struct dicomnet_span value)
{
    size_t sign = value.data[0] == '+' || value.data[0] == '-' ? 1 : 0;
    return value.len > sign && has_digits(value, sign, value.len - sign);
}

static bool one_fits(const struct form *form, struct dicomnet_span value, bool paragraph)
{
    bool measurable;
    value = trimmed(value);
    if (value.len == 0)
        return true;
    if (!has_characters(form, value, paragraph, &measurable))
        return false;
    if (!measurable)
        return true;
    bool is_range = form->range_len_max > 0 && memchr(value.data, '-', value.len) != NULL;
    uint16_t len_max = is_range ? form->range_len_max : form->len_max;
    if (len_max > 0 && value.len > len_max)
        return false;
    if (memcmp(form->vr, "DA", 2) == 0)
        return is_date_or_range(value);
    return memcmp(form->vr, "IS", 2) != 0 || is_integer(value);
}

bool value_form_fits(const char *vr, struct dicomnet_span values)
{
    const struct form *form = form_of(vr);
    const struct vr_info *info = vr_find(vr);
    if (form == NULL || info == NULL)
        return true;
    while (!info->one_value) {
        const uint8_t *separator = values.len > 0 ? memchr(values.data, '\\', values.len) : NULL;
        if (separator == NULL)
            break;
        size_t len = (size_t)(separator - values.data);
        if (!one_fits(form, (struct dicomnet_span){values.data, len}, false))
            return false;
        values.data += len + 1;
        values.len -= len + 1;
    }
    return one_fits(form, values, info->one_value);
}
