/* The index: what goes in comes out, whatever it is; nothing a peer says becomes SQL. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/index.h"

static struct attribute_values values;

static struct index *open_index(const char *path, bool anew)
{
    struct index *index = NULL;
    int error = index_open(&index, path, anew);
    cr_assert_eq(error, 0, "%s", index_problem(index));
    return index;
}

static void set(uint32_t tag, const char *text)
{
    attribute_values_set(&values, tag, dicomnet_span_of(text), false);
}

static void add(struct index *index, const char *patient, const char *name, const char *study, const char *series,
                const char *instance, const char *modality)
{
    char file[100];
    snprintf(file, sizeof file, "%s.dcm", instance);
    attribute_values_clear(&values);
    set(DICOMNET_TAG_PATIENT_ID, patient);
    set(DICOMNET_TAG_PATIENT_NAME, name);
    set(DICOMNET_TAG_STUDY_INSTANCE_UID, study);
    set(DICOMNET_TAG_SERIES_INSTANCE_UID, series);
    set(DICOMNET_TAG_SOP_INSTANCE_UID, instance);
    set(DICOMNET_TAG_SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.7");
    set(DICOMNET_TAG_MODALITY, modality);
    struct index_place place = {.name = file,
                                .size_bytes = 1000,
                                .mtime_ns = 7,
                                .data_offset = 300,
                                .data_len = 700,
                                .instance_uid = instance,
                                .class_uid = "1.2.840.10008.5.1.4.1.1.7",
                                .syntax_uid = "1.2.840.10008.1.2.1"};
    cr_assert_eq(index_add(index, &values, &place), 0, "%s", index_problem(index));
}

/* The attribute of all entities of its level with these keys, joined by "|". */
static const char *ask(struct index *index, uint32_t tag, enum dicomnet_query_level level, struct index_keys keys)
{
    static char answer[4096];
    const struct attribute *wanted = attribute_find(tag);
    struct index_cursor *cursor = NULL;
    answer[0] = '\0';
    cr_assert_eq(index_find(index, level, &wanted, 1, &keys, &cursor), 0, "%s", index_problem(index));
    while (index_cursor_next(cursor) == 1) {
        size_t len = strlen(answer);
        snprintf(answer + len, sizeof answer - len, "%s%s", len > 0 ? "|" : "", index_cursor_text(cursor, 0));
    }
    /* The end stays the end. */
    cr_expect_eq(index_cursor_next(cursor), 0);
    index_cursor_close(cursor);
    return answer;
}

Test(index, every_attribute_can_be_asked_for)
{
    struct index *index = open_index(NULL, false);
    add(index, "P1", "A", "1.1", "1.1.1", "1.1.1.1", "CT");
    for (size_t i = 0; i < attribute_count; i++) {
        cr_expect_eq(attribute_find(attributes[i].tag), &attributes[i]);
        const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_tag(attributes[i].tag);
        cr_expect(entry != NULL && strcmp(entry->keyword, attributes[i].name) == 0, "%s", attributes[i].name);
        for (enum dicomnet_query_level level = attributes[i].level; level <= DICOMNET_QUERY_LEVEL_IMAGE; level++)
            (void)ask(index, attributes[i].tag, level, (struct index_keys){0});
    }
    index_close(index);
}

Test(index, counts_and_collects)
{
    struct index *index = open_index(NULL, false);
    add(index, "P1", "A", "1.1", "1.1.1", "1.1.1.1", "CT");
    add(index, "P1", "A", "1.1", "1.1.1", "1.1.1.2", "CT");
    add(index, "P1", "A", "1.1", "1.1.2", "1.1.2.1", "SR");
    add(index, "P1", "A", "1.2", "1.2.1", "1.2.1.1", "MR");
    add(index, "P2", "B", "1.3", "1.3.1", "1.3.1.1", "MR");
    struct index_keys none = {0}, one = {.values = {NULL, "1.1"}};
    cr_expect_str_eq(ask(index, 0x00201200, DICOMNET_QUERY_LEVEL_PATIENT, none), "2|1");
    cr_expect_str_eq(ask(index, 0x00201204, DICOMNET_QUERY_LEVEL_PATIENT, none), "4|1");
    cr_expect_str_eq(ask(index, DICOMNET_TAG_MODALITIES_IN_STUDY, DICOMNET_QUERY_LEVEL_STUDY, none), "CT\\SR|MR|MR");
    cr_expect_str_eq(ask(index, DICOMNET_TAG_SOP_CLASSES_IN_STUDY, DICOMNET_QUERY_LEVEL_STUDY, one),
                     "1.2.840.10008.5.1.4.1.1.7");
    cr_expect_str_eq(ask(index, 0x00201206, DICOMNET_QUERY_LEVEL_STUDY, none), "2|1|1");
    cr_expect_str_eq(ask(index, 0x00201208, DICOMNET_QUERY_LEVEL_SERIES, none), "3|3|1|1");
    cr_expect_str_eq(ask(index, 0x00201209, DICOMNET_QUERY_LEVEL_SERIES, one), "2|1");
    uint64_t instances = 0, series = 0;
    cr_assert_eq(index_count(index, &one, &instances, &series), 0);
    cr_expect_eq(instances, 3);
    cr_expect_eq(series, 2);
    /* The same instance again takes the place of the old one. */
    add(index, "P1", "A", "1.1", "1.1.1", "1.1.1.2", "CT");
    cr_assert_eq(index_count(index, &none, &instances, &series), 0);
    cr_expect_eq(instances, 5);
    cr_expect_str_eq(ask(index, 0x00201209, DICOMNET_QUERY_LEVEL_SERIES, one), "2|1");
    index_close(index);
}

