/* A large file in pieces that are read ahead: order, ends, no room, short files, errors. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files/piece_reader.h"
#include "files/piece_row.h"

/* A file whose byte at n is n / 4096 + n; pieces are there at once. */
struct piece {
    uint64_t offset;
    size_t len;
    uint8_t *bytes;
};

struct file {
    struct piece_reader reader;
    uint64_t size; /* what is there to be read */
    unsigned room; /* pieces at a time */
    unsigned alive, most, asked, waited;
    int error; /* of waiting for the piece that begins at error_at */
    uint64_t error_at;
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset / 4096 + offset);
}

static struct piece *ask(struct piece_reader *reader, struct held_file *held, uint64_t offset, size_t len)
{
    struct file *file = (struct file *)reader;
    (void)held;
    if (file->alive == file->room)
        return NULL;
    struct piece *piece = malloc(sizeof *piece);
    cr_assert_not_null(piece);
    *piece = (struct piece){.offset = offset, .len = len, .bytes = malloc(len)};
    for (size_t i = 0; i < len; i++)
        piece->bytes[i] = byte_at(offset + i);
    file->asked++;
    file->alive++;
    file->most = file->alive > file->most ? file->alive : file->most;
    return piece;
}

static ssize_t wait_for(struct piece_reader *reader, struct piece *piece, const uint8_t **ret_bytes)
{
    struct file *file = (struct file *)reader;
    file->waited++;
    if (file->error != 0 && piece->offset == file->error_at)
        return file->error;
    *ret_bytes = piece->bytes;
    return piece->offset >= file->size                ? 0
           : piece->offset + piece->len <= file->size ? (ssize_t)piece->len
                                                      : (ssize_t)(file->size - piece->offset);
}

static void forget(struct piece_reader *reader, struct piece *piece)
{
    ((struct file *)reader)->alive--;
    free(piece->bytes);
    free(piece);
}

static struct file make_file(uint64_t size)
{
    return (struct file){.reader = {.ask = ask, .wait = wait_for, .forget = forget}, .size = size, .room = 100};
}

/* Read on to the end, with `step` bytes wanted each time. How far it came. */
static uint64_t read_on(struct piece_row *row, uint64_t offset, uint64_t end, size_t step)
{
    while (offset < end) {
        const uint8_t *bytes = NULL;
        ssize_t got = piece_row_get(row, offset, step < end - offset ? step : (size_t)(end - offset), &bytes);
        if (got <= 0)
            return offset;
        for (ssize_t i = 0; i < got; i += 97)
            cr_assert_eq(bytes[i], byte_at(offset + (uint64_t)i));
        offset += (uint64_t)got;
    }
    return offset;
}

Test(piece_row, each_byte_once)
{
    const uint64_t begin = 1000, end = begin + 6 * PIECE_SIZE + 5;
    for (size_t step = 1; step <= 3 * PIECE_SIZE; step = step * 700 + 1) {
        struct file file = make_file(end);
        struct piece_row *row = piece_row_create(&file.reader, NULL, begin, end);
        cr_expect_eq(file.asked, PIECES_AHEAD, "before the first byte is wanted");
        cr_expect_eq(file.waited, 0);
        if (step > 1)
            cr_expect_eq(read_on(row, begin, end, step), end);
        else
            cr_expect_eq(read_on(row, begin, begin + 5000, 1), begin + 5000);
        cr_expect_eq(file.most, PIECES_AHEAD);
        cr_expect_eq(file.asked, step > 1 ? 7 : PIECES_AHEAD);
        cr_expect_eq(file.waited, step > 1 ? 7 : 1);
        piece_row_destroy(row);
        cr_expect_eq(file.alive, 0);
    }
}

/* Nobody has room for a piece: who reads goes on without, and the row with what comes after that. */
Test(piece_row, without_room)
{
    const uint64_t end = 5 * PIECE_SIZE;
    struct file file = make_file(end);
    const uint8_t *bytes;
    file.room = 0;
    struct piece_row *row = piece_row_create(&file.reader, NULL, 0, end);
    cr_expect_eq(piece_row_get(row, 0, 100, &bytes), 0);
    cr_expect_eq(piece_row_get(row, 100, 100, &bytes), 0);
    file.room = 1;
    cr_expect_eq(read_on(row, 200, end, 100000), end);
    cr_expect_eq(file.most, 1);
    piece_row_destroy(row);
    cr_expect_eq(file.alive, 0);
}

Test(piece_row, a_file_that_became_shorter)
{
    const uint64_t end = 5 * PIECE_SIZE;
    struct file file = make_file(2 * PIECE_SIZE + 10);
    struct piece_row *row = piece_row_create(&file.reader, NULL, 0, end);
    cr_expect_eq(read_on(row, 0, end, 4096), 2 * PIECE_SIZE + 10);
    piece_row_destroy(row);
}

Test(piece_row, an_error)
{
    const uint64_t end = 5 * PIECE_SIZE;
    struct file file = make_file(end);
    const uint8_t *bytes;
    file.error = -EIO;
    file.error_at = PIECE_SIZE;
    struct piece_row *row = piece_row_create(&file.reader, NULL, 0, end);
    cr_expect_eq(read_on(row, 0, end, 4096), PIECE_SIZE);
    cr_expect_eq(piece_row_get(row, PIECE_SIZE, 10, &bytes), -EIO);
    piece_row_destroy(row);
    cr_expect_eq(file.alive, 0);
    piece_row_destroy(NULL);
}
