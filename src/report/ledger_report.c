/*
 * ledger_report - see ledger_report.h. JSON and CSV are written from the lists as they stand: a column is a key.
 */
#include "report/ledger_report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "instance/outcome.h"
#include "ledger/ledger.h"
#include "ledger/ledger_view.h"
#include "report/conversions.h"
#include "report/format.h"

enum { STUDIES_SHOWN = 20, DUMP_FLAGS = JSON_REAL_PRECISION(12) };

struct report {
    const struct ledger_report_options *options;
    FILE *out;
    struct ledger_view *view;
    bool unfinished; /* the last session did not look at all its files, or not yet */
    bool lacks_memory;
};

/* For each row of a list. */
typedef void row_function(struct report *report, const struct ledger_cursor *row, size_t number);

/* Put what is left of a list, and close its cursor. 0 or a negative error. */
static int put_rows(struct report *report, struct ledger_cursor *cursor, row_function *put)
{
    int more;
    for (size_t number = 0; (more = ledger_cursor_next(cursor)) == 1; number++)
        put(report, cursor, number);
    ledger_cursor_close(cursor);
    return more;
}

/* 0 or a negative error. */
static int each_row(struct report *report, enum ledger_list list, row_function *put)
{
    struct ledger_cursor *cursor;
    int error = ledger_cursor_open(&cursor, report->view, list, report->options->states);
    return error != 0 ? error : put_rows(report, cursor, put);
}

