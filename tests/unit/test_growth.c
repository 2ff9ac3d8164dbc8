/* When a peer that turned an association away is asked for one more. */
#include <criterion/criterion.h>

#include "engine/growth.h"

Test(growth, asks_for_more_associations_ever_less_often)
{
    static const uint64_t delays_s[] = {10, 20, 40, 80, 160, 300, 300};
    struct growth growth = {0};
    uint64_t now_ms = 1000;
    cr_expect(!growth_may_grow(&growth, 1000000), "nothing was turned away");
    for (size_t i = 0; i < sizeof delays_s / sizeof delays_s[0]; i++) {
        for (int k = 0; k < 5; k++)
            growth_turned_away(&growth, now_ms); /* several at once count once */
        cr_expect(!growth_may_grow(&growth, now_ms + delays_s[i] * 1000 - 1), "delay %zu", i);
        now_ms += delays_s[i] * 1000;
        cr_expect(growth_may_grow(&growth, now_ms), "delay %zu", i);
        cr_expect(!growth_may_grow(&growth, now_ms), "one at a time");
    }
    growth_stop(&growth);
    cr_expect(!growth_may_grow(&growth, UINT64_MAX));
}
