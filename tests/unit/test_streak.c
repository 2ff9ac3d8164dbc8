/* Associations of a worker that came to nothing one after another. */
#include <criterion/criterion.h>

#include "engine/streak.h"

static const struct streak_end not_opened = {.opened = false}, ended_before_a_store = {.opened = true},
                               lost = {.opened = true, .begun = true},
                               answered = {.opened = true, .begun = true, .answered = true},
                               on_purpose = {.opened = true, .on_purpose = true};

/* Ask for an association at `us`, open it if it says so, and end it. */
static enum streak_verdict go(struct streak *streak, const struct streak_end *end, uint64_t us)
{
    streak_ask(streak, us);
    if (end->opened)
        streak_open(streak, us + 1);
    return streak_close(streak, end);
}

Test(streak, failures_count_until_one_is_answered)
{
    struct streak streak = {0};
    cr_expect_not(streak_holds(&streak));
    for (unsigned i = 1; i <= 3; i++) {
        cr_expect_eq(go(&streak, &not_opened, 100 * i), STREAK_FAILED);
        cr_expect_eq(streak.failures, i);
        cr_expect_eq(streak.failing_since_us, 100);
        cr_expect(streak_holds(&streak));
    }
    cr_expect_eq(go(&streak, &answered, 900), STREAK_OVER);
    cr_expect_eq(streak.failures, 0);
    cr_expect_not(streak_holds(&streak));
}

/* That the peer could not be reached is made up for when an association opens; that it ended at once is not. */
Test(streak, an_opening_forgets_what_was_not_opened)
{
    struct streak streak = {0};
    cr_expect_eq(go(&streak, &ended_before_a_store, 100), STREAK_FAILED);
    cr_expect_eq(go(&streak, &not_opened, 200), STREAK_FAILED);
    cr_expect_eq(streak.failures, 2);
    cr_expect_eq(go(&streak, &ended_before_a_store, 300), STREAK_FAILED);
    cr_expect_eq(streak.failures, 2);
    cr_expect_eq(streak.failing_since_us, 101, "when the first of them had opened");

    streak = (struct streak){0};
    cr_expect_eq(go(&streak, &not_opened, 100), STREAK_FAILED);
    streak_ask(&streak, 500);
    streak_open(&streak, 600);
    cr_expect_eq(streak.failures, 0);
    cr_expect_eq(streak.failing_since_us, 600);
}

Test(streak, losses_are_no_failures)
{
    struct streak streak = {0};
    cr_expect_eq(go(&streak, &not_opened, 100), STREAK_FAILED);
    cr_expect_eq(go(&streak, &lost, 200), STREAK_LOST);
    cr_expect_eq(go(&streak, &lost, 300), STREAK_LOST);
    cr_expect_eq(streak.failures, 0);
    cr_expect_eq(streak.losses, 2);
    cr_expect_eq(go(&streak, &on_purpose, 400), STREAK_OVER);
    cr_expect_eq(streak.losses, 2, "it says nothing");
    cr_expect_eq(go(&streak, &answered, 500), STREAK_OVER);
    cr_expect_eq(streak.losses, 0);
}

Test(streak, forgets_failures_alone)
{
    struct streak streak = {0};
    cr_expect_eq(go(&streak, &lost, 100), STREAK_LOST);
    cr_expect_eq(go(&streak, &ended_before_a_store, 200), STREAK_FAILED);
    streak_forget_failures(&streak);
    cr_expect_eq(streak.failures, 0);
    cr_expect_eq(streak.losses, 1);
    streak_open(&streak, 300);
    cr_expect_eq(streak.failures, 0);
}
