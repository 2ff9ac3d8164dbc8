/*
 * Identifiers: to bytes, from bytes, and put together by hand.
 *
 * Golden bytes are written by hand from PS3.5 chapter 7: tag (group, element), VR and length in Explicit VR, length of
 * 4 bytes in Implicit VR, value; all little endian.
 */
#include <criterion/criterion.h>

#include "../support/exact.h"
#include "base/bytes.h"
#include "dicomnet/identifier.h"
#include "dicomnet/uid.h"

#define IMPLICIT DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define EXPLICIT DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN

#define LEN(array) (sizeof(array) - 1)
#define BYTES(array)                                                                                                   \
    {                                                                                                                  \
        (const uint8_t *)(array), LEN(array)                                                                           \
    } /* to initialize with */
#define GOLDEN(array) ((struct dicomnet_span)BYTES(array))

/* clang-format off */

static const char flat_explicit[] =
    "\x08\x00\x05\x00" "CS" "\x0A\x00" "ISO_IR 100"
    "\x08\x00\x16\x00" "UI" "\x04\x00" "1.2\0"              /* padded with NUL */
    "\x08\x00\x52\x00" "CS" "\x06\x00" "STUDY "             /* padded with a space */
    "\x10\x00\x10\x00" "PN" "\x0A\x00" "M\xFCLLER^JO*"
    "\x20\x00\x0D\x00" "UI" "\x00\x00"                      /* empty: to be returned */
    "\x28\x00\x10\x00" "US" "\x02\x00" "\x00\x02"           /* Rows: 512 */
    "\x28\x00\x01\x12" "OW" "\x00\x00" "\x02\x00\x00\x00" "\x01\x02";

static const char flat_implicit[] =
    "\x08\x00\x05\x00" "\x0A\x00\x00\x00" "ISO_IR 100"
    "\x08\x00\x16\x00" "\x04\x00\x00\x00" "1.2\0"
    "\x08\x00\x52\x00" "\x06\x00\x00\x00" "STUDY "
    "\x10\x00\x10\x00" "\x0A\x00\x00\x00" "M\xFCLLER^JO*"
    "\x20\x00\x0D\x00" "\x00\x00\x00\x00"
    "\x28\x00\x10\x00" "\x02\x00\x00\x00" "\x00\x02"
    "\x28\x00\x01\x12" "\x02\x00\x00\x00" "\x01\x02";

/* RequestAttributesSequence with two items, of which the first has an empty item in a sequence of its own. */
static const char nested_explicit[] =
    "\x08\x00\x52\x00" "CS" "\x06\x00" "IMAGE "
    "\x40\x00\x75\x02" "SQ" "\x00\x00" "\x2C\x00\x00\x00"   /* 8 + 28 + 8 = 44 bytes */
        "\xFE\xFF\x00\xE0" "\x1C\x00\x00\x00"               /* 12 + 8 + 8 = 28 bytes */
            "\x32\x00\x64\x10" "SQ" "\x00\x00" "\x08\x00\x00\x00"
                "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00"
            "\x40\x00\x09\x00" "SH" "\x00\x00"
        "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00";

static const char nested_implicit[] =
    "\x08\x00\x52\x00" "\x06\x00\x00\x00" "IMAGE "
    "\x40\x00\x75\x02" "\x28\x00\x00\x00"                   /* 8 + 24 + 8 = 40 bytes */
        "\xFE\xFF\x00\xE0" "\x18\x00\x00\x00"               /* 8 + 8 + 8 = 24 bytes */
            "\x32\x00\x64\x10" "\x08\x00\x00\x00"
                "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00"
            "\x40\x00\x09\x00" "\x00\x00\x00\x00"
        "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00";

/* The same with undefined lengths and delimiters (PS3.5 7.5.2), and with a group length (7.2). */
static const char nested_undefined[] =
    "\x08\x00\x00\x00" "UL" "\x04\x00" "\x0E\x00\x00\x00"
    "\x08\x00\x52\x00" "CS" "\x06\x00" "IMAGE "
    "\x40\x00\x75\x02" "SQ" "\x00\x00" "\xFF\xFF\xFF\xFF"
        "\xFE\xFF\x00\xE0" "\xFF\xFF\xFF\xFF"
            "\x32\x00\x64\x10" "SQ" "\x00\x00" "\xFF\xFF\xFF\xFF"
                "\xFE\xFF\x00\xE0" "\xFF\xFF\xFF\xFF"
                "\xFE\xFF\x0D\xE0" "\x00\x00\x00\x00"
            "\xFE\xFF\xDD\xE0" "\x00\x00\x00\x00"
            "\x40\x00\x09\x00" "SH" "\x00\x00"
        "\xFE\xFF\x0D\xE0" "\x00\x00\x00\x00"
        "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00"
    "\xFE\xFF\xDD\xE0" "\x00\x00\x00\x00";

