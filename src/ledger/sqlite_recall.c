/*
 * sqlite_recall - what is known of files from earlier sessions. What of it stands is for rules.h to say.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dicomnet/error.h"
#include "dicomnet/uid.h"
#include "instance/instance.h"
#include "ledger/rules.h"
#include "ledger/sqlite_private.h"

/* The columns of LEDGER_RECALL and LEDGER_TWINS, in their order. */
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
    RECALL_ENDED,
    RECALL_SENT_SYNTAX
};

#define RECALLED                                                                                                       \
    "path, device, inode, size_bytes, mtime_ns, data_offset, data_bytes, study, series, instance, class, syntax, "     \
    "state, status, reason, text, comment, error, offset, attempts, association, ended_us, sent_syntax"

const char *ledger_recall_text(const struct sqlite_ledger *ledger, enum ledger_query query)
{
    switch (query) {
    case LEDGER_RECALL:
        if (ledger->indexing == LEDGER_INDEXED_APART)
            return "SELECT " RECALLED " FROM file WHERE id = (SELECT id FROM temp.file_path WHERE path = ?1) "
                   "AND session < ?2";
        return "SELECT " RECALLED " FROM file WHERE path = ?1 AND session < ?2";
    case LEDGER_TWINS:
        return "SELECT " RECALLED " FROM file WHERE instance = ?1 AND session < ?2 AND path <> ?3 "
               "AND state IN ('stored', 'warned') ORDER BY id";
    default: /* LEDGER_IS_STORED */
        return "SELECT 1 FROM file WHERE instance = ?1 AND state IN ('stored', 'warned') LIMIT 1";
    }
}

/* ---- rows ---- */

static uint64_t column_number(sqlite3_stmt *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

/* The file as it was; an inode of 0 is one that was not known. Its texts are valid until the next step. */
static struct file_facts facts_of(sqlite3_stmt *row, const char *path)
{
    return (struct file_facts){.path = path,
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
}

/* The syntax that it was converted to, which is one of the standard's, as its static UID; NULL = none. */
static const char *sent_syntax_of(sqlite3_stmt *row)
{
    const struct dicomnet_uid_info *info = dicomnet_uid_find(ledger_column_text(row, RECALL_SENT_SYNTAX));
    return info != NULL ? info->uid : NULL;
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
                              .ended_us = column_number(row, RECALL_ENDED),
                              .sent_syntax = sent_syntax_of(row)};
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

/* The row as an instance. NULL without memory, which is noted: it might be sent again. */
static struct instance *instance_of(struct sqlite_ledger *ledger, sqlite3_stmt *row, const char *path)
{
    const struct file_facts facts = facts_of(row, path);
    struct instance *instance = instance_create(&facts);
    if (instance != NULL) {
        instance->outcome = outcome_of(row);
        recall_fact(instance, ledger_column_text(row, RECALL_TEXT));
    } else {
        ledger_note_failure(ledger, "read", dicomnet_error_text(-ENOMEM));
    }
    return instance;
}

/* The next row. What cannot be read is noted: an instance that is stored might be sent again. */
static bool next_row(struct sqlite_ledger *ledger, sqlite3_stmt *query)
{
    int code = sqlite3_step(query);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        char text[256];
        ledger_describe_error(ledger->db, text, sizeof text);
        ledger_note_failure(ledger, "read", text);
    }
    return code == SQLITE_ROW;
}

/* ---- files ---- */

/* True if an instance with this UID is stored. Without an index of UIDs to ask, it is taken to be. */
static bool is_stored(struct sqlite_ledger *ledger, const char *instance_uid)
{
    sqlite3_stmt *query = ledger->queries[LEDGER_IS_STORED];
    if (ledger->options.read_only)
        return true;
    sqlite3_bind_text(query, 1, instance_uid, -1, SQLITE_STATIC);
    bool stored = next_row(ledger, query);
    sqlite3_reset(query);
    return stored;
}

static bool stands(struct sqlite_ledger *ledger, const struct outcome *outcome, const char *instance_uid)
{
    enum rules_verdict verdict = rules_judge(&ledger->options.rules, outcome);
    return verdict == RULES_STANDS || (verdict == RULES_STANDS_BY_ANOTHER && is_stored(ledger, instance_uid));
}

static struct record_answer recall_file(struct sqlite_ledger *ledger, const struct file_facts *file)
{
    sqlite3_stmt *row = ledger->queries[LEDGER_RECALL];
    struct record_answer answer = {.instance = NULL};
    ledger_bind_text(row, 1, ledger_place_of(ledger, file->path));
    sqlite3_bind_int64(row, 2, ledger->session);
    if (next_row(ledger, row)) {
        const struct file_facts then = facts_of(row, file->path);
        const struct outcome outcome = outcome_of(row);
        bool unchanged = rules_same_file(&then, file);
        if (unchanged && stands(ledger, &outcome, then.instance_uid))
            answer.instance = instance_of(ledger, row, file->path);
        else
            answer.refused = unchanged && rules_was_refused(&outcome);
    }
    sqlite3_reset(row);
    return answer;
}

enum record_when ledger_recall_files(void *user, struct record_recall *recall)
{
    struct sqlite_ledger *ledger = user;
    for (size_t i = 0; i < recall->count; i++)
        recall->answers[i] = recall_file(ledger, recall->files[i]);
    recall->problem = ledger_problem(ledger);
    return RECORD_NOW;
}

/* ---- twins ---- */

/* What lies at a path now; an inode of 0 is nothing. */
static struct file_facts look_at(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct file_facts){.inode = 0};
    return (struct file_facts){.size_bytes = (uint64_t)status.st_size,
                               .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                               .device = status.st_dev,
                               .inode = status.st_ino};
}

static struct instance *recall_twin(struct sqlite_ledger *ledger, const struct file_facts *file)
{
    sqlite3_stmt *row = ledger->queries[LEDGER_TWINS];
    struct instance *twin = NULL;
    sqlite3_bind_text(row, 1, file->instance_uid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 2, ledger->session);
    ledger_bind_text(row, 3, ledger_place_of(ledger, file->path));
    while (twin == NULL && next_row(ledger, row)) {
        const char *path = ledger_column_text(row, RECALL_PATH);
        const struct file_facts stored = facts_of(row, path), there = look_at(path);
        enum rules_twin kind = rules_judge_twin(&stored, file, &there);
        if (kind != RULES_TWIN_NONE)
            twin = instance_of(ledger, row, kind == RULES_TWIN_RENAMED ? file->path : path);
    }
    sqlite3_reset(row);
    return twin;
}

enum record_when ledger_recall_twins(void *user, struct record_recall *recall)
{
    struct sqlite_ledger *ledger = user;
    for (size_t i = 0; i < recall->count; i++)
        recall->answers[i].instance = recall_twin(ledger, recall->files[i]);
    recall->problem = ledger_problem(ledger);
    return RECORD_NOW;
}
