/*
 * sqlite_files - the rows of files: written as outcomes come, recalled when the same files are found again.
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
    KEEP_SESSION
};

/* The columns of LEDGER_RECALL and LEDGER_TWINS. */
enum recall_column {
    RECALL_PATH,
    RECALL_DEVICE,
    RECALL_INODE,
    RECALL_SIZE,
    RECALL_MTIME,
    RECALL_DATA_OFFSET,
    RECALL_DATA_BYTES,
    RECALL_STUDY,
    RECALL_SERIES,
    RECALL_INSTANCE,
    RECALL_CLASS,
    RECALL_SYNTAX,
    RECALL_STATE,
    RECALL_STATUS,
    RECALL_REASON,
    RECALL_TEXT,
    RECALL_COMMENT,
    RECALL_ERROR,
    RECALL_OFFSET,
    RECALL_ATTEMPTS,
    RECALL_ASSOCIATION,
    RECALL_ENDED
};

#define RECALLED                                                                                                       \
    "path, device, inode, size_bytes, mtime_ns, data_offset, data_bytes, study, series, instance, class, syntax, "     \
    "state, status, reason, text, comment, error, offset, attempts, association, ended_us"

#define KEPT                                                                                                           \
    "device, inode, size_bytes, mtime_ns, data_offset, data_bytes, study, series, instance, class, syntax, state, "    \
    "status, reason, text, comment, error, offset, attempts, worker, association, message_id, ended_us, read_us, "     \
    "write_us, wait_us, session"

#define KEEP                                                                                                           \
    "INSERT INTO file (path, " KEPT ") VALUES "                                                                        \
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

/*
 * Where paths are indexed. A file that was stored stays so until it is seen to be another one: not
 * because it could not be opened this time (its inode is not known then), nor because the same path was given twice,
 * nor because nobody remembered it.
 */
static const char keep_again[] =
    KEEP " ON CONFLICT (path) DO UPDATE SET (" KEPT ") = "
         "(excluded.device, excluded.inode, excluded.size_bytes, excluded.mtime_ns, excluded.data_offset, "
         "excluded.data_bytes, excluded.study, excluded.series, excluded.instance, excluded.class, excluded.syntax, "
         "excluded.state, excluded.status, excluded.reason, excluded.text, excluded.comment, excluded.error, "
         "excluded.offset, excluded.attempts, excluded.worker, excluded.association, excluded.message_id, "
         "excluded.ended_us, excluded.read_us, excluded.write_us, excluded.wait_us, excluded.session) "
         "WHERE state NOT IN ('stored', 'warned') OR excluded.state IN ('stored', 'warned') OR "
         "(excluded.inode IS NOT NULL AND (excluded.size_bytes <> size_bytes OR excluded.mtime_ns <> mtime_ns OR "
         "(excluded.reason IS NOT 'duplicate' AND (excluded.inode <> inode OR excluded.device <> device))))";

/* Where paths are indexed apart. */
static const char recall_apart[] = "SELECT " RECALLED " FROM file WHERE id = (SELECT id FROM temp.file_path WHERE path "
                                   "= ?1) AND session < ?2";

static const char *const texts[LEDGER_QUERY_COUNT] = {
    [LEDGER_BEGIN] = "BEGIN IMMEDIATE",
    [LEDGER_COMMIT] = "COMMIT",
    [LEDGER_ROLLBACK] = "ROLLBACK",
    [LEDGER_KEEP] = KEEP,
    [LEDGER_RECALL] = "SELECT " RECALLED " FROM file WHERE path = ?1 AND session < ?2",
    [LEDGER_TWINS] = "SELECT " RECALLED " FROM file WHERE instance = ?1 AND session < ?2 AND path <> ?3 "
                     "AND state IN ('stored', 'warned') ORDER BY id",
    [LEDGER_IS_STORED] = "SELECT 1 FROM file WHERE instance = ?1 AND state IN ('stored', 'warned') LIMIT 1",
};

