/* file_source - see files/file_source.h. */
#include "files/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptor_source.h"
#include "dicomnet/error.h"
#include "files/held_files.h"
#include "instance/instance.h"

enum { SMALL = 64 * 1024 }; /* most likely read by one read: what comes after that is check enough */

static int close_with(struct file_source *source, int result)
{
    source->result = result;
    if (source->held != NULL)
        held_file_drop(source->held);
    else
        close(source->descriptor.fd);
    source->held = NULL;
    source->descriptor.fd = -1;
    return result;
}

/* ---- reading what is held ---- */

/* Copy the first bytes of the gaps, up to `len`, and leave the rest of them in `ret_rest`. Returns their number. */
static int copy_to_gaps(const uint8_t *bytes, size_t len, const struct iovec *gaps, int gap_count,
                        struct iovec *ret_rest)
{
    int rest = 0;
    for (int i = 0; i < gap_count; i++) {
        size_t copied = gaps[i].iov_len < len ? gaps[i].iov_len : len;
        memcpy(gaps[i].iov_base, bytes, copied);
        bytes += copied;
        len -= copied;
        if (copied < gaps[i].iov_len)
            ret_rest[rest++] =
                (struct iovec){.iov_base = (uint8_t *)gaps[i].iov_base + copied, .iov_len = gaps[i].iov_len - copied};
    }
    return rest;
}

static size_t length_of(const struct iovec *gaps, int gap_count)
{
    size_t len = 0;
    for (int i = 0; i < gap_count; i++)
        len += gaps[i].iov_len;
    return len;
}

/* Bytes of the data set from `offset` on that are in memory, of `wanted`. */
static size_t held_len(const struct file_source *source, uint64_t offset, size_t wanted)
{
    uint64_t begin = source->descriptor.offset + offset;
    uint64_t end = source->descriptor.offset + source->descriptor.data_len;
    if (source->held == NULL || source->held->len <= begin || offset >= source->descriptor.data_len)
        return 0;
    uint64_t last = source->held->len < end ? source->held->len : end;
    return last - begin < wanted ? (size_t)(last - begin) : wanted;
}

/* As dicomnet_data_source.read, but that the file is not looked at after the last byte. */
static ssize_t read_bytes(struct file_source *source, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct dicomnet_descriptor_source *file = &source->descriptor;
    size_t total = length_of(gaps, gap_count);
    size_t held = held_len(source, offset, total);
    if (held == 0)
        return descriptor_source_fill(&file->source, offset, gaps, gap_count);
    struct iovec rest[DICOMNET_DATA_SOURCE_GAPS_MAX];
    int rest_count = copy_to_gaps(source->held->bytes + file->offset + offset, held, gaps, gap_count, rest);
    if (rest_count == 0)
        return (ssize_t)total;
    if (offset + held == file->data_len && total == held + 1) { /* the byte that makes the length even */
        *(uint8_t *)rest[0].iov_base = 0;
        return (ssize_t)total;
    }
    ssize_t got = descriptor_source_fill(&file->source, offset + held, rest, rest_count);
    return got < 0 ? got : (ssize_t)held + got;
}

/* ---- the source ---- */

/* After the last byte the file is looked at once more, and can be closed. */
static ssize_t read_file(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct file_source *source = (struct file_source *)base;
    ssize_t got = read_bytes(source, offset, gaps, gap_count);
    if (got < 0 || offset + (uint64_t)got < base->len || source->stays_open)
        return got;
    int error = file_source_check(source);
    if (error == 0)
        (void)close_with(source, 0);
    return error < 0 ? error : got;
}

int file_source_open(struct file_source *source, const struct instance *instance)
{
    const struct file_facts *file = &instance->file;
    struct held_file *held = held_file_of(instance);
    int fd = held != NULL ? held->fd : open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    source->descriptor =
        (struct dicomnet_descriptor_source){.source = {.len = instance_wire_len(instance), .read = read_file},
                                            .fd = fd,
                                            .offset = file->data_offset,
                                            .data_len = file->data_len,
                                            .size_bytes = file->size_bytes,
                                            .mtime_ns = file->mtime_ns};
    source->held = held != NULL ? held_file_share(held) : NULL;
    source->facts = file;
    source->stays_open = false;
    if (file->size_bytes <= SMALL)
        return 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the system reads further ahead */
    int result = file_source_check(source);
    return result < 0 ? close_with(source, result) : 0;
}

void file_source_keep_open(struct file_source *source)
{
    source->stays_open = true;
}

int file_source_check(const struct file_source *source)
{
    return source->held != NULL ? held_file_check(source->held, source->facts)
                                : descriptor_source_check(&source->descriptor);
}

int file_source_close(struct file_source *source)
{
    if (source->descriptor.fd < 0)
        return source->result;
    return close_with(source, file_source_check(source));
}
