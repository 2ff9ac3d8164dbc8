/*
 * file_source - the data set of a file on disk, as a data_source: pread straight into the send buffer.
 *
 * pread and not mmap: a file that shrinks gives a short read instead of SIGBUS. The file is closed as soon as its last
 * byte has been read and it was seen to be what the scan saw: what was changed meanwhile is an error of that last read,
 * so its last byte is never sent.
 */
#ifndef FILES_FILE_SOURCE_H
#define FILES_FILE_SOURCE_H

#include <stdbool.h>

#include "dicomnet/data_source.h"

struct instance;

struct file_source {
    struct dicomnet_descriptor_source descriptor; /* with size and mtime as the scan saw them; fd = -1: closed */
    int result;                                   /* once it is closed */
};

/*
 * Open the instance's file. Returns 0, -ENOENT if it has vanished, DICOMNET_ERROR_SOURCE_CHANGED if its size or mtime
 * differ from what the scan saw (a small file's are looked at only when it has been read), or a negative errno.
 */
int file_source_open(struct file_source *source, const struct instance *instance);

/*
 * Close it. Returns 0, or DICOMNET_ERROR_SOURCE_CHANGED if size or mtime changed since the scan (what was sent is then
 * not to be trusted). `instance` is the one it was opened with.
 */
int file_source_close(struct file_source *source);

#endif
