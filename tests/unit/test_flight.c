/* How many bytes of stores may be under way on one association. */
#include <criterion/criterion.h>

#include "engine/flight.h"

enum { HALF_MB = 524288, AT_ONCE_US = 20, QUICK_US = 150, FAR_US = 80000 };

/* How many of such stores are under way when one more may not begin, up to 100. */
static unsigned fill(struct flight *flight, uint64_t bytes)
{
    unsigned count = 0;
    while (count < 100 && flight_may_begin(flight)) {
        flight_begin(flight, bytes);
        count++;
    }
    return count;
}

/* Enough stores were answered, one by one. */
static struct flight answered(uint64_t bytes, uint64_t wait_us)
{
    struct flight flight = {0};
    for (int i = 0; i < 1 + FLIGHT_ALONE; i++) {
        flight_begin(&flight, bytes);
        flight_acknowledged(&flight, bytes, wait_us);
    }
    return flight;
}

Test(flight, leaves_it_to_the_window_until_there_is_an_answer)
{
    struct flight flight = {0};
    cr_expect_eq(fill(&flight, 1ULL << 30), 100);
    flight_ended(&flight, 1ULL << 30); /* lost, or refused */
    cr_expect(flight_may_begin(&flight));
}

Test(flight, has_two_large_stores_under_way_where_answers_are_quick)
{
    static const uint64_t sizes[] = {HALF_MB + 6000, 8 << 20, 1610612736};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct flight flight = answered(sizes[i], QUICK_US);
        cr_expect_eq(fill(&flight, sizes[i]), 2, "size %zu", (size_t)sizes[i]);
        flight_acknowledged(&flight, sizes[i], QUICK_US);
        cr_expect_eq(fill(&flight, sizes[i]), 1, "size %zu", (size_t)sizes[i]);
    }
}

Test(flight, has_as_many_small_stores_under_way_as_the_window_allows)
{
    struct flight flight = answered(16384, QUICK_US);
    cr_expect_eq(fill(&flight, 16384), 32, "512 KiB");
    flight = answered(16384, 0);
    cr_expect_eq(fill(&flight, 16384), 32, "512 KiB");
}

Test(flight, has_some_stores_go_alone_where_the_peer_is_near)
{
    struct flight flight = {0};
    flight_begin(&flight, HALF_MB);
    flight_begin(&flight, HALF_MB);
    flight_acknowledged(&flight, HALF_MB, 300); /* heard late: the second was written meanwhile */
    flight_acknowledged(&flight, HALF_MB, 250);
    for (int i = 0; i < FLIGHT_ALONE; i++) {
        cr_expect_eq(fill(&flight, HALF_MB), 1, "%d", i);
        flight_acknowledged(&flight, HALF_MB, i == 0 ? AT_ONCE_US : QUICK_US);
    }
    cr_expect_eq(fill(&flight, HALF_MB), 1, "it answers at once");
}

Test(flight, goes_on_where_those_that_go_alone_are_refused)
{
    struct flight flight = {0};
    flight_begin(&flight, HALF_MB);
    flight_acknowledged(&flight, HALF_MB, 300);
    for (int i = 0; i < FLIGHT_ALONE; i++) {
        cr_expect_eq(fill(&flight, HALF_MB), 1, "%d", i);
        flight_ended(&flight, HALF_MB);
    }
    cr_expect_eq(fill(&flight, HALF_MB), 2, "300 us");
}

Test(flight, fills_a_long_line)
{
    struct flight flight = answered(HALF_MB, FAR_US);
    cr_expect_eq(fill(&flight, HALF_MB), 100);
}

Test(flight, goes_by_the_quickest_answer)
{
    struct flight flight = answered(HALF_MB, FAR_US);
    flight_begin(&flight, HALF_MB);
    flight_begin(&flight, HALF_MB);
    flight_acknowledged(&flight, HALF_MB, 4000); /* 5 MB */
    flight_acknowledged(&flight, HALF_MB, FAR_US);
    cr_expect_eq(fill(&flight, HALF_MB), 10);
}

Test(flight, has_one_large_store_under_way_where_answers_come_at_once)
{
    static const uint64_t waits_us[] = {0 /* before the last byte was out */, AT_ONCE_US};
    for (size_t i = 0; i < sizeof waits_us / sizeof waits_us[0]; i++) {
        struct flight flight = answered(HALF_MB, waits_us[i]);
        cr_expect_eq(fill(&flight, HALF_MB), 1);
        flight = answered(HALF_MB, waits_us[i]);
        cr_expect_eq(fill(&flight, HALF_MB / 2), 2);
    }
}