static uint64_t number_of(const struct ledger_cursor *row, size_t column)
{
    return (uint64_t)ledger_cursor_number(row, column);
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

static void put_csv_row(struct report *report, const struct ledger_cursor *row, size_t number)
{
    for (size_t i = 0; i < ledger_cursor_width(row); i++) {
        putc(i > 0 ? ',' : '\n', report->out);
        put_csv_field(report->out, ledger_cursor_text(row, i));
    }
}

static int put_csv(struct report *report)
{
    struct ledger_cursor *files;
    int error = ledger_cursor_open(&files, report->view, LEDGER_FILES, report->options->states);
    if (error != 0)
        return error;
    for (size_t i = 0; i < ledger_cursor_width(files); i++)
        fprintf(report->out, "%s%s", i > 0 ? "," : "", ledger_cursor_name(files, i));
    error = put_rows(report, files, put_csv_row);
    putc('\n', report->out);
    return error;
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

static json_t *row_json(const struct ledger_cursor *row)
{
    json_t *object = json_object();
    for (size_t i = 0; i < ledger_cursor_width(row); i++) {
        const char *name = ledger_cursor_name(row, i);
        char hex_name[64];
        json_t *hex = NULL, *value;
        if (ledger_cursor_is_null(row, i))
            value = json_null();
        else if (ledger_cursor_is_number(row, i))
            value = json_integer(ledger_cursor_number(row, i));
        else
            value = json_text(ledger_cursor_text(row, i), &hex);
        int error = json_object_set_new(object, name, value);
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

static void put_json_row(struct report *report, const struct ledger_cursor *row, size_t number)
{
    fputs(number == 0 ? "\n    " : ",\n    ", report->out);
    put_json_value(report, row_json(row));
}

/* A query of one row. */
static void put_json_object(struct report *report, const struct ledger_cursor *row, size_t number)
{
    put_json_value(report, row_json(row));
}

static int put_json(struct report *report)
{
    static const struct {
        const char *name;
        enum ledger_list list;
    } lists[] = {{"sessions", LEDGER_SESSIONS},
                 {"reasons", LEDGER_REASONS},
                 {"conversions", LEDGER_CONVERSIONS},
                 {"studies", LEDGER_STUDIES},
                 {"files", LEDGER_FILES}};
    json_t *hex, *path = json_text(report->options->path, &hex);
    json_decref(hex);
    fputs("{\n  \"ledger\": ", report->out);
    put_json_value(report, path);
    fprintf(report->out, ",\n  \"schema_version\": %d,\n  \"running\": %s,\n  \"destination\": ", LEDGER_SCHEMA_VERSION,
            ledger_view_is_running(report->view) ? "true" : "false");
    int error = each_row(report, LEDGER_DESTINATION, put_json_object);
    fputs(",\n  \"totals\": ", report->out);
    if (error == 0)
        error = each_row(report, LEDGER_TOTALS, put_json_object);
    for (size_t i = 0; error == 0 && i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i].list == LEDGER_FILES && report->options->states == 0)
            continue;
        fprintf(report->out, ",\n  \"%s\": [", lists[i].name);
        error = each_row(report, lists[i].list, put_json_row);
        fputs("]", report->out);
    }
    fputs("\n}\n", report->out);
    return error;
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

static void put_destination(struct report *report, const struct ledger_cursor *row, size_t number)
{
    fputs("destination  ", report->out);
    if (ledger_cursor_is_null(row, 0)) {
        fputs("none yet\n", report->out);
        return;
    }
    put_visible(report, ledger_cursor_text(row, 2));
    fputs("@", report->out);
    put_visible(report, ledger_cursor_text(row, 0));
    fprintf(report->out, ":%s\n", ledger_cursor_text(row, 1));
}

static void put_last_session(struct report *report, const struct ledger_cursor *row, size_t number)
{
    report->unfinished = strcmp(ledger_cursor_text(row, 3), "complete") != 0;
    fprintf(report->out, "sessions     %s, the last %s ", ledger_cursor_text(row, 8), ledger_cursor_text(row, 0));
    if (!ledger_cursor_is_null(row, 2)) {
        bool complete = !report->unfinished && number_of(row, 5) == 0;
        const char *verdict = report->unfinished ? ledger_cursor_text(row, 3) : complete ? "complete" : "ended";
        fprintf(report->out, "%s, exit code %s", verdict, ledger_cursor_text(row, 5));
        if (*ledger_cursor_text(row, 4) != '\0') {
            fputs(": ", report->out);
            put_visible(report, ledger_cursor_text(row, 4));
        }
    } else if (ledger_view_is_running(report->view)) {
        fprintf(report->out, "is running: pid %s on %s, since %s", ledger_cursor_text(row, 7),
                ledger_cursor_text(row, 6), ledger_cursor_text(row, 1));
    } else {
        fprintf(report->out, "did not come to its end; begun %s", ledger_cursor_text(row, 1));
    }
    putc('\n', report->out);
}

static void put_count(struct report *report, const char *label, uint64_t count, const char *more)
{
    fprintf(report->out, "  %-10s  %10" PRIu64 "%s\n", label, count, more);
}

static void put_totals(struct report *report, const struct ledger_cursor *row, size_t number)
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

static void put_reason(struct report *report, const struct ledger_cursor *row, size_t number)
{
    const char *meaning = outcome_reason_text(outcome_reason_find(ledger_cursor_text(row, 1)));
    if (number == 0)
        fputs("\nby reason\n", report->out);
    fprintf(report->out, "  %-8s  %-18s  %10s   %s%s%s\n", ledger_cursor_text(row, 0), ledger_cursor_text(row, 1),
            ledger_cursor_text(row, 3), meaning, *ledger_cursor_text(row, 2) != '\0' ? ": " : "",
            ledger_cursor_text(row, 2));
}

static void put_conversion(struct report *report, const struct ledger_cursor *row, size_t number)
{
    struct text text = {0};
    char bytes[FORMAT_SIZE];
    if (number == 0)
        fputs("\nconverted\n", report->out);
    conversions_put_pair(&text, ledger_cursor_text(row, 0), ledger_cursor_text(row, 1));
    format_bytes(bytes, (double)number_of(row, 3));
    fprintf(report->out, "  %10s  %s, %s as they lie\n", ledger_cursor_text(row, 2), text.failed ? "" : text.data,
            bytes);
    report->lacks_memory = report->lacks_memory || text.failed;
    text_fini(&text);
}

static void put_study(struct report *report, const struct ledger_cursor *row, size_t number)
{
    uint64_t complete = number_of(row, 4) + number_of(row, 6) + number_of(row, 7) == 0;
    if (complete || number >= STUDIES_SHOWN)
        return;
    if (number == 0)
        fputs("\nstudies that are not complete\n", report->out);
    fprintf(report->out, "  %-56s  %s of %s stored", ledger_cursor_text(row, 0), ledger_cursor_text(row, 2),
            ledger_cursor_text(row, 1));
    static const struct {
        size_t column;
        const char *word;
    } counts[] = {{3, "warned"}, {4, "failed"}, {5, "skipped"}, {6, "in doubt"}, {7, "pending"}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (number_of(row, counts[i].column) > 0)
            fprintf(report->out, ", %s %s", ledger_cursor_text(row, counts[i].column), counts[i].word);
    putc('\n', report->out);
}

static void put_study_counts(struct report *report, const struct ledger_cursor *row, size_t number)
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

static void put_file(struct report *report, const struct ledger_cursor *row, size_t number)
{
    if (number == 0)
        fputs("\nfiles\n", report->out);
    fprintf(report->out, "  %-8s  ", ledger_cursor_text(row, 1));
    put_visible(report, ledger_cursor_text(row, 0));
    if (*ledger_cursor_text(row, 3) != '\0') {
        fputs("\n            ", report->out);
        put_visible(report, ledger_cursor_text(row, 3));
    }
    putc('\n', report->out);
}

static int put_text(struct report *report)
{
    static const struct {
        enum ledger_list list;
        row_function *put;
    } parts[] = {{LEDGER_DESTINATION, put_destination},
                 {LEDGER_LAST_SESSION, put_last_session},
                 {LEDGER_TOTALS, put_totals},
                 {LEDGER_REASONS, put_reason},
                 {LEDGER_CONVERSIONS, put_conversion},
                 {LEDGER_STUDIES, put_study},
                 {LEDGER_STUDY_COUNTS, put_study_counts},
                 {LEDGER_FILES, put_file}};
    fputs("ledger       ", report->out);
    put_visible(report, report->options->path);
    putc('\n', report->out);
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].list != LEDGER_FILES || report->options->states != 0)
            error = each_row(report, parts[i].list, parts[i].put);
    return error;
}

/* ---- all of it ---- */

static int put_report(struct report *report, char *ret_message)
{
    const struct ledger_report_options *options = report->options;
    int error = options->format == LEDGER_JSON  ? put_json(report)
                : options->format == LEDGER_CSV ? put_csv(report)
                                                : put_text(report);
    if (error == 0 && report->lacks_memory)
        error = -ENOMEM;
    if (error == 0 && fflush(report->out) == 0 && !ferror(report->out))
        return 0;
    if (error == 0)
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "standard output: %s",
                 dicomnet_error_text(errno > 0 ? -errno : -EIO));
    else
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "'%s': %s", options->path,
                 error == -ENOMEM ? dicomnet_error_text(error) : ledger_view_problem(report->view));
    return -1;
}

int ledger_report(const struct ledger_report_options *options, FILE *out, char *ret_message)
{
    struct report report = {.options = options, .out = out};
    if (ledger_view_open(&report.view, options->path, ret_message) != 0)
        return -1;
    int result = put_report(&report, ret_message);
    ledger_view_close(report.view);
    return result;
}
