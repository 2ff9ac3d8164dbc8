/*
 * converted_source - the data set of an instance, read in another transfer syntax than it lies in.
 *
 * What a conversion is, and what it costs, is in wire/recode.h. This puts one together: the data set as it lies, read
 * by source.h; the decoded pixels, if they are compressed; the converter over both. It looks after what source.h
 * promises of any source: a file that is not what the scan saw is DICOMNET_ERROR_SOURCE_CHANGED, whatever else that
 * leads to, and its last byte is not handed out.
 */
#ifndef FILES_CONVERTED_SOURCE_H
#define FILES_CONVERTED_SOURCE_H

#include "dicomnet/data_source.h"
#include "dicomnet/error.h"

struct converted_source; /* on the heap, some 600 KB whatever the instance is */
struct instance;
struct source_options;

/*
 * Open it. Returns 0 or a negative error as source_open does; then *ret_converted, which may be NULL without memory,
 * says why, and is to be closed all the same.
 */
int converted_source_open(struct converted_source **ret_converted, const struct instance *instance,
                          const char *syntax_uid, const struct source_options *options) DICOMNET_MUST_CHECK;

/* The converted data set; borrowed until it is closed. */
struct dicomnet_data_source *converted_source_data(struct converted_source *converted);

/* Why opening or reading it failed, in one line, or ""; until it is closed. NULL is fine. */
const char *converted_source_failure_text(const struct converted_source *converted);

/* Close it; NULL is fine. Returns 0, or a negative error if what was read is not to be trusted. */
int converted_source_close(struct converted_source *converted);

#endif
