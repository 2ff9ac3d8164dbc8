/*
 * dicom_json - see dicom_json.h.
 *
 * The identifier gives its elements one after the other with their depth; what has to be closed follows from it.
 */
#include "report/dicom_json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dicomnet/identifier.h"

enum { LEVELS = DICOMNET_IDENTIFIER_DEPTH_MAX + 2, NUMBER_SIZE = 48, TERMS_SIZE = 256 };

struct writer {
    struct text *text;
    struct charset *charset;
    char terms[TERMS_SIZE]; /* of the character set */
    struct text scratch;    /* a value as UTF-8 */
    unsigned depth;         /* sequences that are open */
    bool item_open[LEVELS];
    bool had_element[LEVELS];
};

/* ---- strings ---- */

static void put_string(struct text *text, const char *string, size_t len)
{
    text_put(text, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)string[i];
        if (byte == '"' || byte == '\\')
            text_printf(text, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            text_printf(text, "\\u%04x", byte);
        else
            text_put_bytes(text, &string[i], 1);
    }
    text_put(text, "\"");
}

/* {"Alphabetic":...,"Ideographic":...,"Phonetic":...}: the groups of a name (PS3.5 6.2.1.2), without the empty ones. */
static void put_name(struct text *text, const char *name, size_t len)
{
    static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
    bool first = true;
    text_put(text, "{");
    for (size_t i = 0; i < 3; i++) {
        const char *end = memchr(name, '=', len);
        size_t part = end != NULL ? (size_t)(end - name) : len;
        if (part > 0) {
            text_printf(text, "%s\"%s\":", first ? "" : ",", groups[i]);
            put_string(text, name, part);
            first = false;
        }
        if (end == NULL)
            break;
        name += part + 1;
        len -= part + 1;
    }
    text_put(text, "}");
}

/* ---- numbers ---- */

/* True if the text is a number as JSON writes them: -0.5e3, but not +1, 007 or .5 */
static bool is_json_number(const char *text, size_t len)
{
    const char *end = text + len;
    text += text < end && *text == '-';
    if (text == end || !isdigit((unsigned char)*text) ||
        (*text == '0' && text + 1 < end && isdigit((unsigned char)text[1])))
        return false;
    while (text < end && isdigit((unsigned char)*text))
        text++;
    if (text < end && *text == '.') {
        text++;
        if (text == end || !isdigit((unsigned char)*text))
            return false;
        while (text < end && isdigit((unsigned char)*text))
            text++;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        text++;
        text += text < end && (*text == '+' || *text == '-');
        if (text == end || !isdigit((unsigned char)*text))
            return false;
        while (text < end && isdigit((unsigned char)*text))
            text++;
    }
    return text == end;
}

static void put_number_or_string(struct text *text, const char *value, size_t len)
{
    if (is_json_number(value, len))
        text_put_bytes(text, value, len);
    else
        put_string(text, value, len);
}

static void put_base64(struct text *text, struct dicomnet_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text_put(text, "\"");
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t three = (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[i + 2] : 0);
        const char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                              (char)(left > 1 ? digits[three >> 6 & 63] : '='),
                              (char)(left > 2 ? digits[three & 63] : '=')};
        text_put_bytes(text, four, 4);
    }
    text_put(text, "\"");
}

/* ---- one element ---- */

static bool vr_is(const struct dicomnet_element *element, const char *vrs)
{
    for (; *vrs != '\0'; vrs += 2)
        if (element->vr[0] == vrs[0] && element->vr[1] == vrs[1])
            return true;
    return false;
}

/* One value of a text; padding is not part of it. What is empty between others is null. */
static void put_text_value(struct writer *writer, const struct dicomnet_element *element, const char *value, size_t len)
{
    while (len > 0 && value[len - 1] == ' ')
        len--;
    while (len > 0 && *value == ' ' && !vr_is(element, "LTSTUTUC")) {
        value++;
        len--;
    }
    if (len == 0)
        text_put(writer->text, "null");
    else if (vr_is(element, "PN"))
        put_name(writer->text, value, len);
    else if (vr_is(element, "DSIS"))
        put_number_or_string(writer->text, value, len);
    else
        put_string(writer->text, value, len);
}

