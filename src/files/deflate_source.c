/* deflate_source - see files/deflate_source.h. */
#include "files/deflate_source.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "files/zlib_feed.h"

enum { INPUT_SIZE = 64 * 1024, COUNTED_SIZE = 64 * 1024, MEM_LEVEL_DEFAULT = 8 };

struct deflate_source {
    struct dicomnet_data_source data;
    struct zlib_feed feed;
    z_stream stream;
    bool ended;        /* the stream has */
    uint64_t position; /* in the deflated bytes */
    uint8_t buffer[INPUT_SIZE];
};

static int restart(struct deflate_source *source)
{
    source->ended = false;
    source->position = source->feed.offset = 0;
    source->stream.avail_in = 0;
    return deflateReset(&source->stream) == Z_OK ? 0 : -ENOMEM;
}

/* Put the next `len` deflated bytes. Returns how many there are, or a negative error. */
static ssize_t deflate_next(struct deflate_source *source, uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && !source->ended) {
        ssize_t fed = source->stream.avail_in == 0 ? zlib_feed_next(&source->feed, &source->stream) : 1;
        if (fed < 0)
            return fed;
        bool is_last = source->feed.offset == source->feed.input->len;
        uInt wanted = len - done < UINT32_MAX ? (uInt)(len - done) : UINT32_MAX;
        source->stream.next_out = bytes + done;
        source->stream.avail_out = wanted;
        int result = deflate(&source->stream, is_last ? Z_FINISH : Z_NO_FLUSH);
        assert(result != Z_STREAM_ERROR);
        done += wanted - source->stream.avail_out;
        source->ended = result == Z_STREAM_END;
    }
    source->position += done;
    return (ssize_t)done;
}

/* True if the stream ends here: after its last byte nothing may be left to say. */
static bool has_ended(struct deflate_source *source)
{
    uint8_t more;
    return source->ended || (deflate_next(source, &more, 1) == 0 && source->ended);
}

static ssize_t read_deflated(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                             int gap_count)
{
    struct deflate_source *source = (struct deflate_source *)base;
    int error = offset == 0 ? restart(source) : 0;
    if (error < 0)
        return error;
    assert(offset == source->position);
    ssize_t done = 0;
    for (int i = 0; i < gap_count; i++) {
        ssize_t got = deflate_next(source, gaps[i].iov_base, gaps[i].iov_len);
        if (got < 0)
            return got;
        bool has_pad = source->ended && (size_t)got < gaps[i].iov_len && source->position < source->data.len;
        if (has_pad) {
            ((uint8_t *)gaps[i].iov_base)[got] = 0;
            source->position++;
        }
        done += got + has_pad;
    }
    bool is_whole = source->position < source->data.len || has_ended(source);
    return is_whole ? done : DICOMNET_ERROR_SOURCE_CHANGED;
}

static int count(struct deflate_source *source)
{
    uint8_t *counted = malloc(COUNTED_SIZE);
    ssize_t got = counted != NULL ? 0 : -ENOMEM;
    while (got >= 0 && !source->ended)
        got = deflate_next(source, counted, COUNTED_SIZE);
    free(counted);
    source->data.len = source->position + source->position % 2;
    return got < 0 ? (int)got : restart(source);
}

int deflate_source_create(struct deflate_source **ret_source, struct dicomnet_data_source *input)
{
    struct deflate_source *source = malloc(sizeof *source);
    *ret_source = NULL;
    if (source == NULL)
        return -ENOMEM;
    source->data = (struct dicomnet_data_source){.read = read_deflated};
    source->feed = (struct zlib_feed){.input = input, .buffer = source->buffer, .size = sizeof source->buffer};
    source->stream = (z_stream){.avail_in = 0};
    source->ended = false;
    source->position = 0;
    /* Negative window bits: no zlib header, as PS3.5 A.5 wants it (RFC 1951). */
    if (deflateInit2(&source->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MEM_LEVEL_DEFAULT,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(source);
        return -ENOMEM;
    }
    int error = count(source);
    if (error < 0) {
        deflate_source_destroy(source);
        return error;
    }
    *ret_source = source;
    return 0;
}

struct dicomnet_data_source *deflate_source_data(struct deflate_source *source)
{
    return &source->data;
}

void deflate_source_destroy(struct deflate_source *source)
{
    if (source == NULL)
        return;
    (void)deflateEnd(&source->stream);
    free(source);
}
