/*
 * PDUs to bytes and back: golden bytes, round trips, every short prefix, every way an A-ASSOCIATE can be wrong.
 * The stream reader has its own program, test_pdu_read.
 */
#include <criterion/criterion.h>

#include "../support/exact.h"
#include "../support/golden_pdus.h"
#include "base/bytes.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"
#include "dicomnet/uid.h"

#define CT "1.2.840.10008.5.1.4.1.1.2"

static struct dicomnet_span golden_body(const char *pdu, size_t len)
{
    return (struct dicomnet_span){.data = (const uint8_t *)pdu + DICOMNET_PDU_HEADER_LEN,
                                  .len = len - DICOMNET_PDU_HEADER_LEN};
}

#define BODY(array) golden_body((array), GOLDEN_LEN(array))

static void assert_golden(const uint8_t *bytes, ssize_t len, const char *golden, size_t golden_len)
{
    cr_assert_eq(len, (ssize_t)golden_len, "%zd bytes, not %zu", len, golden_len);
    for (size_t i = 0; i < golden_len; i++)
        cr_assert_eq(bytes[i], (uint8_t)golden[i], "byte %zu is %02x, not %02x", i + 1, bytes[i], (uint8_t)golden[i]);
}

/* What both golden A-ASSOCIATEs have. */
static struct dicomnet_pdu_associate make_associate(uint32_t max_len, const char *class_uid, const char *version)
{
    return (struct dicomnet_pdu_associate){
        .protocol_version = 1,
        .called_ae = "STORE",
        .calling_ae = "SENDER",
        .application_context = dicomnet_span_of(DICOMNET_UID_APPLICATION_CONTEXT),
        .context_count = 2,
        .has_max_len = true,
        .max_len = max_len,
        .implementation_class_uid = dicomnet_span_of(class_uid),
        .implementation_version = dicomnet_span_of(version),
        .role_count = 1,
    };
}

/* The values of golden_associate_rq. `run` is where its transfer syntaxes go. */
static struct dicomnet_pdu_associate make_request(uint8_t *run, size_t run_size)
{
    ssize_t explicit_len =
        dicomnet_pdu_encode_transfer_syntax(run, run_size, dicomnet_span_of(DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN));
    cr_assert_gt(explicit_len, 0);
    size_t implicit_at = (size_t)explicit_len;
    ssize_t implicit_len = dicomnet_pdu_encode_transfer_syntax(
        run + implicit_at, run_size - implicit_at, dicomnet_span_of(DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN));
    cr_assert_gt(implicit_len, 0);
    size_t run_len = (size_t)(explicit_len + implicit_len);
    struct dicomnet_pdu_associate request = make_associate(16384, "1.2.3.4", "TEST_1");
    request.has_async = true;
    request.async_invoked = 8;
    request.async_performed = 1;
    request.contexts[0] = (struct dicomnet_pdu_context){
        .id = 1, .abstract_syntax = dicomnet_span_of(CT), .transfer_syntaxes = {run, run_len}};
    request.contexts[1] = (struct dicomnet_pdu_context){.id = 3,
                                                        .abstract_syntax = dicomnet_span_of(DICOMNET_UID_VERIFICATION),
                                                        .transfer_syntaxes = {run + implicit_at, (size_t)implicit_len}};
    request.roles[0] = (struct dicomnet_pdu_role){.class_uid = dicomnet_span_of(CT), .scu = false, .scp = true};
    return request;
}

Test(pdu, encodes_associate_rq_as_the_standard_says)
{
    uint8_t run[64], bytes[512];
    struct dicomnet_pdu_associate request = make_request(run, sizeof run);
    ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, DICOMNET_PDU_ASSOCIATE_RQ, &request);
    assert_golden(bytes, len, golden_associate_rq, GOLDEN_LEN(golden_associate_rq));
}

Test(pdu, encodes_associate_ac_as_the_standard_says)
{
    uint8_t run[32], bytes[512];
    ssize_t run_len =
        dicomnet_pdu_encode_transfer_syntax(run, sizeof run, dicomnet_span_of(DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN));
    uint8_t small[8];
    cr_assert_eq(dicomnet_pdu_encode_transfer_syntax(small, sizeof small,
                                                     dicomnet_span_of(DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN)),
                 DICOMNET_ERROR_BUFFER_TOO_SMALL);
    struct dicomnet_pdu_associate answer = make_associate(65536, "1.2.3.5", "PEER_7");
    answer.contexts[0] = (struct dicomnet_pdu_context){
        .id = 1, .result = DICOMNET_CONTEXT_ACCEPTED, .transfer_syntaxes = {run, (size_t)run_len}};
    answer.contexts[1] =
        (struct dicomnet_pdu_context){.id = 3, .result = DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED};
    answer.roles[0] = (struct dicomnet_pdu_role){.class_uid = dicomnet_span_of(CT), .scu = true};
    ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, DICOMNET_PDU_ASSOCIATE_AC, &answer);
    assert_golden(bytes, len, golden_associate_ac, GOLDEN_LEN(golden_associate_ac));
}

