/*
 * pdu_decode - bytes to PDUs. See dicomnet/pdu.h.
 *
 * dicomnet_pdu_read is called for every run of bytes that comes from the network, so its common case - bytes inside a
 * PDV - is first and short. Nothing is consumed without an event: as long as a header is not all there, the answer is
 * "more", and the reader is as it was. Every length is checked against what surrounds it before it is used, and nothing
 * is ever read past the end of what the caller gave.
 */
#include "dicomnet/pdu.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/error.h"
#include "wire/pdu_items.h"

void dicomnet_pdu_reader_init(struct dicomnet_pdu_reader *reader, uint32_t data_len_max)
{
    *reader = (struct dicomnet_pdu_reader){.data_len_max = data_len_max};
}

/* Give out what is there of the current PDV, after `header_len` bytes of headers that end before it. */
static ssize_t read_pdv_data(struct dicomnet_pdu_reader *reader, const uint8_t *bytes, size_t len, size_t header_len,
                             struct dicomnet_pdu_event *ret_event)
{
    uint32_t there = len - header_len < reader->pdv_left ? (uint32_t)(len - header_len) : reader->pdv_left;
    reader->pdv_left -= there;
    reader->pdu_left -= there;
    reader->in_pdv = reader->pdv_left > 0;
    *ret_event = (struct dicomnet_pdu_event){.type = DICOMNET_PDU_EVENT_FRAGMENT,
                                             .pdu_type = DICOMNET_PDU_DATA_TF,
                                             .body = {.data = bytes + header_len, .len = there},
                                             .context_id = reader->context_id,
                                             .command = (reader->control & DICOMNET_PDV_COMMAND) != 0,
                                             .last = (reader->control & DICOMNET_PDV_LAST) != 0 && !reader->in_pdv};
    return (ssize_t)(header_len + there);
}

/*
 * A PDV header (Table 9-23) at `offset`, with `pdu_left` bytes of its PDU from there on. A PDV with data is begun when
 * the first byte of the data is there, so that no fragment is empty but one of an empty PDV.
 */
static ssize_t read_pdv(struct dicomnet_pdu_reader *reader, const uint8_t *bytes, size_t len, size_t offset,
                        uint32_t pdu_left, struct dicomnet_pdu_event *ret_event)
{
    if (len - offset < 4)
        return 0;
    uint32_t pdv_len = get_u32_be(bytes + offset);
    if (pdv_len < 2 || pdv_len > pdu_left - 4)
        return DICOMNET_ERROR_PDU_MALFORMED;
    uint32_t rest = pdu_left - 4 - pdv_len;
    if (rest > 0 && rest < DICOMNET_PDV_HEADER_LEN)
        return DICOMNET_ERROR_PDU_MALFORMED;
    if (len - offset < DICOMNET_PDV_HEADER_LEN + (pdv_len > 2 ? 1u : 0u))
        return 0;
    reader->context_id = bytes[offset + 4];
    reader->control = bytes[offset + 5];
    reader->pdv_left = pdv_len - 2;
    reader->pdu_left = pdu_left - DICOMNET_PDV_HEADER_LEN;
    return read_pdv_data(reader, bytes, len, offset + DICOMNET_PDV_HEADER_LEN, ret_event);
}

/* True if `type` is one of Tables 9-11 to 9-26. */
static bool is_known_type(uint8_t type)
{
    return type >= DICOMNET_PDU_ASSOCIATE_RQ && type <= DICOMNET_PDU_ABORT;
}

/* 0, or what is wrong with the length of a PDU. */
static int check_pdu_len(const struct dicomnet_pdu_reader *reader, uint8_t type, uint32_t pdu_len)
{
    switch (type) {
    case DICOMNET_PDU_DATA_TF:
        if (reader->data_len_max != 0 && pdu_len > reader->data_len_max)
            return DICOMNET_ERROR_PDU_TOO_LONG;
        return pdu_len < DICOMNET_PDV_HEADER_LEN ? DICOMNET_ERROR_PDU_MALFORMED : 0;
    case DICOMNET_PDU_ASSOCIATE_RQ:
    case DICOMNET_PDU_ASSOCIATE_AC:
        return pdu_len > DICOMNET_PDU_ASSOCIATE_LEN_MAX ? DICOMNET_ERROR_PDU_TOO_LONG : 0;
    default:
        return pdu_len != DICOMNET_PDU_SHORT_LEN - DICOMNET_PDU_HEADER_LEN ? DICOMNET_ERROR_PDU_MALFORMED : 0;
    }
}

ssize_t dicomnet_pdu_read(struct dicomnet_pdu_reader *reader, const uint8_t *bytes, size_t len,
                          struct dicomnet_pdu_event *ret_event)
{
    if (len == 0)
        return 0;
    if (reader->in_pdv)
        return read_pdv_data(reader, bytes, len, 0, ret_event);
    if (reader->pdu_left > 0)
        return read_pdv(reader, bytes, len, 0, reader->pdu_left, ret_event);

