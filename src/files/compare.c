/* compare - see compare.h. */
#include "files/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/read_at.h"
#include "instance/instance.h"

enum { CHUNK = 32 * 1024 };

/* Read exactly `len` bytes. 0 or a negative errno; DICOMNET_ERROR_SOURCE_CHANGED if the file is shorter than the scan
 * saw. */
static int read_exactly(int fd, uint8_t *bytes, size_t len, uint64_t offset)
{
    ssize_t got = read_at(fd, bytes, len, offset);
    return got < 0 ? (int)got : (size_t)got < len ? DICOMNET_ERROR_SOURCE_CHANGED : 0;
}

static int compare_open(int first_fd, int second_fd, const struct file_facts *first, const struct file_facts *second)
{
    uint8_t first_bytes[CHUNK], second_bytes[CHUNK];
    for (uint64_t done = 0; done < first->data_len;) {
        size_t len = first->data_len - done < CHUNK ? (size_t)(first->data_len - done) : CHUNK;
        int error = read_exactly(first_fd, first_bytes, len, first->data_offset + done);
        if (error == 0)
            error = read_exactly(second_fd, second_bytes, len, second->data_offset + done);
        if (error != 0)
            return error;
        if (memcmp(first_bytes, second_bytes, len) != 0)
            return 0;
        done += len;
    }
    return 1;
}

int compare_data_sets(const struct file_facts *first, const struct file_facts *second)
{
    if (first->data_len != second->data_len || strcmp(first->class_uid, second->class_uid) != 0 ||
        strcmp(first->syntax_uid, second->syntax_uid) != 0)
        return 0;
    int first_fd = open(first->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (first_fd < 0)
        return -errno;
    int second_fd = open(second->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result = second_fd < 0 ? -errno : compare_open(first_fd, second_fd, first, second);
    close(first_fd);
    if (second_fd >= 0)
        close(second_fd);
    return result;
}
