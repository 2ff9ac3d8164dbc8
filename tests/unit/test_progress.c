/*
 * Tests of report/progress.h and what it is made of: what is written to a pipe, and what to a terminal. The terminal is
 * a pseudo-terminal of a given width.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <pty.h>

#include "../support/report_fixture.h"
#include "report/format.h"
#include "report/live_line.h"
#include "report/progress.h"
#include "report/text.h"

/* Where the console writes: a memory file, or a pseudo-terminal. */
static FILE *out;
static int terminal = -1;
static struct progress *progress;
static struct session_progress now;

static void tear_down(void)
{
    progress_destroy(progress);
    if (out != NULL)
        fclose(out);
    if (terminal >= 0)
        close(terminal);
}

TestSuite(progress, .fini = tear_down);

static void begin(enum progress_detail detail)
{
    out = tmpfile();
    progress = progress_create(&(struct progress_options){.out = out, .detail = detail});
    cr_assert_not_null(progress);
}

static void begin_terminal(enum progress_detail detail, unsigned short columns)
{
    int inner;
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    cr_assert_eq(openpty(&terminal, &inner, NULL, NULL, &size), 0);
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C", 1);
    out = fdopen(inner, "w");
    progress = progress_create(&(struct progress_options){.out = out, .detail = detail});
    cr_assert_not_null(progress);
}

/* What was written since the last call; static. */
static const char *written(void)
{
    static char text[32768];
    static long offset;
    fflush(out);
    ssize_t len = 0;
    if (terminal >= 0) {
        /* The pseudo-terminal passes on in pieces, a little later. */
        struct pollfd waiting = {.fd = terminal, .events = POLLIN};
        while (poll(&waiting, 1, 100) == 1) {
            ssize_t part = read(terminal, text + len, sizeof text - 1 - (size_t)len);
            if (part <= 0)
                break;
            len += part;
        }
    } else {
        len = pread(fileno(out), text, sizeof text - 1, offset);
        offset += len > 0 ? len : 0;
    }
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static struct session_result finished(void);
static void end_instance(struct instance instance)
{
    fixture_count(&now.totals, &instance);
    progress_instance_ended(progress, &instance, &now);
}

static struct instance stored(const char *path)
{
    return fixture_instance(path, "1.2", "1.2.840.99", 512100, OUTCOME_STORED, REASON_NONE);
}

static struct instance failed(const char *path)
{
    struct instance instance = fixture_instance(path, "1.2", "1.2.840.98", 1000, OUTCOME_FAILED, REASON_STATUS);
    instance.outcome.has_status = true;
    instance.outcome.status = 0xA900;
    return instance;
}

static void log_record(enum log_level level, enum log_event event, const char *key, const char *text)
{
    struct log_field field = LOG_TEXT(key, text);
    progress_log(progress, &(struct log_record){.level = level,
                                                .event = event,
                                                .time_us = 1795256130123456,
                                                .worker = 3,
                                                .association = 12,
                                                .field_count = 1,
                                                .fields = &field});
}

#define EXPECT_CONTAINS(text, part) cr_expect(strstr((text), (part)) != NULL, "\"%s\" lacks \"%s\"", (text), (part))
#define EXPECT_LACKS(text, part)    cr_expect(strstr((text), (part)) == NULL, "\"%s\" has \"%s\"", (text), (part))

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

/* ---- progress, not on a terminal ---- */

Test(progress, a_pipe_gets_a_plain_line_every_ten_seconds)
{
    begin(PROGRESS_NORMAL);
    now.scan_ended = true;
    now.totals = (struct session_totals){.files = 100,
                                         .bytes_found = 100000000,
                                         .bytes_stored = 25000000,
                                         .by_state = {[OUTCOME_STORED] = 25, [OUTCOME_PENDING] = 75}};
    for (now.elapsed_us = 500000; now.elapsed_us < 25000000; now.elapsed_us += 500000) {
        now.transfer_us = now.elapsed_us;
        progress_update(progress, &now);
    }
    const char *text = written();
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, 2, "%s", text);
    EXPECT_CONTAINS(text, "25/100 files, 25%, 25.0 MB");
    EXPECT_LACKS(text, "\x1b");
    EXPECT_LACKS(text, "\r");
}