Test(pdu, encodes_short_pdus_as_the_standard_says)
{
    uint8_t bytes[16];
    ssize_t len = dicomnet_pdu_encode_reject(bytes, sizeof bytes,
                                             &(struct dicomnet_pdu_reject){.result = 1, .source = 1, .reason = 7});
    assert_golden(bytes, len, golden_reject, GOLDEN_LEN(golden_reject));
    len = dicomnet_pdu_encode_release(bytes, sizeof bytes, DICOMNET_PDU_RELEASE_RQ);
    assert_golden(bytes, len, golden_release_rq, GOLDEN_LEN(golden_release_rq));
    len = dicomnet_pdu_encode_release(bytes, sizeof bytes, DICOMNET_PDU_RELEASE_RP);
    assert_golden(bytes, len, golden_release_rp, GOLDEN_LEN(golden_release_rp));
    len = dicomnet_pdu_encode_abort(
        bytes, sizeof bytes, &(struct dicomnet_pdu_abort){.source = 2, .reason = DICOMNET_PDU_ABORT_INVALID_PARAMETER});
    assert_golden(bytes, len, golden_abort, GOLDEN_LEN(golden_abort));
}

Test(pdu, encodes_data_header_as_the_standard_says)
{
    static const char golden[] = "\x04\x00"
                                 "\x00\x00\x40\x00" /* 16,384: what a maximum length of 16 KiB allows */
                                 "\x00\x00\x3F\xFC" /* 16,380 */
                                 "\xFF"
                                 "\x02";
    uint8_t bytes[DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN];
    dicomnet_pdu_encode_data_header(bytes, 16384 - DICOMNET_PDV_HEADER_LEN, 255, DICOMNET_PDV_LAST);
    assert_golden(bytes, sizeof bytes, golden, GOLDEN_LEN(golden));
}

Test(pdu, encoders_never_write_past_the_buffer)
{
    uint8_t run[64];
    struct dicomnet_pdu_associate request = make_request(run, sizeof run);
    for (size_t size = 0; size < GOLDEN_LEN(golden_associate_rq); size++) {
        uint8_t *bytes = malloc(size);
        cr_assert_eq(dicomnet_pdu_encode_associate(bytes, size, DICOMNET_PDU_ASSOCIATE_RQ, &request),
                     DICOMNET_ERROR_BUFFER_TOO_SMALL);
        free(bytes);
    }
    for (size_t size = 0; size < DICOMNET_PDU_SHORT_LEN; size++) {
        uint8_t *bytes = malloc(size);
        cr_assert_eq(dicomnet_pdu_encode_release(bytes, size, DICOMNET_PDU_RELEASE_RQ),
                     DICOMNET_ERROR_BUFFER_TOO_SMALL);
        cr_assert_eq(dicomnet_pdu_encode_reject(bytes, size, &(struct dicomnet_pdu_reject){0}),
                     DICOMNET_ERROR_BUFFER_TOO_SMALL);
        cr_assert_eq(dicomnet_pdu_encode_abort(bytes, size, &(struct dicomnet_pdu_abort){0}),
                     DICOMNET_ERROR_BUFFER_TOO_SMALL);
        free(bytes);
    }
}

Test(pdu, item_longer_than_its_length_field_is_refused)
{
    static uint8_t run[70000], bytes[80000];
    struct dicomnet_pdu_associate request = make_request(run, sizeof run);
    static char uid[34000]; /* each fits its item; both together do not fit that of their context */
    memset(uid, '1', sizeof uid - 1);
    ssize_t one = dicomnet_pdu_encode_transfer_syntax(run, sizeof run, dicomnet_span_of(uid));
    cr_assert_gt(one, 0);
    cr_assert_eq(dicomnet_pdu_encode_transfer_syntax(run + one, sizeof run - (size_t)one, dicomnet_span_of(uid)), one);
    request.contexts[0].transfer_syntaxes.len = 2 * (size_t)one;
    cr_assert_eq(dicomnet_pdu_encode_associate(bytes, sizeof bytes, DICOMNET_PDU_ASSOCIATE_RQ, &request),
                 DICOMNET_ERROR_BUFFER_TOO_SMALL);
}

Test(pdu, accepted_context_without_syntax_gets_none)
{
    uint8_t bytes[256];
    struct dicomnet_pdu_associate answer = {.context_count = 1,
                                            .contexts = {{.id = 1, .result = DICOMNET_CONTEXT_ACCEPTED}}};
    /* 6 + 68, a context of 4 + 4, an empty user information of 4 */
    cr_assert_eq(dicomnet_pdu_encode_associate(bytes, sizeof bytes, DICOMNET_PDU_ASSOCIATE_AC, &answer), 74 + 8 + 4);
}

Test(pdu, decodes_associate_rq)
{
    struct dicomnet_pdu_associate request;
    cr_assert_eq(dicomnet_pdu_decode_associate(BODY(golden_associate_rq), DICOMNET_PDU_ASSOCIATE_RQ, &request), 0);
    cr_assert_eq(request.protocol_version, 1);
    cr_assert_str_eq(request.called_ae, "STORE");
    cr_assert_str_eq(request.calling_ae, "SENDER");
    cr_assert(dicomnet_span_equals(request.application_context, DICOMNET_UID_APPLICATION_CONTEXT));
    cr_assert_eq(request.context_count, 2);
    cr_assert_eq(request.contexts[0].id, 1);
    cr_assert(dicomnet_span_equals(request.contexts[0].abstract_syntax, CT));
    struct dicomnet_span cursor = request.contexts[0].transfer_syntaxes, uid;
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) &&
              dicomnet_span_equals(uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN));
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) &&
              dicomnet_span_equals(uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN));
    cr_assert(!dicomnet_pdu_next_transfer_syntax(&cursor, &uid));
    cr_assert_eq(request.contexts[1].id, 3);
    cr_assert(dicomnet_span_equals(request.contexts[1].abstract_syntax, DICOMNET_UID_VERIFICATION));
    cr_assert(request.has_max_len);
    cr_assert_eq(request.max_len, 16384);
    cr_assert(dicomnet_span_equals(request.implementation_class_uid, "1.2.3.4"));
    cr_assert(dicomnet_span_equals(request.implementation_version, "TEST_1"));
    cr_assert(request.has_async);
    cr_assert_eq(request.async_invoked, 8);
    cr_assert_eq(request.async_performed, 1);
    cr_assert_eq(request.role_count, 1);
    cr_assert(dicomnet_span_equals(request.roles[0].class_uid, CT));
    cr_assert(!request.roles[0].scu && request.roles[0].scp);
}

