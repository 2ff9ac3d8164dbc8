/* Instances grouped into studies, and the contexts they need. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "engine/study.h"
#include "instance/instance.h"
#include "make_instances.h"

#define RLE "1.2.840.10008.1.2.5"

static struct study *add(struct study_table *table, const char *study_uid, unsigned number, uint64_t bytes,
                         unsigned kind)
{
    struct study *study = NULL;
    struct instance *instance = make_instance(study_uid, number, bytes, kind);
    cr_assert_not_null(instance);
    cr_assert_eq(study_table_note(table, instance), 0);
    cr_assert_eq(study_table_add(table, instance, &study), 0);
    cr_assert_not_null(study);
    cr_assert_str_eq(study->uid, study_uid);
    return study;
}

Test(study, empty_table)
{
    struct study_table table = {0};
    study_table_fini(&table);
}

Test(study, groups_by_class_what_has_no_study)
{
    struct study_table table = {0};
    struct study *first = NULL;
    for (unsigned i = 0; i < 4; i++) {
        struct instance *instance = make_instance("", i, 10, i % 2);
        struct study *study = NULL;
        cr_assert_eq(study_table_note(&table, instance), 0);
        cr_assert_eq(study_table_add(&table, instance, &study), 0);
        cr_expect(study->is_class);
        cr_expect_str_eq(study->uid, instance->file.class_uid);
        cr_expect_eq(study_table_find(&table, instance), study);
        if (i == 0)
            first = study;
        cr_expect_eq(study == first, i % 2 == 0);
    }
    study_table_fini(&table);
}

Test(study, groups_by_study_uid)
{
    struct study_table table = {0};
    struct study *first = add(&table, "1.1", 1, 100, 0);
    struct study *second = add(&table, "1.2", 1, 10, 0);
    cr_expect_neq(first, second);
    cr_expect_eq(add(&table, "1.1", 2, 200, 0), first);
    cr_expect_eq(add(&table, "1.1", 3, 300, 0), first);
    cr_expect_eq(table.studies.count, 2);
    cr_expect_eq(first->waiting_count, 3);
    cr_expect_eq(first->waiting_bytes, 600);
    cr_expect_eq(second->waiting_count, 1);
    cr_expect_eq(second->waiting_bytes, 10);
    cr_expect_eq(first->worker, 0);
    study_table_fini(&table);
    cr_expect_eq(table.studies.count, 0);
}

Test(study, keeps_the_order_they_were_found_in)
{
    struct study_table table = {0};
    struct study *study = NULL;
    for (unsigned i = 0; i < 100; i++)
        study = add(&table, "1.1", i, 2, 0);
    unsigned number = 0;
    for (struct list_node *node = list_first(&study->waiting); node != NULL; node = list_next(&study->waiting, node)) {
        char uid[DICOMNET_UID_SIZE];
        snprintf(uid, sizeof uid, "1.1.%u", number++);
        cr_assert_str_eq(list_entry(node, struct instance, mail.node)->file.instance_uid, uid);
    }
    cr_expect_eq(number, 100);
    study_table_fini(&table);
}

/* A deflated data set of odd length goes out with one byte more. */
Test(study, counts_wire_bytes)
{
    struct study_table table = {0};
    struct study *study;
    struct instance *instance = make_instance("1.1", 1, 101, 0);
    instance->file.pad = true;
    cr_assert_eq(study_table_note(&table, instance), 0);
    cr_assert_eq(study_table_add(&table, instance, &study), 0);
    cr_expect_eq(study->waiting_bytes, 102);
    study_table_fini(&table);
}

