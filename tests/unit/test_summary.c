/* Tests of report/summary.h: the document follows its schema, and its sums are those of what was observed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../support/report_fixture.h"
#include "engine/record.h"
#include "report/forecast.h"
#include "report/summary.h"

#define SESSION       "20261121T101530Z_4f2a"
#define IMPLICIT      "1.2.840.10008.1.2"
#define JPEG_LOSSLESS "1.2.840.10008.1.2.4.57"
#define FAILED_PATH   "d/\x01new\nline \xff.dcm"

/* What stands in for the C library's fsync: it fails with this error, if it is not 0. */
static int fsync_error;

int fsync(int fd)
{
    errno = fsync_error;
    return fsync_error != 0 ? -1 : 0;
}

static char *folder;
static char path[256];
static struct summary *summary;
static struct session_result result;
static const char *const inputs[] = {"/data/a", "caf\xe9"};
static struct session_options options = {
    .association = {.host = "pacs.example",
                    .port = 104,
                    .called_ae = "PACS",
                    .calling_ae = "DICOM_SENDER",
                    .max_pdu_len = 131072,
                    .timeouts = {.connect_ms = 10000,
                                 .acse_ms = 30000,
                                 .dimse_ms = 120000,
                                 .network_ms = 60500,
                                 .release_ms = 10000}},
    .threads = 8,
    .priority = DICOMNET_PRIORITY_HIGH,
    .retry = 3,
    .discover = {.inputs = inputs, .input_count = 2, .recursive = true},
};

static void set_up(void)
{
    folder = fixture_make_folder();
    snprintf(path, sizeof path, "%s/dicom_sender_summary_" SESSION ".json", folder);
    cr_assert_eq(summary_create(&summary, SESSION, &options, "--recursive 'a b'", false, NULL), 0);
    result = (struct session_result){
        .verdict = SESSION_COMPLETE,
        .begun_us = FIXTURE_BEGUN_S * 1000000ull,
        .ended_us = FIXTURE_BEGUN_S * 1000000ull + 10000000,
        .duration_us = 10000000,
        .scan_us = 250000,
        .transfer_us = 8000000,
        .peak_workers = 8,
        .threads_chosen = 2,
        .threads_settled = true,
        .worker_count = 2,
        .workers = {{.there_us = 8000000,
                     .store_us = 6000000,
                     .read_us = 1000000,
                     .write_us = 2000000,
                     .wait_us = 4000000,
                     .associations = 3,
                     .stored = 301,
                     .failed = 1,
                     .bytes = 300501},
                    {.there_us = 1000, .store_us = 1001, .associations = 3}},
    };
}

static void tear_down(void)
{
    summary_destroy(summary);
    fixture_remove_folder(folder);
}

TestSuite(summary, .init = set_up, .fini = tear_down);

static void end_instance(const struct instance *instance)
{
    fixture_count(&result.totals, instance);
    summary_add_instance(summary, instance);
    if (instance->outcome.has_status)
        histogram_add(&result.response, instance->outcome.write_us + instance->outcome.wait_us);
}

static void end_association(uint64_t number, uint64_t stored, uint64_t bytes, struct dicomnet_association_end end)
{
    struct association_figures figures = {.number = number,
                                          .worker = 1,
                                          .begun_us = FIXTURE_BEGUN_S * 1000000ull,
                                          .ended_us = FIXTURE_BEGUN_S * 1000000ull + 1,
                                          .connect_us = 1234,
                                          .negotiate_us = 42,
                                          .store_us = 5000000,
                                          .stored = stored,
                                          .bytes = bytes,
                                          .contexts_proposed = 3,
                                          .contexts_accepted = 2,
                                          .peer_max_pdu = 16384,
                                          .end = end};
    summary_add_association(summary, &figures);
}

