/* How many bytes of stores may be under way on one association. */
#include <criterion/criterion.h>

#include "engine/flight.h"

enum { HALF_MB = 524288, QUICK_US = 150, FAR_US = 80000 };

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

static struct flight answered(uint64_t bytes, uint64_t wait_us)
{
    struct flight flight = {0};
    flight_begin(&flight, bytes);
    flight_acknowledged(&flight, bytes, wait_us);
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
    cr_expect_eq(fill(&flight, 16384), 64, "1 MiB");
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
    flight_acknowledged(&flight, HALF_MB, 500); /* 2 MB */
    flight_acknowledged(&flight, HALF_MB, FAR_US);
    cr_expect_eq(fill(&flight, HALF_MB), 4);
}

Test(flight, counts_an_answer_before_the_last_byte_as_quick)
{
    struct flight flight = answered(HALF_MB, 0);
    cr_expect_eq(fill(&flight, HALF_MB), 2);
}
