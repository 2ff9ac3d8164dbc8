/* retrieval_summary - see retrieval_summary.h. */
#include "report/retrieval_summary.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "fetch/retrieval.h"
#include "report/document.h"
#include "report/report_files.h"

struct retrieval_summary {
    const char *session_id;
    const struct retrieval_options *options;
    struct text requests; /* lines of the document */
    struct text missing;
};

struct retrieval_summary *retrieval_summary_create(const char *session_id, const struct retrieval_options *options)
{
    struct retrieval_summary *summary = calloc(1, sizeof *summary);
    if (summary == NULL)
        return NULL;
    summary->session_id = session_id;
    summary->options = options;
    text_put(&summary->requests, "");
    text_put(&summary->missing, "");
    return summary;
}

void retrieval_summary_destroy(struct retrieval_summary *summary)
{
    if (summary == NULL)
        return;
    text_fini(&summary->requests);
    text_fini(&summary->missing);
    free(summary);
}

/* ---- values ---- */

/* A UID or a text; null if it is empty. */
static json_t *text_or_null(const char *string)
{
    return document_string_or_null(string != NULL && *string != '\0' ? string : NULL);
}

static json_t *status_or_null(bool known, uint16_t status)
{
    return known ? document_status(status) : json_null();
}

/* Put the value as a line of a list; it is freed. */
static void put_line(struct text *list, json_t *value)
{
    char *line = value != NULL ? json_dumps(value, DOCUMENT_FLAGS) : NULL;
    if (line == NULL)
        list->failed = true;
    else
        text_printf(list, "%s    %s", list->len > 0 ? ",\n" : "\n", line);
    free(line);
    json_decref(value);
}

/* ---- lists ---- */

void retrieval_summary_add_request(struct retrieval_summary *summary, const struct retrieval_request *request)
{
    const struct dicomnet_query *query = request->query;
    const struct dicomnet_query_counts *counts = &query->counts;
    const char *text =
        query->answered ? dicomnet_query_status_text(query->service, query->status) : dicomnet_error_text(query->error);
    put_line(&summary->requests,
             json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "service",
                       query->service == DICOMNET_QUERY_GET ? "C-GET" : "C-MOVE", "level",
                       dicomnet_query_level_name(request->level), "study", text_or_null(request->study_uid), "series",
                       text_or_null(request->series_uid), "round", (int)request->round, "instances",
                       document_number(request->instances), "status", status_or_null(query->answered, query->status),
                       "text", document_string(text), "comment", text_or_null(query->comment), "completed",
                       document_number(counts->completed), "failed", document_number(counts->failed), "warning",
                       document_number(counts->warning), "remaining", document_number(counts->remaining), "begun",
                       document_time(request->begun_us), "duration_s", document_seconds(request->duration_us)));
}

void retrieval_summary_add_missing(struct retrieval_summary *summary, const struct retrieval_missing *missing)
{
    put_line(&summary->missing,
             json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "study", text_or_null(missing->study_uid), "series",
                       text_or_null(missing->series_uid), "instance", text_or_null(missing->instance_uid), "count",
                       document_number(missing->count), "class", text_or_null(missing->class_uid), "status",
                       status_or_null(missing->status != 0, missing->status), "comment",
                       text_or_null(missing->comment)));
}

/* ---- the document ---- */

static json_t *options_json(const struct retrieval_options *options)
{
    const struct dicomnet_association_timeouts *timeouts = &options->association.timeouts;
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:i, s:o, s:b, s:s, s:{s:f, s:f, s:f, s:f, s:f}}", "model",
                     options->model == DICOMNET_QUERY_PATIENT_ROOT ? "patient-root" : "study-root", "level",
                     dicomnet_query_level_name(options->level), "no_find", options->no_find, "get", options->get,
                     "move_destination", text_or_null(options->move_destination), "output_dir",
                     text_or_null(options->output_dir), "receive_ae",
                     text_or_null(options->output_dir != NULL && !options->get ? options->receive_ae : ""), "retry",
                     (int)options->retry, "max_matches", document_number(options->max_matches), "sync", options->sync,
                     "log_level", dicomnet_log_level_name(options->log_level), "timeouts_s", "connect",
                     timeouts->connect_ms / 1e3, "acse", timeouts->acse_ms / 1e3, "dimse", timeouts->dimse_ms / 1e3,
                     "network", timeouts->network_ms / 1e3, "stall", options->stall_ms / 1e3);
}

