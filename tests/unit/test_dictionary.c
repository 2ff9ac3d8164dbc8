/* The dictionary: both ways, and what people write. That it is whole is checked by check_tag_table.py. */
#include <criterion/criterion.h>
#include <string.h>

#include "dicomnet/dictionary.h"

Test(dictionary, tags_keywords_and_vrs)
{
    static const struct dicomnet_dictionary_entry rows[] = {
        {DICOMNET_TAG_PATIENT_NAME, "PN", "PatientName"},
        {DICOMNET_TAG_STUDY_INSTANCE_UID, "UI", "StudyInstanceUID"},
        {0x00280106, "US", "SmallestImagePixelValue"}, /* US or SS */
        {0x7FE00010, "OW", "PixelData"},               /* OB or OW */
        {0x00020010, "UI", "TransferSyntaxUID"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_tag(rows[i].tag);
        cr_assert_not_null(entry);
        cr_assert_str_eq(entry->keyword, rows[i].keyword);
        cr_assert_str_eq(entry->vr, rows[i].vr);
        cr_assert_eq(dicomnet_dictionary_find_keyword(rows[i].keyword), entry);
        cr_assert_str_eq(dicomnet_dictionary_keyword(rows[i].tag), rows[i].keyword);
    }
    cr_assert_null(dicomnet_dictionary_find_tag(0x00100011));
    cr_assert_null(dicomnet_dictionary_find_tag(0));
    cr_assert_null(dicomnet_dictionary_find_tag(UINT32_MAX));
    cr_assert_null(dicomnet_dictionary_find_keyword("PatientNam"));
    cr_assert_null(dicomnet_dictionary_find_keyword(""));
    cr_assert_str_eq(dicomnet_dictionary_keyword(0x00091001), "");
}

Test(dictionary, vrs_of_what_is_not_listed)
{
    cr_assert_str_eq(dicomnet_dictionary_vr(DICOMNET_TAG_PATIENT_ID), "LO");
    cr_assert_str_eq(dicomnet_dictionary_vr(0x00090010), "LO"); /* a private creator */
    cr_assert_str_eq(dicomnet_dictionary_vr(0x000900FF), "LO");
    cr_assert_str_eq(dicomnet_dictionary_vr(0x00091000), "UN");
    cr_assert_str_eq(dicomnet_dictionary_vr(0x00080000), "UL"); /* a group length */
    cr_assert_str_eq(dicomnet_dictionary_vr(0x00101234), "UN");
}

Test(dictionary, what_people_write)
{
    static const char *const good[] = {"0020,000D", "0020,000d",        "(0020,000D)",
                                       "0020000d",  "StudyInstanceUID", "studyinstanceuid"};
    static const char *const bad[] = {"",           "0020",       "0020,00D",   "0020,000D ",
                                      "(0020,000D", "(0020000D)", "0020,000DD", "0020,000D)",
                                      "Study",      "0x0020000D", "0020;000D",  "StudyInstanc"};
    uint32_t tag;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        tag = 0;
        cr_assert(dicomnet_dictionary_parse_tag(good[i], &tag), "%s", good[i]);
        cr_assert_eq(tag, DICOMNET_TAG_STUDY_INSTANCE_UID, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert(!dicomnet_dictionary_parse_tag(bad[i], &tag), "%s", bad[i]);
    cr_assert(dicomnet_dictionary_parse_tag("0009,1001", &tag) && tag == 0x00091001, "a private tag is one too");
}

Test(dictionary, the_nearest_of_a_mistyped_keyword)
{
    const char *nearest[DICOMNET_DICTIONARY_NEAREST_MAX + 1];
    cr_assert_geq(dicomnet_dictionary_find_nearest("PatientNam", nearest, 3), 1);
    cr_assert_str_eq(nearest[0], "PatientName");
    cr_assert_geq(dicomnet_dictionary_find_nearest("studydat", nearest, 3), 1);
    cr_assert_str_eq(nearest[0], "StudyDate");
    cr_assert_geq(dicomnet_dictionary_find_nearest("StudyInstnaceUID", nearest, 3), 1);
    cr_assert_str_eq(nearest[0], "StudyInstanceUID");
    size_t count = dicomnet_dictionary_find_nearest("BirthDate", nearest, DICOMNET_DICTIONARY_NEAREST_MAX + 1);
    cr_assert(count > 0 && count <= DICOMNET_DICTIONARY_NEAREST_MAX);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(nearest[i], "PatientBirthDate") == 0;
    cr_assert(found, "a part of a keyword finds it");
    cr_assert_eq(dicomnet_dictionary_find_nearest("xyzzyxyzzy", nearest, 3), 0);
    cr_assert_eq(dicomnet_dictionary_find_nearest("", nearest, 3), 0);
    char long_one[300];
    memset(long_one, 'a', sizeof long_one);
    long_one[sizeof long_one - 1] = '\0';
    cr_assert_eq(dicomnet_dictionary_find_nearest(long_one, nearest, 3), 0);
}
