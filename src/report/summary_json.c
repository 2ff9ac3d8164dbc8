/*
 * summary_json - the document of a summary. See summary.h.
 *
 * What is short is one tree of values; the lists after it, which may have millions of items, are written an item at a
 * time, each on a line of its own.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "dicomnet/tls.h"
#include "engine/record.h"
#include "instance/instance.h"
#include "report/document.h"
#include "report/forecast.h"
#include "report/report_files.h"
#include "report/summary.h"
#include "report/summary_data.h"

static json_t *milliseconds(double us)
{
    return json_real(round(us) / 1e3);
}

/* An object lacks no member: one that cannot be made takes the object with it. */
static void put_member(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new(*object, name, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

/* ---- the short part ---- */

static json_t *strings_of(const char *const *strings, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, document_string(strings[i])) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

static const char *priority_name(uint16_t priority)
{
    return priority == DICOMNET_PRIORITY_HIGH ? "high" : priority == DICOMNET_PRIORITY_LOW ? "low" : "medium";
}

static const char *conflict_name(enum intake_conflict on_conflict)
{
    return on_conflict == CONFLICT_FIRST ? "first" : on_conflict == CONFLICT_ALL ? "all" : "fail";
}

/* 0 = no such limit. */
static json_t *limit_json(const struct session_limit *limit)
{
    return json_pack("{s:o, s:o, s:f}", "stores", document_number(limit->stores), "bytes",
                     document_number(limit->bytes), "seconds", (double)limit->ms / 1e3);
}

static json_t *options_json(const struct summary *summary)
{
    const struct session_options *options = summary->options;
    const struct dicomnet_association_timeouts *timeouts = &options->association.timeouts;
    const struct discover_options *discover = &options->discover;
    return json_pack(
        "{s:o, s:o, s:b, s:b, s:o, s:b, s:i, s:s, s:b, s:i, s:I, s:b, s:b, s:b, s:b, s:s, s:{s:f, s:f, s:f, "
        "s:f, s:f}, s:i, s:i, s:b, s:b, s:I, s:f, s:b, s:o, s:f, s:o, s:s, s:b, s:s, s:o, s:b, s:b}",
        "inputs", strings_of(discover->inputs, discover->input_count), "files_from",
        document_string_or_null(discover->files_from), "nul_separated", discover->nul_separated, "recursive",
        discover->recursive, "pattern", document_string_or_null(discover->pattern), "follow_symlinks",
        discover->follow_symlinks, "threads", (int)options->threads, "priority", priority_name(options->priority),
        "verify", options->verify, "retry", (int)options->retry, "max_pdu",
        (json_int_t)options->association.max_pdu_len, "loopback", summary->loopback, "dry_run", options->dry_run,
        "accept_raw", options->scan.accept_raw, "allow_incomplete", options->scan.allow_incomplete, "log_level",
        dicomnet_log_level_name(options->log_level), "timeouts_s", "connect", timeouts->connect_ms / 1e3, "acse",
        timeouts->acse_ms / 1e3, "dimse", timeouts->dimse_ms / 1e3, "network", timeouts->network_ms / 1e3, "release",
        timeouts->release_ms / 1e3, "window", options->association.window > 1 ? (int)options->association.window : 1,
        "scan_threads", (int)options->scan_threads, "scan_first", options->scan_first, "synthetic",
        options->synthetic != NULL, "repeat", (json_int_t)options->repeat, "duration_s",
        (double)options->duration_ms / 1e3, "threads_auto", options->threads_auto, "given",
        document_string(summary->given), "give_up_after_s", (double)options->give_up_ms / 1e3, "max_per_association",
        limit_json(&options->association_limit), "on_conflict", conflict_name(options->on_conflict), "strict",
        options->strict, "transcode", transcode_name(options->transcode.allowed), "syntaxes",
        strings_of(options->transcode.only, options->transcode.only_count), "propose_all", options->propose_all,
        "probe", options->probe);
}

static json_t *destination_json(const struct summary *summary)
{
    const struct session_options *options = summary->options;
    bool named = !summary->loopback && options->association.host != NULL;
    const struct dicomnet_tls *tls = options->association.tls;
    const char *security = tls == NULL ? "none" : dicomnet_tls_checks_peer(tls) ? "checked" : "insecure";
    return json_pack("{s:o, s:o, s:o, s:o, s:s}", "host",
                     document_string_or_null(named ? options->association.host : NULL), "port",
                     named ? json_integer(options->association.port) : json_null(), "called_ae",
                     document_string(options->association.called_ae), "calling_ae",
                     document_string(options->association.calling_ae), "tls", security);
}

static json_t *totals_json(const struct session_totals *totals)
{
    json_t *object = json_object();
    put_member(&object, "files", document_number(totals->files));
    static const enum outcome_state order[] = {OUTCOME_STORED,  OUTCOME_WARNED,   OUTCOME_FAILED,
                                               OUTCOME_SKIPPED, OUTCOME_IN_DOUBT, OUTCOME_PENDING};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        put_member(&object, outcome_state_name(order[i]), document_number(totals->by_state[order[i]]));
    json_t *earlier = json_object();
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (order[i] != OUTCOME_IN_DOUBT && order[i] != OUTCOME_PENDING)
            put_member(&earlier, outcome_state_name(order[i]), document_number(totals->earlier[order[i]]));
    put_member(&object, "earlier", earlier);
    put_member(&object, "bytes", document_number(totals->bytes_stored));
    put_member(&object, "bytes_found", document_number(totals->bytes_found));
    put_member(&object, "studies", document_number(totals->studies));
    return object;
}

static json_t *rates_json(const struct session_result *result)
{
    const struct session_totals *totals = &result->totals;
    double megabytes = (double)totals->bytes_stored / 1e6;
    double instances = (double)session_acknowledged(totals);
    return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}}", "transfer", "megabytes_per_s",
                     document_rate(megabytes, result->transfer_us), "instances_per_s",
                     document_rate(instances, result->transfer_us), "session", "megabytes_per_s",
                     document_rate(megabytes, result->duration_us), "instances_per_s",
                     document_rate(instances, result->duration_us));
}

