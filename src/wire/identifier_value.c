/* identifier_value - the values of elements, to and from text. See dicomnet/identifier.h. */
#include "base/bytes.h"
#include "base/number_text.h"
#include "wire/identifier_private.h"
#include "wire/value_form.h"
#include "wire/vr.h"

enum { TAG_TEXT_SIZE = 9 };

static uint64_t get_u64_le(const uint8_t *p)
{
    return (uint64_t)get_u32_le(p + 4) << 32 | get_u32_le(p);
}

static void set_u64_le(uint8_t *p, uint64_t value)
{
    set_u32_le(p, (uint32_t)value);
    set_u32_le(p + 4, (uint32_t)(value >> 32));
}

/* ---- the values of an element ---- */

bool dicomnet_element_is_number(const struct dicomnet_element *element)
{
    const struct vr_info *vr = vr_find(element->vr);
    return vr != NULL && (vr->kind == VR_SIGNED || vr->kind == VR_UNSIGNED || vr->kind == VR_FLOAT);
}

bool dicomnet_element_is_text(const struct dicomnet_element *element)
{
    const struct vr_info *vr = vr_find(element->vr);
    return vr != NULL && vr->kind == VR_TEXT;
}

static size_t count_backslashes(struct dicomnet_span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\\';
    return count;
}

size_t dicomnet_element_value_count(const struct dicomnet_element *element)
{
    const struct vr_info *vr = vr_find(element->vr);
    if (vr == NULL || element->value.len == 0)
        return 0;
    if (vr->size > 0)
        return element->value.len / vr->size;
    return vr->kind == VR_TEXT && !vr->one_value ? count_backslashes(element->value) + 1 : 1;
}

static bool is_padding(uint8_t byte)
{
    return byte == ' ' || byte == '\0';
}

