/*
 * file_source - the data set of a file on disk, as a data_source: from what is held of it (held_files.h), and pread
 * straight into the send buffer.
 *
 * pread and not mmap: a file that shrinks gives a short read instead of SIGBUS. The file is closed as soon as its last
 * byte has been read and it was seen to be what the scan saw: what was changed meanwhile is an error of that last read,
 * so its last byte is never sent.
 */
#ifndef FILES_FILE_SOURCE_H
#define FILES_FILE_SOURCE_H

#include <stdbool.h>

#include "dicomnet/data_source.h"

struct file_facts;
struct held_file;
struct instance;
struct piece_reader;
struct piece_row;

struct file_source {
    struct dicomnet_descriptor_source descriptor; /* with size and mtime as the scan saw them; fd = -1: closed */
    struct held_file *held;                       /* a reference of its own; NULL = the file was opened for this */
    const struct file_facts *facts;               /* borrowed from the instance */
    bool stays_open;                              /* until file_source_close */
    struct piece_row *row;                        /* owned: what is read ahead of it; NULL = nothing is */
    bool hangs;                                   /* its storage did not answer in time */
    int result;                                   /* once it is closed */
};

/*
 * Open the instance's file, or take what is held of it. Returns 0, -ENOENT if it has vanished,
 * DICOMNET_ERROR_SOURCE_CHANGED if its size or mtime differ from what the scan saw (a small file's are looked at only
 * when it has been read), or a negative errno. The instance is borrowed until it is closed.
 */
int file_source_open(struct file_source *source, const struct instance *instance);

/* Have what is not held of it read ahead, if something is held; once, after it was opened. Borrowed until it is closed.
 * Then reading may answer -ETIMEDOUT as well: see piece_reader.h. */
void file_source_read_ahead(struct file_source *source, struct piece_reader *reader);

/* It is read more than once, in any order: it is not closed, nor looked at, when its last byte has been read. */
void file_source_keep_open(struct file_source *source);

/* 0 if it is what the scan saw, else as file_source_close. It is open. */
int file_source_check(const struct file_source *source);

/*
 * Close it. Returns 0, or DICOMNET_ERROR_SOURCE_CHANGED if size or mtime changed since the scan, or -ENOENT if what was
 * held of it has vanished (what was sent is then not to be trusted).
 */
int file_source_close(struct file_source *source);

#endif