/* A sender that did not know the sequence: UN, and Implicit VR inside (PS3.5 6.2.2). */
static const char nested_unknown[] =
    "\x08\x00\x52\x00" "UN" "\x00\x00" "\x06\x00\x00\x00" "IMAGE "
    "\x40\x00\x75\x02" "UN" "\x00\x00" "\xFF\xFF\xFF\xFF"
        "\xFE\xFF\x00\xE0" "\x18\x00\x00\x00"
            "\x32\x00\x64\x10" "\x08\x00\x00\x00"
                "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00"
            "\x40\x00\x09\x00" "\x00\x00\x00\x00"
        "\xFE\xFF\x00\xE0" "\x00\x00\x00\x00"
    "\xFE\xFF\xDD\xE0" "\x00\x00\x00\x00";
/* clang-format on */

static void assert_encodes(const struct dicomnet_identifier *identifier, const char *syntax_uid,
                           struct dicomnet_span golden)
{
    cr_assert_leq(golden.len, dicomnet_identifier_encoded_size(identifier));
    uint8_t *bytes = malloc(golden.len);
    ssize_t len = dicomnet_identifier_encode(identifier, syntax_uid, bytes, golden.len);
    cr_assert_eq(len, (ssize_t)golden.len, "%zd, not %zu bytes", len, golden.len);
    for (size_t i = 0; i < golden.len; i++)
        cr_assert_eq(bytes[i], golden.data[i], "byte %zu is %02x, not %02x", i, bytes[i], golden.data[i]);
    free(bytes);
    for (size_t size = 0; size < golden.len; size++) {
        uint8_t *small = malloc(size);
        cr_assert_eq(dicomnet_identifier_encode(identifier, syntax_uid, small, size), DICOMNET_ERROR_BUFFER_TOO_SMALL);
        free(small);
    }
}

static void set_flat(struct dicomnet_identifier *identifier)
{
    dicomnet_identifier_init(identifier);
    /* not in the order of tags */
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_STUDY_INSTANCE_UID, ""), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "STUDY"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, 0x00280010, "512"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, "ISO_IR 100"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_PATIENT_NAME, "to be replaced"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_PATIENT_NAME, "M\xFCLLER^JO*"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_SOP_CLASS_UID, "1.2"), 0);
    cr_assert_eq(dicomnet_identifier_set_bytes(identifier, 0x00281201, "OW", GOLDEN("\x01\x02")), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_MODALITY, "CT"), 0);
    dicomnet_identifier_remove(identifier, DICOMNET_TAG_MODALITY);
    dicomnet_identifier_remove(identifier, DICOMNET_TAG_PATIENT_ID);
}

static void set_nested(struct dicomnet_identifier *identifier)
{
    struct dicomnet_identifier item, empty;
    dicomnet_identifier_init(identifier);
    dicomnet_identifier_init(&item);
    dicomnet_identifier_init(&empty);
    cr_assert_eq(dicomnet_identifier_append_item(&item, 0x00321064, &empty), 0);
    cr_assert_eq(dicomnet_identifier_set_text(&item, 0x00400009, ""), 0);
    cr_assert_eq(dicomnet_identifier_append_item(identifier, 0x00400275, &item), 0);
    cr_assert_eq(dicomnet_identifier_append_item(identifier, 0x00400275, &empty), 0);
    cr_assert_eq(dicomnet_identifier_set_text(identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "IMAGE"), 0);
    dicomnet_identifier_fini(&item);
}

Test(identifier, encodes_as_the_standard_says)
{
    struct dicomnet_identifier identifier;
    set_flat(&identifier);
    assert_encodes(&identifier, EXPLICIT, GOLDEN(flat_explicit));
    assert_encodes(&identifier, IMPLICIT, GOLDEN(flat_implicit));
    cr_assert_eq(dicomnet_identifier_encode(&identifier, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, NULL, 0),
                 DICOMNET_ERROR_IDENTIFIER_SYNTAX);
    dicomnet_identifier_fini(&identifier);
    set_nested(&identifier);
    assert_encodes(&identifier, EXPLICIT, GOLDEN(nested_explicit));
    assert_encodes(&identifier, IMPLICIT, GOLDEN(nested_implicit));
    dicomnet_identifier_fini(&identifier);
}

