/* piece_row - see files/piece_row.h. */
#include "files/piece_row.h"

#include <stdlib.h>
#include <string.h>

#include "files/piece_reader.h"

struct piece_row {
    struct piece_reader *reader;
    struct held_file *held;
    uint64_t asked_to, end; /* in the file: the first byte that nobody has asked for, and the end */
    unsigned count;
    struct {
        struct piece *piece; /* owned */
        uint64_t begin, end;
    } list[PIECES_AHEAD]; /* one behind the other */
    const uint8_t *bytes; /* of the first one, once it was waited for; NULL = not yet */
    size_t len;
};

/* Ask for as many as there may be. */
static void fill(struct piece_row *row)
{
    while (row->count < PIECES_AHEAD && row->asked_to < row->end) {
        uint64_t left = row->end - row->asked_to;
        size_t len = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
        struct piece *piece = row->reader->ask(row->reader, row->held, row->asked_to, len);
        if (piece == NULL)
            return;
        row->list[row->count].piece = piece;
        row->list[row->count].begin = row->asked_to;
        row->list[row->count++].end = row->asked_to + len;
        row->asked_to += len;
    }
}

static void drop_first(struct piece_row *row)
{
    row->reader->forget(row->reader, row->list[0].piece);
    row->count--;
    memmove(&row->list[0], &row->list[1], row->count * sizeof row->list[0]);
    row->bytes = NULL;
}

struct piece_row *piece_row_create(struct piece_reader *reader, struct held_file *held, uint64_t begin, uint64_t end)
{
    struct piece_row *row = (struct piece_row *)calloc(1, sizeof *row);
    if (row == NULL)
        return NULL;
    row->reader = reader;
    row->held = held;
    row->asked_to = begin;
    row->end = end;
    fill(row);
    return row;
}

void piece_row_destroy(struct piece_row *row)
{
    while (row != NULL && row->count > 0)
        drop_first(row);
    free(row);
}

ssize_t piece_row_get(struct piece_row *row, uint64_t offset, size_t wanted, const uint8_t **ret_bytes)
{
    while (row->count > 0 && row->list[0].end <= offset)
        drop_first(row);
    if (row->count == 0 && row->asked_to < offset) /* there was no room, and it was read without */
        row->asked_to = offset;
    fill(row);
    if (row->count == 0 || offset < row->list[0].begin)
        return 0;
    if (row->bytes == NULL) {
        ssize_t got = row->reader->wait(row->reader, row->list[0].piece, &row->bytes);
        if (got < 0)
            return got;
        row->len = (size_t)got;
    }
    size_t at = (size_t)(offset - row->list[0].begin);
    if (at >= row->len)
        return 0;
    *ret_bytes = row->bytes + at;
    return (ssize_t)(row->len - at < wanted ? row->len - at : wanted);
}
