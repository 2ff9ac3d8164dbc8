/* The converter at its limits: many lengths, depth, decoded pixels, what is needless, what cannot be converted. */
#include "recode_fixture.h"

/* Behind the last length that is kept, what had a length gets a delimiter. */
Test(recode_limits, more_lengths_than_are_kept)
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
Test(recode_limits, decoded_pixels)
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

Test(recode_limits, what_cannot_be_converted)
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

Test(recode_limits, depth)
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

/* What has a length needs no delimiter; some write one all the same, and count it. */
Test(recode_limits, needless_delimiters)
{
    begin(IMPLICIT, LITTLE);
    golden_put_header(&in, 0x00081140, "SQ", 8 + 10 + 8 + 8);
    golden_put_header(&out, 0x00081140, "SQ", 8 + 10);
    golden_put_item(&in, ITEM, 10 + 8);
    golden_put_item(&out, ITEM, 10);
    put_both(0x00081150, "UI", "1.", 2);
    golden_put_item(&in, ITEM_END, 0);
    golden_put_item(&in, SEQUENCE_END, 0);
    put_both(0x00100010, "PN", "ab", 2);
    expect_out();
    begin(IMPLICIT, LITTLE);
    golden_put_header(&in, 0x00081140, "SQ", 8 + 8 + 8);
    golden_put_item(&in, ITEM, 0);
    golden_put_item(&in, SEQUENCE_END, 0);
    golden_put_item(&in, ITEM, 0);
    expect_failure("what is in a sequence is no item");
}

/* Zeros behind the last element are none of it. */
Test(recode_limits, zero_tail)
{
    static const uint8_t zeros[6000];
    for (size_t tail = 1; tail < 6000; tail = tail * 5 + 1) {
        begin(IMPLICIT, LITTLE);
        put_both(0x00080016, "UI", "1.", 2);
        bytes_put(&in.writer, zeros, tail);
        expect_out();
    }
    begin(IMPLICIT, LITTLE);
    put_both(0x00080016, "UI", "1.", 2);
    bytes_put(&in.writer, zeros, 1000);
    put_both(0x00100010, "PN", "ab", 2);
    expect_failure("zeros where an element belongs");
}
