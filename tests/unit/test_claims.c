/* A record that several sessions share is asked for each study, and nothing is lost, whatever it answers and when. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "engine/claims.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "instance/instance.h"
#include "make_instances.h"

enum { WORKER = 3, EACH = 4 };

static struct plan plan;
static struct claims claims;
static struct record_claim *under_way; /* what is to be answered late */
static bool answers_late;
static enum record_claim_answer next_answer;
static uint32_t next_again_ms;
static const char *next_problem;
static unsigned asked, released, ended, failed;
static struct work *given;
static unsigned answers;

static void fill_in(struct record_claim *question)
{
    question->answer = next_answer;
    question->again_ms = next_again_ms;
    question->problem = next_problem;
}

static enum record_when claim(void *user, struct record_claim *question)
{
    asked++;
    cr_expect_str_eq(question->study_uid, "1.1");
    under_way = question;
    if (!answers_late)
        fill_in(question);
    return answers_late ? RECORD_LATER : RECORD_NOW;
}

static void answer(void)
{
    fill_in(under_way);
    under_way->answered(under_way);
}

static void release(void *user, const char *study_uid)
{
    cr_expect_str_eq(study_uid, "1.1");
    released++;
}

static const struct record record = {.claim = claim, .release = release};

static void on_answered(void *user, int worker, struct work *work)
{
    cr_expect_eq(worker, WORKER);
    answers++;
    given = work;
}

static void on_ended(void *user, struct instance *instance)
{
    cr_expect_eq(instance->outcome.state, OUTCOME_PENDING);
    cr_expect_not_null(instance->fact);
    instance_destroy(instance);
    ended++;
}

static void on_record_failed(void *user, const char *problem)
{
    cr_expect_eq(problem, next_problem);
    failed++;
    claims_stop(&claims);
}

static const struct claims_handler handler = {
    .answered = on_answered, .ended = on_ended, .record_failed = on_record_failed};

static struct work *set_up(const struct record *which)
{
    claims_init(&claims, which, &plan, &handler, NULL);
    for (unsigned i = 0; i < EACH; i++)
        cr_assert_eq(plan_add(&plan, make_instance("1.1", i, 100, 0)), 0);
    struct work *work = plan_next(&plan, WORKER);
    cr_assert_not_null(work);
    cr_assert_eq(plan.waiting_count, 0);
    return work;
}

/* The worker has stored it all. */
static void send(struct work *work)
{
    struct list_node *node;
    cr_assert_eq(work->instance_count, EACH);
    while ((node = list_pop(&work->instances)) != NULL)
        instance_destroy(list_entry(node, struct instance, mail.node));
    cr_assert_null(plan_finish(&plan, work, false));
    claims_release(&claims, "1.1");
}

static void all_is_planned(void)
{
    cr_expect_eq(plan.waiting_count, EACH);
    cr_expect(plan_has_next(&plan), "it is free for any worker");
}

static void tear_down(void)
{
    cr_expect(claims_is_idle(&claims));
    plan_fini(&plan);
}

TestSuite(claims, .fini = tear_down);

Test(claims, without_a_record_every_study_is_ours)
{
    struct work *work = set_up(NULL);
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_GIVE);
    send(work);
    cr_expect_eq(asked + released, 0);
}

Test(claims, ours_at_once)
{
    struct work *work = set_up(&record);
    next_answer = CLAIM_OURS;
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_GIVE);
    cr_expect_eq(released, 0);
    send(work);
    cr_expect_eq(asked, 1);
    cr_expect_eq(released, 1);
}

Test(claims, ours_late)
{
    struct work *work = set_up(&record);
    answers_late = true;
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_WAIT);
    cr_expect(!claims_is_idle(&claims));
    cr_expect_eq(answers, 0);
    answer();
    cr_expect_eq(answers, 1);
    cr_assert_eq(given, work);
    send(work);
}

Test(claims, not_ours)
{
    for (int late = 0; late < 2; late++) {
        struct work *work = set_up(&record);
        next_answer = CLAIM_NOT_OURS;
        answers_late = late != 0;
        ended = 0;
        cr_expect_eq(claims_ask(&claims, work), late != 0 ? CLAIMS_WAIT : CLAIMS_NONE);
        if (late != 0)
            answer();
        cr_expect_eq(ended, EACH);
        cr_expect_eq(plan.waiting_count, 0);
    }
    cr_expect_eq(answers, 1);
    cr_expect_null(given);
    cr_expect_eq(released, 0);
}

Test(claims, later_it_is_planned_again)
{
    struct work *work = set_up(&record);
    next_answer = CLAIM_LATER;
    next_again_ms = 1000;
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_NONE);
    cr_expect_eq(plan.waiting_count, 0);
    cr_expect(!plan_has_next(&plan), "it is asked for again at once");
    cr_expect(!claims_is_idle(&claims));
    uint64_t now_ms = clock_monotonic_us() / 1000;
    cr_expect(!claims_retry(&claims, now_ms));
    cr_expect(claims_retry(&claims, now_ms + 1001));
    all_is_planned();
}

Test(claims, stopped_while_it_waits)
{
    struct work *work = set_up(&record);
    next_answer = CLAIM_LATER;
    next_again_ms = 1000;
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_NONE);
    claims_stop(&claims);
    all_is_planned();
}

Test(claims, stopped_while_it_is_asked)
{
    struct work *work = set_up(&record);
    answers_late = true;
    next_answer = CLAIM_OURS;
    cr_expect_eq(claims_ask(&claims, work), CLAIMS_WAIT);
    claims_stop(&claims);
    cr_expect_eq(plan.waiting_count, 0, "the answer is waited for");
    answer();
    cr_expect_null(given);
    cr_expect_eq(released, 1, "it is nobody's");
    all_is_planned();
}

Test(claims, a_record_that_fails)
{
    for (int late = 0; late < 2; late++) {
        failed = 0;
        struct work *work = set_up(&record);
        next_problem = "the database has gone away";
        answers_late = late != 0;
        cr_expect_eq(claims_ask(&claims, work), late != 0 ? CLAIMS_WAIT : CLAIMS_NONE);
        if (late != 0)
            answer();
        cr_expect_eq(failed, 1);
        all_is_planned();
        plan_fini(&plan);
    }
    cr_expect_eq(ended, 0);
}
