/*
 * piece_reader - somebody who reads pieces of a file while the one before is sent. Threads are behind it, of which this
 * folder has none: it is a seam, filled in by whoever has some (engine/lookahead.h).
 *
 * A piece is asked for, waited for, and forgotten, in this order or without waiting. All on one thread.
 */
#ifndef FILES_PIECE_READER_H
#define FILES_PIECE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct held_file;
struct piece;

struct piece_reader {
    /* So many bytes of the file from `offset` on. NULL: there is no room, or no memory. It has a reference of its own.
     */
    struct piece *(*ask)(struct piece_reader *reader, struct held_file *held, uint64_t offset, size_t len);
    /* Until they are there. The number of bytes, fewer only at the end of the file, and *ret_bytes, valid until it is
     * forgotten; or a negative errno, -ETIMEDOUT if storage did not answer in time. */
    ssize_t (*wait)(struct piece_reader *reader, struct piece *piece, const uint8_t **ret_bytes);
    void (*forget)(struct piece_reader *reader, struct piece *piece);
};

#endif
