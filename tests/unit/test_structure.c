/* Elements whose VR does not exist, the form of Pixel Data, delimiters, and data sets that do not say what they are in.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dicomnet/uid.h"
#include "files/scan.h"
#include "golden.h"
#include "instance/instance.h"
#include "wire/syntax.h"

#define UNDEFINED     UINT32_MAX
#define JPEG_BASELINE "1.2.840.10008.1.2.4.50"

static struct golden g;
static struct scan_options options;

/* Scan the golden file; destroy what comes back. */
static struct instance *scan(void)
{
    char path[GOLDEN_PATH_SIZE];
    golden_write(&g, g.writer.len, path);
    struct scanner *scanner = scanner_create(&options);
    struct instance *instance = scanner_read(scanner, path);
    scanner_destroy(scanner);
    unlink(path);
    cr_assert_not_null(instance);
    return instance;
}

/* `words` are part of what a person is told; NULL is nothing at all. */
static void expect(enum outcome_reason reason, const char *words, const char *what)
{
    struct instance *instance = scan();
    char text[400];
    outcome_describe(&instance->outcome, text, sizeof text);
    cr_expect_eq(instance->outcome.state, reason == REASON_NONE ? OUTCOME_PENDING : OUTCOME_FAILED, "%s: %s", what,
                 text);
    cr_expect_eq(instance->outcome.reason, reason, "%s: %s", what, text);
    if (words != NULL)
        cr_expect_not_null(strstr(text, words), "%s: %s", what, text);
    instance_destroy(instance);
}

/* ---- VRs that do not exist ---- */

static const char *const strange_vrs[] = {"  ", "\0\0", "--", "??", "ox", "ZZ", "O ", "\x01\x7f"};
enum { STRANGE_COUNT = sizeof strange_vrs / sizeof strange_vrs[0] };
enum way { SHORT, LONG };

/* An element with these letters, its length in 16 or in 32 bits. */
static void put_strange(const char *vr, enum way way, uint32_t tag, const char *value, uint32_t len)
{
    /* The header of a known VR, and then the letters are changed. */
    size_t place = g.writer.len;
    golden_put_header(&g, tag, way == SHORT ? "LO" : "UN", len);
    bytes_put(&g.writer, value, len);
    memcpy(g.bytes + place + 4, vr, 2);
}

static void begin(size_t form)
{
    static const struct {
        const char *syntax;
        enum syntax_form form;
    } forms[] = {{DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE},
                 {DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, SYNTAX_EXPLICIT_BE},
                 {DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE}};
    golden_begin(&g, forms[form].syntax, forms[form].form);
    golden_put_names(&g);
}

static void expect_strange(size_t form, const char *what)
{
    if (form == 2)
        golden_deflate(&g);
    struct instance *instance = scan();
    char text[400], flaws[200];
    outcome_describe(&instance->outcome, text, sizeof text);
    outcome_describe_flaws(&instance->outcome, flaws, sizeof flaws);
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING, "form %zu, %s: %s", form, what, text);
    cr_expect(instance->outcome.unknown_vr, "form %zu, %s", form, what);
    cr_expect_str_eq(flaws, "an element has a VR that does not exist");
    cr_expect_str_eq(instance->file.instance_uid, GOLDEN_INSTANCE);
    cr_expect_eq(instance->file.data_len, g.writer.len - g.data_offset);
    instance_destroy(instance);
}

static void put_rest(void)
{
    golden_put(&g, 0x00280010, "US", "\4\0", 2);
    golden_put(&g, 0x00280011, "US", "\4\0", 2);
    golden_put(&g, 0x7fe00010, "OW", "0123456789abcdef", 16);
}

