/* A data set in one transfer syntax, read in another: each rule of the conversion, with elements made by hand. */
#include "recode_fixture.h"

Test(recode, headers_to_the_byte)
{
    static const char implicit[] = "\x08\0\x16\0\x02\0\0\0"
                                   "1.\xe0\x7f\x10\0\x04\0\0\0"
                                   "abcd";
    begin(IMPLICIT, LITTLE);
    bytes_put(&in.writer, implicit, sizeof implicit - 1);
    bytes_put(&out.writer,
              "\x08\0\x16\0UI\x02\0"
              "1.\xe0\x7f\x10\0OW\0\0\x04\0\0\0"
              "abcd",
              26);
    expect_out();
    expect_way_back(LITTLE, IMPLICIT);
    begin(IMPLICIT, BIG);
    bytes_put(&in.writer, implicit, sizeof implicit - 1);
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