static const struct {
    struct dicomnet_span bytes;
    const char *syntax_uid;
    bool is_nested;
} wires[] = {
    {BYTES(flat_explicit), EXPLICIT, false},   {BYTES(flat_implicit), IMPLICIT, false},
    {BYTES(nested_explicit), EXPLICIT, true},  {BYTES(nested_implicit), IMPLICIT, true},
    {BYTES(nested_undefined), EXPLICIT, true}, {BYTES(nested_unknown), EXPLICIT, true},
};
enum { WIRE_COUNT = sizeof wires / sizeof wires[0] };

Test(identifier, decodes_what_the_standard_allows)
{
    for (size_t i = 0; i < WIRE_COUNT; i++) {
        struct dicomnet_identifier identifier;
        dicomnet_identifier_init(&identifier);
        int error = dicomnet_identifier_decode(&identifier, wires[i].bytes, wires[i].syntax_uid);
        cr_assert_eq(error, 0, "%zu: %s", i, dicomnet_error_text(error));
        assert_encodes(&identifier, EXPLICIT, wires[i].is_nested ? GOLDEN(nested_explicit) : GOLDEN(flat_explicit));
        assert_encodes(&identifier, IMPLICIT, wires[i].is_nested ? GOLDEN(nested_implicit) : GOLDEN(flat_implicit));
        dicomnet_identifier_fini(&identifier);
    }
}

/* Cut anywhere, it is whole only between two elements of the top level. */
Test(identifier, every_short_prefix_is_refused_or_whole)
{
    for (size_t i = 0; i < WIRE_COUNT; i++) {
        unsigned whole = 0;
        for (size_t len = 0; len < wires[i].bytes.len; len++) {
            struct dicomnet_identifier identifier;
            uint8_t *bytes = exact_copy(wires[i].bytes.data, len);
            dicomnet_identifier_init(&identifier);
            int error =
                dicomnet_identifier_decode(&identifier, (struct dicomnet_span){bytes, len}, wires[i].syntax_uid);
            cr_assert(error == 0 ||
                      (error == DICOMNET_ERROR_IDENTIFIER_MALFORMED && dicomnet_identifier_is_empty(&identifier)));
            whole += error == 0;
            dicomnet_identifier_fini(&identifier);
            free(bytes);
        }
        unsigned boundaries = wires[i].is_nested ? 2 : 7; /* of no bytes, and after all elements but the last */
        boundaries += wires[i].bytes.data == (const uint8_t *)nested_undefined;
        cr_assert_eq(whole, boundaries, "%zu: %u", i, whole);
    }
}

Test(identifier, the_other_syntax_is_refused)
{
    struct dicomnet_identifier identifier;
    dicomnet_identifier_init(&identifier);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, GOLDEN(flat_implicit), EXPLICIT),
                 DICOMNET_ERROR_IDENTIFIER_MALFORMED);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, GOLDEN(flat_explicit), IMPLICIT),
                 DICOMNET_ERROR_IDENTIFIER_MALFORMED);
    cr_assert_eq(
        dicomnet_identifier_decode(&identifier, GOLDEN(flat_explicit), DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
        DICOMNET_ERROR_IDENTIFIER_SYNTAX);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, (struct dicomnet_span){0}, EXPLICIT), 0);
    cr_assert(dicomnet_identifier_is_empty(&identifier));
    dicomnet_identifier_fini(&identifier);
}

/* ---- what a hostile peer may send ---- */