Test(pdu, decodes_associate_ac)
{
    struct dicomnet_pdu_associate answer;
    cr_assert_eq(dicomnet_pdu_decode_associate(BODY(golden_associate_ac), DICOMNET_PDU_ASSOCIATE_AC, &answer), 0);
    cr_assert_eq(answer.context_count, 2);
    cr_assert_eq(answer.contexts[0].id, 1);
    cr_assert_eq(answer.contexts[0].result, DICOMNET_CONTEXT_ACCEPTED);
    struct dicomnet_span cursor = answer.contexts[0].transfer_syntaxes, uid;
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) &&
              dicomnet_span_equals(uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN));
    cr_assert_eq(answer.contexts[1].id, 3);
    cr_assert_eq(answer.contexts[1].result, DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED);
    cr_assert_eq(answer.max_len, 65536);
    cr_assert(!answer.has_async);
    cr_assert(answer.roles[0].scu && !answer.roles[0].scp);
}

Test(pdu, decodes_short_bodies)
{
    struct dicomnet_pdu_reject reject = dicomnet_pdu_decode_reject(BODY(golden_reject));
    cr_assert(reject.result == 1 && reject.source == 1 && reject.reason == 7);
    struct dicomnet_pdu_abort abort = dicomnet_pdu_decode_abort(BODY(golden_abort));
    cr_assert(abort.source == 2 && abort.reason == DICOMNET_PDU_ABORT_INVALID_PARAMETER);
}

Test(pdu, decode_encode_decode_gives_the_same_bytes)
{
    static const struct {
        enum dicomnet_pdu_type type;
        const char *pdu;
        size_t len;
    } rows[] = {{DICOMNET_PDU_ASSOCIATE_RQ, golden_associate_rq, GOLDEN_LEN(golden_associate_rq)},
                {DICOMNET_PDU_ASSOCIATE_AC, golden_associate_ac, GOLDEN_LEN(golden_associate_ac)}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dicomnet_pdu_associate associate;
        uint8_t bytes[512];
        cr_assert_eq(dicomnet_pdu_decode_associate(golden_body(rows[i].pdu, rows[i].len), rows[i].type, &associate), 0);
        ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, rows[i].type, &associate);
        assert_golden(bytes, len, rows[i].pdu, rows[i].len);
    }
}

static void assert_prefixes_flawed(struct dicomnet_span body, enum dicomnet_pdu_type type)
{
    static struct dicomnet_pdu_associate associate;
    for (size_t len = 0; len < body.len; len++) {
        uint8_t *copy = exact_copy(body.data, len);
        int error = dicomnet_pdu_decode_associate((struct dicomnet_span){copy, len}, type, &associate);
        free(copy);
        /* Cut between two items, what it lacks is missed. */
        cr_assert(error == DICOMNET_ERROR_PDU_MALFORMED ||
                      (error == 0 && (associate.flaws & DICOMNET_PDU_FLAW_NO_USER_INFORMATION) != 0),
                  "a body of %zu bytes gives %d", len, error);
    }
}

Test(pdu, every_short_prefix_of_an_associate_is_malformed_or_flawed)
{
    assert_prefixes_flawed(BODY(golden_associate_rq), DICOMNET_PDU_ASSOCIATE_RQ);
    assert_prefixes_flawed(BODY(golden_associate_ac), DICOMNET_PDU_ASSOCIATE_AC);
}

Test(pdu, flipped_bytes_never_read_past_the_body)
{
    static struct dicomnet_pdu_associate associate;
    struct dicomnet_span body = BODY(golden_associate_rq);
    for (size_t i = 0; i < body.len; i++) {
        for (int value = 0; value < 256; value += i < 68 ? 85 : 1) {
            uint8_t *copy = exact_copy(body.data, body.len);
            copy[i] = (uint8_t)value;
            if (dicomnet_pdu_decode_associate((struct dicomnet_span){copy, body.len}, DICOMNET_PDU_ASSOCIATE_RQ,
                                              &associate) == 0)
                for (size_t c = 0; c < associate.context_count; c++) {
                    struct dicomnet_span cursor = associate.contexts[c].transfer_syntaxes, uid;
                    while (dicomnet_pdu_next_transfer_syntax(&cursor, &uid))
                        cr_assert(uid.len == 0 || uid.data + uid.len <= copy + body.len);
                }
            free(copy);
        }
    }
}

/* ---- bodies made to measure ---- */

static uint8_t made[64 * 1024];

static struct bytes_writer begin_body(void)
{
    struct bytes_writer writer = bytes_writer_over(made, sizeof made);
    bytes_put(&writer, golden_associate_rq + DICOMNET_PDU_HEADER_LEN, 68);
    return writer;
}

/* An item whose length field says `said`. */
static void put_raw_item(struct bytes_writer *writer, uint8_t type, const void *value, size_t len, size_t said)
{
    bytes_put_u8(writer, type);
    bytes_put_u8(writer, 0);
    bytes_put_u16_be(writer, (uint16_t)said);
    bytes_put(writer, value, len);
}

