/* A data set in one transfer syntax, read in another: each rule of the conversion, with elements made by hand. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "golden.h"
#include "wire/recode.h"

#define UNDEFINED 0xFFFFFFFF
#define LITTLE    DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN
#define IMPLICIT  DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define BIG       DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN
#define JPEG      "1.2.840.10008.1.2.4.70"

enum { ITEM = 0xE000, ITEM_END = 0xE00D, SEQUENCE_END = 0xE0DD };

/* What goes in, and what is to come out. */
static struct golden in, out;
static struct recode_options options;
static char failure[256];

/* Both empty, each in its form. */
static void begin(const char *from, const char *to)
{
    in.writer = bytes_writer_over(in.bytes, sizeof in.bytes);
    out.writer = bytes_writer_over(out.bytes, sizeof out.bytes);
    options = (struct recode_options){.from = syntax_find(from), .to = syntax_find(to)};
    in.form = options.from.form;
    out.form = options.to.form;
}

/* The same value in both. */
static void put_both(uint32_t tag, const char *vr, const void *value, uint32_t len)
{
    golden_put(&in, tag, vr, value, len);
    golden_put(&out, tag, vr, value, len);
}

/* Of undefined length. */
static void put_both_headers(uint32_t tag, const char *vr)
{
    golden_put_header(&in, tag, vr, UNDEFINED);
    golden_put_header(&out, tag, vr, UNDEFINED);
}

static void put_both_items(uint16_t element, uint32_t len)
{
    golden_put_item(&in, element, len);
    golden_put_item(&out, element, len);
}

/* Convert `in`, reading with gaps of `step` bytes. Returns what recode_open or reading says; *ret_bytes is freed by the
 * caller. */
static int convert(size_t step, uint8_t **ret_bytes, size_t *ret_len)
{
    struct dicomnet_memory_source source;
    struct recode *recode;
    dicomnet_memory_source_init(&source, in.bytes, in.writer.len);
    options.input = &source.source;
    cr_assert_not(in.writer.overflow || out.writer.overflow);
    int error = recode_open(&recode, &options);
    snprintf(failure, sizeof failure, "%s", recode_failure_text(recode));
    *ret_bytes = NULL;
    *ret_len = 0;
    if (error == 0) {
        struct dicomnet_data_source *data = recode_source(recode);
        *ret_bytes = malloc(data->len + 1);
        *ret_len = data->len;
        for (uint64_t offset = 0; offset < data->len;) {
            struct iovec gaps[3];
            size_t at = offset;
            for (size_t i = 0; i < 3; i++) {
                size_t wanted = i == 1 ? 0 : step + i;
                gaps[i].iov_base = *ret_bytes + at;
                gaps[i].iov_len = wanted < data->len - at ? wanted : data->len - at;
                at += gaps[i].iov_len;
            }
            ssize_t got = data->read(data, offset, gaps, 3);
            if (got < 0) {
                error = (int)got;
                break;
            }
            cr_assert_eq((uint64_t)got, at - offset, "%zd", got);
            offset = at;
        }
    }
    recode_close(recode);
    return error;
}

/* `in` becomes `out`, however it is read. */
static void expect_out(void)
{
    static const size_t steps[] = {1, 7, 4096, 1000000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        uint8_t *bytes;
        size_t len;
        cr_assert_eq(convert(steps[i], &bytes, &len), 0, "%s", failure);
        cr_assert_eq(len, out.writer.len, "%zu bytes, and not %zu", len, out.writer.len);
        for (size_t k = 0; k < len; k++)
            cr_assert_eq(bytes[k], out.bytes[k], "byte %zu: %02x, and not %02x", k, bytes[k], out.bytes[k]);
        free(bytes);
    }
}

