/* inflate_source - see files/inflate_source.h. */
#include "files/inflate_source.h"

#include <errno.h>
#include <stdlib.h>

#include "files/zlib_feed.h"

enum { INPUT_SIZE = 16 * 1024, DROPPED_SIZE = 16 * 1024 };

struct inflate_source {
    struct dicomnet_data_source data;
    struct zlib_feed feed;
    z_stream stream;
    bool ended;        /* the stream has */
    bool broken;       /* it is none, or is cut off */
    uint64_t position; /* in the inflated bytes */
    uint8_t buffer[INPUT_SIZE];
    uint8_t dropped[DROPPED_SIZE];
};

static int fail(struct inflate_source *source)
{
    source->broken = true;
    return DICOMNET_ERROR_SOURCE_UNDECODABLE;
}

static int restart(struct inflate_source *source)
{
    source->ended = false;
    source->position = source->feed.offset = 0;
    source->stream.avail_in = 0;
    return inflateReset(&source->stream) == Z_OK ? 0 : fail(source);
}

/* Inflate the next `len` bytes. Returns how many there are, or a negative error. */
static ssize_t inflate_next(struct inflate_source *source, uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && !source->ended) {
        ssize_t fed = source->stream.avail_in == 0 ? zlib_feed_next(&source->feed, &source->stream) : 1;
        if (fed <= 0)
            return fed < 0 ? fed : fail(source);
        uInt wanted = len - done < UINT32_MAX ? (uInt)(len - done) : UINT32_MAX;
        source->stream.next_out = bytes + done;
        source->stream.avail_out = wanted;
        int result = inflate(&source->stream, Z_NO_FLUSH);
        done += wanted - source->stream.avail_out;
        if (result == Z_STREAM_END)
            source->ended = true;
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return result == Z_MEM_ERROR ? -ENOMEM : fail(source);
    }
    source->position += done;
    if (source->ended)
        source->data.len = source->position;
    return (ssize_t)done;
}

/* Come to this place in the inflated bytes, or to their end. */
static int move_to(struct inflate_source *source, uint64_t offset)
{
    int error = offset < source->position ? restart(source) : 0;
    while (error == 0 && source->position < offset && !source->ended) {
        uint64_t left = offset - source->position;
        ssize_t got = inflate_next(source, source->dropped, left < DROPPED_SIZE ? (size_t)left : DROPPED_SIZE);
        error = got < 0 ? (int)got : 0;
    }
    return error;
}

static ssize_t read_inflated(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                             int gap_count)
{
    struct inflate_source *source = (struct inflate_source *)base;
    int error = move_to(source, offset);
    if (error < 0)
        return error;
    ssize_t done = 0;
    for (int i = 0; i < gap_count && source->position >= offset; i++) {
        ssize_t got = inflate_next(source, gaps[i].iov_base, gaps[i].iov_len);
        if (got < 0)
            return got;
        done += got;
    }
    return done;
}

int inflate_source_create(struct inflate_source **ret_source, struct dicomnet_data_source *input)
{
    struct inflate_source *source = malloc(sizeof *source);
    *ret_source = NULL;
    if (source == NULL)
        return -ENOMEM;
    source->data = (struct dicomnet_data_source){.len = UINT64_MAX, .read = read_inflated};
    source->feed = (struct zlib_feed){.input = input, .buffer = source->buffer, .size = sizeof source->buffer};
    source->stream = (z_stream){.avail_in = 0};
    source->ended = source->broken = false;
    source->position = 0;
    /* DICOM's deflated data has no zlib header (RFC 1951 and not 1950): negative window bits. */
    if (inflateInit2(&source->stream, -MAX_WBITS) != Z_OK) {
        free(source);
        return -ENOMEM;
    }
    *ret_source = source;
    return 0;
}

struct dicomnet_data_source *inflate_source_data(struct inflate_source *source)
{
    return &source->data;
}

bool inflate_source_is_broken(const struct inflate_source *source)
{
    return source->broken;
}

void inflate_source_destroy(struct inflate_source *source)
{
    if (source == NULL)
        return;
    (void)inflateEnd(&source->stream);
    free(source);
}
