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

#ifdef __cplusplus
extern "C" {
#endif

enum { DICOMNET_FILE_META_SIZE_MAX = 512 }; /* nothing that is written here is longer */

/* What a data set needs to be stored: its C-STORE names the first two, its presentation context the third. */
struct dicomnet_file_meta {
    char class_uid[DICOMNET_UID_SIZE];
    char instance_uid[DICOMNET_UID_SIZE];
    char syntax_uid[DICOMNET_UID_SIZE];
};

/*
 * Read what the bytes of a file begin with. Returns the offset of the data set, or DICOMNET_ERROR_IDENTIFIER_MALFORMED
 * if they do not begin with a whole meta header with these three UIDs.
 */
ssize_t dicomnet_file_meta_decode(struct dicomnet_span bytes, struct dicomnet_file_meta *ret_meta) DICOMNET_MUST_CHECK;

/* Write preamble, "DICM" and meta header. Returns the number of bytes, or DICOMNET_ERROR_BUFFER_TOO_SMALL. */
ssize_t dicomnet_file_meta_encode(const struct dicomnet_file_meta *meta, uint8_t *bytes,
                                  size_t size) DICOMNET_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
