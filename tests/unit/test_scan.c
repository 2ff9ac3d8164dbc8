/* Every bad file of the contract, every truncation, nesting, and gdcm::Reader as second opinion on real files. */
#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include "dicomnet/uid.h"
#include "files/scan.h"
#include "gdcm_header.h"
#include "golden.h"
#include "instance/instance.h"
#include "wire/syntax.h"

#define UNDEFINED      0xffffffff
#define SAMPLES_FOLDER "/usr/lib/python3/dist-packages/pydicom/data"

static struct golden g;
static struct scan_options options;

static struct instance *scan_path(const char *path)
{
    struct scanner *scanner = scanner_create(&options);
    cr_assert_not_null(scanner);
    struct instance *instance = scanner_read(scanner, path);
    cr_assert_not_null(instance);
    scanner_destroy(scanner);
    return instance;
}

/* Scan the first `len` bytes of the golden file; destroy what comes back. */
static struct instance *scan_bytes(size_t len)
{
    char path[GOLDEN_PATH_SIZE];
    golden_write(&g, len, path);
    struct instance *instance = scan_path(path);
    unlink(path);
    return instance;
}

static void expect_len(size_t len, enum outcome_state state, enum outcome_reason reason)
{
    struct instance *instance = scan_bytes(len);
    cr_expect_eq(instance->outcome.state, state, "%s", outcome_state_name(instance->outcome.state));
    cr_expect_eq(instance->outcome.reason, reason, "%s at %lu", outcome_reason_name(instance->outcome.reason),
                 (unsigned long)instance->outcome.offset);
    instance_destroy(instance);
}

static void expect(enum outcome_state state, enum outcome_reason reason)
{
    expect_len(g.writer.len, state, reason);
}

static const struct {
    const char *uid;
    enum syntax_form form;
    bool deflated;
} syntaxes[] = {
    {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE, false},
    {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, SYNTAX_IMPLICIT_LE, false},
    {DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, SYNTAX_EXPLICIT_BE, false},
    {DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE, true},
    {"1.2.840.10008.1.2.4.50", SYNTAX_EXPLICIT_LE, false},
    {"1.2.999.1", SYNTAX_EXPLICIT_LE, false}, /* private: not walked */
};
enum { SYNTAX_COUNT = sizeof syntaxes / sizeof syntaxes[0], WALKED_COUNT = SYNTAX_COUNT - 1 };

static void make(size_t i)
{
    golden_make(&g, syntaxes[i].uid, syntaxes[i].form);
    if (syntaxes[i].deflated)
        golden_deflate(&g);
}

Test(scan, reads_every_syntax)
{
    for (size_t i = 0; i < SYNTAX_COUNT; i++) {
        make(i);
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING, "%s: %s", syntaxes[i].uid,
                     outcome_reason_name(instance->outcome.reason));
        cr_expect_str_eq(instance->file.study_uid, GOLDEN_STUDY);
        cr_expect_str_eq(instance->file.series_uid, GOLDEN_SERIES);
        cr_expect_str_eq(instance->file.instance_uid, GOLDEN_INSTANCE);
        cr_expect_str_eq(instance->file.class_uid, GOLDEN_CLASS);
        cr_expect_str_eq(instance->file.syntax_uid, syntaxes[i].uid);
        cr_expect_eq(instance->file.data_offset, g.data_offset);
        cr_expect_eq(instance->file.data_len, g.writer.len - g.data_offset);
        cr_expect_eq(instance->file.size_bytes, g.writer.len);
        cr_expect_eq(instance_wire_len(instance) % 2, 0);
        cr_expect_not(instance->outcome.meta_differs || instance->outcome.leading_zero_uid);
        instance_destroy(instance);
    }
}

/*
 * A file that ends between two elements is a whole, shorter data set: no walk can tell. All other truncations are told.
 * The golden file has such places behind the Study Instance UID: before the series', and before the pixel data.
 */
