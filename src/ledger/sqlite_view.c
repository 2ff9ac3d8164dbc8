/* sqlite_view - the queries of reports, and cursors over what they give. See ledger_view.h. */
#include "ledger/ledger_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/sqlite_private.h"

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
static const char conversions_query[] =
    "SELECT syntax, sent_syntax, count(*) AS files, CAST(total(data_bytes) AS INTEGER) AS bytes FROM file "
    "WHERE sent_syntax IS NOT NULL AND state IN ('stored', 'warned') GROUP BY syntax, sent_syntax "
    "ORDER BY files DESC, syntax, sent_syntax";
static const char studies_query[] = "SELECT study, " COUNTS ", " TIME_OF("min(ended_us)") " AS first, " TIME_OF(
    "max(ended_us)") " AS last FROM file "
                     "WHERE study IS NOT NULL GROUP BY study "
                     "ORDER BY failed + in_doubt + pending = 0, failed + in_doubt + pending DESC, study";
/* ?1 is the states, as bits by their place in this list, which is the order of enum outcome_state. */
static const char files_query[] =
    "SELECT path, state, reason, text, " STATUS ", comment, study, series, instance, class, syntax, size_bytes, "
    "data_bytes, attempts, association, message_id, " TIME_OF(
        "file.ended_us") " AS ended, session.name AS session, sent_syntax "
                         "FROM file JOIN session ON session.id = file.session "
                         "WHERE ?1 = 0 OR (1 << (CASE state WHEN 'pending' THEN 0 WHEN 'in_doubt' THEN 1 WHEN 'stored' "
                         "THEN 2 "
                         "WHEN 'warned' THEN 3 WHEN 'failed' THEN 4 ELSE 5 END)) & ?1 ORDER BY file.id";

static const char last_session_query[] = "SELECT name, " TIME_OF("begun_us") " AS begun, " TIME_OF(
    "ended_us") " AS ended, verdict, stop_reason, exit_code, machine, pid, "
                "(SELECT count(*) FROM session) AS sessions FROM session ORDER BY id DESC LIMIT 1";
static const char study_counts_query[] =
    "SELECT coalesce(sum(left_over = 0), 0) AS complete, coalesce(sum(left_over > 0), 0) AS incomplete FROM "
    "(SELECT total(state IN ('failed', 'in_doubt', 'pending')) AS left_over FROM file WHERE study IS NOT NULL "
    "GROUP BY study)";

static const char *const queries[] = {[LEDGER_DESTINATION] = destination_query,
                                      [LEDGER_SESSIONS] = sessions_query,
                                      [LEDGER_LAST_SESSION] = last_session_query,
                                      [LEDGER_TOTALS] = totals_query,
                                      [LEDGER_REASONS] = reasons_query,
                                      [LEDGER_CONVERSIONS] = conversions_query,
                                      [LEDGER_STUDIES] = studies_query,
                                      [LEDGER_STUDY_COUNTS] = study_counts_query,
                                      [LEDGER_FILES] = files_query};

struct sqlite_view {
    struct ledger_view base;
    sqlite3 *db;
    bool running;
    char problem[256];
};

struct sqlite_cursor {
    struct ledger_cursor base;
    sqlite3_stmt *row;
    bool at_row;
};

/* ---- the view ---- */

static int say(const char *path, sqlite3 *db, char *ret_message)
{
    char text[256];
    ledger_describe_error(db, text, sizeof text);
    snprintf(ret_message, LEDGER_MESSAGE_SIZE, "'%s': %s", path, text);
    return -1;
}

static int connect_view(struct sqlite_view *view, const char *path, const char *file_name, char *ret_message)
{
    if (ledger_check_file(path, ret_message) != 0)
        return -1;
    if (ledger_connect(file_name, true, &view->db) != SQLITE_OK)
        return say(path, view->db, ret_message);
    int known = ledger_identify(view->db, path, ret_message);
    if (known == 0)
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "'%s' is no ledger", path);
    if (known != 1)
        return -1;
    if (ledger_complete_columns(view->db, true) != SQLITE_OK)
        return say(path, view->db, ret_message);
    /* One moment's view. */
    return sqlite3_exec(view->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ? 0 : say(path, view->db, ret_message);
}

