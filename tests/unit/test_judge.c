/* What becomes of an instance when its store has ended, by answers and by losses. */
#include <criterion/criterion.h>

#include <errno.h>

#include "dicomnet/error.h"
#include "engine/judge.h"

enum { LOST = DICOMNET_ERROR_ABORTED, CHANGED = DICOMNET_ERROR_SOURCE_CHANGED };

static void expect(struct judgement got, struct judgement wanted, size_t row)
{
    cr_expect_eq(got.course, wanted.course, "row %zu: course %d", row, got.course);
    cr_expect_eq(got.state, wanted.state, "row %zu: %s", row, outcome_state_name(got.state));
    cr_expect_eq(got.reason, wanted.reason, "row %zu: %s", row, outcome_reason_name(got.reason));
    cr_expect_eq(got.error, wanted.error, "row %zu: error %d", row, got.error);
    cr_expect_eq(got.new_association, wanted.new_association, "row %zu", row);
}

Test(judge, answers)
{
    static const struct {
        struct judge_answer facts;
        struct judgement judgement;
    } rows[] = {
        {{true, 0x0000, false, 1, 0}, {COURSE_FINAL, OUTCOME_STORED, REASON_NONE, 0, false}},
        {{true, 0xB000, false, 1, 0}, {COURSE_FINAL, OUTCOME_WARNED, REASON_STATUS, 0, false}},
        {{true, 0x0000, true, 1, 3}, {COURSE_FINAL, OUTCOME_FAILED, REASON_CHANGED, CHANGED, false}},
        {{true, 0xC000, false, 1, 3}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{true, 0xA900, true, 1, 3}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{true, 0xA700, false, 1, 3}, {COURSE_ASK, OUTCOME_PENDING, REASON_STATUS, 0, false}},
        {{true, 0xA700, false, 9, 3}, {COURSE_ASK, OUTCOME_PENDING, REASON_STATUS, 0, false}},
        {{true, 0xA700, false, 1, 0}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{true, 0x0110, false, 1, 1}, {COURSE_AGAIN, OUTCOME_PENDING, REASON_STATUS, 0, true}},
        {{true, 0x0110, false, 3, 3}, {COURSE_AGAIN, OUTCOME_PENDING, REASON_STATUS, 0, true}},
        {{true, 0x0110, false, 4, 3}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{true, 0x0110, false, 1, 0}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{true, 0x0211, false, 1, 5}, {COURSE_AGAIN, OUTCOME_PENDING, REASON_STATUS, 0, true}},
        {{true, 0x0211, false, 2, 5}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
        {{false, 0x0000, false, 1, 0}, {COURSE_FINAL, OUTCOME_FAILED, REASON_STATUS, 0, false}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(judge_answer(&rows[i].facts), rows[i].judgement, i);
}

Test(judge, losses)
{
    static const struct {
        struct judge_loss facts;
        struct judgement judgement;
    } rows[] = {
        /* error, in_doubt, silent, source_failed, ended_here, stopping, alone, lost, retry */
        {{LOST, false, false, false, false, false, false, 1, 3},
         {COURSE_AGAIN, OUTCOME_PENDING, REASON_CONNECTION, LOST, false}},
        {{LOST, true, false, false, false, false, false, 1, 3},
         {COURSE_AGAIN, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
        {{LOST, true, true, false, false, false, false, 1, 3},
         {COURSE_ASIDE, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
        {{LOST, true, false, false, false, false, true, 4, 3},
         {COURSE_FINAL, OUTCOME_FAILED, REASON_POISON, LOST, false}},
        {{LOST, true, true, false, false, false, true, 4, 3},
         {COURSE_FINAL, OUTCOME_FAILED, REASON_NO_RESPONSE, LOST, false}},
        {{LOST, true, false, false, false, false, true, 1, 0},
         {COURSE_FINAL, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
        {{LOST, true, true, false, false, false, true, 1, 0},
         {COURSE_FINAL, OUTCOME_IN_DOUBT, REASON_NO_RESPONSE, LOST, false}},
        {{LOST, false, false, false, false, false, true, 1, 0},
         {COURSE_FINAL, OUTCOME_FAILED, REASON_NO_RESPONSE, LOST, false}},
        {{CHANGED, false, false, true, false, false, true, 0, 3},
         {COURSE_FINAL, OUTCOME_FAILED, REASON_CHANGED, CHANGED, false}},
        {{CHANGED, false, false, true, false, true, true, 0, 3},
         {COURSE_FINAL, OUTCOME_FAILED, REASON_CHANGED, CHANGED, false}},
        {{-ECANCELED, false, false, true, false, true, true, 0, 3},
         {COURSE_FINAL, OUTCOME_PENDING, REASON_INTERRUPTED, -ECANCELED, false}},
        {{-ECANCELED, false, false, true, false, false, true, 0, 3},
         {COURSE_FINAL, OUTCOME_PENDING, REASON_INTERRUPTED, -ECANCELED, false}},
        {{LOST, false, false, false, false, true, true, 0, 3},
         {COURSE_FINAL, OUTCOME_PENDING, REASON_INTERRUPTED, LOST, false}},
        {{LOST, true, false, false, false, true, true, 0, 3},
         {COURSE_FINAL, OUTCOME_IN_DOUBT, REASON_INTERRUPTED, LOST, false}},
        {{LOST, true, false, false, true, false, false, 0, 3},
         {COURSE_AGAIN, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
        {{LOST, true, false, false, true, false, true, 3, 3},
         {COURSE_AGAIN, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
        {{LOST, true, false, false, true, true, false, 0, 3},
         {COURSE_FINAL, OUTCOME_IN_DOUBT, REASON_INTERRUPTED, LOST, false}},
        {{LOST, true, false, false, true, false, false, 0, 0},
         {COURSE_FINAL, OUTCOME_IN_DOUBT, REASON_CONNECTION, LOST, false}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(judge_loss(&rows[i].facts), rows[i].judgement, i);
}