static void put_item(struct bytes_writer *writer, uint8_t type, const void *value, size_t len)
{
    put_raw_item(writer, type, value, len, len);
}

#define PUT_TEXT(writer, type, text) put_item((writer), (type), (text), sizeof(text) - 1)
#define CONTEXT_BODY(id, result)     id "\0" result "\0"
#define ABSTRACT_ITEM                                                                                                  \
    "\x30\0\0\x05"                                                                                                     \
    "1.2.3"
#define SYNTAX_ITEM                                                                                                    \
    "\x40\0\0\x05"                                                                                                     \
    "1.2.4"

static int decode_made(const struct bytes_writer *writer, enum dicomnet_pdu_type type,
                       struct dicomnet_pdu_associate *ret_associate)
{
    cr_assert(!writer->overflow);
    static uint8_t *copy;
    free(copy); /* spans of the last one point into it */
    copy = exact_copy(writer->data, writer->len);
    return dicomnet_pdu_decode_associate((struct dicomnet_span){copy, writer->len}, type, ret_associate);
}

/* What stands between the fixed fields and the end, and the answer it gets. */
struct made_row {
    const char *name;
    enum dicomnet_pdu_type type;
    bool application_context, context, user_information;
    const char *extra;
    size_t extra_len;
    int answer;
    unsigned flaws;
};

