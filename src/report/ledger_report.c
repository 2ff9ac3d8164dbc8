/*
 * ledger_report - see ledger_report.h. JSON and CSV are written from the queries as they stand: a column is a key.
 */
#include "report/ledger_report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance/outcome.h"
#include "ledger/sqlite_private.h"
#include "report/format.h"

enum { STUDIES_SHOWN = 20, DUMP_FLAGS = JSON_REAL_PRECISION(12) };

#define TIME_OF(column) "strftime('%Y-%m-%dT%H:%M:%fZ', " column " / 1e6, 'unixepoch')"
#define STATUS          "CASE WHEN status IS NOT NULL THEN printf('0x%04X', status) END AS status"
#define COUNTS                                                                                                         \
    "count(*) AS files, CAST(total(state = 'stored') AS INTEGER) AS stored, "                                          \
    "CAST(total(state = 'warned') AS INTEGER) AS warned, CAST(total(state = 'failed') AS INTEGER) AS failed, "         \
    "CAST(total(state = 'skipped') AS INTEGER) AS skipped, CAST(total(state = 'in_doubt') AS INTEGER) AS in_doubt, "   \
    "CAST(total(state = 'pending') AS INTEGER) AS pending, "                                                           \
    "CAST(total(CASE WHEN state IN ('stored', 'warned') THEN data_bytes END) AS INTEGER) AS bytes"

/* One row in any case: a session that was killed early may have noted none. */
static const char destination_query[] = "SELECT host, port, called_ae FROM (SELECT 1) LEFT JOIN destination LIMIT 1";
static const char sessions_query[] = "SELECT name, version, machine, pid, " TIME_OF("begun_us") " AS begun, " TIME_OF(
    "ended_us") " AS ended, host, "
                "port, called_ae, calling_ae, options, verdict, stop_reason, exit_code, files, stored, warned, failed, "
                "skipped, "
                "in_doubt, pending, earlier, bytes FROM session ORDER BY id";
static const char totals_query[] = "SELECT " COUNTS ", count(DISTINCT study) AS studies FROM file";
static const char reasons_query[] =
    "SELECT state, reason, " STATUS ", count(*) AS files FROM file WHERE reason IS NOT NULL "
    "GROUP BY state, reason, file.status ORDER BY state, files DESC";
static const char studies_query[] = "SELECT study, " COUNTS ", " TIME_OF("min(ended_us)") " AS first, " TIME_OF(
    "max(ended_us)") " AS last FROM file "
                     "WHERE study IS NOT NULL GROUP BY study "
                     "ORDER BY failed + in_doubt + pending = 0, failed + in_doubt + pending DESC, study";
/* ?1 is the states, as bits by their place in this list, which is the order of enum outcome_state. */
static const char files_query[] =
    "SELECT path, state, reason, text, " STATUS ", comment, study, series, instance, class, syntax, size_bytes, "
    "data_bytes, attempts, association, message_id, " TIME_OF(
        "file.ended_us") " AS ended, session.name AS session "
                         "FROM file JOIN session ON session.id = file.session "
                         "WHERE ?1 = 0 OR (1 << (CASE state WHEN 'pending' THEN 0 WHEN 'in_doubt' THEN 1 WHEN 'stored' "
                         "THEN 2 "
                         "WHEN 'warned' THEN 3 WHEN 'failed' THEN 4 ELSE 5 END)) & ?1 ORDER BY file.id";

struct report {
    const struct ledger_report_options *options;
    FILE *out;
    sqlite3 *db;
    bool running;    /* a session has the ledger */
    bool unfinished; /* the last session did not look at all its files, or not yet */
    bool lacks_memory;
};

/* For each row of a query. */
typedef void row_function(struct report *report, sqlite3_stmt *row, size_t number);

