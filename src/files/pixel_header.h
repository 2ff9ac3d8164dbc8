/*
 * pixel_header - what a data set with encapsulated pixels says of them: the Image Pixel module (PS3.3 C.7.6.3), and
 * where in the file the Pixel Data lies.
 */
#ifndef FILES_PIXEL_HEADER_H
#define FILES_PIXEL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder_protocol.h"
#include "dicomnet/error.h"

/* A value of the data set, in the file. */
struct pixel_place {
    uint64_t offset; /* 0 = there is none */
    uint64_t len;
};

struct pixel_header {
    bool has_pixels;            /* there is a Pixel Data (7FE0,0010), encapsulated; else nothing below counts */
    struct decoder_image image; /* bits_allocated as the decoded pixels have it */
    uint32_t frame_count;       /* 1 or more */
    size_t frame_len;           /* of a native frame: at most PIXEL_FRAME_LEN_MAX */
    uint32_t pixels_len;        /* of all native frames, padded to an even length */
    bool widened;               /* Bits Allocated is 12 in the file, and 16 once decoded */
    struct pixel_place offsets; /* of the Extended Offset Table (7FE0,0001) */
    uint64_t items_begin;       /* the first item of the Pixel Data, which is its Basic Offset Table */
};

/* More is refused: two of these, and what a codec makes of one, are in memory at a time. */
#define PIXEL_FRAME_LEN_MAX ((uint64_t)1 << 30)

/*
 * Read it from the data set in explicit VR, Little Endian, that lies at `offset` of the file and is `len` bytes long.
 * Returns 0; a negative errno; or DICOMNET_ERROR_SOURCE_UNDECODABLE if such pixels cannot be made native: then
 * `ret_text`, of `size` bytes, says why in one line. That is so as well if an image inside a sequence, such as an icon,
 * is encapsulated: each would need a decoder of its own, and its sequence another length.
 */
int pixel_header_read(struct pixel_header *ret_header, int fd, uint64_t offset, uint64_t len, const char *syntax_uid,
                      char *ret_text, size_t size) DICOMNET_MUST_CHECK;

#endif