/* clang-format off */
#define EXTRA(bytes) (bytes), sizeof(bytes) - 1
#define RQ DICOMNET_PDU_ASSOCIATE_RQ
#define AC DICOMNET_PDU_ASSOCIATE_AC
#define BAD DICOMNET_ERROR_PDU_MALFORMED
static const struct made_row made_rows[] = {
    {"whole request",                  RQ, 1, 1, 1, EXTRA(""), 0, 0},
    {"whole answer",                   AC, 1, 1, 1, EXTRA(""), 0, 0},
    {"no application context",         RQ, 0, 1, 1, EXTRA(""), 0, DICOMNET_PDU_FLAW_NO_APPLICATION_CONTEXT},
    {"no application context",         AC, 0, 1, 1, EXTRA(""), 0, DICOMNET_PDU_FLAW_NO_APPLICATION_CONTEXT},
    {"no user information",            RQ, 1, 1, 0, EXTRA(""), 0, DICOMNET_PDU_FLAW_NO_USER_INFORMATION},
    {"no user information",            AC, 1, 1, 0, EXTRA(""), 0, DICOMNET_PDU_FLAW_NO_USER_INFORMATION},
    {"request without context",        RQ, 1, 0, 1, EXTRA(""), 0, DICOMNET_PDU_FLAW_NO_CONTEXTS},
    {"answer without context",         AC, 1, 0, 1, EXTRA(""), 0, 0},
    {"unknown item",                   RQ, 1, 1, 1, EXTRA("\x99\0\0\x03" "abc"), 0, 0},
    {"one byte too many",              RQ, 1, 1, 1, EXTRA("\x99"), BAD, 0},
    {"half an item header",            AC, 1, 1, 1, EXTRA("\x99\0\0"), BAD, 0},
    {"item past the end",              RQ, 1, 1, 1, EXTRA("\x99\0\0\x04" "abc"), BAD, 0},
    {"item of 65,535",                 AC, 1, 1, 1, EXTRA("\x99\0\xFF\xFF" "abc"), BAD, 0},
    {"context of 3 bytes",             RQ, 1, 1, 1, EXTRA("\x20\0\0\x03" "\x05\0\0"), BAD, 0},
    {"context of 0 bytes",             AC, 1, 1, 1, EXTRA("\x21\0\0\x00"), BAD, 0},
    {"context ID even",                RQ, 1, 0, 1, EXTRA("\x20\0\0\x16" "\x02\0\0\0" ABSTRACT_ITEM SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN},
    {"context ID zero",                RQ, 1, 0, 1, EXTRA("\x20\0\0\x16" "\x00\0\0\0" ABSTRACT_ITEM SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN},
    {"context ID odd",                 RQ, 1, 0, 1, EXTRA("\x20\0\0\x16" "\x05\0\0\0" ABSTRACT_ITEM SYNTAX_ITEM), 0, 0},
    {"context ID twice",               RQ, 1, 1, 1, EXTRA("\x20\0\0\x16" "\x01\0\0\0" ABSTRACT_ITEM SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_ID_TWICE},
    {"context ID even in an answer",   AC, 1, 1, 1, EXTRA("\x21\0\0\x0D" "\x02\0\0\0" SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN},
    {"context ID twice in an answer",  AC, 1, 1, 1, EXTRA("\x21\0\0\x0D" "\x01\0\0\0" SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_ID_TWICE},
    {"no abstract syntax",             RQ, 1, 1, 1, EXTRA("\x20\0\0\x0D" "\x05\0\0\0" SYNTAX_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE},
    {"two abstract syntaxes",          RQ, 1, 1, 1, EXTRA("\x20\0\0\x1F" "\x05\0\0\0" ABSTRACT_ITEM SYNTAX_ITEM ABSTRACT_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE},
    {"no transfer syntax",             RQ, 1, 1, 1, EXTRA("\x20\0\0\x0D" "\x05\0\0\0" ABSTRACT_ITEM), 0, DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE},
    {"refused, no transfer syntax",    AC, 1, 0, 1, EXTRA("\x21\0\0\x04" "\x05\0\x03\0"), 0, 0},
    {"sub-item past its context",      RQ, 1, 1, 1, EXTRA("\x20\0\0\x16" "\x05\0\0\0" ABSTRACT_ITEM "\x40\0\0\x06" "1.2.4"), BAD, 0},
    {"sub-item past its context",      AC, 1, 1, 1, EXTRA("\x21\0\0\x0D" "\x05\0\0\0" "\x40\0\0\x06" "1.2.4"), BAD, 0},
    {"unknown sub-item in a context",  RQ, 1, 0, 1, EXTRA("\x20\0\0\x1B" "\x05\0\0\0" "\x77\0\0\x01" "x" ABSTRACT_ITEM SYNTAX_ITEM), 0, 0},
    {"unknown user sub-items",         AC, 1, 1, 1, EXTRA("\x50\0\0\x0A" "\x5A\0\0\x00" "\x5B\0\0\x02" "ab"), 0, 0},
    {"identity of a request, answered",AC, 1, 1, 1, EXTRA("\x50\0\0\x04" "\x58\0\0\x00"), 0, 0},
    {"response in a request",          RQ, 1, 1, 1, EXTRA("\x50\0\0\x04" "\x59\0\0\x00"), 0, 0},
    {"identity of 0 bytes",            RQ, 1, 1, 1, EXTRA("\x50\0\0\x04" "\x58\0\0\x00"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"identity of 3 bytes",            RQ, 1, 1, 1, EXTRA("\x50\0\0\x07" "\x58\0\0\x03" "\1\0\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"identity whose name goes past",  RQ, 1, 1, 1, EXTRA("\x50\0\0\x0B" "\x58\0\0\x07" "\1\0\0\x04" "abc"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"identity of half a second length", RQ, 1, 1, 1, EXTRA("\x50\0\0\x0C" "\x58\0\0\x08" "\1\0\0\x03" "abc" "\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"identity whose passcode goes past", RQ, 1, 1, 1, EXTRA("\x50\0\0\x0E" "\x58\0\0\x0A" "\2\0\0\x03" "abc" "\xFF\xFF" "d"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"identity without a second length", RQ, 1, 1, 1, EXTRA("\x50\0\0\x0B" "\x58\0\0\x07" "\1\0\0\x03" "abc"), 0, 0},
    {"identity with bytes behind it",  RQ, 1, 1, 1, EXTRA("\x50\0\0\x0E" "\x58\0\0\x0A" "\1\0\0\x03" "abc" "\0\0" "x"), 0, 0},
    {"response of 1 byte",             AC, 1, 1, 1, EXTRA("\x50\0\0\x05" "\x59\0\0\x01" "\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"response that goes past",        AC, 1, 1, 1, EXTRA("\x50\0\0\x07" "\x59\0\0\x03" "\0\2" "a"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"response of nothing",            AC, 1, 1, 1, EXTRA("\x50\0\0\x06" "\x59\0\0\x02" "\0\0"), 0, 0},
    {"user sub-item past its item",    AC, 1, 1, 1, EXTRA("\x50\0\0\x06" "\x58\0\0\x03" "ab"), BAD, 0},
    {"maximum length of 3 bytes",      RQ, 1, 1, 1, EXTRA("\x50\0\0\x07" "\x51\0\0\x03" "\0\1\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"maximum length of 0 bytes",      AC, 1, 1, 1, EXTRA("\x50\0\0\x04" "\x51\0\0\x00"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"async window of 3 bytes",        AC, 1, 1, 1, EXTRA("\x50\0\0\x07" "\x53\0\0\x03" "\0\1\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"role of 3 bytes",                RQ, 1, 1, 1, EXTRA("\x50\0\0\x07" "\x54\0\0\x03" "\0\0\0"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"role of an empty class",         RQ, 1, 1, 1, EXTRA("\x50\0\0\x08" "\x54\0\0\x04" "\0\0\1\1"), 0, 0},
    {"role whose UID eats the roles",  RQ, 1, 1, 1, EXTRA("\x50\0\0\x0B" "\x54\0\0\x07" "\0\x04" "1.2.3"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
    {"role whose UID goes past",       RQ, 1, 1, 1, EXTRA("\x50\0\0\x0B" "\x54\0\0\x07" "\xFF\xFF" "1.2.3"), 0, DICOMNET_PDU_FLAW_USER_ITEM},
};
/* clang-format on */

Test(pdu, associate_bodies_right_and_wrong)
{
    static struct dicomnet_pdu_associate associate;
    for (size_t i = 0; i < sizeof made_rows / sizeof made_rows[0]; i++) {
        const struct made_row *row = &made_rows[i];
        struct bytes_writer writer = begin_body();
        if (row->application_context)
            PUT_TEXT(&writer, 0x10, DICOMNET_UID_APPLICATION_CONTEXT);
        if (row->context && row->type == DICOMNET_PDU_ASSOCIATE_RQ)
            PUT_TEXT(&writer, 0x20, CONTEXT_BODY("\x01", "\x00") ABSTRACT_ITEM SYNTAX_ITEM);
        if (row->context && row->type == DICOMNET_PDU_ASSOCIATE_AC)
            PUT_TEXT(&writer, 0x21, CONTEXT_BODY("\x01", "\x00") SYNTAX_ITEM);
        if (row->user_information)
            PUT_TEXT(&writer, 0x50, "\x51\0\0\x04\0\0\x40\0");
        bytes_put(&writer, row->extra, row->extra_len);
        cr_expect_eq(decode_made(&writer, row->type, &associate), row->answer, "%s", row->name);
        if (row->answer == 0)
            cr_expect_eq(associate.flaws, row->flaws, "%s: %x", row->name, associate.flaws);
    }
}

static int decode_contexts(size_t count, enum dicomnet_pdu_type type, struct dicomnet_pdu_associate *ret_associate)
{
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x10, DICOMNET_UID_APPLICATION_CONTEXT);
    PUT_TEXT(&writer, 0x50, "");
    for (size_t i = 0; i < count; i++) {
        char body[] = CONTEXT_BODY("\x01", "\x00") ABSTRACT_ITEM SYNTAX_ITEM;
        body[0] = (char)(i < 128 ? 2 * i + 1 : 2 * i);
        put_item(&writer, type == DICOMNET_PDU_ASSOCIATE_RQ ? 0x20 : 0x21, body, sizeof body - 1);
    }
    return decode_made(&writer, type, ret_associate);
}

Test(pdu, there_are_at_most_128_contexts)
{
    static struct dicomnet_pdu_associate associate;
    cr_assert_eq(decode_contexts(128, DICOMNET_PDU_ASSOCIATE_RQ, &associate), 0);
    cr_assert_eq(associate.context_count, 128);
    cr_assert_eq(associate.contexts[127].id, 255);
    cr_assert_eq(associate.flaws, 0);
    cr_assert_eq(decode_contexts(200, DICOMNET_PDU_ASSOCIATE_RQ, &associate), 0);
    cr_assert_eq(associate.context_count, DICOMNET_PDU_CONTEXTS_MAX);
    cr_assert_eq(associate.flaws, DICOMNET_PDU_FLAW_CONTEXT_ID_EVEN | DICOMNET_PDU_FLAW_TOO_MANY_CONTEXTS);
    cr_assert_eq(decode_contexts(128, DICOMNET_PDU_ASSOCIATE_AC, &associate), 0);
    cr_assert_eq(associate.flaws, 0);
    cr_assert_eq(decode_contexts(200, DICOMNET_PDU_ASSOCIATE_AC, &associate), 0);
    cr_assert_eq(associate.context_count, DICOMNET_PDU_CONTEXTS_MAX);
}

/* What cannot be but refused says with which result; of an ID that stands twice the first counts. */
Test(pdu, contexts_that_are_not_whole_are_to_be_refused)
{
    static struct dicomnet_pdu_associate associate;
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x20, CONTEXT_BODY("\x02", "\x07") ABSTRACT_ITEM SYNTAX_ITEM);
    PUT_TEXT(&writer, 0x20, CONTEXT_BODY("\x03", "\x00") SYNTAX_ITEM);
    PUT_TEXT(&writer, 0x20, CONTEXT_BODY("\x05", "\x00") ABSTRACT_ITEM);
    PUT_TEXT(&writer, 0x20, CONTEXT_BODY("\x02", "\x00") ABSTRACT_ITEM);
    cr_assert_eq(decode_made(&writer, DICOMNET_PDU_ASSOCIATE_RQ, &associate), 0);
    cr_assert_eq(associate.context_count, 3);
    cr_assert_eq(associate.contexts[0].result, 0, "what an RQ has there is reserved");
    cr_assert_eq(associate.contexts[1].result, DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED);
    cr_assert_eq(associate.contexts[2].result, DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED);
    for (unsigned i = 0; i < DICOMNET_PDU_FLAW_COUNT; i++)
        cr_assert_neq(strcmp(dicomnet_pdu_flaw_text(1u << i), "a flaw"), 0);
}

Test(pdu, user_items_are_walked_as_they_lie)
{
    static struct dicomnet_pdu_associate associate;
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x50,
             "\x58\0\0\x03"
             "abc"
             "\x56\0\0\0");
    cr_assert_eq(decode_made(&writer, DICOMNET_PDU_ASSOCIATE_AC, &associate), 0);
    uint8_t type;
    struct dicomnet_span body;
    cr_assert(dicomnet_pdu_next_user_item(&associate.user_information, &type, &body));
    cr_assert(type == DICOMNET_PDU_ITEM_USER_IDENTITY_RQ && dicomnet_span_equals(body, "abc"));
    cr_assert(dicomnet_pdu_next_user_item(&associate.user_information, &type, &body));
    cr_assert(type == DICOMNET_PDU_ITEM_EXTENDED_NEGOTIATION && body.len == 0);
    cr_assert(!dicomnet_pdu_next_user_item(&associate.user_information, &type, &body));
}

/* ---- user identity (PS3.7 D.3.3.7) ---- */

/* What an A-ASSOCIATE with that identity, or response, has at its end: golden, by hand from the tables. */
static void assert_ends_with(const struct dicomnet_pdu_associate *associate, enum dicomnet_pdu_type type,
                             const char *golden, size_t golden_len)
{
    static uint8_t bytes[70 * 1024];
    ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, type, associate);
    cr_assert_gt(len, (ssize_t)golden_len);
    assert_golden(bytes + len - golden_len, (ssize_t)golden_len, golden, golden_len);
}

Test(pdu, encodes_an_identity_as_the_standard_says)
{
    static const char name[] = "\x58"
                               "\x00"     /* 1     item type; 2 reserved */
                               "\x00\x0B" /* 3-4   item length */
                               "\x01"     /* 5     user name */
                               "\x00"     /* 6     no positive response requested */
                               "\x00\x05"
                               "alice"     /* 7-8   primary field length; 9.. primary field */
                               "\x00\x00"; /* ..    secondary field length */
    static const char passcode[] = "\x58\x00\x00\x11"
                                   "\x02"
                                   "\x01"
                                   "\x00\x05"
                                   "alice"
                                   "\x00\x06"
                                   "secret";
    static const char token[] = "\x58\x00\x00\x09"
                                "\x05"
                                "\x01"
                                "\x00\x03"
                                "a.b"
                                "\x00\x00";
    static const char response[] = "\x59\x00" /* 1     item type; 2 reserved */
                                   "\x00\x07" /* 3-4   item length */
                                   "\x00\x05"
                                   "reply"; /* 5-6   server response length; 7.. server response */
    static const char nothing[] = "\x59\x00\x00\x02\x00\x00";
    struct dicomnet_pdu_associate rq = make_associate(16384, "1.2.3.4", "TEST_1"), ac = rq;
    rq.context_count = rq.role_count = ac.context_count = ac.role_count = 0;
    rq.has_identity = ac.has_identity_response = true;
    rq.identity = (struct dicomnet_identity){.type = DICOMNET_IDENTITY_USER_NAME, .primary = dicomnet_span_of("alice")};
    assert_ends_with(&rq, RQ, name, GOLDEN_LEN(name));
    rq.identity.type = DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE;
    rq.identity.response_wanted = true;
    rq.identity.secondary = dicomnet_span_of("secret");
    assert_ends_with(&rq, RQ, passcode, GOLDEN_LEN(passcode));
    rq.identity = (struct dicomnet_identity){DICOMNET_IDENTITY_JWT, true, dicomnet_span_of("a.b"), {0}};
    assert_ends_with(&rq, RQ, token, GOLDEN_LEN(token));
    ac.identity_response = dicomnet_span_of("reply");
    assert_ends_with(&ac, AC, response, GOLDEN_LEN(response));
    ac.identity_response.len = 0;
    assert_ends_with(&ac, AC, nothing, GOLDEN_LEN(nothing));
    /* Neither has what belongs to the other. */
    rq.has_identity = ac.has_identity_response = false;
    rq.has_identity_response = ac.has_identity = true;
    assert_ends_with(&rq, RQ, "\x55\x00\x00\x06TEST_1", 10);
    assert_ends_with(&ac, AC, "\x55\x00\x00\x06TEST_1", 10);
}

Test(pdu, decodes_what_it_encodes_of_an_identity)
{
    static uint8_t bytes[70 * 1024], long_token[DICOMNET_IDENTITY_LEN_MAX + 20 * 1024];
    static struct dicomnet_pdu_associate rq, read;
    memset(long_token, 'x', sizeof long_token);
    for (uint8_t type = 0; type <= DICOMNET_IDENTITY_JWT + 1; type++) { /* unknown ones are for the user to judge */
        rq = make_associate(16384, "1.2.3.4", "TEST_1");
        rq.context_count = rq.role_count = 0;
        rq.has_identity = true;
        rq.identity = (struct dicomnet_identity){type,
                                                 type % 2 == 1,
                                                 {long_token, DICOMNET_IDENTITY_LEN_MAX - 7},
                                                 dicomnet_span_of("\xFF"
                                                                  "passco")};
        ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, RQ, &rq);
        cr_assert_gt(len, DICOMNET_IDENTITY_LEN_MAX);
        struct dicomnet_span body = {bytes + DICOMNET_PDU_HEADER_LEN, (size_t)len - DICOMNET_PDU_HEADER_LEN};
        cr_assert_eq(dicomnet_pdu_decode_associate(body, RQ, &read), 0);
        cr_assert(read.has_identity && read.identity.type == type && read.identity.response_wanted == (type % 2 == 1));
        cr_assert(read.identity.primary.len == DICOMNET_IDENTITY_LEN_MAX - 7 &&
                  read.flaws == DICOMNET_PDU_FLAW_NO_CONTEXTS);
        cr_assert(dicomnet_span_equals(read.identity.secondary, "\xFF"
                                                                "passco"));
    }
    /* What two bytes cannot count is refused, not cut: in the item, and in the user information around it. */
    for (size_t len = sizeof long_token - 8; len < sizeof long_token; len++) {
        rq.identity.primary.len = len;
        cr_assert_eq(dicomnet_pdu_encode_associate(bytes, sizeof bytes, RQ, &rq), DICOMNET_ERROR_BUFFER_TOO_SMALL);
    }
    rq.identity.primary.len = UINT16_MAX - 30;
    cr_assert_eq(dicomnet_pdu_encode_associate(bytes, sizeof bytes, RQ, &rq), DICOMNET_ERROR_BUFFER_TOO_SMALL);
}

Test(pdu, of_two_identities_the_first_counts)
{
    static struct dicomnet_pdu_associate associate;
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x50,
             "\x58\0\0\x07\1\0\0\1a\0\0"
             "\x58\0\0\x07\1\0\0\1b\0\0");
    cr_assert_eq(decode_made(&writer, RQ, &associate), 0);
    cr_assert(associate.has_identity && dicomnet_span_equals(associate.identity.primary, "a"));
}

Test(pdu, roles_beyond_the_array_are_passed_over)
{
    static struct dicomnet_pdu_associate associate;
    static uint8_t roles[200 * 8];
    for (size_t i = 0; i < 200; i++)
        memcpy(roles + i * 8, "\x54\0\0\x04\0\0\1\1", 8);
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x10, DICOMNET_UID_APPLICATION_CONTEXT);
    PUT_TEXT(&writer, 0x21, CONTEXT_BODY("\x01", "\x00") SYNTAX_ITEM);
    put_item(&writer, 0x50, roles, sizeof roles);
    cr_assert_eq(decode_made(&writer, DICOMNET_PDU_ASSOCIATE_AC, &associate), 0);
    cr_assert_eq(associate.role_count, DICOMNET_PDU_ROLES_MAX);
}

Test(pdu, padding_and_strange_order_are_tolerated)
{
    static struct dicomnet_pdu_associate associate;
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x50,
             "\x52\0\0\x06"
             "1.2.3\0"
             "\x55\0\0\x04"
             "AB  ");
    PUT_TEXT(&writer, 0x20,
             "\x01\0\0\0"
             "\x40\0\0\x06"
             "1.2.4\0"
             "\x77\0\0\1x"
             "\x30\0\0\x06"
             "1.2.3 " SYNTAX_ITEM);
    PUT_TEXT(&writer, 0x10, DICOMNET_UID_APPLICATION_CONTEXT "\0");
    cr_assert_eq(decode_made(&writer, DICOMNET_PDU_ASSOCIATE_RQ, &associate), 0);
    cr_assert(dicomnet_span_equals(associate.implementation_class_uid, "1.2.3"));
    cr_assert(dicomnet_span_equals(associate.implementation_version, "AB"));
    cr_assert(dicomnet_span_equals(associate.application_context, DICOMNET_UID_APPLICATION_CONTEXT));
    cr_assert(dicomnet_span_equals(associate.contexts[0].abstract_syntax, "1.2.3"));
    struct dicomnet_span cursor = associate.contexts[0].transfer_syntaxes, uid;
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) && dicomnet_span_equals(uid, "1.2.4"));
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) && dicomnet_span_equals(uid, "1.2.4"));
    cr_assert(!dicomnet_pdu_next_transfer_syntax(&cursor, &uid));
    cr_assert(!associate.has_max_len);
}

/* A peer may put the abstract syntax between the transfer syntaxes: written again, it is there once. */
Test(pdu, a_decoded_run_is_written_without_what_lay_in_it)
{
    struct dicomnet_pdu_associate associate, again;
    uint8_t written[256];
    struct bytes_writer writer = begin_body();
    PUT_TEXT(&writer, 0x10, DICOMNET_UID_APPLICATION_CONTEXT);
    PUT_TEXT(&writer, 0x20,
             CONTEXT_BODY("\x01", "\x00") SYNTAX_ITEM ABSTRACT_ITEM "\x77\0\0\1x\x40\0\0\5"
                                                                    "1.2.5");
    PUT_TEXT(&writer, 0x50, "");
    cr_assert_eq(decode_made(&writer, DICOMNET_PDU_ASSOCIATE_RQ, &associate), 0);
    ssize_t len = dicomnet_pdu_encode_associate(written, sizeof written, DICOMNET_PDU_ASSOCIATE_RQ, &associate);
    cr_assert_gt(len, DICOMNET_PDU_HEADER_LEN);
    struct dicomnet_span body = {written + DICOMNET_PDU_HEADER_LEN, (size_t)len - DICOMNET_PDU_HEADER_LEN};
    cr_assert_eq(dicomnet_pdu_decode_associate(body, DICOMNET_PDU_ASSOCIATE_RQ, &again), 0);
    cr_assert(dicomnet_span_equals(again.contexts[0].abstract_syntax, "1.2.3"));
    struct dicomnet_span cursor = again.contexts[0].transfer_syntaxes, uid;
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) && dicomnet_span_equals(uid, "1.2.4"));
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid) && dicomnet_span_equals(uid, "1.2.5"));
    cr_assert(!dicomnet_pdu_next_transfer_syntax(&cursor, &uid));
}

