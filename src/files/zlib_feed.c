/* zlib_feed - see files/zlib_feed.h. */
#include "files/zlib_feed.h"

#include "dicomnet/error.h"

ssize_t zlib_feed_next(struct zlib_feed *feed, z_stream *stream)
{
    uint64_t left = feed->input->len - feed->offset;
    const struct iovec gap = {.iov_base = feed->buffer, .iov_len = left < feed->size ? (size_t)left : feed->size};
    if (left == 0)
        return 0;
    ssize_t got = feed->input->read(feed->input, feed->offset, &gap, 1);
    if (got <= 0)
        return got < 0 ? got : DICOMNET_ERROR_SOURCE_SHORT;
    feed->offset += (uint64_t)got;
    stream->next_in = feed->buffer;
    stream->avail_in = (uInt)got;
    return got;
}
