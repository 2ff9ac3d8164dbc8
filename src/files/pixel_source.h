/*
 * pixel_source - the compressed pixels of a file as native ones (PS3.5 A.4 to 8.1), for recode.h: a source of bytes,
 * and what else of the data set changes with them.
 *
 * The first frame is decoded when it is opened, so that what cannot be decoded at all is known before a byte goes out;
 * then each frame is decoded while the one before it is read. Memory: two frames, and what the decoder's process needs.
 *
 * What changes beside Pixel Data (all else is the file's own; Lossy Image Compression stays as it is):
 *
 *    Photometric Interpretation   YBR_RCT and YBR_ICT become RGB, YBR_FULL_422 becomes YBR_FULL: nothing is rounded
 *    Planar Configuration         0, of an image with more than one sample per pixel
 *    Bits Allocated               12 becomes 16
 *    Extended Offset Table, its lengths, Encapsulated Pixel Data Value Total Length   are left out
 */
#ifndef FILES_PIXEL_SOURCE_H
#define FILES_PIXEL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "wire/recode.h"

struct decoder;
struct pixel_source; /* on the heap */

struct pixel_source_options {
    struct decoder *decoder; /* borrowed; NULL = there is none, and nothing compressed can be opened */
    int fd;                  /* of the file, open for reading; borrowed */
    uint64_t data_offset;    /* of the data set in it, which is in explicit VR, Little Endian */
    uint64_t data_len;
    const char *syntax_uid; /* in which it lies: one that compresses pixels */
};

/*
 * Returns 0; -ENOMEM or a negative errno; or DICOMNET_ERROR_SOURCE_UNDECODABLE: then `ret_text`, of `size` bytes, says
 * why in one line. A data set without Pixel Data opens too: pixel_source_pixels is NULL then.
 */
int pixel_source_open(struct pixel_source **ret_source, const struct pixel_source_options *options, char *ret_text,
                      size_t size) DICOMNET_MUST_CHECK;

/*
 * The native Pixel Data, read in order, from 0 or from where the last read ended. A frame that cannot be decoded is an
 * error of read: DICOMNET_ERROR_SOURCE_UNDECODABLE, with pixel_source_failure.
 */
struct dicomnet_data_source *pixel_source_pixels(struct pixel_source *source);

/* "OW" or "OB" (PS3.5 A.2). */
const char *pixel_source_vr(const struct pixel_source *source);

/* What changes in the data set; in the order of the tags. */
const struct recode_patch *pixel_source_patches(const struct pixel_source *source, size_t *ret_count);

/* Why a read failed, in one line; "" = it did not. */
const char *pixel_source_failure(const struct pixel_source *source);

/* NULL is fine. */
void pixel_source_close(struct pixel_source *source);

#endif
