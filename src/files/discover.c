/*
 * discover - see files/discover.h.
 *
 * Three things are nested: the inputs (given, then those of files_from), the matches of a glob pattern or the files
 * that a DICOMDIR names, and the stack of open folders. Each call takes the next entry of the innermost that has one. A
 * folder's names are read at once when it is entered, so that a deep branch holds no descriptors; only a folder of more
 * than SORTED_MAX entries stays open, and goes on unsorted.
 */
#include "files/discover.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/dicomdir.h"
#include "files/identity_set.h"
#include "files/path_list.h"

enum { SORTED_MAX = 65536 };

/* An entry of a folder: its type as readdir gives it, then its name and a NUL, in the folder's block. */
struct level {
    char *names;
    size_t names_len, names_size;
    size_t *entries; /* offsets into names */
    size_t entry_count, entry_size, next;
    DIR *rest;       /* still open: more than SORTED_MAX entries; NULL otherwise */
    size_t path_len; /* of the folder's path in discover->path */
    bool is_input;   /* it was given, and is not below one that was */
    bool has_files;  /* anything but folders was seen in it, */
    bool passed;     /* and a folder that was not gone into */
};

struct discover {
    struct discover_options options;
    size_t next_input;
    struct path_list *list;    /* files_from, or NULL */
    struct dicomdir *dicomdir; /* the one whose files are being given, or NULL */
    bool once;                 /* each (device, inode) is given once: links are followed, or a DICOMDIR was */
    glob_t matches;
    size_t next_match;
    bool globbing;
    char *path; /* of the innermost folder, or of the entry just given */
    size_t path_size;
    struct level *levels;
    size_t level_count, level_size;
    struct identity_set seen;
};

static const struct discover_entry no_entry = {.kind = DISCOVER_END};

/* Make room for `count` things of `size` bytes. False if out of memory. */
static bool reserve(void **array, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : *capacity;
    while (wanted < count)
        wanted *= 2;
    void *grown = reallocarray(*array, wanted, size);
    if (grown == NULL)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static struct discover_entry make_problem(const char *path, enum outcome_state state, enum outcome_reason reason,
                                          int error)
{
    return (struct discover_entry){
        .kind = DISCOVER_PROBLEM, .path = path, .state = state, .reason = reason, .error = error};
}

static struct discover_entry make_failure(const char *path, int error)
{
    enum outcome_reason reason = error == -ENOENT   ? REASON_MISSING
                                 : error == -ENOMEM ? REASON_OUT_OF_MEMORY
                                                    : REASON_UNREADABLE;
    return make_problem(path, OUTCOME_FAILED, reason, error);
}

/* Set discover->path to its first `len` bytes, a slash if one is needed, and `name`. */
static int set_path(struct discover *discover, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    void *path = discover->path;
    if (!reserve(&path, &discover->path_size, len + name_len + 2, 1))
        return -ENOMEM;
    discover->path = (char *)path;
    if (len > 0 && discover->path[len - 1] != '/')
        discover->path[len++] = '/';
    memcpy(discover->path + len, name, name_len + 1);
    return 0;
}

static int compare_names(const void *a, const void *b, void *names)
{
    const char *base = (const char *)names;
    return strcmp(base + *(const size_t *)a + 1, base + *(const size_t *)b + 1);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Keep one more name of a folder. */
static int keep_name(struct level *level, const struct dirent *entry)
{
    size_t size = strlen(entry->d_name) + 2;
    void *names = level->names, *entries = level->entries;
    bool fits = reserve(&names, &level->names_size, level->names_len + size, 1);
    level->names = (char *)names;
    fits = fits && reserve(&entries, &level->entry_size, level->entry_count + 1, sizeof(size_t));
    level->entries = (size_t *)entries;
    if (!fits)
        return -ENOMEM;
    level->entries[level->entry_count++] = level->names_len;
    level->names[level->names_len] = (char)entry->d_type;
    memcpy(level->names + level->names_len + 1, entry->d_name, size - 1);
    level->names_len += size;
    return 0;
}

/* Read names until the end of the folder or SORTED_MAX. Returns 0, or a negative errno; what was read is kept. */
static int read_names(struct level *level, DIR *folder)
{
    level->rest = folder;
    while (level->entry_count < SORTED_MAX) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        int error = entry == NULL ? -errno : is_dot(entry->d_name) ? 0 : keep_name(level, entry);
        if (entry == NULL || error < 0) {
            closedir(folder);
            level->rest = NULL;
            if (level->entry_count > 0)
                qsort_r(level->entries, level->entry_count, sizeof(size_t), compare_names, level->names);
            return error;
        }
    }
    return 0;
}

static void level_fini(struct level *level)
{
    free(level->names);
    free(level->entries);
    if (level->rest != NULL)
        closedir(level->rest);
}

/* Enter the folder discover->path. Returns 0, or a negative errno: it could not be read, or not to its end. */
static int enter_folder(struct discover *discover, bool is_input)
{
    void *levels = discover->levels;
    if (!reserve(&levels, &discover->level_size, discover->level_count + 1, sizeof(struct level)))
        return -ENOMEM;
    discover->levels = (struct level *)levels;
    DIR *folder = opendir(discover->path);
    if (folder == NULL)
        return -errno;
    struct level *level = &discover->levels[discover->level_count];
    *level = (struct level){.path_len = strlen(discover->path), .is_input = is_input};
    discover->level_count++;
    return read_names(level, folder);
}

/* The next name of a folder and its type, or NULL at its end; *ret_error if it could not be read to its end. */
static const char *next_name(struct level *level, unsigned char *ret_type, int *ret_error)
{
    *ret_error = 0;
    if (level->next < level->entry_count) {
        const char *kept = level->names + level->entries[level->next++];
        *ret_type = (unsigned char)kept[0];
        return kept + 1;
    }
    const struct dirent *entry = NULL;
    do {
        errno = 0;
        entry = level->rest != NULL ? readdir(level->rest) : NULL;
    } while (entry != NULL && is_dot(entry->d_name));
    if (entry == NULL) {
        *ret_error = -errno;
        return NULL;
    }
    *ret_type = entry->d_type;
    return entry->d_name;
}

static bool matches_pattern(const struct discover *discover, const char *path)
{
    if (discover->options.pattern == NULL)
        return true;
    const char *slash = strrchr(path, '/');
    return fnmatch(discover->options.pattern, slash != NULL ? slash + 1 : path, 0) == 0;
}

static unsigned char type_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? DT_REG : S_ISDIR(mode) ? DT_DIR : S_ISLNK(mode) ? DT_LNK : DT_UNKNOWN;
}