static bool is_between_elements(size_t len, size_t i)
{
    /* In big endian the next tag begins with a zero, and zeros are no part of the data set. */
    if (syntaxes[i].form == SYNTAX_EXPLICIT_BE && len > 0 && g.bytes[len - 1] == 0 && g.bytes[len] == 0x20)
        len--;
    bool fragments = syntax_find(syntaxes[i].uid).pixels == SYNTAX_PIXELS_ENCAPSULATED;
    size_t pixels = 64 + (syntaxes[i].form == SYNTAX_IMPLICIT_LE ? 8 : 12) + (fragments ? 3 * 8 : 0),
           series = 8 + strlen(GOLDEN_SERIES) + 1;
    return len == g.writer.len - pixels || len == g.writer.len - pixels - series;
}

Test(scan, no_truncation_passes)
{
    for (size_t i = 0; i < WALKED_COUNT; i++) {
        make(i);
        size_t whole = g.writer.len;
        struct scanner *scanner = scanner_create(&options);
        char path[GOLDEN_PATH_SIZE];
        golden_write(&g, whole, path);
        for (size_t len = whole; len-- > 0;) {
            cr_assert_eq(truncate(path, (off_t)len), 0);
            struct instance *instance = scanner_read(scanner, path);
            enum outcome_reason reason = instance->outcome.reason;
            bool passes = !syntaxes[i].deflated && is_between_elements(len, i);
            cr_expect_eq(instance->outcome.state == OUTCOME_PENDING, passes, "%s passes with %zu of %zu bytes",
                         syntaxes[i].uid, len, whole);
            if (len < 132)
                cr_expect_eq(reason, REASON_NOT_DICOM);
            else if (len > g.data_offset && len > whole - 64)
                cr_expect_eq(reason, REASON_TRUNCATED, "%s with %zu of %zu bytes: %s", syntaxes[i].uid, len, whole,
                             outcome_reason_name(reason));
            instance_destroy(instance);
        }
        unlink(path);
        scanner_destroy(scanner);
    }
}

