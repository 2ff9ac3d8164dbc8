/*
 * discover - see files/discover.h.
 *
 * Three things are nested: what was given, the files that a DICOMDIR names, and the stack of folders that were entered.
 * Each call takes the next of the innermost that has one.
 */
#include "files/discover.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/list.h"
#include "files/dicomdir.h"
#include "files/find.h"
#include "files/folder.h"
#include "files/given.h"
#include "files/identity_set.h"

enum { SORTED_MAX = 65536 };

struct discover {
    struct discover_options options;
    struct given *given;
    struct dicomdir *dicomdir; /* the one whose files are being given, or NULL */
    bool once;                 /* each (device, inode) is given once: links are followed, or a DICOMDIR was */
    struct list folders;       /* the innermost first */
    struct find last;          /* its path was just given */
    struct identity_set seen;
};

static struct discover_entry give(struct discover *discover, const struct find *find)
{
    discover->last = *find;
    discover->last.dicomdir = NULL;
    const char *path = find->path != NULL ? find->path : "";
    if (find->kind == FIND_FILE)
        return (struct discover_entry){.kind = DISCOVER_FILE, .path = path};
    return (struct discover_entry){.kind = DISCOVER_PROBLEM,
                                   .path = path,
                                   .state = find->state,
                                   .reason = find->reason,
                                   .error = find->error,
                                   .detail = find->detail};
}

/* What the innermost folder says of itself. Its path goes with it. */
static void blame_folder(struct folder *folder, struct find *ret_find, enum outcome_reason reason, int error)
{
    *ret_find = (struct find){.path = folder->path};
    folder->path = NULL;
    if (error < 0)
        find_set_failure(ret_find, error);
    else
        find_set_problem(ret_find, OUTCOME_FAILED, reason, 0);
    list_remove(&folder->node);
    folder_destroy(folder);
}

static struct folder *innermost(struct discover *discover)
{
    struct list_node *node = list_first(&discover->folders);
    return node != NULL ? list_entry(node, struct folder, node) : NULL;
}

/* The next of the innermost folder; FIND_NOTHING if it has none: the folder is read on, or left. */
static void step_folder(struct discover *discover, struct find *ret_find)
{
    struct folder *folder = innermost(discover);
    *ret_find = (struct find){.kind = FIND_NOTHING};
    if (folder_next(folder, &discover->options, ret_find))
        return;
    if (folder_is_open(folder) || !folder->opened) {
        int error = folder_read(folder, SORTED_MAX, UINT64_MAX);
        if (error == 0)
            return;
        if (folder->entry_count == 0) {
            blame_folder(folder, ret_find, REASON_NONE, error);
            return;
        }
        *ret_find = find_make_given(folder->path, false);
        find_set_failure(ret_find, error);
    } else if (folder_has_only_folders(folder)) {
        blame_folder(folder, ret_find, REASON_ONLY_FOLDERS, 0);
    } else {
        list_remove(&folder->node);
        folder_destroy(folder);
    }
}

/* The next file that the DICOMDIR names. */
static void step_dicomdir(struct discover *discover, struct find *ret_find)
{
    const char *name = dicomdir_next(discover->dicomdir);
    *ret_find = (struct find){.kind = FIND_NOTHING};
    if (name == NULL) {
        dicomdir_close(discover->dicomdir);
        discover->dicomdir = NULL;
        return;
    }
    *ret_find = find_make_given(name, discover->once);
    ret_find->named_by = discover->dicomdir;
    if (ret_find->path == NULL)
        find_set_failure(ret_find, -ENOMEM);
}

static void enter(struct discover *discover, struct find *find)
{
    struct folder *folder = folder_create(find);
    if (folder == NULL) {
        find_set_failure(find, -ENOMEM);
        return;
    }
    list_prepend(&discover->folders, &folder->node);
    find->kind = FIND_NOTHING;
}

/* Find out what it is, and go where it leads. Afterwards it is a file, a problem or nothing. */
static void take(struct discover *discover, struct find *find)
{
    if (find->kind == FIND_UNKNOWN)
        find_look(find, &discover->options);
    if (find->identified) {
        int added = identity_set_add(&discover->seen, find->device, find->inode);
        if (added < 0)
            find_set_failure(find, added);
        if (added == 0)
            find->kind = FIND_NOTHING;
    }
    if (find->dicomdir != NULL && find->kind != FIND_NOTHING) {
        discover->dicomdir = find->dicomdir;
        find->dicomdir = NULL;
        discover->once = true;
    }
    if (find->kind == FIND_FOLDER)
        enter(discover, find);
}

int discover_create(struct discover **ret_discover, const struct discover_options *options)
{
    struct discover *discover = (struct discover *)calloc(1, sizeof *discover);
    if (discover == NULL)
        return -ENOMEM;
    discover->options = *options;
    discover->once = options->follow_symlinks;
    list_init(&discover->folders);
    int error = given_create(&discover->given, &discover->options);
    if (error < 0) {
        free(discover);
        return error;
    }
    *ret_discover = discover;
    return 0;
}

struct discover_entry discover_next(struct discover *discover)
{
    for (;;) {
        struct find find;
        find_fini(&discover->last);
        if (!list_is_empty(&discover->folders))
            step_folder(discover, &find);
        else if (discover->dicomdir != NULL)
            step_dicomdir(discover, &find);
        else if (!given_next(discover->given, discover->once, &find))
            return (struct discover_entry){.kind = DISCOVER_END};
        take(discover, &find);
        if (find.kind != FIND_NOTHING)
            return give(discover, &find);
        find_fini(&find);
    }
}

void discover_destroy(struct discover *discover)
{
    if (discover == NULL)
        return;
    struct list_node *node;
    while ((node = list_pop(&discover->folders)) != NULL)
        folder_destroy(list_entry(node, struct folder, node));
    find_fini(&discover->last);
    given_destroy(discover->given);
    dicomdir_close(discover->dicomdir);
    identity_set_fini(&discover->seen);
    free(discover);
}