Test(pdu, a_broken_run_of_transfer_syntaxes_ends)
{
    static const uint8_t broken[] = {0x40, 0, 0, 1, '1', 0x40, 0, 0, 9, '1'};
    uint8_t *copy = exact_copy(broken, sizeof broken);
    struct dicomnet_span cursor = {copy, sizeof broken}, uid;
    cr_assert(dicomnet_pdu_next_transfer_syntax(&cursor, &uid));
    cr_assert(!dicomnet_pdu_next_transfer_syntax(&cursor, &uid));
    free(copy);
}

Test(pdu, texts_say_what_the_tables_say)
{
    cr_assert_str_eq(dicomnet_pdu_reject_text(&(struct dicomnet_pdu_reject){1, 1, 7}),
                     "called AE title not recognized");
    cr_assert_str_eq(dicomnet_pdu_reject_text(&(struct dicomnet_pdu_reject){1, 1, 3}),
                     "calling AE title not recognized");
    cr_assert_str_eq(dicomnet_pdu_reject_text(&(struct dicomnet_pdu_reject){2, 3, 1}), "temporary congestion");
    cr_assert_str_eq(dicomnet_pdu_reject_text(&(struct dicomnet_pdu_reject){2, 3, 2}), "local limit exceeded");
    for (unsigned source = 0; source < 256; source++)
        for (unsigned reason = 0; reason < 256; reason++) {
            cr_assert_not_null(
                dicomnet_pdu_reject_text(&(struct dicomnet_pdu_reject){1, (uint8_t)source, (uint8_t)reason}));
            cr_assert_not_null(dicomnet_pdu_abort_text(&(struct dicomnet_pdu_abort){(uint8_t)source, (uint8_t)reason}));
        }
    for (unsigned result = 0; result < 256; result++)
        cr_assert_not_null(dicomnet_pdu_context_result_text((uint8_t)result));
    cr_assert_str_eq(dicomnet_pdu_context_result_text(DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED),
                     "abstract syntax not supported");
}