/* `depth` sequences in each other, of undefined or of explicit length. */
static int decode_nested(unsigned depth, bool undefined)
{
    enum { LEVEL = 8 + 8, ENDS = 8 + 8 };
    size_t len = depth * (size_t)(undefined ? LEVEL + ENDS : LEVEL);
    uint8_t *bytes = malloc(len), *p = bytes;
    for (unsigned i = 0; i < depth; i++) {
        uint32_t left = undefined ? UINT32_MAX : (uint32_t)(len - (size_t)(p - bytes) - 8);
        memcpy(p, "\x40\x00\x75\x02", 4);
        set_u32_le(p + 4, left);
        memcpy(p + 8, "\xFE\xFF\x00\xE0", 4);
        set_u32_le(p + 12, undefined ? UINT32_MAX : left - 8);
        p += LEVEL;
    }
    for (unsigned i = 0; i < depth && undefined; i++, p += ENDS)
        memcpy(p, "\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0", ENDS);
    struct dicomnet_identifier identifier;
    dicomnet_identifier_init(&identifier);
    int error = dicomnet_identifier_decode(&identifier, (struct dicomnet_span){bytes, len}, IMPLICIT);
    if (error == 0) {
        uint8_t *again = malloc(dicomnet_identifier_encoded_size(&identifier));
        cr_assert_gt(
            dicomnet_identifier_encode(&identifier, EXPLICIT, again, dicomnet_identifier_encoded_size(&identifier)), 0);
        free(again);
    }
    dicomnet_identifier_fini(&identifier);
    free(bytes);
    return error;
}

Test(identifier, nesting_has_a_limit)
{
    for (int undefined = 0; undefined < 2; undefined++) {
        cr_assert_eq(decode_nested(DICOMNET_IDENTIFIER_DEPTH_MAX, undefined), 0);
        cr_assert_eq(decode_nested(DICOMNET_IDENTIFIER_DEPTH_MAX + 1, undefined), DICOMNET_ERROR_IDENTIFIER_TOO_DEEP);
        cr_assert_eq(decode_nested(10000, undefined), DICOMNET_ERROR_IDENTIFIER_TOO_DEEP);
    }
    struct dicomnet_identifier identifier, around;
    dicomnet_identifier_init(&identifier);
    dicomnet_identifier_init(&around);
    for (int i = 0; i < DICOMNET_IDENTIFIER_DEPTH_MAX; i++) {
        dicomnet_identifier_clear(&around);
        cr_assert_eq(dicomnet_identifier_append_item(&around, 0x00400275, &identifier), 0);
        cr_assert_eq(dicomnet_identifier_copy(&identifier, &around), 0);
    }
    dicomnet_identifier_clear(&around);
    cr_assert_eq(dicomnet_identifier_append_item(&around, 0x00400275, &identifier), DICOMNET_ERROR_IDENTIFIER_TOO_DEEP);
    dicomnet_identifier_fini(&identifier);
    dicomnet_identifier_fini(&around);
}

