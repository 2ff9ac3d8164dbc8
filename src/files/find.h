/*
 * find - a path on its way from where it was given or found to whoever looks into the file, and what it is.
 *
 * What can be told from a name and the type in its folder's entry is told at once, without a system call; for the rest
 * somebody has to ask the file system, which may take long. find_look does that: it waits for nothing but the storage
 * and shares nothing, so any number of threads do it side by side, each with finds of its own.
 */
#ifndef FILES_FIND_H
#define FILES_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/outcome.h"

struct dicomdir;
struct discover_options;

enum find_kind {
    FIND_UNKNOWN, /* find_look has to be asked */
    FIND_FILE,    /* look into it */
    FIND_FOLDER,  /* its names are to be read: folder.h */
    FIND_PROBLEM, /* it has ended already: `state`, `reason` and `error` say how */
    FIND_NOTHING  /* it is passed over in silence */
};

struct find {
    enum find_kind kind;
    bool given;         /* by the user, his list, his pattern or a DICOMDIR: links are followed, a folder is entered */
    bool is_input;      /* it stood on the command line itself: it may be a DICOMDIR */
    bool is_line;       /* it may end in the CR of a line's CR LF, or in a CR of its own */
    bool once;          /* it counts only if its (device, inode) was not found before */
    bool identified;    /* set by find_look: it is of the kind for which `once` matters */
    unsigned char type; /* DT_REG and so on, DT_UNKNOWN if nobody has seen it yet */
    char *path;         /* owned */
    const struct dicomdir *named_by; /* its path is still a File ID of this DICOMDIR; or NULL. Borrowed */
    struct dicomdir *dicomdir;       /* set by find_look: it is one, and names files. Owned */
    enum outcome_state state;        /* of a problem: OUTCOME_FAILED or OUTCOME_SKIPPED */
    enum outcome_reason reason;
    int error;          /* negative errno, or 0 */
    const char *detail; /* static: more about the reason; or NULL */
    /* Set by find_look of whatever is there; an inode of 0: it is not known. */
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t device;
    uint64_t inode;
};

/* A copy of `path` that was given, to be looked at. path is NULL if out of memory. */
struct find find_make_given(const char *path, bool once);

/* Make it a problem. */
void find_set_problem(struct find *find, enum outcome_state state, enum outcome_reason reason, int error);

/* The same, failed with the reason that goes with the error: missing, out-of-memory, unreadable. */
void find_set_failure(struct find *find, int error);

/* What an entry of a folder is, by `type` alone as far as that can be; find->path and find->once are set. */
void find_judge(struct find *find, unsigned char type, const struct discover_options *options);

/* Ask the file system what a FIND_UNKNOWN is: kind, type and the facts follow. Blocks on the storage. */
void find_look(struct find *find, const struct discover_options *options);

/* Only the facts of a FIND_FILE that are not known yet; links are followed. What cannot be seen stays unknown. */
void find_look_at_facts(struct find *find);

/* Free what it owns. */
void find_fini(struct find *find);

#endif
