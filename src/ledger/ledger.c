/*
 * ledger - which kind of ledger is meant, and the way from ledger.h and ledger_view.h to its functions.
 */
#include "ledger/ledger.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ledger/ledger_kind.h"

static const struct ledger_kind *const kinds[] = {&ledger_sqlite};

/* How long the scheme of a URL is ("postgresql" of postgresql://host/db; RFC 3986 3.1), or 0 if it is a path. */
static size_t scheme_len(const char *place)
{
    size_t len = 0;
    while (isalnum((unsigned char)place[len]) || (len > 0 && strchr("+-.", place[len]) != NULL && place[len] != '\0'))
        len++;
    return isalpha((unsigned char)place[0]) && strncmp(place + len, "://", 3) == 0 ? len : 0;
}

/* NULL with one line in ret_message if there is none. What follows the scheme may hold a password: it is not said. */
static const struct ledger_kind *find_kind(const char *place, char *ret_message)
{
    size_t len = scheme_len(place);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *scheme = kinds[i]->scheme;
        if (scheme == NULL ? len == 0 : strlen(scheme) == len && strncasecmp(scheme, place, len) == 0)
            return kinds[i];
    }
    snprintf(ret_message, LEDGER_MESSAGE_SIZE,
             "%.*s://...: this build has no ledger of that kind; it takes the path of a file", (int)len, place);
    return NULL;
}

int ledger_open(struct ledger **ret_ledger, const struct ledger_options *options, char *ret_message)
{
    const struct ledger_kind *kind = find_kind(options->path, ret_message);
    *ret_ledger = NULL;
    return kind != NULL ? kind->open(ret_ledger, options, ret_message) : -1;
}

int ledger_begin_session(struct ledger *ledger, const char *session_id, const char *given, char *ret_message)
{
    return ledger->functions->begin_session(ledger, session_id, given, ret_message);
}

struct record ledger_record(struct ledger *ledger)
{
    return ledger->functions->record(ledger);
}

uint64_t ledger_lost(const struct ledger *ledger)
{
    return ledger->functions->lost(ledger);
}

const char *ledger_end_session(struct ledger *ledger, const struct session_result *result, int exit_code)
{
    return ledger->functions->end_session(ledger, result, exit_code);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger != NULL)
        ledger->functions->close(ledger);
}

/* ---- what reports read ---- */

int ledger_view_open(struct ledger_view **ret_view, const char *path, char *ret_message)
{
    const struct ledger_kind *kind = find_kind(path, ret_message);
    *ret_view = NULL;
    return kind != NULL ? kind->open_view(ret_view, path, ret_message) : -1;
}

void ledger_view_close(struct ledger_view *view)
{
    if (view != NULL)
        view->functions->close(view);
}

bool ledger_view_is_running(const struct ledger_view *view)
{
    return view->functions->is_running(view);
}

const char *ledger_view_problem(struct ledger_view *view)
{
    return view->functions->problem(view);
}

int ledger_cursor_open(struct ledger_cursor **ret_cursor, struct ledger_view *view, enum ledger_list list,
                       unsigned states)
{
    return view->functions->cursor_open(ret_cursor, view, list, states);
}

void ledger_cursor_close(struct ledger_cursor *cursor)
{
    if (cursor != NULL)
        cursor->view->functions->cursor_close(cursor);
}

int ledger_cursor_next(struct ledger_cursor *cursor)
{
    return cursor->view->functions->cursor_next(cursor);
}

size_t ledger_cursor_width(const struct ledger_cursor *cursor)
{
    return cursor->view->functions->cursor_width(cursor);
}

const char *ledger_cursor_name(const struct ledger_cursor *cursor, size_t column)
{
    return cursor->view->functions->cursor_name(cursor, column);
}

bool ledger_cursor_is_null(const struct ledger_cursor *cursor, size_t column)
{
    return cursor->view->functions->cursor_is_null(cursor, column);
}

bool ledger_cursor_is_number(const struct ledger_cursor *cursor, size_t column)
{
    return cursor->view->functions->cursor_is_number(cursor, column);
}

int64_t ledger_cursor_number(const struct ledger_cursor *cursor, size_t column)
{
    return cursor->view->functions->cursor_number(cursor, column);
}

const char *ledger_cursor_text(const struct ledger_cursor *cursor, size_t column)
{
    return cursor->view->functions->cursor_text(cursor, column);
}