Test(structure, strange_vrs_in_every_place)
{
    for (size_t form = 0; form < 3; form++) {
        for (size_t i = 0; i < STRANGE_COUNT; i++) {
            for (enum way way = SHORT; way <= LONG; way++) {
                char what[64];
                snprintf(what, sizeof what, "VR %zu, way %d", i, (int)way);
                begin(form);
                put_strange(strange_vrs[i], way, 0x00210010, "some", 4);
                put_rest();
                expect_strange(form, what);
                /* An empty one, and one that is the last. */
                begin(form);
                put_strange(strange_vrs[i], way, 0x00210010, "", 0);
                put_rest();
                put_strange(strange_vrs[i], way, 0x7fe10010, "0123456789", 10);
                expect_strange(form, what);
                /* In an item of undefined length, and in one of defined length. */
                begin(form);
                for (int undefined = 0; undefined < 2; undefined++) {
                    uint32_t item = (way == SHORT ? 8 : 12) + 6;
                    golden_put_header(&g, undefined ? 0x00211012 : 0x00211010, "SQ", undefined ? UNDEFINED : item + 8);
                    golden_put_item(&g, 0xe000, undefined ? UNDEFINED : item);
                    put_strange(strange_vrs[i], way, 0x00210020, "inside", 6);
                    if (undefined) {
                        golden_put_item(&g, 0xe00d, 0);
                        golden_put_item(&g, 0xe0dd, 0);
                    }
                }
                put_rest();
                expect_strange(form, what);
            }
        }
    }
}

/* Every mixture of ways and letters of six in a row. */
Test(structure, strange_vrs_in_a_row, .timeout = 60)
{
    for (size_t form = 0; form < 3; form++) {
        for (unsigned mixture = 0; mixture < 64; mixture++) {
            char what[64];
            snprintf(what, sizeof what, "mixture %u", mixture);
            begin(form);
            for (unsigned i = 0; i < 6; i++)
                put_strange(strange_vrs[(mixture + i) % STRANGE_COUNT], (mixture >> i & 1) != 0 ? LONG : SHORT,
                            0x00210010 + i, "0123456789abcdef", 2 * i);
            put_rest();
            expect_strange(form, what);
        }
    }
}

/* A value that looks like elements itself, and one that holds many more than are looked at. */
Test(structure, strange_vrs_with_a_difficult_value)
{
    begin(0);
    put_strange("  ", LONG, 0x00210010, "\x21\0\x11\0LO\4\0text\x21\0\x12\0LO\4\0text", 24);
    put_rest();
    expect_strange(0, "elements inside");
    for (size_t form = 0; form < 3; form++) {
        begin(form);
        put_strange("??", LONG, 0x00210010, "", 0);
        g.writer.len -= 4;
        bytes_put(&g.writer, form == 1 ? "\0\1\0\0" : "\0\0\1\0", 4);
        memset(bytes_reserve(&g.writer, 65536), 0x5a, 65536);
        put_rest();
        expect_strange(form, "64 KB");
    }
    begin(0);
    for (uint32_t i = 0; i < 20000; i++)
        put_strange(i % 2 != 0 ? "--" : "  ", i % 3 != 0 ? SHORT : LONG, 0x00210010 + i, "ab", 2);
    put_rest();
    expect_strange(0, "20,000 in a row");
}

/* The UIDs themselves: they are read all the same. */
Test(structure, strange_vrs_of_names)
{
    for (size_t form = 0; form < 3; form++) {
        static const struct {
            enum syntax_form form;
            const char *syntax;
        } forms[] = {{SYNTAX_EXPLICIT_LE, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN},
                     {SYNTAX_EXPLICIT_BE, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN},
                     {SYNTAX_EXPLICIT_LE, DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN}};
        golden_begin(&g, forms[form].syntax, forms[form].form);
        put_strange("  ", SHORT, 0x00080016, GOLDEN_CLASS "\0", sizeof GOLDEN_CLASS);
        put_strange("--", LONG, 0x00080018, GOLDEN_INSTANCE "\0", sizeof GOLDEN_INSTANCE);
        put_strange("ui", SHORT, 0x0020000d, GOLDEN_STUDY "\0", sizeof GOLDEN_STUDY);
        put_rest();
        expect_strange(form, "names");
    }
}

