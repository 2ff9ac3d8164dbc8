/*
 * pdu_encode - PDUs to bytes, and the standard's texts for what they say. See dicomnet/pdu.h.
 *
 * Field numbers in comments are the byte numbers of the tables of PS3.8 section 9.3. Item lengths are two bytes and
 * are filled in when the item ends, so that nothing is measured beforehand.
 */
#include "dicomnet/pdu.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/error.h"
#include "wire/pdu_items.h"

/* Begin an item: type, reserved, length still open. Returns where its body begins. */
static size_t begin_item(struct bytes_writer *writer, uint8_t type)
{
    bytes_put_u8(writer, type);
    bytes_put_u8(writer, 0);
    bytes_put_u16_be(writer, 0);
    return writer->len;
}

/* Write the length of the item whose body began at `start`. A body that two bytes cannot count is an overflow. */
static void end_item(struct bytes_writer *writer, size_t start)
{
    if (writer->overflow)
        return;
    size_t len = writer->len - start;
    if (len > UINT16_MAX)
        writer->overflow = true;
    else
        set_u16_be(writer->data + start - 2, (uint16_t)len);
}

static void put_span_item(struct bytes_writer *writer, uint8_t type, struct dicomnet_span value)
{
    size_t start = begin_item(writer, type);
    bytes_put(writer, value.data, value.len);
    end_item(writer, start);
}

static void put_ae(struct bytes_writer *writer, const char ae[DICOMNET_AE_SIZE])
{
    uint8_t padded[16];
    memset(padded, ' ', sizeof padded);
    memcpy(padded, ae, strnlen(ae, sizeof padded));
    bytes_put(writer, padded, sizeof padded);
}

ssize_t dicomnet_pdu_encode_transfer_syntax(uint8_t *bytes, size_t size, struct dicomnet_span uid)
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    put_span_item(&writer, ITEM_TRANSFER_SYNTAX, uid);
    return writer.overflow ? DICOMNET_ERROR_BUFFER_TOO_SMALL : (ssize_t)writer.len;
}

/* Tables 9-13 and 9-18. */
static void put_context(struct bytes_writer *writer, enum dicomnet_pdu_type type,
                        const struct dicomnet_pdu_context *context)
{
    bool is_request = type == DICOMNET_PDU_ASSOCIATE_RQ;
    size_t start = begin_item(writer, is_request ? ITEM_CONTEXT_RQ : ITEM_CONTEXT_AC);
    bytes_put_u8(writer, context->id);                      /* 5   presentation context ID */
    bytes_put_u8(writer, 0);                                /* 6   reserved */
    bytes_put_u8(writer, is_request ? 0 : context->result); /* 7   reserved; in an AC: result */
    bytes_put_u8(writer, 0);                                /* 8   reserved */
    if (is_request)                                         /* 9.. sub-items */
        put_span_item(writer, ITEM_ABSTRACT_SYNTAX, context->abstract_syntax);
    struct dicomnet_span cursor = context->transfer_syntaxes, syntax;
    while (
        dicomnet_pdu_next_transfer_syntax(&cursor, &syntax)) /* of a run that was decoded, not what lay between them */
        put_span_item(writer, ITEM_TRANSFER_SYNTAX, syntax);
    if (!is_request && context->transfer_syntaxes.len == 0 && context->result != DICOMNET_CONTEXT_ACCEPTED)
        put_span_item(writer, ITEM_TRANSFER_SYNTAX, (struct dicomnet_span){0});
    end_item(writer, start);
}

/* PS3.7 Table D.3-9. */
static void put_role(struct bytes_writer *writer, const struct dicomnet_pdu_role *role)
{
    size_t start = begin_item(writer, ITEM_ROLE);
    if (role->class_uid.len > UINT16_MAX)
        writer->overflow = true;
    bytes_put_u16_be(writer, (uint16_t)role->class_uid.len); /* 5-6 UID length */
    bytes_put(writer, role->class_uid.data, role->class_uid.len);
    bytes_put_u8(writer, role->scu);
    bytes_put_u8(writer, role->scp);
    end_item(writer, start);
}

/* A length of two bytes, and so many bytes. */
static void put_counted(struct bytes_writer *writer, struct dicomnet_span value)
{
    if (value.len > UINT16_MAX)
        writer->overflow = true;
    bytes_put_u16_be(writer, (uint16_t)value.len);
    bytes_put(writer, value.data, value.len);
}

/* PS3.7 Table D.3-14. */
static void put_identity(struct bytes_writer *writer, const struct dicomnet_identity *identity)
{
    size_t start = begin_item(writer, ITEM_IDENTITY_RQ);
    bytes_put_u8(writer, identity->type);            /* 5   user identity type */
    bytes_put_u8(writer, identity->response_wanted); /* 6   positive response requested */
    put_counted(writer, identity->primary);          /* 7.. primary field, behind its length */
    put_counted(writer, identity->secondary);        /* ..  secondary field, behind its length */
    end_item(writer, start);
}

