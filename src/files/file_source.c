/* file_source - see files/file_source.h. */
#include "files/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptor_source.h"
#include "dicomnet/error.h"
#include "files/held_files.h"
#include "files/piece_row.h"
#include "instance/instance.h"

enum { SMALL = 64 * 1024 }; /* most likely read by one read: what comes after that is check enough */

static int close_with(struct file_source *source, int result)
{
    source->result = result;
    piece_row_destroy(source->row);
    source->row = NULL;
    if (source->held != NULL)
        held_file_drop(source->held);
    else
        close(source->descriptor.fd);
    source->held = NULL;
    source->descriptor.fd = -1;
    return result;
}

/* ---- reading what is held ---- */

/* Copy `len` bytes to the beginning of the gaps, and cut them off there. Returns the number of gaps that are left. */
static int copy_to_gaps(const uint8_t *bytes, size_t len, struct iovec *gaps, int gap_count)
{
    int left = 0;
    for (int i = 0; i < gap_count; i++) {
        size_t copied = gaps[i].iov_len < len ? gaps[i].iov_len : len;
        memcpy(gaps[i].iov_base, bytes, copied);
        bytes += copied;
        len -= copied;
        if (copied < gaps[i].iov_len)
            gaps[left++] =
                (struct iovec){.iov_base = (uint8_t *)gaps[i].iov_base + copied, .iov_len = gaps[i].iov_len - copied};
    }
    return left;
}

static size_t length_of(const struct iovec *gaps, int gap_count)
{
    size_t len = 0;
    for (int i = 0; i < gap_count; i++)
        len += gaps[i].iov_len;
    return len;
}

/* Bytes of the file at `offset` that are in memory, or will be: up to `wanted`, 0 = none. Or a negative errno. */
static ssize_t find_held(struct file_source *source, uint64_t offset, uint64_t wanted, const uint8_t **ret_bytes)
{
    const struct held_file *held = source->held;
    if (held == NULL)
        return 0;
    if (offset < held->len) {
        *ret_bytes = held->bytes + offset;
        return (ssize_t)(held->len - offset < wanted ? held->len - offset : wanted);
    }
    if (source->row == NULL)
        return 0;
    ssize_t got = piece_row_get(source->row, offset, (size_t)wanted, ret_bytes);
    source->hangs = source->hangs || got == -ETIMEDOUT;
    return got < 0 && file_source_check(source) == DICOMNET_ERROR_SOURCE_CHANGED ? DICOMNET_ERROR_SOURCE_CHANGED : got;
}

/* As dicomnet_data_source.read, but that the file is not looked at after the last byte. */
static ssize_t read_bytes(struct file_source *source, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct dicomnet_descriptor_source *file = &source->descriptor;
    const size_t total = length_of(gaps, gap_count);
    const uint8_t *bytes = NULL;
    struct iovec left[DICOMNET_DATA_SOURCE_GAPS_MAX];
    size_t done = 0;
    if (source->held == NULL)
        return descriptor_source_fill(&file->source, offset, gaps, gap_count);
    memcpy(left, gaps, (size_t)gap_count * sizeof gaps[0]);
    while (done < total && offset + done < file->data_len) {
        uint64_t in_file = file->data_len - offset - done;
        uint64_t wanted = total - done < in_file ? total - done : in_file;
        ssize_t got = find_held(source, file->offset + offset + done, wanted, &bytes);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        gap_count = copy_to_gaps(bytes, (size_t)got, left, gap_count);
        done += (size_t)got;
    }
    if (done == total)
        return (ssize_t)total;
    ssize_t got = descriptor_source_fill(&file->source, offset + done, left, gap_count);
    return got < 0 ? got : (ssize_t)done + got;
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
    source->row = NULL;
    source->hangs = false;
    if (file->size_bytes <= SMALL)
        return 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the system reads further ahead */
    int result = file_source_check(source);
    return result < 0 ? close_with(source, result) : 0;
}

void file_source_read_ahead(struct file_source *source, struct piece_reader *reader)
{
    struct held_file *held = source->held;
    const uint64_t begin = source->descriptor.offset, end = begin + source->descriptor.data_len;
    if (held != NULL && held->len < end)
        source->row = piece_row_create(reader, held, held->len > begin ? held->len : begin, end);
}

void file_source_keep_open(struct file_source *source)
{
    source->stays_open = true;
    piece_row_destroy(source->row);
    source->row = NULL;
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
