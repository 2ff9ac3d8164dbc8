/* Which study goes next, to whom, and with which contexts. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "engine/plan.h"
#include "instance/instance.h"
#include "make_instances.h"

static struct plan plan;

static void add(const char *study_uid, unsigned number, uint64_t bytes, unsigned kind)
{
    struct instance *instance = make_instance(study_uid, number, bytes, kind);
    cr_assert_not_null(instance);
    cr_assert_eq(plan_add(&plan, instance), 0);
}

/* Destroy what is in the work, and count it. */
static unsigned empty_work(struct work *work)
{
    struct list_node *node;
    unsigned count = 0;
    while ((node = list_pop(&work->instances)) != NULL) {
        instance_destroy(list_entry(node, struct instance, mail.node));
        count++;
    }
    return count;
}

/* The next work must be of that study; destroys and finishes it. */
static void expect_next(const char *study_uid, uint64_t bytes)
{
    struct work *work = plan_next(&plan, 1);
    cr_assert_not_null(work);
    cr_expect_str_eq(work->study_uid, study_uid);
    cr_expect_eq(work->bytes, bytes);
    empty_work(work);
    (void)plan_finish(&plan, work, false);
}

Test(plan, empty)
{
    cr_expect(!plan_has_next(&plan));
    cr_expect_null(plan_next(&plan, 1));
    cr_expect_null(plan_take_waiting(&plan));
    plan_fini(&plan);
}

/* What turns up of a study while a worker has it goes to that worker next, although another study is larger. */
Test(plan, growing_study_stays)
{
    add("1.1", 1, 100, 0);
    struct work *work = plan_next(&plan, 3);
    cr_assert_not_null(work);
    add("1.1", 2, 50, 0);
    add("1.2", 1, 1000, 0);
    cr_expect_eq(empty_work(work), 1);
    work = plan_finish(&plan, work, true);
    cr_assert_not_null(work);
    cr_expect_str_eq(work->study_uid, "1.1");
    cr_expect_eq(work->study->worker, 3);
    cr_expect_eq(empty_work(work), 1);
    cr_expect_null(plan_finish(&plan, work, true));
    expect_next("1.2", 1000);
    cr_expect(!plan_has_next(&plan));
    plan_fini(&plan);
}

Test(plan, largest_study_first)
{
    uint64_t left = 0;
    for (unsigned i = 0; i < 200; i++) {
        char uid[32];
        snprintf(uid, sizeof uid, "1.%u", i);
        uint64_t bytes = (i * 7919u) % 1009 * 2;
        add(uid, 1, bytes, 0);
        add(uid, 2, bytes, 0);
        left += 2 * bytes;
    }
    cr_expect_eq(plan.studies.count, 200);
    cr_expect_eq(plan.waiting_count, 400);
    cr_expect_eq(plan.waiting_bytes, left);
    uint64_t before = UINT64_MAX;
    unsigned works = 0;
    while (plan_has_next(&plan)) {
        struct work *work = plan_next(&plan, 1);
        cr_assert_leq(work->bytes, before);
        cr_assert_eq(work->instance_count, 2);
        before = work->bytes;
        left -= work->bytes;
        works++;
        cr_assert_eq(plan.waiting_bytes, left);
        cr_assert_eq(empty_work(work), 2);
        (void)plan_finish(&plan, work, false);
    }
    cr_expect_eq(works, 200);
    cr_expect_eq(plan.waiting_count, 0);
    plan_fini(&plan);
}

Test(plan, growing_study_rises)
{
    add("1.1", 1, 100, 0);
    add("1.2", 1, 200, 0);
    add("1.3", 1, 50, 0);
    add("1.3", 2, 200, 0);
    expect_next("1.3", 250);
    add("1.1", 2, 150, 0);
    expect_next("1.1", 250);
    expect_next("1.2", 200);
    cr_expect(!plan_has_next(&plan));
    plan_fini(&plan);
}