/* `in` cannot be converted, and the text says this. */
static void expect_failure(const char *text)
{
    uint8_t *bytes;
    size_t len;
    cr_expect_eq(convert(100, &bytes, &len), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_not_null(strstr(failure, text), "\"%s\" does not say \"%s\"", failure, text);
    free(bytes);
}

/* Turn `out` round: what it was is `in` now. */
static void expect_way_back(const char *from, const char *to)
{
    static struct golden kept;
    kept = in;
    in = out;
    out = kept;
    options.from = syntax_find(from);
    options.to = syntax_find(to);
    expect_out();
}

Test(recode, headers_to_the_byte)
{
    begin(IMPLICIT, LITTLE);
    bytes_put(&in.writer,
              "\x08\0\x16\0\x02\0\0\0"
              "1.\xe0\x7f\x10\0\x04\0\0\0"
              "abcd",
              22);
    bytes_put(&out.writer,
              "\x08\0\x16\0UI\x02\0"
              "1.\xe0\x7f\x10\0OW\0\0\x04\0\0\0"
              "abcd",
              26);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
    begin(IMPLICIT, BIG);
    bytes_put(&in.writer,
              "\x08\0\x16\0\x02\0\0\0"
              "1.\xe0\x7f\x10\0\x04\0\0\0"
              "abcd",
              22);
    bytes_put(&out.writer,
              "\0\x08\0\x16UI\0\x02"
              "1.\x7f\xe0\0\x10OW\0\0\0\0\0\x04"
              "badc",
              26);
    expect_out();
    expect_way_back(BIG, IMPLICIT);
}

Test(recode, each_element_gets_its_vr)
{
    static const struct {
        uint32_t tag;
        const char *vr;
    } rows[] = {{0x00080005, "CS"},
                {0x00080016, "UI"},
                {0x00081FFE, "UN"} /* unknown */,
                {0x00090001, "UN"},
                {0x00090010, "LO"} /* private creators */,
                {0x000900FF, "LO"},
                {0x00090100, "UN"},
                {0x00091001, "UN"},
                {0x00100010, "PN"},
                {0x00203142, "CS"},
                {0x00280009, "AT"},
                {0x00280430, "US"},
                {0x00281201, "OW"},
                {0x00283006, "OW"},
                {0x50000005, "US"},
                {0x501E3000, "OW"},
                {0x50010005, "UN"},
                {0x54001010, "OW"},
                {0x60000010, "US"},
                {0x60003000, "OW"},
                {0x601E0050, "SS"},
                {0x601E4000, "LT"},
                {0x7FE00008, "OF"},
                {0x7FE00009, "OD"},
                {0x7FE00010, "OW"},
                {0xFFFCFFFC, "OB"}};
    begin(IMPLICIT, LITTLE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put_both(rows[i].tag, rows[i].vr, "\0\0\0\0\0\0\0\0", 8);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
}

/* (0018,9810), (0028,0106) and the like: US or SS, as Pixel Representation of the item or of what it is in says. */
Test(recode, signed_as_pixel_representation_says)
{
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        const char *vr = is_signed ? "SS" : "US", *other = is_signed ? "US" : "SS";
        const char *value = is_signed ? "\1\0" : "\0\0", *other_value = is_signed ? "\0\0" : "\1\0";
        begin(IMPLICIT, LITTLE);
        put_both(0x00189810, vr, "ab", 2); /* it comes before Pixel Representation */
        put_both(0x00280103, "US", value, 2);
        put_both(0x00280106, vr, "ab", 2);
        put_both_headers(0x00283000, "SQ");
        put_both_items(ITEM, UNDEFINED);
        put_both(0x00283002, vr, "abcdef", 6);
        put_both(0x00283006, "OW", "ab", 2);
        put_both_items(ITEM_END, 0);
        put_both_items(SEQUENCE_END, 0);
        put_both_headers(0x00880200, "SQ");
        put_both_items(ITEM, UNDEFINED);
        put_both(0x00280103, "US", other_value, 2); /* an icon has its own */
        put_both(0x00280106, other, "ab", 2);
        put_both_items(ITEM_END, 0);
        put_both_items(SEQUENCE_END, 0);
        expect_out();
    }
}

Test(recode, waveforms_of_bytes_and_of_words)
{
    for (uint8_t bits = 8; bits <= 16; bits += 8) {
        begin(IMPLICIT, BIG);
        put_both_headers(0x54000100, "SQ");
        put_both_items(ITEM, UNDEFINED);
        golden_put(&in, 0x54001004, "US", (uint8_t[]){bits, 0}, 2);
        golden_put(&out, 0x54001004, "US", (uint8_t[]){0, bits}, 2);
        golden_put(&in, 0x54001010, "OW", "abcd", 4);
        golden_put(&out, 0x54001010, bits == 8 ? "OB" : "OW", bits == 8 ? "abcd" : "badc", 4);
        put_both_items(ITEM_END, 0);
        put_both_items(SEQUENCE_END, 0);
        expect_out();
        expect_way_back(BIG, IMPLICIT);
    }
}

Test(recode, words_are_turned_round_by_vr)
{
    static const struct {
        char vr[3];
        const char *value;
    } rows[] = {{"US", "badcfehg"}, {"SS", "badcfehg"}, {"AT", "badcfehg"}, {"OW", "badcfehg"}, {"UL", "dcbahgfe"},
                {"SL", "dcbahgfe"}, {"FL", "dcbahgfe"}, {"OL", "dcbahgfe"}, {"OF", "dcbahgfe"}, {"FD", "hgfedcba"},
                {"OD", "hgfedcba"}, {"SV", "hgfedcba"}, {"UV", "hgfedcba"}, {"OV", "hgfedcba"}, {"OB", "abcdefgh"},
                {"UN", "abcdefgh"}, {"UT", "abcdefgh"}, {"LO", "abcdefgh"}, {"UI", "abcdefgh"}, {"UR", "abcdefgh"}};
    begin(LITTLE, BIG);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        golden_put(&in, 0x00110100 + (uint32_t)i, rows[i].vr, "abcdefgh", 8);
        golden_put(&out, 0x00110100 + (uint32_t)i, rows[i].vr, rows[i].value, 8);
    }
    expect_out();
    expect_way_back(BIG, LITTLE);
}

