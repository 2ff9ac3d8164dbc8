/* find - see find.h. */
#include "files/find.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/dicomdir.h"
#include "files/discover.h"

struct find find_make_given(const char *path, bool once)
{
    return (struct find){.given = true, .once = once, .path = strdup(path)};
}

void find_set_problem(struct find *find, enum outcome_state state, enum outcome_reason reason, int error)
{
    find->kind = FIND_PROBLEM;
    find->state = state;
    find->reason = reason;
    find->error = error;
}

void find_set_failure(struct find *find, int error)
{
    enum outcome_reason reason = error == -ENOENT   ? REASON_MISSING
                                 : error == -ENOMEM ? REASON_OUT_OF_MEMORY
                                                    : REASON_UNREADABLE;
    find_set_problem(find, OUTCOME_FAILED, reason, error);
}

static bool matches_pattern(const struct discover_options *options, const char *path)
{
    if (options->pattern == NULL)
        return true;
    const char *slash = strrchr(path, '/');
    return fnmatch(options->pattern, slash != NULL ? slash + 1 : path, 0) == 0;
}

/* `type` is what it is, and no link. */
static void judge_type(struct find *find, unsigned char type, const struct discover_options *options)
{
    find->type = type;
    if (type == DT_DIR)
        find->kind = find->given || options->recursive ? FIND_FOLDER : FIND_NOTHING;
    else if (!matches_pattern(options, find->path))
        find->kind = FIND_NOTHING;
    else if (type == DT_REG)
        find->kind = FIND_FILE;
    else
        find_set_problem(find, OUTCOME_SKIPPED, REASON_NOT_A_FILE, 0);
}

void find_judge(struct find *find, unsigned char type, const struct discover_options *options)
{
    find->type = type;
    find->kind = FIND_UNKNOWN;
    if (type == DT_UNKNOWN || find->once)
        return;
    if (type == DT_LNK)
        find->kind = FIND_NOTHING;
    else
        judge_type(find, type, options);
}

static void take_facts(struct find *find, const struct stat *status)
{
    find->size_bytes = (uint64_t)status->st_size;
    find->mtime_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
    find->device = status->st_dev;
    find->inode = status->st_ino;
}

/* From a File ID to a path. False if there is no such file: it is a problem then. */
static bool locate(struct find *find, const struct discover_options *options)
{
    char path[PATH_MAX];
    const char *detail = NULL;
    bool found = dicomdir_locate(find->named_by, find->path, options->follow_symlinks, path, &detail);
    char *copy = strdup(path);
    find->named_by = NULL;
    if (copy == NULL) {
        find_set_failure(find, -ENOMEM);
        return false;
    }
    free(find->path);
    find->path = copy;
    if (!found) {
        find_set_failure(find, -ENOENT);
        find->detail = detail;
    }
    return found;
}

/* A line ends in CR LF elsewhere; but a name may end in CR too. */
static void strip_return(struct find *find)
{
    struct stat status;
    size_t len = strlen(find->path);
    if (len > 0 && find->path[len - 1] == '\r' && lstat(find->path, &status) != 0)
        find->path[len - 1] = '\0';
}

/* If it is a DICOMDIR, the files that it names come next, and it is one that may be damaged. */
static void open_dicomdir(struct find *find)
{
    int error = dicomdir_open(&find->dicomdir, find->path);
    if (error < 0)
        find_set_failure(find, error);
    if (error != 0)
        return;
    const char *detail = NULL;
    enum outcome_reason damage = dicomdir_damage(find->dicomdir, &detail);
    if (damage == REASON_NONE)
        return;
    find_set_problem(find, OUTCOME_FAILED, damage, 0);
    find->detail = detail;
}

static unsigned char type_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? DT_REG : S_ISDIR(mode) ? DT_DIR : S_ISLNK(mode) ? DT_LNK : DT_UNKNOWN;
}

void find_look(struct find *find, const struct discover_options *options)
{
    struct stat status;
    bool follow = find->given || options->follow_symlinks;
    if (find->named_by != NULL && !locate(find, options))
        return;
    if (find->is_line)
        strip_return(find);
    if ((follow ? stat(find->path, &status) : lstat(find->path, &status)) < 0) {
        find_set_failure(find, find->given && errno == ENOTDIR ? -ENOENT : -errno);
        return;
    }
    unsigned char type = type_of_mode(status.st_mode);
    find->type = type;
    if (type == DT_LNK) {
        find->kind = FIND_NOTHING;
        return;
    }
    take_facts(find, &status);
    find->identified =
        find->once &&
        (type == DT_REG || (type == DT_DIR && options->follow_symlinks && (find->given || options->recursive)));
    judge_type(find, type, options);
    if (find->kind == FIND_FILE && find->is_input)
        open_dicomdir(find);
}

void find_look_at_facts(struct find *find)
{
    struct stat status;
    if (find->inode == 0 && stat(find->path, &status) == 0 && S_ISREG(status.st_mode))
        take_facts(find, &status);
}

void find_fini(struct find *find)
{
    free(find->path);
    dicomdir_close(find->dicomdir);
    find->path = NULL;
    find->dicomdir = NULL;
}
