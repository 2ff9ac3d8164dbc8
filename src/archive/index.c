/*
 * index - see archive/index.h.
 *
 * The log is written ahead (WAL) and not synced at each commit: after kill -9 the index is whole; after a power cut it
 * may lack the last rows, which the look at the folder at the next start brings back.
 */
#include "archive/index.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/index_private.h"

enum { INDEX_VERSION = 2, LEVEL_COUNT = 4 };

/* The columns of `instance` that are no attributes, in the order of struct index_place. */
#define PLACE_COLUMNS "name, size, mtime, data_offset, data_len, pad, made_study, made_series, made_number, syntax"

/* ---- statements ---- */

int index_failed(struct index *index)
{
    int code = sqlite3_errcode(index->db) & 0xFF;
    bool knows = code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
    snprintf(index->problem, sizeof index->problem, "%s",
             knows ? sqlite3_errmsg(index->db) : dicomnet_error_text(-EIO));
    return -EIO;
}

int index_run(struct index *index, const char *sql)
{
    return sqlite3_exec(index->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_failed(index);
}

int index_prepare(struct index *index, const char *sql, sqlite3_stmt **ret_statement)
{
    int result = sqlite3_prepare_v3(index->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
    return result == SQLITE_OK ? 0 : index_failed(index);
}

/* Run a statement that answers at most one number. 1 with a number, 0 without, or an error; it is reset. */
static int run_once(struct index *index, sqlite3_stmt *statement, int64_t *ret_number)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW && ret_number != NULL)
        *ret_number = sqlite3_column_int64(statement, 0);
    int answer = result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : index_failed(index);
    sqlite3_reset(statement);
    return answer;
}

/* ---- the tables ---- */