    uint8_t type = bytes[0];
    if (!is_known_type(type))
        return DICOMNET_ERROR_PDU_UNKNOWN;
    if (len < DICOMNET_PDU_HEADER_LEN)
        return 0;
    uint32_t pdu_len = get_u32_be(bytes + 2);
    int error = check_pdu_len(reader, type, pdu_len);
    if (error < 0)
        return error;
    if (type == DICOMNET_PDU_DATA_TF)
        return read_pdv(reader, bytes, len, DICOMNET_PDU_HEADER_LEN, pdu_len, ret_event);
    if (len - DICOMNET_PDU_HEADER_LEN < pdu_len)
        return 0;
    *ret_event = (struct dicomnet_pdu_event){.type = DICOMNET_PDU_EVENT_CONTROL,
                                             .pdu_type = type,
                                             .body = {.data = bytes + DICOMNET_PDU_HEADER_LEN, .len = pdu_len}};
    return (ssize_t)(DICOMNET_PDU_HEADER_LEN + pdu_len);
}

/* ---- A-ASSOCIATE ---- */

struct item {
    uint8_t type;
    struct dicomnet_span body;
};

enum item_answer { ITEM_MALFORMED = -1, ITEM_END = 0, ITEM_FOUND = 1 };

/* Take the next item off `cursor`. */
static enum item_answer next_item(struct dicomnet_span *cursor, struct item *ret_item)
{
    if (cursor->len == 0)
        return ITEM_END;
    if (cursor->len < ITEM_HEADER_LEN)
        return ITEM_MALFORMED;
    size_t len = get_u16_be(cursor->data + 2);
    if (len > cursor->len - ITEM_HEADER_LEN)
        return ITEM_MALFORMED;
    *ret_item = (struct item){.type = cursor->data[0], .body = {.data = cursor->data + ITEM_HEADER_LEN, .len = len}};
    cursor->data += ITEM_HEADER_LEN + len;
    cursor->len -= ITEM_HEADER_LEN + len;
    return ITEM_FOUND;
}

/* UIDs of PDUs are not padded (PS3.8 Annex F), but some senders do. */
static struct dicomnet_span trimmed(struct dicomnet_span value)
{
    while (value.len > 0 && (value.data[value.len - 1] == '\0' || value.data[value.len - 1] == ' '))
        value.len--;
    return value;
}

bool dicomnet_pdu_next_transfer_syntax(struct dicomnet_span *cursor, struct dicomnet_span *ret_uid)
{
    struct item item;
    while (next_item(cursor, &item) == ITEM_FOUND) {
        if (item.type == ITEM_TRANSFER_SYNTAX) {
            *ret_uid = trimmed(item.body);
            return true;
        }
    }
    return false;
}

bool dicomnet_pdu_next_user_item(struct dicomnet_span *cursor, uint8_t *ret_type, struct dicomnet_span *ret_body)
{
    struct item item;
    if (next_item(cursor, &item) != ITEM_FOUND)
        return false;
    *ret_type = item.type;
    *ret_body = item.body;
    return true;
}

/* Tables 9-13 and 9-18: ID (1), reserved (1), result (1, AC), reserved (1), sub-items. */
static int decode_context(struct dicomnet_span body, enum dicomnet_pdu_type type,
                          struct dicomnet_pdu_context *ret_context)
{
    if (body.len < 4)
        return DICOMNET_ERROR_PDU_MALFORMED;
    *ret_context = (struct dicomnet_pdu_context){.id = body.data[0]};
    if (type == DICOMNET_PDU_ASSOCIATE_AC)
        ret_context->result = body.data[2];

    struct dicomnet_span cursor = {.data = body.data + 4, .len = body.len - 4};
    struct item item;
    enum item_answer answer;
    unsigned abstract_syntaxes = 0;
    while ((answer = next_item(&cursor, &item)) == ITEM_FOUND) {
        if (item.type == ITEM_ABSTRACT_SYNTAX && type == DICOMNET_PDU_ASSOCIATE_RQ) {
            ret_context->abstract_syntax = trimmed(item.body);
            abstract_syntaxes++;
        } else if (item.type == ITEM_TRANSFER_SYNTAX) {
            /* The run goes from the first to the last of them; what is in between is passed over when it is read. */
            struct dicomnet_span *run = &ret_context->transfer_syntaxes;
            if (run->data == NULL)
                run->data = item.body.data - ITEM_HEADER_LEN;
            run->len = (size_t)(cursor.data - run->data);
        }
    }
    if (answer == ITEM_MALFORMED)
        return DICOMNET_ERROR_PDU_MALFORMED;
    if (type == DICOMNET_PDU_ASSOCIATE_RQ && abstract_syntaxes != 1) /* of two, which one would be meant? */
        ret_context->result = DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    else if (type == DICOMNET_PDU_ASSOCIATE_RQ && ret_context->transfer_syntaxes.len == 0)
        ret_context->result = DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
    return 0;
}