/* A length that is claimed costs nothing: only bytes that are there do. */
Test(identifier, lengths_that_do_not_fit)
{
    static const struct {
        struct dicomnet_span bytes;
        const char *syntax_uid;
    } bad[] = {
        {BYTES("\x10\x00\x10\x00\xFE\xFF\xFF\xFF"), IMPLICIT}, /* 4 GB of a name */
        {BYTES("\x10\x00\x10\x00\x02\x00\x00\x00"
               "D"),
         IMPLICIT},                                                      /* one byte missing */
        {BYTES("\x10\x00\x10\x00PN\xFF\xFF"), EXPLICIT},                 /* 64 KB of a name */
        {BYTES("\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF"), EXPLICIT}, /* fragments */
        {BYTES("\x10\x00\x10\x00pn\x00\x00"), EXPLICIT},                 /* no VR */
        {BYTES("\xFE\xFF\x00\xE0\x00\x00\x00\x00"), IMPLICIT},           /* an item without a sequence */
        {BYTES("\xFE\xFF\xDD\xE0\x00\x00\x00\x00"), IMPLICIT},           /* an end without a beginning */
        {BYTES("\x40\x00\x75\x02\x10\x00\x00\x00\xFE\xFF\x00\xE0\x10\x00\x00\x00"
               "\x40\x00\x09\x00\x00\x00\x00\x00\x40\x00\x0A\x00\x00\x00\x00\x00"),
         IMPLICIT},                                                                            /* longer than around */
        {BYTES("\x40\x00\x75\x02\x08\x00\x00\x00\xFE\xFF\xDD\xE0\x00\x00\x00\x00"), IMPLICIT}, /* an end not due */
        {BYTES("\x40\x00\x75\x02\x08\x00\x00\x00\x10\x00\x10\x00\x00\x00\x00\x00"), IMPLICIT}, /* no item */
        {BYTES("\x40\x00\x75\x02\xFF\xFF\xFF\xFF"), IMPLICIT},                                 /* no end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dicomnet_identifier identifier;
        uint8_t *bytes = exact_copy(bad[i].bytes.data, bad[i].bytes.len);
        dicomnet_identifier_init(&identifier);
        int error =
            dicomnet_identifier_decode(&identifier, (struct dicomnet_span){bytes, bad[i].bytes.len}, bad[i].syntax_uid);
        cr_assert_eq(error, DICOMNET_ERROR_IDENTIFIER_MALFORMED, "%zu: %d", i, error);
        cr_assert_leq(identifier.size, 256);
        dicomnet_identifier_fini(&identifier);
        free(bytes);
    }
}

Test(identifier, elements_out_of_order_are_put_in_their_place)
{
    static const char bytes[] = "\x10\x00\x20\x00\x02\x00\x00\x00"
                                "ID"
                                "\x08\x00\x60\x00\x02\x00\x00\x00"
                                "CT"
                                "\x10\x00\x10\x00\x02\x00\x00\x00"
                                "AB"
                                "\x10\x00\x20\x00\x02\x00\x00\x00"
                                "NO" /* the first counts */
                                "\x10\x00\x30\x00\x00\x00\x00\x00";
    static const uint32_t order[] = {DICOMNET_TAG_MODALITY, DICOMNET_TAG_PATIENT_NAME, DICOMNET_TAG_PATIENT_ID,
                                     DICOMNET_TAG_PATIENT_BIRTH_DATE};
    struct dicomnet_identifier identifier;
    char text[16];
    unsigned i = 0;
    dicomnet_identifier_init(&identifier);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, GOLDEN(bytes), IMPLICIT), 0);
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(&identifier, &element);)
        cr_assert_eq(element.tag, order[i++]);
    cr_assert_eq(i, 4);
    cr_assert(dicomnet_identifier_get_text(&identifier, DICOMNET_TAG_PATIENT_ID, text, sizeof text));
    cr_assert_str_eq(text, "ID");

    uint8_t *backwards = malloc(8 * (DICOMNET_IDENTIFIER_UNSORTED_MAX + 2));
    for (uint32_t k = 0; k < DICOMNET_IDENTIFIER_UNSORTED_MAX + 2; k++) {
        memcpy(backwards + 8 * k, "\x11\x00\x00\x00\x00\x00\x00\x00", 8);
        set_u16_le(backwards + 8 * k + 2, (uint16_t)(0x2000 - k));
    }
    struct dicomnet_span some = {backwards, 8 * (DICOMNET_IDENTIFIER_UNSORTED_MAX + 1)},
                         more = {backwards, some.len + 8};
    cr_assert_eq(dicomnet_identifier_decode(&identifier, some, IMPLICIT), 0);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, more, IMPLICIT), DICOMNET_ERROR_IDENTIFIER_MALFORMED);
    free(backwards);
    dicomnet_identifier_fini(&identifier);
}

Test(identifier, size_has_a_limit)
{
    size_t len = DICOMNET_IDENTIFIER_SIZE_MAX;
    uint8_t *bytes = calloc(1, len);
    struct dicomnet_identifier identifier;
    dicomnet_identifier_init(&identifier);
    memcpy(bytes, "\x10\x00\x10\x00", 4);
    set_u32_le(bytes + 4, (uint32_t)len - 8);
    cr_assert_eq(dicomnet_identifier_decode(&identifier, (struct dicomnet_span){bytes, len}, IMPLICIT),
                 DICOMNET_ERROR_IDENTIFIER_TOO_LONG);
    cr_assert(dicomnet_identifier_is_empty(&identifier));
    cr_assert_eq(
        dicomnet_identifier_set_bytes(&identifier, DICOMNET_TAG_PATIENT_NAME, "PN", (struct dicomnet_span){bytes, len}),
        DICOMNET_ERROR_IDENTIFIER_TOO_LONG);
    cr_assert_eq(dicomnet_identifier_set_bytes(&identifier, DICOMNET_TAG_PATIENT_NAME, "PN",
                                               (struct dicomnet_span){bytes, len - 12}),
                 0);
    cr_assert_eq(dicomnet_identifier_set_text(&identifier, DICOMNET_TAG_PATIENT_ID, ""),
                 DICOMNET_ERROR_IDENTIFIER_TOO_LONG);
    dicomnet_identifier_fini(&identifier);
    free(bytes);
}