/* PS3.7 Table D.3-15. */
static void put_identity_response(struct bytes_writer *writer, struct dicomnet_span response)
{
    size_t start = begin_item(writer, ITEM_IDENTITY_AC);
    put_counted(writer, response); /* 5.. server response, behind its length */
    end_item(writer, start);
}

/* Table 9-16; sub-items in the order of their types, which is the one PS3.7 D.3.3 asks for. */
static void put_user_information(struct bytes_writer *writer, enum dicomnet_pdu_type type,
                                 const struct dicomnet_pdu_associate *associate)
{
    size_t start = begin_item(writer, ITEM_USER_INFORMATION);
    if (associate->has_max_len) {
        size_t sub_start = begin_item(writer, ITEM_MAX_LEN);
        bytes_put_u32_be(writer, associate->max_len);
        end_item(writer, sub_start);
    }
    if (associate->implementation_class_uid.len > 0)
        put_span_item(writer, ITEM_IMPLEMENTATION_CLASS, associate->implementation_class_uid);
    if (associate->has_async) {
        size_t sub_start = begin_item(writer, ITEM_ASYNC);
        bytes_put_u16_be(writer, associate->async_invoked);
        bytes_put_u16_be(writer, associate->async_performed);
        end_item(writer, sub_start);
    }
    for (size_t i = 0; i < associate->role_count; i++)
        put_role(writer, &associate->roles[i]);
    if (associate->implementation_version.len > 0)
        put_span_item(writer, ITEM_IMPLEMENTATION_VERSION, associate->implementation_version);
    if (type == DICOMNET_PDU_ASSOCIATE_RQ && associate->has_identity)
        put_identity(writer, &associate->identity);
    if (type == DICOMNET_PDU_ASSOCIATE_AC && associate->has_identity_response)
        put_identity_response(writer, associate->identity_response);
    end_item(writer, start);
}

ssize_t dicomnet_pdu_encode_associate(uint8_t *bytes, size_t size, enum dicomnet_pdu_type type,
                                      const struct dicomnet_pdu_associate *associate)
{
    assert(type == DICOMNET_PDU_ASSOCIATE_RQ || type == DICOMNET_PDU_ASSOCIATE_AC);
    assert(associate->context_count <= DICOMNET_PDU_CONTEXTS_MAX && associate->role_count <= DICOMNET_PDU_ROLES_MAX);
    static const uint8_t reserved[32];
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    bytes_put_u8(&writer, (uint8_t)type);                   /* 1     PDU type */
    bytes_put_u8(&writer, 0);                               /* 2     reserved */
    bytes_put_u32_be(&writer, 0);                           /* 3-6   PDU length, filled in at the end */
    bytes_put_u16_be(&writer, associate->protocol_version); /* 7-8   protocol version */
    bytes_put_u16_be(&writer, 0);                           /* 9-10  reserved */
    put_ae(&writer, associate->called_ae);                  /* 11-26 called AE title */
    put_ae(&writer, associate->calling_ae);                 /* 27-42 calling AE title */
    bytes_put(&writer, reserved, sizeof reserved);          /* 43-74 reserved */
    if (associate->application_context.len > 0)             /* 75..  items */
        put_span_item(&writer, ITEM_APPLICATION_CONTEXT, associate->application_context);
    for (size_t i = 0; i < associate->context_count; i++)
        put_context(&writer, type, &associate->contexts[i]);
    put_user_information(&writer, type, associate);
    if (writer.overflow)
        return DICOMNET_ERROR_BUFFER_TOO_SMALL;
    set_u32_be(bytes + 2, (uint32_t)(writer.len - DICOMNET_PDU_HEADER_LEN));
    return (ssize_t)writer.len;
}

/* The four PDUs with a body of 4 bytes (Tables 9-21, 9-24, 9-25, 9-26). */
static ssize_t encode_short(uint8_t *bytes, size_t size, enum dicomnet_pdu_type type, const uint8_t body[4])
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    bytes_put_u8(&writer, (uint8_t)type);
    bytes_put_u8(&writer, 0);
    bytes_put_u32_be(&writer, DICOMNET_PDU_SHORT_LEN - DICOMNET_PDU_HEADER_LEN);
    bytes_put(&writer, body, DICOMNET_PDU_SHORT_LEN - DICOMNET_PDU_HEADER_LEN);
    return writer.overflow ? DICOMNET_ERROR_BUFFER_TOO_SMALL : (ssize_t)writer.len;
}

ssize_t dicomnet_pdu_encode_reject(uint8_t *bytes, size_t size, const struct dicomnet_pdu_reject *reject)
{
    const uint8_t body[4] = {0, reject->result, reject->source, reject->reason};
    return encode_short(bytes, size, DICOMNET_PDU_ASSOCIATE_RJ, body);
}

ssize_t dicomnet_pdu_encode_release(uint8_t *bytes, size_t size, enum dicomnet_pdu_type type)
{
    assert(type == DICOMNET_PDU_RELEASE_RQ || type == DICOMNET_PDU_RELEASE_RP);
    static const uint8_t body[4];
    return encode_short(bytes, size, type, body);
}