Test(progress, the_rate_is_that_of_the_last_seconds)
{
    begin(PROGRESS_NORMAL);
    now.scan_ended = true;
    now.totals.files = 1000;
    now.totals.bytes_found = 1000000000;
    for (now.elapsed_us = 500000; now.elapsed_us <= 20000000; now.elapsed_us += 500000) {
        now.transfer_us = now.elapsed_us;
        bool fast = now.elapsed_us > 10000000;
        now.totals.bytes_stored += fast ? 10000000 : 500000;
        now.totals.by_state[OUTCOME_STORED] += fast ? 10 : 1;
        now.totals.by_state[OUTCOME_PENDING] = 1000 - now.totals.by_state[OUTCOME_STORED];
        progress_update(progress, &now);
    }
    const char *text = written();
    EXPECT_CONTAINS(text, "1.0 MB/s, 2.0/s instances");
    EXPECT_CONTAINS(text, "20.0 MB/s, 20.0/s instances, 0:40 left");
}

Test(progress, a_verbose_line_for_each_file)
{
    begin(PROGRESS_VERBOSE);
    now.totals.files = 98;
    now.totals.by_state[OUTCOME_PENDING] = 85;
    now.scan_ended = true;
    end_instance(stored("a/b.dcm"));
    cr_expect_str_eq(written(), "[14/99] a/b.dcm (512.3 KB) ... stored (0.021 s)  1.2.840.99\n");
    now.scan_ended = false;
    end_instance(failed("a/\x1b[2Jc\n.dcm"));
    const char *text = written();
    EXPECT_CONTAINS(text,
                    "[15/100+] a/\\x1b[2Jc\\n.dcm (1.2 KB) ... failed (0.000 s): the peer did not answer with success");
    EXPECT_CONTAINS(text, "A900");
    end_instance(fixture_instance("readme", "", "", 0, OUTCOME_SKIPPED, REASON_NOT_DICOM));
    EXPECT_CONTAINS(written(), "readme (200 B) ... skipped: not a DICOM file\n");
    end_instance(fixture_instance("late", "", "", 0, OUTCOME_PENDING, REASON_INTERRUPTED));
    cr_expect_str_eq(written(), "");
}

