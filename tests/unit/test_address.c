/* Addresses: which of a host's is tried when, and addresses as text. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/address.h"
#include "net/address_race.h"

enum { V4 = AF_INET, V6 = AF_INET6, MOST = 6 };

Test(address_race, families_come_in_turn)
{
    static const struct {
        size_t count;
        int families[MOST];
        size_t order[MOST];
    } rows[] = {
        {0, {0}, {0}},
        {1, {V6}, {0}},
        {3, {V4, V4, V4}, {0, 1, 2}},
        {4, {V6, V6, V4, V4}, {0, 2, 1, 3}},
        {4, {V4, V6, V4, V6}, {0, 1, 2, 3}},
        {5, {V6, V6, V6, V6, V4}, {0, 4, 1, 2, 3}},
        {5, {V4, V6, V6, V6, V6}, {0, 1, 2, 3, 4}},
        {6, {V4, V4, V4, V6, V6, V6}, {0, 3, 1, 4, 2, 5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t order[MOST];
        address_race_order(rows[i].families, rows[i].count, order);
        for (size_t k = 0; k < rows[i].count; k++)
            cr_expect_eq(order[k], rows[i].order[k], "row %zu, place %zu: %zu", i, k, order[k]);
    }
}

/* What the race says at this time; the milliseconds to wait, or -1: start one, -2: all have failed. */
static int said(const struct address_race *race, uint64_t now_ms)
{
    uint32_t wait_ms;
    enum address_race_step step = address_race_next(race, now_ms, &wait_ms);
    return step == ADDRESS_RACE_START ? -1 : step == ADDRESS_RACE_OVER ? -2 : (int)wait_ms;
}

Test(address_race, the_next_begins_a_moment_later_or_when_one_has_failed)
{
    struct address_race race;
    address_race_init(&race, 3, 10000);
    cr_expect_eq(said(&race, 5000), -1);
    address_race_started(&race, 5000);
    cr_expect_eq(said(&race, 5000), 250);
    cr_expect_eq(said(&race, 5249), 1);
    cr_expect_eq(said(&race, 5250), -1);
    address_race_started(&race, 5250);
    cr_expect_eq(said(&race, 5300), 200);
    address_race_failed(&race, -ECONNREFUSED);
    cr_expect_eq(said(&race, 5300), -1, "at once");
    address_race_started(&race, 5300);
    cr_expect_eq(said(&race, 9000), 0, "all have begun");
    address_race_failed(&race, -ECONNREFUSED);
    cr_expect_eq(said(&race, 9000), 0);
    address_race_failed(&race, -ETIMEDOUT);
    cr_expect_eq(said(&race, 9000), -2);
    cr_expect_eq(race.error, -ETIMEDOUT, "the last");
}

Test(address_race, no_address_is_no_race)
{
    struct address_race race;
    address_race_init(&race, 0, 10000);
    cr_expect_eq(said(&race, 5000), -2);
    cr_expect_eq(race.error, 0);
}

Test(address_race, the_last_of_many_has_half_of_the_time)
{
    static const struct {
        size_t count;
        uint32_t timeout_ms, stagger_ms;
    } rows[] = {{1, 100, 250},    {2, 10000, 250}, {2, 400, 200}, {21, 10000, 250},
                {32, 10000, 161}, {32, 100, 10},   {32, 0, 250},  {3, 1, 10}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address_race race;
        address_race_init(&race, rows[i].count, rows[i].timeout_ms);
        cr_expect_eq(race.stagger_ms, rows[i].stagger_ms, "row %zu: %u", i, race.stagger_ms);
    }
}

Test(address_race, tells_what_the_peer_did_and_not_that_there_is_no_way)
{
    static const struct {
        int first, second, told;
    } rows[] = {{-ECONNREFUSED, -ENETUNREACH, -ECONNREFUSED},
                {-ENETUNREACH, -ECONNREFUSED, -ECONNREFUSED},
                {-ENETUNREACH, -EHOSTUNREACH, -ENETUNREACH},
                {-ECONNREFUSED, -ETIMEDOUT, -ETIMEDOUT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address_race race;
        address_race_init(&race, 2, 0);
        address_race_started(&race, 1);
        address_race_failed(&race, rows[i].first);
        address_race_started(&race, 1);
        address_race_failed(&race, rows[i].second);
        cr_expect_eq(race.error, rows[i].told, "row %zu: %d", i, race.error);
    }
}

Test(address, from_text_and_back)
{
    static const struct {
        const char *text, *host, *with_port;
    } rows[] = {{"127.0.0.1", "127.0.0.1", "127.0.0.1:104"},
                {"0.0.0.0", "0.0.0.0", "0.0.0.0:104"},
                {"::", "::", "[::]:104"},
                {"2001:DB8::1", "2001:db8::1", "[2001:db8::1]:104"},
                {"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1:104"},
                {"fe80::1", "fe80::1", "[fe80::1]:104"},
                {"fe80::1%lo", "fe80::1%lo", "[fe80::1%lo]:104"},
                {"fe80::1%1", "fe80::1%lo", "[fe80::1%lo]:104"},
                {"fe80::1%4000000000", "fe80::1%4000000000", "[fe80::1%4000000000]:104"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union address address;
        char text[ADDRESS_TEXT_SIZE];
        cr_assert_eq(address_parse(rows[i].text, 104, &address), 0, "%s", rows[i].text);
        address_host(&address, text, sizeof text);
        cr_expect_str_eq(text, rows[i].host);
        address_text(&address, text, sizeof text);
        cr_expect_str_eq(text, rows[i].with_port);
        cr_expect_eq(address_port(&address), 104);
        bool any = strcmp(rows[i].text, "0.0.0.0") == 0 || strcmp(rows[i].text, "::") == 0;
        cr_expect_eq(address_is_any(&address), any, "%s", rows[i].text);
    }
}

Test(address, what_is_none)
{
    static const char *const texts[] = {"",
                                        "localhost",
                                        "127.1",
                                        "[::1]",
                                        "1.2.3.4.5",
                                        "256.0.0.1",
                                        "fe80::1%",
                                        "::1::2",
                                        "127.0.0.1%lo",
                                        "fe80::1%no-such-zone",
                                        "fe80::1%0",
                                        "fe80::1%-1",
                                        "fe80::1%1x",
                                        "fe80::1%4294967296"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        union address address;
        cr_expect_neq(address_parse(texts[i], 104, &address), 0, "'%s'", texts[i]);
    }
}
