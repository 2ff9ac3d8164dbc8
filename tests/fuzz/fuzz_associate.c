/*
 * fuzz_associate - A-ASSOCIATE-RQ and -AC: what is decoded lies inside the bytes, and survives being encoded.
 *
 * Input: 1 byte, odd for an -AC; then the body of the PDU.
 */
#include <stdbool.h>
#include <string.h>

#include "dicomnet/error.h"
#include "dicomnet/pdu.h"
#include "fuzz.h"

static void check_inside(struct dicomnet_span body, struct dicomnet_span part)
{
    FUZZ_CHECK(part.len == 0 || (part.data >= body.data && part.data + part.len <= body.data + body.len));
}

static void check_equal(struct dicomnet_span a, struct dicomnet_span b)
{
    FUZZ_CHECK(a.len == b.len);
    FUZZ_CHECK(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_all_inside(struct dicomnet_span body, const struct dicomnet_pdu_associate *associate)
{
    check_inside(body, associate->application_context);
    check_inside(body, associate->implementation_class_uid);
    check_inside(body, associate->implementation_version);
    check_inside(body, associate->identity.primary);
    check_inside(body, associate->identity.secondary);
    check_inside(body, associate->identity_response);
    FUZZ_CHECK(strlen(associate->called_ae) <= 16 && strlen(associate->calling_ae) <= 16);
    FUZZ_CHECK(associate->context_count <= DICOMNET_PDU_CONTEXTS_MAX &&
               associate->role_count <= DICOMNET_PDU_ROLES_MAX);
    for (size_t i = 0; i < associate->context_count; i++) {
        struct dicomnet_span cursor = associate->contexts[i].transfer_syntaxes, syntax;
        check_inside(body, associate->contexts[i].abstract_syntax);
        check_inside(body, cursor);
        while (dicomnet_pdu_next_transfer_syntax(&cursor, &syntax))
            check_inside(body, syntax);
        FUZZ_CHECK(dicomnet_pdu_context_result_text(associate->contexts[i].result)[0] != '\0');
    }
    for (size_t i = 0; i < associate->role_count; i++)
        check_inside(body, associate->roles[i].class_uid);
    struct dicomnet_span cursor = associate->user_information, item;
    uint8_t type;
    while (dicomnet_pdu_next_user_item(&cursor, &type, &item))
        check_inside(body, item);
}

/* Of two abstract syntaxes, for which a context was to be refused, one is written. */
static void check_same_context(const struct dicomnet_pdu_context *a, const struct dicomnet_pdu_context *b,
                               unsigned flaws)
{
    struct dicomnet_span a_cursor = a->transfer_syntaxes, b_cursor = b->transfer_syntaxes, a_syntax, b_syntax;
    FUZZ_CHECK(a->id == b->id && (a->result == b->result || (flaws & DICOMNET_PDU_FLAW_CONTEXT_INCOMPLETE) != 0));
    check_equal(a->abstract_syntax, b->abstract_syntax);
    while (dicomnet_pdu_next_transfer_syntax(&a_cursor, &a_syntax)) {
        FUZZ_CHECK(dicomnet_pdu_next_transfer_syntax(&b_cursor, &b_syntax));
        check_equal(a_syntax, b_syntax);
    }
    /* A refused context without any gets one of no length when it is written. */
    FUZZ_CHECK(!dicomnet_pdu_next_transfer_syntax(&b_cursor, &b_syntax) || b_syntax.len == 0);
}

static void check_same(const struct dicomnet_pdu_associate *a, const struct dicomnet_pdu_associate *b)
{
    FUZZ_CHECK(a->protocol_version == b->protocol_version);
    FUZZ_CHECK(strcmp(a->called_ae, b->called_ae) == 0 && strcmp(a->calling_ae, b->calling_ae) == 0);
    check_equal(a->application_context, b->application_context);
    check_equal(a->implementation_class_uid, b->implementation_class_uid);
    check_equal(a->implementation_version, b->implementation_version);
    FUZZ_CHECK(a->has_max_len == b->has_max_len && a->max_len == b->max_len);
    FUZZ_CHECK(a->has_async == b->has_async && a->async_invoked == b->async_invoked);
    FUZZ_CHECK(a->async_performed == b->async_performed);
    FUZZ_CHECK(a->has_identity == b->has_identity && a->has_identity_response == b->has_identity_response);
    FUZZ_CHECK(!(a->has_identity && a->has_identity_response));
    FUZZ_CHECK(a->identity.type == b->identity.type && a->identity.response_wanted == b->identity.response_wanted);
    check_equal(a->identity.primary, b->identity.primary);
    check_equal(a->identity.secondary, b->identity.secondary);
    check_equal(a->identity_response, b->identity_response);
    FUZZ_CHECK(a->context_count == b->context_count && a->role_count == b->role_count);
    for (size_t i = 0; i < a->context_count; i++)
        check_same_context(&a->contexts[i], &b->contexts[i], a->flaws);
    for (size_t i = 0; i < a->role_count; i++) {
        check_equal(a->roles[i].class_uid, b->roles[i].class_uid);
        FUZZ_CHECK(a->roles[i].scu == b->roles[i].scu && a->roles[i].scp == b->roles[i].scp);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dicomnet_pdu_associate decoded, again;
    static uint8_t bytes[DICOMNET_PDU_HEADER_LEN + 4 * DICOMNET_PDU_ASSOCIATE_LEN_MAX];
    struct fuzz_input input = {.data = data, .len = size};
    enum dicomnet_pdu_type type = fuzz_take_u8(&input) % 2 != 0 ? DICOMNET_PDU_ASSOCIATE_AC : DICOMNET_PDU_ASSOCIATE_RQ;
    struct dicomnet_span body = {.data = input.data, .len = input.len};
    int error = dicomnet_pdu_decode_associate(body, type, &decoded);
    FUZZ_CHECK(error == 0 || error == DICOMNET_ERROR_PDU_MALFORMED);
    if (error != 0)
        return 0;
    check_all_inside(body, &decoded);
    ssize_t len = dicomnet_pdu_encode_associate(bytes, sizeof bytes, type, &decoded);
    FUZZ_CHECK(len > DICOMNET_PDU_HEADER_LEN || len == DICOMNET_ERROR_BUFFER_TOO_SMALL);
    if (len < 0) /* user information gathered from several items, too long for one */
        return 0;
    struct dicomnet_span own = {.data = bytes + DICOMNET_PDU_HEADER_LEN, .len = (size_t)len - DICOMNET_PDU_HEADER_LEN};
    FUZZ_CHECK(dicomnet_pdu_decode_associate(own, type, &again) == 0);
    check_same(&decoded, &again);
    return 0;
}
