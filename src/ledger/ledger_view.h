/*
 * ledger_view - a ledger as a report reads it: lists of rows with named columns, all from one moment's view, also while
 * a session writes. It is only read.
 *
 * A list is gone through with a cursor, which is at one row at a time. What it gives of a row is valid until the next.
 */
#ifndef LEDGER_LEDGER_VIEW_H
#define LEDGER_LEDGER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

struct ledger_cursor;
struct ledger_view;

/* Columns in their order. Times are texts, "2026-11-29T01:24:27.493Z"; a status is "0xA700"; counts are of files. */
enum ledger_list {
    LEDGER_DESTINATION,  /* one row, NULLs if no session has noted one: host, port, called_ae */
    LEDGER_SESSIONS,     /* the oldest first: name, version, machine, pid, begun, ended, host, port, called_ae,
                            calling_ae, options, verdict, stop_reason, exit_code, files, stored, warned, failed,
                            skipped, in_doubt, pending, earlier, bytes */
    LEDGER_LAST_SESSION, /* one row, or none: name, begun, ended, verdict, stop_reason, exit_code, machine, pid,
                            sessions (how many there are) */
    LEDGER_TOTALS,       /* one row: files, stored, warned, failed, skipped, in_doubt, pending, bytes, studies */
    LEDGER_REASONS,      /* by state, the most frequent first: state, reason, status, files */
    LEDGER_CONVERSIONS,  /* of what is stored or warned, the most frequent first: syntax, sent_syntax, files, bytes */
    LEDGER_STUDIES,      /* the most left over first, complete ones last: study, files, stored, warned, failed, skipped,
                            in_doubt, pending, bytes, first, last */
    LEDGER_STUDY_COUNTS, /* one row: complete, incomplete */
    LEDGER_FILES         /* of the states asked for: path, state, reason, text, status, comment, study, series,
                            instance, class, syntax, size_bytes, data_bytes, attempts, association, message_id, ended,
                            session, sent_syntax */
};

/* Open it. 0, or -1 with one line in `ret_message` of LEDGER_MESSAGE_SIZE bytes (ledger.h). */
int ledger_view_open(struct ledger_view **ret_view, const char *path, char *ret_message) DICOMNET_MUST_CHECK;

/* NULL is fine; no cursor is open any more. */
void ledger_view_close(struct ledger_view *view);

/* True if a session had it when it was opened. */
bool ledger_view_is_running(const struct ledger_view *view);

/* What the last failure of a cursor was, for people. Until the next call. */
const char *ledger_view_problem(struct ledger_view *view);

/* Go through a list. `states`: of LEDGER_FILES those of these states: 1 << enum outcome_state, or-ed; 0 = all. The
 * cursor is before the first row. 0 or a negative error. */
int ledger_cursor_open(struct ledger_cursor **ret_cursor, struct ledger_view *view, enum ledger_list list,
                       unsigned states) DICOMNET_MUST_CHECK;

/* NULL is fine. */
void ledger_cursor_close(struct ledger_cursor *cursor);

/* Go to the next row: 1; 0 if there is none; or a negative error: -ENOMEM also if a column of the last row could not be
 * given, as there was no memory. */
int ledger_cursor_next(struct ledger_cursor *cursor) DICOMNET_MUST_CHECK;

/* Columns count from 0. Names are there before the first row. */
size_t ledger_cursor_width(const struct ledger_cursor *cursor);
const char *ledger_cursor_name(const struct ledger_cursor *cursor, size_t column);
bool ledger_cursor_is_null(const struct ledger_cursor *cursor, size_t column);
bool ledger_cursor_is_number(const struct ledger_cursor *cursor, size_t column);
int64_t ledger_cursor_number(const struct ledger_cursor *cursor, size_t column);

/* Any bytes but NUL; "" for NULL. */
const char *ledger_cursor_text(const struct ledger_cursor *cursor, size_t column);

#endif