static void write_table(FILE *sql, enum dicomnet_query_level level)
{
    static const char *const unique[] = {"PatientID, PatientName", "StudyInstanceUID", "parent, SeriesInstanceUID",
                                         "SOPInstanceUID"};
    fprintf(sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY, ", attribute_table(level));
    if (level != DICOMNET_QUERY_LEVEL_PATIENT)
        fputs("parent INTEGER NOT NULL, ", sql);
    for (size_t i = 0; i < attribute_count; i++)
        if (attributes[i].level == level && attributes[i].expression == NULL)
            fprintf(sql, "%s TEXT NOT NULL, ", attributes[i].name);
    if (level == DICOMNET_QUERY_LEVEL_SERIES)
        fputs("instances INTEGER NOT NULL DEFAULT 0, ", sql);
    if (level == DICOMNET_QUERY_LEVEL_IMAGE)
        fputs("name TEXT UNIQUE, size INTEGER, mtime INTEGER, data_offset INTEGER, data_len INTEGER, pad INTEGER, "
              "made_study INTEGER, made_series INTEGER, made_number INTEGER, syntax TEXT NOT NULL, ",
              sql);
    fprintf(sql, "UNIQUE (%s));\n", unique[level]);
    if (level == DICOMNET_QUERY_LEVEL_STUDY || level == DICOMNET_QUERY_LEVEL_IMAGE)
        fprintf(sql, "CREATE INDEX %s_parent ON %s (parent%s);\n", attribute_table(level), attribute_table(level),
                level == DICOMNET_QUERY_LEVEL_IMAGE ? ", SOPClassUID, syntax" : "");
}

static int make_tables(struct index *index)
{
    char *text = NULL;
    size_t len = 0;
    FILE *sql = open_memstream(&text, &len);
    if (sql == NULL)
        return -ENOMEM;
    fputs("BEGIN;\n", sql);
    for (enum dicomnet_query_level level = DICOMNET_QUERY_LEVEL_PATIENT; level <= DICOMNET_QUERY_LEVEL_IMAGE; level++)
        write_table(sql, level);
    fputs(
        "CREATE INDEX series_uid ON series (SeriesInstanceUID);\n"
        "CREATE TABLE held (class TEXT, syntax TEXT, instances INTEGER, PRIMARY KEY (class, syntax)) WITHOUT ROWID;\n",
        sql);
    fputs("CREATE TRIGGER counted AFTER INSERT ON instance BEGIN"
          " UPDATE series SET instances = instances + 1 WHERE id = NEW.parent;"
          " INSERT INTO held VALUES (NEW.SOPClassUID, NEW.syntax, 1)"
          "  ON CONFLICT DO UPDATE SET instances = instances + 1; END;\n"
          "CREATE TRIGGER uncounted AFTER DELETE ON instance BEGIN"
          " UPDATE series SET instances = instances - 1 WHERE id = OLD.parent;"
          " UPDATE held SET instances = instances - 1 WHERE class = OLD.SOPClassUID AND syntax = OLD.syntax; END;\n",
          sql);
    fprintf(sql, "PRAGMA user_version = %d;\nCOMMIT;\n", INDEX_VERSION);
    int error = fclose(sql) == 0 ? index_run(index, text) : -ENOMEM;
    free(text);
    return error;
}

/* INSERT INTO study (parent, StudyDate, ...) VALUES (?1, ?2, ...). */
static int prepare_insert(struct index *index, enum dicomnet_query_level level)
{
    char *text = NULL;
    size_t len = 0;
    FILE *sql = open_memstream(&text, &len);
    if (sql == NULL)
        return -ENOMEM;
    const char *separator = "";
    unsigned count = 0;
    fprintf(sql, "INSERT INTO %s (", attribute_table(level));
    if (level != DICOMNET_QUERY_LEVEL_PATIENT) {
        fputs("parent", sql);
        separator = ", ";
        count++;
    }
    for (size_t i = 0; i < attribute_count; i++) {
        if (attributes[i].level != level || attributes[i].expression != NULL)
            continue;
        fprintf(sql, "%s%s", separator, attributes[i].name);
        separator = ", ";
        count++;
    }
    if (level == DICOMNET_QUERY_LEVEL_IMAGE)
        fputs(", " PLACE_COLUMNS, sql);
    count += level == DICOMNET_QUERY_LEVEL_IMAGE ? 10 : 0;
    fputs(") VALUES (?", sql);
    for (unsigned i = 1; i < count; i++)
        fputs(", ?", sql);
    fputs(")", sql);
    int error = fclose(sql) == 0 ? index_prepare(index, text, &index->insert[level]) : -ENOMEM;
    free(text);
    return error;
}

static int prepare_statements(struct index *index)
{
    static const char *const find[] = {
        "SELECT id FROM patient WHERE PatientID = ?1 AND PatientName = ?2",
        "SELECT id FROM study WHERE StudyInstanceUID = ?1",
        "SELECT id FROM series WHERE parent = ?1 AND SeriesInstanceUID = ?2",
        "SELECT id FROM instance WHERE SOPInstanceUID = ?1",
    };
    for (int level = 0; level < LEVEL_COUNT; level++) {
        int error = prepare_insert(index, (enum dicomnet_query_level)level);
        error = error != 0 ? error : index_prepare(index, find[level], &index->find[level]);
        if (error != 0)
            return error;
    }
    int error =
        index_prepare(index, "SELECT 1 FROM instance WHERE name = ?1 AND size = ?2 AND mtime = ?3", &index->has_file);
    if (error == 0)
        error = index_prepare(index, "DELETE FROM instance WHERE SOPInstanceUID = ?1 OR name = ?2", &index->remove);
    return error != 0 ? error
                      : index_prepare(index,
                                      "SELECT syntax, instances FROM held WHERE class = ?1 AND instances > 0"
                                      " ORDER BY instances DESC",
                                      &index->held);
}

/* ---- opened and closed ---- */

static int open_file(struct index *index, const char *path)
{
    if (sqlite3_open_v2(path != NULL ? path : ":memory:", &index->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK)
        return index->db != NULL ? index_failed(index) : -ENOMEM;
    sqlite3_busy_timeout(index->db, 1000);
    return index_run(index, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
}

static int read_version(struct index *index, int64_t *ret_version)
{
    sqlite3_stmt *statement = NULL;
    int error = index_prepare(index, "PRAGMA user_version", &statement);
    if (error == 0)
        error = run_once(index, statement, ret_version) == 1 ? 0 : index_failed(index);
    sqlite3_finalize(statement);
    return error;
}

/* Remove the file, and what belongs to it. */
static void remove_file(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
            return;
        unlink(name);
        free(name);
    }
}

int index_open(struct index **ret_index, const char *path, bool anew)
{
    struct index *index = calloc(1, sizeof *index);
    *ret_index = index;
    if (index == NULL)
        return -ENOMEM;
    int64_t version = 0;
    if (anew && path != NULL)
        remove_file(path);
    int error = open_file(index, path);
    error = error != 0 ? error : read_version(index, &version);
    if (error == 0 && version != INDEX_VERSION && version != 0) {
        sqlite3_close(index->db);
        remove_file(path);
        version = 0;
        error = open_file(index, path);
    }
    if (error == 0 && version == 0)
        error = make_tables(index);
    return error != 0 ? error : prepare_statements(index);
}

void index_close(struct index *index)
{
    if (index == NULL)
        return;
    for (int level = 0; level < LEVEL_COUNT; level++) {
        sqlite3_finalize(index->insert[level]);
        sqlite3_finalize(index->find[level]);
    }
    sqlite3_finalize(index->held);
    sqlite3_finalize(index->has_file);
    sqlite3_finalize(index->remove);
    int result = sqlite3_close(index->db);
    assert(result == SQLITE_OK); /* no cursor is open any more */
    (void)result;
    free(index);
}

const char *index_problem(const struct index *index)
{
    return index->problem[0] != '\0' ? index->problem : dicomnet_error_text(-EIO);
}

int index_begin(struct index *index)
{
    return index_run(index, "BEGIN");
}

int index_commit(struct index *index)
{
    return index_run(index, "COMMIT");
}

/* ---- added ---- */

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    /* A value that cannot be bound stays NULL, which no column takes: then the statement fails, and that is seen. */
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_place(sqlite3_stmt *statement, int at, const struct index_place *place)
{
    bind_text(statement, at, place->name);
    sqlite3_bind_int64(statement, at + 1, (int64_t)place->size_bytes);
    sqlite3_bind_int64(statement, at + 2, place->mtime_ns);
    sqlite3_bind_int64(statement, at + 3, (int64_t)place->data_offset);
    sqlite3_bind_int64(statement, at + 4, (int64_t)place->data_len);
    sqlite3_bind_int64(statement, at + 5, place->pad);
    sqlite3_bind_int64(statement, at + 6, (int64_t)place->study);
    sqlite3_bind_int64(statement, at + 7, (int64_t)place->series);
    sqlite3_bind_int64(statement, at + 8, (int64_t)place->number);
    bind_text(statement, at + 9, place->syntax_uid);
}

static int insert_row(struct index *index, enum dicomnet_query_level level, int64_t parent,
                      const struct attribute_values *values, const struct index_place *place, int64_t *ret_id)
{
    sqlite3_stmt *statement = index->insert[level];
    int at = 1;
    if (level != DICOMNET_QUERY_LEVEL_PATIENT)
        sqlite3_bind_int64(statement, at++, parent);
    for (size_t i = 0; i < attribute_count; i++)
        if (attributes[i].level == level && attributes[i].expression == NULL)
            bind_text(statement, at++, values->texts[i] != NULL ? values->texts[i] : "");
    if (level == DICOMNET_QUERY_LEVEL_IMAGE)
        bind_place(statement, at, place);
    int result = run_once(index, statement, NULL);
    *ret_id = sqlite3_last_insert_rowid(index->db);
    return result < 0 ? result : 0;
}

/* The row of a patient, study or series; it is made if it is not there. */
static int find_or_insert(struct index *index, enum dicomnet_query_level level, int64_t parent,
                          const struct attribute_values *values, int64_t *ret_id)
{
    sqlite3_stmt *statement = index->find[level];
    int at = 1;
    if (level == DICOMNET_QUERY_LEVEL_SERIES)
        sqlite3_bind_int64(statement, at++, parent);
    bind_text(statement, at++, attribute_values_get(values, dicomnet_query_level_key(level)));
    if (level == DICOMNET_QUERY_LEVEL_PATIENT)
        bind_text(statement, at, attribute_values_get(values, DICOMNET_TAG_PATIENT_NAME));
    int result = run_once(index, statement, ret_id);
    return result == 0 ? insert_row(index, level, parent, values, NULL, ret_id) : result < 0 ? result : 0;
}

int index_add(struct index *index, const struct attribute_values *values, const struct index_place *place)
{
    int64_t id = 0, found;
    int error = 0;
    bind_text(index->find[DICOMNET_QUERY_LEVEL_IMAGE], 1, place->instance_uid);
    bool replaces = run_once(index, index->find[DICOMNET_QUERY_LEVEL_IMAGE], &found) == 1 || place->name != NULL;
    if (replaces) {
        bind_text(index->remove, 1, place->instance_uid);
        bind_text(index->remove, 2, place->name);
        error = run_once(index, index->remove, NULL);
    }
    for (enum dicomnet_query_level level = DICOMNET_QUERY_LEVEL_PATIENT;
         level < DICOMNET_QUERY_LEVEL_IMAGE && error >= 0; level++)
        error = find_or_insert(index, level, id, values, &id);
    return error < 0 ? error : insert_row(index, DICOMNET_QUERY_LEVEL_IMAGE, id, values, place, &id);
}

/* ---- files ---- */

bool index_has_file(struct index *index, const char *name, uint64_t size_bytes, int64_t mtime_ns)
{
    bind_text(index->has_file, 1, name);
    sqlite3_bind_int64(index->has_file, 2, (int64_t)size_bytes);
    sqlite3_bind_int64(index->has_file, 3, mtime_ns);
    return run_once(index, index->has_file, NULL) == 1;
}

int64_t index_sweep(struct index *index, bool (*is_there)(void *context, const struct index_place *place),
                    void *context)
{
    sqlite3_stmt *statement = NULL, *remove = NULL;
    int64_t count = 0;
    int result = SQLITE_ERROR;
    if (index_prepare(index, "SELECT id, name, size, mtime FROM instance WHERE name IS NOT NULL", &statement) == 0 &&
        index_prepare(index, "DELETE FROM instance WHERE id = ?1", &remove) == 0) {
        /* A row that has been read may be removed while the next ones are. */
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            struct index_place place = {.name = (const char *)sqlite3_column_text(statement, 1),
                                        .size_bytes = (uint64_t)sqlite3_column_int64(statement, 2),
                                        .mtime_ns = sqlite3_column_int64(statement, 3)};
            if (place.name != NULL && is_there(context, &place))
                continue;
            sqlite3_bind_int64(remove, 1, sqlite3_column_int64(statement, 0));
            if (run_once(index, remove, NULL) < 0)
                break;
            count++;
        }
    }
    int failed = result != SQLITE_DONE ? index_failed(index) : 0;
    sqlite3_finalize(statement);
    sqlite3_finalize(remove);
    if (failed != 0)
        return failed;
    int error = index_run(index, "DELETE FROM series WHERE instances = 0;"
                                 "DELETE FROM study WHERE id NOT IN (SELECT parent FROM series);"
                                 "DELETE FROM patient WHERE id NOT IN (SELECT parent FROM study)");
    return error != 0 ? error : count;
}

int index_count_all(struct index *index, uint64_t ret_counts[4])
{
    for (int level = 0; level < LEVEL_COUNT; level++) {
        char sql[64];
        sqlite3_stmt *statement = NULL;
        int64_t count = 0;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", attribute_table((enum dicomnet_query_level)level));
        if (index_prepare(index, sql, &statement) != 0)
            return -EIO;
        int result = run_once(index, statement, &count);
        sqlite3_finalize(statement);
        if (result != 1)
            return result < 0 ? result : index_failed(index);
        ret_counts[level] = (uint64_t)count;
    }
    return 0;
}

size_t index_find_held(struct index *index, const char *class_uid, struct index_held ret_held[INDEX_HELD_MAX])
{
    size_t count = 0;
    bind_text(index->held, 1, class_uid);
    while (count < INDEX_HELD_MAX && sqlite3_step(index->held) == SQLITE_ROW) {
        struct index_held *held = &ret_held[count++];
        const unsigned char *syntax_uid = sqlite3_column_text(index->held, 0);
        snprintf(held->syntax_uid, sizeof held->syntax_uid, "%s", syntax_uid != NULL ? (const char *)syntax_uid : "");
        held->instances = (uint64_t)sqlite3_column_int64(index->held, 1);
    }
    sqlite3_reset(index->held);
    return count;
}
