/*
 * piece_row - a file that is read from one place to its end in pieces, some of which are asked for ahead of the one
 * that is used (piece_reader.h).
 */
#ifndef FILES_PIECE_ROW_H
#define FILES_PIECE_ROW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct held_file;
struct piece_reader;
struct piece_row;

enum { PIECE_SIZE = 1024 * 1024, PIECES_AHEAD = 4 };

/* From `begin` to `end` of the file; the first pieces are asked for at once. All is borrowed. NULL if out of memory. */
struct piece_row *piece_row_create(struct piece_reader *reader, struct held_file *held, uint64_t begin, uint64_t end);

/* NULL is fine. */
void piece_row_destroy(struct piece_row *row);

/*
 * The bytes at `offset`, which never goes back: up to `wanted` of them at *ret_bytes, valid until the next call. 0:
 * none are there, or will be; who wants them reads them himself. Or a negative errno, as piece_reader.wait.
 */
ssize_t piece_row_get(struct piece_row *row, uint64_t offset, size_t wanted, const uint8_t **ret_bytes);

#endif