/* What the time of one worker, or of all, went into. */
static json_t *time_json(const uint64_t time_us[TIME_KINDS])
{
    json_t *object = json_object();
    for (int kind = 0; kind < TIME_KINDS; kind++)
        put_member(&object, time_kind_name((enum time_kind)kind), document_seconds(time_us[kind]));
    return object;
}

static json_t *workers_json(const struct session_result *result)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < result->worker_count; i++) {
        const struct worker_figures *worker = &result->workers[i];
        double share = worker->there_us > 0 ? (double)worker->store_us / (double)worker->there_us : 0.0;
        json_array_append_new(
            array,
            json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "worker", (int)i + 1,
                      "associations", document_number(worker->associations), "stored", document_number(worker->stored),
                      "failed", document_number(worker->failed), "bytes", document_number(worker->bytes), "there_s",
                      document_seconds(worker->there_us), "store_s", document_seconds(worker->store_us), "busy_share",
                      share < 1 ? round(share * 1e4) / 1e4 : 1.0, "read_s", document_seconds(worker->read_us),
                      "write_s", document_seconds(worker->write_us), "wait_s", document_seconds(worker->wait_us),
                      "time_s", time_json(worker->time_us)));
    }
    return array;
}

/* What --threads auto arrived at. */
static json_t *threads_auto_json(const struct session_result *result)
{
    if (result->threads_chosen == 0)
        return json_null();
    return json_pack("{s:i, s:b}", "chosen", (int)result->threads_chosen, "settled", result->threads_settled);
}

static json_t *histogram_json(const struct histogram *histogram)
{
    double mean_us = histogram->count > 0 ? (double)histogram->sum_us / (double)histogram->count : 0.0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count", document_number(histogram->count), "p50",
                     milliseconds((double)histogram_percentile(histogram, 0.5)), "p90",
                     milliseconds((double)histogram_percentile(histogram, 0.9)), "p99",
                     milliseconds((double)histogram_percentile(histogram, 0.99)), "p999",
                     milliseconds((double)histogram_percentile(histogram, 0.999)), "max",
                     milliseconds((double)histogram->max_us), "mean", milliseconds(mean_us));
}

