/* dicomdir - see dicomdir.h. */
#include "files/dicomdir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dicomnet/span.h"
#include "dicomnet/uid.h"
#include "files/inspect.h"
#include "files/walk.h"
#include "wire/syntax.h"

enum { NAME_MAX_LEN = 480, RECORD_DEPTH = 1 };

struct dicomdir {
    char *names; /* file IDs, one behind the other, a NUL behind each */
    size_t len, size, next;
    bool out_of_memory;
    bool in_use; /* of the record that is being read */
    enum outcome_reason damage;
    const char *detail;
    struct window *window; /* while it is read */
    size_t folder_len;     /* of its folder's path, with the slash */
    char folder[PATH_MAX];
};

static void keep_name(struct dicomdir *dicomdir, const uint8_t *value, size_t len)
{
    if (dicomdir->len + len + 1 > dicomdir->size) {
        size_t size = dicomdir->size > 0 ? 2 * dicomdir->size : 4096;
        char *names = (char *)realloc(dicomdir->names, size);
        dicomdir->out_of_memory = names == NULL;
        if (names == NULL)
            return;
        dicomdir->names = names;
        dicomdir->size = size;
    }
    memcpy(dicomdir->names + dicomdir->len, value, len);
    dicomdir->names[dicomdir->len + len] = '\0';
    dicomdir->len += len + 1;
}

/* An element of a directory record: (0004,1400) is its first, (0004,1410) says if it is in use, (0004,1500) names. */
static void visit(void *context, const struct walk_element *element, uint64_t offset)
{
    struct dicomdir *dicomdir = (struct dicomdir *)context;
    if (element->group != 0x0004 || element->depth != RECORD_DEPTH || element->undefined)
        return;
    size_t len = element->header_len + (size_t)element->value_len;
    const uint8_t *p = element->value_len <= NAME_MAX_LEN ? window_peek(dicomdir->window, offset, len) : NULL;
    if (element->element == 0x1400)
        dicomdir->in_use = true;
    if (p == NULL || element->value_len == 0 || dicomdir->out_of_memory)
        return;
    p += element->header_len;
    if (element->element == 0x1410 && element->value_len == 2)
        dicomdir->in_use = p[0] != 0 || p[1] != 0;
    if (element->element == 0x1500 && dicomdir->in_use)
        keep_name(dicomdir, p, element->value_len);
}

/* The text of an element of the meta information, which is in Explicit VR Little Endian. */
static void read_text(const struct inspect_element *element, char ret_text[DICOMNET_UID_SIZE])
{
    ret_text[0] = '\0';
    if (element->found && !element->too_long && element->len > 8 && element->len - 8 < DICOMNET_UID_SIZE)
        dicomnet_span_copy_trimmed((struct dicomnet_span){.data = element->raw + 8, .len = element->len - 8}, ret_text,
                                   DICOMNET_UID_SIZE);
}

/* Collect the names. Returns 0, or 1 if it is no DICOMDIR. */
static int read_names(struct dicomdir *dicomdir, struct window *window)
{
    struct inspection inspection = {.state = OUTCOME_PENDING};
    struct walk walk = {.window = window, .visit = visit, .context = dicomdir, .deep = true};
    char class_uid[DICOMNET_UID_SIZE], syntax_uid[DICOMNET_UID_SIZE];
    const uint8_t *p = window_peek(window, 0, 132);
    if (p == NULL || memcmp(p + 128, "DICM", 4) != 0 || !inspect_meta(window, 132, &inspection, &walk.offset))
        return 1;
    read_text(&inspection.wanted[INSPECT_META_CLASS], class_uid);
    if (strcmp(class_uid, DICOMNET_UID_MEDIA_STORAGE_DIRECTORY) != 0)
        return 1;
    read_text(&inspection.wanted[INSPECT_SYNTAX], syntax_uid);
    struct syntax syntax = syntax_find(syntax_uid);
    dicomdir->damage = REASON_SYNTAX_MISMATCH;
    dicomdir->detail = "a DICOMDIR in a transfer syntax in which it must not be";
    if (!syntax.walked || syntax.deflated)
        return 0;
    enum walk_result result = walk_run(&walk, syntax.form);
    dicomdir->damage = result == WALK_COMPLETE     ? REASON_NONE
                       : result == WALK_TRUNCATED  ? REASON_TRUNCATED
                       : result == WALK_TRAILING   ? REASON_TRAILING_DATA
                       : result == WALK_DELIMITER  ? REASON_BAD_DELIMITER
                       : result == WALK_NESTING    ? REASON_NESTING
                       : result == WALK_UNREADABLE ? REASON_UNREADABLE
                                                   : REASON_SYNTAX_MISMATCH;
    dicomdir->detail = "a DICOMDIR; what it names before that is taken";
    return 0;
}

