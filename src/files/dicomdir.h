/*
 * dicomdir - the files that a DICOMDIR names (PS3.3 annex F), as they are found on the disk.
 *
 * A DICOMDIR is read through its structure alone, with header reads, and is believed in little: a file that it names is
 * looked for below its own folder and nowhere else. File IDs are upper case (PS3.10 8.2), and media are mounted in
 * lower case or with a version behind each name; so a name that is not there is looked for whatever its case.
 */
#ifndef FILES_DICOMDIR_H
#define FILES_DICOMDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "instance/outcome.h"

struct dicomdir;

/*
 * Read the DICOMDIR at `path`. Returns 0 and what it names; 1 if the file is none, or says so only to those who can
 * read it; or -ENOMEM. What a damaged one names up to the damage is there.
 */
int dicomdir_open(struct dicomdir **ret_dicomdir, const char *path);

/* What is wrong with it, REASON_NONE if nothing is; *ret_detail may be NULL. */
enum outcome_reason dicomdir_damage(const struct dicomdir *dicomdir, const char **ret_detail);

/* The next File ID that it names, in its order, as it stands there; NULL at the end. It stays until dicomdir_close. */
const char *dicomdir_next(struct dicomdir *dicomdir);

/*
 * The path of the file that a File ID names; of one that is missing, as it would be called. True if it is there, and
 * below the DICOMDIR's folder; else *ret_detail (static) says why it is not. Symbolic links below the folder are
 * followed only if asked for. Blocks on the storage; any number of threads look at the same time.
 */
bool dicomdir_locate(const struct dicomdir *dicomdir, const char *file_id, bool follow_symlinks,
                     char ret_path[PATH_MAX], const char **ret_detail);

/* NULL is fine. */
void dicomdir_close(struct dicomdir *dicomdir);

#endif