int ledger_prepare(struct ledger *ledger)
{
    for (int i = 0; i < LEDGER_QUERY_COUNT; i++) {
        const char *text = i == LEDGER_KEEP && ledger->indexing == LEDGER_INDEXED           ? keep_again
                           : i == LEDGER_RECALL && ledger->indexing == LEDGER_INDEXED_APART ? recall_apart
                                                                                            : texts[i];
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

/*
 * The same file has the same name from wherever it is sent: relative paths begin at the current folder, "./" and
 * double slashes are left out. What ".." and links mean is not looked into.
 */
static const char *place_of(struct ledger *ledger, const char *path)
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

static void bind_facts(struct ledger *ledger, sqlite3_stmt *query, const struct file_facts *file)
{
    if (file->path[0] != '\0')
        ledger_bind_text(query, KEEP_PATH, place_of(ledger, file->path));
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

static void bind_outcome(struct ledger *ledger, sqlite3_stmt *query, const struct instance *instance, char *description)
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
    sqlite3_bind_int(query, KEEP_WORKER, outcome->worker);
    bind_number(query, KEEP_ASSOCIATION, outcome->association);
    bind_number(query, KEEP_MESSAGE_ID, outcome->message_id);
    bind_number(query, KEEP_ENDED, outcome->ended_us);
    bind_number(query, KEEP_READ, outcome->read_us);
    bind_number(query, KEEP_WRITE, outcome->write_us);
    bind_number(query, KEEP_WAIT, outcome->wait_us);
    sqlite3_bind_int64(query, KEEP_SESSION, ledger->session);
}

/* The transaction is lost, with all its rows. */
static void give_up_rows(struct ledger *ledger)
{
    ledger_note_problem(ledger);
    ledger->lost += ledger->open_rows;
    ledger->open_rows = 0;
    ledger->in_transaction = false;
    if (!sqlite3_get_autocommit(ledger->db))
        (void)ledger_step(ledger->queries[LEDGER_ROLLBACK]);
}

static void note_problem(struct ledger *ledger, const char *what, const char *text)
{
    if (ledger->problem[0] == '\0')
        snprintf(ledger->problem, sizeof ledger->problem, "the ledger '%s' cannot be %s: %s", ledger->path, what, text);
}

void ledger_note_problem(struct ledger *ledger)
{
    char text[256];
    ledger_describe_error(ledger->db, text, sizeof text);
    note_problem(ledger, "written", text);
}

void ledger_check_place(struct ledger *ledger)
{
    struct stat ours, there;
    if (ledger->problem[0] != '\0' || ledger->lock_fd < 0 || fstat(ledger->lock_fd, &ours) < 0)
        return;
    bool found = stat(ledger->path, &there) == 0;
    if (found ? there.st_dev != ours.st_dev || there.st_ino != ours.st_ino : errno == ENOENT)
        snprintf(ledger->problem, sizeof ledger->problem, "the ledger '%s' was moved or removed while it was in use",
                 ledger->path);
}

static void keep(void *user, const struct instance *instance)
{
    struct ledger *ledger = user;
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
static void checkpoint(struct ledger *ledger)
{
    uint64_t now_us = clock_monotonic_us();
    if (now_us < ledger->checkpoint_us + CHECKPOINT_INTERVAL_US)
        return;
    (void)sqlite3_wal_checkpoint_v2(ledger->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    ledger_check_place(ledger);
    ledger->checkpoint_us = clock_monotonic_us();
}

const char *ledger_problem(const struct ledger *ledger)
{
    return ledger->problem[0] != '\0' ? ledger->problem : NULL;
}

void ledger_commit(struct ledger *ledger)
{
    if (ledger->in_transaction && ledger_step(ledger->queries[LEDGER_COMMIT]) != SQLITE_OK)
        give_up_rows(ledger);
    else if (!ledger->options.read_only)
        checkpoint(ledger);
    ledger->in_transaction = false;
    ledger->open_rows = 0;
}

static enum record_when flush(void *user, struct record_flush *flush)
{
    struct ledger *ledger = user;
    ledger_commit(ledger);
    flush->problem = ledger_problem(ledger);
    return RECORD_NOW;
}

/* ---- recalling ---- */

static uint64_t column_number(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

/* Is it the file of the row: the very same, and not touched since? */
static bool is_same_file(sqlite3_stmt *row, const struct file_facts *file)
{
    return sqlite3_column_type(row, RECALL_INODE) != SQLITE_NULL && column_number(row, RECALL_DEVICE) == file->device &&
           column_number(row, RECALL_INODE) == file->inode && column_number(row, RECALL_SIZE) == file->size_bytes &&
           sqlite3_column_int64(row, RECALL_MTIME) == file->mtime_ns;
}

static struct outcome outcome_of(sqlite3_stmt *row)
{
    struct outcome outcome = {.state = outcome_state_find(ledger_column_text(row, RECALL_STATE)),
                              .reason = outcome_reason_find(ledger_column_text(row, RECALL_REASON)),
                              .earlier = true,
                              .has_status = sqlite3_column_type(row, RECALL_STATUS) != SQLITE_NULL,
                              .status = (uint16_t)sqlite3_column_int(row, RECALL_STATUS),
                              .error = sqlite3_column_int(row, RECALL_ERROR),
                              .offset = column_number(row, RECALL_OFFSET),
                              .attempts = (unsigned)sqlite3_column_int(row, RECALL_ATTEMPTS),
                              .ended_us = column_number(row, RECALL_ENDED)};
    snprintf(outcome.comment, sizeof outcome.comment, "%s", ledger_column_text(row, RECALL_COMMENT));
    return outcome;
}

/* The row's text is that of its outcome, and behind it the fact. */
static void recall_fact(struct instance *instance, const char *text)
{
    char description[INSTANCE_TEXT_SIZE];
    instance_describe(instance, description, sizeof description);
    size_t len = strlen(description);
    if (len > 0 && strncmp(text, description, len) == 0 && strncmp(text + len, ": ", 2) == 0)
        instance_note(instance, "%s", text + len + 2);
}

static struct instance *instance_of(struct ledger *ledger, sqlite3_stmt *row, const char *path)
{
    const struct file_facts facts = {.path = path,
                                     .size_bytes = column_number(row, RECALL_SIZE),
                                     .mtime_ns = sqlite3_column_int64(row, RECALL_MTIME),
                                     .device = column_number(row, RECALL_DEVICE),
                                     .inode = column_number(row, RECALL_INODE),
                                     .data_offset = column_number(row, RECALL_DATA_OFFSET),
                                     .data_len = column_number(row, RECALL_DATA_BYTES),
                                     .study_uid = ledger_column_text(row, RECALL_STUDY),
                                     .series_uid = ledger_column_text(row, RECALL_SERIES),
                                     .instance_uid = ledger_column_text(row, RECALL_INSTANCE),
                                     .class_uid = ledger_column_text(row, RECALL_CLASS),
                                     .syntax_uid = ledger_column_text(row, RECALL_SYNTAX)};
    struct instance *instance = instance_create(&facts);
    if (instance != NULL) {
        instance->outcome = outcome_of(row);
        recall_fact(instance, ledger_column_text(row, RECALL_TEXT));
    } else {
        note_problem(ledger, "read", dicomnet_error_text(-ENOMEM));
    }
    return instance;
}

/* The next row. What cannot be read is noted: an instance that is stored might be sent again. */
static bool next_row(struct ledger *ledger, sqlite3_stmt *query)
{
    int code = sqlite3_step(query);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        char text[256];
        ledger_describe_error(ledger->db, text, sizeof text);
        note_problem(ledger, "read", text);
    }
    return code == SQLITE_ROW;
}

/* True if an instance with this UID is stored. */
static bool is_stored(struct ledger *ledger, const char *instance_uid)
{
    sqlite3_stmt *query = ledger->queries[LEDGER_IS_STORED];
    sqlite3_bind_text(query, 1, instance_uid, -1, SQLITE_STATIC);
    bool stored = next_row(ledger, query);
    sqlite3_reset(query);
    return stored;
}

/* What --accept-raw sends. */
static bool is_undeclared(enum outcome_reason reason)
{
    return reason == REASON_NO_META || reason == REASON_NO_TRANSFER_SYNTAX;
}

/* Does the outcome of an unchanged file stand? */
static bool stands(struct ledger *ledger, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    const struct ledger_options *options = &ledger->options;
    switch (outcome->state) {
    case OUTCOME_STORED:
    case OUTCOME_WARNED:
        return true;
    case OUTCOME_FAILED:
        if ((outcome->reason == REASON_NO_STUDY_UID || outcome->reason == REASON_BAD_UID) && options->allow_incomplete)
            return false;
        if (is_undeclared(outcome->reason) && options->accept_raw)
            return false;
        if (outcome->reason == REASON_UID_CONFLICT && options->on_conflict != CONFLICT_FAIL)
            return false;
        return outcome_is_final_failure(outcome) && !options->retry_failed;
    case OUTCOME_SKIPPED:
        /* Earlier versions skipped these; each is DICOM that was not sent. */
        if (is_undeclared(outcome->reason) || outcome->reason == REASON_NESTING)
            return false;
        if (outcome->reason == REASON_UID_CONFLICT)
            return options->on_conflict != CONFLICT_ALL;
        /* A duplicate of what failed, or of what is there no longer, may be the only copy. */
        return outcome->reason != REASON_DUPLICATE || options->read_only ||
               is_stored(ledger, instance->file.instance_uid);
    default:
        return false;
    }
}

static struct record_answer recall_file(struct ledger *ledger, const struct file_facts *file)
{
    sqlite3_stmt *query = ledger->queries[LEDGER_RECALL];
    struct record_answer answer = {.instance = NULL};
    ledger_bind_text(query, 1, place_of(ledger, file->path));
    sqlite3_bind_int64(query, 2, ledger->session);
    if (next_row(ledger, query) && is_same_file(query, file))
        answer.instance = instance_of(ledger, query, file->path);
    sqlite3_reset(query);
    if (answer.instance == NULL || stands(ledger, answer.instance))
        return answer;
    const struct outcome *outcome = &answer.instance->outcome;
    answer.refused =
        outcome->state == OUTCOME_FAILED && outcome->reason == REASON_STATUS && outcome_says_no_room(outcome);
    instance_destroy(answer.instance);
    answer.instance = NULL;
    return answer;
}

static enum record_when recall_files(void *user, struct record_recall *recall)
{
    struct ledger *ledger = user;
    for (size_t i = 0; i < recall->count; i++)
        recall->answers[i] = recall_file(ledger, recall->files[i]);
    recall->problem = ledger_problem(ledger);
    return RECORD_NOW;
}

static bool is_still_there(sqlite3_stmt *row, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    const struct file_facts now = {.size_bytes = (uint64_t)status.st_size,
                                   .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                                   .device = status.st_dev,
                                   .inode = status.st_ino};
    return is_same_file(row, &now);
}

static struct instance *recall_twin(struct ledger *ledger, const struct file_facts *file)
{
    sqlite3_stmt *query = ledger->queries[LEDGER_TWINS];
    struct instance *twin = NULL;
    sqlite3_bind_text(query, 1, file->instance_uid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, ledger->session);
    ledger_bind_text(query, 3, place_of(ledger, file->path));
    while (twin == NULL && next_row(ledger, query)) {
        /* Under a new name it is the same file still, and what became of it stands. */
        if (is_same_file(query, file))
            twin = instance_of(ledger, query, file->path);
        else if (is_still_there(query, ledger_column_text(query, RECALL_PATH)))
            twin = instance_of(ledger, query, ledger_column_text(query, RECALL_PATH));
    }
    sqlite3_reset(query);
    return twin;
}

static enum record_when recall_twins(void *user, struct record_recall *recall)
{
    struct ledger *ledger = user;
    for (size_t i = 0; i < recall->count; i++)
        recall->answers[i].instance = recall_twin(ledger, recall->files[i]);
    recall->problem = ledger_problem(ledger);
    return RECORD_NOW;
}

struct record ledger_record(struct ledger *ledger)
{
    struct record record = {.user = ledger, .path = ledger->path, .keep = keep, .flush = flush};
    if (ledger->has_earlier)
        record.recall_files = recall_files;
    if (ledger->has_earlier && !ledger->options.read_only)
        record.recall_twins = recall_twins;
    return record;
}