/* A single instance, of another study each turn; the heap is in order afterwards. */
Test(plan, single)
{
    for (unsigned i = 0; i < 9; i++) {
        char uid[32];
        snprintf(uid, sizeof uid, "1.%u", i);
        add(uid, 1, 100 + i, 0);
        add(uid, 2, 100 + i, 0);
    }
    bool seen[9] = {false};
    unsigned studies = 0;
    for (unsigned turn = 0; turn < 9; turn++) {
        struct work *work = plan_next_probe(&plan, 1, 1, turn);
        cr_assert_not_null(work);
        cr_expect_eq(work->instance_count, 1);
        unsigned number = (unsigned)atoi(work->study_uid + 2);
        studies += !seen[number];
        seen[number] = true;
        cr_expect_eq(plan.waiting_count, 17 - turn);
        empty_work(work);
        cr_expect_null(plan_finish(&plan, work, false));
    }
    cr_expect_geq(studies, 5);
    uint64_t before = UINT64_MAX;
    while (plan_has_next(&plan)) {
        struct work *work = plan_next(&plan, 1);
        cr_expect_leq(work->bytes, before);
        before = work->bytes;
        empty_work(work);
        (void)plan_finish(&plan, work, false);
    }
    cr_expect_null(plan_next_probe(&plan, 1, 1, 3));
    plan_fini(&plan);
}

/* Of what a peer refuses: the instances that are tried are those not refused yet, of other studies first. */
Test(plan, probes)
{
    for (int number = 1; number <= 4; number++)
        add("1.1", number, 1000, 0);
    add("1.2", 1, 100, 0);
    for (unsigned turn = 0; turn < 5; turn++) {
        cr_expect_eq(plan_what_is_left(&plan, 7), REST_OTHERS);
        struct work *work = plan_next_probe(&plan, 1, 7, turn);
        cr_assert_not_null(work);
        struct instance *instance = list_entry(list_pop(&work->instances), struct instance, mail.node);
        cr_expect_eq(instance->trials.refused_row, 0, "turn %u: one that was not refused", turn);
        instance->trials.refused_row = 7;
        plan_mark_refused(&plan, instance, 7);
        if (turn == 1)
            cr_expect_neq(work->study->refused_row, 0);
        cr_expect_null(plan_finish(&plan, work, false));
        cr_assert_eq(plan_return(&plan, instance), 0);
        if (turn == 1) {
            cr_expect_eq(plan_what_is_left(&plan, 7), REST_SIBLINGS, "both studies were tried, 1.1 not to its end");
            cr_expect_eq(plan_what_is_left(&plan, 8), REST_OTHERS, "in another row");
            break;
        }
    }
    struct work *work;
    for (unsigned turn = 2; plan_what_is_left(&plan, 7) != REST_REFUSED; turn++) {
        cr_assert_lt(turn, 10);
        work = plan_next_probe(&plan, 1, 7, turn);
        struct instance *instance = list_entry(list_pop(&work->instances), struct instance, mail.node);
        cr_expect_eq(instance->trials.refused_row, 0);
        instance->trials.refused_row = 7;
        work->stored = 1;
        cr_expect_null(plan_finish(&plan, work, false));
        cr_assert_eq(plan_return(&plan, instance), 0);
        if (turn == 2)
            cr_expect_eq(plan_what_is_left(&plan, 7), REST_MIXED, "some of it is stored");
    }
    plan_fini(&plan);
}

/* Instances of no study are grouped by class, and what a peer refuses of such a group is remembered too. */
Test(plan, probes_of_what_has_no_study)
{
    add("", 1, 1000, 0);
    add("", 2, 1000, 0);
    struct work *work = plan_next_probe(&plan, 1, 7, 0);
    cr_assert_not_null(work);
    struct instance *instance = list_entry(list_pop(&work->instances), struct instance, mail.node);
    instance->trials.refused_row = 7;
    plan_mark_refused(&plan, instance, 7);
    cr_expect_eq(work->study->refused_row, 7);
    cr_expect_null(plan_finish(&plan, work, false));
    cr_assert_eq(plan_return(&plan, instance), 0);
    cr_expect_eq(plan_what_is_left(&plan, 7), REST_SIBLINGS);
    plan_fini(&plan);
}

