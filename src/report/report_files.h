/*
 * report_files - the name of a session, and the names and folder of the files it leaves behind.
 */
#ifndef REPORT_REPORT_FILES_H
#define REPORT_REPORT_FILES_H

#include <stdio.h>

#include "dicomnet/error.h"

enum { REPORT_SESSION_ID_SIZE = 24 };

/*
 * A new session identifier: the UTC time it began and four random hexadecimal digits, "20261121T101530Z_4f2a". They
 * sort by time. Two sessions of one second may (1 in 65,536) get the same one: event_log_open then answers -EEXIST.
 */
void report_session_id(char ret_id[REPORT_SESSION_ID_SIZE]);

/* "<dir>/<name>_<session_id><suffix>", to be freed; NULL if out of memory. */
char *report_path(const char *dir, const char *name, const char *session_id, const char *suffix);

/* Make the folder and those above it. 0, also if it exists; else a negative errno. */
int report_make_folder(const char *dir) DICOMNET_MUST_CHECK;

/*
 * A file that is written beside its final name first, so that what has that name is whole. Its temporary file is one
 * that this made, in the folder that this opened: a symbolic link in its place is not followed.
 */
struct report_draft {
    int folder; /* descriptor */
    FILE *out;  /* to be written to */
    char *name; /* in the folder; owned */
    char *temporary;
};

/* 0, or a negative errno; then there is nothing to finish. */
int report_draft_open(struct report_draft *draft, const char *path) DICOMNET_MUST_CHECK;

/*
 * Give it its name, if `error` is 0; else remove it. Returns `error`, or the first error there was: then nothing has
 * changed under that name.
 */
int report_draft_finish(struct report_draft *draft, int error) DICOMNET_MUST_CHECK;

#endif
