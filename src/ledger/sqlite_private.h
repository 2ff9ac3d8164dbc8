/*
 * sqlite_private - the inside of a ledger that is an SQLite database, shared by the files it is written in:
 *   sqlite.c          opening: lock, schema, destination
 *   sqlite_session.c  the rows of sessions
 *   sqlite_files.c    the rows of files: kept
 *   sqlite_recall.c   and recalled
 *   sqlite_view.c     ledger_view.h: what reports read
 */
#ifndef LEDGER_SQLITE_PRIVATE_H
#define LEDGER_SQLITE_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "ledger/ledger_kind.h"

enum { LEDGER_BUSY_MS = 5000, LEDGER_APPLICATION_ID = 0x444c4731 /* "DLG1" */ };

enum ledger_query {
    LEDGER_BEGIN,
    LEDGER_COMMIT,
    LEDGER_ROLLBACK,
    LEDGER_KEEP,      /* a file's row */
    LEDGER_RECALL,    /* of this path */
    LEDGER_TWINS,     /* of this SOP Instance UID, stored, at other paths */
    LEDGER_IS_STORED, /* this SOP Instance UID, anywhere */
    LEDGER_QUERY_COUNT
};

/* How a path is found among the rows. */
enum ledger_indexing {
    LEDGER_UNINDEXED,    /* not at all: there are no rows of earlier sessions, and each path comes once */
    LEDGER_INDEXED,      /* by an index, in which it stands once */
    LEDGER_INDEXED_APART /* by a temporary table, as the ledger is read only */
};

struct sqlite_ledger {
    struct ledger base;
    sqlite3 *db;
    int lock_fd;                   /* -1 = read only */
    struct ledger_options options; /* its texts are not valid after ledger_open, but for those below */
    char *path;
    char *file_name; /* as ledger_file_name */
    char *called_ae, *calling_ae, *peer_host;
    int64_t session;  /* of this run; INT64_MAX before it begins, so that all rows are earlier ones */
    bool has_earlier; /* rows, when it was opened */
    enum ledger_indexing indexing;
    struct text place; /* a path made absolute */
    char *folder;      /* the current one, with a slash; NULL if it has no name: then paths stay as they are */
    size_t folder_len;
    uint64_t open_rows; /* of the transaction that is open */
    bool in_transaction;
    uint64_t lost;
    uint64_t checkpoint_us;            /* monotonic; when the last one was */
    char problem[LEDGER_MESSAGE_SIZE]; /* the first thing that went wrong; "" = nothing */
    sqlite3_stmt *queries[LEDGER_QUERY_COUNT];
};

/* For ledger_functions and ledger_kind: see ledger_kind.h. */
int sqlite_begin_session(struct ledger *base, const char *session_id, const char *given, char *ret_message);
const char *sqlite_end_session(struct ledger *base, const struct session_result *result, int exit_code);
int sqlite_open_view(struct ledger_view **ret_view, const char *path, char *ret_message);

/*
 * The name of the file for SQLite, to be freed: ":memory:" is one like others, and SQLite takes what has a slash for
 * what it is. NULL if out of memory.
 */
char *ledger_file_name(const char *path);

/*
 * Connect to the file, which is there. Returns SQLite's code; *ret_db is to be closed in any case. A ledger whose
 * process was killed may have to be put right by whoever comes next, so that `read_only` only keeps what is asked from
 * changing it. One that was closed in good order can also be read where nothing can be written.
 */
int ledger_connect(const char *file_name, bool read_only, sqlite3 **ret_db);

/* 0 if it is a file that can be read; else -1 with a message. */
int ledger_check_file(const char *path, char *ret_message);

/* True if a session has this ledger. */
bool ledger_is_locked(const char *path);

/* Prepare the queries. 0 or an SQLite code. */
int ledger_prepare(struct sqlite_ledger *ledger);

/* The text of LEDGER_RECALL, LEDGER_TWINS or LEDGER_IS_STORED. */
const char *ledger_recall_text(const struct sqlite_ledger *ledger, enum ledger_query query);

/*
 * The name of a path among the rows, the same from wherever the file is sent: relative paths begin at the current
 * folder, "./" and double slashes are left out. What ".." and links mean is not looked into. Until the next call.
 */
const char *ledger_place_of(struct sqlite_ledger *ledger, const char *path);

/* For struct record: see engine/record.h. `user` is the ledger. */
enum record_when ledger_recall_files(void *user, struct record_recall *recall);
enum record_when ledger_recall_twins(void *user, struct record_recall *recall);
void ledger_keep(void *user, const struct instance *instance);
enum record_when ledger_flush(void *user, struct record_flush *flush);

/* Make durable what was kept. */
void ledger_commit(struct sqlite_ledger *ledger);

/* The first thing that went wrong; NULL = nothing has. */
const char *ledger_problem(const struct sqlite_ledger *ledger);

/* Note that the ledger cannot be `what` ("read", "written"), unless something went wrong before. */
void ledger_note_failure(struct sqlite_ledger *ledger, const char *what, const char *text);

/* Note what went wrong with writing, as SQLite and the system say it. */
void ledger_note_problem(struct sqlite_ledger *ledger);

/* Note it if the file is no longer where it was: what is written is then seen by nobody. */
void ledger_check_place(struct sqlite_ledger *ledger);

/* Say what the last call failed with, of the ledger at this path. -1. */
int ledger_say_error(const char *path, sqlite3 *db, char *ret_message);

/* "database or disk is full (No space left on device)": what the last call failed with. */
void ledger_describe_error(sqlite3 *db, char *ret_text, size_t size);

/* Step a statement without rows to its end and reset it. 0 or an SQLite code. */
int ledger_step(sqlite3_stmt *statement);

/* "" for NULL. Until the next step. */
const char *ledger_column_text(sqlite3_stmt *row, int column);

/* NULL and "" become NULL; what is not UTF-8 becomes a blob. */
void ledger_bind_text(sqlite3_stmt *statement, int index, const char *string);

/*
 * Is it a ledger of a version we know? 1 = yes, 0 = an empty database that may become one, -1 with a message after the
 * file's name: " is no ledger".
 */
int ledger_identify(sqlite3 *db, const char *path, char *ret_message);

/*
 * Let a ledger have all columns of this schema version, some of which are younger than others: added to the file, or,
 * if it is read only, to what this connection sees of it, as NULLs. SQLITE_OK or an SQLite code.
 */
int ledger_complete_columns(sqlite3 *db, bool read_only);

#endif
