/* How many scanners: storages that are made up, in time that is made up. */
#include <criterion/criterion.h>

#include "engine/scan_width.h"

enum { TICK_US = 10000 };

/* A storage and a machine. A step of a scanner waits `waits` times and computes for cpu_us. */
struct place {
    unsigned cores;
    double cpu_us;
    double waits;
    double wait_us;    /* with one scanner */
    double at_once;    /* the server answers so many at a time; more wait for each other. 0 = any number */
    double thrashing;  /* with so many at a time each takes twice as long, with twice as many five times. 0 = never */
    double other_load; /* threads that compute beside the scanners */
    bool idle;         /* half of the scanners have nothing to do */
};

static struct scan_width width;
static struct scan_work work;
static uint64_t now_us;
static double steps_left, waits_left;

static void begin(unsigned least, unsigned most, unsigned cores)
{
    work = (struct scan_work){0};
    now_us = 1000000;
    steps_left = waits_left = 0;
    scan_width_begin(&width, least, most, cores, now_us);
}

/* How long a step takes with so many scanners at work. */
static double step_us(const struct place *place, double scanners)
{
    double wait_us = place->wait_us;
    if (place->at_once > 0 && scanners > place->at_once)
        wait_us *= scanners / place->at_once;
    if (place->thrashing > 0)
        wait_us *= 1 + scanners / place->thrashing * (scanners / place->thrashing);
    double waiting_us = place->waits * wait_us;
    double wanted = place->other_load + scanners * place->cpu_us / (place->cpu_us + waiting_us); /* of the CPUs */
    double slow = wanted > place->cores ? wanted / place->cores : 1;
    return waiting_us + place->cpu_us * slow;
}

/* Steps a second in the end. */
static double run(const struct place *place, double seconds, unsigned stuck)
{
    double rate = 0;
    for (uint64_t until = now_us + (uint64_t)(seconds * 1e6); now_us < until; now_us += TICK_US) {
        double scanners = place->idle ? width.width / 2.0 : width.width;
        double took_us = step_us(place, scanners);
        steps_left += scanners * TICK_US / took_us;
        uint64_t steps = (uint64_t)steps_left;
        steps_left -= (double)steps;
        waits_left += (double)steps * place->waits;
        uint64_t waits = (uint64_t)waits_left;
        waits_left -= (double)waits;
        work.steps += steps;
        work.wall_us += (uint64_t)((double)steps * took_us);
        work.cpu_us += (uint64_t)((double)steps * place->cpu_us);
        work.waits += waits;
        rate = scanners * 1e6 / took_us;
        (void)scan_width_judge(&width, &work, stuck, now_us + TICK_US);
    }
    return rate;
}

static unsigned chosen(struct place place, double seconds)
{
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, place.cores);
    (void)run(&place, seconds, 0);
    return width.width;
}

Test(scan_width, a_local_disk_needs_two)
{
    cr_expect_eq(chosen((struct place){.cores = 2, .cpu_us = 30}, 5), 2);
    cr_expect_eq(chosen((struct place){.cores = 64, .cpu_us = 30}, 5), 2);
    /* The machine is busy with other work: a step takes long, and does not wait for the storage. */
    cr_expect_eq(chosen((struct place){.cores = 2, .cpu_us = 30, .other_load = 20}, 5), 2);
    /* Once in a while the disk is asked. */
    cr_expect_eq(chosen((struct place){.cores = 2, .cpu_us = 30, .waits = 0.1, .wait_us = 100}, 5), 2);
}

Test(scan_width, the_slower_the_storage_the_wider)
{
    struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 200};
    unsigned at_200_us = chosen(place, 2);
    cr_expect(at_200_us >= 8 && at_200_us <= 16, "0.2 ms: %u", at_200_us);
    place.wait_us = 1000;
    cr_expect_geq(chosen(place, 1), 60, "1 ms: %u", width.width);
    place.wait_us = 5000;
    cr_expect_eq(chosen(place, 2), 64, "5 ms: %u", width.width);
    place.wait_us = 300000; /* a tape robot */
    cr_expect_geq(chosen(place, 30), 32, "300 ms: %u", width.width);
}