/* Values that are larger than any buffer, and do not end with a word. */
Test(recode, long_values)
{
    enum { LEN = 200002 };
    static uint8_t value[LEN], turned[LEN];
    for (size_t i = 0; i < LEN; i++)
        value[i] = (uint8_t)(i * 31 + i / 256);
    for (size_t i = 0; i < LEN; i++)
        turned[i] = value[i < LEN / 4 * 4 ? (i & ~(size_t)3) + 3 - i % 4 : i];
    begin(LITTLE, BIG);
    golden_put(&in, 0x00090110, "OF", value, LEN);
    golden_put(&out, 0x00090110, "OF", turned, LEN);
    put_both(0x7FE00010, "OB", value, LEN);
    expect_out();
    expect_way_back(BIG, LITTLE);
    begin(IMPLICIT, LITTLE);
    put_both(0x7FE00010, "OW", value, LEN);
    expect_out();
}

/* PS3.5 6.2.2: a value that is too long for the length of its VR. */
Test(recode, long_values_of_short_vrs_become_unknown)
{
    static uint8_t value[65538];
    for (uint32_t len = 65532; len <= 65538; len += 2) {
        memset(value, 'x', sizeof value);
        begin(IMPLICIT, LITTLE);
        put_both(0x00204000, len > 65534 ? "UN" : "LT", value, len);
        put_both(0x00204001, "UN", "ab", 2);
        expect_out();
        expect_way_back(LITTLE, IMPLICIT);
        begin(IMPLICIT, BIG); /* words of VR UN stay in little endian (6.2.2) */
        value[0] = 'a';
        golden_put(&in, 0x00280120, "US", value, len);
        if (len > 65534)
            golden_put(&out, 0x00280120, "UN", value, len);
        else
            golden_put(&out, 0x00280120, "US", memcpy(value, "xa", 2), len);
        expect_out();
    }
}