ssize_t dicomnet_pdu_encode_abort(uint8_t *bytes, size_t size, const struct dicomnet_pdu_abort *abort)
{
    const uint8_t body[4] = {0, 0, abort->source, abort->reason};
    return encode_short(bytes, size, DICOMNET_PDU_ABORT, body);
}

void dicomnet_pdu_encode_data_header(uint8_t bytes[DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN],
                                     uint32_t data_len, uint8_t context_id, uint8_t control)
{
    assert(data_len <= UINT32_MAX - DICOMNET_PDV_HEADER_LEN);
    bytes[0] = DICOMNET_PDU_DATA_TF;                           /* 1    PDU type */
    bytes[1] = 0;                                              /* 2    reserved */
    set_u32_be(bytes + 2, DICOMNET_PDV_HEADER_LEN + data_len); /* 3-6  PDU length */
    set_u32_be(bytes + 6, 2 + data_len);                       /* 7-10 PDV item length: what follows it */
    bytes[10] = context_id;                                    /* 11   presentation context ID */
    bytes[11] = control;                                       /* 12   message control header */
}

const char *dicomnet_pdu_reject_text(const struct dicomnet_pdu_reject *reject)
{
    switch (reject->source << 8 | reject->reason) {
    case 0x0101:
        return "no reason given by the peer's application";
    case 0x0102:
        return "application context name not supported";
    case 0x0103:
        return "calling AE title not recognized";
    case 0x0107:
        return "called AE title not recognized";
    case 0x0201:
        return "no reason given by the peer's ACSE provider";
    case 0x0202:
        return "protocol version not supported";
    case 0x0301:
        return "temporary congestion";
    case 0x0302:
        return "local limit exceeded";
    default:
        return "a reason the standard does not define";
    }
}

const char *dicomnet_pdu_reject_result_text(uint8_t result)
{
    return result == 1 ? "permanent" : result == 2 ? "transient" : "a result the standard does not define";
}

const char *dicomnet_pdu_reject_source_text(uint8_t source)
{
    static const char *const sources[] = {"", "the application", "ACSE", "the presentation layer"};
    return source >= 1 && source <= 3 ? sources[source] : "a source the standard does not define";
}

const char *dicomnet_pdu_flaw_text(enum dicomnet_pdu_flaw flaw)
{
    switch (flaw) {
    case DICOMNET_PDU_FLAW_NO_APPLICATION_CONTEXT:
        return "no application context name";
    case DICOMNET_PDU_FLAW_NO_USER_INFORMATION:
        return "no user information";
    case DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN:
        return "an even presentation context ID";
    case DICOMNET_PDU_FLAW_CONTEXT_ID_TWICE:
        return "a presentation context ID twice";
    case DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE:
        return "a presentation context without one abstract syntax and a transfer syntax";
    case DICOMNET_PDU_FLAW_NO_CONTEXTS:
        return "no presentation context";
    case DICOMNET_PDU_FLAW_TOO_MANY_CONTEXTS:
        return "more presentation contexts than there may be";
    case DICOMNET_PDU_FLAW_USER_ITEM:
        return "a user information item that is too short";
    }
    return "a flaw";
}

const char *dicomnet_pdu_abort_text(const struct dicomnet_pdu_abort *abort)
{
    static const char *const reasons[] = {
        [DICOMNET_PDU_ABORT_NOT_SPECIFIED] = "aborted by the provider, no reason given",
        [DICOMNET_PDU_ABORT_UNRECOGNIZED_PDU] = "aborted by the provider: unrecognized PDU",
        [DICOMNET_PDU_ABORT_UNEXPECTED_PDU] = "aborted by the provider: unexpected PDU",
        [DICOMNET_PDU_ABORT_UNRECOGNIZED_PARAMETER] = "aborted by the provider: unrecognized PDU parameter",
        [DICOMNET_PDU_ABORT_UNEXPECTED_PARAMETER] = "aborted by the provider: unexpected PDU parameter",
        [DICOMNET_PDU_ABORT_INVALID_PARAMETER] = "aborted by the provider: invalid PDU parameter value",
    };
    if (abort->source == 0)
        return "aborted by the application";
    if (abort->source == 2 && abort->reason < sizeof reasons / sizeof reasons[0] && reasons[abort->reason] != NULL)
        return reasons[abort->reason];
    return "aborted for a reason the standard does not define";
}

const char *dicomnet_pdu_context_result_text(uint8_t result)
{
    switch (result) {
    case DICOMNET_CONTEXT_ACCEPTED:
        return "accepted";
    case DICOMNET_CONTEXT_USER_REJECTION:
        return "rejected by the user";
    case DICOMNET_CONTEXT_NO_REASON:
        return "rejected by the provider, no reason given";
    case DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED:
        return "abstract syntax not supported";
    case DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED:
        return "transfer syntaxes not supported";
    case DICOMNET_CONTEXT_NOT_ANSWERED:
        return "not answered";
    default:
        return "a result the standard does not define";
    }
}
