/* What an association has carried, when the next instance wants another one, and what is learnt about the peer. */
#include <criterion/criterion.h>

#include <string.h>

#include "engine/carried.h"
#include "engine/lessons.h"
#include "engine/study.h"
#include "instance/instance.h"

#define CT     "1.2.840.10008.5.1.4.1.1.2"
#define MR     "1.2.840.10008.5.1.4.1.1.4"
#define LITTLE "1.2.840.10008.1.2.1"
#define JPEG   "1.2.840.10008.1.2.4.50"

static const struct context_pair ct = {.class_uid = CT, .syntax_uid = LITTLE},
                                 mr = {.class_uid = MR, .syntax_uid = JPEG};
static const struct session_limit no_limit = {0};

static struct instance instance_of(const struct context_pair *pair, uint64_t len)
{
    return (struct instance){.file = {.class_uid = pair->class_uid, .syntax_uid = pair->syntax_uid, .data_len = len}};
}

static bool wants_another(const struct carried *carried, const struct session_limit *limit, uint64_t store_max,
                          uint64_t now_ms)
{
    const struct instance next = instance_of(&ct, 10);
    return carried_wants_another(carried, &next, limit, store_max, now_ms);
}

Test(carried, limits)
{
    const struct session_limit stores = {.stores = 2}, bytes = {.bytes = 200}, time = {.ms = 50};
    const struct instance instance = instance_of(&ct, 100);
    struct carried carried = {.opened_ms = 1000};
    cr_expect_not(wants_another(&carried, &time, 1, 5000), "one goes whatever the limits");
    carried_begin(&carried, &instance);
    cr_expect_not(wants_another(&carried, &no_limit, 0, 5000));
    cr_expect_not(wants_another(&carried, &stores, 2, 1049));
    cr_expect_not(wants_another(&carried, &bytes, 0, 1049));
    cr_expect_not(wants_another(&carried, &time, 0, 1049));
    cr_expect(wants_another(&carried, &time, 0, 1050));
    cr_expect(wants_another(&carried, &no_limit, 1, 1000), "what the peer is known to end");
    carried_begin(&carried, &instance);
    cr_expect(wants_another(&carried, &stores, 0, 1000));
    cr_expect(wants_another(&carried, &bytes, 0, 1000));
    carried_unbegin(&carried, &instance);
    cr_expect_not(wants_another(&carried, &stores, 0, 1000));
    carried_unbegin(&carried, &instance);
    cr_expect_eq(carried.use, USE_UNDECIDED);
    cr_expect_eq(carried.bytes_begun, 0);
}

/* What was set aside has an association to itself, whichever of the two was there first. */
Test(carried, one_that_was_set_aside)
{
    struct instance aside = instance_of(&ct, 100), other = instance_of(&ct, 100);
    struct carried carried = {0};
    aside.trials.aside = true;
    carried_begin(&carried, &other);
    cr_expect(carried_wants_another(&carried, &aside, &no_limit, 0, 0));
    cr_expect_not(carried_wants_another(&carried, &other, &no_limit, 0, 0));
    carried = (struct carried){0};
    cr_expect_not(carried_wants_another(&carried, &aside, &no_limit, 0, 0));
    carried_begin(&carried, &aside);
    cr_expect_eq(carried.use, USE_ALONE);
    cr_expect(carried_wants_another(&carried, &other, &no_limit, 0, 0));
}

Test(lessons, each_class_once)
{
    static const struct context_pair mr_again = {.class_uid = MR, .syntax_uid = LITTLE};
    struct lessons lessons = {0};
    cr_expect(lessons_learn_unsupported(&lessons, &mr));
    cr_expect_not(lessons_learn_unsupported(&lessons, &mr_again), "whatever the syntax");
    cr_expect_eq(lessons.unsupported_count, 1);
    cr_expect(lessons_is_unsupported(&lessons, MR));
    cr_expect_not(lessons_is_unsupported(&lessons, CT));
    cr_expect(lessons_learn_unsupported(&lessons, &ct));
    cr_expect_eq(lessons.unsupported_count, 2);
}