/* Lengths of sequences and items are those of what they hold; what had none has none. */
Test(recode, sequences_keep_their_form)
{
    begin(IMPLICIT, LITTLE);
    golden_put_header(&in, 0x00081140, "SQ", 8 + 10 + 8 + 0 + 8 + 28 + 8);
    golden_put_header(&out, 0x00081140, "SQ", 8 + 10 + 8 + 0 + 8 + 32 + 8);
    put_both_items(ITEM, 10);
    put_both(0x00081150, "UI", "1.", 2);
    put_both_items(ITEM, 0);
    golden_put_item(&in, ITEM, UNDEFINED);
    golden_put_item(&out, ITEM, UNDEFINED);
    golden_put_header(&in, 0x00081199, "SQ", 8 + 12);
    golden_put_header(&out, 0x00081199, "SQ", 8 + 12);
    put_both_items(ITEM, 12);
    put_both(0x00081155, "UI", "1.2\0", 4);
    put_both_items(ITEM_END, 0);
    put_both(0x00082112, "SQ", "", 0);
    put_both_headers(0x00083001, "SQ");
    put_both_items(SEQUENCE_END, 0);
    put_both_headers(0x00091002, "SQ"); /* private; nothing else has an undefined length in implicit VR */
    golden_put_item(&in, ITEM, 12);
    golden_put_item(&out, ITEM, 16);
    put_both(0x00091003, "UN", "abcd", 4);
    put_both_items(ITEM, UNDEFINED);
    put_both(0x00091003, "UN", "abcd", 4);
    put_both_items(ITEM_END, 0);
    put_both_items(SEQUENCE_END, 0);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
}

/* A value that is no sequence, although its tag is one of a sequence: its bytes are left alone. */
Test(recode, what_holds_no_items_is_no_sequence)
{
    begin(IMPLICIT, LITTLE);
    put_both(0x00081140, "UN", "no items", 8);
    put_both(0x00081199, "UN", "abc", 3);
    put_both(0x00082112, "UN", "\xfe\xff\0\xe0\x02\0\0\0a", 9);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
}

Test(recode, group_lengths_are_those_of_the_output)
{
    begin(IMPLICIT, LITTLE);
    golden_put(&in, 0x00080000, "UL", "\x0a\0\0\0", 4);
    golden_put(&out, 0x00080000, "UL", "\x0a\0\0\0", 4);
    put_both(0x00080016, "UI", "1.", 2);
    golden_put(&in, 0x00090000, "UL", "\x16\0\0\0", 4);
    golden_put(&out, 0x00090000, "UL", "\x1a\0\0\0", 4);
    put_both(0x00090010, "LO", "ab", 2);
    put_both(0x00091001, "UN", "abcd", 4);
    put_both_headers(0x00283000, "SQ");
    put_both_items(ITEM, UNDEFINED);
    golden_put(&in, 0x00280000, "UL", "\x0a\0\0\0", 4);
    golden_put(&out, 0x00280000, "UL", "\x0e\0\0\0", 4);
    put_both(0x00283006, "OW", "ab", 2);
    put_both_items(ITEM_END, 0);
    put_both_items(SEQUENCE_END, 0);
    golden_put(&in, 0x7FE00000, "UL", "\x0c\0\0\0", 4);
    golden_put(&out, 0x7FE00000, "UL", "\x10\0\0\0", 4);
    put_both(0x7FE00010, "OW", "abcd", 4);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
}

/* What is in a value of VR UN is in Implicit VR Little Endian, whatever it is in (PS3.5 6.2.2). */
Test(recode, unknown_values_stay_implicit)
{
    begin(LITTLE, BIG);
    put_both(0x00091001, "UN", "\xfe\xff\0\xe0\x02\0\0\0ab", 10);
    put_both_headers(0x00091002, "UN");
    in.form = out.form = SYNTAX_IMPLICIT_LE;
    put_both_items(ITEM, 10);
    put_both(0x00280010, "US", "ab", 2);
    put_both_items(ITEM, UNDEFINED);
    put_both_headers(0x00283000, "SQ");
    put_both_items(ITEM, 0);
    put_both_items(SEQUENCE_END, 0);
    put_both_items(ITEM_END, 0);
    put_both_items(SEQUENCE_END, 0);
    in.form = SYNTAX_EXPLICIT_LE;
    out.form = SYNTAX_EXPLICIT_BE;
    golden_put(&in, 0x00280010, "US", "ab", 2);
    golden_put(&out, 0x00280010, "US", "ba", 2);
    expect_out();
    expect_way_back(BIG, LITTLE);
}

