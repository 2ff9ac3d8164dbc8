/*
 * dictionary - the standard's data elements (PS3.6 chapter 6): tag, value representation and keyword, both ways.
 *
 * A tag is one number, group and element: 0x00100020 is (0010,0020), PatientID. Tables are static; nothing is
 * allocated.
 */
#ifndef DICOMNET_DICTIONARY_H
#define DICOMNET_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The tags that queries are made of. */
enum {
    DICOMNET_TAG_SPECIFIC_CHARACTER_SET = 0x00080005,
    DICOMNET_TAG_SOP_CLASS_UID = 0x00080016,
    DICOMNET_TAG_SOP_INSTANCE_UID = 0x00080018,
    DICOMNET_TAG_STUDY_DATE = 0x00080020,
    DICOMNET_TAG_STUDY_TIME = 0x00080030,
    DICOMNET_TAG_ACCESSION_NUMBER = 0x00080050,
    DICOMNET_TAG_QUERY_RETRIEVE_LEVEL = 0x00080052,
    DICOMNET_TAG_RETRIEVE_AE_TITLE = 0x00080054,
    DICOMNET_TAG_INSTANCE_AVAILABILITY = 0x00080056,
    DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST = 0x00080058,
    DICOMNET_TAG_MODALITY = 0x00080060,
    DICOMNET_TAG_MODALITIES_IN_STUDY = 0x00080061,
    DICOMNET_TAG_SOP_CLASSES_IN_STUDY = 0x00080062,
    DICOMNET_TAG_STUDY_DESCRIPTION = 0x00081030,
    DICOMNET_TAG_SERIES_DESCRIPTION = 0x0008103E,
    DICOMNET_TAG_PATIENT_NAME = 0x00100010,
    DICOMNET_TAG_PATIENT_ID = 0x00100020,
    DICOMNET_TAG_PATIENT_BIRTH_DATE = 0x00100030,
    DICOMNET_TAG_PATIENT_SEX = 0x00100040,
    DICOMNET_TAG_STUDY_INSTANCE_UID = 0x0020000D,
    DICOMNET_TAG_SERIES_INSTANCE_UID = 0x0020000E,
    DICOMNET_TAG_STUDY_ID = 0x00200010,
    DICOMNET_TAG_SERIES_NUMBER = 0x00200011,
    DICOMNET_TAG_INSTANCE_NUMBER = 0x00200013,
    DICOMNET_TAG_NUMBER_OF_PATIENT_RELATED_STUDIES = 0x00201200,
    DICOMNET_TAG_NUMBER_OF_PATIENT_RELATED_SERIES = 0x00201202,
    DICOMNET_TAG_NUMBER_OF_PATIENT_RELATED_INSTANCES = 0x00201204,
    DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_SERIES = 0x00201206,
    DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_INSTANCES = 0x00201208,
    DICOMNET_TAG_NUMBER_OF_SERIES_RELATED_INSTANCES = 0x00201209
};

/* What an item of a sequence begins with (PS3.5 7.5). */
#define DICOMNET_TAG_ITEM UINT32_C(0xFFFEE000)

/* One row. Where the standard leaves a choice of VR ("US or SS") it is the first of them, but OW of "OB or OW". */
struct dicomnet_dictionary_entry {
    uint32_t tag;
    char vr[3];
    const char *keyword;
};

/* The row for a tag, or NULL. Repeating groups (50xx, 60xx, ...) and private tags are not listed. */
const struct dicomnet_dictionary_entry *dicomnet_dictionary_find_tag(uint32_t tag);

/* The row for a keyword ("PatientID"), whatever its case, or NULL. */
const struct dicomnet_dictionary_entry *dicomnet_dictionary_find_keyword(const char *keyword);

/* The keyword of a tag, or "" if the standard does not list it. */
const char *dicomnet_dictionary_keyword(uint32_t tag);

/*
 * The VR of a tag for an Implicit VR data set: that of the row, LO for a private creator (odd group, elements 0010 to
 * 00FF), UL for a group length, UN otherwise. Static.
 */
const char *dicomnet_dictionary_vr(uint32_t tag);

/*
 * The tag that a person wrote: "PatientID", "0010,0020", "(0010,0020)" or "00100020". False if it is neither a keyword
 * nor of these forms; a tag need not be in the dictionary.
 */
bool dicomnet_dictionary_parse_tag(const char *text, uint32_t *ret_tag);

enum { DICOMNET_DICTIONARY_NEAREST_MAX = 8 };

/*
 * The keywords nearest to a mistyped one (Levenshtein distance, case ignored; or it is part of them), best first, at
 * most `count` and DICOMNET_DICTIONARY_NEAREST_MAX. Those that are too far off are left out. Returns how many.
 */
size_t dicomnet_dictionary_find_nearest(const char *keyword, const char **ret_keywords, size_t count);

#ifdef __cplusplus
}
#endif

#endif
