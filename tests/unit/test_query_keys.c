/* query_keys: what people write becomes an identifier, or one line that says what is wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/query_keys.h"

static struct query_keys keys;
static char message[512];

static void begin(void)
{
    cr_assert_eq(query_keys_init(&keys, DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_LEVEL_STUDY, false), 0);
}

static void finish(void)
{
    query_keys_fini(&keys);
}
TestSuite(query_keys, .init = begin, .fini = finish);

static const char *value_of(uint32_t tag)
{
    static char text[256];
    cr_assert(dicomnet_identifier_find(&keys.identifier, tag, NULL), "%08X is not there", tag);
    dicomnet_identifier_get_text(&keys.identifier, tag, text, sizeof text);
    return text;
}

#define ADDS(text, tag, value)                                                                                         \
    do {                                                                                                               \
        cr_assert_eq(query_keys_add(&keys, text, message, sizeof message), 0, "%s", message);                          \
        cr_assert_str_eq(value_of(tag), value);                                                                        \
    } while (0)
#define WRONG(text, expected)                                                                                          \
    do {                                                                                                               \
        cr_assert_eq(query_keys_add(&keys, text, message, sizeof message), -1, "%s is taken", text);                   \
        cr_assert_str_eq(message, expected);                                                                           \
    } while (0)

Test(query_keys, keys_by_keyword_and_by_tag)
{
    ADDS("PatientName=DOE^*", DICOMNET_TAG_PATIENT_NAME, "DOE^*");
    ADDS("patientid=A=B", DICOMNET_TAG_PATIENT_ID, "A=B");
    ADDS(" StudyDate =20240101-", DICOMNET_TAG_STUDY_DATE, "20240101-");
    ADDS("0020,000D=1.2.3\\1.2.4", DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2.3\\1.2.4");
    ADDS("(0010,0010)=ROE^?", DICOMNET_TAG_PATIENT_NAME, "ROE^?");
    ADDS("00080061=CT", DICOMNET_TAG_MODALITIES_IN_STUDY, "CT");
    ADDS("StudyDescription", DICOMNET_TAG_STUDY_DESCRIPTION, "");
    ADDS("StudyDescription=", DICOMNET_TAG_STUDY_DESCRIPTION, "");
    ADDS("NumberOfStudyRelatedInstances=12", DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_INSTANCES, "12");
    cr_assert_eq(keys.tags[0], DICOMNET_TAG_STUDY_INSTANCE_UID);
    cr_assert_eq(keys.tags[1], DICOMNET_TAG_PATIENT_NAME);
    cr_assert_eq(keys.count, 7, "each is shown once");
    cr_assert_not(dicomnet_identifier_find(&keys.identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, NULL));
}

Test(query_keys, what_is_typed_is_utf8)
{
    ADDS("PatientName=M\xc3\xbcller*", DICOMNET_TAG_PATIENT_NAME, "M\xc3\xbcller*");
    cr_assert_str_eq(value_of(DICOMNET_TAG_SPECIFIC_CHARACTER_SET), "ISO_IR 192");
}

Test(query_keys, what_is_no_key)
{
    WRONG("", "'' begins with no key: it is KEY or KEY=VALUE");
    WRONG("=2024", "'=2024' begins with no key: it is KEY or KEY=VALUE");
    WRONG("PatientNam=X", "'PatientNam' is neither a keyword of the standard nor a tag like 0010,0020; near to it: "
                          "PatientName, PatientID, PatientSex");
    WRONG("0010,001G=X", "'0010,001G' is neither a keyword of the standard nor a tag like 0010,0020");
    WRONG("QueryRetrieveLevel=SERIES", "QueryRetrieveLevel: the level is said with --level; it is STUDY");
    WRONG("0002,0010", "0002,0010: that element cannot be in a query");
    WRONG("0010,0000", "0010,0000: that element cannot be in a query");
}

/* A query as other tools take it: a DICOM file whose elements are the keys. */
Test(query_keys, a_dicom_file)
{
    static const char meta[] = "\x02\x00\x00\x00UL\x04\x00\x1a\x00\x00\x00"
                               "\x02\x00\x10\x00UI\x12\x00"
                               "1.2.840.10008.1.2\0";
    static const char data[] = "\x08\x00\x52\x00\x06\x00\x00\x00STUDY "
                               "\x10\x00\x20\x00\x04\x00\x00\x00"
                               "4711"
                               "\x20\x00\x0d\x00\x04\x00\x00\x00"
                               "1.23";
    char path[] = "/tmp/test_query_keys_XXXXXX", preamble[132] = "", text[256];
    struct query_keys found;
    int fd = mkstemp(path);
    memcpy(preamble + 128, "DICM", 4);
    cr_assert_eq(write(fd, preamble, sizeof preamble), sizeof preamble);
    cr_assert_eq(write(fd, meta, sizeof meta - 1), sizeof meta - 1);
    cr_assert_eq(write(fd, data, sizeof data - 1), sizeof data - 1);
    close(fd);
    cr_assert_eq(query_keys_init(&found, DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_LEVEL_STUDY, false), 0);
    cr_assert_eq(query_keys_add_file(&found, path, text, sizeof text), 0, "%s", text);
    cr_assert(dicomnet_identifier_get_text(&found.identifier, DICOMNET_TAG_PATIENT_ID, text, sizeof text));
    cr_assert_str_eq(text, "4711");
    cr_assert(dicomnet_identifier_get_text(&found.identifier, DICOMNET_TAG_STUDY_INSTANCE_UID, text, sizeof text));
    cr_assert_str_eq(text, "1.23");
    query_keys_fini(&found);
    cr_assert_eq(query_keys_init(&found, DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_LEVEL_SERIES, false), 0);
    cr_assert_eq(query_keys_add_file(&found, path, text, sizeof text), -1);
    cr_assert_not_null(strstr(text, "the level is said with --level; it is SERIES"), "%s", text);
    query_keys_fini(&found);
    cr_assert_eq(truncate(path, 200), 0);
    cr_assert_eq(query_keys_init(&found, DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_LEVEL_STUDY, false), 0);
    cr_assert_eq(query_keys_add_file(&found, path, text, sizeof text), -1, "it is cut");
    query_keys_fini(&found);
    unlink(path);
}