/* A session with every kind of outcome and end: 300 stored in 3 studies, and 7 that are not. */
static void fill(void)
{
    static const char *const studies[] = {"1.2.1", "1.2.2", "1.2.3"};
    for (int i = 0; i < 300; i++) {
        struct instance instance =
            fixture_instance("d/ok.dcm", studies[i % 3], "1.2.3.4", 1000, OUTCOME_STORED, REASON_NONE);
        instance.outcome.leading_zero_uid = i == 7;
        instance.outcome.bad_series_uid = i == 8 || i == 9;
        instance.outcome.meta_differs = i > 9 && i < 13;
        instance.outcome.bad_study_uid = i > 19 && i < 24;
        instance.outcome.unknown_vr = i > 29 && i < 35;
        instance.outcome.zero_tail = i > 39 && i < 46;
        if (i >= 50 && i < 60) {
            instance.file.syntax_uid = i < 53 ? JPEG_LOSSLESS : "1.2.840.10008.1.2.1";
            instance.outcome.sent_syntax = i < 53 ? "1.2.840.10008.1.2.1" : IMPLICIT;
        }
        instance.outcome.wait_us = 1000ull * (unsigned)i;
        end_instance(&instance);
    }
    struct instance instance = fixture_instance("d/warned.dcm", "1.2.1", "1.9", 500, OUTCOME_WARNED, REASON_STATUS);
    instance.file.pad = true;
    instance.outcome.status = 0xB007;
    instance.outcome.sent_syntax = IMPLICIT;
    end_instance(&instance);
    instance = fixture_instance(FAILED_PATH, "1.2.2", "1.10", 700, OUTCOME_FAILED, REASON_STATUS);
    instance.outcome.has_status = true;
    instance.outcome.status = 0xA700;
    instance.outcome.attempts = 3;
    instance.delivery.association = 2;
    strcpy(instance.outcome.comment, "disk \"full\"\xe9");
    end_instance(&instance);
    instance = fixture_instance("d/gone.dcm", "1.2.4", "1.11", 700, OUTCOME_FAILED, REASON_VANISHED);
    instance.outcome.error = -ENOENT;
    end_instance(&instance);
    instance = fixture_instance("d/readme.txt", "", "", 0, OUTCOME_SKIPPED, REASON_NOT_DICOM);
    end_instance(&instance);
    instance = fixture_instance("d/doubt.dcm", "1.2.3", "1.12", 700, OUTCOME_IN_DOUBT, REASON_NO_RESPONSE);
    end_instance(&instance);
    instance = fixture_instance("d/late.dcm", "1.2.3", "1.13", 700, OUTCOME_PENDING, REASON_INTERRUPTED);
    instance.outcome.ended_us = 0;
    end_instance(&instance);
    instance = fixture_instance("d/late2.dcm", "1.2.3", "1.14", 700, OUTCOME_PENDING, REASON_INTERRUPTED);
    end_instance(&instance);
    result.totals.studies = 4;

    end_association(1, 300, 300000, (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_RELEASED});
    end_association(2, 1, 501,
                    (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_ABORTED_BY_PEER,
                                                      .error = DICOMNET_ERROR_ABORTED,
                                                      .abort = {.source = 2, .reason = 6}});
    end_association(3, 0, 0,
                    (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                      .error = DICOMNET_ERROR_REJECTED,
                                                      .reject = {.result = 1, .source = 1, .reason = 7}});
    end_association(
        4, 0, 0, (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = -ECONNREFUSED});
    end_association(5, 0, 0,
                    (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_ABORTED_BY_US,
                                                      .error = DICOMNET_ERROR_TIMEOUT_DIMSE});
    end_association(
        6, 0, 0,
        (struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_LOST, .error = DICOMNET_ERROR_PEER_CLOSED});
}

static json_t *write_and_read(void)
{
    cr_assert_eq(summary_write(summary, &result, 2, path), 0);
    json_error_t error;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(document, "%s at line %d", error.text, error.line);
    return document;
}

/* The document of everything that fill() puts in. */
static json_t *written_of_all(void)
{
    fill();
    return write_and_read();
}

static int validate(const char *file)
{
    char command[512];
    snprintf(command, sizeof command,
             "/usr/bin/python3 %s/tests/support/validate_summary.py %s/docs/summary.schema.json '%s'", SOURCE_ROOT,
             SOURCE_ROOT, file);
    int status = system(command);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The value at a path of keys: "totals.stored", "failed.0.path". */
static json_t *at(json_t *value, const char *keys)
{
    char copy[128], *rest = copy;
    snprintf(copy, sizeof copy, "%s", keys);
    for (char *key; (key = strsep(&rest, ".")) != NULL;)
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key)) : json_object_get(value, key);
    cr_assert_not_null(value, "no %s", keys);
    return value;
}

#define EXPECT_NUMBER(document, keys, expected)                                                                        \
    cr_expect_float_eq(json_number_value(at((document), (keys))), (expected), 1e-9, keys)
#define EXPECT_TEXT(document, keys, expected)                                                                          \
    cr_expect_str_eq(json_string_value(at((document), (keys))), (expected), keys)

