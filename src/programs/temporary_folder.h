/*
 * temporary_folder - a folder for as long as a program runs.
 */
#ifndef PROGRAMS_TEMPORARY_FOLDER_H
#define PROGRAMS_TEMPORARY_FOLDER_H

#include "dicomnet/error.h"

/*
 * Make a folder that nobody else can look into, in $TMPDIR or /tmp. The path is the caller's: free() after
 * temporary_folder_remove. NULL after a line on standard error that begins with `program`.
 */
char *temporary_folder_create(const char *program);

/* Remove the files in it, which has no folders, and itself. NULL is nothing. */
void temporary_folder_remove(const char *path);

#endif
