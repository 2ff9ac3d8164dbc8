/*
 * ledger_kind - what a kind of ledger consists of: the functions behind ledger.h and ledger_view.h.
 *
 * There is one kind, SQLite (sqlite*.c). Another one, for a database on another machine, is a file that fills in the
 * same structs, and a row in the table of ledger.c, which chooses by the form of the place: programs and reports do not
 * change. Its structs begin with those below; what its record answers later it answers on ledger_options.loop.
 */
#ifndef LEDGER_LEDGER_KIND_H
#define LEDGER_LEDGER_KIND_H

#include "ledger/ledger.h"
#include "ledger/ledger_view.h"

/* Each as the function ledger_... of that name in ledger.h says it. */
struct ledger_functions {
    int (*begin_session)(struct ledger *ledger, const char *session_id, const char *given, char *ret_message);
    struct record (*record)(struct ledger *ledger);
    uint64_t (*lost)(const struct ledger *ledger);
    const char *(*end_session)(struct ledger *ledger, const struct session_result *result, int exit_code);
    void (*close)(struct ledger *ledger); /* never of NULL */
};

/* A ledger that is open. */
struct ledger {
    const struct ledger_functions *functions;
};

/* Each as the function ledger_view_... or ledger_cursor_... of that name in ledger_view.h says it. */
struct ledger_view_functions {
    bool (*is_running)(const struct ledger_view *view);
    const char *(*problem)(struct ledger_view *view);
    void (*close)(struct ledger_view *view); /* never of NULL */

    int (*cursor_open)(struct ledger_cursor **ret_cursor, struct ledger_view *view, enum ledger_list list,
                       unsigned states);
    void (*cursor_close)(struct ledger_cursor *cursor); /* never of NULL */
    int (*cursor_next)(struct ledger_cursor *cursor);
    size_t (*cursor_width)(const struct ledger_cursor *cursor);
    const char *(*cursor_name)(const struct ledger_cursor *cursor, size_t column);
    bool (*cursor_is_null)(const struct ledger_cursor *cursor, size_t column);
    bool (*cursor_is_number)(const struct ledger_cursor *cursor, size_t column);
    int64_t (*cursor_number)(const struct ledger_cursor *cursor, size_t column);
    const char *(*cursor_text)(const struct ledger_cursor *cursor, size_t column);
};

struct ledger_view {
    const struct ledger_view_functions *functions;
};

/* A cursor of a view; cursor_open sets it. */
struct ledger_cursor {
    struct ledger_view *view;
};

struct ledger_kind {
    /*
     * Its places are URLs that begin so ("postgresql"); NULL = they are paths of files. A place is shown in logs and
     * reports, so a kind whose places could hold a password refuses those that do.
     */
    const char *scheme;
    int (*open)(struct ledger **ret_ledger, const struct ledger_options *options, char *ret_message);
    int (*open_view)(struct ledger_view **ret_view, const char *path, char *ret_message);
};

extern const struct ledger_kind ledger_sqlite;

#endif
