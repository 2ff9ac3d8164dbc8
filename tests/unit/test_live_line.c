/* Tests of report/live_line.h and report/format.h. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "report/format.h"
#include "report/live_line.h"

#define EXPECT_CONTAINS(text, part) cr_expect(strstr((text), (part)) != NULL, "\"%s\" lacks \"%s\"", (text), (part))

/* ---- format ---- */

Test(format, sizes_durations_and_rates)
{
    char text[FORMAT_SIZE];
    static const struct {
        double bytes;
        const char *text;
    } sizes[] = {{0, "0 B"},           {999, "999 B"},     {1000, "1.0 KB"},  {512300, "512.3 KB"},
                 {999949, "999.9 KB"}, {999960, "1.0 MB"}, {1.2e9, "1.2 GB"}, {18.4e18, "18.4 EB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        format_bytes(text, sizes[i].bytes);
        cr_expect_str_eq(text, sizes[i].text);
    }
    static const struct {
        uint64_t us;
        const char *text;
    } durations[] = {{0, "0.000 s"},         {21000, "0.021 s"},      {12340000, "12.3 s"},     {59949999, "59.9 s"},
                     {59960000, "1:00 min"}, {245000000, "4:05 min"}, {7445000000, "2:04:05 h"}};
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        format_duration(text, durations[i].us);
        cr_expect_str_eq(text, durations[i].text);
    }
    format_countdown(text, 12.4);
    cr_expect_str_eq(text, "0:12");
    format_countdown(text, 7445);
    cr_expect_str_eq(text, "2:04:05");
    format_countdown(text, 1e30);
    cr_expect_str_eq(text, "99h+");
    format_count_rate(text, 9.44);
    cr_expect_str_eq(text, "9.4/s");
    format_count_rate(text, 820.4);
    cr_expect_str_eq(text, "820/s");
}

/* ---- live_line ---- */

static const struct live_line half = {.share = 0.5,
                                      .files_done = 1200,
                                      .files_total = 3400,
                                      .growing = true,
                                      .sending = true,
                                      .bytes_done = 1234567890,
                                      .bytes_per_s = 512.34e6,
                                      .files_per_s = 820,
                                      .left_s = 72,
                                      .failed = 3};

static const char *render(const struct live_line *line, unsigned columns)
{
    static struct text text;
    text_clear(&text);
    live_line_render(&text, line, columns);
    return text.data;
}

Test(live_line, shows_all_in_a_wide_terminal)
{
    cr_expect_str_eq(render(&half, 110), " 50%  ================----------------  1200/3400+  1.2 GB  512.3 MB/s  "
                                         "820/s  1:12 left  3 failed");
}

Test(live_line, fits_every_width_and_keeps_the_failures)
{
    for (unsigned columns = 22; columns < 160; columns++) {
        const char *text = render(&half, columns);
        cr_expect_leq(strlen(text), columns, "%u: %s", columns, text);
        EXPECT_CONTAINS(text, "1200/3400+");
        EXPECT_CONTAINS(text, "3 failed");
    }
}

Test(live_line, a_narrow_one_keeps_what_matters_most)
{
    struct live_line line = half;
    line.failed = 0;
    cr_expect_str_eq(render(&line, 39), " 50%  1200/3400+  512.3 MB/s  1:12 left");
    cr_expect_str_eq(render(&half, 39), " 50%  1200/3400+  1:12 left  3 failed");
}

Test(live_line, says_what_holds_it_up_in_the_place_of_rates)
{
    struct live_line line = half;
    line.holdup = "paused: no room at the peer, next try in 40 s";
    line.holdup_short = "paused, next try in 40 s";
    cr_expect_str_eq(render(&line, 110),
                     " 50%  =============--------------  1200/3400+  1.2 GB  paused: no room at the "
                     "peer, next try in 40 s  3 failed");
    cr_expect_str_eq(render(&line, 79), " 50%  1200/3400+  paused: no room at the peer, next try in 40 s  3 failed");
    cr_expect_str_eq(render(&line, 52), " 50%  1200/3400+  paused, next try in 40 s  3 failed");
    line.failed = 0;
    cr_expect_str_eq(render(&line, 39), "1200/3400+  paused, next try in 40 s");
    for (unsigned columns = 20; columns < 160; columns++)
        cr_expect_leq(strlen(render(&line, columns)), columns);
}

Test(live_line, huge_numbers_fit_too)
{
    struct live_line huge = {.share = 1,
                             .files_done = UINT64_MAX,
                             .files_total = UINT64_MAX,
                             .sending = true,
                             .bytes_done = UINT64_MAX,
                             .bytes_per_s = 1e18,
                             .files_per_s = 1e12,
                             .left_s = 1e9,
                             .failed = UINT64_MAX};
    cr_expect_leq(strlen(render(&huge, 79)), 79);
}

Test(live_line, before_sending_it_says_what_goes_on)
{
    struct live_line line = {.files_total = 3400, .growing = true, .left_s = -1};
    cr_expect_str_eq(render(&line, 79), "scanning  0/3400+");
}

Test(live_line, colours_and_blocks_take_no_columns)
{
    struct live_line line = half;
    line.colour = line.unicode = true;
    EXPECT_CONTAINS(render(&line, 110), "\x1b[31m3 failed\x1b[0m");
    EXPECT_CONTAINS(render(&line, 110), "\xe2\x94\x81\x1b[0m\x1b[2m\xe2\x94\x80");
}
