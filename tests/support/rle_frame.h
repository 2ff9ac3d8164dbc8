/*
 * rle_frame - the plainest compressed frame there is: one fragment in RLE Lossless (PS3.5 Annex G) whose pixels all
 * have the same value.
 */
#ifndef SUPPORT_RLE_FRAME_H
#define SUPPORT_RLE_FRAME_H

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RLE_FRAME_FILE_LEN = 8 + 64 + 2 /* the item's header, the RLE header, one run */ };

/* What a data set says of such a frame of `side` times `side` pixels, at most 128, of 8 bits: an initialiser. */
#define RLE_FRAME_IMAGE(side)                                                                                          \
    {                                                                                                                  \
        .rows = (side), .columns = (side), .samples = 1, .bits_allocated = 8, .bits_stored = 8, .high_bit = 7,         \
        .photometric = "MONOCHROME2", .syntax_uid = "1.2.840.10008.1.2.5"                                              \
    }

/* A file in memory with its item, and nothing else: 257 - n repeats the byte that follows n times (G.3.1). Or -1. */
static inline int rle_frame_file(uint16_t side, uint8_t value)
{
    uint8_t bytes[RLE_FRAME_FILE_LEN] = {0xfe, 0xff, 0x00, 0xe0, 64 + 2, 0, 0, 0, 1, 0, 0, 0, 64};
    bytes[8 + 64] = (uint8_t)(257 - side * side);
    bytes[8 + 64 + 1] = value;
    int fd = memfd_create("frame", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes) {
        close(fd);
        fd = -1;
    }
    return fd;
}

#endif