/* True if the outcomes seen one by one add up to the session's own totals, and none is counted twice or nowhere. */
static bool sums_match(const struct summary *summary, const struct session_totals *totals)
{
    uint64_t files = 0;
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++) {
        if (summary->by_state[state] != totals->by_state[state])
            return false;
        files += totals->by_state[state];
    }
    return files == totals->files && summary->bytes_stored == totals->bytes_stored;
}

static const char *verdict_name(enum session_verdict verdict)
{
    return verdict == SESSION_COMPLETE ? "complete" : verdict == SESSION_INTERRUPTED ? "interrupted" : "stopped";
}

static json_t *flaws_json(const struct summary *summary)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "leading_zero_uid", document_number(summary->leading_zero_uids),
                     "bad_study_uid", document_number(summary->bad_study_uids), "bad_series_uid",
                     document_number(summary->bad_series_uids), "meta_differs", document_number(summary->meta_differs),
                     "unknown_vr", document_number(summary->unknown_vrs), "zero_tail",
                     document_number(summary->zero_tails));
}

static json_t *conversions_json(const struct pair_counts *conversions)
{
    json_t *array = json_array();
    for (size_t i = 0; i < conversions->count; i++) {
        const struct pair_count *item = &conversions->items[i];
        json_t *object =
            json_pack("{s:o, s:o, s:o, s:o}", "from", document_string(item->first), "to", document_string(item->second),
                      "files", document_number(item->files), "bytes", document_number(item->bytes));
        if (json_array_append_new(array, object) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

/* Which of the lists hold everything. */
static json_t *all_listed_json(const struct summary *summary)
{
    json_t *object =
        json_pack("{s:b, s:b}", "studies", !summary->studies_left_out, "associations", !summary->associations_left_out);
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        if (state != OUTCOME_STORED)
            put_member(&object, outcome_state_name((enum outcome_state)state),
                       json_boolean(!summary->files_left_out[state]));
    return object;
}

static json_t *scan_json(const struct scan_figures *scan)
{
    return json_pack("{s:o, s:o, s:o}", "scanners", document_number(scan->scanners), "busy_s",
                     document_seconds(scan->busy_us), "storage_s", document_seconds(scan->storage_us));
}

static json_t *header_json(const struct summary *summary, const struct session_result *result, int exit_code)
{
    const char *stop_text = result->stop_text[0] != '\0' ? result->stop_text : NULL;
    const struct record *record = summary->options->record;
    return json_pack(
        "{s:s, s:o, s:{s:s, s:s}, s:s, s:o, s:i, s:b, s:b, s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, "
        "s:o, s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "schema_version", SUMMARY_SCHEMA_VERSION, "session", document_string(summary->session_id), "program", "name",
        "dicom-sender", "version", PROGRAM_VERSION, "verdict", verdict_name(result->verdict), "stop_reason",
        document_string_or_null(stop_text), "exit_code", exit_code, "sums_match", sums_match(summary, &result->totals),
        "complete", !summary->lacks_memory, "times", "begun", document_time(result->begun_us), "ended",
        document_time(result->ended_us), "duration_s", document_seconds(result->duration_us), "scan_s",
        document_seconds(result->scan_us), "transfer_s", document_seconds(result->transfer_us), "destination",
        destination_json(summary), "options", options_json(summary), "totals", totals_json(&result->totals), "rates",
        rates_json(result), "response_times_ms", histogram_json(&result->response), "phases_ms", "connect",
        histogram_json(&result->connect), "negotiate", histogram_json(&result->negotiate), "read",
        histogram_json(&result->read), "write", histogram_json(&result->write), "wait", histogram_json(&result->wait),
        "header_warnings", flaws_json(summary), "conversions", conversions_json(&summary->conversions), "forecast",
        summary->forecast != NULL ? forecast_json(summary->forecast) : json_null(), "peak_workers",
        document_number(result->peak_workers), "scan", scan_json(&result->scan), "threads_auto",
        threads_auto_json(result), "time_s", time_json(result->time_us), "workers", workers_json(result), "ledger",
        document_string_or_null(record != NULL ? record->path : NULL), "listed_max", json_integer(SUMMARY_LISTED_MAX),
        "all_listed", all_listed_json(summary));
}

/* ---- items of the lists ---- */

static json_t *study_json(const struct summary_study *study)
{
    uint64_t instances = 0;
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        instances += study->by_state[state];
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "uid", document_string(study->uid), "instances",
        document_number(instances), "stored", document_number(study->by_state[OUTCOME_STORED]), "warned",
        document_number(study->by_state[OUTCOME_WARNED]), "failed", document_number(study->by_state[OUTCOME_FAILED]),
        "skipped", document_number(study->by_state[OUTCOME_SKIPPED]), "in_doubt",
        document_number(study->by_state[OUTCOME_IN_DOUBT]), "pending",
        document_number(study->by_state[OUTCOME_PENDING]), "bytes", document_number(study->bytes_stored), "first",
        document_time(study->first_us), "last", document_time(study->last_us));
}

static json_t *end_json(const struct dicomnet_association_end *end)
{
    static const char *const kinds[] = {
        [DICOMNET_ASSOCIATION_RELEASED] = "released",
        [DICOMNET_ASSOCIATION_NOT_CONNECTED] = "not-connected",
        [DICOMNET_ASSOCIATION_REJECTED] = "rejected",
        [DICOMNET_ASSOCIATION_ABORTED_BY_PEER] = "aborted-by-peer",
        [DICOMNET_ASSOCIATION_ABORTED_BY_US] = "aborted-by-us",
        [DICOMNET_ASSOCIATION_LOST] = "lost",
    };
    json_t *object = json_pack("{s:s}", "kind", kinds[end->kind]);
    if (end->error != 0) {
        put_member(&object, "error", json_string(dicomnet_error_name(end->error)));
        put_member(&object, "text", json_string(dicomnet_error_text(end->error)));
    }
    if (end->kind == DICOMNET_ASSOCIATION_REJECTED)
        put_member(&object, "reject",
                   json_pack("{s:i, s:i, s:i}", "result", end->reject.result, "source", end->reject.source, "reason",
                             end->reject.reason));
    if (end->kind == DICOMNET_ASSOCIATION_ABORTED_BY_PEER || end->kind == DICOMNET_ASSOCIATION_ABORTED_BY_US)
        put_member(&object, "abort", json_pack("{s:i, s:i}", "source", end->abort.source, "reason", end->abort.reason));
    return object;
}

static json_t *association_json(const struct association_figures *figures)
{
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:o}", "number",
                     document_number(figures->number), "worker", figures->worker, "begun",
                     document_time(figures->begun_us), "ended", document_time(figures->ended_us), "connect_ms",
                     milliseconds((double)figures->connect_us), "negotiate_ms",
                     milliseconds((double)figures->negotiate_us), "store_s", document_seconds(figures->store_us),
                     "stored", document_number(figures->stored), "failed", document_number(figures->failed), "bytes",
                     document_number(figures->bytes), "contexts_proposed", (int)figures->contexts_proposed,
                     "contexts_accepted", (int)figures->contexts_accepted, "peer_max_pdu",
                     document_number(figures->peer_max_pdu), "end", end_json(&figures->end));
}

