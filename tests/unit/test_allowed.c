/* Who may open an association: by AE title, by address, by both. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "serve/allowed.h"

enum { ENTRIES_MAX = 3 };

static struct allowed *make(enum allowed_form form, const char *const *entries)
{
    struct allowed *allowed = NULL;
    const char *wrong;
    size_t count = 0;
    while (count < ENTRIES_MAX && entries[count] != NULL)
        count++;
    cr_assert_eq(allowed_create(&allowed, form, entries, count, &wrong), 0, "%s", wrong);
    return allowed;
}

Test(allowed, title_and_host)
{
    static const struct {
        const char *entries[ENTRIES_MAX], *ae, *peer;
        bool has;
    } rows[] = {{{"CT1"}, "CT1", "192.0.2.1:4242", true},
                {{"CT1"}, "CT2", "192.0.2.1:4242", false},
                {{"CT1"}, "ct1", "192.0.2.1:4242", false},
                {{"CT1@192.0.2.1"}, "CT1", "192.0.2.1:4242", true},
                {{"CT1@192.0.2.1"}, "CT1", "192.0.2.2:4242", false},
                {{"CT1@192.0.2.1"}, "CT2", "192.0.2.1:4242", false},
                {{"CT1@192.0.2.1", "CT2@192.0.2.2"}, "CT1", "192.0.2.2:4242", false},
                {{"CT1@192.0.2.1", "CT2@192.0.2.2"}, "CT2", "192.0.2.2:4242", true},
                {{"A@B@192.0.2.1"}, "A@B", "192.0.2.1:1", true},
                {{"@192.0.2.1"}, "WHOEVER", "192.0.2.1:1", true},
                {{"@10.1.0.0/16"}, "WHOEVER", "10.1.255.3:1", true},
                {{"@10.1.0.0/16"}, "WHOEVER", "10.2.0.1:1", false},
                {{"@10.1.2.128/25"}, "WHOEVER", "10.1.2.127:1", false},
                {{"@10.1.2.128/25"}, "WHOEVER", "10.1.2.129:1", true},
                {{"@10.1.2.3/32"}, "WHOEVER", "10.1.2.2:1", false},
                {{"@0.0.0.0/0"}, "WHOEVER", "192.0.2.1:1", true},
                {{"@0.0.0.0/0"}, "WHOEVER", "[2001:db8::1]:1", false},
                {{"@2001:db8::/32"}, "WHOEVER", "[2001:db8:1::9]:1", true},
                {{"@2001:db8::/32"}, "WHOEVER", "[2001:db9::1]:1", false},
                {{"@::ffff:192.0.2.1"}, "WHOEVER", "192.0.2.1:1", true},
                {{"@192.0.2.1"}, "WHOEVER", "[::ffff:192.0.2.1]:1", true},
                {{"@192.0.2.1"}, "WHOEVER", "?", false},
                {{"CT1@localhost"}, "CT1", "127.0.0.1:1", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct allowed *allowed = make(ALLOWED_AE_AT_HOST, rows[i].entries);
        cr_expect_eq(allowed_has(allowed, rows[i].ae, rows[i].peer), rows[i].has, "row %zu: %s", i, rows[i].entries[0]);
        allowed_destroy(allowed);
    }
}

Test(allowed, title_or_host)
{
    static const struct {
        const char *entries[ENTRIES_MAX], *ae, *peer;
        bool has;
    } rows[] = {{{"PACS"}, "PACS", "192.0.2.1:1", true},
                {{"PACS"}, "OTHER", "192.0.2.1:1", false},
                {{"192.0.2.1"}, "OTHER", "192.0.2.1:1", true},
                {{"192.0.2.1"}, "192.0.2.1", "192.0.2.9:1", true},
                {{"192.0.2.0/24"}, "OTHER", "192.0.2.9:1", true},
                {{"PACS", "192.0.2.1"}, "OTHER", "192.0.2.1:1", true},
                {{"PACS", "192.0.2.1"}, "OTHER", "192.0.2.2:1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct allowed *allowed = make(ALLOWED_AE_OR_HOST, rows[i].entries);
        cr_expect_eq(allowed_has(allowed, rows[i].ae, rows[i].peer), rows[i].has, "row %zu: %s", i, rows[i].entries[0]);
        allowed_destroy(allowed);
    }
}

Test(allowed, what_is_none)
{
    static const char *const entries[] = {"",
                                          "@",
                                          "CT1@",
                                          "A_TITLE_THAT_IS_TOO_LONG",
                                          "CT1@1.2.3.4/33",
                                          "CT1@1.2.3.4/",
                                          "CT1@1.2.3.4/x",
                                          "CT1@1.2.3.4/-1",
                                          "CT1@here/8",
                                          "CT1@::1/129",
                                          "A_TITLE_THAT_IS_TOO_LONG@127.0.0.1"};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        struct allowed *allowed = NULL;
        const char *wrong = NULL;
        cr_expect_eq(allowed_create(&allowed, ALLOWED_AE_AT_HOST, &entries[i], 1, &wrong), -EINVAL, "'%s'", entries[i]);
        cr_expect_eq(wrong, entries[i]);
    }
}
