/*
 * file_meta - what a DICOM file has in front of its data set (PS3.10 7.1): preamble, "DICM", and the meta header, from
 * bytes and to bytes.
 */
#ifndef DICOMNET_FILE_META_H
#define DICOMNET_FILE_META_H

#include <sys/types.h>

#include "error.h"
#include "span.h"
#include "uid.h"

enum { FILE_META_SIZE_MAX = 512 }; /* nothing that is written here is longer */

/* What a data set needs to be stored: its C-STORE names the first two, its presentation context the third. */
struct file_meta {
    char class_uid[UID_SIZE];
    char instance_uid[UID_SIZE];
    char syntax_uid[UID_SIZE];
};

/*
 * Read what the bytes of a file begin with. Returns the offset of the data set, or ERROR_IDENTIFIER_MALFORMED if they
 * do not begin with a whole meta header with these three UIDs.
 */
ssize_t file_meta_decode(struct span bytes, struct file_meta *ret_meta) MUST_CHECK;

/* Write preamble, "DICM" and meta header. Returns the number of bytes, ERROR_BUFFER_TOO_SMALL or -ENOMEM. */
ssize_t file_meta_encode(const struct file_meta *meta, uint8_t *bytes, size_t size) MUST_CHECK;

#endif