Test(summary, a_full_one_follows_the_schema_and_its_sums_match)
{
    json_decref(written_of_all());
    cr_assert_eq(validate(path), 0);
}

Test(summary, an_empty_one_follows_the_schema)
{
    result = (struct session_result){.verdict = SESSION_STOPPED, .stop_text = "the peer rejected the association"};
    cr_assert_eq(summary_write(summary, &result, 1, path), 0);
    cr_assert_eq(validate(path), 0);
}

Test(summary, a_loopback_session_follows_the_schema)
{
    struct session_options loopback = {.association = {.host = "127.0.0.1", .port = 4242}, .threads = 1};
    result.threads_chosen = 0;
    struct summary *other;
    cr_assert_eq(summary_create(&other, SESSION, &loopback, "--loopback", true, NULL), 0);
    cr_assert_eq(summary_write(other, &result, 0, path), 0);
    json_t *document = json_load_file(path, 0, NULL);
    cr_expect(json_is_true(json_object_get(json_object_get(document, "options"), "loopback")));
    cr_expect(json_is_null(json_object_get(json_object_get(document, "destination"), "host")), "it tells nothing");
    json_decref(document);
    summary_destroy(other);
    cr_assert_eq(validate(path), 0);
}

/* What a dry run says of the files is there, and null for all other sessions. */
Test(summary, a_dry_run_has_a_forecast)
{
    struct session_options dry = {.threads = 1, .dry_run = true, .transcode.allowed = TRANSCODE_LOSSY};
    struct forecast forecast = {.policy = &dry.transcode};
    struct instance instance = fixture_instance("d/a.dcm", "1.2.1", "1.20", 9, OUTCOME_PENDING, REASON_NONE);
    json_t *document = write_and_read();
    cr_expect(json_is_null(at(document, "forecast")));
    json_decref(document);
    summary_destroy(summary);
    cr_assert_eq(forecast_add_instance(&forecast, &instance), 0);
    cr_assert_eq(forecast_add_answer(&forecast, instance.file.class_uid, instance.file.syntax_uid, IMPLICIT, ""), 0);
    cr_assert_eq(summary_create(&summary, SESSION, &dry, "--dry-run", false, &forecast), 0);
    result.totals = (struct session_totals){0};
    end_instance(&instance);
    document = write_and_read();
    EXPECT_TEXT(document, "options.transcode", "lossy");
    EXPECT_TEXT(document, "forecast.0.ways.1", IMPLICIT);
    EXPECT_TEXT(document, "forecast.0.answer.sent_syntax", IMPLICIT);
    EXPECT_NUMBER(document, "forecast.0.bytes", 9);
    json_decref(document);
    cr_assert_eq(validate(path), 0);
    forecast_fini(&forecast);
}

Test(summary, totals_and_rates)
{
    json_t *document = written_of_all();
    EXPECT_NUMBER(document, "totals.files", 307);
    EXPECT_NUMBER(document, "totals.stored", 300);
    EXPECT_NUMBER(document, "totals.warned", 1);
    EXPECT_NUMBER(document, "totals.failed", 2);
    EXPECT_NUMBER(document, "totals.skipped", 1);
    EXPECT_NUMBER(document, "totals.in_doubt", 1);
    EXPECT_NUMBER(document, "totals.pending", 2);
    EXPECT_NUMBER(document, "totals.bytes", 300501);
    EXPECT_NUMBER(document, "totals.studies", 4);
    EXPECT_NUMBER(document, "rates.transfer.megabytes_per_s", 0.038);
    EXPECT_NUMBER(document, "rates.transfer.instances_per_s", 37.625);
    EXPECT_NUMBER(document, "rates.session.instances_per_s", 30.1);
    EXPECT_NUMBER(document, "times.duration_s", 10);
    EXPECT_NUMBER(document, "times.scan_s", 0.25);
    EXPECT_NUMBER(document, "exit_code", 2);
    EXPECT_NUMBER(document, "header_warnings.leading_zero_uid", 1);
    EXPECT_NUMBER(document, "header_warnings.bad_series_uid", 2);
    EXPECT_NUMBER(document, "header_warnings.meta_differs", 3);
    EXPECT_NUMBER(document, "header_warnings.bad_study_uid", 4);
    EXPECT_NUMBER(document, "header_warnings.unknown_vr", 5);
    EXPECT_NUMBER(document, "header_warnings.zero_tail", 6);
    EXPECT_NUMBER(document, "response_times_ms.count", 302);
    EXPECT_NUMBER(document, "response_times_ms.max", 300);
    cr_expect(json_is_true(at(document, "sums_match")));
    EXPECT_TEXT(document, "verdict", "complete");
    EXPECT_TEXT(document, "options.priority", "high");
    EXPECT_TEXT(document, "options.inputs.1", "caf\xef\xbf\xbd");
    EXPECT_NUMBER(document, "options.timeouts_s.network", 60.5);
    EXPECT_TEXT(document, "destination.host", "pacs.example");
    json_decref(document);
}

