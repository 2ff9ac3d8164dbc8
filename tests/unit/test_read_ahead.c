/* How many files are to be read before their turn. */
#include <criterion/criterion.h>

#include "engine/read_ahead.h"

static struct read_ahead ahead;
static const struct read_ahead_scan fast, slow = {.slow = true}, remote = {.remote = true};

static void note(unsigned count, uint64_t reading_us, uint64_t store_us)
{
    for (unsigned i = 0; i < count; i++) {
        read_ahead_note_reading(&ahead, reading_us, 16 * 1024);
        if (store_us > 0)
            read_ahead_note_store(&ahead, store_us);
    }
}

static unsigned depth_of(uint64_t reading_us, uint64_t store_us)
{
    ahead = (struct read_ahead){0};
    note(100, reading_us, store_us);
    return read_ahead_depth(&ahead, &fast);
}

Test(read_ahead, none_while_storage_is_fast)
{
    cr_expect_eq(read_ahead_depth(&ahead, &fast), 0, "nothing is known");
    cr_expect_eq(depth_of(10, 100), 0);
    cr_expect_eq(depth_of(150, 20), 0);
    ahead = (struct read_ahead){0};
    for (unsigned i = 0; i < 300; i++) /* a machine that is busy: one of three waits for the processor */
        note(1, i % 3 == 0 ? 4000 : 20, 100);
    cr_expect_eq(read_ahead_depth(&ahead, &fast), 0);
}

Test(read_ahead, as_many_as_hide_the_latency)
{
    cr_expect_eq(depth_of(2000, 100), 21);
    cr_expect_eq(depth_of(2000, 3000), 2, "one is enough, and one more");
    cr_expect_eq(depth_of(10000, 1000), 11);
    cr_expect_eq(depth_of(100 * 1000, 50), READ_AHEAD_DEPTH_MAX);
    cr_expect_eq(depth_of(2000, 1), READ_AHEAD_DEPTH_MAX, "no store takes less than a bit");
}

/* Copying a MiB takes its time on a local disk, too. */
Test(read_ahead, copying_is_no_latency)
{
    for (unsigned i = 0; i < 100; i++)
        read_ahead_note_reading(&ahead, 900, 1 << 20);
    cr_expect_eq(read_ahead_depth(&ahead, &fast), 0);
    for (unsigned i = 0; i < 100; i++)
        read_ahead_note_reading(&ahead, 2000, 1 << 20);
    cr_expect_gt(read_ahead_depth(&ahead, &fast), 0);
}

Test(read_ahead, begins_with_what_the_scan_says)
{
    cr_expect_gt(read_ahead_depth(&ahead, &slow), 1, "before a single file was read");
    note(31, 10, 100);
    cr_expect_gt(read_ahead_depth(&ahead, &slow), 0);
    note(1, 10, 100);
    cr_expect_eq(read_ahead_depth(&ahead, &slow), 0, "now it is known better");
}

Test(read_ahead, follows_the_storage)
{
    note(100, 10, 100);
    note(40, 2000, 100);
    unsigned depth = read_ahead_depth(&ahead, &fast);
    cr_expect(depth > 15 && depth <= 21, "%u", depth);
    note(40, 10, 100);
    cr_expect_eq(read_ahead_depth(&ahead, &slow), 0);
}

/* A pause of the peer, or an association that is opened, is no store; a reading that hung is no latency. */
Test(read_ahead, leaves_out_what_is_no_measure)
{
    note(100, 2000, 1000);
    unsigned depth = read_ahead_depth(&ahead, &fast);
    read_ahead_note_store(&ahead, 60 * 1000 * 1000);
    cr_expect_eq(read_ahead_depth(&ahead, &fast), depth);
    note(1, 60 * 1000 * 1000, 1000);
    note(60, 2000, 1000);
    cr_expect_leq(read_ahead_depth(&ahead, &fast), depth + 1);
}

/* Nobody but a reader waits for storage that may hang. */
Test(read_ahead, two_at_least_of_what_may_hang)
{
    cr_expect_eq(read_ahead_depth(&ahead, &remote), 2);
    note(100, 10, 100);
    cr_expect_eq(read_ahead_depth(&ahead, &remote), 2);
    note(100, 2000, 100);
    cr_expect_eq(read_ahead_depth(&ahead, &remote), 21);
}
