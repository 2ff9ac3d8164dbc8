/*
 * dicomdir - the files that a DICOMDIR names (PS3.3 annex F), as they are found on the disk.
 *
 * A DICOMDIR is read through its structure alone, with header reads, and is believed in little: a file that it names is
 * looked for below its own folder and nowhere else. File IDs are upper case (PS3.10 8.2), and media are mounted in
 * lower case or with a version behind each name; so a name that is not there is looked for whatever its case.
 */
#ifndef FILES_DICOMDIR_H
#define FILES_DICOMDIR_H

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

/* A file that it names. */
struct dicomdir_file {
    const char *path;   /* valid until the next call; of one that is missing, as it would be called */
    bool found;         /* it is there, and below the DICOMDIR's folder */
    const char *detail; /* static: why it is not */
};

/* The next one, in its order; false at the end. Symbolic links below the folder are followed only if asked for. */
bool dicomdir_next(struct dicomdir *dicomdir, bool follow_symlinks, struct dicomdir_file *ret_file);

/* NULL is fine. */
void dicomdir_close(struct dicomdir *dicomdir);

#endif