Test(query_keys, values_that_cannot_match)
{
    const char *dates = "is no date: YYYYMMDD, YYYYMMDD-, -YYYYMMDD or YYYYMMDD-YYYYMMDD (its VR is DA)";
    static const char *const wrong[] = {"2024", "2024-01-01", "20240101-2024", "-", "2024010-", "today"};
    static const char *const right[] = {"20240101", "20240101-", "-20240101", "20240101-20241231", "", "*"};
    char text[64], expected[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "StudyDate=%s", wrong[i]);
        snprintf(expected, sizeof expected, "StudyDate: '%s' %s", wrong[i], dates);
        WRONG(text, expected);
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        snprintf(text, sizeof text, "StudyDate=%s", right[i]);
        ADDS(text, DICOMNET_TAG_STUDY_DATE, right[i]);
    }
    WRONG("StudyInstanceUID=../x",
          "StudyInstanceUID: '../x' is no UID, nor several separated by backslashes (its VR is UI)");
    WRONG("Rows=many", "Rows: 'many' is no value for it (its VR is US)");
    WRONG("PixelData=1", "PixelData: '1' is no value for it (its VR is OW)");
}

Test(query_keys, each_level_has_the_keys_above_it)
{
    query_keys_fini(&keys);
    cr_assert_eq(query_keys_init(&keys, DICOMNET_QUERY_PATIENT_ROOT, DICOMNET_QUERY_LEVEL_IMAGE, true), 0);
    cr_assert_str_eq(value_of(DICOMNET_TAG_QUERY_RETRIEVE_LEVEL), "IMAGE");
    cr_assert_str_eq(value_of(DICOMNET_TAG_PATIENT_ID), "");
    cr_assert_str_eq(value_of(DICOMNET_TAG_STUDY_INSTANCE_UID), "");
    cr_assert_str_eq(value_of(DICOMNET_TAG_SERIES_INSTANCE_UID), "");
    cr_assert_str_eq(value_of(DICOMNET_TAG_SOP_INSTANCE_UID), "");
    cr_assert_not(dicomnet_identifier_find(&keys.identifier, DICOMNET_TAG_PATIENT_NAME, NULL));
    query_keys_fini(&keys);
    cr_assert_eq(query_keys_init(&keys, DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_LEVEL_SERIES, false), 0);
    cr_assert_eq(keys.count, 2);
    cr_assert_not(dicomnet_identifier_find(&keys.identifier, DICOMNET_TAG_PATIENT_ID, NULL));
}

Test(query_keys, a_file_of_keys)
{
    char path[] = "/tmp/test_query_keys_XXXXXX", expected[256];
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("# studies of a name\n\n  PatientName=DOE^*  \r\n\tStudyDate\nStudyDate=2024\n", file);
    fclose(file);
    cr_assert_eq(query_keys_add_file(&keys, path, message, sizeof message), -1);
    snprintf(expected, sizeof expected, "%s:5: StudyDate: '2024' is no date", path);
    cr_assert_eq(strncmp(message, expected, strlen(expected)), 0, "%s", message);
    cr_assert_str_eq(value_of(DICOMNET_TAG_PATIENT_NAME), "DOE^*");
    unlink(path);
    cr_assert_eq(query_keys_add_file(&keys, path, message, sizeof message), -1);
    snprintf(expected, sizeof expected, "'%s': No such file or directory", path);
    cr_assert_str_eq(message, expected);
}