static bool has_context(const struct dicomnet_pdu_associate *associate, uint8_t id)
{
    for (size_t i = 0; i < associate->context_count; i++)
        if (associate->contexts[i].id == id)
            return true;
    return false;
}

/* Add one presentation context to those that are there. */
static int add_context(struct dicomnet_span body, enum dicomnet_pdu_type type, struct dicomnet_pdu_associate *associate)
{
    struct dicomnet_pdu_context context;
    int error = decode_context(body, type, &context);
    if (error < 0)
        return error;
    if (context.id % 2 == 0) /* PS3.8 9.3.2.2 wants them odd; that is all there is to it */
        associate->flaws |= DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN;
    bool twice = has_context(associate, context.id);
    if (twice)
        associate->flaws |= DICOMNET_PDU_FLAW_CONTEXT_ID_TWICE;
    if (twice && type == DICOMNET_PDU_ASSOCIATE_RQ)
        return 0;
    if (associate->context_count == DICOMNET_PDU_CONTEXTS_MAX) {
        associate->flaws |= DICOMNET_PDU_FLAW_TOO_MANY_CONTEXTS;
        return 0;
    }
    if (type == DICOMNET_PDU_ASSOCIATE_RQ && context.result != 0)
        associate->flaws |= DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE;
    associate->contexts[associate->context_count++] = context;
    return 0;
}

/* PS3.7 Table D.3-9: UID length (2), UID, SCU role (1), SCP role (1). Roles beyond the array are passed over. */
static void add_role(struct dicomnet_span body, struct dicomnet_pdu_associate *associate)
{
    if (body.len < 4 || get_u16_be(body.data) > body.len - 4) {
        associate->flaws |= DICOMNET_PDU_FLAW_USER_ITEM;
        return;
    }
    size_t uid_len = get_u16_be(body.data);
    if (associate->role_count == DICOMNET_PDU_ROLES_MAX)
        return;
    associate->roles[associate->role_count++] =
        (struct dicomnet_pdu_role){.class_uid = trimmed((struct dicomnet_span){.data = body.data + 2, .len = uid_len}),
                                   .scu = body.data[2 + uid_len] != 0,
                                   .scp = body.data[3 + uid_len] != 0};
}

/* Take bytes that stand behind their length (2) off `cursor`. False if they are not all there. */
static bool take_counted(struct dicomnet_span *cursor, struct dicomnet_span *ret_value)
{
    if (cursor->len < 2 || get_u16_be(cursor->data) > cursor->len - 2)
        return false;
    size_t len = get_u16_be(cursor->data);
    *ret_value = (struct dicomnet_span){.data = cursor->data + 2, .len = len};
    cursor->data += 2 + len;
    cursor->len -= 2 + len;
    return true;
}

/*
 * PS3.7 Table D.3-14: type (1), positive response requested (1), primary field and secondary field, each behind its
 * length. Of two items the first counts. Where the secondary field would be empty some leave out its length.
 */
static void read_identity(struct dicomnet_span body, struct dicomnet_pdu_associate *associate)
{
    if (associate->has_identity)
        return;
    struct dicomnet_span cursor = {.data = body.data + 2, .len = body.len - 2};
    struct dicomnet_identity identity = {.type = body.data[0], .response_wanted = body.data[1] != 0};
    if (!take_counted(&cursor, &identity.primary) || (cursor.len > 0 && !take_counted(&cursor, &identity.secondary))) {
        associate->flaws |= DICOMNET_PDU_FLAW_USER_ITEM;
        return;
    }
    associate->has_identity = true;
    associate->identity = identity;
}

/* PS3.7 Table D.3-15: the server response, behind its length. */
static void read_identity_response(struct dicomnet_span body, struct dicomnet_pdu_associate *associate)
{
    if (take_counted(&body, &associate->identity_response))
        associate->has_identity_response = true;
    else
        associate->flaws |= DICOMNET_PDU_FLAW_USER_ITEM;
}

