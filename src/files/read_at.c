/* read_at - see read_at.h. */
#include "files/read_at.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
    uint8_t *buffer = bytes;
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, buffer + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}
