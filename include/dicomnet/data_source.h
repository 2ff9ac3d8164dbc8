/*
 * data_source - where the bytes of a data set come from when a message is sent: a file, a buffer, a generator.
 *
 * The network layer knows how long the data set is and asks for it piece by piece, in order, straight into the gaps
 * between the P-DATA headers of its send buffer. It never opens, seeks or closes anything.
 */
#ifndef DICOMNET_DATA_SOURCE_H
#define DICOMNET_DATA_SOURCE_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_data_source {
    /* Exact number of bytes of the data set; even, as PS3.5 7.1.1 wants it. */
    uint64_t len;

    /*
     * Fill the `gap_count` gaps (at least 1, at most DICOMNET_DATA_SOURCE_GAPS_MAX), in order, with the bytes that
     * begin at `offset`. All gaps together never reach past `len`. Returns the bytes filled: anything less than asked
     * for means the source is shorter than it said (the message is then aborted with DICOMNET_ERROR_SOURCE_SHORT).
     * Returns a negative error if reading failed. It may block for as long as a local disk takes.
     */
    ssize_t (*read)(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps, int gap_count);
};

enum { DICOMNET_DATA_SOURCE_GAPS_MAX = 64 };

/* A source over a buffer that the caller keeps until the message is sent. */
struct dicomnet_memory_source {
    struct dicomnet_data_source source;
    const uint8_t *data;
};

/* Make `source` read from `data`. Nothing is owned, nothing to finish. */
void dicomnet_memory_source_init(struct dicomnet_memory_source *source, const uint8_t *data, uint64_t len);

/*
 * A source over the rest of a regular file, which the caller has open for reading and closes once the message is sent.
 * It reads with pread: the descriptor's own position does not matter, and a file that shrinks is an error and no
 * signal.
 */
struct dicomnet_descriptor_source {
    struct dicomnet_data_source source;
    int fd;              /* borrowed */
    uint64_t offset;     /* of the data set in the file */
    uint64_t data_len;   /* what the file has of it; if that is odd, source.len is one more, and a NUL is added */
    uint64_t size_bytes; /* of the file */
    int64_t mtime_ns;    /* of the file, since the Unix epoch */
};

/*
 * Make `source` read `fd` from `offset` to the end that the file has now. Returns 0; -EINVAL if `offset` is behind the
 * end or this is no regular file; or a negative errno. Nothing is owned, nothing to finish.
 *
 * A file that changes meanwhile (its size or modification time) is not sent to its end: reading the last of it gives
 * DICOMNET_ERROR_SOURCE_CHANGED, or it is short.
 */
int dicomnet_descriptor_source_init(struct dicomnet_descriptor_source *source, int fd, uint64_t offset);

#ifdef __cplusplus
}
#endif

#endif
