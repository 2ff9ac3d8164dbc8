/* folder - see folder.h. */
#include "files/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "files/discover.h"

enum { NAMES_PER_CLOCK = 64 }; /* the clock is looked at once in this number of names */

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

static int compare_names(const void *a, const void *b, void *names)
{
    const char *base = (const char *)names;
    return strcmp(base + *(const size_t *)a + 1, base + *(const size_t *)b + 1);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int keep_name(struct folder *folder, const struct dirent *entry)
{
    size_t size = strlen(entry->d_name) + 2;
    void *names = folder->names, *entries = folder->entries;
    bool fits = reserve(&names, &folder->names_size, folder->names_len + size, 1);
    folder->names = (char *)names;
    fits = fits && reserve(&entries, &folder->entry_size, folder->entry_count + 1, sizeof(size_t));
    folder->entries = (size_t *)entries;
    if (!fits)
        return -ENOMEM;
    folder->entries[folder->entry_count++] = folder->names_len;
    folder->names[folder->names_len] = (char)entry->d_type;
    memcpy(folder->names + folder->names_len + 1, entry->d_name, size - 1);
    folder->names_len += size;
    return 0;
}

struct folder *folder_create(struct find *find)
{
    struct folder *folder = (struct folder *)calloc(1, sizeof *folder);
    if (folder == NULL)
        return NULL;
    folder->path = find->path;
    folder->given = find->given;
    folder->once = find->once;
    find->path = NULL;
    return folder;
}

static int close_rest(struct folder *folder, int error)
{
    closedir(folder->rest);
    folder->rest = NULL;
    return error;
}

/* Returns 0, also if there is more to come; or a negative errno. */
static int read_names(struct folder *folder, size_t names_max, uint64_t until_us)
{
    while (folder->entry_count < names_max) {
        errno = 0;
        const struct dirent *entry = readdir(folder->rest);
        if (entry == NULL)
            return close_rest(folder, -errno);
        int error = is_dot(entry->d_name) ? 0 : keep_name(folder, entry);
        if (error < 0)
            return close_rest(folder, error);
        bool look = until_us != UINT64_MAX && folder->entry_count % NAMES_PER_CLOCK == NAMES_PER_CLOCK - 1;
        if (look && clock_monotonic_us() > until_us)
            return 0;
    }
    return 0;
}

int folder_read(struct folder *folder, size_t names_max, uint64_t until_us)
{
    folder->names_len = folder->entry_count = folder->next = 0;
    if (!folder->opened) {
        folder->rest = opendir(folder->path);
        if (folder->rest == NULL)
            return -errno;
        folder->opened = true;
    }
    int error = folder->rest != NULL ? read_names(folder, names_max, until_us) : 0;
    if (folder->entry_count > 0)
        qsort_r(folder->entries, folder->entry_count, sizeof(size_t), compare_names, folder->names);
    return error;
}

/* The folder's path, a slash if one is needed, and the name; NULL if out of memory. */
static char *join(const char *folder, const char *name)
{
    size_t folder_len = strlen(folder), name_size = strlen(name) + 1;
    char *path = (char *)malloc(folder_len + 1 + name_size);
    if (path == NULL)
        return NULL;
    memcpy(path, folder, folder_len);
    if (folder_len > 0 && path[folder_len - 1] != '/')
        path[folder_len++] = '/';
    memcpy(path + folder_len, name, name_size);
    return path;
}

/* It is seen to be no folder, and no link that is passed over. */
static bool is_file(const struct find *find)
{
    if (find->type == DT_UNKNOWN)
        return find->kind != FIND_UNKNOWN && !(find->kind == FIND_PROBLEM && find->state == OUTCOME_FAILED);
    return find->type != DT_DIR && find->type != DT_LNK;
}

/* What folder_has_only_folders is told by. */
static void note_entry(struct folder *folder, struct find *find, const struct discover_options *options)
{
    if (find->kind == FIND_UNKNOWN && (find->type == DT_UNKNOWN || find->type == DT_LNK) && !folder->has_files)
        find_look(find, options);
    folder->passed = folder->passed || find->type == DT_DIR;
    folder->has_files = folder->has_files || is_file(find);
}

bool folder_next(struct folder *folder, const struct discover_options *options, struct find *ret_find)
{
    if (folder->next >= folder->entry_count)
        return false;
    const char *kept = folder->names + folder->entries[folder->next++];
    struct find find = {.once = folder->once, .path = join(folder->path, kept + 1)};
    if (find.path == NULL)
        find_set_failure(&find, -ENOMEM);
    else
        find_judge(&find, (unsigned char)kept[0], options);
    if (folder->given && !options->recursive)
        note_entry(folder, &find, options);
    *ret_find = find;
    return true;
}

void folder_destroy(struct folder *folder)
{
    if (folder == NULL)
        return;
    if (folder->rest != NULL)
        closedir(folder->rest);
    free(folder->names);
    free(folder->entries);
    free(folder->path);
    free(folder);
}