Test(summary, studies_and_associations)
{
    json_t *document = written_of_all();
    cr_assert_eq(json_array_size(at(document, "studies")), 4);
    EXPECT_TEXT(document, "studies.0.uid", "1.2.1");
    EXPECT_NUMBER(document, "studies.0.instances", 101);
    EXPECT_NUMBER(document, "studies.0.bytes", 100501);
    EXPECT_NUMBER(document, "studies.2.in_doubt", 1);
    EXPECT_NUMBER(document, "studies.2.pending", 2);
    /* The fixture's stores end 5 s after the start; the longest took 1 ms to write and 299 - 2 ms to be answered. */
    EXPECT_TEXT(document, "studies.0.first", "2026-11-21T08:33:24.702000Z");
    EXPECT_TEXT(document, "studies.0.last", "2026-11-21T08:33:25.000000Z");
    cr_expect(json_is_null(at(document, "studies.3.first")), "nothing of it was sent");
    EXPECT_TEXT(document, "associations.0.end.kind", "released");
    EXPECT_NUMBER(document, "associations.0.connect_ms", 1.234);
    EXPECT_TEXT(document, "associations.1.end.error", "ERROR_ABORTED");
    EXPECT_NUMBER(document, "associations.1.end.abort.reason", 6);
    EXPECT_NUMBER(document, "associations.2.end.reject.reason", 7);
    EXPECT_TEXT(document, "associations.3.end.error", "ECONNREFUSED");
    json_decref(document);
}

Test(summary, workers)
{
    json_t *document = written_of_all();
    EXPECT_NUMBER(document, "threads_auto.chosen", 2);
    cr_expect(json_is_true(at(document, "threads_auto.settled")));
    cr_expect_eq(json_array_size(at(document, "workers")), 2);
    EXPECT_NUMBER(document, "workers.0.worker", 1);
    EXPECT_NUMBER(document, "workers.0.associations", 3);
    EXPECT_NUMBER(document, "workers.0.stored", 301);
    EXPECT_NUMBER(document, "workers.0.failed", 1);
    EXPECT_NUMBER(document, "workers.0.bytes", 300501);
    EXPECT_NUMBER(document, "workers.0.there_s", 8);
    EXPECT_NUMBER(document, "workers.0.store_s", 6);
    EXPECT_NUMBER(document, "workers.0.busy_share", 0.75);
    EXPECT_NUMBER(document, "workers.0.read_s", 1);
    EXPECT_NUMBER(document, "workers.0.write_s", 2);
    EXPECT_NUMBER(document, "workers.0.wait_s", 4);
    EXPECT_NUMBER(document, "workers.1.busy_share", 1);
    json_decref(document);
}

Test(summary, every_file_that_is_not_stored_is_listed)
{
    json_t *document = written_of_all();
    EXPECT_TEXT(document, "failed.0.path", "d/\x01new\nline \xef\xbf\xbd.dcm");
    EXPECT_TEXT(document, "failed.0.path_hex", "642f016e65770a6c696e6520ff2e64636d");
    EXPECT_TEXT(document, "failed.0.status", "0xA700");
    EXPECT_TEXT(document, "failed.0.reason", "status");
    EXPECT_TEXT(document, "failed.0.comment", "disk \"full\"\xef\xbf\xbd");
    EXPECT_NUMBER(document, "failed.0.attempts", 3);
    EXPECT_NUMBER(document, "failed.0.association", 2);
    EXPECT_TEXT(document, "failed.1.reason", "vanished");
    EXPECT_TEXT(document, "failed.1.error", "ENOENT");
    cr_expect(json_is_null(at(document, "failed.1.status")));
    cr_expect_null(json_object_get(at(document, "failed.1"), "path_hex"));
    EXPECT_TEXT(document, "skipped.0.reason", "not-dicom");
    cr_expect(json_is_null(at(document, "skipped.0.study")));
    EXPECT_TEXT(document, "warned.0.status", "0xB007");
    EXPECT_TEXT(document, "in_doubt.0.reason", "no-response");
    EXPECT_TEXT(document, "pending.1.path", "d/late2.dcm");
    cr_expect_eq(json_array_size(at(document, "pending")), 2);
    json_decref(document);
}

