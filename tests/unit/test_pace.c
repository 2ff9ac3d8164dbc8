/* What --threads auto arrives at, against made-up peers: a tick four times a second, and as much stored as they say. */
#include <criterion/criterion.h>

#include "engine/pace.h"

enum { TICK_US = 250 * 1000, SECOND = 4, MINUTE = 60 * SECOND };

/* A peer: what so many associations store together, in instances a second. */
struct peer {
    double (*rate)(unsigned workers, double seconds);
    unsigned accepts;   /* associations; more are rejected; 0 = any number */
    unsigned resources; /* associations; with more it says that it is out of resources; 0 = never */
    unsigned studies;   /* how many workers there is work for; 0 = any number */
    double noise;       /* as a share, up and down by turns */
};

struct run {
    struct pace pace;
    double instances, bytes;
    unsigned ticks, most, complaints;
    unsigned at[PACE_MAX + 1]; /* ticks with so many allowed */
};

static void begin(struct run *run)
{
    *run = (struct run){0};
    pace_init(&run->pace, PACE_MAX);
}

static unsigned smaller(unsigned a, unsigned limit)
{
    return limit > 0 && limit < a ? limit : a;
}

static void go(struct run *run, const struct peer *peer, unsigned ticks)
{
    static const double wave[] = {0.3, -0.8, 1, -0.2, 0.6, -1, 0.1};
    for (unsigned i = 0; i < ticks; i++, run->ticks++) {
        unsigned allowed = run->pace.allowed;
        unsigned wanted = smaller(allowed, peer->studies), workers = smaller(wanted, peer->accepts);
        double rate = peer->rate(workers, run->ticks / (double)SECOND);
        rate *= 1 + peer->noise * wave[run->ticks % (sizeof wave / sizeof wave[0])];
        run->instances += rate / SECOND;
        run->bytes += rate / SECOND * 16000;
        run->at[allowed]++;
        run->most = allowed > run->most ? allowed : run->most;
        if (workers < wanted || (peer->resources > 0 && workers > peer->resources)) {
            run->complaints++;
            pace_back_off(&run->pace, workers < wanted, workers);
        }
        pace_measure(&run->pace, &(struct pace_sample){.time_us = (uint64_t)(run->ticks + 1) * TICK_US,
                                                       .instances = (uint64_t)run->instances,
                                                       .bytes = (uint64_t)run->bytes,
                                                       .workers = workers});
        cr_assert(run->pace.allowed >= 1 && run->pace.allowed <= PACE_MAX, "%u", run->pace.allowed);
    }
}

static double grows_for_ever(unsigned workers, double seconds)
{
    (void)seconds;
    return 100.0 * workers;
}

static double knee_at_4(unsigned workers, double seconds)
{
    (void)seconds;
    return workers < 4 ? 100.0 * workers : 400;
}

static double one_at_a_time(unsigned workers, double seconds)
{
    (void)seconds;
    return 600 - 20.0 * workers;
}

static double slow_stores(unsigned workers, double seconds)
{
    (void)seconds;
    return workers < 8 ? 0.5 * workers : 4;
}

/* After a minute each association is slowed down by the others. */
static double thrashes_later(unsigned workers, double seconds)
{
    return seconds < 60 ? knee_at_4(workers, seconds) : 240.0 / workers;
}

/* After a minute everything takes three times as long. */
static double slower_later(unsigned workers, double seconds)
{
    return knee_at_4(workers, seconds) / (seconds < 60 ? 1 : 3);
}

Test(pace, begins_with_one)
{
    struct run run;
    begin(&run);
    cr_assert_eq(run.pace.allowed, 1);
}

Test(pace, adds_while_throughput_grows)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = grows_for_ever}, 5 * SECOND);
    cr_assert_eq(run.pace.base, PACE_MAX);
    go(&run, &(struct peer){.rate = grows_for_ever}, 5 * MINUTE);
    cr_assert(run.pace.settled);
    cr_assert_eq(run.pace.base, PACE_MAX);
}

Test(pace, stops_at_the_knee)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = knee_at_4}, 4 * SECOND);
    cr_assert(run.pace.settled);
    cr_assert_eq(run.pace.base, 4);
    go(&run, &(struct peer){.rate = knee_at_4}, 10 * MINUTE);
    cr_assert_eq(run.pace.base, 4);
    cr_assert_leq(run.most, 8);
    cr_assert_geq(run.at[4], 9 * MINUTE, "at 4 for %u of %u ticks", run.at[4], run.ticks);
}