Test(progress, records_by_detail)
{
    static const struct {
        enum progress_detail detail;
        const char *texts;
    } cases[] = {{PROGRESS_QUIET, "e"}, {PROGRESS_NORMAL, "ew"}, {PROGRESS_VERBOSE, "ewn"}, {PROGRESS_DEBUG, "ewnid"}};
    for (size_t i = 0; i < 4; i++) {
        begin(cases[i].detail);
        log_record(LOG_ERROR, LOG_SESSION_NOTE, "text", "is-e");
        log_record(LOG_WARN, LOG_ASSOCIATION_LOST, "text", "is-w");
        log_record(LOG_INFO, LOG_SESSION_NOTE, "text", "is-n");
        log_record(LOG_INFO, LOG_ASSOCIATION_OPENED, "t", "is-i");
        log_record(LOG_DEBUG, LOG_DIMSE_SENT, "t", "is-d");
        log_record(LOG_ERROR, LOG_STORE_FAILED, "t", "is-f");
        rewind(out);
        char text[2048] = "";
        cr_assert_geq(fread(text, 1, sizeof text - 1, out), 0);
        for (const char *letter = "ewnidf"; *letter != '\0'; letter++) {
            char part[] = {'i', 's', '-', *letter, '\0'};
            cr_expect_eq(strstr(text, part) != NULL, strchr(cases[i].texts, *letter) != NULL, "detail %zu, %c", i,
                         *letter);
        }
        progress_destroy(progress);
        progress = NULL;
        fclose(out);
        out = NULL;
    }
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

/* A trouble that a worker met so many seconds after the others did first. */
static void lose_association(int worker, unsigned after_s, const char *why)
{
    const struct log_field fields[] = {LOG_TEXT("peer", "10.0.0.5:104"), LOG_TEXT("text", why)};
    struct log_record record = {.level = LOG_WARN,
                                .event = LOG_ASSOCIATION_LOST,
                                .time_us = 1795256130123456 + after_s * 1000000ull,
                                .worker = worker,
                                .field_count = 2,
                                .fields = fields};
    progress_log(progress, &record);
    const struct log_field delay[] = {LOG_NUMBER("delay_ms", 1000), LOG_TEXT("text", why)};
    record.event = LOG_ASSOCIATION_RETRY;
    record.fields = delay;
    progress_log(progress, &record);
}

Test(progress, one_cause_is_said_once)
{
    setenv("TZ", "UTC", 1);
    begin(PROGRESS_NORMAL);
    for (int worker = 1; worker <= 64; worker++)
        for (unsigned try = 0; try < 3; try++)
            lose_association(worker, try, "not connected: Connection refused");
    cr_expect_str_eq(written(), "10:15:30 warning: association with 10.0.0.5:104: not connected: Connection refused\n");
    lose_association(1, 5, "connection lost: the peer closed the connection");
    EXPECT_CONTAINS(written(), "connection lost");
    lose_association(1, 599, "not connected: Connection refused");
    cr_expect_str_eq(written(), "", "within ten minutes");
    lose_association(1, 601, "not connected: Connection refused");
    EXPECT_CONTAINS(written(), "Connection refused (193 times since this was last said)\n");
    struct session_result result = finished();
    progress_finish(progress, &result, 1, NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text,
                    "\nmore than once\n  194 times: association with 10.0.0.5:104: not connected: Connection refused");
    EXPECT_LACKS(text, "connection lost");
}

Test(progress, a_cause_is_the_same_whatever_the_numbers)
{
    char text[64];
    begin(PROGRESS_NORMAL);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "cannot store 1.2.%d", i);
        const struct log_field fields[] = {LOG_TEXT("path", i == 0 ? "a.dcm" : "b.dcm"), LOG_TEXT("reason", "status"),
                                           LOG_TEXT("text", text)};
        progress_log(progress, &(struct log_record){.level = LOG_WARN,
                                                    .event = LOG_STORE_RETRIED,
                                                    .time_us = 1795256130123456,
                                                    .field_count = 3,
                                                    .fields = fields});
    }
    const char *said = written();
    cr_expect_eq(count_lines(said), 1, "%s", said);
    EXPECT_CONTAINS(said, "warning: a.dcm: cannot store 1.2.0; it is sent again\n");
    struct session_result result = finished();
    progress_finish(progress, &result, 1, NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  20 times: instances were sent again: cannot store 1.2.0\n");
}

Test(progress, a_hundred_causes_are_no_flood)
{
    char text[64];
    begin(PROGRESS_NORMAL);
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
        lose_association(1, 0, text);
    }
    cr_expect_leq(count_lines(written()), 64);
}

Test(progress, a_record_is_a_readable_line)
{
    begin(PROGRESS_DEBUG);
    log_record(LOG_DEBUG, LOG_ASSOCIATION_CONTEXT, "text", "a b\x1b[1m");
    cr_expect_str_eq(written(), "10:15:30.123 debug association.context w3 a12 text=\"a b\\x1b[1m\"\n");
}

/* ---- the words at the end ---- */

static struct session_result finished(void)
{
    struct session_result result = {.totals = now.totals,
                                    .begun_us = 1000000,
                                    .ended_us = 13300000,
                                    .duration_us = 12300000,
                                    .scan_us = 200000,
                                    .transfer_us = 10000000};
    histogram_add(&result.response, 21000);
    result.totals.studies = 1;
    return result;
}