/* In the meta information, whatever the data set is in. */
Test(structure, strange_vrs_of_meta_information)
{
    for (size_t i = 0; i < 2 * STRANGE_COUNT; i++) {
        static const char *const syntaxes[] = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                                               DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN};
        golden_begin(&g, NULL, SYNTAX_EXPLICIT_LE);
        put_strange(strange_vrs[i / 2], i % 2 != 0 ? LONG : SHORT, 0x0002000d, "some", 4);
        golden_put_uid(&g, 0x00020010, syntaxes[i % 2]);
        golden_put_uid(&g, 0x00020012, "1.2.3");
        g.form = i % 2 == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        golden_put_names(&g);
        put_rest();
        expect(REASON_NONE, NULL, "strange meta information");
    }
}

/* What no way of reading makes parse stays what it was. */
Test(structure, bytes_that_are_no_element)
{
    begin(0);
    put_rest();
    bytes_put(&g.writer, "this is no element, and a long text at that.....", 48);
    expect(REASON_TRAILING_DATA, NULL, "text behind pixel data");
    begin(0);
    bytes_put(&g.writer, "\x21\0\x10\0??\x30\0what is this? no element....", 36);
    expect(REASON_SYNTAX_MISMATCH, NULL, "text in the middle");
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_IMPLICIT_LE);
    golden_put_names(&g);
    put_rest();
    expect(REASON_SYNTAX_MISMATCH, NULL, "implicit VR, declared explicit");
}

/* ---- the form of Pixel Data ---- */

static void put_fragments(uint32_t tag, const char *vr)
{
    golden_put_header(&g, tag, vr, UNDEFINED);
    golden_put_item(&g, 0xe000, 0);
    golden_put_item(&g, 0xe000, 4);
    bytes_put(&g.writer, "\xff\xd8\xff\xd9", 4);
    golden_put_item(&g, 0xe0dd, 0);
}

static void put_icon(bool encapsulated)
{
    golden_put_header(&g, 0x00880200, "SQ", UNDEFINED);
    golden_put_item(&g, 0xe000, UNDEFINED);
    if (encapsulated)
        put_fragments(0x7fe00010, "OB");
    else
        golden_put(&g, 0x7fe00010, "OB", "icon", 4);
    golden_put_item(&g, 0xe00d, 0);
    golden_put_item(&g, 0xe0dd, 0);
}

static const char *const compressed[] = {JPEG_BASELINE,
                                         "1.2.840.10008.1.2.4.70",
                                         "1.2.840.10008.1.2.4.90",
                                         "1.2.840.10008.1.2.5",
                                         "1.2.840.10008.1.2.4.100",
                                         "1.2.840.10008.1.2.4.102",
                                         "1.2.840.10008.1.2.4.107",
                                         "1.2.840.10008.1.2.1.98",
                                         "1.2.840.10008.1.2.4.201",
                                         "1.2.840.10008.1.2.4.110",
                                         "1.2.840.10008.1.2.8.1"};

Test(structure, compressed_wants_fragments)
{
    for (size_t i = 0; i < sizeof compressed / sizeof compressed[0]; i++) {
        golden_begin(&g, compressed[i], SYNTAX_EXPLICIT_LE);
        golden_put_names(&g);
        expect(REASON_NONE, NULL, "no pixels at all");
        put_icon(false);
        put_icon(true);
        golden_put(&g, 0x7fe00008, "OF", "\0\0\0\0", 4);
        golden_put(&g, 0x7fe00009, "OD", "\0\0\0\0\0\0\0\0", 8);
        expect(REASON_NONE, NULL, "icons and float pixels in either form");
        size_t len = g.writer.len;
        put_fragments(0x7fe00010, i % 2 == 0 ? "OB" : "OW");
        golden_put(&g, 0xfffcfffc, "OB", "\0\0", 2);
        expect(REASON_NONE, NULL, "fragments");
        g.writer.len = len;
        golden_put(&g, 0x7fe00010, "OW", "0123", 4);
        expect(REASON_SYNTAX_MISMATCH, "Pixel Data is native", compressed[i]);
        g.writer.len = len;
        golden_put(&g, 0x7fe00010, "OB", "", 0);
        expect(REASON_SYNTAX_MISMATCH, "Pixel Data is native", "of no length");
    }
}

