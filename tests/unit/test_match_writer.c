/* match_writer and dicom_json: matches as a table, CSV and the DICOM JSON Model. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dicomnet/identifier.h"
#include "report/match_writer.h"

static const uint32_t columns[] = {DICOMNET_TAG_PATIENT_NAME, DICOMNET_TAG_STUDY_DATE, 0x00091001,
                                   DICOMNET_TAG_STUDY_INSTANCE_UID};
static struct dicomnet_identifier match;

static void begin(void)
{
    dicomnet_identifier_init(&match);
}

static void finish(void)
{
    dicomnet_identifier_fini(&match);
}
TestSuite(match_writer, .init = begin, .fini = finish);

static void set(uint32_t tag, const char *text)
{
    cr_assert_eq(dicomnet_identifier_set_text_as_it_is(&match, tag, text), 0);
}

static void set_bytes(uint32_t tag, const char *vr, const char *bytes, size_t len)
{
    cr_assert_eq(dicomnet_identifier_set_bytes(&match, tag, vr, (struct dicomnet_span){(const uint8_t *)bytes, len}),
                 0);
}

static unsigned screen_columns;

/* What is written for `count` times this match. */
static char *written(enum match_format format, size_t count)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct match_writer *writer = match_writer_create(format, out, screen_columns, columns, 4);
    cr_assert_not_null(writer);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(match_writer_put(writer, &match), 0);
    cr_assert_eq(match_writer_finish(writer), 0);
    match_writer_destroy(writer);
    fclose(out);
    return text;
}

#define WRITES(format, count, expected)                                                                                \
    do {                                                                                                               \
        char *text_ = written((format), (count));                                                                      \
        cr_assert_str_eq(text_, expected);                                                                             \
        free(text_);                                                                                                   \
    } while (0)

Test(match_writer, nothing_matches)
{
    WRITES(MATCH_TABLE, 0, "");
    WRITES(MATCH_CSV, 0, "");
    WRITES(MATCH_JSON, 0, "[]\n");
}

