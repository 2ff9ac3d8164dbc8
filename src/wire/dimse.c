/*
 * dimse - command sets to and from bytes. See dicomnet/dimse.h.
 *
 * One table says which elements there are (PS3.7 Annex E), how they are encoded and where in struct
 * dicomnet_dimse_command they live. It is in ascending order, so encoding walks it once; decoding looks each element up
 * in it.
 */
#include "dicomnet/dimse.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"

enum element_kind { ELEMENT_US, ELEMENT_UI, ELEMENT_TEXT /* AE, LO */, ELEMENT_TAGS /* AT: offending_count of them */ };

enum { ALWAYS = 0, GROUP_LENGTH = 0x0000, OFFENDING_ELEMENT = 0x0901, ELEMENT_HEADER_LEN = 8 };

struct dicomnet_element {
    uint16_t number; /* in group 0000 */
    uint8_t kind;
    uint8_t size; /* of the member, NUL included */
    uint16_t offset;
    uint32_t bit; /* in `present`, or ALWAYS */
};

#define ROW(number_, kind_, member_, bit_)                                                                             \
    {                                                                                                                  \
        .number = (number_), .kind = (kind_), .size = sizeof(((struct dicomnet_dimse_command *)0)->member_),           \
        .offset = offsetof(struct dicomnet_dimse_command, member_), .bit = (bit_)                                      \
    }

/* clang-format off */
static const struct dicomnet_element elements[] = {
    ROW(0x0002, ELEMENT_UI,   class_uid,            DICOMNET_DIMSE_HAS_CLASS_UID),
    ROW(0x0100, ELEMENT_US,   field,                ALWAYS),
    ROW(0x0110, ELEMENT_US,   message_id,           DICOMNET_DIMSE_HAS_MESSAGE_ID),
    ROW(0x0120, ELEMENT_US,   message_id_responded, DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED),
    ROW(0x0600, ELEMENT_TEXT, move_destination,     DICOMNET_DIMSE_HAS_MOVE_DESTINATION),
    ROW(0x0700, ELEMENT_US,   priority,             DICOMNET_DIMSE_HAS_PRIORITY),
    ROW(0x0800, ELEMENT_US,   data_set_type,        ALWAYS),
    ROW(0x0900, ELEMENT_US,   status,               DICOMNET_DIMSE_HAS_STATUS),
    ROW(0x0901, ELEMENT_TAGS, offending,            DICOMNET_DIMSE_HAS_OFFENDING_ELEMENT),
    ROW(0x0902, ELEMENT_TEXT, error_comment,        DICOMNET_DIMSE_HAS_ERROR_COMMENT),
    ROW(0x0903, ELEMENT_US,   error_id,             DICOMNET_DIMSE_HAS_ERROR_ID),
    ROW(0x1000, ELEMENT_UI,   instance_uid,         DICOMNET_DIMSE_HAS_INSTANCE_UID),
    ROW(0x1020, ELEMENT_US,   remaining,            DICOMNET_DIMSE_HAS_REMAINING),
    ROW(0x1021, ELEMENT_US,   completed,            DICOMNET_DIMSE_HAS_COMPLETED),
    ROW(0x1022, ELEMENT_US,   failed,               DICOMNET_DIMSE_HAS_FAILED),
    ROW(0x1023, ELEMENT_US,   warning,              DICOMNET_DIMSE_HAS_WARNING),
    ROW(0x1030, ELEMENT_TEXT, originator_ae,        DICOMNET_DIMSE_HAS_ORIGINATOR_AE),
    ROW(0x1031, ELEMENT_US,   originator_id,        DICOMNET_DIMSE_HAS_ORIGINATOR_ID),
};
/* clang-format on */

enum { ELEMENT_COUNT = sizeof elements / sizeof elements[0], FIELD_PLACE = 1 /* of Command Field in the table */ };

static const struct dicomnet_element *find_element(uint16_t group, uint16_t number)
{
    if (group != 0x0000)
        return NULL;
    for (size_t i = 0; i < ELEMENT_COUNT; i++)
        if (elements[i].number == number)
            return &elements[i];
    return NULL;
}

const char *dicomnet_dimse_field_name(uint16_t field)
{
    static const struct {
        uint16_t field;
        const char *name;
    } names[] = {
        {DICOMNET_DIMSE_C_STORE_RQ, "C-STORE-RQ"},   {DICOMNET_DIMSE_C_STORE_RSP, "C-STORE-RSP"},
        {DICOMNET_DIMSE_C_GET_RQ, "C-GET-RQ"},       {DICOMNET_DIMSE_C_GET_RSP, "C-GET-RSP"},
        {DICOMNET_DIMSE_C_FIND_RQ, "C-FIND-RQ"},     {DICOMNET_DIMSE_C_FIND_RSP, "C-FIND-RSP"},
        {DICOMNET_DIMSE_C_MOVE_RQ, "C-MOVE-RQ"},     {DICOMNET_DIMSE_C_MOVE_RSP, "C-MOVE-RSP"},
        {DICOMNET_DIMSE_C_ECHO_RQ, "C-ECHO-RQ"},     {DICOMNET_DIMSE_C_ECHO_RSP, "C-ECHO-RSP"},
        {DICOMNET_DIMSE_C_CANCEL_RQ, "C-CANCEL-RQ"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].field == field)
            return names[i].name;
    return "unknown";
}

