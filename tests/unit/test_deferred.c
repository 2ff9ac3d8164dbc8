/* Instances that are to be sent again later: in which order, and not before which time. */
#include <criterion/criterion.h>

#include "engine/deferred.h"
#include "engine/losses.h"
#include "instance/instance.h"
#include "make_instances.h"

static struct deferred deferred;

static struct instance *make(unsigned number, uint64_t rest_until_ms, unsigned lost)
{
    struct instance *instance = make_instance("1.2", number, 100, 0);
    cr_assert_not_null(instance);
    instance->trials.rest_until_ms = rest_until_ms;
    instance->trials.lost = lost;
    return instance;
}

static void expect_rested(uint64_t now_ms, const struct instance *expected)
{
    struct instance *taken = deferred_take_rested(&deferred, now_ms);
    cr_expect_eq(taken, expected);
    instance_destroy(taken);
}

Test(deferred, rests_in_the_order_of_the_times)
{
    deferred_init(&deferred);
    cr_expect(!deferred_rests(&deferred));
    struct instance *late = make(1, 3000, 0), *early = make(2, 1000, 0), *between = make(3, 2000, 0),
                    *as_early = make(4, 1000, 0);
    deferred_rest(&deferred, late);
    deferred_rest(&deferred, early);
    deferred_rest(&deferred, between);
    deferred_rest(&deferred, as_early);
    cr_expect(deferred_rests(&deferred));
    expect_rested(999, NULL);
    expect_rested(1000, early);
    expect_rested(1000, as_early);
    expect_rested(1999, NULL);
    expect_rested(5000, between);
    expect_rested(5000, late);
    expect_rested(5000, NULL);
    cr_expect(!deferred_rests(&deferred));
}

/* Each first loss gives the peer a moment; one that was lost alone, once more, does not. */
Test(deferred, what_is_set_aside_waits_for_the_peer_to_recover)
{
    deferred_init(&deferred);
    cr_expect(!deferred_is_aside(&deferred) && !deferred_aside_waits(&deferred, 0));
    struct instance *first = make(1, 0, 1), *second = make(2, 0, LOSSES_BEFORE_ASIDE),
                    *again = make(3, 0, LOSSES_BEFORE_ASIDE + 1);
    deferred_set_aside(&deferred, first, 1000);
    deferred_set_aside(&deferred, second, 1500);
    deferred_set_aside(&deferred, again, 1900);
    cr_expect(deferred_is_aside(&deferred));
    cr_expect(deferred_aside_waits(&deferred, 1500 + LOSSES_SETTLE_MS - 1));
    cr_expect_null(deferred_take_aside(&deferred, 1500 + LOSSES_SETTLE_MS - 1));
    cr_expect(!deferred_aside_waits(&deferred, 1500 + LOSSES_SETTLE_MS));
    struct instance *const expected[] = {first, second, again, NULL};
    for (size_t i = 0; i < 4; i++) {
        struct instance *taken = deferred_take_aside(&deferred, 1500 + LOSSES_SETTLE_MS);
        cr_expect_eq(taken, expected[i], "%zu", i);
        instance_destroy(taken);
    }
    cr_expect(!deferred_is_aside(&deferred) && !deferred_aside_waits(&deferred, 0));
}

Test(deferred, all_of_it_comes_out_at_the_end)
{
    unsigned count = 0;
    struct instance *instance;
    deferred_init(&deferred);
    deferred_rest(&deferred, make(1, UINT64_MAX, 0));
    deferred_set_aside(&deferred, make(2, 0, 1), UINT64_MAX / 2);
    deferred_rest(&deferred, make(3, 1, 0));
    while ((instance = deferred_take_any(&deferred)) != NULL) {
        instance_destroy(instance);
        count++;
    }
    cr_expect_eq(count, 3);
}
