/*
 * deflate_source - a data set deflated (PS3.5 A.5), as a data_source over the data set.
 *
 * How long it is, only deflating shows: that is done once when it is opened, and again while it is read. The same bytes
 * come of it each time. An odd number of them is followed by a NUL. Memory is constant.
 */
#ifndef FILES_DEFLATE_SOURCE_H
#define FILES_DEFLATE_SOURCE_H

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"

struct deflate_source; /* on the heap */

/*
 * Make one over `input`, which is borrowed and read twice from its beginning to its end. Returns 0, -ENOMEM or an error
 * of the input.
 */
int deflate_source_create(struct deflate_source **ret_source, struct dicomnet_data_source *input) DICOMNET_MUST_CHECK;

/* The deflated bytes; read in order, from 0 or from where the last read ended. It fails as the input does. */
struct dicomnet_data_source *deflate_source_data(struct deflate_source *source);

/* NULL is fine. */
void deflate_source_destroy(struct deflate_source *source);

#endif
