/*
 * sqlite_files - the rows of files: written as outcomes come. What is recalled of them: sqlite_recall.c.
 *
 * A row is written by one prepared statement that borrows the instance's own texts, and belongs to the transaction of
 * this turn of the loop. Nothing is allocated by us for it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "dicomnet/error.h"
#include "instance/instance.h"
#include "ledger/sqlite_private.h"

enum { CHECKPOINT_INTERVAL_US = 5000000 };

/* The columns of LEDGER_KEEP, in their order; parameter 1 is the first. */
enum keep_column {
    KEEP_PATH = 1,
    KEEP_DEVICE,
    KEEP_INODE,
    KEEP_SIZE,
    KEEP_MTIME,
    KEEP_DATA_OFFSET,
    KEEP_DATA_BYTES,
    KEEP_STUDY,
    KEEP_SERIES,
    KEEP_INSTANCE,
    KEEP_CLASS,
    KEEP_SYNTAX,
    KEEP_STATE,
    KEEP_STATUS,
    KEEP_REASON,
    KEEP_TEXT,
    KEEP_COMMENT,
    KEEP_ERROR,
    KEEP_OFFSET,
    KEEP_ATTEMPTS,
    KEEP_WORKER,
    KEEP_ASSOCIATION,
    KEEP_MESSAGE_ID,
    KEEP_ENDED,
    KEEP_READ,
    KEEP_WRITE,
    KEEP_WAIT,
    KEEP_SESSION,
    KEEP_SENT_SYNTAX
};

#define KEPT                                                                                                           \
    "device, inode, size_bytes, mtime_ns, data_offset, data_bytes, study, series, instance, class, syntax, state, "    \
    "status, reason, text, comment, error, offset, attempts, worker, association, message_id, ended_us, read_us, "     \
    "write_us, wait_us, session, sent_syntax"

#define KEEP                                                                                                           \
    "INSERT INTO file (path, " KEPT ") VALUES "                                                                        \
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

/*
 * Where paths are indexed. A file that was stored stays so until it is seen to be another one: not
 * because it could not be opened this time (its inode is not known then), nor because the same path was given twice,
 * nor because it was not recalled.
 */
static const char keep_again[] = KEEP
    " ON CONFLICT (path) DO UPDATE SET (" KEPT ") = "
    "(excluded.device, excluded.inode, excluded.size_bytes, excluded.mtime_ns, excluded.data_offset, "
    "excluded.data_bytes, excluded.study, excluded.series, excluded.instance, excluded.class, excluded.syntax, "
    "excluded.state, excluded.status, excluded.reason, excluded.text, excluded.comment, excluded.error, "
    "excluded.offset, excluded.attempts, excluded.worker, excluded.association, excluded.message_id, "
    "excluded.ended_us, excluded.read_us, excluded.write_us, excluded.wait_us, excluded.session, excluded.sent_syntax) "
    "WHERE state NOT IN ('stored', 'warned') OR excluded.state IN ('stored', 'warned') OR "
    "(excluded.inode IS NOT NULL AND (excluded.size_bytes <> size_bytes OR excluded.mtime_ns <> mtime_ns OR "
    "(excluded.reason IS NOT 'duplicate' AND (excluded.inode <> inode OR excluded.device <> device))))";

static const char *text_of(const struct sqlite_ledger *ledger, enum ledger_query query)
{
    switch (query) {
    case LEDGER_BEGIN:
        return "BEGIN IMMEDIATE";
    case LEDGER_COMMIT:
        return "COMMIT";
    case LEDGER_ROLLBACK:
        return "ROLLBACK";
    case LEDGER_KEEP:
        return ledger->indexing == LEDGER_INDEXED ? keep_again : KEEP;
    default:
        return ledger_recall_text(ledger, query);
    }
}