Test(structure, native_wants_a_length)
{
    static const struct {
        const char *syntax;
        enum syntax_form form;
    } rows[] = {{DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE},
                {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, SYNTAX_IMPLICIT_LE},
                {DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, SYNTAX_EXPLICIT_BE},
                {DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE},
                {"1.2.840.113619.5.2", SYNTAX_IMPLICIT_LE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int nested = 0; nested < 2; nested++) {
            golden_begin(&g, rows[i].syntax, rows[i].form);
            golden_put_names(&g);
            if (nested != 0)
                put_icon(true);
            else
                put_fragments(0x7fe00010, "OB");
            if (i == 3)
                golden_deflate(&g);
            expect(REASON_SYNTAX_MISMATCH, "Pixel Data is encapsulated", rows[i].syntax);
        }
    }
    /* Where the pixels are elsewhere, or nobody knows. */
    static const char *const others[] = {"1.2.840.10008.1.2.4.94", "1.2.3.4.5"};
    for (size_t i = 0; i < 2; i++) {
        golden_begin(&g, others[i], SYNTAX_EXPLICIT_LE);
        golden_put_names(&g);
        put_fragments(0x7fe00010, "OB");
        expect(REASON_NONE, NULL, others[i]);
    }
}

Test(structure, delimiters)
{
    static const struct {
        uint16_t inner, outer; /* what ends the item, and the sequence; 0: nothing does */
        enum outcome_reason reason;
        const char *words;
    } rows[] = {
        {0xe00d, 0xe0dd, REASON_NONE, NULL},
        {0xe0dd, 0xe0dd, REASON_BAD_DELIMITER, "a sequence delimiter where an item delimiter belongs"},
        {0xe00d, 0xe00d, REASON_BAD_DELIMITER, "an item delimiter where a sequence delimiter belongs"},
        {0xe00d, 0, REASON_BAD_DELIMITER, "no sequence delimiter behind the items"},
        {0, 0xe000, REASON_BAD_DELIMITER, "no item delimiter before the next item"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(0);
        golden_put_header(&g, 0x00211010, "SQ", UNDEFINED);
        golden_put_item(&g, 0xe000, UNDEFINED);
        golden_put(&g, 0x00211011, "LO", "text", 4);
        if (rows[i].inner != 0)
            golden_put_item(&g, rows[i].inner, 0);
        if (rows[i].outer != 0)
            golden_put_item(&g, rows[i].outer, 0);
        put_rest();
        expect(rows[i].reason, rows[i].words, "a sequence");
    }
    for (uint16_t stray = 0; stray < 3; stray++) {
        begin(0);
        golden_put_item(&g, stray == 0 ? 0xe000 : stray == 1 ? 0xe00d : 0xe0dd, 0);
        put_rest();
        expect(REASON_BAD_DELIMITER, "a stray", "before pixel data");
        begin(0);
        put_rest();
        golden_put_item(&g, stray == 0 ? 0xe000 : stray == 1 ? 0xe00d : 0xe0dd, 0);
        expect(REASON_BAD_DELIMITER, "a stray", "behind pixel data");
    }
}

Test(structure, fragments)
{
    golden_begin(&g, JPEG_BASELINE, SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    size_t names = g.writer.len;
    put_fragments(0x7fe00010, "OB");
    g.writer.len -= 8;
    expect(REASON_TRUNCATED, "a delimiter is missing at its end", "no delimiter at the end");
    golden_put(&g, 0xfffcfffc, "OB", "\0\0", 2);
    expect(REASON_BAD_DELIMITER, "no sequence delimiter behind the fragments", "no delimiter before padding");
    g.writer.len = names;
    put_fragments(0x7fe00010, "OB");
    g.writer.len -= 8;
    golden_put_item(&g, 0xe00d, 0);
    expect(REASON_BAD_DELIMITER, "an item delimiter among the fragments", "the wrong delimiter");
    g.writer.len = names;
    golden_put_header(&g, 0x7fe00010, "OB", UNDEFINED);
    golden_put_item(&g, 0xe000, UNDEFINED);
    golden_put_item(&g, 0xe0dd, 0);
    expect(REASON_SYNTAX_MISMATCH, "undefined length", "a fragment of undefined length");
    g.writer.len = names;
    golden_put_header(&g, 0x7fe00010, "OB", UNDEFINED);
    bytes_put(&g.writer, "\xff\xd8\xff\xe0 no item at all", 20);
    expect(REASON_SYNTAX_MISMATCH, "the fragments of Pixel Data are no items", "a bare bit stream");
    g.writer.len = names;
    put_fragments(0x7fe00010, "UN");
    expect(REASON_SYNTAX_MISMATCH, "Pixel Data is of VR UN", "a VR whose undefined length means a sequence");
}

Test(structure, undefined_length)
{
    static const char *const vrs[] = {"UT", "UC", "UR", "OF", "OD", "OL", "OV", "SV", "UV"};
    for (size_t i = 0; i < sizeof vrs / sizeof vrs[0]; i++) {
        golden_begin(&g, "1.2.840.10008.1.2.1", SYNTAX_EXPLICIT_LE);
        golden_put_names(&g);
        golden_put_header(&g, 0x0040a160, vrs[i], UNDEFINED);
        golden_put_item(&g, 0xe0dd, 0);
        expect(REASON_SYNTAX_MISMATCH, "an undefined length, which its VR cannot have", vrs[i]);
    }
}

/* ---- syntaxes that are not known, or not said ---- */

Test(structure, an_unknown_syntax_is_not_walked)
{
    /* It can be parsed, and is cut. */
    golden_begin(&g, "1.2.3.4.5", SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    golden_put_header(&g, 0x7fe00010, "OW", 1000);
    expect(REASON_NONE, NULL, "truncated");
    /* It cannot: the meta information names it, and it is of no study. */
    golden_begin(&g, "1.2.3.4.5", SYNTAX_EXPLICIT_LE);
    bytes_put(&g.writer, "\xca\xfe\xba\xbe what only its maker can read", 34);
    struct instance *instance = scan();
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
    cr_expect_str_eq(instance->file.instance_uid, GOLDEN_INSTANCE);
    cr_expect_str_eq(instance->file.class_uid, GOLDEN_CLASS);
    cr_expect_str_eq(instance->file.study_uid, "");
    cr_expect_eq(instance->file.data_len, 34);
    cr_expect_not(outcome_has_flaws(&instance->outcome));
    instance_destroy(instance);
    bytes_put(&g.writer, "x", 1);
    expect(REASON_ODD_LENGTH, NULL, "odd");
}

Test(structure, raw_data_sets)
{
    static const struct {
        enum syntax_form form;
        const char *syntax;
    } rows[] = {{SYNTAX_EXPLICIT_LE, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN},
                {SYNTAX_IMPLICIT_LE, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN},
                {SYNTAX_EXPLICIT_BE, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN}};
    for (size_t i = 0; i < 9; i++) {
        options.accept_raw = false;
        if (i < 3) { /* nothing, a preamble alone, or meta information without the syntax before it */
            g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
        } else if (i < 6) {
            g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
            memset(bytes_reserve(&g.writer, 128), 0, 128);
            bytes_put(&g.writer, "DICM", 4);
        } else {
            golden_begin(&g, i % 2 == 0 ? NULL : "", rows[i % 3].form);
        }
        g.form = rows[i % 3].form;
        size_t begin = g.writer.len;
        golden_put_names(&g);
        put_rest();
        expect(i < 6 ? REASON_NO_META : REASON_NO_TRANSFER_SYNTAX, "--accept-raw", rows[i % 3].syntax);
        options.accept_raw = true;
        struct instance *instance = scan();
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING, "row %zu", i);
        cr_expect_str_eq(instance->file.syntax_uid, rows[i % 3].syntax, "row %zu", i);
        cr_expect_str_eq(instance->file.study_uid, GOLDEN_STUDY);
        cr_expect_eq(instance->file.data_offset, begin);
        instance_destroy(instance);
        g.writer.len -= 2;
        expect(REASON_TRUNCATED, NULL, "cut");
    }
    /* A bit stream does not say which syntax it is in. */
    g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
    g.form = SYNTAX_EXPLICIT_LE;
    golden_put_names(&g);
    put_fragments(0x7fe00010, "OB");
    expect(REASON_SYNTAX_MISMATCH, "Pixel Data is encapsulated", "compressed");
}

/* Other files, some of which begin with the bytes in which a data set or meta information begins. */
Test(structure, what_is_no_dicom)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {{"\x08\0\0\0\0\0\0\0", 8},
                {"\x08\0\x01\0\x04\0\0\0text\x08\0\x02\0\x04\0\0\0text", 24},
                {"\x02\0\0\0\x04\0\0\0text and more of it", 28},
                {"\x02\0\0\0UL\x04\0text and more of it", 28},
                {"\0\x08\0\x16UI\0\x0aunfinished", 18},
                {"\x08\0\x16\0UI\x0a\0no-uid-here", 18},
                {"\xff\xd8\xff\xe0\0\x10JFIF\0\1", 12},
                {"PK\3\4\x14\0\x08\0\x08\0", 10},
                {"\x89PNG\r\n\x1a\n", 8},
                {"\x08\0 and whatever a random file may hold, to no end", 48}};
    for (int raw = 0; raw < 2; raw++) {
        options.accept_raw = raw != 0;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
            bytes_put(&g.writer, rows[i].bytes, rows[i].len);
            for (int longer = 0; longer < 2; longer++) {
                struct instance *instance = scan();
                cr_expect_eq(instance->outcome.state, OUTCOME_SKIPPED, "row %zu", i);
                cr_expect_eq(instance->outcome.reason, REASON_NOT_DICOM, "row %zu", i);
                instance_destroy(instance);
                for (unsigned k = 0; k < 3000; k++)
                    bytes_put(&g.writer, &(uint8_t){(uint8_t)(k * k * 2654435761u >> 13)}, 1);
            }
        }
    }
}

