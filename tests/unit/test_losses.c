/* Whose matter it is that associations end under a store: one instance's, or the peer's. */
#include <criterion/criterion.h>

#include "engine/losses.h"

Test(losses, twice_here_and_the_rest_alone)
{
    static const struct {
        unsigned lost;
        bool silent, alone;
        unsigned retry;
        enum loss_verdict verdict;
    } rows[] = {
        {1, false, true, 2, LOSS_AGAIN},  {2, false, true, 2, LOSS_ASIDE},  {3, false, true, 2, LOSS_FINAL},
        {1, false, true, 1, LOSS_ASIDE},  {2, false, true, 1, LOSS_FINAL},  {1, false, true, 0, LOSS_FINAL},
        {1, false, false, 0, LOSS_FINAL}, {3, false, true, 5, LOSS_ASIDE},  {5, false, true, 5, LOSS_ASIDE},
        {6, false, true, 5, LOSS_FINAL},  {1, true, true, 2, LOSS_ASIDE},   {2, true, true, 2, LOSS_ASIDE},
        {3, true, true, 2, LOSS_FINAL},   {9, false, false, 2, LOSS_ASIDE}, {9, true, false, 2, LOSS_ASIDE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(losses_judge_instance(rows[i].lost, rows[i].silent, rows[i].alone, rows[i].retry), rows[i].verdict,
                     "row %zu", i);
}

Test(losses, a_peer_is_given_up_after_many_and_long)
{
    struct losses losses = {0};
    for (unsigned i = 1; i < LOSSES_ROW; i++) {
        losses_count(&losses, false, 1000 + i);
        cr_expect(!losses_blame_peer(&losses, 600, 1000000), "%u in a row", i);
    }
    losses_count(&losses, false, 2000);
    cr_expect(!losses_blame_peer(&losses, 600 * 1000, 600 * 1000 + 1000), "not long enough");
    cr_expect(losses_blame_peer(&losses, 600 * 1000, 600 * 1000 + 1001));
    losses_answered(&losses);
    cr_expect(!losses_blame_peer(&losses, 600 * 1000, 600 * 1000 + 1001), "it answers");
}

Test(losses, a_peer_that_has_never_answered)
{
    const uint64_t patience_ms = 600 * 1000, begun_ms = 1000, over_ms = begun_ms + LOSSES_ALONE_MS;
    struct losses losses = {0};
    for (unsigned i = 0; i < 90; i++)
        losses_count(&losses, false, i);
    cr_expect(!losses_blame_peer(&losses, patience_ms, over_ms), "others may be answered");
    for (unsigned i = 1; i <= LOSSES_ALONE; i++) {
        cr_expect(!losses_blame_peer(&losses, patience_ms, over_ms), "%u alone", i);
        losses_count(&losses, true, begun_ms + i - 1);
    }
    cr_expect(!losses_blame_peer(&losses, patience_ms, over_ms - 1), "they end quickly");
    cr_expect(losses_blame_peer(&losses, patience_ms, over_ms), "all were tried");
    losses = (struct losses){0};
    losses_answered(&losses);
    for (unsigned i = 0; i < 90; i++)
        losses_count(&losses, true, begun_ms);
    cr_expect(!losses_blame_peer(&losses, patience_ms, over_ms), "it has answered others: it is the files");
}

Test(losses, waits_a_little_and_no_more)
{
    cr_expect_eq(losses_wait_ms(1), 0);
    cr_expect_eq(losses_wait_ms(LOSSES_UNHURRIED_AFTER), 0);
    cr_expect_eq(losses_wait_ms(LOSSES_UNHURRIED_AFTER + 1), LOSSES_WAIT_MS);
    cr_expect_eq(losses_wait_ms(1000000), LOSSES_WAIT_MS, "it does not grow");
}
