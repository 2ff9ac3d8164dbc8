/*
 * dimse - command sets to and from bytes. See dicomnet/dimse.h.
 *
 * One table says which elements there are (PS3.7 Annex E), how they are encoded and where in struct dimse_command they
 * live. It is in ascending order, so encoding walks it once; decoding looks each element up in it.
 */
#include "dicomnet/dimse.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"

enum element_kind { ELEMENT_US, ELEMENT_UI, ELEMENT_TEXT /* AE, LO */, ELEMENT_TAGS /* AT: offending_count of them */ };

enum { ALWAYS = 0, GROUP_LENGTH = 0x0000, OFFENDING_ELEMENT = 0x0901, ELEMENT_HEADER_LEN = 8 };

struct element {
    uint16_t number; /* in group 0000 */
    uint8_t kind;
    uint8_t size; /* of the member, NUL included */
    uint16_t offset;
    uint32_t bit; /* in `present`, or ALWAYS */
};

#define ROW(number_, kind_, member_, bit_)                                                                             \
    {                                                                                                                  \
        .number = (number_), .kind = (kind_), .size = sizeof(((struct dimse_command *)0)->member_),                    \
        .offset = offsetof(struct dimse_command, member_), .bit = (bit_)                                               \
    }

/* clang-format off */
static const struct element elements[] = {
    ROW(0x0002, ELEMENT_UI,   class_uid,            DIMSE_HAS_CLASS_UID),
    ROW(0x0100, ELEMENT_US,   field,                ALWAYS),
    ROW(0x0110, ELEMENT_US,   message_id,           DIMSE_HAS_MESSAGE_ID),
    ROW(0x0120, ELEMENT_US,   message_id_responded, DIMSE_HAS_MESSAGE_ID_RESPONDED),
    ROW(0x0600, ELEMENT_TEXT, move_destination,     DIMSE_HAS_MOVE_DESTINATION),
    ROW(0x0700, ELEMENT_US,   priority,             DIMSE_HAS_PRIORITY),
    ROW(0x0800, ELEMENT_US,   data_set_type,        ALWAYS),
    ROW(0x0900, ELEMENT_US,   status,               DIMSE_HAS_STATUS),
    ROW(0x0901, ELEMENT_TAGS, offending,            DIMSE_HAS_OFFENDING_ELEMENT),
    ROW(0x0902, ELEMENT_TEXT, error_comment,        DIMSE_HAS_ERROR_COMMENT),
    ROW(0x0903, ELEMENT_US,   error_id,             DIMSE_HAS_ERROR_ID),
    ROW(0x1000, ELEMENT_UI,   instance_uid,         DIMSE_HAS_INSTANCE_UID),
    ROW(0x1020, ELEMENT_US,   remaining,            DIMSE_HAS_REMAINING),
    ROW(0x1021, ELEMENT_US,   completed,            DIMSE_HAS_COMPLETED),
    ROW(0x1022, ELEMENT_US,   failed,               DIMSE_HAS_FAILED),
    ROW(0x1023, ELEMENT_US,   warning,              DIMSE_HAS_WARNING),
    ROW(0x1030, ELEMENT_TEXT, originator_ae,        DIMSE_HAS_ORIGINATOR_AE),
    ROW(0x1031, ELEMENT_US,   originator_id,        DIMSE_HAS_ORIGINATOR_ID),
};
/* clang-format on */

enum { ELEMENT_COUNT = sizeof elements / sizeof elements[0], FIELD_PLACE = 1 /* of Command Field in the table */ };

static const struct element *find_element(uint16_t group, uint16_t number)
{
    if (group != 0x0000)
        return NULL;
    for (size_t i = 0; i < ELEMENT_COUNT; i++)
        if (elements[i].number == number)
            return &elements[i];
    return NULL;
}