Test(scan_width, it_is_soon_there)
{
    const struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    (void)run(&place, 0.15, 0);
    cr_expect_geq(width.width, 32, "after 150 ms: %u", width.width);
}

Test(scan_width, more_than_the_processors_can_do_is_no_use)
{
    /* Half of a step is computing: four keep two CPUs busy. */
    unsigned few = chosen((struct place){.cores = 2, .cpu_us = 200, .waits = 2, .wait_us = 100}, 5);
    cr_expect(few >= 2 && few <= 4, "%u", few);
    unsigned many = chosen((struct place){.cores = 16, .cpu_us = 200, .waits = 2, .wait_us = 100}, 5);
    cr_expect(many >= 24 && many <= 32, "%u", many);
}

Test(scan_width, slow_then_fast_then_slow)
{
    struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    (void)run(&place, 2, 0);
    cr_expect_geq(width.width, 60);
    place.waits = 0;
    (void)run(&place, 0.5, 0);
    cr_expect_eq(width.width, 2, "fast: %u", width.width);
    place.waits = 2;
    (void)run(&place, 2, 0);
    cr_expect_geq(width.width, 60, "slow again: %u", width.width);
}

/* It answers eight at a time: 16 are as fast as 64, and kinder. */
Test(scan_width, a_server_with_a_limit)
{
    const struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000, .at_once = 8};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    double rate = run(&place, 1.5, 0);
    cr_expect(width.width >= 8 && width.width <= 16, "%u", width.width);
    cr_expect_geq(rate, 3600, "%.0f of 3,880 steps/s", rate);
}

/* Eight at a time are best (1,940 steps/s), 64 are done an eighth of. */
Test(scan_width, a_server_that_more_scanners_make_slower)
{
    const struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000, .thrashing = 8};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    double rate = run(&place, 10, 0);
    cr_expect(width.width >= 4 && width.width <= 16, "%u", width.width);
    cr_expect_geq(rate, 1500, "%.0f steps/s", rate);
}

/* It was quick with 64, and then others ask it too: now 64 at a time are too many. */
Test(scan_width, a_server_that_becomes_slower)
{
    struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    (void)run(&place, 2, 0);
    cr_expect_geq(width.width, 60);
    place.at_once = 8;
    double rate = run(&place, 10, 0);
    cr_expect_leq(width.width, 32, "%u", width.width);
    cr_expect_geq(rate, 3600, "%.0f of 3,880 steps/s", rate);
}

Test(scan_width, without_work_for_all_nothing_is_concluded)
{
    struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000, .idle = true};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    (void)run(&place, 2, 0);
    cr_expect_eq(width.width, 2);
    place.idle = false;
    (void)run(&place, 1, 0);
    cr_expect_geq(width.width, 60);
}

Test(scan_width, one_that_is_stuck_is_replaced)
{
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    cr_expect_eq(scan_width_judge(&width, &work, 0, now_us), 2);
    cr_expect_eq(scan_width_judge(&width, &work, 2, now_us + TICK_US), 4);
    cr_expect_eq(scan_width_judge(&width, &work, 64, now_us + TICK_US), 64);
    cr_expect_eq(scan_width_judge(&width, &work, 0, now_us + TICK_US), 2);
}

Test(scan_width, a_number_that_was_given_stays)
{
    const struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000};
    begin(7, 7, 2);
    (void)run(&place, 2, 0);
    cr_expect_eq(width.width, 7);
    cr_expect_eq(scan_width_judge(&width, &work, 3, now_us), 7);
}

Test(scan_width, no_room_for_more)
{
    const struct place place = {.cores = 2, .cpu_us = 60, .waits = 2, .wait_us = 1000};
    begin(SCAN_WIDTH_LEAST, SCAN_WIDTH_MAX, 2);
    (void)run(&place, 2, 0);
    scan_width_limit(&width, 20);
    cr_expect_eq(width.width, 20);
    (void)run(&place, 5, 0);
    cr_expect_leq(width.width, 20);
    scan_width_limit(&width, 0);
    cr_expect_eq(width.width, 1);
    (void)run(&place, 5, 0);
    cr_expect_eq(width.width, 1);
}
