/* In which syntaxes an instance may go out: the whole table, each policy, and what the user named. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "instance/fallback.h"

#define IMPLICIT "1.2.840.10008.1.2"
#define EXPLICIT "1.2.840.10008.1.2.1"
#define BIG      "1.2.840.10008.1.2.2"
#define DEFLATED "1.2.840.10008.1.2.1.99"
#define JPEG     "1.2.840.10008.1.2.4."

/* "uid uid ..." */
static const char *list_of(const struct fallback_policy *policy, const char *stored)
{
    static char text[512];
    const char *list[FALLBACK_MAX];
    size_t count = fallback_list(policy, stored, list), len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? " " : "", list[i]);
    return text;
}

/* What follows the stored syntax itself, and from which policy on. */
static const struct row {
    const char *stored;
    const char *fallbacks;
    enum transcode from;
} rows[] = {
    {EXPLICIT, " " IMPLICIT " " BIG " " DEFLATED, TRANSCODE_UNCOMPRESSED},
    {IMPLICIT, " " EXPLICIT " " BIG " " DEFLATED, TRANSCODE_UNCOMPRESSED},
    {DEFLATED, " " EXPLICIT " " IMPLICIT " " BIG, TRANSCODE_UNCOMPRESSED},
    {BIG, " " EXPLICIT " " IMPLICIT " " DEFLATED, TRANSCODE_UNCOMPRESSED},
    {"1.2.840.10008.1.2.5", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "57", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "70", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "80", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "90", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "201", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "202", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSLESS},
    {JPEG "50", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSY},
    {JPEG "51", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSY},
    {JPEG "81", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSY},
    {JPEG "91", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSY},
    {JPEG "203", " " EXPLICIT " " IMPLICIT, TRANSCODE_LOSSY},
};

static const struct row *row_of(const char *stored)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].stored, stored) == 0)
            return &rows[i];
    return NULL;
}

Test(fallback, every_syntax_of_the_standard_and_every_policy)
{
    size_t seen = 0;
    for (size_t i = 0; dicomnet_uid_at(i) != NULL; i++) {
        const struct dicomnet_uid_info *info = dicomnet_uid_at(i);
        if (info->kind != DICOMNET_UID_KIND_TRANSFER_SYNTAX)
            continue;
        const struct row *row = row_of(info->uid);
        seen += row != NULL;
        for (int allowed = TRANSCODE_NEVER; allowed <= TRANSCODE_LOSSY; allowed++) {
            const struct fallback_policy policy = {.allowed = (enum transcode)allowed};
            char expected[256];
            bool converts = row != NULL && allowed >= (int)row->from;
            snprintf(expected, sizeof expected, "%s%s", info->uid, converts ? row->fallbacks : "");
            cr_assert_str_eq(list_of(&policy, info->uid), expected, "%s with %s", info->name,
                             transcode_name((enum transcode)allowed));
        }
    }
    cr_assert_eq(seen, sizeof rows / sizeof rows[0]);
}

Test(fallback, a_private_syntax_goes_as_it_lies_alone)
{
    const struct fallback_policy policy = {.allowed = TRANSCODE_LOSSY};
    cr_assert_str_eq(list_of(&policy, "1.2.840.113619.5.2"), "1.2.840.113619.5.2");
    cr_assert_str_eq(list_of(&policy, "1.2.3"), "1.2.3");
}

Test(fallback, named_syntaxes_are_all_that_is_proposed)
{
    static const char *const only[] = {BIG, JPEG "70", DEFLATED, BIG};
    struct fallback_policy policy = {.allowed = TRANSCODE_LOSSLESS, .only = only, .only_count = 4};
    cr_assert_str_eq(list_of(&policy, EXPLICIT), BIG " " DEFLATED);
    cr_assert_str_eq(list_of(&policy, DEFLATED), DEFLATED " " BIG);
    cr_assert_str_eq(list_of(&policy, JPEG "70"), JPEG "70 " BIG " " DEFLATED);
    cr_assert_str_eq(list_of(&policy, JPEG "50"), "");
    policy.allowed = TRANSCODE_NEVER;
    cr_assert_str_eq(list_of(&policy, EXPLICIT), "");
    cr_assert_str_eq(list_of(&policy, JPEG "70"), JPEG "70");
}

/* What a person could allow to have more ways; with names, only if one of them can be reached. */
Test(fallback, what_would_have_to_be_allowed)
{
    static const char *const deflated[] = {DEFLATED}, *const jpeg[] = {JPEG "50"};
    struct fallback_policy policy = {.allowed = TRANSCODE_NEVER};
    cr_expect_eq(fallback_needed(&policy, EXPLICIT), TRANSCODE_UNCOMPRESSED);
    cr_expect_eq(fallback_needed(&policy, JPEG "70"), TRANSCODE_LOSSLESS);
    cr_expect_eq(fallback_needed(&policy, JPEG "50"), TRANSCODE_LOSSY);
    cr_expect_eq(fallback_needed(&policy, JPEG "100"), TRANSCODE_NEVER, "nothing helps");
    policy.allowed = TRANSCODE_LOSSLESS;
    cr_expect_eq(fallback_needed(&policy, EXPLICIT), TRANSCODE_LOSSLESS, "it has its ways");
    cr_expect_eq(fallback_needed(&policy, JPEG "50"), TRANSCODE_LOSSY);
    policy.only = deflated;
    policy.only_count = 1;
    cr_expect_eq(fallback_needed(&policy, JPEG "50"), TRANSCODE_LOSSY);
    policy.only = jpeg;
    cr_expect_eq(fallback_needed(&policy, JPEG "81"), TRANSCODE_LOSSLESS, "nothing is ever compressed");
}