/*
 * discover->path is there and `type` says what it is (never a link). Returns an entry for it, or no_entry if it was
 * passed over or entered.
 */
static struct discover_entry take(struct discover *discover, unsigned char type, bool is_input)
{
    struct level *level = discover->level_count > 0 ? &discover->levels[discover->level_count - 1] : NULL;
    if (level != NULL)
        level->has_files |= type != DT_DIR;
    if (type == DT_DIR) {
        if (!is_input && !discover->options.recursive) {
            level->passed = true;
            return no_entry;
        }
        int error = enter_folder(discover, is_input);
        return error < 0 ? make_failure(discover->path, error) : no_entry;
    }
    if (!matches_pattern(discover, discover->path))
        return no_entry;
    if (type != DT_REG)
        return make_problem(discover->path, OUTCOME_SKIPPED, REASON_NOT_A_FILE, 0);
    return (struct discover_entry){.kind = DISCOVER_FILE, .path = discover->path};
}

/*
 * Note that the file or folder at discover->path is given now. False if there is nothing more to do with it: *ret_entry
 * is no_entry, as it was given before, or says that memory is out.
 */
static bool note_identity(struct discover *discover, const struct stat *status, struct discover_entry *ret_entry)
{
    int added = identity_set_add(&discover->seen, status->st_dev, status->st_ino);
    *ret_entry = added < 0 ? make_failure(discover->path, added) : no_entry;
    return added > 0;
}

/* An entry of the innermost folder, whose path is in discover->path. */
static struct discover_entry take_found(struct discover *discover, unsigned char type)
{
    struct stat status;
    bool follow = discover->options.follow_symlinks;
    if (type == DT_UNKNOWN || discover->once) {
        if ((follow ? stat(discover->path, &status) : lstat(discover->path, &status)) < 0)
            return make_failure(discover->path, -errno);
        type = type_of_mode(status.st_mode);
    }
    if (type == DT_LNK)
        return no_entry;
    bool counts = (discover->once && type == DT_REG) || (follow && type == DT_DIR && discover->options.recursive);
    struct discover_entry entry;
    if (counts && !note_identity(discover, &status, &entry))
        return entry;
    return take(discover, type, false);
}

/* One step in the innermost folder. */
static struct discover_entry step_folder(struct discover *discover)
{
    struct level *level = &discover->levels[discover->level_count - 1];
    unsigned char type = DT_UNKNOWN;
    int error = 0;
    const char *name = next_name(level, &type, &error);
    if (name == NULL) {
        bool only_folders = level->is_input && level->passed && !level->has_files;
        discover->path[level->path_len] = '\0';
        level_fini(level);
        discover->level_count--;
        if (error < 0)
            return make_failure(discover->path, error);
        return only_folders ? make_problem(discover->path, OUTCOME_FAILED, REASON_ONLY_FOLDERS, 0) : no_entry;
    }
    error = set_path(discover, level->path_len, name);
    return error < 0 ? make_failure("", error) : take_found(discover, type);
}

