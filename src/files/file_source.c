/* file_source - see files/file_source.h. */
#include "files/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "instance/instance.h"

enum { SMALL = 64 * 1024 }; /* most likely read by one read: what comes after that is check enough */

/* 0 if the open file is as the scan saw it, else DICOMNET_ERROR_SOURCE_CHANGED or what fstat gave. */
static int check_unchanged(const struct file_source *source)
{
    struct stat status;
    if (fstat(source->fd, &status) < 0)
        return -errno;
    int64_t mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    bool same =
        S_ISREG(status.st_mode) && (uint64_t)status.st_size == source->size_bytes && mtime_ns == source->mtime_ns;
    return same ? 0 : DICOMNET_ERROR_SOURCE_CHANGED;
}

/*
 * Drop the first `done` bytes from the gaps of `wanted` bytes that are to be filled, and those past the end. Returns
 * the number of gaps left in `ret_left`.
 */
static int gaps_left(const struct iovec *gaps, int gap_count, uint64_t done, uint64_t wanted, struct iovec *ret_left)
{
    int count = 0;
    uint64_t position = 0;
    for (int i = 0; i < gap_count && position < wanted; i++) {
        uint64_t begin = position < done ? done - position : 0;
        uint64_t end = gaps[i].iov_len < wanted - position ? gaps[i].iov_len : wanted - position;
        if (begin < end)
            ret_left[count++] =
                (struct iovec){.iov_base = (uint8_t *)gaps[i].iov_base + begin, .iov_len = (size_t)(end - begin)};
        position += gaps[i].iov_len;
    }
    return count;
}

/* The last byte of the last gap that has any. */
static void set_last_byte(const struct iovec *gaps, int gap_count, uint8_t value)
{
    while (gap_count > 0 && gaps[gap_count - 1].iov_len == 0)
        gap_count--;
    if (gap_count > 0)
        ((uint8_t *)gaps[gap_count - 1].iov_base)[gaps[gap_count - 1].iov_len - 1] = value;
}

static ssize_t read_file(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct file_source *source = (struct file_source *)base;
    uint64_t total = 0;
    for (int i = 0; i < gap_count; i++)
        total += gaps[i].iov_len;
    uint64_t in_file = offset < source->file_len ? source->file_len - offset : 0;
    uint64_t wanted = total < in_file ? total : in_file;

    uint64_t done = 0;
    while (done < wanted) {
        struct iovec left[DICOMNET_DATA_SOURCE_GAPS_MAX];
        int count = gaps_left(gaps, gap_count, done, wanted, left);
        ssize_t n = preadv(source->fd, left, count, (off_t)(source->offset + offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error = -errno;
            return check_unchanged(source) == DICOMNET_ERROR_SOURCE_CHANGED ? DICOMNET_ERROR_SOURCE_CHANGED : error;
        }
        if (n == 0)
            return (ssize_t)done;
        done += (uint64_t)n;
    }
    /* All the file's bytes are there; only the pad byte lies past them, and it is the very last. */
    if (done < total && offset + total == source->source.len) {
        set_last_byte(gaps, gap_count, 0);
        done = total;
    }
    if (done == total && offset + total == source->source.len) {
        int result = file_source_close(source);
        if (result < 0)
            return result;
    }
    return (ssize_t)done;
}

int file_source_open(struct file_source *source, const struct instance *instance)
{
    const struct file_facts *file = &instance->file;
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *source = (struct file_source){.source = {.len = instance_wire_len(instance), .read = read_file},
                                   .fd = fd,
                                   .offset = file->data_offset,
                                   .file_len = file->data_len,
                                   .mtime_ns = file->mtime_ns,
                                   .size_bytes = file->size_bytes};
    if (file->size_bytes <= SMALL)
        return 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the system reads further ahead */
    int result = check_unchanged(source);
    if (result < 0)
        (void)file_source_close(source);
    return result;
}

int file_source_close(struct file_source *source)
{
    if (source->fd < 0)
        return source->result;
    source->result = check_unchanged(source);
    close(source->fd);
    source->fd = -1;
    return source->result;
}
