/* The plan of a dry run: every instance told once, by study, the largest first, in pieces that go over an association.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "dicomnet/pdu.h"
#include "engine/outline.h"
#include "files/seen.h"
#include "instance/instance.h"
#include "make_instances.h"

enum { STUDIES_MAX = 16 };

struct told {
    unsigned studies, instances, announced;
    char uids[STUDIES_MAX][DICOMNET_UID_SIZE];
    uint64_t counts[STUDIES_MAX], bytes[STUDIES_MAX];
    size_t contexts[STUDIES_MAX];
};

static void take_study(void *user, const struct planned_study *study)
{
    struct told *told = user;
    cr_assert_lt(told->studies, STUDIES_MAX);
    cr_expect_eq(told->instances, told->announced, "all of the last one came before");
    snprintf(told->uids[told->studies], DICOMNET_UID_SIZE, "%s", study->study_uid);
    told->counts[told->studies] = study->instances;
    told->bytes[told->studies] = study->bytes;
    told->contexts[told->studies++] = study->context_count;
    told->announced += (unsigned)study->instances;
}

static void take_instance(void *user, struct instance *instance)
{
    struct told *told = user;
    told->instances++;
    cr_expect_str_eq(instance->file.study_uid, told->uids[told->studies - 1]);
    instance_destroy(instance);
}

static struct outline outline;
static struct seen *seen;
static struct told told;

static void begin(void)
{
    cr_assert_eq(seen_open(&seen), 0);
}

static void end(void)
{
    outline_fini(&outline);
    seen_close(seen);
}

TestSuite(outline, .init = begin, .fini = end);

static void add(const char *study, unsigned number, uint64_t bytes, unsigned kind)
{
    struct instance *first, *instance = make_instance(study, number, bytes, kind);
    cr_assert_eq(seen_check(seen, instance, &first), 0);
    cr_assert_null(first);
    cr_assert_eq(outline_add(&outline, instance, seen_last_place(seen)), 0);
    instance_destroy(instance);
}

Test(outline, the_largest_study_comes_first)
{
    for (unsigned i = 0; i < 3000; i++) /* mixed, and past what is buffered */
        add(i % 3 == 0 ? "1.1" : i % 3 == 1 ? "1.2" : "1.3", i, i % 3 == 1 ? 300 : 100 + i % 3, i % 2);
    cr_assert_eq(outline_tell(&outline, seen, take_study, take_instance, &told), 0);
    cr_expect_eq(told.studies, 3);
    cr_expect_eq(told.instances, 3000);
    cr_expect_str_eq(told.uids[0], "1.2");
    cr_expect_str_eq(told.uids[1], "1.3");
    cr_expect_str_eq(told.uids[2], "1.1");
    cr_expect_eq(told.counts[0], 1000);
    cr_expect_eq(told.bytes[0], 300000);
    cr_expect_eq(told.contexts[0], 2);
    cr_expect_eq(outline.count, 0, "it is empty afterwards");
    cr_assert_eq(outline_tell(&outline, seen, take_study, take_instance, &told), 0);
    cr_expect_eq(told.instances, 3000);
}

Test(outline, more_contexts_than_an_association_has_come_in_pieces)
{
    for (unsigned i = 0; i < DICOMNET_PDU_CONTEXTS_MAX + 10; i++)
        add("1.1", i, 100, i);
    cr_assert_eq(outline_tell(&outline, seen, take_study, take_instance, &told), 0);
    cr_expect_eq(told.studies, 2);
    cr_expect_eq(told.counts[0], DICOMNET_PDU_CONTEXTS_MAX);
    cr_expect_eq(told.contexts[1], 10);
    cr_expect_eq(told.instances, DICOMNET_PDU_CONTEXTS_MAX + 10);
}

/* A dry run that is interrupted ends what it found, and shows no plan. */
Test(outline, without_studies_the_instances_still_come)
{
    told = (struct told){.studies = 1, .uids = {"1.1"}};
    for (unsigned i = 0; i < 5; i++)
        add("1.1", i, 100, 0);
    cr_assert_eq(outline_tell(&outline, seen, NULL, take_instance, &told), 0);
    cr_expect_eq(told.instances, 5);
}