Test(progress, the_end_names_figures_and_failures)
{
    begin(PROGRESS_NORMAL);
    for (int i = 0; i < 100; i++)
        end_instance(stored("ok"));
    for (int i = 0; i < 12; i++) {
        struct instance bad = failed(i == 0 ? "bad\n1" : i == 9 ? "bad10" : i == 10 ? "bad11" : "bad");
        bad.outcome.status = i == 0 ? 0xC000 : 0xA900;
        end_instance(bad);
    }
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", "move.db");
    const char *text = written();
    EXPECT_CONTAINS(text, "session ended after 12.3 s: 100 stored, 12 failed\n");
    EXPECT_CONTAINS(text, "  files              112   in 1 study\n");
    EXPECT_CONTAINS(text, "  stored             100   51.2 MB\n");
    EXPECT_CONTAINS(text, "  failed              12\n");
    EXPECT_CONTAINS(text, "  throughput    5.1 MB/s   10.0 instances/s\n");
    EXPECT_CONTAINS(text, "\nfailed\n  1 file: the peer did not answer with success: C000 (cannot understand)\n"
                          "      bad\\n1\n"
                          "  11 files: the peer did not answer with success: A900 (data set does not match SOP class)\n"
                          "      bad\n      bad\n      bad\n      ... and 8 more\n"
                          "  all are in logs/s.json\n");
    EXPECT_LACKS(text, "in doubt");
    EXPECT_LACKS(text, "pending");
    EXPECT_LACKS(text, "flaws");
    EXPECT_LACKS(text, "\x1b");
}

Test(progress, the_end_tells_what_earlier_sessions_did)
{
    static const struct {
        uint64_t earlier, studies;
        const char *files, *stored;
    } rows[] = {{0, 2, "  files                3   in 2 studies\n", "  stored               3   1.5 MB\n"},
                {2, 1, "  files                3   with something left in 1 study\n",
                 "  stored               3   1.5 MB   2 of them by earlier sessions\n"},
                {3, 0, "  files                3\n", "  stored               3   1.5 MB   all by earlier sessions\n"}};
    begin(PROGRESS_NORMAL);
    for (int i = 0; i < 3; i++)
        end_instance(stored("ok"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct session_result result = finished();
        result.totals.earlier[OUTCOME_STORED] = rows[i].earlier;
        result.totals.studies = rows[i].studies;
        progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
        const char *text = written();
        EXPECT_CONTAINS(text, rows[i].files);
        EXPECT_CONTAINS(text, rows[i].stored);
    }
}

Test(progress, the_end_counts_flaws)
{
    begin(PROGRESS_NORMAL);
    struct instance instance = stored("ok");
    end_instance(instance);
    instance.outcome.meta_differs = true;
    end_instance(instance);
    instance.outcome.leading_zero_uid = true;
    end_instance(instance);
    instance.outcome = (struct outcome){.state = OUTCOME_STORED, .bad_series_uid = true};
    end_instance(instance);
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
    EXPECT_CONTAINS(written(), "  flaws                3   sent as they are; the log has a warning for each\n");
}

Test(progress, the_end_says_where_the_time_went)
{
    begin(PROGRESS_VERBOSE);
    end_instance(stored("ok"));
    struct session_result result = finished();
    for (int i = 1; i < 2000; i++)
        histogram_add(&result.response, i < 1990 ? 21000 : i < 1999 ? 62000 : 500000);
    histogram_add(&result.connect, 250);
    histogram_add(&result.negotiate, 1000);
    histogram_add(&result.read, 10);
    histogram_add(&result.write, 30);
    histogram_add(&result.wait, 20000);
    result.worker_count = 2;
    result.workers[0] = (struct worker_figures){
        .there_us = 8000000, .store_us = 7200000, .stored = 1500, .bytes = 1000, .associations = 1};
    result.workers[1] = (struct worker_figures){.there_us = 4000000, .store_us = 2000000, .associations = 2};
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "  response       21.5 ms   median; p90 21.5, p99 21.5, p99.9 62.5, max 500.0 ms\n");
    EXPECT_CONTAINS(text, "   connect 0.25, negotiate 1.00, read 0.01, write 0.03, wait 20.00 ms\n");
    EXPECT_CONTAINS(text, "  workers              2   busy 50 to 90 %\n");
    EXPECT_CONTAINS(text, "           1        1500   stored, 1.0 KB over 1 association; busy 90 % of 8.0 s\n");
    EXPECT_CONTAINS(text, "           2           0   stored, 0 B over 2 associations; busy 50 % of 4.0 s\n");
}