Test(pace, noise_does_not_carry_it_away)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = knee_at_4, .noise = 0.06}, 10 * MINUTE);
    cr_assert(run.pace.base >= 3 && run.pace.base <= 6, "%u", run.pace.base);
}

Test(pace, stays_at_one_if_more_is_slower)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = one_at_a_time}, 10 * MINUTE);
    cr_assert_eq(run.pace.base, 1);
    cr_assert_leq(run.most, 2);
    cr_assert_geq(run.at[1], 9 * MINUTE);
}

Test(pace, waits_for_enough_of_slow_stores)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = slow_stores}, 3 * MINUTE);
    cr_assert_eq(run.pace.base, 8);
}

Test(pace, fewer_when_throughput_falls_and_fewer_are_faster)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = thrashes_later}, MINUTE);
    cr_assert_eq(run.pace.base, 4);
    go(&run, &(struct peer){.rate = thrashes_later}, 2 * MINUTE);
    cr_assert_leq(run.pace.base, 2, "%u", run.pace.base);
}

Test(pace, stays_when_throughput_falls_and_fewer_are_slower)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = slower_later}, 5 * MINUTE);
    cr_assert_eq(run.pace.base, 4);
    cr_assert_gt(run.at[2], 0);
}

Test(pace, a_peer_that_rejects_sets_the_number)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = grows_for_ever, .accepts = 3}, 10 * MINUTE);
    cr_assert_eq(run.pace.base, 3);
    cr_assert(run.pace.settled);
    cr_assert_leq(run.complaints, 12, "rejected %u times in 10 minutes", run.complaints);
    cr_assert_geq(run.at[3], 9 * MINUTE);
}

Test(pace, half_when_the_peer_is_out_of_resources)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = grows_for_ever, .resources = 7}, 20 * SECOND);
    cr_assert_eq(run.pace.allowed, 4);
    cr_assert_eq(run.complaints, 1);
    /* Later it finds out that a few more are tolerated, little by little. */
    go(&run, &(struct peer){.rate = grows_for_ever, .resources = 7}, 30 * MINUTE);
    cr_assert_leq(run.most, 8);
    cr_assert_leq(run.complaints, 30, "%u complaints in half an hour", run.complaints);
}

Test(pace, complaints_about_the_same_count_once)
{
    struct pace pace;
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = grows_for_ever}, 10 * SECOND);
    pace = run.pace;
    cr_assert_eq(pace_back_off(&pace, false, 16), 8);
    cr_assert_eq(pace_back_off(&pace, false, 16), 8);
    cr_assert_eq(pace_back_off(&pace, true, 12), 8);
    cr_assert_eq(pace_back_off(&pace, true, 5), 5, "fewer than that are open");
    cr_assert_eq(pace_back_off(&pace, true, 0), 1);
}

Test(pace, no_more_than_there_is_work_for)
{
    struct run run;
    begin(&run);
    go(&run, &(struct peer){.rate = grows_for_ever, .studies = 2}, 5 * MINUTE);
    cr_assert_eq(run.pace.base, 2);
    cr_assert(!run.pace.settled, "4 have not been tried");
}

Test(pace, a_peer_that_stores_nothing_is_no_reason_for_more)
{
    struct pace pace;
    pace_init(&pace, PACE_MAX);
    for (unsigned i = 1; i < 10 * MINUTE; i++)
        cr_assert_leq(pace_measure(&pace, &(struct pace_sample){.time_us = i * (uint64_t)TICK_US, .workers = 1}), 2);
}

Test(pace, never_above_its_limit)
{
    struct pace pace;
    pace_init(&pace, 1);
    for (unsigned i = 1; i < MINUTE; i++)
        cr_assert_eq(pace_measure(&pace, &(struct pace_sample){.time_us = i * (uint64_t)TICK_US,
                                                               .instances = i * 100u,
                                                               .bytes = i * 100000u,
                                                               .workers = 1}),
                     1);
    pace_init(&pace, 1000);
    cr_assert_eq(pace.max, PACE_MAX);
}
