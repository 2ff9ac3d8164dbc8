/*
 * inflate_source - what a deflated data set holds (PS3.5 A.5), as a data_source over its deflated bytes.
 *
 * It is inflated while it is read: in order, and from its beginning again if something is asked for that lies behind.
 * Jumping ahead inflates and drops. Memory is constant; a small file that inflates to a huge one costs time alone.
 */
#ifndef FILES_INFLATE_SOURCE_H
#define FILES_INFLATE_SOURCE_H

#include <stdbool.h>

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"

struct inflate_source; /* on the heap */

/* Make one over `input`, which is borrowed. Returns 0 or -ENOMEM. */
int inflate_source_create(struct inflate_source **ret_source, struct dicomnet_data_source *input) DICOMNET_MUST_CHECK;

/*
 * The inflated bytes. Its len is UINT64_MAX until a read has come to the end, which is then short. Reading fails with
 * an error of the input, or with DICOMNET_ERROR_SOURCE_UNDECODABLE if the bytes are no deflate stream, or end within
 * it.
 */
struct dicomnet_data_source *inflate_source_data(struct inflate_source *source);

/* True if that was why reading failed. */
bool inflate_source_is_broken(const struct inflate_source *source);

/* NULL is fine. */
void inflate_source_destroy(struct inflate_source *source);

#endif
