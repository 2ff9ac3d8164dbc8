/*
 * scan - looks at one file: is it DICOM, is its structure whole, and what does its header say?
 *
 * First `inspect` walks the structure with header reads only, without recursion; then GDCM reads the UIDs, SOP class
 * and transfer syntax (through the gdcm-header subproject, the one place with C++). A scanner is one thread's: it keeps
 * the buffers that make this cheap. Any number of scanners work side by side.
 */
#ifndef FILES_SCAN_H
#define FILES_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/span.h"

struct held_files;
struct instance;
struct scanner;

/*
 * An element that was asked for: its value as it stands in the file, padded, in the file's byte order. Valid until this
 * returns.
 */
typedef void scan_found(void *context, uint32_t tag, struct dicomnet_span value, bool big_endian);

struct scan_options {
    bool accept_raw; /* take data sets without preamble, meta information or transfer syntax: it is found */
    bool
        allow_incomplete; /* take instances without a Study Instance UID, and with study or series UIDs that are none */

    /*
     * What else to read of a data set, beside the UIDs that name it: `found` is called, while the file is looked at,
     * for each element that `wants` says true for. Not for sequences and what is in them, nor for values above about
     * 500 bytes. Both NULL: nothing.
     */
    bool (*wants)(void *context, uint32_t tag);
    scan_found *found;
    void *context;

    /*
     * Where what was opened is kept, for whoever sends the instance (its `hold`). Borrowed by each call of
     * scanner_read. NULL: every file is closed when it has been looked at.
     */
    struct held_files *held;
};

/* NULL if out of memory. */
struct scanner *scanner_create(const struct scan_options *options);
void scanner_destroy(struct scanner *scanner);

/*
 * Look at the file. The instance that comes back is the caller's: its outcome is OUTCOME_PENDING if it can be sent,
 * else OUTCOME_SKIPPED or OUTCOME_FAILED with the reason (and error or offset). NULL only if out of memory.
 *
 * The file is opened with O_NONBLOCK | O_NOCTTY | O_CLOEXEC and checked with fstat: a FIFO or a device is
 * skipped: not-a-file, and never hangs. The reasons are those of outcome.h; what leads to which is in inspect.h.
 */
struct instance *scanner_read(struct scanner *scanner, const char *path);

#endif
