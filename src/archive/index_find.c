/*
 * index_find - the questions to the index. See archive/index.h.
 *
 * A list of UIDs is bound as one JSON array, so that the number of UIDs does not change the statement; what is no UID
 * can match nothing and is left out, so nothing in it needs escaping.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/index_private.h"
#include "dicomnet/uid.h"

struct index_cursor {
    struct index *index;
    sqlite3_stmt *statement;
    int over; /* the result of the step that found no more rows: a further step would begin the statement again */
};

/* ---- statements ---- */

static void write_from(FILE *sql, enum dicomnet_query_level level)
{
    fprintf(sql, " FROM patient");
    for (enum dicomnet_query_level below = DICOMNET_QUERY_LEVEL_STUDY; below <= level; below++)
        fprintf(sql, " JOIN %s ON %s.parent = %s.id", attribute_table(below), attribute_table(below),
                attribute_table(below - 1));
}

static bool is_given(const struct index_keys *keys, enum dicomnet_query_level level)
{
    return keys->values[level] != NULL && keys->values[level][0] != '\0';
}

/* The keys of this level and above; parameter number level + 1 is the level's key. */
static void write_where(FILE *sql, const struct index_keys *keys, enum dicomnet_query_level level)
{
    const char *word = "WHERE";
    for (enum dicomnet_query_level of = DICOMNET_QUERY_LEVEL_PATIENT; of <= level; of++) {
        if (!is_given(keys, of))
            continue;
        const char *name = attribute_find(dicomnet_query_level_key(of))->name;
        fprintf(sql,
                of == DICOMNET_QUERY_LEVEL_PATIENT ? " %s %s.%s = ?%d"
                                                   : " %s %s.%s IN (SELECT value FROM json_each(?%d))",
                word, attribute_table(of), name, (int)of + 1);
        word = "AND";
    }
}

/* ["1.2.3","1.2.4"]; the caller frees it. NULL if out of memory. */
static char *make_uid_array(const char *list)
{
    char *text = malloc(2 * strlen(list) + 8), *at = text;
    if (text == NULL)
        return NULL;
    *at++ = '[';
    while (*list != '\0') {
        size_t len = strcspn(list, "\\");
        const char *uid = list;
        size_t uid_len = len;
        while (uid_len > 0 && uid[uid_len - 1] == ' ')
            uid_len--;
        if (dicomnet_uid_is_well_formed(uid, uid_len))
            at += snprintf(at, uid_len + 4, "%s\"%.*s\"", at[-1] == '[' ? "" : ",", (int)uid_len, uid);
        list += len + (list[len] == '\\');
    }
    *at++ = ']';
    *at = '\0';
    return text;
}

static int bind_keys(struct index *index, sqlite3_stmt *statement, const struct index_keys *keys,
                     enum dicomnet_query_level level)
{
    int result = SQLITE_OK;
    for (enum dicomnet_query_level of = DICOMNET_QUERY_LEVEL_PATIENT; of <= level && result == SQLITE_OK; of++) {
        if (!is_given(keys, of))
            continue;
        if (of == DICOMNET_QUERY_LEVEL_PATIENT) {
            result = sqlite3_bind_text(statement, 1, keys->values[of], -1, SQLITE_TRANSIENT);
            continue;
        }
        char *array = make_uid_array(keys->values[of]);
        result = array != NULL ? sqlite3_bind_text(statement, (int)of + 1, array, -1, free) : SQLITE_NOMEM;
    }
    return result == SQLITE_OK ? 0 : result == SQLITE_NOMEM ? -ENOMEM : index_failed(index);
}

/* SELECT `columns` of the level's entities with these keys. */
static int open_cursor(struct index *index, const char *columns, enum dicomnet_query_level level,
                       const struct index_keys *keys, const char *rest, struct index_cursor **ret_cursor)
{
    char *text = NULL;
    size_t len = 0;
    FILE *sql = open_memstream(&text, &len);
    struct index_cursor *cursor = calloc(1, sizeof *cursor);
    int error = sql != NULL && cursor != NULL ? 0 : -ENOMEM;
    if (error == 0) {
        cursor->index = index;
        fprintf(sql, "SELECT %s", columns);
        write_from(sql, level);
        write_where(sql, keys, level);
        fputs(rest, sql);
    }
    if (sql != NULL && fclose(sql) != 0)
        error = -ENOMEM;
    error = error != 0 ? error : index_prepare(index, text, &cursor->statement);
    error = error != 0 ? error : bind_keys(index, cursor->statement, keys, level);
    free(text);
    if (error != 0) {
        index_cursor_close(cursor);
        return error;
    }
    *ret_cursor = cursor;
    return 0;
}

/* ---- questions ---- */

int index_find(struct index *index, enum dicomnet_query_level level, const struct attribute *const *wanted,
               size_t wanted_count, const struct index_keys *keys, struct index_cursor **ret_cursor)
{
    char *columns = NULL;
    size_t len = 0;
    FILE *list = open_memstream(&columns, &len);
    if (list == NULL)
        return -ENOMEM;
    fputs(wanted_count == 0 ? "1" : "", list);
    for (size_t i = 0; i < wanted_count; i++) {
        const char *separator = i == 0 ? "" : ", ";
        if (wanted[i]->expression != NULL)
            fprintf(list, "%s%s", separator, wanted[i]->expression);
        else
            fprintf(list, "%s%s.%s", separator, attribute_table(wanted[i]->level), wanted[i]->name);
    }
    int error = fclose(list) == 0 ? open_cursor(index, columns, level, keys, "", ret_cursor) : -ENOMEM;
    free(columns);
    return error;
}