Test(progress, the_end_says_what_holds_the_run)
{
    begin(PROGRESS_NORMAL);
    end_instance(stored("ok"));
    struct session_result result = finished();
    result.worker_count = 1;
    result.workers[0] = (struct worker_figures){.there_us = 8000000, .store_us = 3600000};
    result.worker_us = 8000000;
    result.time_us[TIME_PAUSED] = 5000000;
    result.time_us[TIME_WAITING] = 2900000;
    result.time_us[TIME_STORAGE] = 80000;
    result.time_us[TIME_IDLE] = 20000;
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "  workers              1   busy 45 %\n");
    EXPECT_CONTAINS(text, "  limit             62 %   pauses and back-off: the peer was not to be had; storage 1 %, "
                          "waiting 36 %\n");
}

Test(progress, the_end_says_what_was_chosen)
{
    begin(PROGRESS_NORMAL);
    end_instance(stored("ok"));
    struct session_result result = finished();
    result.worker_count = 8;
    result.threads_chosen = 4;
    result.threads_settled = true;
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "  workers              4   chosen by --threads auto; busy ");
    EXPECT_LACKS(text, "over 0 associations");
    result.threads_settled = false;
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "too little time or too few studies");
}

Test(progress, the_end_of_a_stopped_session_says_why)
{
    begin(PROGRESS_NORMAL);
    end_instance(fixture_instance("p", "1.2", "1.3", 10, OUTCOME_PENDING, REASON_INTERRUPTED));
    end_instance(fixture_instance("q", "1.2", "1.4", 10, OUTCOME_IN_DOUBT, REASON_NO_RESPONSE));
    struct session_result result = finished();
    result.verdict = SESSION_STOPPED;
    strcpy(result.stop_text, "rejected");
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "session stopped after 12.3 s: rejected\n");
    EXPECT_CONTAINS(text, "  in doubt             1   sent, but never answered\n");
    EXPECT_CONTAINS(text, "  pending              1   not sent\n");
    EXPECT_CONTAINS(text, "\nin doubt\n  1 file: the peer gave no response to it, each time it was sent\n      q\n");
    EXPECT_LACKS(text, "throughput");
}

Test(progress, the_end_of_an_interrupted_session_asks_for_nothing)
{
    begin(PROGRESS_NORMAL);
    end_instance(failed("bad"));
    end_instance(fixture_instance("q", "1.2", "1.4", 10, OUTCOME_IN_DOUBT, REASON_INTERRUPTED));
    end_instance(fixture_instance("r", NULL, NULL, 10, OUTCOME_SKIPPED, REASON_NOT_DICOM));
    struct session_result result = finished();
    result.verdict = SESSION_INTERRUPTED;
    strcpy(result.stop_text, "interrupted: again to stop at once");
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "session interrupted after 12.3 s: 0 stored, 1 failed, 1 in doubt\n");
    EXPECT_CONTAINS(text, "\nfailed or in doubt\n  1 file: the peer did not answer with success: A900");
    EXPECT_CONTAINS(text, "  skipped              1   1 not-dicom\n");
    EXPECT_LACKS(text, "though they are DICOM");
}

Test(progress, the_end_of_a_session_without_files_says_so)
{
    begin(PROGRESS_NORMAL);
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  no files were found (folders below the given ones need --recursive)\n");
}

Test(progress, the_end_of_a_dry_run_says_what_would_be_sent)
{
    begin(PROGRESS_NORMAL);
    progress_destroy(progress);
    progress = progress_create(&(struct progress_options){.out = out, .detail = PROGRESS_NORMAL, .dry_run = true});
    end_instance(fixture_instance("p", "1.2", "1.3", 10, OUTCOME_PENDING, REASON_NONE));
    struct session_result result = finished();
    progress_finish(progress, &result, 0, NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "dry run complete after 12.3 s\n");
    EXPECT_CONTAINS(text, "  pending              1   would be sent\n");
    EXPECT_LACKS(text, "no files were found");
}

Test(progress, quiet_says_nothing_unless_something_failed)
{
    begin(PROGRESS_QUIET);
    now.elapsed_us = 60000000;
    end_instance(stored("ok"));
    progress_update(progress, &now);
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", "move.db");
    cr_expect_str_eq(written(), "");
    end_instance(failed("bad"));
    result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", "move.db");
    EXPECT_CONTAINS(written(), "      bad\n");
}