Test(match_writer, a_table_is_as_wide_as_what_is_in_it)
{
    set(DICOMNET_TAG_PATIENT_NAME, "DOE^JANE\a!");
    set(DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2.3");
    WRITES(MATCH_TABLE, 2,
           "PatientName    StudyDate  0009,1001  StudyInstanceUID\n"
           "DOE^JANE\\x07!                        1.2.3\n"
           "DOE^JANE\\x07!                        1.2.3\n");
}

Test(match_writer, a_table_wider_than_the_terminal_is_turned)
{
    set(DICOMNET_TAG_PATIENT_NAME, "DOE^JANE");
    set(DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2.3");
    screen_columns = 52;
    WRITES(MATCH_TABLE, 1,
           "PatientName  StudyDate  0009,1001  StudyInstanceUID\n"
           "DOE^JANE                           1.2.3\n");
    screen_columns = 50;
    WRITES(MATCH_TABLE, 2,
           "PatientName       DOE^JANE\nStudyDate\n0009,1001\nStudyInstanceUID  1.2.3\n\n"
           "PatientName       DOE^JANE\nStudyDate\n0009,1001\nStudyInstanceUID  1.2.3\n");
    char *text = written(MATCH_TABLE, MATCH_TABLE_ROWS + 2);
    cr_expect_eq(strlen(text), (MATCH_TABLE_ROWS + 2) * (strlen("PatientName       DOE^JANE\nStudyDate\n0009,1001\n"
                                                                "StudyInstanceUID  1.2.3\n\n")) -
                                   1);
    free(text);
    WRITES(MATCH_CSV, 1, "PatientName,StudyDate,\"0009,1001\",StudyInstanceUID\nDOE^JANE,,,1.2.3\n");
}

Test(match_writer, a_cell_has_an_end_and_wide_characters_count_twice)
{
    set(DICOMNET_TAG_SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    set(DICOMNET_TAG_PATIENT_NAME, "山田^太郎");
    char *table = written(MATCH_TABLE, 1);
    cr_assert_not_null(strstr(table, "\n山田^太郎           "), "%s", table);
    free(table);
    char name[101];
    memset(name, 'x', 100);
    name[100] = '\0';
    set(DICOMNET_TAG_PATIENT_NAME, name);
    table = written(MATCH_TABLE, 1);
    memcpy(name + 61, "... ", 5);
    cr_assert_not_null(strstr(table, name), "%s", table);
    free(table);
}

Test(match_writer, csv_quotes_what_it_must)
{
    set(DICOMNET_TAG_PATIENT_NAME, "DOE, \"J\"");
    set(DICOMNET_TAG_STUDY_DATE, "20240131");
    WRITES(MATCH_CSV, 1,
           "PatientName,StudyDate,\"0009,1001\",StudyInstanceUID\n"
           "\"DOE, \"\"J\"\"\",20240131,,\n");
}

Test(match_writer, json_texts_and_numbers)
{
    set(DICOMNET_TAG_SPECIFIC_CHARACTER_SET, "ISO_IR 100");
    set(DICOMNET_TAG_PATIENT_NAME, "M\xfcller^J=\xc4=x");
    set(DICOMNET_TAG_PATIENT_ID, "a\"b");
    set(DICOMNET_TAG_MODALITIES_IN_STUDY, "CT\\\\MR");
    set(DICOMNET_TAG_SERIES_NUMBER, "007");
    set(DICOMNET_TAG_INSTANCE_NUMBER, "12");
    set(0x00281052, "-1024.50"); /* RescaleIntercept, DS */
    set(0x00280010, "512");      /* Rows, US */
    set(0x00280009, "00181063"); /* FrameIncrementPointer, AT */
    set(DICOMNET_TAG_STUDY_DATE, "");
    set_bytes(0x00420011, "OB", "abcd", 4);
    WRITES(MATCH_JSON, 1,
           "[\n{\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR 192\"]},\"00080020\":{\"vr\":\"DA\"},"
           "\"00080061\":{\"vr\":\"CS\",\"Value\":[\"CT\",null,\"MR\"]},"
           "\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"M\xc3\xbcller^J\",\"Ideographic\":\"\xc3\x84\","
           "\"Phonetic\":\"x\"}]},"
           "\"00100020\":{\"vr\":\"LO\",\"Value\":[\"a\\\"b\"]},"
           "\"00200011\":{\"vr\":\"IS\",\"Value\":[\"007\"]},\"00200013\":{\"vr\":\"IS\",\"Value\":[12]},"
           "\"00280009\":{\"vr\":\"AT\",\"Value\":[\"00181063\"]},\"00280010\":{\"vr\":\"US\",\"Value\":[512]},"
           "\"00281052\":{\"vr\":\"DS\",\"Value\":[-1024.50]},"
           "\"00420011\":{\"vr\":\"OB\",\"InlineBinary\":\"YWJjZA==\"}}\n]\n");
}

Test(match_writer, json_sequences_within_sequences)
{
    struct dicomnet_identifier inner, item;
    dicomnet_identifier_init(&inner);
    dicomnet_identifier_init(&item);
    cr_assert_eq(dicomnet_identifier_set_text(&inner, 0x00080100, "X"), 0);
    cr_assert_eq(dicomnet_identifier_append_item(&item, 0x00400008, &inner), 0);
    cr_assert_eq(dicomnet_identifier_set_text(&item, 0x00400009, "S"), 0);
    cr_assert_eq(dicomnet_identifier_append_item(&match, 0x00400100, &item), 0);
    dicomnet_identifier_clear(&item);
    cr_assert_eq(dicomnet_identifier_append_item(&match, 0x00400100, &item), 0);
    set(0x00321064, "");
    set(0x00401001, "Y");
    WRITES(
        MATCH_JSON, 2,
        "[\n{\"00321064\":{\"vr\":\"SQ\"},\"00400100\":{\"vr\":\"SQ\",\"Value\":[{\"00400008\":{\"vr\":\"SQ\","
        "\"Value\":[{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"X\"]}}]},\"00400009\":{\"vr\":\"SH\",\"Value\":[\"S\"]}},"
        "{}]},\"00401001\":{\"vr\":\"SH\",\"Value\":[\"Y\"]}},\n"
        "{\"00321064\":{\"vr\":\"SQ\"},\"00400100\":{\"vr\":\"SQ\",\"Value\":[{\"00400008\":{\"vr\":\"SQ\","
        "\"Value\":[{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"X\"]}}]},\"00400009\":{\"vr\":\"SH\",\"Value\":[\"S\"]}},"
        "{}]},\"00401001\":{\"vr\":\"SH\",\"Value\":[\"Y\"]}}\n]\n");
    dicomnet_identifier_fini(&inner);
    dicomnet_identifier_fini(&item);
}

/* The stream is asked for no more than the rows that widths need: after them each row goes out at once. */
Test(match_writer, the_table_keeps_no_more_than_its_first_rows)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct match_writer *writer = match_writer_create(MATCH_TABLE, out, 0, columns, 4);
    set(DICOMNET_TAG_PATIENT_NAME, "A");
    for (size_t i = 1; i < MATCH_TABLE_ROWS; i++)
        cr_assert_eq(match_writer_put(writer, &match), 0);
    fflush(out);
    cr_assert_eq(len, 0);
    cr_assert_eq(match_writer_put(writer, &match), 0);
    fflush(out);
    size_t first = len;
    cr_assert_gt(first, MATCH_TABLE_ROWS);
    cr_assert_eq(match_writer_put(writer, &match), 0);
    fflush(out);
    cr_assert_gt(len, first);
    match_writer_destroy(writer);
    fclose(out);
    free(text);
}