/* What was stored in this session, as it lies in the files. */
Test(summary, conversions_are_counted_by_from_and_to)
{
    fill();
    struct instance instance = fixture_instance("d/a.dcm", "1.2.1", "1.20", 9, OUTCOME_FAILED, REASON_STATUS);
    char of_the_session[] = IMPLICIT;
    instance.outcome.sent_syntax = of_the_session;
    end_instance(&instance);
    of_the_session[0] = '\0'; /* it has ended when the document is written */
    instance.outcome = (struct outcome){.state = OUTCOME_STORED, .earlier = true, .sent_syntax = IMPLICIT};
    summary_add_instance(summary, &instance);
    json_t *document = write_and_read();
    cr_expect_eq(json_array_size(at(document, "conversions")), 2);
    EXPECT_TEXT(document, "conversions.0.from", "1.2.840.10008.1.2.1");
    EXPECT_TEXT(document, "conversions.0.to", IMPLICIT);
    EXPECT_NUMBER(document, "conversions.0.files", 8);
    EXPECT_NUMBER(document, "conversions.0.bytes", 7501);
    EXPECT_TEXT(document, "conversions.1.from", JPEG_LOSSLESS);
    EXPECT_NUMBER(document, "conversions.1.files", 3);
    EXPECT_NUMBER(document, "conversions.1.bytes", 3000);
    EXPECT_TEXT(document, "failed.2.sent_syntax", IMPLICIT);
    EXPECT_TEXT(document, "warned.0.sent_syntax", IMPLICIT);
    cr_expect(json_is_null(at(document, "failed.0.sent_syntax")));
    json_decref(document);
}

Test(summary, totals_that_do_not_match_are_told)
{
    fill();
    result.totals.by_state[OUTCOME_STORED]++;
    json_t *document = write_and_read();
    cr_expect(json_is_false(at(document, "sums_match")));
    json_decref(document);
    cr_expect_eq(validate(path), 1);
}

Test(summary, a_file_counted_nowhere_is_told)
{
    fill();
    result.totals.files++;
    json_t *document = write_and_read();
    cr_expect(json_is_false(at(document, "sums_match")));
    json_decref(document);
}

Test(summary, the_validator_refuses_what_the_schema_does_not_know)
{
    json_t *document = written_of_all();
    json_object_set_new(at(document, "totals"), "surplus", json_integer(1));
    cr_assert_eq(json_dump_file(document, path, 0), 0);
    cr_expect_eq(validate(path), 1);
    json_object_del(at(document, "totals"), "surplus");
    json_object_set_new(at(document, "failed.0"), "status", json_string("A700"));
    cr_assert_eq(json_dump_file(document, path, 0), 0);
    cr_expect_eq(validate(path), 1);
    json_object_set_new(at(document, "failed.0"), "status", json_string("0xA700"));
    json_object_del(at(document, "studies.0"), "uid");
    cr_assert_eq(json_dump_file(document, path, 0), 0);
    cr_expect_eq(validate(path), 1);
    json_decref(document);
}

/* The schema's list of reasons is that of instance/outcome.h. */
Test(summary, the_schema_knows_exactly_the_reasons)
{
    json_t *schema = json_load_file(SOURCE_ROOT "/docs/summary.schema.json", 0, NULL);
    cr_assert_not_null(schema);
    json_t *names = json_object_get(json_object_get(json_object_get(schema, "$defs"), "reason"), "enum");
    cr_expect_eq(json_array_size(names), REASON_COUNT);
    for (size_t reason = 0; reason < REASON_COUNT; reason++)
        cr_expect_str_eq(json_string_value(json_array_get(names, reason)),
                         outcome_reason_name((enum outcome_reason)reason));
    json_decref(schema);
}