static bool is_small(void *user, struct instance *instance)
{
    unsigned *asked = user;
    ++*asked;
    return instance->file.data_len < 500;
}

Test(plan, checks_what_was_not_refused)
{
    unsigned asked = 0;
    cr_expect(plan_check_untried(&plan, is_small, &asked), "nothing is waiting");
    for (int number = 1; number <= 4; number++)
        add(number < 3 ? "1.1" : "1.2", number, 100, 0);
    cr_expect(plan_check_untried(&plan, is_small, &asked));
    cr_expect_eq(asked, 4);
    add("1.3", 5, 1000, 0);
    cr_expect(!plan_check_untried(&plan, is_small, &asked));
    struct work *work = plan_next(&plan, 1);
    struct instance *large = list_entry(list_pop(&work->instances), struct instance, mail.node);
    large->trials.refused_row = 7;
    cr_expect_null(plan_finish(&plan, work, false));
    cr_assert_eq(plan_return(&plan, large), 0);
    asked = 0;
    cr_expect(plan_check_untried(&plan, is_small, &asked), "it was refused: it is not asked about");
    cr_expect_eq(asked, 4);
    plan_fini(&plan);
}

/* Half of it is with a worker: what turns up meanwhile waits, however large, until that work has come home. */
Test(plan, study_belongs_to_one_worker)
{
    add("1.1", 1, 100, 0);
    struct work *work = plan_next(&plan, 4);
    cr_expect_eq(work->study->worker, 4);
    add("1.1", 2, 1000000, 0);
    cr_expect(!plan_has_next(&plan));
    cr_expect_null(plan_next(&plan, 5));
    cr_expect_eq(plan.waiting_count, 1);
    add("1.2", 1, 10, 0);
    expect_next("1.2", 10);
    cr_expect_eq(empty_work(work), 1);
    (void)plan_finish(&plan, work, false);
    cr_assert(plan_has_next(&plan));
    expect_next("1.1", 1000000);
    cr_expect_eq(plan.studies.count, 2);
    plan_fini(&plan);
}

Test(plan, returned_instances_are_handed_out_again)
{
    for (unsigned i = 0; i < 10; i++)
        add("1.1", i, 100, 0);
    struct work *work = plan_next(&plan, 1);
    cr_expect_eq(plan.total_count, 10);
    struct list_node *node;
    for (unsigned i = 0; (node = list_pop(&work->instances)) != NULL; i++) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        if (i < 4)
            instance_destroy(instance);
        else
            cr_assert_eq(plan_return(&plan, instance), 0);
    }
    cr_expect(!plan_has_next(&plan), "the study is still its worker's");
    cr_expect_eq(plan.waiting_count, 6);
    cr_expect_eq(plan.waiting_bytes, 600);
    (void)plan_finish(&plan, work, false);
    cr_expect_eq(plan.total_count, 10, "known before");
    cr_expect_eq(plan.studies.count, 1);
    expect_next("1.1", 600);
    cr_expect_eq(plan.waiting_count, 0);
    plan_fini(&plan);
}