/* The bytes of a path that JSON cannot hold, so that a program can still find the file. */
static json_t *path_hex(const char *path)
{
    struct text text = {0};
    for (; *path != '\0'; path++)
        text_printf(&text, "%02x", (unsigned char)*path);
    json_t *value = text.failed ? NULL : json_string(text.data);
    text_fini(&text);
    return value;
}

static json_t *file_json(const struct summary_file *file, enum outcome_state state)
{
    const char *strings[SUMMARY_STRING_COUNT], *at = file->strings;
    for (int i = 0; i < SUMMARY_STRING_COUNT; i++, at += strlen(at) + 1)
        strings[i] = at;
    struct outcome outcome = {
        .state = state,
        .reason = (enum outcome_reason)file->reason,
        .has_status = file->has_status,
        .status = file->status,
        .earlier = file->earlier,
        .error = file->error,
        .offset = file->offset,
        .detail = file->detail,
        .attempts = file->attempts,
    };
    snprintf(outcome.comment, sizeof outcome.comment, "%s", strings[SUMMARY_COMMENT]);
    char description[INSTANCE_TEXT_SIZE] = "";
    outcome_describe(&outcome, description, sizeof description);
    size_t len = strlen(description);
    if (strings[SUMMARY_FACT][0] != '\0')
        snprintf(description + len, sizeof description - len, ": %s", strings[SUMMARY_FACT]);

    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "path",
        document_string(strings[SUMMARY_PATH]), "study",
        strings[SUMMARY_STUDY][0] ? document_string(strings[SUMMARY_STUDY]) : json_null(), "instance",
        strings[SUMMARY_INSTANCE][0] ? document_string(strings[SUMMARY_INSTANCE]) : json_null(), "bytes",
        document_number(file->size_bytes), "reason", outcome_reason_name(outcome.reason), "text",
        document_string(description), "status", file->has_status ? document_status(file->status) : json_null(),
        "comment", strings[SUMMARY_COMMENT][0] ? document_string(strings[SUMMARY_COMMENT]) : json_null(), "error",
        file->error != 0 ? json_string(dicomnet_error_name(file->error)) : json_null(), "attempts",
        json_integer(file->attempts), "association",
        file->association > 0 ? document_number(file->association) : json_null(), "earlier", file->earlier,
        "sent_syntax", strings[SUMMARY_SENT_SYNTAX][0] ? document_string(strings[SUMMARY_SENT_SYNTAX]) : json_null());
    if (!text_is_utf8(strings[SUMMARY_PATH]))
        put_member(&object, "path_hex", path_hex(strings[SUMMARY_PATH]));
    return object;
}