Test(index, knows_what_it_holds_of_a_class)
{
    static const char *const explicit = "1.2.840.10008.1.2.1", *const class = "1.2.840.10008.5.1.4.1.1.7";
    struct index *index = open_index(NULL, false);
    uint64_t instances, series;
    struct index_held held[INDEX_HELD_MAX];
    cr_expect_eq(index_find_held(index, class, held), 0);
    add(index, "p", "n", "1.1", "1.1.1", "1.1.1.1", "CT");
    add(index, "p", "n", "1.1", "1.1.1", "1.1.1.2", "CT");
    add(index, "p", "n", "1.1", "1.1.2", "1.1.1.2", "CT"); /* in the place of the one before */
    cr_assert_eq(index_find_held(index, class, held), 1);
    cr_expect_str_eq(held[0].syntax_uid, explicit);
    cr_expect_eq(held[0].instances, 2);
    cr_expect_eq(index_find_held(index, "1.2.840.10008.5.1.4.1.1.2", held), 0);
    cr_assert_eq(index_count(index, &(struct index_keys){.values = {"p"}}, &instances, &series), 0);
    cr_expect(instances == 2 && series == 2, "%d %d", (int)instances, (int)series);
    cr_assert_eq(
        index_count(index, &(struct index_keys){.values = {"p", "1.1", "", "1.1.1.1\\1.9"}}, &instances, &series), 0);
    cr_expect(instances == 1 && series == 1, "%d %d", (int)instances, (int)series);
    cr_assert_eq(index_count(index, &(struct index_keys){.values = {"nobody"}}, &instances, &series), 0);
    cr_expect(instances == 0 && series == 0);
    cr_expect_str_neq(index_problem(index), "not an error");
    index_close(index);
}

Test(index, no_value_is_sql)
{
    static const char *const evil[] = {"'",        "\"",           "';DROP TABLE patient;--",
                                       "%s%n",     "?1",           ":a",
                                       "a\\b",     "[]",           "\"]",
                                       "\xFF\xFE", "x' OR '1'='1", "%' OR 1=1 --",
                                       "\033$B",   "null",         "NULL",
                                       "*"};
    struct index *index = open_index(NULL, false);
    size_t count = sizeof evil / sizeof evil[0];
    for (size_t i = 0; i < count; i++) {
        char study[64];
        snprintf(study, sizeof study, "1.%zu", i + 1);
        add(index, evil[i], evil[i], study, evil[i], study, evil[i]);
    }
    uint64_t counts[4];
    cr_assert_eq(index_count_all(index, counts), 0);
    cr_expect_eq(counts[DICOMNET_QUERY_LEVEL_PATIENT], count);
    cr_expect_eq(counts[DICOMNET_QUERY_LEVEL_IMAGE], count);
    for (size_t i = 0; i < count; i++) {
        char study[64];
        snprintf(study, sizeof study, "1.%zu", i + 1);
        struct index_keys by_patient = {.values = {evil[i]}}, by_study = {.values = {NULL, evil[i]}};
        /* Not ASCII: the index has it as UTF-8. */
        if ((unsigned char)evil[i][0] < 0x80 && evil[i][0] != '\033')
            cr_expect_str_eq(ask(index, DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY, by_patient), study,
                             "%s", evil[i]);
        cr_expect_str_eq(ask(index, DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY, by_study), "", "%s",
                         evil[i]);
    }
    struct index_keys list = {.values = {NULL, "1.3\\x\\\"]\\1.1 \\\\1.99"}};
    cr_expect_str_eq(ask(index, DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY, list), "1.1|1.3");
    index_close(index);
}

static bool is_even(void *context, const struct index_place *place)
{
    (void)context;
    return place->name[strlen(place->name) - 5] % 2 == 0;
}

Test(index, is_kept_in_a_file_and_swept)
{
    char folder[] = "/tmp/dicom-index-XXXXXX", path[64], wal[80];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/index.sqlite", folder);
    struct index *index = open_index(path, false);
    for (int i = 1; i <= 4; i++) {
        char uid[16];
        snprintf(uid, sizeof uid, "1.%d", i);
        add(index, "P", "N", uid, uid, uid, "CT");
    }
    index_close(index);

    index = open_index(path, false);
    cr_expect(index_has_file(index, "1.2.dcm", 1000, 7));
    cr_expect_not(index_has_file(index, "1.2.dcm", 1001, 7));
    cr_expect_not(index_has_file(index, "1.2.dcm", 1000, 8));
    cr_expect_not(index_has_file(index, "1.5.dcm", 1000, 7));
    cr_expect_eq(index_sweep(index, is_even, NULL), 2);
    cr_expect_str_eq(ask(index, DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY, (struct index_keys){0}),
                     "1.2|1.4");
    index_close(index);

    index = open_index(path, true);
    cr_expect_str_eq(ask(index, DICOMNET_TAG_STUDY_INSTANCE_UID, DICOMNET_QUERY_LEVEL_STUDY, (struct index_keys){0}),
                     "");
    index_close(index);

    FILE *file = fopen(path, "w");
    fputs("this is no database, and long enough that nobody takes it for an empty one", file);
    fclose(file);
    cr_expect_eq(index_open(&index, path, false), -EIO);
    cr_expect_str_eq(index_problem(index), "file is not a database");
    index_close(index);
    unlink(path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(wal);
    cr_expect_eq(rmdir(folder), 0);
}
