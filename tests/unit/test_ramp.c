/* Where the knee is, and what a step of a ramp tells about its session. */
#include <criterion/criterion.h>

#include <string.h>

#include "engine/session.h"
#include "report/ramp.h"

static struct ramp ramp;
static struct session_result result;

/* A session of 10 s in which so many were stored, and so many not. */
static void add(unsigned threads, uint64_t stored, uint64_t failed)
{
    memset(&result, 0, sizeof result);
    result.totals.by_state[OUTCOME_STORED] = stored;
    result.totals.by_state[OUTCOME_FAILED] = failed;
    result.totals.bytes_stored = stored * 1000000;
    result.transfer_us = 10000000;
    result.peak_workers = threads;
    ramp_add(&ramp, "20261121T101530Z_4f2a", threads, failed > 0 ? 2 : 0, &result);
}

static unsigned knee(void)
{
    const struct ramp_step *step = ramp_find_knee(&ramp);
    return step != NULL ? step->threads : 0;
}

static void clear(void)
{
    memset(&ramp, 0, sizeof ramp);
}

TestSuite(ramp, .init = clear);

Test(ramp, the_fewest_within_a_tenth_of_the_best)
{
    cr_expect_eq(knee(), 0);
    add(1, 500, 0);
    cr_expect_eq(knee(), 1);
    add(2, 899, 0);
    add(4, 950, 0);
    add(8, 1000, 0);
    cr_expect_eq(knee(), 4, "899 of 1000 are too few");
    add(16, 990, 0);
    cr_expect_eq(knee(), 4);
}

Test(ramp, order_does_not_matter)
{
    add(8, 1000, 0);
    add(4, 950, 0);
    add(2, 900, 0);
    cr_expect_eq(knee(), 2, "900 of 1000 are enough");
}

Test(ramp, a_step_with_failures_is_neither_best_nor_knee)
{
    add(1, 950, 1);
    add(2, 600, 0);
    cr_expect_eq(knee(), 2);
    add(4, 5000, 1);
    cr_expect_eq(knee(), 2);
    clear();
    add(1, 0, 10);
    cr_expect_eq(knee(), 0);
}

Test(ramp, a_step_tells_its_session)
{
    add(2, 900, 100);
    result.workers[0] = (struct worker_figures){.there_us = 6000000, .store_us = 5000000};
    result.workers[1] = (struct worker_figures){.there_us = 4000000, .store_us = 1000000};
    result.worker_count = 2;
    result.worker_us = 10000000;
    histogram_add(&result.response, 20);
    const struct ramp_step *step = ramp_add(&ramp, "s", 3, 2, &result);
    cr_expect_eq(step->threads, 3);
    cr_expect_eq(step->stored, 900);
    cr_expect_eq(step->not_stored, 100);
    cr_expect_float_eq(step->instances_per_s, 90, 1e-9);
    cr_expect_float_eq(step->megabytes_per_s, 90, 1e-9);
    cr_expect_float_eq(step->busy_share, 0.6, 1e-9);
    cr_expect_float_eq(step->p50_ms, 0.02, 1e-9);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ramp_print_step(step, out);
    fclose(out);
    cr_expect_not_null(strstr(text, "does not count: 100 not stored"), "%s", text);
    cr_expect_not_null(strstr(text, "60 %"), "%s", text);
    free(text);
}