/* Text without padding: spaces in front have a meaning in long texts only (PS3.5 6.2). */
static struct dicomnet_span trimmed(struct dicomnet_span text, bool front)
{
    while (text.len > 0 && is_padding(text.data[text.len - 1]))
        text.len--;
    while (front && text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    return text;
}

/* Part number `index` between backslashes. */
static bool take_part(struct dicomnet_span text, size_t index, struct dicomnet_span *ret_part)
{
    for (;;) {
        const uint8_t *backslash = memchr(text.data, '\\', text.len);
        size_t len = backslash != NULL ? (size_t)(backslash - text.data) : text.len;
        if (index == 0) {
            *ret_part = (struct dicomnet_span){.data = text.data, .len = len};
            return true;
        }
        if (backslash == NULL)
            return false;
        text.data += len + 1;
        text.len -= len + 1;
        index--;
    }
}

bool dicomnet_element_get_value(const struct dicomnet_element *element, size_t index, struct dicomnet_span *ret_value)
{
    const struct vr_info *vr = vr_find(element->vr);
    struct dicomnet_span value = element->value;
    if (vr == NULL || value.len == 0)
        return false;
    if (vr->size > 0) {
        if (index >= value.len / vr->size)
            return false;
        *ret_value = (struct dicomnet_span){.data = value.data + index * vr->size, .len = vr->size};
        return true;
    }
    if (vr->kind == VR_TEXT && !vr->one_value) {
        if (!take_part(value, index, ret_value))
            return false;
        *ret_value = trimmed(*ret_value, true);
        return true;
    }
    *ret_value = vr->kind == VR_TEXT ? trimmed(value, false) : value;
    return index == 0;
}

static void format_tag(const uint8_t *bytes, char ret_text[NUMBER_TEXT_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t tag = (uint32_t)get_u16_le(bytes) << 16 | get_u16_le(bytes + 2);
    for (int i = 0; i < TAG_TEXT_SIZE - 1; i++)
        ret_text[i] = digits[tag >> (28 - 4 * i) & 0xF];
    ret_text[TAG_TEXT_SIZE - 1] = '\0';
}

static double get_float(const uint8_t *bytes, size_t size)
{
    uint64_t bits = size == 8 ? get_u64_le(bytes) : 0;
    uint32_t bits32 = get_u32_le(bytes);
    float number32;
    double number;
    memcpy(&number32, &bits32, sizeof number32);
    memcpy(&number, &bits, sizeof number);
    return size == 8 ? number : (double)number32;
}

static void format_number(const struct vr_info *vr, const uint8_t *bytes, char ret_text[NUMBER_TEXT_SIZE])
{
    if (vr->kind == VR_TAG) {
        format_tag(bytes, ret_text);
    } else if (vr->kind == VR_FLOAT) {
        number_format_double(get_float(bytes, vr->size), vr->size == 4, ret_text);
    } else if (vr->kind == VR_SIGNED) {
        int64_t number = vr->size == 2   ? (int16_t)get_u16_le(bytes)
                         : vr->size == 4 ? (int32_t)get_u32_le(bytes)
                                         : (int64_t)get_u64_le(bytes);
        number_format_signed(number, ret_text);
    } else {
        uint64_t number = vr->size == 2 ? get_u16_le(bytes) : vr->size == 4 ? get_u32_le(bytes) : get_u64_le(bytes);
        number_format_unsigned(number, ret_text);
    }
}

/* Copy what fits; there is always room for the NUL. */
static size_t copy_text(char *text, size_t size, const void *from, size_t len)
{
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(text, from, len);
    text[len] = '\0';
    return len;
}

bool dicomnet_element_get_text(const struct dicomnet_element *element, size_t index, char *ret_text, size_t size)
{
    const struct vr_info *vr = vr_find(element->vr);
    struct dicomnet_span value;
    char number[NUMBER_TEXT_SIZE];
    ret_text[0] = '\0';
    if (vr == NULL || vr->kind == VR_BYTES || vr->kind == VR_SEQUENCE ||
        !dicomnet_element_get_value(element, index, &value))
        return false;
    if (vr->kind == VR_TEXT) {
        copy_text(ret_text, size, value.data, value.len);
        return true;
    }
    format_number(vr, value.data, number);
    copy_text(ret_text, size, number, strlen(number));
    return true;
}

bool dicomnet_identifier_get_text(const struct dicomnet_identifier *identifier, uint32_t tag, char *ret_text,
                                  size_t size)
{
    struct dicomnet_element element;
    size_t len = 0;
    ret_text[0] = '\0';
    if (!dicomnet_identifier_find(identifier, tag, &element))
        return false;
    const struct vr_info *vr = vr_find(element.vr);
    if (vr == NULL)
        return false;
    if (vr->kind == VR_TEXT) {
        struct dicomnet_span whole = trimmed(element.value, !vr->one_value);
        return copy_text(ret_text, size, whole.data, whole.len) > 0;
    }
    char text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; len + 1 < size && dicomnet_element_get_text(&element, i, text, sizeof text); i++) {
        if (i > 0)
            len += copy_text(ret_text + len, size - len, "\\", 1);
        len += copy_text(ret_text + len, size - len, text, strlen(text));
    }
    return len > 0;
}

/* ---- from text ---- */

static bool parse_integer(const struct vr_info *vr, const char *text, uint8_t *bytes)
{
    uint64_t number;
    int64_t with_sign;
    unsigned bits = 8u * vr->size;
    if (vr->kind == VR_UNSIGNED) {
        if (!number_parse_unsigned(text, UINT64_MAX >> (64 - bits), &number))
            return false;
    } else {
        int64_t max = INT64_MAX >> (64 - bits);
        if (!number_parse_signed(text, -max - 1, max, &with_sign))
            return false;
        number = (uint64_t)with_sign;
    }
    if (vr->size == 8)
        set_u64_le(bytes, number);
    else if (vr->size == 4)
        set_u32_le(bytes, (uint32_t)number);
    else
        set_u16_le(bytes, (uint16_t)number);
    return true;
}

static bool parse_float(const struct vr_info *vr, const char *text, uint8_t *bytes)
{
    double number;
    if (!number_parse_double(text, &number))
        return false;
    float number32 = (float)number;
    uint64_t bits;
    uint32_t bits32;
    memcpy(&bits, &number, sizeof bits);
    memcpy(&bits32, &number32, sizeof bits32);
    if (vr->size == 8)
        set_u64_le(bytes, bits);
    else
        set_u32_le(bytes, bits32);
    return true;
}

static bool parse_value(const struct vr_info *vr, const char *text, uint8_t *bytes)
{
    uint32_t tag;
    if (vr->kind == VR_FLOAT)
        return parse_float(vr, text, bytes);
    if (vr->kind != VR_TAG)
        return parse_integer(vr, text, bytes);
    if (!dicomnet_dictionary_parse_tag(text, &tag))
        return false;
    set_u16_le(bytes, (uint16_t)(tag >> 16));
    set_u16_le(bytes + 2, (uint16_t)tag);
    return true;
}

/* Replace the element's value, which is as long as it has to be, by the numbers of the text. */
static bool fill_numbers(const struct vr_info *vr, struct dicomnet_span text, uint8_t *bytes)
{
    struct dicomnet_span part;
    for (size_t i = 0; take_part(text, i, &part); i++) {
        char number[64 + NUMBER_TEXT_SIZE]; /* keywords of AT are the longest */
        if (part.len >= sizeof number)
            return false;
        copy_text(number, sizeof number, part.data, part.len);
        if (!parse_value(vr, number, bytes + i * vr->size))
            return false;
    }
    return true;
}

int dicomnet_identifier_set_text(struct dicomnet_identifier *identifier, uint32_t tag, const char *text)
{
    const char *name = dicomnet_dictionary_vr(tag);
    const struct vr_info *vr = vr_find(name);
    struct dicomnet_span value = dicomnet_span_of(text);
    if (vr->kind == VR_TEXT && !value_form_fits(name, value))
        return DICOMNET_ERROR_IDENTIFIER_VALUE;
    if (vr->kind == VR_TEXT || value.len == 0)
        return dicomnet_identifier_set_bytes(identifier, tag, name, value);
    if (vr->size == 0)
        return DICOMNET_ERROR_IDENTIFIER_VALUE;
    uint8_t numbers[256];
    size_t len = vr->size * (count_backslashes(value) + 1);
    if (len > sizeof numbers || !fill_numbers(vr, value, numbers))
        return DICOMNET_ERROR_IDENTIFIER_VALUE;
    return dicomnet_identifier_set_bytes(identifier, tag, name, (struct dicomnet_span){.data = numbers, .len = len});
}

int dicomnet_identifier_set_text_as_it_is(struct dicomnet_identifier *identifier, uint32_t tag, const char *text)
{
    const char *name = dicomnet_dictionary_vr(tag);
    if (vr_find(name)->kind != VR_TEXT)
        return dicomnet_identifier_set_text(identifier, tag, text);
    return dicomnet_identifier_set_bytes(identifier, tag, name, dicomnet_span_of(text));
}