/* Items in explicit VR against that rule: they come right. */
Test(recode, explicit_items_in_unknown_values)
{
    begin(LITTLE, IMPLICIT);
    put_both_headers(0x00091002, "UN");
    golden_put_item(&in, ITEM, 14);
    golden_put_item(&out, ITEM, 10);
    put_both(0x00283006, "OW", "ab", 2);
    put_both_items(SEQUENCE_END, 0);
    expect_out();
}

/* Behind the last length that is kept, what had a length gets a delimiter. */
Test(recode, more_lengths_than_are_kept)
{
    enum { ITEMS = 70000, KEPT = 65536 - 1 };
    static struct golden many;
    uint8_t *bytes, *data = malloc(ITEMS * 8 + 64);
    size_t len;
    many.writer = bytes_writer_over(data, ITEMS * 8 + 64);
    many.form = SYNTAX_IMPLICIT_LE;
    golden_put_header(&many, 0x00081140, "SQ", ITEMS * 8);
    for (size_t i = 0; i < ITEMS; i++)
        golden_put_item(&many, ITEM, 0);
    struct dicomnet_memory_source source;
    struct recode *recode;
    dicomnet_memory_source_init(&source, data, many.writer.len);
    options =
        (struct recode_options){.input = &source.source, .from = syntax_find(IMPLICIT), .to = syntax_find(LITTLE)};
    cr_assert_eq(recode_open(&recode, &options), 0, "%s", recode_failure_text(recode));
    struct dicomnet_data_source *converted = recode_source(recode);
    len = 12 + (size_t)KEPT * 8 + (size_t)(ITEMS - KEPT) * 16;
    cr_assert_eq(converted->len, len);
    bytes = malloc(len);
    const struct iovec gap = {.iov_base = bytes, .iov_len = len};
    cr_assert_eq(converted->read(converted, 0, &gap, 1), (ssize_t)len);
    cr_expect_eq(get_u32_le(bytes + 8), len - 12);
    cr_expect_arr_eq(bytes + 12 + ((size_t)KEPT - 1) * 8, "\xfe\xff\0\xe0\0\0\0\0", 8);
    cr_expect_arr_eq(bytes + 12 + (size_t)KEPT * 8, "\xfe\xff\0\xe0\xff\xff\xff\xff\xfe\xff\x0d\xe0\0\0\0\0", 16);
    cr_assert_eq(converted->read(converted, 0, &gap, 1), (ssize_t)len); /* and once more, from the beginning */
    recode_close(recode);
    free(bytes);
    free(data);
}