/* The sub-items of Table 9-16, in any order. */
static int decode_user_information(struct dicomnet_span body, enum dicomnet_pdu_type type,
                                   struct dicomnet_pdu_associate *associate)
{
    struct item item;
    enum item_answer answer;
    associate->user_information = body;
    while ((answer = next_item(&body, &item)) == ITEM_FOUND) {
        bool is_numbers = item.type == ITEM_MAX_LEN || item.type == ITEM_ASYNC;
        bool is_identity = item.type == ITEM_IDENTITY_RQ && type == DICOMNET_PDU_ASSOCIATE_RQ;
        if ((is_numbers || is_identity) && item.body.len < 4) {
            associate->flaws |= DICOMNET_PDU_FLAW_USER_ITEM;
            continue;
        }
        switch (item.type) {
        case ITEM_MAX_LEN:
            associate->has_max_len = true;
            associate->max_len = get_u32_be(item.body.data);
            break;
        case ITEM_IMPLEMENTATION_CLASS:
            associate->implementation_class_uid = trimmed(item.body);
            break;
        case ITEM_ASYNC:
            associate->has_async = true;
            associate->async_invoked = get_u16_be(item.body.data);
            associate->async_performed = get_u16_be(item.body.data + 2);
            break;
        case ITEM_ROLE:
            add_role(item.body, associate);
            break;
        case ITEM_IMPLEMENTATION_VERSION:
            associate->implementation_version = trimmed(item.body);
            break;
        case ITEM_IDENTITY_RQ:
            if (is_identity)
                read_identity(item.body, associate);
            break;
        case ITEM_IDENTITY_AC:
            if (type == DICOMNET_PDU_ASSOCIATE_AC)
                read_identity_response(item.body, associate);
            break;
        default:
            break;
        }
    }
    return answer == ITEM_MALFORMED ? DICOMNET_ERROR_PDU_MALFORMED : 0;
}

/* The items after the fixed fields, in any order; unknown ones are passed over (PS3.8 9.3.1). */
static int decode_items(struct dicomnet_span cursor, enum dicomnet_pdu_type type,
                        struct dicomnet_pdu_associate *associate)
{
    uint8_t context_type = type == DICOMNET_PDU_ASSOCIATE_RQ ? ITEM_CONTEXT_RQ : ITEM_CONTEXT_AC;
    bool has_application_context = false, has_user_information = false;
    struct item item;
    enum item_answer answer;
    while ((answer = next_item(&cursor, &item)) == ITEM_FOUND) {
        int error = 0;
        if (item.type == ITEM_APPLICATION_CONTEXT) {
            associate->application_context = trimmed(item.body);
            has_application_context = true;
        } else if (item.type == context_type) {
            error = add_context(item.body, type, associate);
        } else if (item.type == ITEM_USER_INFORMATION) {
            error = decode_user_information(item.body, type, associate);
            has_user_information = true;
        }
        if (error < 0)
            return error;
    }
    if (!has_application_context)
        associate->flaws |= DICOMNET_PDU_FLAW_NO_APPLICATION_CONTEXT;
    if (!has_user_information)
        associate->flaws |= DICOMNET_PDU_FLAW_NO_USER_INFORMATION;
    /* An AC that mentions no context refuses all. */
    if (type == DICOMNET_PDU_ASSOCIATE_RQ && associate->context_count == 0)
        associate->flaws |= DICOMNET_PDU_FLAW_NO_CONTEXTS;
    return answer == ITEM_MALFORMED ? DICOMNET_ERROR_PDU_MALFORMED : 0;
}

int dicomnet_pdu_decode_associate(struct dicomnet_span body, enum dicomnet_pdu_type type,
                                  struct dicomnet_pdu_associate *ret_associate)
{
    assert(type == DICOMNET_PDU_ASSOCIATE_RQ || type == DICOMNET_PDU_ASSOCIATE_AC);
    memset(ret_associate, 0, sizeof *ret_associate);
    if (body.len < ASSOCIATE_FIXED_LEN)
        return DICOMNET_ERROR_PDU_MALFORMED;
    const uint8_t *fields = body.data; /* the table's byte 7 */
    ret_associate->protocol_version = get_u16_be(fields);
    dicomnet_span_copy_trimmed((struct dicomnet_span){.data = fields + 4, .len = 16}, ret_associate->called_ae,
                               DICOMNET_AE_SIZE);
    dicomnet_span_copy_trimmed((struct dicomnet_span){.data = fields + 20, .len = 16}, ret_associate->calling_ae,
                               DICOMNET_AE_SIZE);
    struct dicomnet_span items = {.data = fields + ASSOCIATE_FIXED_LEN, .len = body.len - ASSOCIATE_FIXED_LEN};
    return decode_items(items, type, ret_associate);
}

struct dicomnet_pdu_reject dicomnet_pdu_decode_reject(struct dicomnet_span body)
{
    assert(body.len >= 4);
    return (struct dicomnet_pdu_reject){.result = body.data[1], .source = body.data[2], .reason = body.data[3]};
}

struct dicomnet_pdu_abort dicomnet_pdu_decode_abort(struct dicomnet_span body)
{
    assert(body.len >= 4);
    return (struct dicomnet_pdu_abort){.source = body.data[2], .reason = body.data[3]};
}
