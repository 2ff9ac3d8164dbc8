/*
 * pixel_frames - which fragments of an encapsulated Pixel Data (PS3.5 A.4) are which frame.
 *
 *    one frame                              all fragments
 *    as many fragments as frames            one each
 *    an Extended Offset Table that fits     what lies between its offsets (PS3.3 C.7.6.3.1.8)
 *    a Basic Offset Table that fits         what lies between its offsets
 *    as many fragments that begin with a    from one of these to the next: SOI of JPEG and JPEG-LS, SOC of JPEG 2000
 *    start of an image as frames
 *    else                                   cannot be matched
 *
 * A table fits if it has an entry for each frame, the first is 0, and each points to the beginning of a fragment.
 * Memory does not depend on how many frames or fragments there are: the items are gone through once to find the way
 * that is right, and again as frames are asked for, in order.
 */
#ifndef FILES_PIXEL_FRAMES_H
#define FILES_PIXEL_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "files/pixel_header.h"

enum pixel_frames_way {
    PIXEL_FRAMES_ALL,      /* one frame: every fragment is its */
    PIXEL_FRAMES_ONE_EACH, /* a fragment a frame */
    PIXEL_FRAMES_EXTENDED, /* by the Extended Offset Table */
    PIXEL_FRAMES_BASIC,    /* by the Basic Offset Table */
    PIXEL_FRAMES_STARTS    /* by how a fragment begins */
};

struct pixel_frames {
    int fd; /* borrowed */
    uint32_t count;
    enum pixel_frames_way way;
    struct pixel_place table; /* by which frames are found: entries of 8 or 4 bytes */
    uint64_t begin;           /* of the first fragment's item */
    uint64_t end;             /* behind the last fragment: the sequence delimiter */
    uint32_t next;            /* frame that is found next, */
    uint64_t next_begin;      /* and where its first item is */
};

/*
 * Look through the items. Returns 0; a negative errno; or DICOMNET_ERROR_SOURCE_UNDECODABLE if fragments and frames
 * cannot be matched: `ret_text`, of `size` bytes, says so with their numbers.
 */
int pixel_frames_open(struct pixel_frames *ret_frames, int fd, uint64_t data_end, const struct pixel_header *header,
                      char *ret_text, size_t size) DICOMNET_MUST_CHECK;

/* Where the items of the next frame lie; there must be one. Returns 0 or a negative error. */
int pixel_frames_next(struct pixel_frames *frames, uint64_t *ret_begin, uint64_t *ret_end) DICOMNET_MUST_CHECK;

/* The next frame is the first again. */
void pixel_frames_rewind(struct pixel_frames *frames);

#endif