/* A path the user gave, or that his pattern gave. Symbolic links are followed. */
static struct discover_entry take_input(struct discover *discover, const char *path)
{
    int error = set_path(discover, 0, path);
    if (error < 0)
        return make_failure(path, error);
    struct stat status;
    if (stat(path, &status) < 0)
        return make_failure(discover->path, errno == ENOTDIR ? -ENOENT : -errno);
    unsigned char type = type_of_mode(status.st_mode);
    bool counts = discover->once && (type == DT_REG || (discover->options.follow_symlinks && type == DT_DIR));
    struct discover_entry entry;
    if (counts && !note_identity(discover, &status, &entry))
        return entry;
    return take(discover, type, true);
}

/* Is the file that was just given a DICOMDIR? Then its files come next, and it is one that may be damaged. */
static struct discover_entry open_dicomdir(struct discover *discover, struct discover_entry entry)
{
    struct dicomdir *dicomdir = NULL;
    int error = dicomdir_open(&dicomdir, entry.path);
    if (error < 0)
        return make_failure(discover->path, error);
    if (error > 0)
        return entry;
    discover->dicomdir = dicomdir;
    discover->once = true;
    const char *detail = NULL;
    enum outcome_reason damage = dicomdir_damage(dicomdir, &detail);
    if (damage == REASON_NONE)
        return entry;
    entry = make_problem(discover->path, OUTCOME_FAILED, damage, 0);
    entry.detail = detail;
    return entry;
}

/* The next file that the DICOMDIR names. */
static struct discover_entry step_dicomdir(struct discover *discover)
{
    struct dicomdir_file file;
    if (!dicomdir_next(discover->dicomdir, discover->options.follow_symlinks, &file)) {
        dicomdir_close(discover->dicomdir);
        discover->dicomdir = NULL;
        return no_entry;
    }
    if (file.found)
        return take_input(discover, file.path);
    int error = set_path(discover, 0, file.path);
    if (error < 0)
        return make_failure(file.path, error);
    struct discover_entry entry = make_failure(discover->path, -ENOENT);
    entry.detail = file.detail;
    return entry;
}

/* The next of `inputs`: a path, or else a pattern. */
static struct discover_entry step_input(struct discover *discover)
{
    const char *input = discover->options.inputs[discover->next_input++];
    struct stat status;
    if (lstat(input, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
        struct discover_entry entry = take_input(discover, input);
        return entry.kind == DISCOVER_FILE ? open_dicomdir(discover, entry) : entry;
    }
    int result = glob(input, 0, NULL, &discover->matches);
    if (result == 0) {
        discover->globbing = true;
        discover->next_match = 0;
        return no_entry;
    }
    globfree(&discover->matches);
    int error = result == GLOB_NOSPACE ? -ENOMEM : result == GLOB_ABORTED ? -EIO : -ENOENT;
    return make_failure(input, error);
}

/* The next line of files_from. */
static struct discover_entry step_list(struct discover *discover)
{
    int error = 0;
    const char *path = path_list_next(discover->list, &error);
    if (path != NULL)
        return take_input(discover, path);
    path_list_close(discover->list);
    discover->list = NULL;
    return error < 0 ? make_failure(discover->options.files_from, error) : no_entry;
}

int discover_create(struct discover **ret_discover, const struct discover_options *options)
{
    struct discover *discover = (struct discover *)calloc(1, sizeof *discover);
    if (discover == NULL)
        return -ENOMEM;
    discover->options = *options;
    discover->once = options->follow_symlinks;
    if (options->files_from != NULL) {
        int error = path_list_open(&discover->list, options->files_from, options->nul_separated);
        if (error < 0) {
            free(discover);
            return error;
        }
    }
    *ret_discover = discover;
    return 0;
}

struct discover_entry discover_next(struct discover *discover)
{
    for (;;) {
        struct discover_entry entry;
        if (discover->level_count > 0) {
            entry = step_folder(discover);
        } else if (discover->dicomdir != NULL) {
            entry = step_dicomdir(discover);
        } else if (discover->globbing && discover->next_match < discover->matches.gl_pathc) {
            entry = take_input(discover, discover->matches.gl_pathv[discover->next_match++]);
        } else if (discover->globbing) {
            globfree(&discover->matches);
            discover->globbing = false;
            continue;
        } else if (discover->next_input < discover->options.input_count) {
            entry = step_input(discover);
        } else if (discover->list != NULL) {
            entry = step_list(discover);
        } else {
            return no_entry;
        }
        if (entry.kind != DISCOVER_END)
            return entry;
    }
}

void discover_destroy(struct discover *discover)
{
    if (discover == NULL)
        return;
    while (discover->level_count > 0)
        level_fini(&discover->levels[--discover->level_count]);
    if (discover->globbing)
        globfree(&discover->matches);
    path_list_close(discover->list);
    dicomdir_close(discover->dicomdir);
    identity_set_fini(&discover->seen);
    free(discover->levels);
    free(discover->path);
    free(discover);
}
