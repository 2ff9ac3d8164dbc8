/*
 * Tests of report/progress.h: what is written to a pipe and to a terminal while a session runs. The words at its end
 * are in test_progress_end.c.
 */
#include "../support/console_fixture.h"
#include "base/log.h"

TestSuite(progress, .fini = tear_down);

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
    struct instance converted = stored("j");
    converted.outcome.sent_syntax = "1.2.840.10008.1.2";
    end_instance(converted);
    EXPECT_CONTAINS(written(), "j (512.3 KB) ... stored (0.021 s), converted to Implicit VR Little Endian  1.2.840.99");
    converted.outcome.earlier = true;
    end_instance(converted);
    EXPECT_CONTAINS(written(), "stored by an earlier session, converted to Implicit VR Little Endian  1.2.840.99");
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
        log_record(DICOMNET_LOG_ERROR, EVENT_SESSION_NOTE, "text", "is-e");
        log_record(DICOMNET_LOG_WARN, DICOMNET_LOG_ASSOCIATION_LOST, "text", "is-w");
        log_record(DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, "text", "is-n");
        log_record(DICOMNET_LOG_INFO, DICOMNET_LOG_ASSOCIATION_OPENED, "t", "is-i");
        log_record(DICOMNET_LOG_DEBUG, DICOMNET_LOG_DIMSE_SENT, "t", "is-d");
        log_record(DICOMNET_LOG_ERROR, EVENT_STORE_FAILED, "t", "is-f");
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
    const struct dicomnet_log_field fields[] = {LOG_TEXT("peer", "10.0.0.5:104"), LOG_TEXT("text", why)};
    struct event_record record = {.log = {.level = DICOMNET_LOG_WARN,
                                          .event = DICOMNET_LOG_ASSOCIATION_LOST,
                                          .time_us = 1795256130123456 + after_s * 1000000ull,
                                          .field_count = 2,
                                          .fields = fields},
                                  .worker = worker};
    progress_log(progress, &record);
    const struct dicomnet_log_field delay[] = {LOG_NUMBER("delay_ms", 1000), LOG_TEXT("text", why)};
    record.log.event = EVENT_ASSOCIATION_RETRY;
    record.log.fields = delay;
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
        const struct dicomnet_log_field fields[] = {LOG_TEXT("path", i == 0 ? "a.dcm" : "b.dcm"),
                                                    LOG_TEXT("reason", "status"), LOG_TEXT("text", text)};
        progress_log(progress, &(struct event_record){.log = {.level = DICOMNET_LOG_WARN,
                                                              .event = EVENT_STORE_RETRIED,
                                                              .time_us = 1795256130123456,
                                                              .field_count = 3,
                                                              .fields = fields}});
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
    log_record(DICOMNET_LOG_DEBUG, DICOMNET_LOG_ASSOCIATION_CONTEXT, "text", "a b\x1b[1m");
    cr_expect_str_eq(written(), "10:15:30.123 debug association.context w3 a12 text=\"a b\\x1b[1m\"\n");
}

/* ---- on a terminal ---- */

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
    log_record(DICOMNET_LOG_WARN, DICOMNET_LOG_ASSOCIATION_LOST, "text", "it is gone");
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
