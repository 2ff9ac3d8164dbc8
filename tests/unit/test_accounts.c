/* Users by name and passcode: who is one of them, byte for byte, and who is not. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "dicomnet/identity.h"
#include "serve/accounts.h"

static struct accounts *accounts;

static void begin(void)
{
    accounts = accounts_create();
    cr_assert_not_null(accounts);
}

static void end(void)
{
    accounts_destroy(accounts);
}

TestSuite(accounts, .init = begin, .fini = end);

static struct dicomnet_span span(const char *text, size_t len)
{
    return (struct dicomnet_span){.data = (const uint8_t *)text, .len = len};
}

static bool have(const char *name, const char *passcode)
{
    const struct dicomnet_identity identity = {DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE, false, dicomnet_span_of(name),
                                               dicomnet_span_of(passcode)};
    return accounts_have(accounts, &identity);
}

Test(accounts, name_and_passcode_belong_together)
{
    cr_expect_not(have("alice", "one"), "there is nobody yet");
    cr_assert_eq(accounts_add(accounts, "alice", "one"), 0);
    cr_assert_eq(accounts_add(accounts, "bob", "two"), 0);
    cr_expect(have("alice", "one") && have("bob", "two"));
    cr_expect_not(have("alice", "two") || have("bob", "one") || have("carol", "one"));
    cr_expect_not(have("alice", "on") || have("alice", "onee") || have("alice", "One") || have("alice", "") ||
                  have("alice", "one "));
    cr_expect_not(have("", "one") || have("alic", "one") || have("alicee", "one") || have("Alice", "one"));
}

Test(accounts, no_other_kind_is_one_of_them)
{
    cr_assert_eq(accounts_add(accounts, "alice", "one"), 0);
    cr_expect_not(accounts_have(accounts, NULL));
    for (unsigned type = 0; type < 256; type++) {
        const struct dicomnet_identity identity = {(uint8_t)type, true, dicomnet_span_of("alice"),
                                                   dicomnet_span_of("one")};
        cr_expect_eq(accounts_have(accounts, &identity), type == DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE, "%u", type);
    }
}

Test(accounts, bytes_are_compared_to_their_end)
{
    struct dicomnet_identity identity = {DICOMNET_IDENTITY_USER_NAME_AND_PASSCODE, false, span("alice\0", 6),
                                         span("one\0\0", 5)};
    cr_assert_eq(accounts_add(accounts, "alice", "one"), 0);
    cr_expect(accounts_have(accounts, &identity), "NULs at the end are padding");
    identity.secondary = span("one\0x", 5);
    cr_expect_not(accounts_have(accounts, &identity));
    identity.secondary = span("one", 3);
    identity.primary = span("alice\0x", 7);
    cr_expect_not(accounts_have(accounts, &identity));
    identity.primary = span("\0alice", 6);
    cr_expect_not(accounts_have(accounts, &identity));
}

Test(accounts, the_longest_ones_fit_and_no_longer_ones)
{
    static char name[ACCOUNT_NAME_MAX + 2], passcode[ACCOUNT_PASSCODE_MAX + 2];
    memset(name, 'n', ACCOUNT_NAME_MAX);
    memset(passcode, 'p', ACCOUNT_PASSCODE_MAX);
    cr_assert_eq(accounts_add(accounts, name, passcode), 0);
    cr_expect(have(name, passcode));
    passcode[ACCOUNT_PASSCODE_MAX - 1] = 'q';
    cr_expect_not(have(name, passcode), "the last byte counts");
    passcode[ACCOUNT_PASSCODE_MAX - 1] = passcode[ACCOUNT_PASSCODE_MAX] = 'p';
    cr_expect_not(have(name, passcode));
    cr_expect_eq(accounts_add(accounts, "other", passcode), -EINVAL);
    name[ACCOUNT_NAME_MAX] = 'n';
    cr_expect_eq(accounts_add(accounts, name, "p"), -EINVAL);
    cr_expect_eq(accounts_add(accounts, "", "p"), -EINVAL);
    cr_expect_eq(accounts_add(accounts, "other", ""), -EINVAL);
}

Test(accounts, a_name_is_there_once)
{
    cr_assert_eq(accounts_add(accounts, "alice", "one"), 0);
    cr_expect_eq(accounts_add(accounts, "alice", "two"), -EEXIST);
    cr_expect(have("alice", "one") && !have("alice", "two"));
}
