/* The matching rules of PS3.4 C.2.2.2, one row a rule. */
#include <criterion/criterion.h>

#include "archive/match.h"

struct row {
    const char *vr, *key, *value;
    bool matches;
};

static const struct row rows[] = {
    /* universal (C.2.2.2.3): whatever there is, also nothing */
    {"LO", "", "anything", true},
    {"LO", "", "", true},
    {"UI", "", "1.2.3", true},
    {"DA", "", "", true},
    {"PN", "*", "", true},
    {"LO", "**", "", true},

    /* single value (C.2.2.2.1) */
    {"LO", "Chest", "Chest", true},
    {"LO", "Chest", "chest", false},
    {"LO", "Chest", "Chest CT", false},
    {"LO", "Chest", "", false},
    {"LO", " Chest ", "Chest", true},
    {"CS", "CT", "MR\\CT", true},
    {"CS", "CT", "MR\\CTX", false},
    {"SH", "A\xC3\xA9", "A\xC3\xA9", true},
    {"ST", "a\\b", "a\\b", true},
    {"ST", "a", "a\\b", false},
    {"IS", "7", "007", true},
    {"IS", "7", "+7", true},
    {"IS", "7", "70", false},
    {"IS", "x", "x", true},
    {"DS", "1.5", "1.50", true},
    {"DS", "1.5", "1.51", false},
    {"US", "512", "512", true},
    {"AS", "045Y", "045Y", true},

    /* lists (C.2.2.2.2) */
    {"UI", "1.2\\1.3", "1.3", true},
    {"UI", "1.2\\1.3", "1.4", false},
    {"UI", "1.2", "1.2.3", false},
    {"UI", "1.2.*", "1.2.3", false},
    {"UI", "*", "1.2.3", false},
    {"CS", "CT\\MR", "MR", true},
    {"CS", "CT\\M*", "MG\\US", true},
    {"CS", "\\", "MR", false},

    /* wildcards (C.2.2.2.4) */
    {"LO", "Ch*", "Chest", true},
    {"LO", "*est", "Chest", true},
    {"LO", "*es*", "Chest", true},
    {"LO", "C?est", "Chest", true},
    {"LO", "C??est", "Chest", false},
    {"LO", "?", "", false},
    {"LO", "*?", "", false},
    {"LO", "*?", "x", true},
    {"LO", "a*b*c", "aXbXbc", true},
    {"LO", "a*b*c", "aXbXbd", false},
    {"LO", "?e",
     "\xC3\xA9"
     "e",
     true},
    {"LO", "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"LO", "ch*", "Chest", false},
    {"CS", "*T", "CT", true},
    {"IS", "1*", "12", false},
    {"DA", "2024*", "20240101", false},

    /* names: any case, any component group, trailing delimiters do not count (C.2.2.2.1) */
    {"PN", "doe^john", "Doe^John", true},
    {"PN", "DOE^*", "Doe^John^Q", true},
    {"PN", "Doe^John^^^", "Doe^John", true},
    {"PN", "Doe^John", "Doe^John^^", true},
    {"PN", "Doe", "Doe^John", false},
    {"PN", "Yamada^Tarou", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0", true},
    {"PN", "\xE5\xB1\xB1\xE7\x94\xB0", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0", true},
    {"PN", "\xE5\xB1?", "Yamada=\xE5\xB1\xB1\xE7\x94\xB0", false},
    {"PN", "\xE5\xB1\xB1?", "Yamada=\xE5\xB1\xB1\xE7\x94\xB0", true},
    {"PN", "Yamada=X", "Yamada=Y", false},
    {"PN", "*^*", "Yamada^", true},

    /* names: case and accents beyond ASCII (C.2.2.2.1 lets a provider ignore them); nowhere else */
    {"PN", "m\xC3\xBCller*", "M\xC3\x9CLLER^HANS", true},
    {"PN", "M\xC3\x9CLLER", "m\xC3\xBCller", true},
    {"PN", "muller", "M\xC3\xBCller", true},
    {"PN", "m\xC3\xBCller", "MULLER", true},
    {"PN", "mu\xCC\x88ller", "M\xC3\xBCller", true}, /* u and a combining diaeresis */
    {"PN", "m\xC3\xBCller", "Mueller", false},
    {"PN", "m?ller", "M\xC3\x9CLLER", true},
    {"PN",
     "\xC5\x81\xC3\xB3"
     "d\xC5\xBA",
     "lodz", true},
    {"PN", "\xD0\x98\xD0\xB2\xD0\x90\xD0\xBD*", "\xD0\x98\xD0\x92\xD0\x90\xD0\x9D\xD0\x9E\xD0\x92", true},
    {"PN", "\xCE\xA3\xCE\x8A\xCE\xA3\xCE\xA5", "\xCF\x83\xCE\xAF\xCF\x83\xCF\x85", true},
    {"PN", "\xE5\xB1\xB1", "\xE5\xB1\xB2", false},
    {"LO", "m\xC3\xBCller", "M\xC3\x9CLLER", false},

    /* dates and times: single and ranges (C.2.2.2.5) */
    {"DA", "20240131", "20240131", true},
    {"DA", "20240131", "2024.01.31", true},
    {"DA", "2024.01.31", "20240131", true},
    {"DA", "20240131", "20240130", false},
    {"DA", "20240101-20240131", "20240131", true},
    {"DA", "20240101-20240131", "20240101", true},
    {"DA", "20240101-20240131", "20240201", false},
    {"DA", "20240101-", "20231231", false},
    {"DA", "20240101-", "20991231", true},
    {"DA", "-20240101", "20240101", true},
    {"DA", "-20240101", "20240102", false},
    {"DA", "20240101-", "", false},
    {"DA", "-", "20240101", false},
    {"DA", "rubbish", "20240101", false},
    {"TM", "1030", "103000", true},
    {"TM", "1030", "103059.999999", true},
    {"TM", "1030", "103100", false},
    {"TM", "103000", "1030", true},
    {"TM", "10:30:00", "103000", true},
    {"TM", "08-10", "105959", true},
    {"TM", "08-10", "110000", false},
    {"TM", "080000.5-", "080000.499999", false},
    {"TM", "080000.5-", "080000.5", true},
    {"TM", "-0800", "080100", false},
};

Test(match, rules)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        cr_expect_eq(match_value(row->vr, row->key, row->value), row->matches, "%s: key '%s', value '%s'", row->vr,
                     row->key, row->value);
    }
}

/* The longest list and the slowest pattern there are: it goes on in steps, and each takes no more than its part. */
Test(match, long_lists_are_compared_in_steps)
{
    enum { COUNT = 3000, LEN = 100 };
    static char list[COUNT * LEN + 1], value[LEN];
    struct match_position position = {0};
    unsigned steps = 0;
    enum match_verdict verdict;
    memset(list, 'a', sizeof list - 1);
    for (size_t i = 1; i < COUNT; i++)
        list[i * LEN] = '\\';
    for (size_t i = 3; i < sizeof list - 1; i += 2)
        if (list[i] == 'a')
            list[i] = '*';
    memset(value, 'b', sizeof value - 1);
    struct match_key *key = match_key_create("PN", list);
    cr_assert_not_null(key);
    cr_expect_eq(match_count_values("PN", list), COUNT);
    cr_expect_eq(match_count_values("LT", list), 1);
    do {
        verdict = match_step(key, value, &position);
        steps++;
    } while (verdict == MATCH_UNFINISHED);
    cr_expect_eq(verdict, MATCH_NO);
    cr_expect_gt(steps, 10);
    memcpy(list + sizeof list - LEN, value, LEN);
    match_key_destroy(key);
    cr_expect(match_value("PN", list, value));
}

Test(match, very_long_texts_are_cut_and_harmless)
{
    char key[5000], value[5000];
    memset(key, '*', sizeof key);
    memset(value, 'a', sizeof value);
    for (size_t i = 1; i < sizeof key; i += 2)
        key[i] = 'a';
    key[sizeof key - 1] = value[sizeof value - 1] = '\0';
    (void)match_value("LO", key, value);
    (void)match_value("PN", key, value);
    cr_expect(match_value("LT", value, value));
}
