/*
 * folder - the names in one folder, as many at a time as are wanted.
 *
 * A folder is read to its end at once, so that it holds no descriptor, unless it has more names than are wanted or its
 * storage is slow; then it stays open and is read on later. The names of one reading come sorted. One thread's at a
 * time.
 */
#ifndef FILES_FOLDER_H
#define FILES_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "files/find.h"

struct discover_options;

struct folder {
    struct list_node node; /* its owner's */
    char *path;            /* owned */
    bool given;            /* see find.h */
    bool once;
    bool opened;    /* it was begun */
    bool has_files; /* anything but folders was seen in it, */
    bool passed;    /* and a folder that was not gone into */
    DIR *rest;      /* still open; NULL otherwise */
    /* The names that were read, of which `next` are taken: each is its type and then the name and a NUL. */
    char *names;
    size_t names_len, names_size;
    size_t *entries; /* offsets into names */
    size_t entry_count, entry_size, next;
};

/* Of a FIND_FOLDER; its path becomes the folder's. NULL if out of memory: then it is the find's still. */
struct folder *folder_create(struct find *find);

/*
 * Open it if it is not, and read names: at most `names_max`, and no further once the monotonic clock is past `until_us`
 * (UINT64_MAX: never). All names read before have been taken. Returns 0, or a negative errno: it could not be opened,
 * or not be read to its end; what was read is there. Blocks on the storage.
 */
int folder_read(struct folder *folder, size_t names_max, uint64_t until_us);

/* More is to be read. */
static inline bool folder_is_open(const struct folder *folder)
{
    return folder->rest != NULL;
}

/*
 * The next name that was read, as a find whose path is the caller's; false if there is none. One without memory for its
 * path is a problem without a path. If a folder was given and is not to be searched, this may ask the file system what
 * an entry is, until it knows of one file.
 */
bool folder_next(struct folder *folder, const struct discover_options *options, struct find *ret_find);

/* It is at its end: was it given, and holds folders that are not gone into and nothing else? */
static inline bool folder_has_only_folders(const struct folder *folder)
{
    return folder->given && folder->passed && !folder->has_files;
}

/* NULL is fine. */
void folder_destroy(struct folder *folder);

#endif
