/* Tests of report/forecast.h and report/pair_counts.h: what becomes of files, as a table and in JSON. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "../support/report_fixture.h"
#include "base/text.h"
#include "report/forecast.h"

#define ROOT     "1.2.840.10008.1.2"
#define CT       "1.2.840.10008.5.1.4.1.1.2"
#define MR       "1.2.840.10008.5.1.4.1.1.4"
#define EXPLICIT ROOT ".1"

static struct text text;
static struct fallback_policy policy = {.allowed = TRANSCODE_LOSSLESS};
static struct forecast forecast = {.policy = &policy};

static void tear_down(void)
{
    text_fini(&text);
    forecast_fini(&forecast);
}

TestSuite(forecast, .fini = tear_down);

static void find(int count, const char *class_uid, const char *syntax_uid)
{
    struct instance instance = fixture_instance("p", "1.2", "1.3", 1000, OUTCOME_PENDING, REASON_NONE);
    instance.file.class_uid = class_uid;
    instance.file.syntax_uid = syntax_uid;
    for (int i = 0; i < count; i++)
        cr_assert_eq(forecast_add_instance(&forecast, &instance), 0);
}

/* Only what would be sent counts; the commonest comes first. */
static void find_all(void)
{
    find(1, MR, ROOT ".4.50");
    find(2, CT, EXPLICIT);
    find(1, MR, ROOT ".4.70");
    find(3, MR, ROOT ".4.70");
    struct instance other = fixture_instance("p", "1.2", "1.3", 1000, OUTCOME_FAILED, REASON_BAD_UID);
    cr_assert_eq(forecast_add_instance(&forecast, &other), 0);
    other = fixture_instance("p", "1.2", "1.3", 1000, OUTCOME_PENDING, REASON_INTERRUPTED);
    cr_assert_eq(forecast_add_instance(&forecast, &other), 0);
}

static const char *ways(enum transcode allowed, const char *only, const char *stored)
{
    struct fallback_policy some = {.allowed = allowed, .only = &only, .only_count = only != NULL};
    const struct forecast of_these = {.policy = &some};
    text_clear(&text);
    forecast_put_fate(&text, &of_these, CT, stored);
    return text.data;
}

Test(forecast, ways_are_said_in_order)
{
    cr_expect_str_eq(ways(TRANSCODE_LOSSLESS, NULL, EXPLICIT),
                     "as it lies; if refused: Implicit VR Little Endian, Explicit VR Big Endian, Deflated Explicit VR "
                     "Little Endian");
    cr_expect_str_eq(ways(TRANSCODE_LOSSLESS, NULL, ROOT ".4.90"),
                     "as it lies; if refused: Explicit VR Little Endian, Implicit VR Little Endian");
    cr_expect_str_eq(ways(TRANSCODE_LOSSLESS, NULL, ROOT ".4.91"),
                     "as it lies only; --transcode lossy would convert it");
    cr_expect_str_eq(ways(TRANSCODE_NEVER, NULL, ROOT), "as it lies only; --transcode uncompressed would convert it");
    cr_expect_str_eq(ways(TRANSCODE_LOSSY, NULL, ROOT ".4.102"), "as it lies only");
    cr_expect_str_eq(ways(TRANSCODE_LOSSLESS, ROOT, ROOT ".5"), "converted to Implicit VR Little Endian");
    cr_expect_str_eq(ways(TRANSCODE_LOSSLESS, ROOT, ROOT), "as it lies only");
    cr_expect_str_eq(ways(TRANSCODE_UNCOMPRESSED, ROOT, ROOT ".5"),
                     "not at all: no syntax that may be proposed is one that it can go out in; --transcode lossless "
                     "would convert it");
}

Test(forecast, a_dry_run_has_a_line_for_each_pair)
{
    forecast_put_table(&text, &forecast);
    cr_expect_eq(text.len, 0);
    find_all();
    forecast_put_table(&text, &forecast);
    cr_expect_str_eq(
        text.data,
        "     files       size  class           lies in                    goes\n"
        "         4     4.0 KB  MRImageStorage  JPEG Lossless SV1          as it lies; if refused: Explicit VR Little "
        "Endian, Implicit VR Little Endian\n"
        "         2     2.0 KB  CTImageStorage  Explicit VR Little Endian  as it lies; if refused: Implicit VR Little "
        "Endian, Explicit VR Big Endian, Deflated Explicit VR Little Endian\n"
        "         1     1.0 KB  MRImageStorage  JPEG Baseline              as it lies only; --transcode lossy would "
        "convert it\n");
}

Test(forecast, a_probe_says_what_the_peer_takes)
{
    find_all();
    cr_assert_eq(forecast_add_answer(&forecast, MR, ROOT ".4.50", NULL, "not\x1b supported"), 0);
    cr_assert_eq(forecast_add_answer(&forecast, MR, ROOT ".4.70", EXPLICIT, ""), 0);
    cr_expect_eq(forecast_refused(&forecast), 1);
    forecast_put_table(&text, &forecast);
    cr_expect_str_eq(text.data,
                     "     files       size  class           lies in                    the peer takes it\n"
                     "         4     4.0 KB  MRImageStorage  JPEG Lossless SV1          converted to Explicit "
                     "VR Little Endian\n"
                     "         2     2.0 KB  CTImageStorage  Explicit VR Little Endian  not asked\n"
                     "         1     1.0 KB  MRImageStorage  JPEG Baseline              refused: not\\x1b "
                     "supported\n");
    cr_assert_eq(forecast_add_answer(&forecast, CT, EXPLICIT, EXPLICIT, ""), 0);
    text_clear(&text);
    forecast_put_table(&text, &forecast);
    cr_expect_not_null(strstr(text.data, "CTImageStorage  Explicit VR Little Endian  as it lies\n"), "%s", text.data);
}

Test(forecast, json_has_the_same)
{
    find_all();
    cr_assert_eq(forecast_add_answer(&forecast, MR, ROOT ".4.50", NULL, "why"), 0);
    cr_assert_eq(forecast_add_answer(&forecast, MR, ROOT ".4.70", EXPLICIT, ""), 0);
    json_t *array = forecast_json(&forecast);
    json_t *expected =
        json_pack("[{s:s, s:s, s:i, s:i, s:[s, s, s], s:{s:s, s:n}}, {s:s, s:s, s:i, s:i, s:[s, s, s, s], s:n}, "
                  "{s:s, s:s, s:i, s:i, s:[s], s:{s:n, s:s}}]",
                  "class", MR, "syntax", ROOT ".4.70", "files", 4, "bytes", 4000, "ways", ROOT ".4.70", EXPLICIT, ROOT,
                  "answer", "sent_syntax", EXPLICIT, "text", "class", CT, "syntax", EXPLICIT, "files", 2, "bytes", 2000,
                  "ways", EXPLICIT, ROOT, ROOT ".2", ROOT ".1.99", "answer", "class", MR, "syntax", ROOT ".4.50",
                  "files", 1, "bytes", 1000, "ways", ROOT ".4.50", "answer", "sent_syntax", "text", "why");
    cr_assert_not_null(expected);
    char *found = json_dumps(array, 0);
    cr_expect(json_equal(array, expected), "%s", found);
    free(found);
    json_decref(expected);
    json_decref(array);
}