/* 300 classes in a study: three works, each with contexts of its own, and every instance in one of them. */
Test(plan, more_contexts_than_an_association_takes)
{
    enum { KINDS = 300, EACH = 3 };
    for (unsigned i = 0; i < KINDS * EACH; i++)
        add("1.1", i, 2, 1 + i % KINDS);
    unsigned works = 0, instances = 0, pairs = 0;
    while (plan_has_next(&plan)) {
        struct work *work = plan_next(&plan, 1);
        cr_assert_leq(work->proposal.count, DICOMNET_PDU_CONTEXTS_MAX);
        cr_assert_leq(work->needed_count, work->proposal.count);
        cr_assert_eq(work->instance_count, work->needed_count * EACH);
        for (struct list_node *node = list_first(&work->instances); node != NULL;
             node = list_next(&work->instances, node)) {
            const struct context_pair *pair = list_entry(node, struct instance, mail.node)->pair;
            size_t i = 0;
            while (i < work->needed_count && work->proposal.pairs[i] != pair)
                i++;
            cr_assert_lt(i, work->needed_count, "its context is not in the work");
        }
        works++;
        pairs += (unsigned)work->needed_count;
        instances += empty_work(work);
        (void)plan_finish(&plan, work, false);
    }
    cr_expect_eq(works, 3);
    cr_expect_eq(pairs, KINDS);
    cr_expect_eq(instances, KINDS * EACH);
    plan_fini(&plan);
}

/* What other studies need is proposed too, as far as there is room: the association can then be kept for them. */
Test(plan, known_contexts_come_along)
{
    add("1.1", 1, 1000, 1);
    add("1.2", 1, 10, 2);
    add("1.3", 1, 1, 3);
    struct work *work = plan_next(&plan, 1);
    cr_expect_eq(work->needed_count, 1);
    cr_expect_eq(work->proposal.count, 3);
    cr_expect_str_eq(work->proposal.pairs[0]->class_uid, MADE_CLASS ".1");
    for (size_t i = 0; i < work->proposal.count; i++)
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(work->proposal.pairs[i], work->proposal.pairs[k]);
    empty_work(work);
    (void)plan_finish(&plan, work, false);
    for (unsigned kind = 4; kind < 400; kind++)
        add("1.4", kind, 1, kind);
    work = plan_next(&plan, 1);
    cr_expect_eq(work->proposal.count, DICOMNET_PDU_CONTEXTS_MAX);
    empty_work(work);
    (void)plan_finish(&plan, work, false);
    plan_fini(&plan);
}

Test(plan, take_waiting_empties_it)
{
    for (unsigned i = 0; i < 500; i++) {
        char uid[32];
        snprintf(uid, sizeof uid, "1.%u", i % 97);
        add(uid, i, 10, i % 5);
    }
    struct work *away = plan_next(&plan, 1);
    uint64_t handed_out = away->instance_count;
    empty_work(away);
    (void)plan_finish(&plan, away, false);
    struct instance *instance;
    uint64_t taken = 0;
    while ((instance = plan_take_waiting(&plan)) != NULL) {
        instance_destroy(instance);
        taken++;
    }
    cr_expect_eq(taken, 500 - handed_out);
    cr_expect_eq(plan.waiting_count, 0);
    cr_expect_eq(plan.waiting_bytes, 0);
    cr_expect_null(plan_take_waiting(&plan));
    plan_fini(&plan);
}

/* What is left in it goes with it; the leak check sees it otherwise. */
Test(plan, fini_destroys_what_waits)
{
    for (unsigned i = 0; i < 100; i++)
        add(i % 2 == 0 ? "1.1" : "1.2", i, 10, i % 7);
    plan_fini(&plan);
    cr_expect_eq(plan.waiting_count, 0);
    cr_expect(!plan_has_next(&plan));
}

/* Ten thousand studies, one after the other: counted, and not kept. */
Test(plan, a_study_that_is_done_is_forgotten)
{
    for (unsigned i = 0; i < 10000; i++) {
        char uid[32];
        snprintf(uid, sizeof uid, "1.2.%u", i / 2);
        add(uid, i, 100, 0);
        struct work *work = plan_next(&plan, 1);
        instance_destroy(list_entry(list_pop(&work->instances), struct instance, mail.node));
        cr_assert_null(plan_finish(&plan, work, true));
        cr_assert_eq(plan.table.studies.count, 0);
    }
    cr_expect_eq(plan.studies.count, 5000);
    cr_expect_eq(plan.total_count, 10000);
    plan_fini(&plan);
}
