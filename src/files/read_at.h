/*
 * read_at - bytes from a place in a file, all of them.
 */
#ifndef FILES_READ_AT_H
#define FILES_READ_AT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * pread until `len` bytes are there, however many calls and signals lie between; short only at the end of the file.
 * Returns the bytes, or a negative errno.
 */
ssize_t read_at(int fd, void *bytes, size_t len, uint64_t offset);

#endif
