/*
 * Command sets to bytes and back, and messages from fragments.
 *
 * Golden bytes are written by hand from PS3.7 section 9.3 and Annex E: every element is tag (group, element), length
 * of 4 bytes, value, all little endian.
 */
#include <criterion/criterion.h>

#include "../support/exact.h"
#include "base/bytes.h"
#include "dicomnet/dimse.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"

#define CT   "1.2.840.10008.5.1.4.1.1.2"
#define FIND DICOMNET_UID_STUDY_ROOT_FIND
#define MOVE DICOMNET_UID_STUDY_ROOT_MOVE
#define GET  DICOMNET_UID_STUDY_ROOT_GET

/* clang-format off */

/* C-ECHO-RQ: PS3.7 Table 9.3-12. */
static const char golden_echo_rq[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x38\x00\x00\x00"   /* Command Group Length: 26 + 10 + 10 + 10 = 56 */
    "\x00\x00\x02\x00" "\x12\x00\x00\x00" "1.2.840.10008.1.1\0" /* Affected SOP Class UID, 17 + 1 */
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x30\x00"           /* Command Field: C-ECHO-RQ */
    "\x00\x00\x10\x01" "\x02\x00\x00\x00" "\x07\x00"           /* Message ID: 7 */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01";          /* Command Data Set Type: none */

/* C-ECHO-RSP: PS3.7 Table 9.3-13. */
static const char golden_echo_rsp[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x42\x00\x00\x00"   /* Command Group Length: 26 + 4 * 10 = 66 */
    "\x00\x00\x02\x00" "\x12\x00\x00\x00" "1.2.840.10008.1.1\0"
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x30\x80"           /* Command Field: C-ECHO-RSP */
    "\x00\x00\x20\x01" "\x02\x00\x00\x00" "\x07\x00"           /* Message ID Being Responded To: 7 */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01"           /* Command Data Set Type: none */
    "\x00\x00\x00\x09" "\x02\x00\x00\x00" "\x00\x00";          /* Status: success */

/* C-STORE-RQ: PS3.7 Table 9.3-1. */
static const char golden_store_rq[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x7C\x00\x00\x00"   /* Command Group Length: 34 + 4*10 + 16 + 24 + 10 = 124 */
    "\x00\x00\x02\x00" "\x1A\x00\x00\x00" CT "\0"              /* Affected SOP Class UID, 25 + 1 */
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x01\x00"           /* Command Field: C-STORE-RQ */
    "\x00\x00\x10\x01" "\x02\x00\x00\x00" "\xFF\xFE"           /* Message ID: 65,279 */
    "\x00\x00\x00\x07" "\x02\x00\x00\x00" "\x00\x00"           /* Priority: medium, which is zero */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x00"           /* Command Data Set Type: there is one */
    "\x00\x00\x00\x10" "\x08\x00\x00\x00" "1.2.3.45"           /* Affected SOP Instance UID, 8 */
    "\x00\x00\x30\x10" "\x10\x00\x00\x00" "ORIGINATOR_AE_16"   /* Move Originator Application Entity Title */
    "\x00\x00\x31\x10" "\x02\x00\x00\x00" "\x09\x00";          /* Move Originator Message ID */

/* C-STORE-RSP: PS3.7 Table 9.3-2, with the fields of a failure (Annex C). */
static const char golden_store_rsp[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x7C\x00\x00\x00"   /* Command Group Length: 34 + 4*10 + 24 + 10 + 16 = 124 */
    "\x00\x00\x02\x00" "\x1A\x00\x00\x00" CT "\0"
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x01\x80"           /* Command Field: C-STORE-RSP */
    "\x00\x00\x20\x01" "\x02\x00\x00\x00" "\xFF\xFE"           /* Message ID Being Responded To */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01"           /* Command Data Set Type: none */
    "\x00\x00\x00\x09" "\x02\x00\x00\x00" "\x00\xA7"           /* Status: refused, out of resources */
    "\x00\x00\x02\x09" "\x10\x00\x00\x00" "no space on disk"   /* Error Comment */
    "\x00\x00\x03\x09" "\x02\x00\x00\x00" "\x05\x00"           /* Error ID */
    "\x00\x00\x00\x10" "\x08\x00\x00\x00" "1.2.3.4\0";         /* Affected SOP Instance UID, 7 + 1 */

/* C-FIND-RQ: PS3.7 Table 9.3-3. */
static const char golden_find_rq[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x4C\x00\x00\x00"   /* Command Group Length: 36 + 4*10 = 76 */
    "\x00\x00\x02\x00" "\x1C\x00\x00\x00" FIND "\0"            /* Affected SOP Class UID, 27 + 1 */
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x20\x00"           /* Command Field: C-FIND-RQ */
    "\x00\x00\x10\x01" "\x02\x00\x00\x00" "\x03\x00"           /* Message ID */
    "\x00\x00\x00\x07" "\x02\x00\x00\x00" "\x02\x00"           /* Priority: low */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x00";          /* Command Data Set Type: there is one */

/* C-FIND-RSP: PS3.7 Table 9.3-4, with the fields of A900 (PS3.4 Table C.4-1). */
static const char golden_find_rsp[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x66\x00\x00\x00"   /* Command Group Length: 36 + 4*10 + 16 + 10 = 102 */
    "\x00\x00\x02\x00" "\x1C\x00\x00\x00" FIND "\0"
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x20\x80"           /* Command Field: C-FIND-RSP */
    "\x00\x00\x20\x01" "\x02\x00\x00\x00" "\x03\x00"           /* Message ID Being Responded To */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01"           /* Command Data Set Type: none */
    "\x00\x00\x00\x09" "\x02\x00\x00\x00" "\x00\xA9"           /* Status */
    "\x00\x00\x01\x09" "\x08\x00\x00\x00" "\x10\x00\x20\x00"   /* Offending Element: (0010,0020) */
                                              "\x08\x00\x52\x00"   /* and (0008,0052) */
    "\x00\x00\x02\x09" "\x02\x00\x00\x00" "no";                 /* Error Comment */

/* C-MOVE-RQ: PS3.7 Table 9.3-8. */
static const char golden_move_rq[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x5A\x00\x00\x00"   /* Command Group Length: 36 + 4*10 + 14 = 90 */
    "\x00\x00\x02\x00" "\x1C\x00\x00\x00" MOVE "\0"
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x21\x00"           /* Command Field: C-MOVE-RQ */
    "\x00\x00\x10\x01" "\x02\x00\x00\x00" "\x03\x00"           /* Message ID */
    "\x00\x00\x00\x06" "\x06\x00\x00\x00" "WHERE "              /* Move Destination */
    "\x00\x00\x00\x07" "\x02\x00\x00\x00" "\x00\x00"           /* Priority: medium */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x00";

/* C-GET-RSP: PS3.7 Table 9.3-7; C-MOVE-RSP has the same fields. */
static const char golden_get_rsp[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x74\x00\x00\x00"   /* Command Group Length: 36 + 8*10 = 116 */
    "\x00\x00\x02\x00" "\x1C\x00\x00\x00" GET "\0"
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x10\x80"           /* Command Field: C-GET-RSP */
    "\x00\x00\x20\x01" "\x02\x00\x00\x00" "\x03\x00"           /* Message ID Being Responded To */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01"
    "\x00\x00\x00\x09" "\x02\x00\x00\x00" "\x00\xFF"           /* Status: pending */
    "\x00\x00\x20\x10" "\x02\x00\x00\x00" "\x04\x00"           /* Number of Remaining Sub-operations */
    "\x00\x00\x21\x10" "\x02\x00\x00\x00" "\x03\x01"           /* Completed: 259 */
    "\x00\x00\x22\x10" "\x02\x00\x00\x00" "\x02\x00"           /* Failed */
    "\x00\x00\x23\x10" "\x02\x00\x00\x00" "\x00\x00";          /* Warning: none, which is said */

/* C-CANCEL-RQ: PS3.7 Table 9.3-5. */
static const char golden_cancel_rq[] =
    "\x00\x00\x00\x00" "\x04\x00\x00\x00" "\x1E\x00\x00\x00"   /* Command Group Length: 3*10 = 30 */
    "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\xFF\x0F"           /* Command Field: C-CANCEL-RQ */
    "\x00\x00\x20\x01" "\x02\x00\x00\x00" "\x03\x00"           /* Message ID Being Responded To */
    "\x00\x00\x00\x08" "\x02\x00\x00\x00" "\x01\x01";
/* clang-format on */

#define LEN(array)    (sizeof(array) - 1)
#define GOLDEN(array) ((struct dicomnet_span){(const uint8_t *)(array), LEN(array)})

static void assert_encodes(const struct dicomnet_dimse_command *command, struct dicomnet_span golden)
{
    uint8_t bytes[DICOMNET_DIMSE_COMMAND_ENCODED_MAX];
    ssize_t len = dicomnet_dimse_encode_command(bytes, sizeof bytes, command);
    cr_assert_eq(len, (ssize_t)golden.len, "%zd bytes, not %zu", len, golden.len);
    for (size_t i = 0; i < golden.len; i++)
        cr_assert_eq(bytes[i], golden.data[i], "byte %zu is %02x, not %02x", i, bytes[i], golden.data[i]);
    for (size_t size = 0; size < golden.len; size++) {
        uint8_t *small = malloc(size);
        cr_assert_eq(dicomnet_dimse_encode_command(small, size, command), DICOMNET_ERROR_BUFFER_TOO_SMALL);
        free(small);
    }
}

static const struct dicomnet_dimse_command echo_rq = {.present =
                                                          DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID,
                                                      .field = DICOMNET_DIMSE_C_ECHO_RQ,
                                                      .data_set_type = DICOMNET_DIMSE_NO_DATA_SET,
                                                      .message_id = 7,
                                                      .class_uid = DICOMNET_UID_VERIFICATION};

Test(dimse, encodes_commands_as_the_standard_says)
{
    assert_encodes(&echo_rq, GOLDEN(golden_echo_rq));
    struct dicomnet_dimse_command store = {.present = DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID |
                                                      DICOMNET_DIMSE_HAS_PRIORITY | DICOMNET_DIMSE_HAS_INSTANCE_UID |
                                                      DICOMNET_DIMSE_HAS_ORIGINATOR_AE |
                                                      DICOMNET_DIMSE_HAS_ORIGINATOR_ID,
                                           .field = DICOMNET_DIMSE_C_STORE_RQ,
                                           .data_set_type = DICOMNET_DIMSE_DATA_SET,
                                           .message_id = 0xFEFF,
                                           .priority = DICOMNET_PRIORITY_MEDIUM,
                                           .originator_id = 9,
                                           .class_uid = CT,
                                           .instance_uid = "1.2.3.45",
                                           .originator_ae = "ORIGINATOR_AE_16"};
    assert_encodes(&store, GOLDEN(golden_store_rq));
}

Test(dimse, responses_repeat_what_the_request_said)
{
    struct dicomnet_dimse_command response = dicomnet_dimse_response_to(&echo_rq, DICOMNET_STATUS_SUCCESS);
    assert_encodes(&response, GOLDEN(golden_echo_rsp));
    struct dicomnet_dimse_command store;
    cr_assert_eq(dicomnet_dimse_decode_command(GOLDEN(golden_store_rq), &store), 0);
    strcpy(store.instance_uid, "1.2.3.4");
    response = dicomnet_dimse_response_to(&store, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES);
    response.present |= DICOMNET_DIMSE_HAS_ERROR_COMMENT | DICOMNET_DIMSE_HAS_ERROR_ID;
    strcpy(response.error_comment, "no space on disk");
    response.error_id = 5;
    assert_encodes(&response, GOLDEN(golden_store_rsp));
}

static struct dicomnet_dimse_command query_command(uint16_t field, const char *class_uid, uint32_t more)
{
    struct dicomnet_dimse_command command = {
        .present = DICOMNET_DIMSE_HAS_CLASS_UID | more, .field = field, .message_id = 3, .message_id_responded = 3};
    command.data_set_type =
        (field & DICOMNET_DIMSE_RESPONSE) != 0 ? DICOMNET_DIMSE_NO_DATA_SET : DICOMNET_DIMSE_DATA_SET;
    strcpy(command.class_uid, class_uid);
    return command;
}

Test(dimse, encodes_queries_as_the_standard_says)
{
    enum { REQUEST = DICOMNET_DIMSE_HAS_MESSAGE_ID | DICOMNET_DIMSE_HAS_PRIORITY };
    struct dicomnet_dimse_command find = query_command(DICOMNET_DIMSE_C_FIND_RQ, FIND, REQUEST);
    find.priority = DICOMNET_PRIORITY_LOW;
    assert_encodes(&find, GOLDEN(golden_find_rq));

    struct dicomnet_dimse_command found = dicomnet_dimse_response_to(&find, DICOMNET_STATUS_DATA_SET_MISMATCH);
    found.present |= DICOMNET_DIMSE_HAS_OFFENDING_ELEMENT | DICOMNET_DIMSE_HAS_ERROR_COMMENT;
    found.offending_count = 2;
    found.offending[0] = 0x00100020;
    found.offending[1] = 0x00080052;
    strcpy(found.error_comment, "no");
    assert_encodes(&found, GOLDEN(golden_find_rsp));

    struct dicomnet_dimse_command move =
        query_command(DICOMNET_DIMSE_C_MOVE_RQ, MOVE, REQUEST | DICOMNET_DIMSE_HAS_MOVE_DESTINATION);
    strcpy(move.move_destination, "WHERE");
    assert_encodes(&move, GOLDEN(golden_move_rq));

    struct dicomnet_dimse_command got = query_command(
        DICOMNET_DIMSE_C_GET_RSP, GET,
        DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED | DICOMNET_DIMSE_HAS_STATUS | DICOMNET_DIMSE_HAS_REMAINING |
            DICOMNET_DIMSE_HAS_COMPLETED | DICOMNET_DIMSE_HAS_FAILED | DICOMNET_DIMSE_HAS_WARNING);
    got.status = DICOMNET_STATUS_PENDING;
    got.remaining = 4;
    got.completed = 259;
    got.failed = 2;
    assert_encodes(&got, GOLDEN(golden_get_rsp));

    const struct dicomnet_dimse_command cancel = {.present = DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED,
                                                  .field = DICOMNET_DIMSE_C_CANCEL_RQ,
                                                  .data_set_type = DICOMNET_DIMSE_NO_DATA_SET,
                                                  .message_id_responded = 3};
    assert_encodes(&cancel, GOLDEN(golden_cancel_rq));
}

Test(dimse, offending_elements_have_a_limit)
{
    char bytes[12 + 10 + 8 + 4 * 20] = "\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00"
                                       "\x00\x00\x00\x01\x02\x00\x00\x00\x20\x80"
                                       "\x00\x00\x01\x09\x50\x00\x00\x00";
    struct dicomnet_dimse_command command;
    cr_assert_eq(dicomnet_dimse_decode_command((struct dicomnet_span){(uint8_t *)bytes, sizeof bytes}, &command), 0);
    cr_assert_eq(command.offending_count, DICOMNET_DIMSE_OFFENDING_MAX);
    bytes[26] = 7; /* one and three quarters */
    cr_assert_eq(dicomnet_dimse_decode_command((struct dicomnet_span){(uint8_t *)bytes, 12 + 10 + 8 + 7}, &command), 0);
    cr_assert_eq(command.offending_count, 1);
}

Test(dimse, decode_encode_gives_the_same_bytes)
{
    const struct dicomnet_span golden[] = {GOLDEN(golden_echo_rq),   GOLDEN(golden_echo_rsp), GOLDEN(golden_store_rq),
                                           GOLDEN(golden_store_rsp), GOLDEN(golden_find_rq),  GOLDEN(golden_find_rsp),
                                           GOLDEN(golden_move_rq),   GOLDEN(golden_get_rsp),  GOLDEN(golden_cancel_rq)};
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct dicomnet_dimse_command command;
        cr_assert_eq(dicomnet_dimse_decode_command(golden[i], &command), 0);
        assert_encodes(&command, golden[i]);
    }
}

Test(dimse, decodes_every_field)
{
    struct dicomnet_dimse_command command;
    cr_assert_eq(dicomnet_dimse_decode_command(GOLDEN(golden_store_rsp), &command), 0);
    cr_assert_eq(command.present, DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED |
                                      DICOMNET_DIMSE_HAS_STATUS | DICOMNET_DIMSE_HAS_ERROR_COMMENT |
                                      DICOMNET_DIMSE_HAS_ERROR_ID | DICOMNET_DIMSE_HAS_INSTANCE_UID);
    cr_assert_eq(command.field, DICOMNET_DIMSE_C_STORE_RSP);
    cr_assert(!dicomnet_dimse_has_data_set(&command));
    cr_assert_eq(command.message_id_responded, 0xFEFF);
    cr_assert_eq(command.status, 0xA700);
    cr_assert_eq(command.error_id, 5);
    cr_assert_str_eq(command.error_comment, "no space on disk");
    cr_assert_str_eq(command.class_uid, CT);
    cr_assert_str_eq(command.instance_uid, "1.2.3.4");
}

Test(dimse, every_element_makes_the_round_trip)
{
    struct dicomnet_dimse_command command = {.present = (DICOMNET_DIMSE_HAS_ORIGINATOR_ID << 1) - 1,
                                             .field = DICOMNET_DIMSE_C_MOVE_RSP,
                                             .data_set_type = 0xABCD,
                                             .message_id = 1,
                                             .message_id_responded = 2,
                                             .priority = DICOMNET_PRIORITY_LOW,
                                             .status = DICOMNET_STATUS_PENDING,
                                             .error_id = 3,
                                             .remaining = 4,
                                             .completed = 5,
                                             .failed = 6,
                                             .warning = 7,
                                             .originator_id = 8,
                                             .move_destination = "DEST",
                                             .originator_ae = "ODD"};
    memset(command.class_uid, '1', DICOMNET_UID_LEN_MAX);
    memset(command.instance_uid, '2', DICOMNET_UID_LEN_MAX);
    memset(command.error_comment, 'c', sizeof command.error_comment - 1);
    uint8_t bytes[DICOMNET_DIMSE_COMMAND_ENCODED_MAX];
    ssize_t len = dicomnet_dimse_encode_command(bytes, sizeof bytes, &command);
    cr_assert_gt(len, 0, "no command set of ours is longer than DICOMNET_DIMSE_COMMAND_ENCODED_MAX");
    struct dicomnet_dimse_command read;
    cr_assert_eq(dicomnet_dimse_decode_command((struct dicomnet_span){bytes, (size_t)len}, &read), 0);
    cr_assert_eq(memcmp(&read, &command, sizeof read), 0);
}

/* Within an element a prefix is malformed; between elements it lacks only the Command Field. */
Test(dimse, every_short_prefix_is_read_within_its_bounds)
{
    struct dicomnet_span golden = GOLDEN(golden_store_rq);
    static const size_t boundaries[] = {12, 46, 56, 66, 76, 86, 102, 126};
    for (size_t len = 0; len < golden.len; len++) {
        bool between = false;
        for (size_t i = 0; i < sizeof boundaries / sizeof boundaries[0]; i++)
            between = between || (len == boundaries[i] && len >= 56);
        struct dicomnet_dimse_command command;
        uint8_t *copy = exact_copy(golden.data, len);
        int error = dicomnet_dimse_decode_command((struct dicomnet_span){copy, len}, &command);
        cr_assert_eq(error, between ? 0 : DICOMNET_ERROR_DIMSE_MALFORMED, "%zu bytes give %d", len, error);
        free(copy);
    }
}

/* clang-format off */
#define FIELD "\x00\x00\x00\x01" "\x02\x00\x00\x00" "\x01\x80"
#define ROW_BYTES(bytes) (bytes), sizeof(bytes) - 1
static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    int answer;
} decode_rows[] = {
    {"nothing",                       ROW_BYTES(""), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"only a Command Field",          ROW_BYTES(FIELD), 0},
    {"no Command Field",              ROW_BYTES("\0\0\x10\x01\2\0\0\0\1\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"Command Field of 1 byte",       ROW_BYTES("\0\0\0\x01\1\0\0\0\1"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"Command Field of 0 bytes",      ROW_BYTES("\0\0\0\x01\0\0\0\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"status of 1 byte",              ROW_BYTES(FIELD "\0\0\0\x09\1\0\0\0\1"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"status of 4 bytes",             ROW_BYTES(FIELD "\0\0\0\x09\4\0\0\0\0\0\0\0"), 0},
    {"value past the end by 1",       ROW_BYTES(FIELD "\0\0\2\0\6\0\0\0" "1.2.3"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"undefined length",              ROW_BYTES(FIELD "\0\0\2\0\xFF\xFF\xFF\xFF" "1.2.3"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"half a header at the end",      ROW_BYTES(FIELD "\0\0\2\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"wrong group length",            ROW_BYTES("\0\0\0\0\4\0\0\0\xFF\xFF\xFF\xFF" FIELD), 0},
    {"group length of 0 bytes",       ROW_BYTES("\0\0\0\0\0\0\0\0" FIELD), 0},
    {"odd length",                    ROW_BYTES("\0\0\2\0\5\0\0\0" "1.2.3" FIELD), 0},
    {"unknown element",               ROW_BYTES("\0\0\x55\x55\3\0\0\0" "abc" FIELD), 0},
    {"another group",                 ROW_BYTES("\x08\0\0\x01\2\0\0\0\1\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"unsorted",                      ROW_BYTES("\0\0\0\x10\4\0\0\0" "1.2\0" FIELD "\0\0\2\0\4\0\0\0" "1.3\0"), 0},
    {"empty UID",                     ROW_BYTES(FIELD "\0\0\0\x10\0\0\0\0"), 0},
    {"status twice",                  ROW_BYTES(FIELD "\0\0\0\x09\2\0\0\0\0\xC0" "\0\0\0\x09\2\0\0\0\0\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"Command Field twice",           ROW_BYTES(FIELD FIELD), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"instance twice, the same",      ROW_BYTES(FIELD "\0\0\0\x10\4\0\0\0" "1.2\0" "\0\0\0\x10\4\0\0\0" "1.2\0"), DICOMNET_ERROR_DIMSE_MALFORMED},
    {"unknown element twice",         ROW_BYTES("\0\0\x55\x55\1\0\0\0" "a" "\0\0\x55\x55\1\0\0\0" "b" FIELD), 0},
};
/* clang-format on */

Test(dimse, command_sets_right_and_wrong)
{
    for (size_t i = 0; i < sizeof decode_rows / sizeof decode_rows[0]; i++) {
        struct dicomnet_dimse_command command;
        uint8_t *copy = exact_copy(decode_rows[i].bytes, decode_rows[i].len);
        int error = dicomnet_dimse_decode_command((struct dicomnet_span){copy, decode_rows[i].len}, &command);
        cr_expect_eq(error, decode_rows[i].answer, "%s: %d", decode_rows[i].name, error);
        if (error == 0) {
            cr_expect_eq(command.field, DICOMNET_DIMSE_C_STORE_RSP, "%s", decode_rows[i].name);
            cr_expect(!dicomnet_dimse_has_data_set(&command), "%s", decode_rows[i].name);
        }
        free(copy);
    }
}

Test(dimse, what_is_too_long_is_cut_and_padding_goes)
{
    uint8_t bytes[300];
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    bytes_put(&writer, FIELD, 10);
    bytes_put(&writer, "\0\0\2\0\x50\0\0\0", 8);
    memset(bytes_reserve(&writer, 0x50), '1', 0x50);
    bytes_put(&writer,
              "\0\0\x30\x10\x12\0\0\0"
              " 345678901234567X ",
              8 + 18);
    struct dicomnet_dimse_command command;
    cr_assert_eq(dicomnet_dimse_decode_command((struct dicomnet_span){bytes, writer.len}, &command), 0);
    cr_assert_eq(strlen(command.class_uid), DICOMNET_UID_LEN_MAX);
    cr_assert_str_eq(command.originator_ae, "345678901234567X");
    cr_assert_eq(command.cut, DICOMNET_DIMSE_HAS_CLASS_UID);
}

/* A NUL ends an Error Comment; a UID or a title with more behind one is another than that before it. */
Test(dimse, what_stands_behind_a_nul_is_not_lost_sight_of)
{
    static const char bytes[] = FIELD "\0\0\0\x10\x0A\0\0\0"
                                      "1.2.3\0.4 \0"
                                      "\0\0\x30\x10\6\0\0\0"
                                      "PAC\0S\0"
                                      "\0\0\2\x09\6\0\0\0"
                                      "ok\0\1\2\3"
                                      "\0\0\2\0\x08\0\0\0"
                                      "1.2 \0\0 \0";
    struct dicomnet_dimse_command command;
    cr_assert_eq(
        dicomnet_dimse_decode_command((struct dicomnet_span){(const uint8_t *)bytes, sizeof bytes - 1}, &command), 0);
    cr_expect_str_eq(command.instance_uid, "1.2.3?.4");
    cr_expect_str_eq(command.originator_ae, "PAC?S");
    cr_expect_str_eq(command.error_comment, "ok");
    cr_expect_str_eq(command.class_uid, "1.2");
}

Test(dimse, flipped_bytes_never_read_past_the_end)
{
    struct dicomnet_span golden = GOLDEN(golden_store_rq);
    for (size_t i = 0; i < golden.len; i++)
        for (int value = 0; value < 256; value++) {
            struct dicomnet_dimse_command command;
            uint8_t *copy = exact_copy(golden.data, golden.len);
            copy[i] = (uint8_t)value;
            int error = dicomnet_dimse_decode_command((struct dicomnet_span){copy, golden.len}, &command);
            cr_assert(error == 0 || error == DICOMNET_ERROR_DIMSE_MALFORMED);
            free(copy);
        }
}

Test(dimse, names)
{
    cr_assert_str_eq(dicomnet_dimse_field_name(DICOMNET_DIMSE_C_STORE_RQ), "C-STORE-RQ");
    cr_assert_str_eq(dicomnet_dimse_field_name(DICOMNET_DIMSE_C_ECHO_RSP), "C-ECHO-RSP");
    cr_assert_str_eq(dicomnet_dimse_field_name(DICOMNET_DIMSE_C_CANCEL_RQ), "C-CANCEL-RQ");
    cr_assert_str_eq(dicomnet_dimse_field_name(0x7777), "unknown");
}

/* ---- messages from fragments ---- */

static struct dicomnet_dimse_reader reader;

static int read_fragment(uint8_t context_id, bool is_command, bool is_last, const void *bytes, size_t len,
                         struct dicomnet_dimse_event *ret_event)
{
    uint8_t *copy = exact_copy(bytes, len);
    struct dicomnet_pdu_event fragment = {.type = DICOMNET_PDU_EVENT_FRAGMENT,
                                          .pdu_type = DICOMNET_PDU_DATA_TF,
                                          .body = {copy, len},
                                          .context_id = context_id,
                                          .command = is_command,
                                          .last = is_last};
    int error = dicomnet_dimse_read(&reader, &fragment, ret_event);
    if (error == 0 && ret_event->type == DICOMNET_DIMSE_EVENT_DATA)
        cr_assert(ret_event->data.data == copy && ret_event->data.len == len);
    free(copy);
    return error;
}

Test(dimse, a_message_is_a_command_and_its_data)
{
    struct dicomnet_dimse_event event;
    dicomnet_dimse_reader_init(&reader);
    for (int round = 0; round < 3; round++) {
        cr_assert_eq(read_fragment(5, true, true, golden_store_rq, LEN(golden_store_rq), &event), 0);
        cr_assert_eq(event.type, DICOMNET_DIMSE_EVENT_COMMAND);
        cr_assert_eq(event.context_id, 5);
        cr_assert_eq(event.command->field, DICOMNET_DIMSE_C_STORE_RQ);
        cr_assert(!event.last);
        cr_assert_eq(read_fragment(5, false, false, "ab", 2, &event), 0);
        cr_assert(event.type == DICOMNET_DIMSE_EVENT_DATA && !event.last);
        cr_assert_eq(read_fragment(5, false, true, "", 0, &event), 0);
        cr_assert(event.type == DICOMNET_DIMSE_EVENT_DATA && event.last);
        cr_assert_str_eq(event.command->instance_uid, "1.2.3.45");
        cr_assert_eq(read_fragment(7, true, true, golden_echo_rq, LEN(golden_echo_rq), &event), 0);
        cr_assert(event.type == DICOMNET_DIMSE_EVENT_COMMAND && event.last && event.context_id == 7);
        cr_assert_eq(event.command->message_id, 7);
    }
}

Test(dimse, a_command_cut_anywhere_is_the_same_command)
{
    struct dicomnet_dimse_command whole;
    struct dicomnet_dimse_event event;
    cr_assert_eq(dicomnet_dimse_decode_command(GOLDEN(golden_store_rsp), &whole), 0);
    size_t len = LEN(golden_store_rsp);
    for (size_t at = 0; at <= len; at++) {
        dicomnet_dimse_reader_init(&reader);
        cr_assert_eq(read_fragment(1, true, false, golden_store_rsp, at, &event), 0);
        cr_assert_eq(event.type, DICOMNET_DIMSE_EVENT_NONE);
        cr_assert_eq(read_fragment(1, true, true, golden_store_rsp + at, len - at, &event), 0);
        cr_assert_eq(event.type, DICOMNET_DIMSE_EVENT_COMMAND);
        cr_assert_eq(memcmp(event.command, &whole, sizeof whole), 0);
    }
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(read_fragment(1, true, i + 1 == len, golden_store_rsp + i, 1, &event), 0);
    cr_assert_eq(event.type, DICOMNET_DIMSE_EVENT_COMMAND);
    cr_assert_eq(memcmp(event.command, &whole, sizeof whole), 0);
}

Test(dimse, fragments_that_do_not_belong_are_refused)
{
    struct dicomnet_dimse_event event;
    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, false, true, "ab", 2, &event), DICOMNET_ERROR_DIMSE_UNEXPECTED,
                 "data without a command");

    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, true, golden_store_rq, LEN(golden_store_rq), &event), 0);
    cr_assert_eq(read_fragment(1, true, true, golden_echo_rq, LEN(golden_echo_rq), &event),
                 DICOMNET_ERROR_DIMSE_UNEXPECTED, "a command in place of data");

    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, true, golden_store_rq, LEN(golden_store_rq), &event), 0);
    cr_assert_eq(read_fragment(3, false, true, "ab", 2, &event), DICOMNET_ERROR_DIMSE_UNEXPECTED,
                 "data of another context");

    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, false, golden_store_rq, 10, &event), 0);
    cr_assert_eq(read_fragment(3, true, true, golden_store_rq + 10, LEN(golden_store_rq) - 10, &event),
                 DICOMNET_ERROR_DIMSE_UNEXPECTED, "a command of two contexts");

    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, false, golden_store_rq, 10, &event), 0);
    cr_assert_eq(read_fragment(1, false, true, "ab", 2, &event), DICOMNET_ERROR_DIMSE_UNEXPECTED,
                 "data inside a command");

    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, true, golden_echo_rq, LEN(golden_echo_rq), &event), 0);
    cr_assert_eq(read_fragment(1, false, true, "ab", 2, &event), DICOMNET_ERROR_DIMSE_UNEXPECTED,
                 "data nobody announced");
}

Test(dimse, a_command_set_has_a_longest_length)
{
    static uint8_t bytes[DICOMNET_DIMSE_COMMAND_LEN_MAX];
    struct dicomnet_dimse_event event;
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    bytes_put(&writer, FIELD, 10);
    bytes_put(&writer, "\0\0\x55\x55", 4);
    bytes_put_u32_le(&writer, DICOMNET_DIMSE_COMMAND_LEN_MAX - 18);
    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, false, bytes, sizeof bytes, &event), 0);
    cr_assert_eq(read_fragment(1, true, true, "", 0, &event), 0);
    cr_assert_eq(event.type, DICOMNET_DIMSE_EVENT_COMMAND);
    cr_assert_eq(read_fragment(1, true, false, bytes, sizeof bytes, &event), 0);
    cr_assert_eq(read_fragment(1, true, true, FIELD, 10, &event), DICOMNET_ERROR_DIMSE_MALFORMED,
                 "well-formed, but too long");
    dicomnet_dimse_reader_init(&reader);
    cr_assert_eq(read_fragment(1, true, true, "", 0, &event), DICOMNET_ERROR_DIMSE_MALFORMED, "an empty command set");
}