/* Whatever comes is decoded or refused; what was decoded comes back the same in the other syntax. */
static void try_bytes(const uint8_t *bytes, size_t len, const char *syntax_uid, unsigned *good)
{
    struct dicomnet_identifier first, second;
    dicomnet_identifier_init(&first);
    dicomnet_identifier_init(&second);
    if (dicomnet_identifier_decode(&first, (struct dicomnet_span){bytes, len}, syntax_uid) == 0) {
        size_t size = dicomnet_identifier_encoded_size(&first);
        uint8_t *again = malloc(size);
        ssize_t again_len = dicomnet_identifier_encode(&first, EXPLICIT, again, size);
        cr_assert_geq(again_len, 0);
        cr_assert_eq(dicomnet_identifier_decode(&second, (struct dicomnet_span){again, (size_t)again_len}, EXPLICIT),
                     0);
        cr_assert_eq(first.len, second.len);
        char text[100];
        for (struct dicomnet_element element = {0}; dicomnet_identifier_next(&first, &element);)
            for (size_t i = 0; i <= dicomnet_element_value_count(&element) && i < 5; i++)
                dicomnet_element_get_text(&element, i, text, sizeof text);
        free(again);
        ++*good;
    }
    dicomnet_identifier_fini(&first);
    dicomnet_identifier_fini(&second);
}

Test(identifier, random_bytes)
{
    uint32_t state = 20260101;
    unsigned good = 0;
    for (int round = 0; round < 60000; round++) {
        struct dicomnet_span golden = wires[next_random(&state) % WIRE_COUNT].bytes;
        size_t len = round % 3 == 0 ? next_random(&state) % 64 : golden.len;
        uint8_t *bytes = malloc(len);
        if (round % 3 == 0) {
            for (size_t i = 0; i < len; i++)
                bytes[i] = (uint8_t)next_random(&state);
        } else {
            memcpy(bytes, golden.data, len);
            for (unsigned i = next_random(&state) % 4; i > 0; i--)
                bytes[next_random(&state) % len] =
                    (uint8_t)(next_random(&state) % 3 == 0 ? next_random(&state) : next_random(&state) % 20);
        }
        try_bytes(bytes, len, round % 2 == 0 ? IMPLICIT : EXPLICIT, &good);
        free(bytes);
    }
    cr_assert_gt(good, 1000, "only %u of them could be read at all", good);
}

/* ---- walking, items ---- */

Test(identifier, walks_into_sequences_or_past_them)
{
    struct dicomnet_identifier identifier, item;
    static const struct {
        uint32_t tag;
        unsigned depth;
    } expected[] = {{DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, 0},
                    {0x00400275, 0},
                    {DICOMNET_TAG_ITEM, 1},
                    {0x00321064, 1},
                    {DICOMNET_TAG_ITEM, 2},
                    {0x00400009, 1},
                    {DICOMNET_TAG_ITEM, 1}};
    unsigned i = 0;
    set_nested(&identifier);
    dicomnet_identifier_init(&item);
    for (struct dicomnet_element element = {0}; dicomnet_identifier_next(&identifier, &element); i++) {
        cr_assert_eq(element.tag, expected[i].tag);
        cr_assert_eq(element.depth, expected[i].depth);
        if (i == 2)
            cr_assert_eq(dicomnet_identifier_get_item(&identifier, &element, &item), 0);
    }
    cr_assert_eq(i, 7);
    i = 0;
    for (struct dicomnet_element element = {0}; dicomnet_identifier_skip(&identifier, &element);)
        i++;
    cr_assert_eq(i, 2);

    struct dicomnet_element inner = {0}, moved;
    cr_assert(dicomnet_identifier_next(&item, &inner));
    cr_assert_eq(inner.tag, 0x00321064);
    cr_assert_eq(inner.depth, 0);
    cr_assert_eq(dicomnet_identifier_set_element(&identifier, &item, &inner), 0);
    cr_assert(dicomnet_identifier_find(&identifier, 0x00321064, &moved));
    cr_assert(dicomnet_identifier_next(&identifier, &moved) && moved.tag == DICOMNET_TAG_ITEM && moved.depth == 1);
    cr_assert_eq(dicomnet_identifier_append_item(&identifier, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, &item),
                 DICOMNET_ERROR_IDENTIFIER_VALUE);
    dicomnet_identifier_fini(&identifier);
    dicomnet_identifier_fini(&item);
}

/* ---- values ---- */

