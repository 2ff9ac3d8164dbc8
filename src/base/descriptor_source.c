/* descriptor_source - the source over a file descriptor. See dicomnet/data_source.h. */
#include "base/descriptor_source.h"

#include <errno.h>
#include <sys/stat.h>

#include "dicomnet/error.h"

static int64_t mtime_ns_of(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

int descriptor_source_check(const struct dicomnet_descriptor_source *source)
{
    struct stat status;
    if (fstat(source->fd, &status) < 0)
        return -errno;
    bool same = S_ISREG(status.st_mode) && (uint64_t)status.st_size == source->size_bytes &&
                mtime_ns_of(&status) == source->mtime_ns;
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

static ssize_t read_failed(const struct dicomnet_descriptor_source *source, int error)
{
    return descriptor_source_check(source) == DICOMNET_ERROR_SOURCE_CHANGED ? DICOMNET_ERROR_SOURCE_CHANGED : error;
}

ssize_t descriptor_source_fill(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                               int gap_count)
{
    const struct dicomnet_descriptor_source *source = (const struct dicomnet_descriptor_source *)base;
    uint64_t total = 0;
    for (int i = 0; i < gap_count; i++)
        total += gaps[i].iov_len;
    uint64_t in_file = offset < source->data_len ? source->data_len - offset : 0;
    uint64_t wanted = total < in_file ? total : in_file;
    bool last = offset + total == base->len;

    uint64_t done = 0;
    while (done < wanted) {
        struct iovec left[DICOMNET_DATA_SOURCE_GAPS_MAX];
        int count = gaps_left(gaps, gap_count, done, wanted, left);
        ssize_t n = preadv(source->fd, left, count, (off_t)(source->offset + offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return read_failed(source, -errno);
        if (n == 0)
            return (ssize_t)done;
        done += (uint64_t)n;
    }
    /* All the file's bytes are there; only the pad byte lies past them, and it is the very last. */
    if (done < total && last) {
        set_last_byte(gaps, gap_count, 0);
        done = total;
    }
    return (ssize_t)done;
}

ssize_t descriptor_source_read(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                               int gap_count)
{
    ssize_t got = descriptor_source_fill(base, offset, gaps, gap_count);
    bool complete = got >= 0 && offset + (uint64_t)got == base->len;
    int error = complete ? descriptor_source_check((const struct dicomnet_descriptor_source *)base) : 0;
    return error < 0 ? error : got;
}

int dicomnet_descriptor_source_init(struct dicomnet_descriptor_source *source, int fd, uint64_t offset)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size < offset)
        return -EINVAL;
    uint64_t data_len = (uint64_t)status.st_size - offset;
    *source =
        (struct dicomnet_descriptor_source){.source = {.len = data_len + data_len % 2, .read = descriptor_source_read},
                                            .fd = fd,
                                            .offset = offset,
                                            .data_len = data_len,
                                            .size_bytes = (uint64_t)status.st_size,
                                            .mtime_ns = mtime_ns_of(&status)};
    return 0;
}
