/*
 * scan - looks at one file: is it DICOM, is its structure whole, and what does its header say?
 *
 * First `inspect` walks the structure with header reads only, without recursion; then GDCM reads the UIDs, SOP class
 * and transfer syntax (through the gdcm-header subproject, the one place with C++). A scanner is one thread's: it keeps
 * the buffers that make this cheap. Any number of scanners work side by side.
 */
#ifndef CATALOG_SCAN_H
#define CATALOG_SCAN_H

#include <stdbool.h>

struct instance;
struct scanner;

struct scan_options {
    bool accept_raw; /* take data sets without preamble or meta information, in Implicit or Explicit VR Little Endian */
    bool allow_incomplete; /* take instances without a Study Instance UID */
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
