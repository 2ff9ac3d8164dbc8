/* Tests of report/progress.h: the words at the end of a session. */
#include "../support/console_fixture.h"

TestSuite(progress_end, .fini = tear_down);

Test(progress_end, the_end_names_figures_and_failures)
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

Test(progress_end, the_end_tells_what_earlier_sessions_did)
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

Test(progress_end, the_end_counts_flaws)
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

static void end_converted(int count, const char *from, const char *to)
{
    for (int i = 0; i < count; i++) {
        struct instance instance = stored("ok");
        instance.file.syntax_uid = from;
        instance.outcome.sent_syntax = to;
        end_instance(instance);
    }
}

Test(progress_end, the_end_says_what_was_converted)
{
#define ROOT "1.2.840.10008.1.2"
    begin(PROGRESS_NORMAL);
    struct session_result result = finished();
    progress_finish(progress, &result, 0, NULL, NULL, NULL);
    EXPECT_LACKS(written(), "converted");
    end_instance(stored("as it lies"));
    end_converted(3, ROOT ".4.57", ROOT ".1");
    struct instance failure = failed("bad");
    failure.outcome.sent_syntax = ROOT;
    end_instance(failure);
    struct instance earlier = stored("earlier");
    earlier.outcome.earlier = true;
    earlier.outcome.sent_syntax = ROOT;
    end_instance(earlier);
    result = finished();
    progress_finish(progress, &result, 0, NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  converted            3   JPEG Lossless to Explicit VR Little Endian\n");
    end_converted(1, "1.2.3.4", ROOT);
    end_converted(5, ROOT ".1", ROOT);
    end_converted(4, ROOT ".4.90", ROOT ".1");
    end_converted(1, ROOT ".5", ROOT);
    result = finished();
    progress_finish(progress, &result, 0, NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  converted           14   5 Explicit VR Little Endian to Implicit VR Little Endian, "
                               "4 JPEG 2000 Lossless to Explicit VR Little Endian, "
                               "3 JPEG Lossless to Explicit VR Little Endian, 2 otherwise\n");
}

Test(progress_end, the_end_says_where_the_time_went)
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

/* On one machine an answer takes less than a tenth of a millisecond, which is not nothing. */
Test(progress_end, short_times_are_no_zeros)
{
    begin(PROGRESS_NORMAL);
    end_instance(stored("ok"));
    struct session_result result = finished();
    result.response = (struct histogram){0};
    for (int i = 0; i < 100; i++)
        histogram_add(&result.response, i < 80 ? 30 : i < 99 ? 80 : 3000);
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  response       0.03 ms   median; p90 0.08, p99 0.08, p99.9 3.0, max 3.0 ms\n");
}

Test(progress_end, the_end_says_what_holds_the_run)
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

Test(progress_end, the_end_says_what_was_chosen)
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

/* What is written at the end of a session of that verdict. */
static const char *written_at_end(enum session_verdict verdict, const char *stop_text)
{
    struct session_result result = finished();
    result.verdict = verdict;
    strcpy(result.stop_text, stop_text);
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    return written();
}

Test(progress_end, the_end_of_a_stopped_session_says_why)
{
    begin(PROGRESS_NORMAL);
    end_instance(fixture_instance("p", "1.2", "1.3", 10, OUTCOME_PENDING, REASON_INTERRUPTED));
    end_instance(fixture_instance("q", "1.2", "1.4", 10, OUTCOME_IN_DOUBT, REASON_NO_RESPONSE));
    const char *text = written_at_end(SESSION_STOPPED, "rejected");
    EXPECT_CONTAINS(text, "session stopped after 12.3 s: rejected\n");
    EXPECT_CONTAINS(text, "  in doubt             1   sent, but never answered\n");
    EXPECT_CONTAINS(text, "  pending              1   not sent\n");
    EXPECT_CONTAINS(text, "\nin doubt\n  1 file: the peer gave no response to it, each time it was sent\n      q\n");
    EXPECT_LACKS(text, "throughput");
}

Test(progress_end, the_end_of_an_interrupted_session_asks_for_nothing)
{
    begin(PROGRESS_NORMAL);
    end_instance(failed("bad"));
    end_instance(fixture_instance("q", "1.2", "1.4", 10, OUTCOME_IN_DOUBT, REASON_INTERRUPTED));
    end_instance(fixture_instance("r", NULL, NULL, 10, OUTCOME_SKIPPED, REASON_NOT_DICOM));
    const char *text = written_at_end(SESSION_INTERRUPTED, "interrupted: again to stop at once");
    EXPECT_CONTAINS(text, "session interrupted after 12.3 s: 0 stored, 1 failed, 1 in doubt\n");
    EXPECT_CONTAINS(text, "\nfailed or in doubt\n  1 file: the peer did not answer with success: A900");
    EXPECT_CONTAINS(text, "  skipped              1   1 not-dicom\n");
    EXPECT_LACKS(text, "though they are DICOM");
}

Test(progress_end, the_end_of_a_session_without_files_says_so)
{
    begin(PROGRESS_NORMAL);
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), NULL, NULL, NULL);
    EXPECT_CONTAINS(written(), "  no files were found (folders below the given ones need --recursive)\n");
}

Test(progress_end, the_end_of_a_dry_run_says_what_would_be_sent)
{
    begin(PROGRESS_NORMAL);
    progress_destroy(progress);
    progress =
        progress_create(&(struct progress_options){.out = out, .detail = PROGRESS_NORMAL, .kind = PROGRESS_DRY_RUN});
    end_instance(fixture_instance("p", "1.2", "1.3", 10, OUTCOME_PENDING, REASON_NONE));
    struct session_result result = finished();
    progress_finish(progress, &result, 0, NULL, NULL, NULL);
    const char *text = written();
    EXPECT_CONTAINS(text, "dry run complete after 12.3 s\n");
    EXPECT_LACKS(text, "transfer");
    EXPECT_CONTAINS(text, "  pending              1   would be sent\n");
    EXPECT_LACKS(text, "no files were found");
}

Test(progress_end, quiet_says_nothing_unless_something_failed)
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

Test(progress_end, groups_have_a_bound)
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

Test(progress_end, examples_have_their_own_facts)
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
    for (int i = 1; i < 3; i++) {
        struct instance undecodable =
            fixture_instance(i == 1 ? "i" : "j", "", "", 0, OUTCOME_FAILED, REASON_UNDECODABLE);
        undecodable.fact = (char *)(i == 1 ? "frame 3: cut off" : "frame 1: no such marker");
        end_instance(undecodable);
    }
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
    EXPECT_CONTAINS(text, "  2 files: it cannot be converted to a transfer syntax that the peer takes\n"
                          "      i  frame 3: cut off\n      j  frame 1: no such marker\n");
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

Test(progress_end, quiet_says_that_nothing_was_sent)
{
    begin(PROGRESS_QUIET);
    end_instance(skipped());
    struct session_result result = finished();
    progress_finish(progress, &result, session_exit_code(&result), "logs/s.json", "logs/s.log", NULL);
    EXPECT_CONTAINS(written(), "  skipped              1   1 not-dicom\n");
}

Test(progress_end, quiet_says_what_fails_a_strict_session)
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