Test(identifier, texts_of_every_kind_of_value)
{
    static const struct {
        const char *keyword;
        const char *text;
        size_t count;
        const char *last;
    } values[] = {
        {"Rows", "65535", 1, "65535"},
        {"PixelAspectRatio", "1\\2", 2, "2"},
        {"TagAngleSecondAxis", "-32768\\32767", 2, "32767"},                    /* SS */
        {"SimpleFrameList", "0\\4294967295", 2, "4294967295"},                  /* UL */
        {"ReferencePixelX0", "-2147483648", 1, "-2147483648"},                  /* SL */
        {"ExtendedOffsetTableLengths", "", 0, ""},                              /* OV: nothing but empty */
        {"SelectorUVValue", "18446744073709551615", 1, "18446744073709551615"}, /* UV */
        {"EventTimeOffset", "0.1\\-1.5e-300", 2, "-1.5e-300"},                  /* FD */
        {"ExaminedBodyThickness", "0.1\\3.25", 2, "3.25"},                      /* FL */
        {"FrameIncrementPointer", "00181063\\00181065", 2, "00181065"},         /* AT */
        {"ModalitiesInStudy", "CT\\MR\\PT", 3, "PT"},
        {"StudyComments", "a\\b", 1, "a\\b"}, /* LT: no separator */
        {"PatientName", "DOE^JOHN", 1, "DOE^JOHN"},
        {"RetrieveURL", "http://a/\\b", 1, "http://a/\\b"},
        {"StudyDate", "20260101-20261231", 1, "20260101-20261231"},
        {"StudyDate", "20260101-", 1, "20260101-"},
        {"StudyDate", "1996.01.31", 1, "1996.01.31"},
        {"StudyDate", "2026*", 1, "2026*"},
        {"StudyTime", "0800-120000.5", 1, "0800-120000.5"},
        {"AcquisitionDateTime", "20260101120000.000000+0100", 1, "20260101120000.000000+0100"},
        {"AccessionNumber", "*1234567890123456789*", 1, "*1234567890123456789*"},
        {"Modality", "ct", 1, "ct"},
        {"InstanceNumber", "-12", 1, "-12"},
        {"PatientWeight", "1.5e+2", 1, "1.5e+2"},
        {"StudyInstanceUID", "*", 1, "*"},
        {"StudyInstanceUID", "1.2\\1.3", 2, "1.3"},
        {"InstitutionAddress", "a street\r\na town", 1, "a street\r\na town"}, /* ST: a paragraph */
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct dicomnet_identifier identifier;
        struct dicomnet_element element;
        char text[100];
        uint32_t tag = 0;
        dicomnet_identifier_init(&identifier);
        cr_assert(dicomnet_dictionary_parse_tag(values[i].keyword, &tag), "%s", values[i].keyword);
        int error = dicomnet_identifier_set_text(&identifier, tag, values[i].text);
        cr_assert_eq(error, 0, "%s: %s", values[i].keyword, dicomnet_error_text(error));
        cr_assert_eq(dicomnet_identifier_get_text(&identifier, tag, text, sizeof text), values[i].text[0] != '\0');
        cr_assert_str_eq(text, values[i].text);
        cr_assert(dicomnet_identifier_find(&identifier, tag, &element));
        cr_assert_eq(element.value.len % 2, 0);
        cr_assert_eq(dicomnet_element_value_count(&element), values[i].count, "%s", values[i].keyword);
        cr_assert_eq(dicomnet_element_get_text(&element, values[i].count, text, sizeof text), false);
        if (values[i].count > 0)
            cr_assert(dicomnet_element_get_text(&element, values[i].count - 1, text, sizeof text));
        cr_assert_str_eq(text, values[i].last);
        dicomnet_identifier_fini(&identifier);
    }
}

