/* report_files - see report_files.h. */
#include "report/report_files.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void report_session_id(char ret_id[REPORT_SESSION_ID_SIZE])
{
    uint64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char text[24];
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);

    uint16_t salt;
    if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) != (ssize_t)sizeof salt)
        salt = (uint16_t)((uint64_t)getpid() * 40503 + now_us);
    snprintf(ret_id, REPORT_SESSION_ID_SIZE, "%.16s_%04x", text, (unsigned)salt);
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
            mkdir(path, 0777); /* what matters is whether the last one is there */
        *slash = '/';
    }
    int error = mkdir(path, 0777) == 0 ? 0 : -errno;
    struct stat status;
    if (error == -EEXIST)
        error = stat(path, &status) != 0 ? -errno : S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
    free(path);
    return error;
}
