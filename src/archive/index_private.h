/*
 * index_private - the inside of an index: index.c fills it, index_find.c asks it.
 */
#ifndef ARCHIVE_INDEX_PRIVATE_H
#define ARCHIVE_INDEX_PRIVATE_H

#include <sqlite3.h>

#include "archive/index.h"

struct index {
    sqlite3 *db;
    sqlite3_stmt *insert[4], *find[4]; /* by level */
    sqlite3_stmt *has_file, *remove, *held;
    char problem[256]; /* what SQLite said when it last failed */
};

/* Something failed: keep what SQLite says about it before it says something else. Returns -EIO. */
int index_failed(struct index *index);

/* Run statements without values. 0 or -EIO. */
int index_run(struct index *index, const char *sql) DICOMNET_MUST_CHECK;

/* 0 and the caller's statement, or -EIO. */
int index_prepare(struct index *index, const char *sql, sqlite3_stmt **ret_statement) DICOMNET_MUST_CHECK;

#endif