Test(summary, very_many_studies_stay_apart)
{
    enum { STUDIES = 50000 };
    char uid[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STUDIES; i++) {
            snprintf(uid, sizeof uid, "1.2.840.%d", i);
            struct instance instance = fixture_instance("x", uid, "1.2", 10, OUTCOME_STORED, REASON_NONE);
            end_instance(&instance);
        }
    }
    json_t *document = write_and_read();
    cr_assert_eq(json_array_size(at(document, "studies")), SUMMARY_LISTED_MAX);
    cr_expect(json_is_false(at(document, "all_listed.studies")));
    cr_expect(json_is_true(at(document, "sums_match")));
    for (size_t i = 0; i < SUMMARY_LISTED_MAX; i++) {
        json_t *study = json_array_get(at(document, "studies"), i);
        snprintf(uid, sizeof uid, "1.2.840.%zu", i);
        cr_assert_str_eq(json_string_value(json_object_get(study, "uid")), uid);
        cr_assert_eq(json_integer_value(json_object_get(study, "stored")), 2);
    }
    json_decref(document);
}

/* With a ledger, which has them all, memory is bounded; and what an earlier session did is told apart. */
Test(summary, with_a_ledger_lists_end_somewhere)
{
    const struct record record = {.path = "move.db"};
    options.record = &record;
    for (int i = 0; i < SUMMARY_LISTED_MAX + 5; i++) {
        struct instance instance = fixture_instance("x", "1.2.1", "1.2", 10, OUTCOME_FAILED, REASON_POISON);
        instance.outcome.earlier = i < 3;
        result.totals.earlier[OUTCOME_FAILED] += instance.outcome.earlier;
        end_instance(&instance);
    }
    struct instance instance = fixture_instance("x", "1.2.1", "1.2", 10, OUTCOME_STORED, REASON_NONE);
    instance.outcome.earlier = true;
    fixture_count(&result.totals, &instance);
    result.totals.earlier[OUTCOME_STORED]++;
    result.totals.bytes_stored = 0;
    summary_add_instance(summary, &instance);
    json_t *document = write_and_read();
    cr_expect_eq(validate(path), 0);
    cr_expect_str_eq(json_string_value(at(document, "ledger")), "move.db");
    cr_expect_eq(json_integer_value(at(document, "listed_max")), SUMMARY_LISTED_MAX);
    cr_expect_eq(json_array_size(at(document, "failed")), SUMMARY_LISTED_MAX);
    cr_expect(json_is_false(at(document, "all_listed.failed")));
    cr_expect(json_is_true(at(document, "all_listed.studies")));
    cr_expect(json_is_true(at(document, "sums_match")));
    cr_expect(json_is_true(at(document, "complete")));
    json_t *totals = at(document, "totals");
    cr_expect_eq(json_integer_value(json_object_get(totals, "failed")), SUMMARY_LISTED_MAX + 5);
    cr_expect_eq(json_integer_value(json_object_get(totals, "bytes")), 0);
    json_t *earlier = json_object_get(totals, "earlier");
    cr_expect_eq(json_integer_value(json_object_get(earlier, "stored")), 1);
    cr_expect_eq(json_integer_value(json_object_get(earlier, "failed")), 3);
    json_t *transfer = json_object_get(at(document, "rates"), "transfer");
    cr_expect_eq(json_real_value(json_object_get(transfer, "instances_per_s")), 0.0);
    cr_expect(json_is_true(json_object_get(json_array_get(at(document, "failed"), 2), "earlier")));
    cr_expect(json_is_false(json_object_get(json_array_get(at(document, "failed"), 3), "earlier")));
    json_decref(document);
    options.record = NULL;
}

Test(summary, printing_gives_the_same_document)
{
    json_decref(written_of_all());
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(summary_print(summary, &result, 2, out), 0);
    fclose(out);
    char *written = fixture_read_file(path);
    cr_assert_str_eq(text, written);
    free(written);
    free(text);
}

Test(summary, a_failed_write_is_said_and_leaves_nothing)
{
    fill();
    cr_assert_eq(summary_write(summary, &result, 0, "/dev/null/x.json"), -ENOTDIR);
    FILE *full = fopen("/dev/full", "w");
    cr_assert_eq(summary_print(summary, &result, 0, full), -ENOSPC);
    fclose(full);
    fsync_error = EIO;
    cr_assert_eq(summary_write(summary, &result, 0, path), -EIO);
    cr_assert_neq(access(path, F_OK), 0);
    fsync_error = 0;
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(summary_write(summary, &result, 0, path), -EISDIR);
    strcat(path, ".tmp");
    cr_assert_neq(access(path, F_OK), 0);
    summary_destroy(NULL);
}