/* 0 or an SQLite code. */
static int each_row(struct report *report, const char *query, row_function *put)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(report->db, query, -1, &row, NULL);
    if (code != SQLITE_OK)
        return code;
    if (sqlite3_bind_parameter_count(row) > 0)
        sqlite3_bind_int64(row, 1, report->options->states);
    for (size_t number = 0; (code = sqlite3_step(row)) == SQLITE_ROW; number++) {
        put(report, row, number);
        if (sqlite3_errcode(report->db) == SQLITE_NOMEM) { /* a column was put as if it were empty */
            code = SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static uint64_t number_of(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

/* ---- CSV (RFC 4180) ---- */

static void put_csv_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", *text == '"' ? "\"" : "", *text);
    putc('"', out);
}

static void put_csv_row(struct report *report, sqlite3_stmt *row, size_t number)
{
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        putc(i > 0 ? ',' : '\n', report->out);
        put_csv_field(report->out, ledger_column_text(row, i));
    }
}

static int put_csv(struct report *report)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(report->db, files_query, -1, &row, NULL);
    if (code != SQLITE_OK)
        return code;
    for (int i = 0; i < sqlite3_column_count(row); i++)
        fprintf(report->out, "%s%s", i > 0 ? "," : "", sqlite3_column_name(row, i));
    sqlite3_finalize(row);
    code = each_row(report, files_query, put_csv_row);
    putc('\n', report->out);
    return code;
}

/* ---- JSON ---- */

/* A text of any bytes; *ret_hex gets the very bytes if JSON cannot hold them, else NULL. */
static json_t *json_text(const char *string, json_t **ret_hex)
{
    struct text safe = {0}, hex = {0};
    *ret_hex = NULL;
    if (text_is_utf8(string))
        return json_string(string);
    text_put_utf8(&safe, string);
    for (const char *byte = string; *byte != '\0'; byte++)
        text_printf(&hex, "%02x", (unsigned char)*byte);
    *ret_hex = hex.failed ? NULL : json_string(hex.data);
    json_t *value = safe.failed || *ret_hex == NULL ? NULL : json_string(safe.data);
    text_fini(&safe);
    text_fini(&hex);
    return value;
}

static json_t *row_json(sqlite3_stmt *row)
{
    json_t *object = json_object();
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        const char *name = sqlite3_column_name(row, i);
        char hex_name[64];
        json_t *hex = NULL;
        int type = sqlite3_column_type(row, i);
        int error = json_object_set_new(object, name,
                                        type == SQLITE_NULL      ? json_null()
                                        : type == SQLITE_INTEGER ? json_integer(sqlite3_column_int64(row, i))
                                                                 : json_text(ledger_column_text(row, i), &hex));
        snprintf(hex_name, sizeof hex_name, "%s_hex", name);
        if (hex != NULL)
            error |= json_object_set_new(object, hex_name, hex);
        if (error != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* Print it and give it back. NULL is one that there was no memory for. */
static void put_json_value(struct report *report, json_t *value)
{
    bool put = value != NULL && json_dumpf(value, report->out, DUMP_FLAGS | JSON_ENCODE_ANY) == 0;
    report->lacks_memory = report->lacks_memory || (!put && !ferror(report->out));
    json_decref(value);
}

static void put_json_row(struct report *report, sqlite3_stmt *row, size_t number)
{
    fputs(number == 0 ? "\n    " : ",\n    ", report->out);
    put_json_value(report, row_json(row));
}

/* A query of one row. */
static void put_json_object(struct report *report, sqlite3_stmt *row, size_t number)
{
    put_json_value(report, row_json(row));
}

static int put_json(struct report *report)
{
    static const struct {
        const char *name, *query;
    } lists[] = {
        {"sessions", sessions_query}, {"reasons", reasons_query}, {"studies", studies_query}, {"files", files_query}};
    json_t *hex, *path = json_text(report->options->path, &hex);
    json_decref(hex);
    fputs("{\n  \"ledger\": ", report->out);
    put_json_value(report, path);
    fprintf(report->out, ",\n  \"schema_version\": %d,\n  \"running\": %s,\n  \"destination\": ", LEDGER_SCHEMA_VERSION,
            report->running ? "true" : "false");
    int code = each_row(report, destination_query, put_json_object);
    fputs(",\n  \"totals\": ", report->out);
    if (code == SQLITE_OK)
        code = each_row(report, totals_query, put_json_object);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i].query == files_query && report->options->states == 0)
            continue;
        fprintf(report->out, ",\n  \"%s\": [", lists[i].name);
        code = each_row(report, lists[i].query, put_json_row);
        fputs("]", report->out);
    }
    fputs("\n}\n", report->out);
    return code;
}

/* ---- for people ---- */

static void put_visible(struct report *report, const char *string)
{
    struct text text = {0};
    text_put_visible(&text, string);
    fputs(text.failed || text.data == NULL ? "" : text.data, report->out);
    report->lacks_memory = report->lacks_memory || text.failed;
    text_fini(&text);
}