const char *dimse_field_name(uint16_t field)
{
    static const struct {
        uint16_t field;
        const char *name;
    } names[] = {
        {DIMSE_C_STORE_RQ, "C-STORE-RQ"}, {DIMSE_C_STORE_RSP, "C-STORE-RSP"}, {DIMSE_C_GET_RQ, "C-GET-RQ"},
        {DIMSE_C_GET_RSP, "C-GET-RSP"},   {DIMSE_C_FIND_RQ, "C-FIND-RQ"},     {DIMSE_C_FIND_RSP, "C-FIND-RSP"},
        {DIMSE_C_MOVE_RQ, "C-MOVE-RQ"},   {DIMSE_C_MOVE_RSP, "C-MOVE-RSP"},   {DIMSE_C_ECHO_RQ, "C-ECHO-RQ"},
        {DIMSE_C_ECHO_RSP, "C-ECHO-RSP"}, {DIMSE_C_CANCEL_RQ, "C-CANCEL-RQ"},
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

static void put_tags(struct bytes_writer *writer, const struct dimse_command *command)
{
    put_header(writer, OFFENDING_ELEMENT, 4u * command->offending_count);
    for (unsigned i = 0; i < command->offending_count; i++) {
        bytes_put_u16_le(writer, (uint16_t)(command->offending[i] >> 16));
        bytes_put_u16_le(writer, (uint16_t)command->offending[i]);
    }
}

static void put_element(struct bytes_writer *writer, const struct element *element, const struct dimse_command *command)
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

ssize_t dimse_encode_command(uint8_t *bytes, size_t size, const struct dimse_command *command)
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    put_header(&writer, GROUP_LENGTH, 4);
    bytes_put_u32_le(&writer, 0);
    size_t start = writer.len;
    for (size_t i = 0; i < ELEMENT_COUNT; i++)
        if (elements[i].bit == ALWAYS || (command->present & elements[i].bit) != 0)
            put_element(&writer, &elements[i], command);
    if (writer.overflow)
        return ERROR_BUFFER_TOO_SMALL;
    set_u32_le(bytes + start - 4, (uint32_t)(writer.len - start));
    return (ssize_t)writer.len;
}

static void take_tags(struct span value, struct dimse_command *command)
{
    command->offending_count = 0;
    for (size_t at = 0; at + 4 <= value.len && command->offending_count < DIMSE_OFFENDING_MAX; at += 4)
        command->offending[command->offending_count++] =
            (uint32_t)get_u16_le(value.data + at) << 16 | get_u16_le(value.data + at + 2);
}

/* Put the value of an element where it belongs. */
static int take_element(const struct element *element, struct span value, struct dimse_command *command)
{
    const void *nul;
    char *member = (char *)command + element->offset;
    if (element->kind == ELEMENT_US) {
        if (value.len < 2)
            return ERROR_DIMSE_MALFORMED;
        uint16_t number = get_u16_le(value.data);
        memcpy(member, &number, sizeof number);
    } else if (element->kind == ELEMENT_TAGS) {
        take_tags(value, command);
    } else if (element->bit == DIMSE_HAS_ERROR_COMMENT && value.len > 0 &&
               (nul = memchr(value.data, '\0', value.len)) != NULL) {
        /* For people, and often what lay in a buffer: it ends there. A UID or a title does not. */
        value.len = (size_t)((const uint8_t *)nul - value.data);
        (void)span_copy_trimmed(value, member, element->size);
    } else if (!span_copy_trimmed(value, member, element->size)) {
        command->cut |= element->bit;
    }
    command->present |= element->bit;
    return 0;
}

int dimse_decode_command(struct span bytes, struct dimse_command *ret_command)
{
    *ret_command = (struct dimse_command){.data_set_type = DIMSE_NO_DATA_SET};
    uint32_t seen = 0; /* by place in the table */
    while (bytes.len > 0) {
        if (bytes.len < ELEMENT_HEADER_LEN)
            return ERROR_DIMSE_MALFORMED;
        const struct element *element = find_element(get_u16_le(bytes.data), get_u16_le(bytes.data + 2));
        uint32_t value_len = get_u32_le(bytes.data + 4);
        if (value_len > bytes.len - ELEMENT_HEADER_LEN)
            return ERROR_DIMSE_MALFORMED;
        struct span value = {.data = bytes.data + ELEMENT_HEADER_LEN, .len = value_len};
        if (element != NULL) {
            uint32_t place = 1u << (element - elements);
            if ((seen & place) != 0 || take_element(element, value, ret_command) < 0)
                return ERROR_DIMSE_MALFORMED;
            seen |= place;
        }
        bytes.data += ELEMENT_HEADER_LEN + value_len;
        bytes.len -= ELEMENT_HEADER_LEN + value_len;
    }
    return (seen & 1u << FIELD_PLACE) != 0 ? 0 : ERROR_DIMSE_MALFORMED;
}

struct dimse_command dimse_response_to(const struct dimse_command *request, uint16_t status)
{
    struct dimse_command response = {
        .present = DIMSE_HAS_MESSAGE_ID_RESPONDED | DIMSE_HAS_STATUS |
                   (request->present & (DIMSE_HAS_CLASS_UID | DIMSE_HAS_INSTANCE_UID)),
        .field = request->field | DIMSE_RESPONSE,
        .data_set_type = DIMSE_NO_DATA_SET,
        .message_id_responded = request->message_id,
        .status = status,
    };
    memcpy(response.class_uid, request->class_uid, sizeof response.class_uid);
    memcpy(response.instance_uid, request->instance_uid, sizeof response.instance_uid);
    return response;
}

/* ---- messages ---- */

void dimse_reader_init(struct dimse_reader *reader)
{
    reader->state = DIMSE_AWAIT_COMMAND;
    reader->context_id = 0;
    reader->len = 0;
    memset(&reader->command, 0, sizeof reader->command);
}

/* A fragment of a command set: gathered, and read when it is the last. */
static int read_command(struct dimse_reader *reader, const struct pdu_event *fragment, struct dimse_event *ret_event)
{
    struct span command = fragment->body;
    if (command.len > sizeof reader->bytes - reader->len)
        return ERROR_DIMSE_MALFORMED;
    /* A command set that came whole, as nearly all do, is read where it is. */
    if (reader->len > 0 || !fragment->last) {
        if (command.len > 0)
            memcpy(reader->bytes + reader->len, command.data, command.len);
        reader->len += command.len;
        command = (struct span){.data = reader->bytes, .len = reader->len};
    }
    reader->state = DIMSE_IN_COMMAND;
    if (!fragment->last)
        return 0;
    int error = dimse_decode_command(command, &reader->command);
    if (error < 0)
        return error;
    /* These have none (PS3.7 9.3.1.2, 9.3.5.2, 9.3.2.3), whatever some peers put into Command Data Set Type. */
    uint16_t field = reader->command.field;
    if (field == DIMSE_C_STORE_RSP || field == DIMSE_C_ECHO_RSP || field == DIMSE_C_CANCEL_RQ)
        reader->command.data_set_type = DIMSE_NO_DATA_SET;
    reader->state = dimse_has_data_set(&reader->command) ? DIMSE_IN_DATA : DIMSE_AWAIT_COMMAND;
    reader->len = 0;
    ret_event->type = DIMSE_EVENT_COMMAND;
    ret_event->command = &reader->command;
    ret_event->last = reader->state == DIMSE_AWAIT_COMMAND;
    return 0;
}

int dimse_read(struct dimse_reader *reader, const struct pdu_event *fragment, struct dimse_event *ret_event)
{
    assert(fragment->type == PDU_EVENT_FRAGMENT);
    *ret_event = (struct dimse_event){.type = DIMSE_EVENT_NONE, .context_id = fragment->context_id};
    if (reader->state == DIMSE_AWAIT_COMMAND)
        reader->context_id = fragment->context_id;
    if (fragment->context_id != reader->context_id || fragment->command != (reader->state != DIMSE_IN_DATA))
        return ERROR_DIMSE_UNEXPECTED;
    if (fragment->command)
        return read_command(reader, fragment, ret_event);
    if (fragment->last)
        reader->state = DIMSE_AWAIT_COMMAND;
    ret_event->type = DIMSE_EVENT_DATA;
    ret_event->command = &reader->command;
    ret_event->data = fragment->body;
    ret_event->last = fragment->last;
    return 0;
}