static void put_header(struct bytes_writer *writer, uint16_t number, uint32_t value_len)
{
    bytes_put_u16_le(writer, 0x0000);
    bytes_put_u16_le(writer, number);
    bytes_put_u32_le(writer, value_len);
}

static void put_tags(struct bytes_writer *writer, const struct dicomnet_dimse_command *command)
{
    put_header(writer, OFFENDING_ELEMENT, 4u * command->offending_count);
    for (unsigned i = 0; i < command->offending_count; i++) {
        bytes_put_u16_le(writer, (uint16_t)(command->offending[i] >> 16));
        bytes_put_u16_le(writer, (uint16_t)command->offending[i]);
    }
}

static void put_element(struct bytes_writer *writer, const struct dicomnet_element *element,
                        const struct dicomnet_dimse_command *command)
{
    const char *member = (const char *)command + element->offset;
    if (element->kind == ELEMENT_TAGS) {
        put_tags(writer, command);
        return;
    }
    if (element->kind == ELEMENT_US) {
        uint16_t value;
        memcpy(&value, member, sizeof value);
        put_header(writer, element->number, sizeof value);
        bytes_put_u16_le(writer, value);
        return;
    }
    size_t len = strnlen(member, element->size - 1u);
    put_header(writer, element->number, (uint32_t)(len + len % 2));
    bytes_put(writer, member, len);
    if (len % 2 != 0)
        bytes_put_u8(writer, element->kind == ELEMENT_UI ? '\0' : ' ');
}

ssize_t dicomnet_dimse_encode_command(uint8_t *bytes, size_t size, const struct dicomnet_dimse_command *command)
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    put_header(&writer, GROUP_LENGTH, 4);
    bytes_put_u32_le(&writer, 0);
    size_t start = writer.len;
    for (size_t i = 0; i < ELEMENT_COUNT; i++)
        if (elements[i].bit == ALWAYS || (command->present & elements[i].bit) != 0)
            put_element(&writer, &elements[i], command);
    if (writer.overflow)
        return DICOMNET_ERROR_BUFFER_TOO_SMALL;
    set_u32_le(bytes + start - 4, (uint32_t)(writer.len - start));
    return (ssize_t)writer.len;
}

static void take_tags(struct dicomnet_span value, struct dicomnet_dimse_command *command)
{
    command->offending_count = 0;
    for (size_t at = 0; at + 4 <= value.len && command->offending_count < DICOMNET_DIMSE_OFFENDING_MAX; at += 4)
        command->offending[command->offending_count++] =
            (uint32_t)get_u16_le(value.data + at) << 16 | get_u16_le(value.data + at + 2);
}

/* Put the value of an element where it belongs. */
static int take_element(const struct dicomnet_element *element, struct dicomnet_span value,
                        struct dicomnet_dimse_command *command)
{
    const void *nul;
    char *member = (char *)command + element->offset;
    if (element->kind == ELEMENT_US) {
        if (value.len < 2)
            return DICOMNET_ERROR_DIMSE_MALFORMED;
        uint16_t number = get_u16_le(value.data);
        memcpy(member, &number, sizeof number);
    } else if (element->kind == ELEMENT_TAGS) {
        take_tags(value, command);
    } else if (element->bit == DICOMNET_DIMSE_HAS_ERROR_COMMENT && value.len > 0 &&
               (nul = memchr(value.data, '\0', value.len)) != NULL) {
        /* For people, and often what lay in a buffer: it ends there. A UID or a title does not. */
        value.len = (size_t)((const uint8_t *)nul - value.data);
        (void)dicomnet_span_copy_trimmed(value, member, element->size);
    } else if (!dicomnet_span_copy_trimmed(value, member, element->size)) {
        command->cut |= element->bit;
    }
    command->present |= element->bit;
    return 0;
}