int dicomdir_open(struct dicomdir **ret_dicomdir, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return 1;
    struct dicomdir *dicomdir = NULL;
    int result = 1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && strlen(path) < PATH_MAX) {
        struct window window = {.fd = -1};
        dicomdir = (struct dicomdir *)calloc(1, sizeof *dicomdir);
        window_begin(&window, fd, (uint64_t)status.st_size);
        if (dicomdir != NULL) {
            dicomdir->window = &window;
            result = read_names(dicomdir, &window);
            dicomdir->window = NULL;
        }
        if (dicomdir == NULL || dicomdir->out_of_memory)
            result = -ENOMEM;
    }
    close(fd);
    if (result != 0) {
        dicomdir_close(dicomdir);
        return result;
    }
    const char *slash = strrchr(path, '/');
    dicomdir->folder_len = slash != NULL ? (size_t)(slash + 1 - path) : 0;
    memcpy(dicomdir->folder, path, dicomdir->folder_len);
    *ret_dicomdir = dicomdir;
    return 0;
}

enum outcome_reason dicomdir_damage(const struct dicomdir *dicomdir, const char **ret_detail)
{
    *ret_detail = dicomdir->damage != REASON_NONE ? dicomdir->detail : NULL;
    return dicomdir->damage;
}

void dicomdir_close(struct dicomdir *dicomdir)
{
    if (dicomdir == NULL)
        return;
    free(dicomdir->names);
    free(dicomdir);
}

/* ---- finding a file ---- */

/* True if the name in a folder is the component: whatever its case, with a dot or a version (";1") behind it. */
static bool is_same_name(const char *name, const char *component)
{
    size_t len = strlen(component);
    if (strncasecmp(name, component, len) != 0)
        return false;
    const char *rest = name + len;
    rest += *rest == '.';
    if (*rest == ';' && isdigit((unsigned char)rest[1]))
        for (rest++; isdigit((unsigned char)*rest);)
            rest++;
    return *rest == '\0';
}

/* Look for the component in the folder of which `path` holds the first `len` bytes; put its name behind them. */
static bool find_in_folder(char *path, size_t len, const char *component)
{
    char first = path[len];
    path[len] = '\0';
    DIR *folder = opendir(len > 0 ? path : ".");
    path[len] = first;
    const struct dirent *entry;
    bool found = false;
    while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
        found = is_same_name(entry->d_name, component) && len + strlen(entry->d_name) < PATH_MAX;
        if (found)
            strcpy(path + len, entry->d_name);
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}

/* Put the component behind the first `len` bytes of the path, as it is called on the disk. False if it is not there. */
static bool find_component(char *path, size_t len, const char *component, struct stat *ret_status)
{
    strcpy(path + len, component);
    if (lstat(path, ret_status) == 0)
        return true;
    for (char *letter = path + len; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    if (lstat(path, ret_status) == 0)
        return true;
    strcpy(path + len, component);
    return find_in_folder(path, len, component) && lstat(path, ret_status) == 0;
}

/* The next component of a file ID, without padding; NULL at its end. Cuts it off. */
static char *next_component(char **cursor)
{
    for (;;) {
        char *component = *cursor;
        component += strspn(component, "\\/ ");
        if (*component == '\0')
            return NULL;
        size_t len = strcspn(component, "\\/");
        *cursor = component + len + (component[len] != '\0');
        component[len] = '\0';
        while (len > 0 && component[len - 1] == ' ')
            component[--len] = '\0';
        if (strcmp(component, ".") != 0)
            return component;
    }
}

const char *dicomdir_next(struct dicomdir *dicomdir)
{
    if (dicomdir->next >= dicomdir->len)
        return NULL;
    const char *name = dicomdir->names + dicomdir->next;
    dicomdir->next += strlen(name) + 1;
    return name;
}

bool dicomdir_locate(const struct dicomdir *dicomdir, const char *file_id, bool follow_symlinks,
                     char ret_path[PATH_MAX], const char **ret_detail)
{
    char rest[NAME_MAX_LEN + 1], *cursor = rest, *component;
    size_t len = dicomdir->folder_len;
    struct stat status = {.st_mode = 0};
    bool outside = false, is_link = false, found = true, any = false;
    snprintf(rest, sizeof rest, "%s", file_id);
    memcpy(ret_path, dicomdir->folder, len);
    ret_path[len] = '\0';
    while ((component = next_component(&cursor)) != NULL) {
        size_t component_len = strlen(component);
        if (len + component_len + 2 >= PATH_MAX) {
            found = false;
            break;
        }
        outside = outside || strcmp(component, "..") == 0;
        if (any)
            ret_path[len++] = '/';
        any = true;
        bool look = found && !outside && !is_link;
        strcpy(ret_path + len, component);
        found = look ? find_component(ret_path, len, component, &status) : found;
        is_link = is_link || (look && found && S_ISLNK(status.st_mode) && !follow_symlinks);
        len += strlen(ret_path + len);
    }
    *ret_detail = outside   ? "the DICOMDIR names a file outside of its own folder"
                  : is_link ? "the DICOMDIR names it behind a symbolic link; --follow-symlinks goes there"
                            : "the DICOMDIR names it";
    return found && any && !outside && !is_link && !S_ISDIR(status.st_mode);
}