Test(scan, not_dicom_and_no_meta)
{
    g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
    expect_len(0, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    bytes_put(&g.writer, "just a text, that is longer than a header", 41);
    expect(OUTCOME_SKIPPED, REASON_NOT_DICOM);
    memset(g.bytes, 0, 1000);
    expect_len(1000, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    for (size_t i = 0; i < 3; i++) {
        /* Without preamble; and with a preamble but no meta information. */
        g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
        g.form = syntaxes[i].form;
        golden_put_names(&g);
        expect(OUTCOME_FAILED, REASON_NO_META);
        g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
        memset(bytes_reserve(&g.writer, 128), 0, 128);
        bytes_put(&g.writer, "DICM", 4);
        golden_put_names(&g);
        expect(OUTCOME_FAILED, REASON_NO_META);
    }
}

Test(scan, accepts_raw_if_asked)
{
    options.accept_raw = true;
    for (size_t i = 0; i < 2; i++) {
        g.writer = bytes_writer_over(g.bytes, sizeof g.bytes);
        g.form = syntaxes[i].form;
        golden_put_names(&g);
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect_str_eq(instance->file.syntax_uid, syntaxes[i].uid);
        cr_expect_str_eq(instance->file.study_uid, GOLDEN_STUDY);
        cr_expect_eq(instance->file.data_offset, 0);
        instance_destroy(instance);
        expect_len(g.writer.len - 2, OUTCOME_FAILED, REASON_TRUNCATED);
    }
    expect_len(0, OUTCOME_SKIPPED, REASON_NOT_DICOM);
}

Test(scan, no_preamble_before_the_prefix)
{
    golden_begin(&g, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, SYNTAX_IMPLICIT_LE);
    golden_put_names(&g);
    size_t len = g.writer.len - 128;
    memmove(g.bytes, g.bytes + 128, len);
    expect_len(len, OUTCOME_FAILED, REASON_NO_META);
    options.accept_raw = true;
    struct instance *instance = scan_bytes(len);
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
    cr_expect_str_eq(instance->file.syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
    cr_expect_eq(instance->file.data_offset, g.data_offset - 128);
    instance_destroy(instance);
    expect_len(4, OUTCOME_SKIPPED, REASON_NOT_DICOM);
}

Test(scan, meta_information)
{
    golden_begin(&g, NULL, SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    expect(OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX);
    golden_begin(&g, "", SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    expect(OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX);
    golden_begin(&g, "not.a.uid", SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    expect(OUTCOME_FAILED, REASON_BAD_UID);
    struct instance *bad_syntax = scan_bytes(g.writer.len);
    cr_expect_eq(memcmp(g.bytes + bad_syntax->outcome.offset, "\2\0\x10\0UI", 6), 0, "the place of (0002,0010)");
    instance_destroy(bad_syntax);

    make(0);
    set_u32_le(g.bytes + 132 + 8, 0x7fffffff); /* the group's length is not looked at */
    expect(OUTCOME_PENDING, REASON_NONE);
    set_u32_le(g.bytes + 132 + 8, 3);
    expect(OUTCOME_PENDING, REASON_NONE);

    make(0);
    uint8_t *class_uid = memmem(g.bytes, g.data_offset, GOLDEN_CLASS, strlen(GOLDEN_CLASS));
    memcpy(class_uid, DICOMNET_UID_MEDIA_STORAGE_DIRECTORY "\0\0\0\0", strlen(GOLDEN_CLASS));
    expect(OUTCOME_SKIPPED, REASON_DICOMDIR);

    make(0);
    uint8_t *instance_uid = memmem(g.bytes, g.data_offset, GOLDEN_INSTANCE, strlen(GOLDEN_INSTANCE));
    instance_uid[0] = '2';
    struct instance *instance = scan_bytes(g.writer.len);
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
    cr_expect(instance->outcome.meta_differs);
    cr_expect_str_eq(instance->file.instance_uid, GOLDEN_INSTANCE);
    instance_destroy(instance);
}

Test(scan, uids)
{
    static const struct {
        const char *class_uid, *instance_uid, *study_uid;
        enum outcome_reason reason;
    } rows[] = {
        {NULL, "1.2", "1.2", REASON_NO_CLASS_UID},
        {"1.2", NULL, "1.2", REASON_NO_INSTANCE_UID},
        {"1.2", "1.2", NULL, REASON_NO_STUDY_UID},
        {"1.2", "1.2", "", REASON_NO_STUDY_UID},
        {"1.2", "", "1.2", REASON_NO_INSTANCE_UID},
        {"1.2", "1.2a", "1.2", REASON_BAD_UID},
        {"1..2", "1.2", "1.2", REASON_BAD_UID},
        {"1.2", "1.2", "1.2.", REASON_BAD_UID},
        {"1.2", "1.2", ".1", REASON_BAD_UID},
        {"1.2", "1.2\\1.3", "1.2", REASON_BAD_UID},
        {"1.2", "1.2 ", "1.2 ", REASON_NONE},
        {"1.2", "1.02", "1.2", REASON_NONE},
        {"1.2", "1.2345678901234567890123456789012345678901234567890123456789012345", "1", REASON_BAD_UID},
        {"1.2", "1.234567890123456789012345678901234567890123456789012345678901234", "1", REASON_BAD_UID},
        {"1.2", "1.23456789012345678901234567890123456789012345678901234567890123", "1", REASON_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        if (rows[i].class_uid != NULL)
            golden_put_uid(&g, 0x00080016, rows[i].class_uid);
        if (rows[i].instance_uid != NULL)
            golden_put_uid(&g, 0x00080018, rows[i].instance_uid);
        if (rows[i].study_uid != NULL)
            golden_put_uid(&g, 0x0020000d, rows[i].study_uid);
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.reason, rows[i].reason, "row %zu: %s", i,
                     outcome_reason_name(instance->outcome.reason));
        cr_expect_eq(instance->outcome.state, rows[i].reason == REASON_NONE ? OUTCOME_PENDING : OUTCOME_FAILED);
        cr_expect_eq(instance->outcome.leading_zero_uid, i == 11, "row %zu", i);
        instance_destroy(instance);
    }
    /* Which of them it is. */
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_uid(&g, 0x00080016, "1.2");
    golden_put_uid(&g, 0x00080018, "1.2");
    size_t place = g.writer.len;
    golden_put_uid(&g, 0x0020000d, "1.x");
    struct instance *bad = scan_bytes(g.writer.len);
    cr_expect_eq(bad->outcome.reason, REASON_BAD_UID);
    cr_expect_eq(bad->outcome.offset, place);
    instance_destroy(bad);
    /* A value far too long for any UID. */
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_header(&g, 0x00080018, "UI", 20000);
    memset(bytes_reserve(&g.writer, 20000), '1', 20000);
    expect(OUTCOME_FAILED, REASON_BAD_UID);
}

/* Sending does not need it, and so it may be let pass. */
Test(scan, a_bad_series_uid)
{
    static const struct {
        const char *series_uid, *kept;
        bool bad, leading_zero;
    } rows[] = {{NULL, "", false, false}, {"", "", false, false},      {"1.2", "1.2", false, false},
                {"1.x", "", true, false}, {"1.2\\3", "", true, false}, {"1.02", "1.02", false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        golden_put_uid(&g, 0x00080016, "1.2");
        golden_put_uid(&g, 0x00080018, "1.2");
        golden_put_uid(&g, 0x0020000d, "1.2");
        if (rows[i].series_uid != NULL)
            golden_put_uid(&g, 0x0020000e, rows[i].series_uid);
        options.allow_incomplete = false;
        expect(rows[i].bad ? OUTCOME_FAILED : OUTCOME_PENDING, rows[i].bad ? REASON_BAD_UID : REASON_NONE);
        options.allow_incomplete = true;
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING, "row %zu", i);
        cr_expect_str_eq(instance->file.series_uid, rows[i].kept);
        cr_expect_eq(instance->outcome.bad_series_uid, rows[i].bad, "row %zu", i);
        cr_expect_eq(instance->outcome.leading_zero_uid, rows[i].leading_zero, "row %zu", i);
        instance_destroy(instance);
    }
}

Test(scan, allows_no_study_if_asked)
{
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_uid(&g, 0x00080016, "1.2");
    golden_put_uid(&g, 0x00080018, "1.2");
    expect(OUTCOME_FAILED, REASON_NO_STUDY_UID);
    options.allow_incomplete = true;
    expect(OUTCOME_PENDING, REASON_NONE);
}

Test(scan, what_follows_the_last_element)
{
    for (size_t i = 0; i < 3; i++) {
        make(i);
        golden_put(&g, 0xfffcfffc, "OB", "\0\0\0\0\0\0", 6);
        expect(OUTCOME_PENDING, REASON_NONE);
        for (size_t n = 0; n < 80; n++) {
            make(i);
            size_t whole = g.writer.len - g.data_offset;
            memset(bytes_reserve(&g.writer, 1 + n / 2), n % 2 == 0 ? 0 : 0xff, 1 + n / 2);
            if (n % 2 != 0) {
                expect(OUTCOME_FAILED, REASON_TRAILING_DATA);
                continue;
            }
            struct instance *instance = scan_bytes(g.writer.len);
            cr_expect_eq(instance->outcome.state, OUTCOME_PENDING, "%zu zeros", 1 + n / 2);
            cr_expect(instance->outcome.zero_tail);
            cr_expect_eq(instance->file.data_len, whole, "the tail is not sent");
            instance_destroy(instance);
            bytes_put(&g.writer, "x", 1);
            expect(OUTCOME_FAILED, REASON_TRAILING_DATA);
        }
        make(i);
        memset(bytes_reserve(&g.writer, 1), 'x', 1);
        expect(OUTCOME_FAILED, REASON_TRAILING_DATA);
    }
    make(0);
    bytes_put(&g.writer, "this is no element", 18);
    expect(OUTCOME_FAILED, REASON_TRAILING_DATA);
    make(3);
    size_t deflated_len = g.writer.len - g.data_offset;
    memset(bytes_reserve(&g.writer, 5000), 0, 5000);
    struct instance *deflated = scan_bytes(g.writer.len);
    cr_expect(deflated->outcome.state == OUTCOME_PENDING && deflated->outcome.zero_tail);
    cr_expect_eq(deflated->file.data_len, deflated_len);
    instance_destroy(deflated);
    make(3);
    bytes_put(&g.writer, "CRC4LEN4", 8);
    expect(OUTCOME_PENDING, REASON_NONE);
    bytes_put(&g.writer, "xx", 2);
    expect(OUTCOME_FAILED, REASON_TRAILING_DATA);
}

Test(scan, syntax_other_than_declared)
{
    for (size_t declared = 0; declared < 4; declared++) {
        for (size_t actual = 0; actual < 3; actual++) {
            bool same = syntaxes[declared].form == syntaxes[actual].form && !syntaxes[declared].deflated;
            golden_make(&g, syntaxes[declared].uid, syntaxes[actual].form);
            struct instance *instance = scan_bytes(g.writer.len);
            cr_expect_eq(instance->outcome.state, same ? OUTCOME_PENDING : OUTCOME_FAILED, "%zu %zu", declared, actual);
            cr_expect_eq(instance->outcome.reason, same ? REASON_NONE : REASON_SYNTAX_MISMATCH, "%zu %zu: %s", declared,
                         actual, outcome_reason_name(instance->outcome.reason));
            instance_destroy(instance);
        }
    }
}

Test(scan, odd_lengths)
{
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    golden_put(&g, 0x00204000, "LT", "odd", 3);
    expect(OUTCOME_FAILED, REASON_ODD_LENGTH);
    golden_put(&g, 0x00280010, "LT", "again", 5);
    expect(OUTCOME_PENDING, REASON_NONE);
    /* Deflated data of odd length is padded. */
    size_t odd = 0;
    for (uint32_t comment = 2; comment <= 20; comment += 2) {
        golden_begin(&g, DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
        golden_put_names(&g);
        golden_put(&g, 0x00204000, "LT",
                   "\xe1\xe5\xe9\xf1\xe2\xf6\xea\xe3\xf3\xe7\xfb\xe1\xfa\xe4\xee\xf4\xe8\xf9\xe6\xf2", comment);
        golden_deflate(&g);
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect_eq(instance->file.pad, instance->file.data_len % 2 != 0);
        odd += instance->file.pad;
        instance_destroy(instance);
    }
    cr_expect(odd > 0 && odd < 10);
}

/* `depth` sequences, one in the other; of undefined length, or with all the rest as their length. */
static void put_nested(size_t depth, bool undefined, const char *vr)
{
    size_t header = g.form == SYNTAX_IMPLICIT_LE ? 8 : 12;
    golden_begin(&g,
                 g.form == SYNTAX_IMPLICIT_LE ? DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
                                              : DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                 g.form);
    golden_put_names(&g);
    for (size_t left = depth; left > 0; left--) {
        uint32_t inner = (uint32_t)((left - 1) * (header + 8));
        golden_put_header(&g, 0x00400275, vr, undefined ? UNDEFINED : inner + 8);
        golden_put_item(&g, 0xe000, undefined ? UNDEFINED : inner);
    }
    for (size_t left = depth; undefined && left > 0; left--) {
        golden_put_item(&g, 0xe00d, 0);
        golden_put_item(&g, 0xe0dd, 0);
    }
}

Test(scan, nesting)
{
    for (int i = 0; i < 4; i++) {
        g.form = i % 2 == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        put_nested(64, i < 2, "SQ");
        expect(OUTCOME_PENDING, REASON_NONE);
        put_nested(65, i < 2, "SQ");
        expect(OUTCOME_FAILED, REASON_NESTING);
        put_nested(5000, i < 2, "SQ");
        expect(OUTCOME_FAILED, REASON_NESTING);
    }
}

Test(scan, sequences_of_all_kinds)
{
    /* Explicit VR; a UN of undefined length holds implicit VR, and once explicit VR against the rule. */
    golden_begin(&g, "1.2.840.10008.1.2.4.50", SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    for (int explicit_inside = 0; explicit_inside < 2; explicit_inside++) {
        golden_put_header(&g, 0x00291010, "UN", UNDEFINED);
        golden_put_item(&g, 0xe000, UNDEFINED);
        g.form = explicit_inside ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
        golden_put(&g, 0x00291011, "LO", "text", 4);
        golden_put_item(&g, 0xe00d, 0);
        golden_put_item(&g, 0xe000, 0);
        golden_put_item(&g, 0xe0dd, 0);
        g.form = SYNTAX_EXPLICIT_LE;
    }
    /* A sequence of known length whose inside is no sequence: its end is known all the same. */
    golden_put(&g, 0x00400275, "SQ", "what is this?!", 14);
    /* A delimiter that a sequence of known length need not have. */
    golden_put_header(&g, 0x00400276, "SQ", 16);
    golden_put_item(&g, 0xe000, 0);
    golden_put_item(&g, 0xe0dd, 0);
    /* An item that claims more than the sequence it is in. */
    golden_put_header(&g, 0x00400277, "SQ", 8);
    golden_put_item(&g, 0xe000, 24);
    golden_put(&g, 0x00400278, "LO", "after the item..", 16);
    /* Fragments, one of which holds the bytes of a delimiter. */
    golden_put_header(&g, 0x7fe00010, "OB", UNDEFINED);
    golden_put_item(&g, 0xe000, 0);
    golden_put_item(&g, 0xe000, 8);
    golden_put_item(&g, 0xe0dd, 0);
    size_t before = g.writer.len;
    golden_put_item(&g, 0xe0dd, 0);
    expect(OUTCOME_PENDING, REASON_NONE);
    expect_len(before, OUTCOME_FAILED, REASON_TRUNCATED);
}

Test(scan, elements_inside_sequences_do_not_name_the_instance)
{
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_uid(&g, 0x00080016, GOLDEN_CLASS);
    golden_put_header(&g, 0x00081140, "SQ", UNDEFINED);
    golden_put_item(&g, 0xe000, UNDEFINED);
    golden_put_names(&g);
    golden_put_item(&g, 0xe00d, 0);
    golden_put_item(&g, 0xe0dd, 0);
    golden_put_uid(&g, 0x0020000d, GOLDEN_STUDY);
    expect(OUTCOME_FAILED, REASON_NO_INSTANCE_UID);
}

/* As DCMTK and GDCM have it. */
Test(scan, first_of_two_counts)
{
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    golden_put_uid(&g, 0x0020000d, "1.9");
    struct instance *instance = scan_bytes(g.writer.len);
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
    cr_expect_str_eq(instance->file.study_uid, GOLDEN_STUDY);
    instance_destroy(instance);
}

Test(scan, names_behind_much_else)
{
    for (size_t i = 0; i < 4; i++) {
        golden_begin(&g, syntaxes[i].uid, syntaxes[i].form);
        golden_put_uid(&g, 0x00080016, GOLDEN_CLASS);
        golden_put_uid(&g, 0x00080018, GOLDEN_INSTANCE);
        golden_put_header(&g, 0x00091010, "OB", 100000);
        memset(bytes_reserve(&g.writer, 100000), (int)i, 100000);
        golden_put_uid(&g, 0x0020000d, GOLDEN_STUDY);
        if (syntaxes[i].deflated)
            golden_deflate(&g);
        struct instance *instance = scan_bytes(g.writer.len);
        cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
        cr_expect_str_eq(instance->file.study_uid, GOLDEN_STUDY);
        instance_destroy(instance);
    }
}

Test(scan, what_is_no_file, .timeout = 10)
{
    char folder[] = "/tmp/scan-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    cr_assert_eq(mkfifo(path, 0600), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    const char *paths[] = {path, address.sun_path, folder, "/dev/null"};
    for (size_t i = 0; i < 4; i++) {
        struct instance *instance = scan_path(paths[i]);
        cr_expect_eq(instance->outcome.state, OUTCOME_SKIPPED);
        cr_expect_eq(instance->outcome.reason, REASON_NOT_A_FILE, "%s", paths[i]);
        cr_expect_str_eq(instance->file.path, paths[i]);
        instance_destroy(instance);
    }
    close(fd);
    unlink(path);
    unlink(address.sun_path);
    rmdir(folder);
    struct instance *instance = scan_path(path);
    cr_expect_eq(instance->outcome.state, OUTCOME_FAILED);
    cr_expect_eq(instance->outcome.reason, REASON_MISSING);
    cr_expect_lt(instance->outcome.error, 0);
    instance_destroy(instance);
}

Test(scan, unreadable)
{
    make(0);
    char path[GOLDEN_PATH_SIZE];
    golden_write(&g, g.writer.len, path);
    cr_assert_eq(chmod(path, 0), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    struct instance *instance = scan_path(path);
    cr_expect_eq(instance->outcome.state, OUTCOME_FAILED);
    cr_expect_eq(instance->outcome.reason, REASON_UNREADABLE);
    cr_expect_eq(instance->outcome.error, -13);
    instance_destroy(instance);
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    unlink(path);
}

/* Put pixel data of `len` zeros behind the names, deflated: a thousandth of its size. */
static void make_bomb(uint32_t len)
{
    static uint8_t zeros[1 << 20];
    golden_begin(&g, DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_names(&g);
    golden_put_header(&g, 0x7fe00010, "OB", len);
    static uint8_t deflated[GOLDEN_SIZE];
    z_stream stream = {.next_out = deflated, .avail_out = sizeof deflated};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = g.bytes + g.data_offset;
    stream.avail_in = (uInt)(g.writer.len - g.data_offset);
    cr_assert_eq(deflate(&stream, Z_NO_FLUSH), Z_OK);
    for (uint32_t done = 0; done < len; done += sizeof zeros) {
        stream.next_in = zeros;
        stream.avail_in = sizeof zeros;
        cr_assert_eq(deflate(&stream, Z_NO_FLUSH), Z_OK);
        cr_assert_eq(stream.avail_in, 0);
    }
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    g.writer.len = g.data_offset;
    bytes_put(&g.writer, deflated, sizeof deflated - stream.avail_out);
    deflateEnd(&stream);
}

/* Followed to its end if that is near, and else for a bounded time. */
Test(scan, deflate_bomb, .timeout = 60)
{
    make_bomb(64 << 20);
    cr_expect_lt(g.writer.len, 80000);
    expect(OUTCOME_PENDING, REASON_NONE);
    expect_len(g.writer.len - 1, OUTCOME_FAILED, REASON_TRUNCATED);
    make_bomb(400 << 20);
    expect(OUTCOME_PENDING, REASON_NONE);
    /* Too long to follow: what is missing at its end is not seen. */
    expect_len(g.writer.len - 1, OUTCOME_PENDING, REASON_NONE);
}

static void expect_same(const struct instance *one, const struct instance *other, int round)
{
    const struct outcome *first = &one->outcome, *second = &other->outcome;
    cr_expect_eq(first->state, second->state, "round %d", round);
    cr_expect_eq(first->reason, second->reason, "round %d: %s and %s", round, outcome_reason_name(first->reason),
                 outcome_reason_name(second->reason));
    cr_expect_eq(first->offset, second->offset, "round %d", round);
    cr_expect_eq(first->detail, second->detail, "round %d", round);
    cr_expect_eq(first->leading_zero_uid, second->leading_zero_uid, "round %d", round);
    cr_expect_eq(first->meta_differs, second->meta_differs, "round %d", round);
    cr_expect_str_eq(one->file.study_uid, other->file.study_uid, "round %d", round);
    cr_expect_str_eq(one->file.series_uid, other->file.series_uid, "round %d", round);
    cr_expect_str_eq(one->file.instance_uid, other->file.instance_uid, "round %d", round);
    cr_expect_str_eq(one->file.class_uid, other->file.class_uid, "round %d", round);
    cr_expect_str_eq(one->file.syntax_uid, other->file.syntax_uid, "round %d", round);
}

/*
 * Bytes changed at random: whatever comes out, it comes out, and what the scanner has read before makes no difference.
 * Sanitizers watch.
 */
Test(scan, survives_damage, .timeout = 120)
{
    struct scanner *scanner = scanner_create(&options);
    uint64_t random = 88172645463325252;
    for (int round = 0; round < 3000; round++) {
        make((size_t)round % SYNTAX_COUNT);
        if (round % 7 == 0) {
            g.form = round % 2 == 0 ? SYNTAX_EXPLICIT_LE : SYNTAX_IMPLICIT_LE;
            put_nested(10, round % 3 == 0, "UN");
        }
        for (int change = 0; change < 1 + round % 8; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t at = 132 + (size_t)(random >> 16) % (g.writer.len - 132);
            g.bytes[at] = random % 3 == 0 ? 0xff : (uint8_t)(random >> 8);
        }
        char path[GOLDEN_PATH_SIZE];
        golden_write(&g, g.writer.len, path);
        struct instance *instance = scanner_read(scanner, path);
        cr_expect(instance->outcome.state == OUTCOME_PENDING || instance->outcome.reason != REASON_NONE);
        struct instance *fresh = scan_path(path);
        expect_same(instance, fresh, round);
        instance_destroy(fresh);
        instance_destroy(instance);
        unlink(path);
    }
    scanner_destroy(scanner);
}

Test(scan, a_uid_goes_on_behind_a_nul)
{
    golden_begin(&g, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, SYNTAX_EXPLICIT_LE);
    golden_put_uid(&g, 0x00080016, GOLDEN_CLASS);
    golden_put(&g, 0x00080018, "UI", "1.2\0.3", 6);
    golden_put_uid(&g, 0x0020000d, GOLDEN_STUDY);
    expect(OUTCOME_FAILED, REASON_BAD_UID);
}

/* Tags at which GDCM's element readers stop early, or read something else. */
Test(scan, gdcm_reads_elements_and_nothing_else)
{
    static const uint8_t tags[][4] = {{0xfe, 0xff, 0x00, 0xe0}, {0xfe, 0xff, 0xdd, 0xe0}, {0xff, 0x00, 0xa5, 0x4a}};
    struct gdcm_header_reader *reader = gdcm_header_reader_create();
    for (int form = GDCM_HEADER_EXPLICIT_LE; form <= GDCM_HEADER_IMPLICIT_LE; form++) {
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
            uint8_t bytes[16] = {0};
            struct gdcm_header_element element;
            memcpy(bytes, tags[i], 4);
            int len = gdcm_header_read_element(reader, (enum gdcm_header_form)form, bytes, sizeof bytes, &element);
            cr_expect(len < 0 || len >= 8, "form %d, tag %zu: %d", form, i, len);
        }
    }
    gdcm_header_reader_destroy(reader);
}

static struct scanner *sample_scanner;
static size_t samples_compared;

/* What gdcm::Reader says of the file must be what the scanner says. */
static int compare_sample(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    if (type != FTW_F)
        return 0;
    struct instance *instance = scanner_read(sample_scanner, path);
    struct gdcm_header_uids uids;
    if (instance->outcome.state == OUTCOME_PENDING) {
        cr_expect_eq(gdcm_header_read_file(path, &uids), 0, "gdcm::Reader cannot read %s", path);
        cr_expect_str_eq(instance->file.study_uid, uids.study_uid, "%s", path);
        cr_expect_str_eq(instance->file.series_uid, uids.series_uid, "%s", path);
        cr_expect_str_eq(instance->file.instance_uid, uids.instance_uid, "%s", path);
        cr_expect_str_eq(instance->file.class_uid, uids.class_uid, "%s", path);
        cr_expect_str_eq(instance->file.syntax_uid, uids.syntax_uid, "%s", path);
        samples_compared++;
    }
    instance_destroy(instance);
    return 0;
}

Test(scan, agrees_with_gdcm_reader_on_real_files, .timeout = 60)
{
    if (access(SAMPLES_FOLDER, R_OK) < 0)
        cr_skip_test("python3-pydicom is not installed");
    sample_scanner = scanner_create(&options);
    nftw(SAMPLES_FOLDER, compare_sample, 16, FTW_PHYS);
    scanner_destroy(sample_scanner);
    cr_expect_geq(samples_compared, 150, "%zu", samples_compared);
}
