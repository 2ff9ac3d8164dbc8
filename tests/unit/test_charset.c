/* charset: every character set as UTF-8, with the examples of PS3.5 Annexes H, I and J. */
#include <criterion/criterion.h>

#include "base/charset.h"

static const struct {
    const char *terms, *vr, *text, *utf8;
} texts[] = {
    /* no set, or one that is not known: what it can be */
    {"", "PN", "Doe^John", "Doe^John"},
    {"", "LO", "M\xc3\xbcller", "Müller"},
    {"", "LO", "M\xfcller", "Müller"},
    {"no such set", "LO", "M\xc3\xbcller", "Müller"},
    {"", "LO", "a\033Zb", "a\xef\xbf\xbdZb"},
    {"ISO_IR 144", "CS", "\xe9", "é"}, /* a VR that it does not concern */
    /* one set */
    {"ISO_IR 100", "PN", "Buc^J\xE9r\xF4me", "Buc^Jérôme"},
    {"ISO_IR 100 ", "LO", "\xe9", "é"},
    {"ISO_IR 192", "LO", "M\xc3\xbcller \xff", "Müller \xef\xbf\xbd"},
    {"ISO_IR 144", "LO", "\xbb\xee\xda\xe1", "Люкс"},
    {"ISO_IR 166", "LO", "\xb9", "น"},
    {"GB18030", "PN", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"},
    /* code extensions */
    {"\\ISO 2022 IR 87", "PN", "Yamada^Tarou=\033$B;3ED\033(B^\033$BB@O:\033(B=\033$B$d$^$@\033(B^\033$B$?$m$&\033(B",
     "Yamada^Tarou=山田^太郎=やまだ^たろう"},
    {"ISO 2022 IR 13\\ISO 2022 IR 87", "PN", "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\033$B;3ED\033(J^\033$BB@O:\033(J",
     "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"},
    {"\\ISO 2022 IR 149", "PN", "Hong^Gildong=\033$)C\xFB\xF3^\033$)C\xD1\xCE\xD4\xD7", "Hong^Gildong=洪^吉洞"},
    {"ISO 2022 IR 100\\ISO 2022 IR 144", "LO", "Dion \033-L\xbb\xee\xda", "Dion Люк"},
    /* back to ASCII below 80, and to the first set above; a delimiter does the same */
    {"ISO 2022 IR 144\\ISO 2022 IR 87", "LO", "\033$B;3\033(B \xbb\xee", "山 Лю"},
    {"ISO 2022 IR 100\\ISO 2022 IR 144", "PN", "\033-L\xbb^\xe9", "Л^é"},
    {"ISO 2022 IR 100\\ISO 2022 IR 144", "LO", "\033-L\xbb^\xe9\\\xe9", "Л^щ\\é"},
};

Test(charset, becomes_utf8)
{
    struct charset charset = {0}; /* one for all: what it keeps must not show */
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[256];
        charset_to_utf8(&charset, texts[i].terms, texts[i].vr, dicomnet_span_of(texts[i].text), text, sizeof text);
        cr_expect_str_eq(text, texts[i].utf8, "%s: '%s' became '%s'", texts[i].terms, texts[i].text, text);
    }
    charset_fini(&charset);
}

Test(charset, what_does_not_fit_is_cut_between_characters)
{
    struct charset charset = {0};
    char text[8];
    charset_to_utf8(&charset, "ISO_IR 100", "LO", dicomnet_span_of("abcdef\xE9"), text, sizeof text);
    cr_expect_str_eq(text, "abcdef");
    charset_to_utf8(&charset, "ISO_IR 100", "LO", dicomnet_span_of("abcdefghi"), text, sizeof text);
    cr_expect_str_eq(text, "abcdefg");
    charset_fini(&charset);
}

/* Three bytes of UTF-8 for one is the most there is. */
Test(charset, has_room)
{
    struct charset charset = {0};
    char text[CHARSET_ROOM(3)];
    charset_to_utf8(&charset, "ISO_IR 13", "LO", dicomnet_span_of("\xd4\xcf\xc0"), text, sizeof text);
    cr_expect_str_eq(text, "ﾔﾏﾀ");
    charset_to_utf8(&charset, "ISO_IR 192", "LO", dicomnet_span_of("\xff\xff\xff"), text, sizeof text);
    cr_expect_str_eq(text, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    charset_fini(&charset);
}
