/*
 * seen - which SOP Instance UIDs were found already, and in which file, in 8 bytes of memory for each.
 *
 * The table in memory holds a 32-bit fingerprint and the place of a record; the records (path, UIDs, where the data set
 * lies) go to a temporary file that has no name. A fingerprint that is known is looked up there, which is rare: so a
 * tree of a million files costs some 20 MB instead of half a gigabyte.
 */
#ifndef FILES_SEEN_H
#define FILES_SEEN_H

#include <stdint.h>

#include "dicomnet/error.h"

struct instance;
struct seen;

/* 0, -ENOMEM, or what making a temporary file in $TMPDIR or /tmp gave. */
int seen_open(struct seen **ret_seen) DICOMNET_MUST_CHECK;

/*
 * Was an instance with this SOP Instance UID seen before? If not, it is remembered and *ret_first is NULL. If so,
 * *ret_first is a copy of the first one's facts: the caller's to destroy. 0, or a negative error (the temporary file
 * cannot be written or read, no memory): then nothing is known about it.
 */
int seen_check(struct seen *seen, const struct instance *instance, struct instance **ret_first) DICOMNET_MUST_CHECK;

/* Where the record of the instance lies that seen_check remembered last. */
uint32_t seen_last_place(const struct seen *seen);

/* Keep a record of one that was seen before. Its place, or a negative error. */
int64_t seen_keep(struct seen *seen, const struct instance *instance) DICOMNET_MUST_CHECK;

/* A copy of the facts that lie at that place: the caller's to destroy. 0 or a negative error. */
int seen_read(const struct seen *seen, uint32_t place, struct instance **ret_instance) DICOMNET_MUST_CHECK;

/* NULL is fine. */
void seen_close(struct seen *seen);

#endif
