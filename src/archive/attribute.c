/* attribute - see archive/attribute.h. */
#include "archive/attribute.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/charset.h"

#define PATIENT  DICOMNET_QUERY_LEVEL_PATIENT
#define STUDY    DICOMNET_QUERY_LEVEL_STUDY
#define SERIES   DICOMNET_QUERY_LEVEL_SERIES
#define INSTANCE DICOMNET_QUERY_LEVEL_IMAGE

/* The distinct values of a series' or instance's column below a study, as one value with backslashes. */
#define DISTINCT_IN_STUDY(column, tables)                                                                              \
    "(SELECT group_concat(v, '\\') FROM (SELECT DISTINCT " column " AS v FROM " tables                                 \
    " WHERE series.parent = study.id AND " column " <> '' ORDER BY v))"

/* clang-format off */
const struct attribute attributes[] = {
    {0x00100010, PATIENT, "PatientName", NULL},
    {0x00100020, PATIENT, "PatientID", NULL},
    {0x00100021, PATIENT, "IssuerOfPatientID", NULL},
    {0x00100030, PATIENT, "PatientBirthDate", NULL},
    {0x00100032, PATIENT, "PatientBirthTime", NULL},
    {0x00100040, PATIENT, "PatientSex", NULL},
    {0x00101000, PATIENT, "OtherPatientIDs", NULL},
    {0x00102160, PATIENT, "EthnicGroup", NULL},
    {0x00104000, PATIENT, "PatientComments", NULL},
    {0x00201200, PATIENT, "NumberOfPatientRelatedStudies",
     "(SELECT count(*) FROM study AS s WHERE s.parent = patient.id)"},
    {0x00201202, PATIENT, "NumberOfPatientRelatedSeries",
     "(SELECT count(*) FROM study AS s JOIN series AS r ON r.parent = s.id WHERE s.parent = patient.id)"},
    {0x00201204, PATIENT, "NumberOfPatientRelatedInstances",
     "(SELECT sum(r.instances) FROM study AS s JOIN series AS r ON r.parent = s.id WHERE s.parent = patient.id)"},

    {0x00080020, STUDY, "StudyDate", NULL},
    {0x00080030, STUDY, "StudyTime", NULL},
    {0x00080050, STUDY, "AccessionNumber", NULL},
    {0x00080061, STUDY, "ModalitiesInStudy", DISTINCT_IN_STUDY("series.Modality", "series")},
    {0x00080062, STUDY, "SOPClassesInStudy",
     DISTINCT_IN_STUDY("instance.SOPClassUID", "series JOIN instance ON instance.parent = series.id")},
    {0x00080090, STUDY, "ReferringPhysicianName", NULL},
    {0x00081030, STUDY, "StudyDescription", NULL},
    {0x00081060, STUDY, "NameOfPhysiciansReadingStudy", NULL},
    {0x00081080, STUDY, "AdmittingDiagnosesDescription", NULL},
    {0x00101010, STUDY, "PatientAge", NULL},
    {0x00101020, STUDY, "PatientSize", NULL},
    {0x00101030, STUDY, "PatientWeight", NULL},
    {0x00102180, STUDY, "Occupation", NULL},
    {0x001021B0, STUDY, "AdditionalPatientHistory", NULL},
    {0x0020000D, STUDY, "StudyInstanceUID", NULL},
    {0x00200010, STUDY, "StudyID", NULL},
    {0x00201206, STUDY, "NumberOfStudyRelatedSeries", "(SELECT count(*) FROM series AS r WHERE r.parent = study.id)"},
    {0x00201208, STUDY, "NumberOfStudyRelatedInstances",
     "(SELECT sum(r.instances) FROM series AS r WHERE r.parent = study.id)"},

    {0x00080021, SERIES, "SeriesDate", NULL},
    {0x00080031, SERIES, "SeriesTime", NULL},
    {0x00080060, SERIES, "Modality", NULL},
    {0x00080070, SERIES, "Manufacturer", NULL},
    {0x00080080, SERIES, "InstitutionName", NULL},
    {0x00081010, SERIES, "StationName", NULL},
    {0x0008103E, SERIES, "SeriesDescription", NULL},
    {0x00081040, SERIES, "InstitutionalDepartmentName", NULL},
    {0x00081050, SERIES, "PerformingPhysicianName", NULL},
    {0x00081070, SERIES, "OperatorsName", NULL},
    {0x00081090, SERIES, "ManufacturerModelName", NULL},
    {0x00180015, SERIES, "BodyPartExamined", NULL},
    {0x00181030, SERIES, "ProtocolName", NULL},
    {0x00185100, SERIES, "PatientPosition", NULL},
    {0x0020000E, SERIES, "SeriesInstanceUID", NULL},
    {0x00200011, SERIES, "SeriesNumber", NULL},
    {0x00200052, SERIES, "FrameOfReferenceUID", NULL},
    {0x00200060, SERIES, "Laterality", NULL},
    {0x00201209, SERIES, "NumberOfSeriesRelatedInstances", "series.instances"},
    {0x00400244, SERIES, "PerformedProcedureStepStartDate", NULL},
    {0x00400245, SERIES, "PerformedProcedureStepStartTime", NULL},
    {0x00400253, SERIES, "PerformedProcedureStepID", NULL},
    {0x00400254, SERIES, "PerformedProcedureStepDescription", NULL},

    {0x00080008, INSTANCE, "ImageType", NULL},
    {0x00080016, INSTANCE, "SOPClassUID", NULL},
    {0x00080018, INSTANCE, "SOPInstanceUID", NULL},
    {0x00080022, INSTANCE, "AcquisitionDate", NULL},
    {0x00080023, INSTANCE, "ContentDate", NULL},
    {0x00080032, INSTANCE, "AcquisitionTime", NULL},
    {0x00080033, INSTANCE, "ContentTime", NULL},
    {0x00083002, INSTANCE, "AvailableTransferSyntaxUID", "instance.syntax"},
    {0x00200012, INSTANCE, "AcquisitionNumber", NULL},
    {0x00200013, INSTANCE, "InstanceNumber", NULL},
    {0x00201041, INSTANCE, "SliceLocation", NULL},
    {0x00280008, INSTANCE, "NumberOfFrames", NULL},
    {0x00280010, INSTANCE, "Rows", NULL},
    {0x00280011, INSTANCE, "Columns", NULL},
    {0x00280100, INSTANCE, "BitsAllocated", NULL},
};
/* clang-format on */