/* The level to whose rows these keys say which are meant: that of series, unless instances are named. */
static enum dicomnet_query_level level_of(const struct index_keys *keys)
{
    return is_given(keys, DICOMNET_QUERY_LEVEL_IMAGE) ? DICOMNET_QUERY_LEVEL_IMAGE : DICOMNET_QUERY_LEVEL_SERIES;
}

int index_count(struct index *index, const struct index_keys *keys, uint64_t *ret_instances, uint64_t *ret_series)
{
    struct index_cursor *cursor = NULL;
    enum dicomnet_query_level level = level_of(keys);
    const char *columns = level == DICOMNET_QUERY_LEVEL_IMAGE
                              ? "count(*), count(DISTINCT instance.parent)"
                              : "ifnull(sum(series.instances), 0), count(nullif(series.instances, 0))";
    int error = open_cursor(index, columns, level, keys, "", &cursor);
    if (error == 0 && index_cursor_next(cursor) == 1) {
        *ret_instances = (uint64_t)index_cursor_number(cursor, 0);
        *ret_series = (uint64_t)index_cursor_number(cursor, 1);
    } else if (error == 0) {
        error = -EIO;
    }
    index_cursor_close(cursor);
    return error;
}

int index_find_contexts(struct index *index, int64_t series, struct index_cursor **ret_cursor)
{
    struct index_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return -ENOMEM;
    cursor->index = index;
    int error =
        index_prepare(index, "SELECT DISTINCT SOPClassUID, syntax FROM instance WHERE parent = ?1", &cursor->statement);
    if (error == 0 && sqlite3_bind_int64(cursor->statement, 1, series) != SQLITE_OK)
        error = index_failed(index);
    if (error != 0) {
        index_cursor_close(cursor);
        return error;
    }
    *ret_cursor = cursor;
    return 0;
}

int index_find_series(struct index *index, const struct index_keys *keys, struct index_cursor **ret_cursor)
{
    return open_cursor(index, "DISTINCT series.id", level_of(keys), keys, "", ret_cursor);
}

int index_find_instances(struct index *index, const struct index_keys *keys, int64_t series,
                         struct index_cursor **ret_cursor)
{
    char rest[48] = "";
    bool keyed = false;
    for (enum dicomnet_query_level level = DICOMNET_QUERY_LEVEL_PATIENT; level <= DICOMNET_QUERY_LEVEL_IMAGE; level++)
        keyed = keyed || is_given(keys, level);
    if (series != 0)
        snprintf(rest, sizeof rest, " %s instance.parent = %lld", keyed ? "AND" : "WHERE", (long long)series);
    return open_cursor(index,
                       "instance.name, instance.size, instance.mtime, instance.data_offset, instance.data_len, "
                       "instance.pad, instance.made_study, instance.made_series, instance.made_number, "
                       "instance.syntax, instance.SOPClassUID, instance.SOPInstanceUID",
                       DICOMNET_QUERY_LEVEL_IMAGE, keys, rest, ret_cursor);
}

/* ---- answers ---- */

int index_cursor_next(struct index_cursor *cursor)
{
    if (cursor->over == 0)
        cursor->over = sqlite3_step(cursor->statement);
    if (cursor->over != SQLITE_ROW)
        return cursor->over == SQLITE_DONE ? 0 : index_failed(cursor->index);
    cursor->over = 0;
    return 1;
}

const char *index_cursor_text(struct index_cursor *cursor, size_t column)
{
    const char *text = (const char *)sqlite3_column_text(cursor->statement, (int)column);
    return text != NULL ? text : "";
}

int64_t index_cursor_number(struct index_cursor *cursor, size_t column)
{
    return sqlite3_column_int64(cursor->statement, (int)column);
}

void index_cursor_place(struct index_cursor *cursor, struct index_place *ret_place)
{
    sqlite3_stmt *row = cursor->statement;
    *ret_place = (struct index_place){
        .name = (const char *)sqlite3_column_text(row, 0),
        .size_bytes = (uint64_t)sqlite3_column_int64(row, 1),
        .mtime_ns = sqlite3_column_int64(row, 2),
        .data_offset = (uint64_t)sqlite3_column_int64(row, 3),
        .data_len = (uint64_t)sqlite3_column_int64(row, 4),
        .pad = sqlite3_column_int64(row, 5) != 0,
        .study = (uint64_t)sqlite3_column_int64(row, 6),
        .series = (uint64_t)sqlite3_column_int64(row, 7),
        .number = (uint64_t)sqlite3_column_int64(row, 8),
        .syntax_uid = index_cursor_text(cursor, 9),
        .class_uid = index_cursor_text(cursor, 10),
        .instance_uid = index_cursor_text(cursor, 11),
    };
}

void index_cursor_close(struct index_cursor *cursor)
{
    if (cursor == NULL)
        return;
    sqlite3_finalize(cursor->statement);
    free(cursor);
}
