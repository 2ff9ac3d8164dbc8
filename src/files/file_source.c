/* file_source - see files/file_source.h. */
#include "files/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor_source.h"
#include "dicomnet/error.h"
#include "instance/instance.h"

enum { SMALL = 64 * 1024 }; /* most likely read by one read: what comes after that is check enough */

static int close_with(struct file_source *source, int result)
{
    source->result = result;
    close(source->descriptor.fd);
    source->descriptor.fd = -1;
    return result;
}

/* The last read has looked at the file once more: it can be closed. */
static ssize_t read_file(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct file_source *source = (struct file_source *)base;
    ssize_t got = descriptor_source_read(base, offset, gaps, gap_count);
    if (got >= 0 && offset + (uint64_t)got == base->len)
        (void)close_with(source, 0);
    return got;
}

int file_source_open(struct file_source *source, const struct instance *instance)
{
    const struct file_facts *file = &instance->file;
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    source->descriptor =
        (struct dicomnet_descriptor_source){.source = {.len = instance_wire_len(instance), .read = read_file},
                                            .fd = fd,
                                            .offset = file->data_offset,
                                            .data_len = file->data_len,
                                            .size_bytes = file->size_bytes,
                                            .mtime_ns = file->mtime_ns};
    if (file->size_bytes <= SMALL)
        return 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the system reads further ahead */
    int result = descriptor_source_check(&source->descriptor);
    return result < 0 ? close_with(source, result) : 0;
}

int file_source_close(struct file_source *source)
{
    if (source->descriptor.fd < 0)
        return source->result;
    return close_with(source, descriptor_source_check(&source->descriptor));
}
