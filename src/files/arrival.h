/*
 * arrival - what came as an instance is looked at before it is kept: is its structure whole, and is it the instance, of
 * the class, that the C-STORE said it is?
 *
 * UIDs are compared as they stand, so an instance whose UIDs are none (letters, 70 characters) is kept like any other:
 * whoever fetched it from a peer would otherwise lose it.
 */
#ifndef FILES_ARRIVAL_H
#define FILES_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/span.h"
#include "dicomnet/uid.h"
#include "instance/outcome.h"

struct arrival_check;
struct instance;

/* All zero: only the UIDs are read, and they need not be well formed. */
struct arrival_options {
    bool strict; /* refuse an instance without Study Instance UID, or with UIDs that are not well formed */

    /* What else to read of a data set: as in struct scan_options. Both NULL: nothing. */
    bool (*wants)(void *context, uint32_t tag);
    void (*found)(void *context, uint32_t tag, struct dicomnet_span value, bool big_endian);
    void *context;
};

/* One thread's. `options` may be NULL. NULL if out of memory. */
struct arrival_check *arrival_check_create(const struct arrival_options *options);
void arrival_check_destroy(struct arrival_check *check);

/*
 * Look at a Part 10 file that was made of what came. REASON_NONE if it may be kept; REASON_UID_CONFLICT if its class or
 * instance is not the one that was said (NULL: any); else what is wrong with its structure. The UIDs are borrowed for
 * the call. *ret_instance (unless it is NULL) is what was read, also if it may not be kept, and is the caller's; NULL
 * if out of memory.
 */
enum outcome_reason arrival_check_file(struct arrival_check *check, const char *path, const char *class_uid,
                                       const char *instance_uid, struct instance **ret_instance);

/* The SOP Instance UID of a whole file. False if it is none, or not whole. */
bool arrival_find_uid(struct arrival_check *check, const char *path, char ret_uid[DICOMNET_UID_SIZE]);

/* The status that answers the C-STORE (PS3.4 Table B.2-1), and an Error Comment; 0000 and "" for REASON_NONE. */
uint16_t arrival_status(enum outcome_reason reason, char ret_comment[DICOMNET_COMMENT_SIZE]);

#endif