/* ---- what belongs to no patient, and names that are none ---- */

Test(structure, objects_without_a_study)
{
    static const struct {
        const char *class_uid;
        bool needs_study;
    } rows[] = {{"1.2.840.10008.5.1.4.39.1", false},      {"1.2.840.10008.5.1.4.38.1", false},
                {"1.2.840.10008.5.1.4.43.1", false},      {"1.2.840.10008.5.1.4.44.1", false},
                {"1.2.840.10008.5.1.4.45.1", false},      {"1.2.840.10008.5.1.4.1.1.200.1", false},
                {"1.2.840.10008.5.1.4.1.1.200.3", false}, {"1.2.840.10008.5.1.4.1.1.200.7", false},
                {"1.2.840.10008.5.1.4.1.1.201.1", false}, {"1.2.840.10008.5.1.4.1.1.200.2", true},
                {"1.2.840.10008.5.1.4.1.1.2", true},      {"1.2.840.10008.5.1.4.39.11", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        golden_put_uid(&g, 0x00080016, rows[i].class_uid);
        golden_put_uid(&g, 0x00080018, "1.2");
        expect(rows[i].needs_study ? REASON_NO_STUDY_UID : REASON_NONE, NULL, rows[i].class_uid);
    }
}

Test(structure, a_bad_study_uid_may_be_let_pass)
{
    static const char *const uids[] = {"1.2.abc",
                                       "1.23456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < 2; i++) {
        golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        golden_put_uid(&g, 0x00080016, GOLDEN_CLASS);
        golden_put_uid(&g, 0x00080018, GOLDEN_INSTANCE);
        golden_put_uid(&g, 0x0020000d, uids[i]);
        options.allow_incomplete = false;
        expect(REASON_BAD_UID, "the Study Instance UID; --allow-incomplete", uids[i]);
        options.allow_incomplete = true;
        struct instance *instance = scan();
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect(instance->outcome.bad_study_uid);
        cr_expect_str_eq(instance->file.study_uid, "");
        instance_destroy(instance);
    }
}