/* ---- the document ---- */

/* Writes one value and frees it. Returns 0 or a negative errno. */
static int put_value(FILE *out, json_t *value, const char *before)
{
    if (value == NULL)
        return -ENOMEM;
    int error = fputs(before, out) < 0 || json_dumpf(value, out, DOCUMENT_FLAGS) != 0 ? -EIO : 0;
    json_decref(value);
    return error;
}

static const char *item_lead(size_t index)
{
    return index == 0 ? "\n    " : ",\n    ";
}

static int put_lists(FILE *out, const struct summary *summary)
{
    int error = 0;
    fputs(",\n  \"studies\": [", out);
    for (size_t i = 0; error == 0 && i < summary->study_count; i++)
        error = put_value(out, study_json(&summary->studies[i]), item_lead(i));
    fputs("],\n  \"associations\": [", out);
    for (size_t i = 0; error == 0 && i < summary->association_count; i++)
        error = put_value(out, association_json(&summary->associations[i]), item_lead(i));
    static const enum outcome_state order[] = {OUTCOME_FAILED, OUTCOME_IN_DOUBT, OUTCOME_PENDING, OUTCOME_WARNED,
                                               OUTCOME_SKIPPED};
    for (size_t list = 0; error == 0 && list < sizeof order / sizeof order[0]; list++) {
        fprintf(out, "],\n  \"%s\": [", outcome_state_name(order[list]));
        size_t index = 0;
        for (const struct summary_file *file = summary->files[order[list]].first; error == 0 && file != NULL;
             file = file->next)
            error = put_value(out, file_json(file, order[list]), item_lead(index++));
    }
    fputs("]\n}\n", out);
    return error;
}

int summary_print(const struct summary *summary, const struct session_result *result, int exit_code, FILE *out)
{
    json_set_alloc_funcs(memory_allocate, free); /* jansson does not see everywhere that memory is short */
    errno = 0;
    int error = document_put_header(out, header_json(summary, result, exit_code));
    if (error == 0)
        error = put_lists(out, summary);
    if (fflush(out) != 0 || ferror(out))
        error = errno > 0 ? -errno : -EIO;
    return error == 0 && summary->lacks_memory ? -ENOMEM : error;
}

int summary_write(const struct summary *summary, const struct session_result *result, int exit_code, const char *path)
{
    struct report_draft draft;
    int error = report_draft_open(&draft, path);
    if (error != 0)
        return error;
    error = summary_print(summary, result, exit_code, draft.out);
    /* Lists that are not whole, as memory was short, are better than none. */
    bool lists_short = error == -ENOMEM && summary->lacks_memory && !ferror(draft.out);
    int finished = report_draft_finish(&draft, lists_short ? 0 : error);
    return finished != 0 ? finished : error;
}
