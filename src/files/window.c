/* window - see window.h. */
#include "files/window.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "files/read_at.h"

void window_begin(struct window *window, int fd, uint64_t size)
{
    window->fd = fd;
    window->size = size;
    window->offset = 0;
    window->len = 0;
    window->error = 0;
    window->inflating = window->broken = window->exhausted = false;
    window->start = NULL;
    window->start_len = 0;
}

void window_set_start(struct window *window, const uint8_t *bytes, size_t len)
{
    window->start = bytes;
    window->start_len = len;
}

int window_begin_inflate(struct window *window, uint64_t offset)
{
    /* DICOM's deflated data has no zlib header (RFC 1951 and not 1950): negative window bits. */
    int result = window->has_stream ? inflateReset(&window->stream) : inflateInit2(&window->stream, -MAX_WBITS);
    if (result != Z_OK)
        return -ENOMEM;
    window->has_stream = true;
    window->inflating = true;
    window->stream_ended = false;
    window->stream.avail_in = 0;
    window->input_offset = offset;
    window->input_size = window->size;
    window->size = UINT64_MAX;
    window->offset = 0;
    window->len = 0;
    return 0;
}

int window_fork(struct window *ret_fork, struct window *window)
{
    assert(window->inflating);
    memcpy(ret_fork, window, sizeof *ret_fork);
    ret_fork->has_stream = inflateCopy(&ret_fork->stream, &window->stream) == Z_OK;
    if (window->stream.avail_in > 0)
        ret_fork->stream.next_in = ret_fork->input + (window->stream.next_in - window->input);
    return ret_fork->has_stream ? 0 : -ENOMEM;
}

void window_fini(struct window *window)
{
    if (window->has_stream)
        inflateEnd(&window->stream);
    window->has_stream = false;
}

/* Bytes of the file: from its start, if all are there, else they are read. As read_at. */
static ssize_t read_file(const struct window *window, uint8_t *bytes, size_t len, uint64_t offset)
{
    if (offset > window->start_len || len > window->start_len - (size_t)offset)
        return read_at(window->fd, bytes, len, offset);
    memcpy(bytes, window->start + offset, len);
    return (ssize_t)len;
}

/* Feed the stream. False if there is no more input, or it cannot be read. */
static bool refill_input(struct window *window)
{
    uint64_t left = window->input_size - window->input_offset;
    size_t wanted = left < WINDOW_INFLATE_INPUT ? (size_t)left : WINDOW_INFLATE_INPUT;
    ssize_t n = read_file(window, window->input, wanted, window->input_offset);
    if (n < 0)
        window->error = (int)n;
    if (n <= 0)
        return false;
    window->input_offset += (uint64_t)n;
    window->stream.next_in = window->input;
    window->stream.avail_in = (uInt)n;
    return true;
}

/* Inflate more bytes behind those in the buffer. False if nothing more comes, for whatever reason. */
static bool inflate_more(struct window *window)
{
    size_t before = window->len;
    while (window->len == before) {
        if (window->stream_ended || window->broken || window->exhausted || window->error != 0)
            return false;
        if (window->stream.avail_in == 0 && !refill_input(window))
            return false;
        window->stream.next_out = window->buffer + window->len;
        window->stream.avail_out = (uInt)(WINDOW_SIZE - window->len);
        int result = inflate(&window->stream, Z_NO_FLUSH);
        window->len = WINDOW_SIZE - window->stream.avail_out;
        if (result == Z_STREAM_END) {
            window->stream_ended = true;
            window->size = window->offset + window->len;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            window->broken = true;
        } else if (window->offset + window->len >= WINDOW_INFLATE_MAX) {
            window->exhausted = true;
        }
    }
    return true;
}

/* Drop the bytes before `offset`, inflating as far as there; false if the stream does not reach it. */
static bool inflate_forward(struct window *window, uint64_t offset)
{
    if (offset < window->offset)
        return false;
    while (offset - window->offset > window->len) {
        window->offset += window->len;
        window->len = 0;
        if (!inflate_more(window))
            return false;
    }
    size_t dropped = (size_t)(offset - window->offset);
    window->len -= dropped;
    memmove(window->buffer, window->buffer + dropped, window->len);
    window->offset = offset;
    return true;
}

static const uint8_t *fill_inflated(struct window *window, uint64_t offset, size_t len)
{
    if (!inflate_forward(window, offset))
        return NULL;
    while (window->len < len) {
        if (!inflate_more(window))
            return NULL;
    }
    return window->buffer;
}

const uint8_t *window_fill(struct window *window, uint64_t offset, size_t len)
{
    assert(len <= WINDOW_JUMP_SIZE);
    if (window->inflating)
        return fill_inflated(window, offset, len);
    if (window->error != 0 || offset > window->size || len > window->size - offset)
        return NULL;

    /* Reading on from where the buffer ends is worth a full buffer; after a jump, what lies there may be all we need.
     */
    uint64_t end = window->offset + window->len;
    bool near = offset >= window->offset && offset <= end + WINDOW_JUMP_SIZE;
    size_t wanted = near ? WINDOW_SIZE : WINDOW_JUMP_SIZE;
    if (wanted > window->size - offset)
        wanted = (size_t)(window->size - offset);
    ssize_t n = read_file(window, window->buffer, wanted, offset);
    window->offset = offset;
    window->len = n > 0 ? (size_t)n : 0;
    if (n < 0)
        window->error = (int)n;
    /* Fewer bytes than the size promised: the file shrinks under our eyes, and what is gone is truncated. */
    return window->len >= len ? window->buffer : NULL;
}

bool window_ends_at(struct window *window, uint64_t offset)
{
    if (window->inflating && offset <= window->size && window_peek(window, offset, 1) != NULL)
        return false;
    return offset == window->size;
}

uint64_t window_input_left(const struct window *window)
{
    return window->input_size - window->input_offset + window->stream.avail_in;
}
