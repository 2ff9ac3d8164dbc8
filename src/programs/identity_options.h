/*
 * identity_options - who asks for associations, by the options, the environment and the file of peers, made into what
 * an association takes (dicomnet/identity.h).
 *
 * A secret comes from a file or from the environment, never from an argument, which everybody on the machine can read.
 * It is read once and kept in one block of memory, which is overwritten before it is freed.
 */
#ifndef PROGRAMS_IDENTITY_OPTIONS_H
#define PROGRAMS_IDENTITY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/error.h"

struct dicomnet_identity;
struct identity_group;

/*
 * The password of --user, where no file has it. It is taken out of the environment in any case: what is started later
 * does not inherit it.
 */
#define IDENTITY_PASSWORD_VARIABLE "DICOM_SENDER_PASSWORD"

/* True if it says who asks: a user, a ticket, an assertion or a token. */
bool identity_options_name_one(const struct identity_group *group);

/*
 * 0 with an identity that the caller destroys, or NULL if none is asked for. A negative error and one line in
 * `ret_message` of `size` bytes: a file cannot be used, or the options do not fit each other.
 */
int identity_options_make(const struct identity_group *group, struct dicomnet_identity **ret_identity,
                          char *ret_message, size_t size) DICOMNET_MUST_CHECK;

/* NULL does nothing. */
void identity_options_destroy(struct dicomnet_identity *identity);

/* Say on standard error that its secret goes over a line in clear. NULL, and a name alone, have none. */
void identity_options_warn_in_clear(const struct dicomnet_identity *identity, const char *program);

#endif
