/*
 * index - what the archive holds, in SQLite: a table for patients, studies, series and instances each, and where each
 * instance's data set is. The files are the truth; the index can be made again from them at any time.
 *
 * A patient is a Patient ID and a Patient's Name. Statements are put together from the names in attribute.c alone;
 * what a peer or a file says is only ever bound to them as a value.
 *
 * One thread. Errors are -EIO, and index_problem says more; -ENOMEM.
 */
#ifndef ARCHIVE_INDEX_H
#define ARCHIVE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/attribute.h"
#include "dicomnet/error.h"

struct index;
struct index_cursor;

/*
 * Open the index in that file, or one in memory (NULL). One of another version is begun anew, as is any if `anew`.
 * *ret_index is there even if it failed, for index_problem; NULL only if out of memory.
 */
int index_open(struct index **ret_index, const char *path, bool anew) DICOMNET_MUST_CHECK;
void index_close(struct index *index);

/* What SQLite said last. */
const char *index_problem(const struct index *index);

/* A transaction: all that is added between these becomes durable at once, which is much faster. */
int index_begin(struct index *index) DICOMNET_MUST_CHECK;
int index_commit(struct index *index) DICOMNET_MUST_CHECK;

/* Where an instance's data set is. */
struct index_place {
    const char *name; /* of its file in the archive's folder; NULL = made up: number of series of study */
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t data_offset;
    uint64_t data_len;
    bool pad;
    uint64_t study, series, number;
    const char *class_uid, *instance_uid, *syntax_uid;
};

/* Add an instance; an older one with its SOP Instance UID makes room for it. */
int index_add(struct index *index, const struct attribute_values *values,
              const struct index_place *place) DICOMNET_MUST_CHECK;

/* True if that file is there, as it was when it was added. */
bool index_has_file(struct index *index, const char *name, uint64_t size_bytes, int64_t mtime_ns);

/* Remove the instances whose file `is_there` denies, and what is empty then. Returns how many, or an error. */
int64_t index_sweep(struct index *index, bool (*is_there)(void *context, const struct index_place *place),
                    void *context);

/* Numbers of patients, studies, series and instances, by level. */
int index_count_all(struct index *index, uint64_t ret_counts[4]) DICOMNET_MUST_CHECK;

/*
 * Unique keys by level, as in an identifier: NULL or "" = any. Several UIDs, separated by backslashes, are a list; a
 * Patient ID is one.
 */
struct index_keys {
    const char *values[4];
};

/* The entities of a level with these keys; the wanted attributes are of this level or above. */
int index_find(struct index *index, enum dicomnet_query_level level, const struct attribute *const *wanted,
               size_t wanted_count, const struct index_keys *keys,
               struct index_cursor **ret_cursor) DICOMNET_MUST_CHECK;

/* How many instances of a class lie in which transfer syntax. */
struct index_held {
    char syntax_uid[DICOMNET_UID_SIZE];
    uint64_t instances;
};
enum { INDEX_HELD_MAX = 64 };

/* The syntaxes in which the instances of this class lie, most first. Returns how many; 0 also if it cannot be told. */
size_t index_find_held(struct index *index, const char *class_uid, struct index_held ret_held[INDEX_HELD_MAX]);

/* How many instances have these keys, in how many series. */
int index_count(struct index *index, const struct index_keys *keys, uint64_t *ret_instances,
                uint64_t *ret_series) DICOMNET_MUST_CHECK;

/* The distinct pairs of SOP class (text 0) and transfer syntax (text 1) of a series. */
int index_find_contexts(struct index *index, int64_t series, struct index_cursor **ret_cursor) DICOMNET_MUST_CHECK;

/* The numbers of their series: index_cursor_number 0. */
int index_find_series(struct index *index, const struct index_keys *keys,
                      struct index_cursor **ret_cursor) DICOMNET_MUST_CHECK;

/* The instances themselves, of all series (series = 0) or of one: for index_cursor_place. */
int index_find_instances(struct index *index, const struct index_keys *keys, int64_t series,
                         struct index_cursor **ret_cursor) DICOMNET_MUST_CHECK;

/* The next row: 1, 0 at the end, or an error. */
int index_cursor_next(struct index_cursor *cursor) DICOMNET_MUST_CHECK;

/* Of the row; texts are valid until the next one, never NULL. */
const char *index_cursor_text(struct index_cursor *cursor, size_t column);
int64_t index_cursor_number(struct index_cursor *cursor, size_t column);
void index_cursor_place(struct index_cursor *cursor, struct index_place *ret_place);

/* NULL is fine. Before index_close. */
void index_cursor_close(struct index_cursor *cursor);

#endif