int ledger_prepare(struct sqlite_ledger *ledger)
{
    for (int i = 0; i < LEDGER_QUERY_COUNT; i++) {
        if (i == LEDGER_KEEP && ledger->options.read_only)
            continue;
        const char *text = text_of(ledger, (enum ledger_query)i);
        int code = sqlite3_prepare_v3(ledger->db, text, -1, SQLITE_PREPARE_PERSISTENT, &ledger->queries[i], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/* The bytes at the start of a path that name nothing: "/" and "./". */
static size_t idle_len(const char *path)
{
    size_t len = 0;
    while (path[len] == '/' || (path[len] == '.' && (path[len + 1] == '/' || path[len + 1] == '\0')))
        len += path[len] == '.' && path[len + 1] == '/' ? 2 : 1;
    return len;
}

const char *ledger_place_of(struct sqlite_ledger *ledger, const char *path)
{
    const char *given = path;
    if (ledger->folder_len == 0)
        return path;
    text_clear(&ledger->place);
    if (path[0] != '/')
        text_put_bytes(&ledger->place, ledger->folder, ledger->folder_len);
    else
        text_put(&ledger->place, "/");
    for (path += idle_len(path); *path != '\0'; path += idle_len(path)) {
        size_t len = strcspn(path, "/");
        len += path[len] == '/';
        text_put_bytes(&ledger->place, path, len);
        path += len;
    }
    return ledger->place.failed ? given : ledger->place.data;
}

/* ---- keeping ---- */

static void bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    sqlite3_bind_int64(statement, index, (int64_t)number);
}

/* UIDs and words: known to be ASCII. */
static void bind_word(sqlite3_stmt *statement, int index, const char *word)
{
    if (word == NULL || *word == '\0')
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text(statement, index, word, -1, SQLITE_STATIC);
}

static void bind_facts(struct sqlite_ledger *ledger, sqlite3_stmt *query, const struct file_facts *file)
{
    if (file->path[0] != '\0')
        ledger_bind_text(query, KEEP_PATH, ledger_place_of(ledger, file->path));
    else
        sqlite3_bind_text(query, KEEP_PATH, "", 0, SQLITE_STATIC); /* no memory for it; the column is never NULL */
    if (file->inode != 0) {
        bind_number(query, KEEP_DEVICE, file->device);
        bind_number(query, KEEP_INODE, file->inode);
        bind_number(query, KEEP_SIZE, file->size_bytes);
        sqlite3_bind_int64(query, KEEP_MTIME, file->mtime_ns);
    } else {
        for (int column = KEEP_DEVICE; column <= KEEP_MTIME; column++)
            sqlite3_bind_null(query, column);
    }
    bind_number(query, KEEP_DATA_OFFSET, file->data_offset);
    bind_number(query, KEEP_DATA_BYTES, file->data_len);
    bind_word(query, KEEP_STUDY, file->study_uid);
    bind_word(query, KEEP_SERIES, file->series_uid);
    bind_word(query, KEEP_INSTANCE, file->instance_uid);
    bind_word(query, KEEP_CLASS, file->class_uid);
    bind_word(query, KEEP_SYNTAX, file->syntax_uid);
}

static void bind_outcome(struct sqlite_ledger *ledger, sqlite3_stmt *query, const struct instance *instance,
                         char *description)
{
    const struct outcome *outcome = &instance->outcome;
    bool plain = outcome->reason == REASON_NONE;
    description[0] = '\0';
    if (outcome->state != OUTCOME_STORED)
        instance_describe(instance, description, INSTANCE_TEXT_SIZE);
    bind_word(query, KEEP_STATE, outcome_state_name(outcome->state));
    if (outcome->has_status)
        bind_number(query, KEEP_STATUS, outcome->status);
    else
        sqlite3_bind_null(query, KEEP_STATUS);
    bind_word(query, KEEP_REASON, plain ? NULL : outcome_reason_name(outcome->reason));
    ledger_bind_text(query, KEEP_TEXT, description);
    ledger_bind_text(query, KEEP_COMMENT, outcome->comment);
    if (outcome->error != 0)
        sqlite3_bind_int(query, KEEP_ERROR, outcome->error);
    else
        sqlite3_bind_null(query, KEEP_ERROR);
    bind_number(query, KEEP_OFFSET, outcome->offset);
    bind_number(query, KEEP_ATTEMPTS, outcome->attempts);
    sqlite3_bind_int(query, KEEP_WORKER, instance->delivery.worker);
    bind_number(query, KEEP_ASSOCIATION, instance->delivery.association);
    bind_number(query, KEEP_MESSAGE_ID, instance->delivery.message_id);
    bind_number(query, KEEP_ENDED, outcome->ended_us);
    bind_number(query, KEEP_READ, outcome->read_us);
    bind_number(query, KEEP_WRITE, outcome->write_us);
    bind_number(query, KEEP_WAIT, outcome->wait_us);
    sqlite3_bind_int64(query, KEEP_SESSION, ledger->session);
    bind_word(query, KEEP_SENT_SYNTAX, outcome->sent_syntax);
}

/* The transaction is lost, with all its rows. */
static void give_up_rows(struct sqlite_ledger *ledger)
{
    ledger_note_problem(ledger);
    ledger->lost += ledger->open_rows;
    ledger->open_rows = 0;
    ledger->in_transaction = false;
    if (!sqlite3_get_autocommit(ledger->db))
        (void)ledger_step(ledger->queries[LEDGER_ROLLBACK]);
}

void ledger_note_failure(struct sqlite_ledger *ledger, const char *what, const char *text)
{
    if (ledger->problem[0] == '\0')
        snprintf(ledger->problem, sizeof ledger->problem, "the ledger '%s' cannot be %s: %s", ledger->path, what, text);
}

void ledger_note_problem(struct sqlite_ledger *ledger)
{
    char text[256];
    ledger_describe_error(ledger->db, text, sizeof text);
    ledger_note_failure(ledger, "written", text);
}

void ledger_check_place(struct sqlite_ledger *ledger)
{
    struct stat ours, there;
    if (ledger->problem[0] != '\0' || ledger->lock_fd < 0 || fstat(ledger->lock_fd, &ours) < 0)
        return;
    bool found = stat(ledger->path, &there) == 0;
    if (found ? there.st_dev != ours.st_dev || there.st_ino != ours.st_ino : errno == ENOENT)
        snprintf(ledger->problem, sizeof ledger->problem, "the ledger '%s' was moved or removed while it was in use",
                 ledger->path);
}

void ledger_keep(void *user, const struct instance *instance)
{
    struct sqlite_ledger *ledger = user;
    sqlite3_stmt *query = ledger->queries[LEDGER_KEEP];
    char description[INSTANCE_TEXT_SIZE];
    ledger->open_rows++;
    if (!ledger->in_transaction && ledger_step(ledger->queries[LEDGER_BEGIN]) != SQLITE_OK) {
        give_up_rows(ledger);
        return;
    }
    ledger->in_transaction = true;
    bind_facts(ledger, query, &instance->file);
    bind_outcome(ledger, query, instance, description);
    if (ledger_step(query) != SQLITE_OK)
        give_up_rows(ledger);
}

/*
 * By time, not by the size of what waits: each costs two waits for the disk, in which outcomes pile up. If one fails,
 * nothing is lost: what it should have moved stays where it is, and if there is no more room, a commit will say so.
 */
static void checkpoint(struct sqlite_ledger *ledger)
{
    uint64_t now_us = clock_monotonic_us();
    if (now_us < ledger->checkpoint_us + CHECKPOINT_INTERVAL_US)
        return;
    (void)sqlite3_wal_checkpoint_v2(ledger->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    ledger_check_place(ledger);
    ledger->checkpoint_us = clock_monotonic_us();
}

const char *ledger_problem(const struct sqlite_ledger *ledger)
{
    return ledger->problem[0] != '\0' ? ledger->problem : NULL;
}

void ledger_commit(struct sqlite_ledger *ledger)
{
    if (ledger->in_transaction && ledger_step(ledger->queries[LEDGER_COMMIT]) != SQLITE_OK)
        give_up_rows(ledger);
    else if (!ledger->options.read_only)
        checkpoint(ledger);
    ledger->in_transaction = false;
    ledger->open_rows = 0;
}

enum record_when ledger_flush(void *user, struct record_flush *flush)
{
    struct sqlite_ledger *ledger = user;
    ledger_commit(ledger);
    flush->problem = ledger_problem(ledger);
    return RECORD_NOW;
}
