/* What a worker's time goes into: each moment once, whatever is claimed; and why it was idle. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "engine/worker_time.h"

static uint64_t sum(const struct worker_time *time)
{
    uint64_t us = 0;
    for (int kind = 0; kind < TIME_KINDS; kind++)
        us += time->spent_us[kind];
    return us;
}

Test(worker_time, each_span_goes_to_its_kind)
{
    struct worker_time time;
    worker_time_init(&time, NULL, 1000);
    worker_time_set(&time, TIME_CONNECTING, 1100);
    worker_time_set(&time, TIME_STORAGE, 1400);
    worker_time_set(&time, TIME_WAITING, 1450);
    worker_time_set(&time, TIME_IDLE, 2000);
    worker_time_set(&time, TIME_PAUSED, 2007);
    worker_time_set(&time, TIME_IDLE, 3007);
    cr_expect_eq(time.spent_us[TIME_IDLE], 107);
    cr_expect_eq(time.spent_us[TIME_CONNECTING], 300);
    cr_expect_eq(time.spent_us[TIME_STORAGE], 50);
    cr_expect_eq(time.spent_us[TIME_WAITING], 550);
    cr_expect_eq(time.spent_us[TIME_PAUSED], 1000);
    cr_expect_eq(sum(&time), 2007);
}

Test(worker_time, a_claim_takes_no_more_than_there_is)
{
    struct worker_time time;
    worker_time_init(&time, NULL, 0);
    worker_time_set(&time, TIME_WAITING, 0);
    worker_time_claim(&time, TIME_STORAGE, 30);
    worker_time_claim(&time, TIME_WRITING, 50);
    worker_time_set(&time, TIME_WAITING, 100);
    worker_time_claim(&time, TIME_WRITING, 1000);
    worker_time_set(&time, TIME_STORAGE, 200);
    worker_time_set(&time, TIME_IDLE, 210);
    cr_expect_eq(time.spent_us[TIME_STORAGE], 40);
    cr_expect_eq(time.spent_us[TIME_WRITING], 150);
    cr_expect_eq(time.spent_us[TIME_WAITING], 20);
    cr_expect_eq(sum(&time), 210);
}

Test(worker_time, a_rest_is_nobodys_time)
{
    struct worker_time time;
    worker_time_init(&time, NULL, 0);
    worker_time_set(&time, TIME_RESTING, 10);
    worker_time_set(&time, TIME_STORAGE, 1000);
    worker_time_set(&time, TIME_IDLE, 1001);
    cr_expect_eq(sum(&time), 11);
}

Test(worker_time, the_idle_clock_says_why)
{
    struct idle_clock clock;
    struct worker_time time;
    uint64_t begun_us = clock_monotonic_us();
    cr_assert_eq(idle_clock_init(&clock, TIME_SCANNING, begun_us - 5000000), 0);
    worker_time_init(&time, &clock, begun_us);
    idle_clock_set(&clock, TIME_PAUSED); /* five seconds after it began, which the worker has to its account */
    uint64_t paused_us = clock.since_us;
    clock.since_us -= 3000000;
    idle_clock_set(&clock, TIME_PAUSED);
    cr_expect_eq(clock.since_us, paused_us - 3000000, "the same reason goes on");
    clock.since_us = paused_us;
    worker_time_set(&time, TIME_STORAGE, paused_us + 2000000);
    cr_expect_eq(time.spent_us[TIME_SCANNING], paused_us - begun_us + 5000000);
    cr_expect_eq(time.spent_us[TIME_PAUSED], 2000000);
    cr_expect_eq(time.spent_us[TIME_IDLE], 0);
    worker_time_set(&time, TIME_IDLE, paused_us + 2500000);
    worker_time_set(&time, TIME_STORAGE, paused_us + 2600000);
    cr_expect_eq(time.spent_us[TIME_PAUSED], 2100000, "what was before is not counted again");
    cr_expect_eq(sum(&time), paused_us + 2600000 - begun_us + 5000000);
    idle_clock_fini(&clock);
}
