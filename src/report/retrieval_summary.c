/* retrieval_summary - see retrieval_summary.h. */
#include "report/retrieval_summary.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "fetch/retrieval.h"
#include "report/report_files.h"

enum { DUMP_FLAGS = JSON_REAL_PRECISION(12) };

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

/* A string of any bytes as a JSON one: jansson refuses what is not UTF-8. */
static json_t *safe_string(const char *string)
{
    struct text text = {0};
    text_put_utf8(&text, string);
    text_put(&text, "");
    json_t *value = text.failed ? NULL : json_string(text.data);
    text_fini(&text);
    return value;
}

/* A UID or a text; null if it is empty. */
static json_t *string_or_null(const char *string)
{
    return string != NULL && *string != '\0' ? safe_string(string) : json_null();
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *seconds(uint64_t us)
{
    return json_real((double)us / 1e6);
}

static json_t *rate(double amount, uint64_t us)
{
    return json_real(us > 0 ? round(amount * 1e9 / (double)us) / 1e3 : 0.0);
}

static json_t *wall_time(uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(wall_us, text);
    return json_string(text);
}

static json_t *status_or_null(bool known, uint16_t status)
{
    return known ? json_sprintf("0x%04X", (unsigned)status) : json_null();
}

/* Put the value as a line of a list; it is freed. */
static void put_line(struct text *list, json_t *value)
{
    char *line = value != NULL ? json_dumps(value, DUMP_FLAGS) : NULL;
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
                       dicomnet_query_level_name(request->level), "study", string_or_null(request->study_uid), "series",
                       string_or_null(request->series_uid), "round", (int)request->round, "instances",
                       number(request->instances), "status", status_or_null(query->answered, query->status), "text",
                       safe_string(text), "comment", string_or_null(query->comment), "completed",
                       number(counts->completed), "failed", number(counts->failed), "warning", number(counts->warning),
                       "remaining", number(counts->remaining), "begun", wall_time(request->begun_us), "duration_s",
                       seconds(request->duration_us)));
}

void retrieval_summary_add_missing(struct retrieval_summary *summary, const struct retrieval_missing *missing)
{
    put_line(&summary->missing,
             json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "study", string_or_null(missing->study_uid), "series",
                       string_or_null(missing->series_uid), "instance", string_or_null(missing->instance_uid), "count",
                       number(missing->count), "class", string_or_null(missing->class_uid), "status",
                       status_or_null(missing->status != 0, missing->status), "comment",
                       string_or_null(missing->comment)));
}

/* ---- the document ---- */

static json_t *options_json(const struct retrieval_options *options)
{
    const struct dicomnet_association_timeouts *timeouts = &options->association.timeouts;
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:i, s:o, s:b, s:s, s:{s:f, s:f, s:f, s:f, s:f}}", "model",
                     options->model == DICOMNET_QUERY_PATIENT_ROOT ? "patient-root" : "study-root", "level",
                     dicomnet_query_level_name(options->level), "no_find", options->no_find, "get", options->get,
                     "move_destination", string_or_null(options->move_destination), "output_dir",
                     string_or_null(options->output_dir), "receive_ae",
                     string_or_null(options->output_dir != NULL && !options->get ? options->receive_ae : ""), "retry",
                     (int)options->retry, "max_matches", number(options->max_matches), "sync", options->sync,
                     "log_level", dicomnet_log_level_name(options->log_level), "timeouts_s", "connect",
                     timeouts->connect_ms / 1e3, "acse", timeouts->acse_ms / 1e3, "dimse", timeouts->dimse_ms / 1e3,
                     "network", timeouts->network_ms / 1e3, "stall", options->stall_ms / 1e3);
}

static json_t *totals_json(const struct retrieval_counts *counts)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "matches", number(counts->matches),
                     "series", number(counts->series), "listed", number(counts->listed), "present",
                     number(counts->present), "stored", number(counts->stored), "missing", number(counts->missing),
                     "unnamed", number(counts->unnamed), "replaced", number(counts->replaced), "refused",
                     number(counts->refused), "unlisted", number(counts->unlisted), "bytes", number(counts->bytes));
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
        "schema_version", RETRIEVAL_SUMMARY_SCHEMA_VERSION, "session", safe_string(summary->session_id), "program",
        "name", "dicom-mover", "version", PROGRAM_VERSION, "verdict", verdicts[result->verdict], "stop_reason",
        string_or_null(result->stop_text), "exit_code", exit_code, "times", "begun", wall_time(result->begun_us),
        "ended", wall_time(result->ended_us), "duration_s", seconds(result->duration_us), "list_s",
        seconds(result->list_us), "transfer_s", seconds(result->asking_us), "destination", "host",
        safe_string(options->association.host), "port", (int)options->association.port, "called_ae",
        safe_string(options->association.called_ae), "calling_ae", safe_string(options->association.calling_ae),
        "options", options_json(options), "totals", totals_json(&result->counts), "rounds", (int)result->rounds,
        "receive_port", result->receive_port != 0 ? json_integer(result->receive_port) : json_null(), "rates",
        "megabytes_per_s", rate((double)result->counts.bytes / 1e6, result->asking_us), "instances_per_s",
        rate((double)result->counts.stored, result->asking_us));
}

int retrieval_summary_print(const struct retrieval_summary *summary, const struct retrieval_result *result,
                            int exit_code, FILE *out)
{
    json_t *header = header_json(summary, result, exit_code);
    char *text = header != NULL ? json_dumps(header, DUMP_FLAGS | JSON_INDENT(2)) : NULL;
    json_decref(header);
    if (text == NULL || summary->requests.failed || summary->missing.failed) {
        free(text);
        return -ENOMEM;
    }
    errno = 0;
    /* Without its closing "\n}": the lists follow as further members. */
    fwrite(text, 1, strlen(text) - 2, out);
    fprintf(out, ",\n  \"requests\": [%s],\n  \"missing\": [%s]\n}\n", summary->requests.data, summary->missing.data);
    free(text);
    return fflush(out) != 0 || ferror(out) ? (errno > 0 ? -errno : -EIO) : 0;
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
