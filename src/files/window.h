/*
 * window - a small view that moves forward over the bytes of a data set, however large the file is.
 *
 * Two kinds of source look alike through it: a file, read with pread, where moving far ahead costs nothing; and a
 * deflated stream inside a file (PS3.5 A.5), where moving ahead inflates and drops. Memory is one buffer of fixed size;
 * no length from the file ever allocates anything.
 */
#ifndef FILES_WINDOW_H
#define FILES_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

enum {
    WINDOW_SIZE = 4 * 1024, /* what is read at the file's start, and when reading on from there */
    WINDOW_JUMP_SIZE = 512, /* what is read after a jump: an element's header and what follows a short value */
    WINDOW_INFLATE_INPUT = 16 * 1024
};

/* Bytes a deflated data set is followed through; beyond that it is taken as whole. So a bomb costs a second at most. */
#define WINDOW_INFLATE_MAX ((uint64_t)256 << 20)

struct window {
    int fd;
    uint64_t size;        /* where the source ends: the file's size, UINT64_MAX while inflating */
    uint64_t offset;      /* of the first byte in the buffer */
    size_t len;           /* bytes in the buffer */
    const uint8_t *start; /* the first bytes of the file, if somebody has them; NULL = nobody */
    size_t start_len;
    int error; /* negative errno of a failed read, or 0 */
    bool inflating;
    bool broken;     /* the deflated bytes are no deflate stream */
    bool exhausted;  /* WINDOW_INFLATE_MAX was reached */
    bool has_stream; /* `stream` is initialised */
    z_stream stream;
    uint64_t input_offset; /* in the file: next byte to feed to the stream */
    uint64_t input_size;   /* of the file */
    bool stream_ended;
    uint8_t buffer[WINDOW_SIZE];
    uint8_t input[WINDOW_INFLATE_INPUT];
};

/* All zero, then this, begins with another file. `size` is the file's. */
void window_begin(struct window *window, int fd, uint64_t size);

/* These first bytes of the file need not be read. They are borrowed until window_begin. */
void window_set_start(struct window *window, const uint8_t *bytes, size_t len);

/* From here on the window is over what the file's bytes from `offset` on inflate to; offset 0 is their first byte.
 * Returns 0 or -ENOMEM. */
int window_begin_inflate(struct window *window, uint64_t offset);

/*
 * A second window over the same inflated bytes, to look ahead with: it goes its own way from where `window` is. It is
 * to be finished with window_fini. Returns 0 or -ENOMEM.
 */
int window_fork(struct window *ret_fork, struct window *window);

/* Free what inflating took; the window may begin again. */
void window_fini(struct window *window);

/* Slow half of window_peek. */
const uint8_t *window_fill(struct window *window, uint64_t offset, size_t len);

/*
 * The `len` bytes at `offset` (at most WINDOW_JUMP_SIZE of them), valid until the next call; NULL if the source ends
 * before, or could not be read (`error`, `broken`, `exhausted` tell these apart). A deflated source goes forward only:
 * what was passed is as if it had ended.
 */
static inline const uint8_t *window_peek(struct window *window, uint64_t offset, size_t len)
{
    if (offset >= window->offset && offset - window->offset <= window->len &&
        len <= window->len - (size_t)(offset - window->offset))
        return window->buffer + (offset - window->offset);
    return window_fill(window, offset, len);
}

/* True if the source ends exactly at `offset`. For a deflated source this looks ahead. */
bool window_ends_at(struct window *window, uint64_t offset);

/* Bytes of the file that follow the end of the deflate stream, once that has ended. */
uint64_t window_input_left(const struct window *window);

#endif
