/* syntax_names: what is typed for transfer syntaxes, and what it means. */
#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

#include "dicomnet/uid.h"
#include "programs/syntax_names.h"

static const char *uids[SYNTAX_NAME_UIDS_MAX];

static void check_one(const char *name, const char *uid)
{
    cr_assert_eq(syntax_names_find(name, uids), 1, "%s", name);
    cr_assert_str_eq(uids[0], uid, "%s", name);
}

Test(syntax_names, each_syntax_of_the_standard_by_its_uid_its_keyword_and_its_name)
{
    const struct dicomnet_uid_info *info;
    unsigned count = 0;
    for (size_t i = 0; (info = dicomnet_uid_at(i)) != NULL; i++) {
        if (info->kind != DICOMNET_UID_KIND_TRANSFER_SYNTAX)
            continue;
        check_one(info->uid, info->uid);
        check_one(info->keyword, info->uid);
        check_one(info->name, info->uid);
        count++;
    }
    cr_assert_gt(count, 50);
}

Test(syntax_names, words)
{
    check_one("implicit", "1.2.840.10008.1.2");
    check_one("Explicit", "1.2.840.10008.1.2.1");
    check_one("BIG", "1.2.840.10008.1.2.2");
    check_one("deflated", "1.2.840.10008.1.2.1.99");
    check_one("rle", "1.2.840.10008.1.2.5");
    cr_assert_eq(syntax_names_find("uncompressed", uids), 4);
    cr_assert_str_eq(uids[0], "1.2.840.10008.1.2.1");
    cr_assert_eq(syntax_names_find("jpeg-lossless", uids), 2);
    cr_assert_str_eq(uids[0], "1.2.840.10008.1.2.4.70");
    cr_assert_eq(syntax_names_find("jpeg-2000", uids), 2);
    check_one("JPEG2000", "1.2.840.10008.1.2.4.91");
    check_one("htj2k", "1.2.840.10008.1.2.4.203");
    cr_assert_eq(syntax_names_find("ht-jpeg-2000", uids), 3);
}

/* Each word of the list means syntaxes of the standard only, and hides no keyword or name. */
Test(syntax_names, what_is_listed_works)
{
    char text[SYNTAX_NAMES_TEXT_SIZE], *rest;
    syntax_names_say(text);
    cr_assert_lt(strlen(text), sizeof text - 1, "it is cut");
    unsigned count = 0;
    for (char *word = strtok_r(strstr(text, "one of ") + 7, ", ", &rest); word != NULL;
         word = strtok_r(NULL, ", ", &rest), count++) {
        size_t found = syntax_names_find(word, uids);
        cr_assert_gt(found, 0, "%s", word);
        cr_assert_null(dicomnet_uid_find_keyword(word), "%s", word);
        cr_assert_null(dicomnet_uid_find_name(word), "%s", word);
        for (size_t i = 0; i < found; i++) {
            const struct dicomnet_uid_info *info = dicomnet_uid_find(uids[i]);
            cr_assert(info != NULL && info->kind == DICOMNET_UID_KIND_TRANSFER_SYNTAX, "%s: %s", word, uids[i]);
        }
    }
    cr_assert_eq(count, 15);
}

Test(syntax_names, uids_that_the_standard_does_not_have)
{
    check_one("1.2.840.113619.5.2", "1.2.840.113619.5.2");
    check_one("1.2.840.10008.1.2.4.999", "1.2.840.10008.1.2.4.999");
}

Test(syntax_names, what_is_none)
{
    static const char *const none[] = {"",  " implicit", "implicit ", "CTImageStorage",   "1.2.840.10008.5.1.4.1.1.2",
                                       "1", "1.2.",      "foo",       "implicit,explicit"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        cr_assert_eq(syntax_names_find(none[i], uids), 0, "%s", none[i]);
}