static void put_destination(struct report *report, sqlite3_stmt *row, size_t number)
{
    fputs("destination  ", report->out);
    if (sqlite3_column_type(row, 0) == SQLITE_NULL) {
        fputs("none yet\n", report->out);
        return;
    }
    put_visible(report, ledger_column_text(row, 2));
    fputs("@", report->out);
    put_visible(report, ledger_column_text(row, 0));
    fprintf(report->out, ":%s\n", ledger_column_text(row, 1));
}

/* The columns of last_session_query: name, begun, ended, verdict, stop_reason, exit_code, machine, pid, count. */
static void put_last_session(struct report *report, sqlite3_stmt *row, size_t number)
{
    report->unfinished = strcmp(ledger_column_text(row, 3), "complete") != 0;
    fprintf(report->out, "sessions     %s, the last %s ", ledger_column_text(row, 8), ledger_column_text(row, 0));
    if (sqlite3_column_type(row, 2) != SQLITE_NULL) {
        bool complete = !report->unfinished && number_of(row, 5) == 0;
        const char *verdict = report->unfinished ? ledger_column_text(row, 3) : complete ? "complete" : "ended";
        fprintf(report->out, "%s, exit code %s", verdict, ledger_column_text(row, 5));
        if (*ledger_column_text(row, 4) != '\0') {
            fputs(": ", report->out);
            put_visible(report, ledger_column_text(row, 4));
        }
    } else if (report->running) {
        fprintf(report->out, "is running: pid %s on %s, since %s", ledger_column_text(row, 7),
                ledger_column_text(row, 6), ledger_column_text(row, 1));
    } else {
        fprintf(report->out, "did not come to its end; begun %s", ledger_column_text(row, 1));
    }
    putc('\n', report->out);
}

static void put_count(struct report *report, const char *label, uint64_t count, const char *more)
{
    fprintf(report->out, "  %-10s  %10" PRIu64 "%s\n", label, count, more);
}

static void put_totals(struct report *report, sqlite3_stmt *row, size_t number)
{
    char bytes[FORMAT_SIZE], more[64];
    uint64_t studies = number_of(row, 8);
    snprintf(more, sizeof more, "   in %" PRIu64 " stud%s", studies, studies == 1 ? "y" : "ies");
    putc('\n', report->out);
    put_count(report, "files", number_of(row, 0), more);
    format_bytes(bytes, (double)number_of(row, 7));
    snprintf(more, sizeof more, "   %s with the warned ones", bytes);
    put_count(report, "stored", number_of(row, 1), more);
    put_count(report, "warned", number_of(row, 2), "");
    put_count(report, "failed", number_of(row, 3), "");
    put_count(report, "skipped", number_of(row, 4), "");
    put_count(report, "in doubt", number_of(row, 5), "");
    put_count(report, "pending", number_of(row, 6), "");
}

static void put_reason(struct report *report, sqlite3_stmt *row, size_t number)
{
    const char *meaning = outcome_reason_text(outcome_reason_find(ledger_column_text(row, 1)));
    if (number == 0)
        fputs("\nby reason\n", report->out);
    fprintf(report->out, "  %-8s  %-18s  %10s   %s%s%s\n", ledger_column_text(row, 0), ledger_column_text(row, 1),
            ledger_column_text(row, 3), meaning, *ledger_column_text(row, 2) != '\0' ? ": " : "",
            ledger_column_text(row, 2));
}