static void close_view(struct ledger_view *base)
{
    struct sqlite_view *view = (struct sqlite_view *)base;
    sqlite3_close(view->db);
    free(view);
}

static bool is_running(const struct ledger_view *base)
{
    return ((const struct sqlite_view *)base)->running;
}

static const char *problem_of(struct ledger_view *base)
{
    struct sqlite_view *view = (struct sqlite_view *)base;
    ledger_describe_error(view->db, view->problem, sizeof view->problem);
    return view->problem;
}

/* ---- a cursor ---- */

static sqlite3_stmt *row_of(const struct ledger_cursor *base)
{
    return ((const struct sqlite_cursor *)base)->row;
}

static int error_of(int code)
{
    return code == SQLITE_OK ? 0 : code == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

static void close_cursor(struct ledger_cursor *base)
{
    sqlite3_finalize(row_of(base));
    free(base);
}

static int open_cursor(struct ledger_cursor **ret_cursor, struct ledger_view *base, enum ledger_list list,
                       unsigned states)
{
    struct sqlite_cursor *cursor = calloc(1, sizeof *cursor);
    *ret_cursor = NULL;
    if (cursor == NULL)
        return -ENOMEM;
    cursor->base.view = base;
    int code = sqlite3_prepare_v2(((struct sqlite_view *)base)->db, queries[list], -1, &cursor->row, NULL);
    if (code == SQLITE_OK && list == LEDGER_FILES)
        code = sqlite3_bind_int64(cursor->row, 1, states);
    if (code == SQLITE_OK)
        *ret_cursor = &cursor->base;
    else
        close_cursor(&cursor->base);
    return error_of(code);
}

static int next_row(struct ledger_cursor *base)
{
    struct sqlite_cursor *cursor = (struct sqlite_cursor *)base;
    /* A column of the last row was given as if it was empty. */
    if (cursor->at_row && sqlite3_errcode(sqlite3_db_handle(cursor->row)) == SQLITE_NOMEM)
        return -ENOMEM;
    int code = sqlite3_step(cursor->row);
    cursor->at_row = code == SQLITE_ROW;
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : error_of(code);
}

static size_t width_of(const struct ledger_cursor *base)
{
    return (size_t)sqlite3_column_count(row_of(base));
}

static const char *column_name(const struct ledger_cursor *base, size_t column)
{
    return sqlite3_column_name(row_of(base), (int)column);
}

static bool column_is_null(const struct ledger_cursor *base, size_t column)
{
    return sqlite3_column_type(row_of(base), (int)column) == SQLITE_NULL;
}

static bool column_is_number(const struct ledger_cursor *base, size_t column)
{
    return sqlite3_column_type(row_of(base), (int)column) == SQLITE_INTEGER;
}

static int64_t column_number(const struct ledger_cursor *base, size_t column)
{
    return sqlite3_column_int64(row_of(base), (int)column);
}

static const char *column_text(const struct ledger_cursor *base, size_t column)
{
    return ledger_column_text(row_of(base), (int)column);
}

static const struct ledger_view_functions functions = {.is_running = is_running,
                                                       .problem = problem_of,
                                                       .close = close_view,
                                                       .cursor_open = open_cursor,
                                                       .cursor_close = close_cursor,
                                                       .cursor_next = next_row,
                                                       .cursor_width = width_of,
                                                       .cursor_name = column_name,
                                                       .cursor_is_null = column_is_null,
                                                       .cursor_is_number = column_is_number,
                                                       .cursor_number = column_number,
                                                       .cursor_text = column_text};

int sqlite_open_view(struct ledger_view **ret_view, const char *path, char *ret_message)
{
    struct sqlite_view *view = calloc(1, sizeof *view);
    char *file_name = ledger_file_name(path);
    int result = -1;
    if (view != NULL && file_name != NULL) {
        view->base.functions = &functions;
        view->running = ledger_is_locked(path);
        result = connect_view(view, path, file_name, ret_message);
    } else {
        snprintf(ret_message, LEDGER_MESSAGE_SIZE, "%s", dicomnet_error_text(-ENOMEM));
    }
    free(file_name);
    if (result == 0)
        *ret_view = &view->base;
    else if (view != NULL)
        close_view(&view->base);
    return result;
}
