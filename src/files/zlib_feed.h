/*
 * zlib_feed - the input of a z_stream, from a data source: what inflate_source and deflate_source have in common.
 */
#ifndef FILES_ZLIB_FEED_H
#define FILES_ZLIB_FEED_H

#include <stddef.h>

#include <zlib.h>

#include "dicomnet/data_source.h"

struct zlib_feed {
    struct dicomnet_data_source *input; /* borrowed */
    uint64_t offset;                    /* in the input, of what comes next */
    uint8_t *buffer;                    /* borrowed */
    size_t size;
};

/*
 * Give the stream, which has used up what it had, the next bytes of the input; they stay in the buffer until then.
 * Returns how many there are; 0 at the end of the input; or a negative error, DICOMNET_ERROR_SOURCE_SHORT if the input
 * is shorter than it said.
 */
ssize_t zlib_feed_next(struct zlib_feed *feed, z_stream *stream);

#endif