static void put_study(struct report *report, sqlite3_stmt *row, size_t number)
{
    uint64_t complete = number_of(row, 4) + number_of(row, 6) + number_of(row, 7) == 0;
    if (complete || number >= STUDIES_SHOWN)
        return;
    if (number == 0)
        fputs("\nstudies that are not complete\n", report->out);
    fprintf(report->out, "  %-56s  %s of %s stored", ledger_column_text(row, 0), ledger_column_text(row, 2),
            ledger_column_text(row, 1));
    static const struct {
        int column;
        const char *word;
    } counts[] = {{3, "warned"}, {4, "failed"}, {5, "skipped"}, {6, "in doubt"}, {7, "pending"}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (number_of(row, counts[i].column) > 0)
            fprintf(report->out, ", %s %s", ledger_column_text(row, counts[i].column), counts[i].word);
    putc('\n', report->out);
}

static void put_study_counts(struct report *report, sqlite3_stmt *row, size_t number)
{
    uint64_t complete = number_of(row, 0), incomplete = number_of(row, 1);
    if (incomplete > STUDIES_SHOWN)
        fprintf(report->out, "  ... and %" PRIu64 " more (--json lists all)\n", incomplete - STUDIES_SHOWN);
    if (complete > 0 && report->unfinished)
        fprintf(report->out, "\n%" PRIu64 " stud%s nothing left over of what was looked at so far\n", complete,
                complete == 1 ? "y has" : "ies have");
    else if (complete > 0)
        fprintf(report->out, "\n%" PRIu64 " stud%s complete\n", complete, complete == 1 ? "y is" : "ies are");
}

static void put_file(struct report *report, sqlite3_stmt *row, size_t number)
{
    if (number == 0)
        fputs("\nfiles\n", report->out);
    fprintf(report->out, "  %-8s  ", ledger_column_text(row, 1));
    put_visible(report, ledger_column_text(row, 0));
    if (*ledger_column_text(row, 3) != '\0') {
        fputs("\n            ", report->out);
        put_visible(report, ledger_column_text(row, 3));
    }
    putc('\n', report->out);
}

static int put_text(struct report *report)
{
    static const char last_session_query[] = "SELECT name, " TIME_OF("begun_us") ", " TIME_OF(
        "ended_us") ", verdict, stop_reason, exit_code, machine, pid, "
                    "(SELECT count(*) FROM session) FROM session ORDER BY id DESC LIMIT 1";
    static const char study_counts_query[] =
        "SELECT coalesce(sum(left_over = 0), 0), coalesce(sum(left_over > 0), 0) FROM "
        "(SELECT total(state IN ('failed', 'in_doubt', 'pending')) AS left_over FROM file WHERE study IS NOT NULL "
        "GROUP BY study)";
    const struct {
        const char *query;
        row_function *put;
    } parts[] = {{destination_query, put_destination},
                 {last_session_query, put_last_session},
                 {totals_query, put_totals},
                 {reasons_query, put_reason},
                 {studies_query, put_study},
                 {study_counts_query, put_study_counts},
                 {files_query, put_file}};
    fputs("ledger       ", report->out);
    put_visible(report, report->options->path);
    putc('\n', report->out);
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].query != files_query || report->options->states != 0)
            code = each_row(report, parts[i].query, parts[i].put);
    return code;
}

/* ---- all of it ---- */

static int put_report(struct report *report, char *ret_message)
{
    const struct ledger_report_options *options = report->options;
    char text[256];
    int known = ledger_identify(report->db, options->path, ret_message);
    if (known == 0)
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "'%s' is no ledger", options->path);
    if (known != 1)
        return -1;
    int code = sqlite3_exec(report->db, "BEGIN", NULL, NULL, NULL); /* one moment's view */
    if (code == SQLITE_OK)
        code = options->format == LEDGER_JSON  ? put_json(report)
               : options->format == LEDGER_CSV ? put_csv(report)
                                               : put_text(report);
    if (code == SQLITE_OK && report->lacks_memory)
        code = SQLITE_NOMEM;
    if (code == SQLITE_OK && fflush(report->out) == 0 && !ferror(report->out))
        return 0;
    if (code == SQLITE_NOMEM)
        snprintf(text, sizeof text, "%s", dicomnet_error_text(-ENOMEM));
    else if (code == SQLITE_OK)
        snprintf(text, sizeof text, "%s", dicomnet_error_text(errno > 0 ? -errno : -EIO));
    else
        ledger_describe_error(report->db, text, sizeof text);
    snprintf(ret_message, LEDGER_MESSAGE_SIZE, "%s%s%s: %s", code == SQLITE_OK ? "standard output" : "'",
             code == SQLITE_OK ? "" : options->path, code == SQLITE_OK ? "" : "'", text);
    return -1;
}

int ledger_report(const struct ledger_report_options *options, FILE *out, char *ret_message)
{
    struct report report = {.options = options, .out = out, .running = ledger_is_locked(options->path)};
    char text[256], *path = ledger_file_name(options->path);
    int result = -1;
    if (path == NULL) {
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "%s", dicomnet_error_text(-ENOMEM));
    } else if (ledger_check_file(options->path, ret_message) != 0) {
        result = -1;
    } else if (ledger_connect(path, true, &report.db) != SQLITE_OK) {
        ledger_describe_error(report.db, text, sizeof text);
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "'%s': %s", options->path, text);
    } else {
        result = put_report(&report, ret_message);
    }
    sqlite3_close(report.db);
    free(path);
    return result;
}