Test(identifier, texts_that_are_no_value)
{
    static const struct {
        const char *keyword;
        const char *text;
    } bad[] = {{"Rows", "65536"},
               {"Rows", "-1"},
               {"Rows", "1x"},
               {"Rows", "1\\"},
               {"Rows", " 1"},
               {"EventTimeOffset", "x"},
               {"PixelData", "abc"},
               {"RequestAttributesSequence", "x"},
               {"FrameIncrementPointer", "001810"},
               {"StudyDate", "yesterday"},
               {"StudyDate", "2026"},
               {"StudyDate", "-"},
               {"StudyDate", "20260101-2026"},
               {"StudyDate", "20260101-20260102-20260103"},
               {"StudyTime", "noon"},
               {"AcquisitionDateTime", "2026-01-01T00:00"},
               {"AccessionNumber", "12345678901234567"},
               {"PatientID", "12345678901234567890123456789012345678901234567890123456789012345"},
               {"Modality", "A CODE STRING THAT IS TOO LONG"},
               {"ModalitiesInStudy", "CT\\A CODE STRING THAT IS TOO LONG"},
               {"InstanceNumber", "one"},
               {"InstanceNumber", "-"},
               {"InstanceNumber", "1234567890123"},
               {"PatientWeight", "80 kg"},
               {"PatientAge", "30X"},
               {"StudyInstanceUID", "1.2.840.x"},
               {"StudyInstanceUID", "1.2.3456789012345678901234567890123456789012345678901234567890123"},
               {"PatientName", "DOE\tJOHN"},
               {"PatientName", "DOE\nJOHN"}};
    struct dicomnet_identifier identifier;
    dicomnet_identifier_init(&identifier);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t tag = 0;
        cr_assert(dicomnet_dictionary_parse_tag(bad[i].keyword, &tag));
        cr_assert_eq(dicomnet_identifier_set_text(&identifier, tag, bad[i].text), DICOMNET_ERROR_IDENTIFIER_VALUE, "%s",
                     bad[i].text);
    }
    cr_assert(dicomnet_identifier_is_empty(&identifier));
    dicomnet_identifier_fini(&identifier);
}

Test(identifier, padding_is_no_part_of_a_value)
{
    struct dicomnet_identifier identifier;
    struct dicomnet_element element;
    struct dicomnet_span value;
    char text[8];
    dicomnet_identifier_init(&identifier);
    cr_assert_eq(dicomnet_identifier_set_text(&identifier, DICOMNET_TAG_MODALITIES_IN_STUDY, " CT \\ MR"), 0);
    cr_assert(dicomnet_identifier_find(&identifier, DICOMNET_TAG_MODALITIES_IN_STUDY, &element));
    cr_assert(dicomnet_element_get_value(&element, 0, &value) && dicomnet_span_equals(value, "CT"));
    cr_assert(dicomnet_element_get_value(&element, 1, &value) && dicomnet_span_equals(value, "MR"));
    cr_assert(!dicomnet_element_get_value(&element, 2, &value));
    cr_assert_eq(dicomnet_identifier_set_text(&identifier, DICOMNET_TAG_PATIENT_NAME, "a long name that does not fit"),
                 0);
    cr_assert(dicomnet_identifier_get_text(&identifier, DICOMNET_TAG_PATIENT_NAME, text, sizeof text));
    cr_assert_str_eq(text, "a long ");
    cr_assert(!dicomnet_identifier_get_text(&identifier, DICOMNET_TAG_PATIENT_ID, text, sizeof text));
    cr_assert_str_eq(text, "");
    dicomnet_identifier_fini(&identifier);
}

/* PS3.5 6.2.2: what the two length bytes of a UI cannot say goes out as UN, and comes back as UI. */
Test(identifier, a_long_list_of_uids)
{
    size_t len = 70000;
    char *list = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        list[i] = "1.2.3.456\\"[i % 10];
    list[len] = '\0';
    list[len - 1] = '7';
    struct dicomnet_identifier identifier, again;
    struct dicomnet_element element;
    dicomnet_identifier_init(&identifier);
    dicomnet_identifier_init(&again);
    cr_assert_eq(dicomnet_identifier_set_text(&identifier, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, list), 0);
    size_t size = dicomnet_identifier_encoded_size(&identifier);
    uint8_t *bytes = malloc(size);
    ssize_t bytes_len = dicomnet_identifier_encode(&identifier, EXPLICIT, bytes, size);
    cr_assert_eq(bytes_len, 12 + (ssize_t)len);
    cr_assert_arr_eq(bytes + 4, "UN\0\0", 4);
    cr_assert_eq(dicomnet_identifier_decode(&again, (struct dicomnet_span){bytes, (size_t)bytes_len}, EXPLICIT), 0);
    cr_assert(dicomnet_identifier_find(&again, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, &element));
    cr_assert_str_eq(element.vr, "UI");
    cr_assert_eq(dicomnet_element_value_count(&element), 7000);
    free(bytes);
    free(list);
    dicomnet_identifier_fini(&identifier);
    dicomnet_identifier_fini(&again);
}
