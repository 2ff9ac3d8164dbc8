/* What ends is flushed once a turn, one flush at a time, and nothing is settled before the answer. */
#include <criterion/criterion.h>

#include "engine/keeping.h"
#include "instance/instance.h"

/* A record that keeps counts. */
static unsigned kept, flushed_kept, flushes, answers;
static struct record_flush *under_way;
static const char *problem;
static bool answers_late;
static struct keeping keeping;

static void keep(void *user, const struct instance *instance)
{
    kept++;
}

static enum record_when flush(void *user, struct record_flush *question)
{
    cr_assert_null(under_way, "one at a time");
    flushes++;
    flushed_kept = kept;
    question->problem = problem;
    under_way = answers_late ? question : NULL;
    return answers_late ? RECORD_LATER : RECORD_NOW;
}

static void answer(void)
{
    struct record_flush *question = under_way;
    under_way = NULL;
    question->answered(question);
}

static const char *last_problem;

static void on_answered(void *user, const char *text)
{
    cr_assert_eq(user, &keeping);
    answers++;
    last_problem = text;
}

static const struct record record = {.keep = keep, .flush = flush};
static const struct instance instance;

Test(keeping, without_a_record_there_is_nothing_to_do)
{
    keeping_init(&keeping, NULL, on_answered, &keeping);
    keeping_add(&keeping, &instance);
    keeping_flush(&keeping);
    cr_expect(keeping_is_settled(&keeping));
    cr_expect_eq(answers, 0);
}

Test(keeping, answered_at_once)
{
    keeping_init(&keeping, &record, on_answered, &keeping);
    cr_expect(keeping_is_settled(&keeping));
    keeping_flush(&keeping);
    cr_expect_eq(flushes, 0, "there is nothing to be flushed");
    keeping_add(&keeping, &instance);
    keeping_add(&keeping, &instance);
    cr_expect(!keeping_is_settled(&keeping));
    keeping_flush(&keeping);
    cr_expect(keeping_is_settled(&keeping));
    cr_expect_eq(flushes, 1);
    cr_expect_eq(flushed_kept, 2);
    cr_expect_eq(answers, 1);
    cr_expect_null(last_problem);
}

Test(keeping, answered_late_what_comes_meanwhile_waits_for_the_next)
{
    answers_late = true;
    keeping_init(&keeping, &record, on_answered, &keeping);
    keeping_add(&keeping, &instance);
    keeping_flush(&keeping);
    keeping_flush(&keeping);
    keeping_add(&keeping, &instance);
    keeping_flush(&keeping);
    cr_expect_eq(flushes, 1);
    cr_expect_eq(answers, 0);
    answer();
    cr_expect_eq(answers, 1);
    cr_expect(!keeping_is_settled(&keeping), "what came meanwhile is not flushed");
    keeping_flush(&keeping);
    cr_expect_eq(flushes, 2);
    cr_expect(!keeping_is_settled(&keeping), "the flush is under way");
    answer();
    cr_expect(keeping_is_settled(&keeping));
}

Test(keeping, a_problem_is_said_each_time)
{
    problem = "the disk is full";
    keeping_init(&keeping, &record, on_answered, &keeping);
    for (int i = 0; i < 2; i++) {
        keeping_add(&keeping, &instance);
        last_problem = NULL;
        keeping_flush(&keeping);
        cr_expect_eq(last_problem, problem);
    }
    cr_expect(keeping_is_settled(&keeping));
}