Test(progress, groups_have_a_bound)
{
    begin(PROGRESS_NORMAL);
    for (int i = 0; i < 13; i++) {
        struct instance bad = failed("bad");
        bad.outcome.status = (uint16_t)(0xC000 + i);
        end_instance(bad);
    }
    struct session_result result = finished();
    progress_finish(progress, &result, 1, "logs/s.json", NULL, NULL);
    EXPECT_CONTAINS(written(), "  ... and 3 for other reasons\n  all are in logs/s.json\n");
}

Test(progress, examples_have_their_own_facts)
{
    begin(PROGRESS_NORMAL);
    for (int i = 1; i < 3; i++) {
        struct instance cut = fixture_instance(i == 1 ? "a" : "b", "", "", 0, OUTCOME_FAILED, REASON_TRUNCATED);
        cut.outcome.offset = (uint64_t)(1000 * i);
        end_instance(cut);
    }
    struct instance conflict = fixture_instance("c", "", "", 0, OUTCOME_FAILED, REASON_UID_CONFLICT);
    conflict.fact = (char *)"the other is d\x1b[2J";
    end_instance(conflict);
    struct instance unsupported = fixture_instance("e", "", "", 0, OUTCOME_FAILED, REASON_UNSUPPORTED);
    unsupported.fact = (char *)"CTImageStorage as JPEGBaseline8Bit";
    end_instance(unsupported);
    end_instance(unsupported);
    struct instance twin = fixture_instance("f", "", "", 0, OUTCOME_SKIPPED, REASON_DUPLICATE);
    twin.fact = (char *)"as g";
    end_instance(twin);
    end_instance(fixture_instance("h", "", "", 0, OUTCOME_SKIPPED, REASON_NOT_DICOM));
    struct session_result result = finished();
    progress_finish(progress, &result, 1, "logs/s.json", NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "  2 files: the file ends inside an element\n      a  at byte 1000\n      b  at byte 2000\n");
    EXPECT_CONTAINS(text, "with different bytes\n      c  the other is d\\x1b[2J\n");
    EXPECT_CONTAINS(text, "  2 files: the peer does not take its class in its transfer syntax: CTImageStorage as "
                          "JPEGBaseline8Bit\n      e\n      e\n");
    EXPECT_CONTAINS(text, "  skipped              2   1 not-dicom, 1 duplicate\n");
    EXPECT_CONTAINS(text, "\nskipped, though they are DICOM\n  1 file: the same instance, byte for byte, as another "
                          "file\n      f  as g\n");
    EXPECT_LACKS(text, "all are in");
}

static struct instance skipped(void)
{
    struct instance instance = stored("readme");
    instance.outcome = (struct outcome){.state = OUTCOME_SKIPPED, .reason = REASON_NOT_DICOM};
    return instance;
}

Test(progress, quiet_says_that_nothing_was_sent)
{
    begin(PROGRESS_QUIET);
    end_instance(skipped());
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
    EXPECT_CONTAINS(written(), "  skipped              1   1 not-dicom\n");
}

Test(progress, quiet_says_what_fails_a_strict_session)
{
    begin(PROGRESS_QUIET);
    end_instance(skipped());
    end_instance(stored("ok"));
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
    cr_expect_str_eq(written(), "");
    result.strict = true;
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
    EXPECT_CONTAINS(written(), "  skipped              1   1 not-dicom\n");
}

/* ---- on a terminal ---- */

static void at_half_time(void)
{
    now = (struct session_progress){.scan_ended = true, .elapsed_us = 5000000, .transfer_us = 4000000};
    now.totals = (struct session_totals){.files = 100,
                                         .bytes_found = 100000000,
                                         .bytes_stored = 50000000,
                                         .by_state = {[OUTCOME_STORED] = 50, [OUTCOME_PENDING] = 50}};
}