const size_t attribute_count = sizeof attributes / sizeof attributes[0];
_Static_assert(sizeof attributes / sizeof attributes[0] <= ATTRIBUTES_MAX,
               "struct attribute_values has a text for each");

/* The rows by their tags; made once. */
static const struct attribute *by_tag[ATTRIBUTES_MAX];

static int compare_tags(const void *a, const void *b)
{
    uint32_t left = (*(const struct attribute *const *)a)->tag, right = (*(const struct attribute *const *)b)->tag;
    return left < right ? -1 : left > right;
}

const struct attribute *attribute_find(uint32_t tag)
{
    if (by_tag[0] == NULL) {
        for (size_t i = 0; i < attribute_count; i++)
            by_tag[i] = &attributes[i];
        qsort(by_tag, attribute_count, sizeof by_tag[0], compare_tags);
    }
    const struct attribute wanted = {.tag = tag}, *key = &wanted;
    const struct attribute **found =
        (const struct attribute **)bsearch(&key, by_tag, attribute_count, sizeof by_tag[0], compare_tags);
    return found != NULL ? *found : NULL;
}

const char *attribute_table(enum dicomnet_query_level level)
{
    static const char *const tables[] = {
        [PATIENT] = "patient", [STUDY] = "study", [SERIES] = "series", [INSTANCE] = "instance"};
    return tables[level];
}

void attribute_values_clear(struct attribute_values *values)
{
    memset(values->texts, 0, sizeof values->texts);
    values->used = 0;
    values->character_set[0] = '\0';
}

/* A number of VR US as decimal text. */
static void format_number(struct dicomnet_span value, bool big_endian, char *ret_text, size_t size)
{
    unsigned number = value.len < 2 ? 0 : big_endian ? get_u16_be(value.data) : get_u16_le(value.data);
    snprintf(ret_text, size, "%u", number);
}

char *attribute_read_key(const struct dicomnet_identifier *identifier, const struct dicomnet_element *element,
                         const char *vr)
{
    char terms[128];
    struct charset charset = {0};
    (void)dicomnet_identifier_get_text(identifier, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, terms, sizeof terms);
    size_t raw_size = element->value.len + 16, size = CHARSET_ROOM(raw_size);
    char *raw = malloc(raw_size), *text = malloc(size);
    if (raw != NULL && text != NULL) {
        (void)dicomnet_identifier_get_text(identifier, element->tag, raw, raw_size);
        charset_to_utf8(&charset, terms, vr, dicomnet_span_of(raw), text, size);
        charset_fini(&charset);
    }
    if (raw == NULL) {
        free(text);
        text = NULL;
    }
    free(raw);
    return text;
}

void attribute_values_set(struct attribute_values *values, uint32_t tag, struct dicomnet_span value, bool big_endian)
{
    char raw[ATTRIBUTE_VALUE_SIZE], text[ATTRIBUTE_VALUE_SIZE];
    if (tag == DICOMNET_TAG_SPECIFIC_CHARACTER_SET) {
        dicomnet_span_copy_trimmed(value, values->character_set, sizeof values->character_set);
        return;
    }
    const struct attribute *attribute = attribute_find(tag);
    if (attribute == NULL || attribute->expression != NULL || values->texts[attribute - attributes] != NULL)
        return;
    const char *vr = dicomnet_dictionary_vr(tag);
    if (strcmp(vr, "US") == 0) {
        format_number(value, big_endian, text, sizeof text);
    } else {
        dicomnet_span_copy_trimmed(value, raw, sizeof raw);
        struct charset charset = {0};
        charset_to_utf8(&charset, values->character_set, vr, dicomnet_span_of(raw), text, sizeof text);
        charset_fini(&charset);
    }
    size_t len = strlen(text) + 1;
    if (len > sizeof values->room - values->used)
        return;
    values->texts[attribute - attributes] = (char *)memcpy(values->room + values->used, text, len);
    values->used += len;
}

const char *attribute_values_get(const struct attribute_values *values, uint32_t tag)
{
    const struct attribute *attribute = attribute_find(tag);
    assert(attribute != NULL);
    const char *text = values->texts[attribute - attributes];
    return text != NULL ? text : "";
}