/* PS3.5 A.4 to A.2: the decoded pixels, and what is said of them. */
Test(recode, decoded_pixels)
{
    static const struct recode_patch patches[] = {
        {.group = 0x0028, .element = 0x0004, .vr = "CS", .len = 4, .value = "RGB "},
        {.group = 0x0028, .element = 0x0006, .vr = "US", .len = 2, .value = "\1\0"},
        {.group = 0x0028, .element = 0x0100, .drop = true},
        {.group = 0x0028, .element = 0x3000, .drop = true},
        {.group = 0x7FE0, .element = 0x0001, .drop = true},
        {.group = 0x7FE0, .element = 0x0002, .drop = true},
        {.group = 0x7FFF, .element = 0x0010, .vr = "LO", .len = 2, .value = "ab"}};
    static const char *const targets[] = {LITTLE, BIG, IMPLICIT};
    for (size_t i = 0; i < 3; i++) {
        begin(JPEG, targets[i]);
        bool is_big = i == 1;
        struct dicomnet_memory_source pixels;
        dicomnet_memory_source_init(&pixels, (const uint8_t *)"abcdef", 6);
        golden_put(&in, 0x00280004, "CS", "YBR_FULL", 8);
        golden_put(&out, 0x00280004, "CS", "RGB ", 4);
        golden_put(&out, 0x00280006, "US", is_big ? "\0\1" : "\1\0", 2);
        golden_put(&in, 0x00280010, "US", "ab", 2);
        golden_put(&out, 0x00280010, "US", is_big ? "ba" : "ab", 2);
        golden_put(&in, 0x00280100, "US", "ab", 2);
        golden_put_header(&in, 0x00283000, "SQ", UNDEFINED); /* goes, with all that it holds */
        golden_put_item(&in, ITEM, UNDEFINED);
        golden_put(&in, 0x00283006, "OW", "ab", 2);
        golden_put_item(&in, ITEM_END, 0);
        golden_put_item(&in, SEQUENCE_END, 0);
        golden_put(&in, 0x7FE00001, "OV", "12345678", 8);
        golden_put_header(&in, 0x7FE00010, "OB", UNDEFINED);
        golden_put_item(&in, ITEM, 0);
        golden_put_item(&in, ITEM, 4);
        bytes_put(&in.writer, "jpeg", 4);
        golden_put_item(&in, SEQUENCE_END, 0);
        golden_put(&out, 0x7FE00010, "OW", is_big ? "badcfe" : "abcdef", 6);
        golden_put(&out, 0x7FFF0010, "LO", "ab", 2);
        put_both(0xFFFCFFFC, "OB", "\0\0", 2);
        options.patches = patches;
        options.patch_count = sizeof patches / sizeof patches[0];
        options.pixels = &pixels.source;
        memcpy(options.pixels_vr, "OW", 2);
        expect_out();
        options.pixels = NULL;
        expect_failure("(7FE0,0010) at byte");
    }
}

Test(recode, what_cannot_be_converted)
{
    begin(LITTLE, IMPLICIT);
    put_both(0x00080016, "UI", "1.", 2);
    golden_put(&in, 0x00090010, "??", "ab", 2);
    expect_failure("(0009,0010) at byte 10 of the data set: its VR is none of the standard's");
    begin(LITTLE, IMPLICIT);
    golden_put(&in, 0x00080016, "UI", "1.2", 3);
    expect_failure("odd length");
    begin(LITTLE, IMPLICIT);
    golden_put_header(&in, 0x00100010, "PN", 5);
    bytes_put(&in.writer, "ab", 2);
    expect_failure("(0010,0010) at byte 0 of the data set: it ends behind");
    begin(LITTLE, IMPLICIT);
    golden_put_header(&in, 0x00100010, "LT", UNDEFINED & 0xFFFF);
    expect_failure("(0010,0010)");
    begin(LITTLE, IMPLICIT);
    golden_put_header(&in, 0x00100010, "UT", UNDEFINED);
    expect_failure("an undefined length");
    begin(LITTLE, IMPLICIT);
    golden_put(&in, 0x00081140, "SQ", "no items", 8);
    expect_failure("no item");
    begin(LITTLE, IMPLICIT);
    golden_put_item(&in, ITEM_END, 0);
    expect_failure("a stray item or delimiter");
    begin(LITTLE, IMPLICIT);
    golden_put_header(&in, 0x00880200, "SQ", UNDEFINED);
    golden_put_item(&in, ITEM, UNDEFINED);
    expect_failure("(0000,0000)");
}

Test(recode, depth)
{
    for (int depth = 64; depth <= 65; depth++) {
        begin(IMPLICIT, LITTLE);
        for (int i = 0; i < depth; i++) {
            put_both_headers(0x00081140, "SQ");
            put_both_items(ITEM, UNDEFINED);
        }
        for (int i = 0; i < depth; i++) {
            put_both_items(ITEM_END, 0);
            put_both_items(SEQUENCE_END, 0);
        }
        if (depth == 64)
            expect_out();
        else
            expect_failure("nested deeper than 64");
    }
}

/* Zeros behind the last element are none of it. */
Test(recode, zero_tail)
{
    static const uint8_t zeros[6000];
    for (size_t tail = 1; tail < 6000; tail = tail * 5 + 1) {
        begin(IMPLICIT, LITTLE);
        put_both(0x00080016, "UI", "1.", 2);
        bytes_put(&in.writer, zeros, tail);
        expect_out();
    }
}