int dicomnet_dimse_decode_command(struct dicomnet_span bytes, struct dicomnet_dimse_command *ret_command)
{
    *ret_command = (struct dicomnet_dimse_command){.data_set_type = DICOMNET_DIMSE_NO_DATA_SET};
    uint32_t seen = 0; /* by place in the table */
    while (bytes.len > 0) {
        if (bytes.len < ELEMENT_HEADER_LEN)
            return DICOMNET_ERROR_DIMSE_MALFORMED;
        const struct dicomnet_element *element = find_element(get_u16_le(bytes.data), get_u16_le(bytes.data + 2));
        uint32_t value_len = get_u32_le(bytes.data + 4);
        if (value_len > bytes.len - ELEMENT_HEADER_LEN)
            return DICOMNET_ERROR_DIMSE_MALFORMED;
        struct dicomnet_span value = {.data = bytes.data + ELEMENT_HEADER_LEN, .len = value_len};
        if (element != NULL) {
            uint32_t place = 1u << (element - elements);
            if ((seen & place) != 0 || take_element(element, value, ret_command) < 0)
                return DICOMNET_ERROR_DIMSE_MALFORMED;
            seen |= place;
        }
        bytes.data += ELEMENT_HEADER_LEN + value_len;
        bytes.len -= ELEMENT_HEADER_LEN + value_len;
    }
    return (seen & 1u << FIELD_PLACE) != 0 ? 0 : DICOMNET_ERROR_DIMSE_MALFORMED;
}

struct dicomnet_dimse_command dicomnet_dimse_response_to(const struct dicomnet_dimse_command *request, uint16_t status)
{
    struct dicomnet_dimse_command response = {
        .present = DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED | DICOMNET_DIMSE_HAS_STATUS |
                   (request->present & (DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_INSTANCE_UID)),
        .field = request->field | DICOMNET_DIMSE_RESPONSE,
        .data_set_type = DICOMNET_DIMSE_NO_DATA_SET,
        .message_id_responded = request->message_id,
        .status = status,
    };
    memcpy(response.class_uid, request->class_uid, sizeof response.class_uid);
    memcpy(response.instance_uid, request->instance_uid, sizeof response.instance_uid);
    return response;
}

/* ---- messages ---- */

void dicomnet_dimse_reader_init(struct dicomnet_dimse_reader *reader)
{
    reader->state = DICOMNET_DIMSE_AWAIT_COMMAND;
    reader->context_id = 0;
    reader->len = 0;
    memset(&reader->command, 0, sizeof reader->command);
}

/* A fragment of a command set: gathered, and read when it is the last. */
static int read_command(struct dicomnet_dimse_reader *reader, const struct dicomnet_pdu_event *fragment,
                        struct dicomnet_dimse_event *ret_event)
{
    struct dicomnet_span command = fragment->body;
    if (command.len > sizeof reader->bytes - reader->len)
        return DICOMNET_ERROR_DIMSE_MALFORMED;
    /* A command set that came whole, as nearly all do, is read where it is. */
    if (reader->len > 0 || !fragment->last) {
        if (command.len > 0)
            memcpy(reader->bytes + reader->len, command.data, command.len);
        reader->len += command.len;
        command = (struct dicomnet_span){.data = reader->bytes, .len = reader->len};
    }
    reader->state = DICOMNET_DIMSE_IN_COMMAND;
    if (!fragment->last)
        return 0;
    int error = dicomnet_dimse_decode_command(command, &reader->command);
    if (error < 0)
        return error;
    /* These have none (PS3.7 9.3.1.2, 9.3.5.2, 9.3.2.3), whatever some peers put into Command Data Set Type. */
    uint16_t field = reader->command.field;
    if (field == DICOMNET_DIMSE_C_STORE_RSP || field == DICOMNET_DIMSE_C_ECHO_RSP ||
        field == DICOMNET_DIMSE_C_CANCEL_RQ)
        reader->command.data_set_type = DICOMNET_DIMSE_NO_DATA_SET;
    reader->state =
        dicomnet_dimse_has_data_set(&reader->command) ? DICOMNET_DIMSE_IN_DATA : DICOMNET_DIMSE_AWAIT_COMMAND;
    reader->len = 0;
    ret_event->type = DICOMNET_DIMSE_EVENT_COMMAND;
    ret_event->command = &reader->command;
    ret_event->last = reader->state == DICOMNET_DIMSE_AWAIT_COMMAND;
    return 0;
}

int dicomnet_dimse_read(struct dicomnet_dimse_reader *reader, const struct dicomnet_pdu_event *fragment,
                        struct dicomnet_dimse_event *ret_event)
{
    assert(fragment->type == DICOMNET_PDU_EVENT_FRAGMENT);
    *ret_event = (struct dicomnet_dimse_event){.type = DICOMNET_DIMSE_EVENT_NONE, .context_id = fragment->context_id};
    if (reader->state == DICOMNET_DIMSE_AWAIT_COMMAND)
        reader->context_id = fragment->context_id;
    if (fragment->context_id != reader->context_id || fragment->command != (reader->state != DICOMNET_DIMSE_IN_DATA))
        return DICOMNET_ERROR_DIMSE_UNEXPECTED;
    if (fragment->command)
        return read_command(reader, fragment, ret_event);
    if (fragment->last)
        reader->state = DICOMNET_DIMSE_AWAIT_COMMAND;
    ret_event->type = DICOMNET_DIMSE_EVENT_DATA;
    ret_event->command = &reader->command;
    ret_event->data = fragment->body;
    ret_event->last = fragment->last;
    return 0;
}
