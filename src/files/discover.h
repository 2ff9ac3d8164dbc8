/*
 * discover - walks the paths a user gave, one entry at a time, on one thread. Where many threads walk side by side,
 * they do so with what this is made of: given.h, folder.h and find.h.
 *
 * A generator: it holds no more than the open folders of the branch it is in, so a tree of any size can be walked
 * with little memory, and the walk can pause for as long as the caller likes. It blocks on the disk and is used by one
 * thread at a time. The order is the order of the inputs; within a folder files come sorted by name only if the folder
 * is small (up to 65,536 entries), else as the file system gives them.
 */
#ifndef FILES_DISCOVER_H
#define FILES_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "instance/outcome.h"

struct discover_options {
    const char *const *inputs; /* files, folders or glob patterns; borrowed until discover_destroy */
    size_t input_count;
    const char *files_from; /* a file with one path a line ("-" = standard input; see path_list.h), or NULL */
    bool nul_separated;     /* files_from separates paths by NUL instead of newline */
    bool recursive;         /* go into folders below the inputs; else only a folder's own files */
    const char *pattern;    /* only files whose base name matches this glob (fnmatch), or NULL */
    bool follow_symlinks;   /* below the inputs; each (device, inode) is then given once. Inputs are followed always */
};

enum discover_kind {
    DISCOVER_END,
    DISCOVER_FILE,   /* look at this path */
    DISCOVER_PROBLEM /* this path has ended already: `state`, `reason` and `error` say how */
};

struct discover_entry {
    enum discover_kind kind;
    const char *path;         /* valid until the next call */
    enum outcome_state state; /* OUTCOME_FAILED (missing, unreadable folder) or OUTCOME_SKIPPED (not-a-file) */
    enum outcome_reason reason;
    int error;          /* negative errno, or 0 */
    const char *detail; /* static: more about the reason; or NULL */
};

struct discover;

/*
 * Returns 0 and the walk, or a negative errno (-ENOMEM, or what opening files_from gave). An input that does not exist
 * is tried as a glob pattern; one that matches nothing is a DISCOVER_PROBLEM (missing). Symbolic links below the
 * inputs are passed over in silence unless follow_symlinks; FIFOs, sockets and devices are DISCOVER_PROBLEM
 * (skipped, not-a-file). No loop, however links point. A DICOMDIR among the inputs is given, and then the files that it
 * names (see dicomdir.h), each once; those that are not there are DISCOVER_PROBLEMs. An input folder that holds folders
 * and nothing else is one too (failed, only-folders) unless `recursive`.
 */
int discover_create(struct discover **ret_discover, const struct discover_options *options);

/* The next entry. After DISCOVER_END it goes on answering DISCOVER_END. */
struct discover_entry discover_next(struct discover *discover);

void discover_destroy(struct discover *discover);

#endif