Test(progress, the_line_says_what_holds_it_up)
{
    static const struct {
        enum session_holdup holdup;
        unsigned tries;
        uint64_t next_try_us;
        const char *wide, *narrow;
    } rows[] = {
        {HOLDUP_PAUSED, 1, 39500000, "paused: no room at the peer, next try in 40 s", "paused, next try in 40 s"},
        {HOLDUP_PAUSED, 1, 0, "paused: no room at the peer, next try now", "paused, next try now"},
        {HOLDUP_CONNECTING, 1, 0, "connecting", "connecting"},
        {HOLDUP_CONNECTING, 2, 0, "connecting again, 2nd try", "2nd try"},
        {HOLDUP_CONNECTING, 3, 1000, "connecting again, 3rd try in 1 s", "3rd try in 1 s"},
        {HOLDUP_CONNECTING, 12, 0, "12th try", "12th try"},
        {HOLDUP_CONNECTING, 21, 0, "21st try", "21st try"},
        {HOLDUP_STOPPING, 0, 0, "stopping: stores under way are finished", "stopping"},
    };
    setenv("NO_COLOR", "1", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int narrow = 0; narrow < 2; narrow++) {
            begin_terminal(PROGRESS_NORMAL, narrow ? 40 : 80);
            at_half_time();
            now.holdup = rows[i].holdup;
            now.tries = rows[i].tries;
            now.next_try_us = rows[i].next_try_us;
            progress_update(progress, &now);
            const char *text = written();
            EXPECT_CONTAINS(text, narrow ? rows[i].narrow : rows[i].wide);
            EXPECT_CONTAINS(text, "50/100");
            EXPECT_LACKS(text, "MB/s");
            cr_expect_leq(strlen(text), narrow ? 39 + 4 : 79 + 4, "%s", text);
            progress_destroy(progress);
            progress = NULL;
            fclose(out);
            out = NULL;
            close(terminal);
            terminal = -1;
        }
    begin(PROGRESS_NORMAL);
    at_half_time();
    now.elapsed_us = 11000000;
    now.holdup = HOLDUP_CONNECTING;
    now.tries = 3;
    progress_update(progress, &now);
    EXPECT_CONTAINS(written(), "50/100 files, 50%, 50.0 MB, connecting again, 3rd try\n");
}

Test(progress, a_terminal_gets_one_line_that_makes_room)
{
    unsetenv("NO_COLOR");
    begin_terminal(PROGRESS_NORMAL, 80);
    at_half_time();
    progress_update(progress, &now);
    const char *text = written();
    EXPECT_CONTAINS(text, " 50%  ");
    EXPECT_CONTAINS(text, "\x1b[36m=");
    EXPECT_CONTAINS(text, "50/100  50.0 MB  12.5 MB/s  12.5/s  0:04 left");
    EXPECT_LACKS(text, "\n");
    log_record(LOG_WARN, LOG_ASSOCIATION_LOST, "text", "it is gone");
    text = written();
    cr_expect_eq(strncmp(text, "\r\x1b[K", 4), 0, "the line is cleared first");
    EXPECT_CONTAINS(text, "it is gone\x1b[0m\r\n 50%"); /* the terminal driver adds the carriage return */
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    text = written();
    cr_expect_eq(strncmp(text, "\r\x1b[K", 4), 0);
    EXPECT_LACKS(text, " 50%");
}

Test(progress, no_color_is_respected_and_the_width_too)
{
    setenv("NO_COLOR", "1", 1);
    begin_terminal(PROGRESS_NORMAL, 40);
    at_half_time();
    progress_update(progress, &now);
    const char *text = written();
    cr_expect_str_eq(text, "\r\x1b[K 50%  50/100  12.5 MB/s  0:04 left");
    progress_destroy(progress);
    progress = NULL;
    cr_expect_str_eq(written(), "\r\x1b[K", "nothing of the line is left behind");
}

Test(progress, a_dumb_terminal_is_treated_as_a_pipe)
{
    begin_terminal(PROGRESS_NORMAL, 80);
    progress_destroy(progress);
    setenv("TERM", "dumb", 1);
    progress = progress_create(&(struct progress_options){.out = out, .detail = PROGRESS_NORMAL});
    at_half_time();
    progress_update(progress, &now);
    cr_expect_str_eq(written(), "");
    now.elapsed_us = 11000000;
    progress_update(progress, &now);
    EXPECT_LACKS(written(), "\x1b");
}