static json_t *totals_json(const struct retrieval_counts *counts)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "matches",
                     document_number(counts->matches), "series", document_number(counts->series), "listed",
                     document_number(counts->listed), "present", document_number(counts->present), "stored",
                     document_number(counts->stored), "missing", document_number(counts->missing), "unnamed",
                     document_number(counts->unnamed), "replaced", document_number(counts->replaced), "refused",
                     document_number(counts->refused), "unlisted", document_number(counts->unlisted), "bytes",
                     document_number(counts->bytes));
}

static json_t *header_json(const struct retrieval_summary *summary, const struct retrieval_result *result,
                           int exit_code)
{
    static const char *const verdicts[] = {
        [RETRIEVAL_COMPLETE] = "complete", [RETRIEVAL_INTERRUPTED] = "interrupted", [RETRIEVAL_STOPPED] = "stopped"};
    const struct retrieval_options *options = summary->options;
    return json_pack(
        "{s:s, s:o, s:{s:s, s:s}, s:s, s:o, s:i, s:{s:o, s:o, s:o, s:o, s:o}, s:{s:o, s:i, s:o, s:o}, s:o, "
        "s:o, s:i, s:o, s:{s:o, s:o}}",
        "schema_version", RETRIEVAL_SUMMARY_SCHEMA_VERSION, "session", document_string(summary->session_id), "program",
        "name", "dicom-mover", "version", PROGRAM_VERSION, "verdict", verdicts[result->verdict], "stop_reason",
        text_or_null(result->stop_text), "exit_code", exit_code, "times", "begun", document_time(result->begun_us),
        "ended", document_time(result->ended_us), "duration_s", document_seconds(result->duration_us), "list_s",
        document_seconds(result->list_us), "transfer_s", document_seconds(result->asking_us), "destination", "host",
        document_string(options->association.host), "port", (int)options->association.port, "called_ae",
        document_string(options->association.called_ae), "calling_ae", document_string(options->association.calling_ae),
        "options", options_json(options), "totals", totals_json(&result->counts), "rounds", (int)result->rounds,
        "receive_port", result->receive_port != 0 ? json_integer(result->receive_port) : json_null(), "rates",
        "megabytes_per_s", document_rate((double)result->counts.bytes / 1e6, result->asking_us), "instances_per_s",
        document_rate((double)result->counts.stored, result->asking_us));
}

int retrieval_summary_print(const struct retrieval_summary *summary, const struct retrieval_result *result,
                            int exit_code, FILE *out)
{
    if (summary->requests.failed || summary->missing.failed)
        return -ENOMEM;
    errno = 0;
    int error = document_put_header(out, header_json(summary, result, exit_code));
    if (error == 0)
        fprintf(out, ",\n  \"requests\": [%s],\n  \"missing\": [%s]\n}\n", summary->requests.data,
                summary->missing.data);
    if (fflush(out) != 0 || ferror(out))
        error = errno > 0 ? -errno : -EIO;
    return error;
}

int retrieval_summary_write(const struct retrieval_summary *summary, const struct retrieval_result *result,
                            int exit_code, const char *path)
{
    struct report_draft draft;
    int error = report_draft_open(&draft, path);
    if (error != 0)
        return error;
    return report_draft_finish(&draft, retrieval_summary_print(summary, result, exit_code, draft.out));
}