Test(study, pairs_are_kept_once)
{
    struct study_table table = {0};
    add(&table, "1.1", 0, 2, 0);
    add(&table, "1.2", 0, 2, 0);
    for (unsigned i = 1; i < 300; i++)
        add(&table, i % 2 == 0 ? "1.1" : "1.2", i, 2, i % 3);
    cr_expect_eq(table.pair_count, 3);
    cr_expect_eq(table.pairs.count, 3);
    cr_expect_str_eq(table.pair_list[0]->class_uid, MADE_CLASS);
    cr_expect_str_eq(table.pair_list[1]->class_uid, MADE_CLASS ".1");
    cr_expect_str_eq(table.pair_list[1]->syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    study_table_fini(&table);
}

/* The same class in another syntax is another pair; and pairs stay where they are while others come. */
Test(study, pairs_do_not_move)
{
    struct study_table table = {0};
    struct study *study = add(&table, "1.1", 0, 2, 0);
    const struct instance *instance = list_entry(list_first(&study->waiting), struct instance, mail.node);
    const struct context_pair *pair = instance->pair;
    for (unsigned kind = 1; kind < 400; kind++)
        add(&table, "1.1", kind, 2, kind);
    struct instance *same = make_instance("1.1", 999, 2, 0);
    cr_assert_eq(study_table_note(&table, same), 0);
    cr_expect_eq(same->pair, pair);
    instance_destroy(same);
    cr_expect_str_eq(pair->class_uid, MADE_CLASS);

    struct instance *other = make_instance("1.1", 1000, 2, 0);
    other->file.syntax_uid = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN;
    cr_assert_eq(study_table_note(&table, other), 0);
    cr_assert_eq(study_table_add(&table, other, &study), 0);
    cr_expect_neq(other->pair, pair);
    cr_expect_str_eq(other->pair->syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
    study_table_fini(&table);
}

/* What is done is forgotten; what waits, or is a worker's, is not. */
Test(study, only_what_is_done_is_dropped)
{
    struct study_table table = {0};
    struct study *study = add(&table, "1.1", 0, 2, 0);
    add(&table, "1.2", 0, 2, 0);
    study_table_drop_if_empty(&table, study);
    cr_expect_eq(table.studies.count, 2);
    instance_destroy(list_entry(list_pop(&study->waiting), struct instance, mail.node));
    study->waiting_count = study->waiting_bytes = 0;
    study->worker = 3;
    study_table_drop_if_empty(&table, study);
    cr_expect_eq(table.studies.count, 2);
    study->worker = 0;
    study_table_drop_if_empty(&table, study);
    cr_expect_eq(table.studies.count, 1);
    study_table_drop_if_empty(&table, NULL);
    study_table_fini(&table);
}

static struct instance *note(struct study_table *table, const char *syntax_uid, int expected)
{
    struct instance *instance = make_instance("1.1", 1, 10, 0);
    instance->file.syntax_uid = syntax_uid;
    cr_assert_eq(study_table_note(table, instance), expected);
    return instance;
}

/* A pair is the same whether something lies so, or is only converted to it; what it becomes itself is known later. */
Test(study, ways_are_pairs)
{
    struct study_table table = {.policy.allowed = TRANSCODE_LOSSLESS};
    struct instance *rle = note(&table, RLE, 0), *again = note(&table, rle->file.syntax_uid, 0);
    const struct context_pair *pair = rle->pair;
    cr_expect_eq(again->pair, pair);
    cr_assert_eq(pair->way_count, 3);
    cr_expect_eq(pair->ways[0], pair);
    cr_expect_str_eq(pair->ways[1]->syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    cr_expect_str_eq(pair->ways[2]->syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN);
    cr_expect_str_eq(pair->ways[2]->class_uid, MADE_CLASS);
    cr_expect_eq(table.pair_count, 1, "nothing lies in the others");
    cr_expect_eq(table.pairs.count, 3);
    cr_expect_eq(pair->instance_count, 2);
    cr_expect_eq(pair->bytes, 20);

    struct instance *little = note(&table, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, 0);
    cr_expect_eq(little->pair, pair->ways[1]);
    cr_assert_eq(little->pair->way_count, 4);
    cr_expect_eq(little->pair->ways[1], pair->ways[2]);
    cr_expect_eq(table.pair_count, 2);
    cr_expect_eq(table.pairs.count, 5, "and in the two that few peers insist on");
    instance_destroy(rle);
    instance_destroy(again);
    instance_destroy(little);
    study_table_fini(&table);
}

/* Only what was named is proposed; what cannot become any of that cannot be sent. */
Test(study, only_what_was_named)
{
    static const char *const only[] = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN};
    struct study_table table = {.policy = {.allowed = TRANSCODE_UNCOMPRESSED, .only = only, .only_count = 1}};
    struct instance *little = note(&table, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, 0);
    cr_assert_eq(little->pair->way_count, 1);
    cr_expect_str_eq(little->pair->ways[0]->syntax_uid, only[0]);
    struct instance *rle = note(&table, RLE, DICOMNET_ERROR_NO_CONTEXT);
    cr_expect_eq(rle->pair->instance_count, 1);
    instance_destroy(little);
    instance_destroy(rle);
    study_table_fini(&table);
}
