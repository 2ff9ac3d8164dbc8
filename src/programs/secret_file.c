/* secret_file - see secret_file.h. */
#include "programs/secret_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int say(char ret_why[SECRET_WHY_SIZE], int error, const char *what)
{
    snprintf(ret_why, SECRET_WHY_SIZE, "%s", what);
    return error;
}

/* Read to the end of the file, of the first line if that is enough, or of the room. Bytes read, or a negative error. */
static ssize_t read_some(const char *path, void *room, size_t size, bool line)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t len = 0;
    ssize_t got = 1;
    while (got != 0 && len < size && !(line && memchr(room, '\n', len) != NULL)) {
        got = read(fd, (char *)room + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        len += (size_t)got;
    }
    int error = got < 0 ? -errno : 0;
    close(fd);
    return error != 0 ? error : (ssize_t)len;
}

int secret_file_read_password(const char *path, char ret_password[SECRET_PASSWORD_SIZE], char ret_why[SECRET_WHY_SIZE])
{
    assert(ret_password != NULL);
    ssize_t len = read_some(path, ret_password, SECRET_PASSWORD_SIZE, true);
    if (len < 0)
        return say(ret_why, (int)len, dicomnet_error_text((int)len));
    char *end = memchr(ret_password, '\n', (size_t)len);
    const char *problem = NULL;
    if (end == NULL && len == SECRET_PASSWORD_SIZE)
        problem = "its first line is longer than 1023 bytes";
    size_t line = end != NULL ? (size_t)(end - ret_password) : (size_t)len;
    if (end != NULL && line > 0 && ret_password[line - 1] == '\r')
        line--;
    if (problem == NULL && line == 0)
        problem = "its first line is empty";
    if (problem == NULL && memchr(ret_password, '\0', line) != NULL)
        problem = "there is a NUL in its first line";
    size_t kept = problem == NULL ? line : 0;
    explicit_bzero(ret_password + kept, SECRET_PASSWORD_SIZE - kept);
    return problem == NULL ? 0 : say(ret_why, -EINVAL, problem);
}

int secret_file_read_token(const char *path, uint8_t *ret_bytes, size_t size, size_t *ret_len,
                           char ret_why[SECRET_WHY_SIZE])
{
    ssize_t len = read_some(path, ret_bytes, size, false);
    if (len < 0)
        return say(ret_why, (int)len, dicomnet_error_text((int)len));
    if (len == 0)
        return say(ret_why, -EINVAL, "it is empty");
    if ((size_t)len == size) {
        explicit_bzero(ret_bytes, size);
        snprintf(ret_why, SECRET_WHY_SIZE, "it is longer than %zu bytes", size - 1);
        return -EFBIG;
    }
    *ret_len = (size_t)len;
    return 0;
}
