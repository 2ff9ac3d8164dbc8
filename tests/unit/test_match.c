/* The matching rules of PS3.4 C.2.2.2, one row a rule. */
#include <criterion/criterion.h>

#include "archive/charset.h"
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

/* ---- character sets ---- */

static const struct {
    const char *set, *vr, *text, *utf8;
} texts[] = {
    {"", "PN", "Doe^John", "Doe^John"},
    {"ISO_IR 100", "PN", "Buc^J\xE9r\xF4me", "Buc^J\xC3\xA9r\xC3\xB4me"},
    {"ISO_IR 100", "CS", "\xE9", "\xE9"},
    {"ISO_IR 192", "LO", "\xC3\xA9", "\xC3\xA9"},
    {"ISO_IR 192", "LO",
     "a\xFF"
     "b",
     "a\xEF\xBF\xBD"
     "b"},
    {"", "LO", "\xE9", "\xEF\xBF\xBD"},
    {"no such set", "LO", "\xC3\xA9", "\xC3\xA9"},
    {"ISO_IR 144", "LO", "\xBB\xEE\xDA", "\xD0\x9B\xD1\x8E\xD0\xBA"},
    {"GB18030", "LO", "\xCD\xF5", "\xE7\x8E\x8B"},
    /* PS3.5 H.3.1, I.2, J.3: the examples of the standard */
    {"\\ISO 2022 IR 87", "PN", "Yamada^Tarou=\033$B;3ED\033(B^\033$BB@O:\033(B",
     "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E"},
    /* a "^" that is half of a character */
    {"\\ISO 2022 IR 87", "PN", "a=\033$B$d$^$@\033(B^\033$B$?$m$&\033(B",
     "a=\xE3\x82\x84\xE3\x81\xBE\xE3\x81\xA0^\xE3\x81\x9F\xE3\x82\x8D\xE3\x81\x86"},
    {"\\ISO 2022 IR 149", "PN", "Hong^Gildong=\033$)C\xFB\xF3^\033$)C\xD1\xCE\xD4\xD7",
     "Hong^Gildong=\xE6\xB4\xAA^\xE5\x90\x89\xE6\xB4\x9E"},
};

Test(charset, becomes_utf8)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[256];
        charset_to_utf8(texts[i].set, texts[i].vr, texts[i].text, text, sizeof text);
        cr_expect_str_eq(text, texts[i].utf8, "%s: '%s' became '%s'", texts[i].set, texts[i].text, text);
    }
}

Test(charset, what_does_not_fit_is_cut_between_characters)
{
    char text[8];
    charset_to_utf8("ISO_IR 100", "LO", "abcdef\xE9", text, sizeof text);
    cr_expect_str_eq(text, "abcdef");
    charset_to_utf8("ISO_IR 100", "LO", "abcdefghi", text, sizeof text);
    cr_expect_str_eq(text, "abcdefg");
}