static void put_text_values(struct writer *writer, const struct dicomnet_element *element)
{
    struct dicomnet_span bytes = element->value;
    while (bytes.len > 0 && (bytes.data[bytes.len - 1] == ' ' || bytes.data[bytes.len - 1] == '\0'))
        bytes.len--;
    if (bytes.len == 0)
        return;
    if (element->tag == DICOMNET_TAG_SPECIFIC_CHARACTER_SET) {
        text_put(writer->text, ",\"Value\":[\"ISO_IR 192\"]");
        return;
    }
    text_clear(&writer->scratch);
    text_put_decoded(&writer->scratch, writer->charset, writer->terms, element->vr, bytes);
    if (writer->scratch.failed) {
        writer->text->failed = true;
        return;
    }
    if (writer->scratch.failed)
        return;
    const char *value = writer->scratch.data;
    bool single = vr_is(element, "LTSTUTUR");
    text_put(writer->text, ",\"Value\":[");
    for (;;) {
        size_t len = single ? strlen(value) : strcspn(value, "\\");
        put_text_value(writer, element, value, len);
        value += len;
        if (*value == '\0')
            break;
        text_put(writer->text, ",");
        value++;
    }
    text_put(writer->text, "]");
}

static void put_other_values(struct writer *writer, const struct dicomnet_element *element)
{
    char number[NUMBER_SIZE];
    if (element->value.len == 0)
        return;
    if (!dicomnet_element_is_number(element) && !vr_is(element, "AT")) {
        text_put(writer->text, ",\"InlineBinary\":");
        put_base64(writer->text, element->value);
        return;
    }
    size_t count = dicomnet_element_value_count(element);
    text_put(writer->text, ",\"Value\":[");
    for (size_t i = 0; i < count; i++) {
        text_put(writer->text, i > 0 ? "," : "");
        if (!dicomnet_element_get_text(element, i, number, sizeof number))
            text_put(writer->text, "null");
        else if (vr_is(element, "AT"))
            put_string(writer->text, number, strlen(number));
        else
            put_number_or_string(writer->text, number, strlen(number));
    }
    text_put(writer->text, "]");
}

/* ---- the data set ---- */

static void close_sequence(struct writer *writer)
{
    text_put(writer->text, writer->item_open[writer->depth] ? "}]}" : "]}");
    writer->depth--;
}

static void put_item(struct writer *writer)
{
    unsigned depth = writer->depth;
    text_put(writer->text, writer->item_open[depth] ? "},{" : "{");
    writer->item_open[depth] = true;
    writer->had_element[depth] = false;
}

static void put_element(struct writer *writer, const struct dicomnet_identifier *identifier,
                        const struct dicomnet_element *element)
{
    struct dicomnet_element next = *element;
    text_printf(writer->text, "%s\"%08" PRIX32 "\":{\"vr\":\"%s\"", writer->had_element[writer->depth] ? "," : "",
                element->tag, element->vr);
    writer->had_element[writer->depth] = true;
    if (vr_is(element, "SQ")) {
        bool has_items = dicomnet_identifier_next(identifier, &next) && next.tag == DICOMNET_TAG_ITEM &&
                         next.depth == element->depth + 1;
        if (has_items && writer->depth + 1 < LEVELS) {
            text_put(writer->text, ",\"Value\":[");
            writer->depth++;
            writer->item_open[writer->depth] = false;
            return;
        }
    } else if (dicomnet_element_is_text(element)) {
        put_text_values(writer, element);
    } else {
        put_other_values(writer, element);
    }
    text_put(writer->text, "}");
}

void dicom_json_put(struct text *text, const struct dicomnet_identifier *identifier, struct charset *charset)
{
    struct writer writer = {.text = text, .charset = charset};
    dicomnet_identifier_get_text(identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, writer.terms, sizeof writer.terms);
    text_put(text, "{");
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(identifier, &element);) {
        while (writer.depth > element.depth)
            close_sequence(&writer);
        if (element.tag == DICOMNET_TAG_ITEM)
            put_item(&writer);
        else
            put_element(&writer, identifier, &element);
    }
    while (writer.depth > 0)
        close_sequence(&writer);
    text_put(text, "}");
    text_fini(&writer.scratch);
}
