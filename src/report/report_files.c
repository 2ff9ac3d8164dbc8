/* report_files - see report_files.h. */
#include "report/report_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { DRAFT_NAMES_MAX = 100, FILE_MODE = 0640 };

static unsigned make_salt(void)
{
    uint16_t salt;
    if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) != (ssize_t)sizeof salt)
        salt = (uint16_t)((uint64_t)getpid() * 40503 + clock_wall_us());
    return salt;
}

void report_session_id(char ret_id[REPORT_SESSION_ID_SIZE])
{
    uint64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char text[24];
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);

    snprintf(ret_id, REPORT_SESSION_ID_SIZE, "%.16s_%04x", text, make_salt());
}

char *report_path(const char *dir, const char *name, const char *session_id, const char *suffix)
{
    size_t len = strlen(dir);
    const char *slash = len > 0 && dir[len - 1] != '/' ? "/" : "";
    char *path;
    return asprintf(&path, "%s%s%s_%s%s", dir, slash, name, session_id, suffix) < 0 ? NULL : path;
}

int report_make_folder(const char *dir)
{
    char *path = strdup(dir);
    if (path == NULL)
        return -ENOMEM;
    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (*path != '\0')
            mkdir(path, 0750); /* what matters is whether the last one is there */
        *slash = '/';
    }
    int error = mkdir(path, 0750) == 0 ? 0 : -errno;
    struct stat status;
    if (error == -EEXIST)
        error = stat(path, &status) != 0 ? -errno : S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
    free(path);
    return error;
}

/* ---- drafts ---- */

static void forget_draft(struct report_draft *draft)
{
    if (draft->folder >= 0)
        close(draft->folder);
    free(draft->name);
    free(draft->temporary);
}

/* The descriptor of the folder that `path` is in, or a negative errno; and the name in it. */
static int open_folder_of(const char *path, char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    *ret_name = strdup(slash != NULL ? slash + 1 : path);
    int fd = folder != NULL && *ret_name != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int result = fd >= 0 ? fd : folder == NULL || *ret_name == NULL ? -ENOMEM : -errno;
    free(folder);
    return result;
}

/* The descriptor of a new file under draft->temporary, or a negative errno. */
static int make_temporary(struct report_draft *draft)
{
    for (int i = 0; i < DRAFT_NAMES_MAX; i++) {
        free(draft->temporary);
        if (asprintf(&draft->temporary, "%s.%04x.tmp", draft->name, make_salt()) < 0) {
            draft->temporary = NULL;
            return -ENOMEM;
        }
        int fd =
            openat(draft->folder, draft->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd >= 0 || errno != EEXIST)
            return fd >= 0 ? fd : -errno;
    }
    return -EEXIST;
}

int report_draft_open(struct report_draft *draft, const char *path)
{
    *draft = (struct report_draft){0};
    draft->folder = open_folder_of(path, &draft->name);
    int fd = draft->folder >= 0 ? make_temporary(draft) : draft->folder;
    draft->out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (draft->out != NULL)
        return 0;
    int error = fd < 0 ? fd : -errno;
    if (fd >= 0) {
        close(fd);
        unlinkat(draft->folder, draft->temporary, 0);
    }
    forget_draft(draft);
    return error;
}

int report_draft_finish(struct report_draft *draft, int error)
{
    if (error == 0 && fflush(draft->out) != 0)
        error = -errno;
    if (error == 0 && fsync(fileno(draft->out)) != 0 && errno != EINVAL)
        error = -errno;
    if (fclose(draft->out) != 0 && error == 0)
        error = -errno;
    if (error == 0 && renameat(draft->folder, draft->temporary, draft->folder, draft->name) != 0)
        error = -errno;
    if (error != 0)
        unlinkat(draft->folder, draft->temporary, 0);
    forget_draft(draft);
    return error;
}
