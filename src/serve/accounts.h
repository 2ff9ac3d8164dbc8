/*
 * accounts - users whom a provider knows, by name and passcode (PS3.7 D.3.3.7).
 *
 * How long it takes to say no does not depend on how much of a name or a passcode is right, or on which of the two is
 * wrong. Passcodes are in memory as long as this is, and overwritten before it is freed.
 */
#ifndef SERVE_ACCOUNTS_H
#define SERVE_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/error.h"

struct accounts;
struct dicomnet_association;
struct dicomnet_identity;
struct dicomnet_span;

enum { ACCOUNT_NAME_MAX = 255, ACCOUNT_PASSCODE_MAX = 1023 }; /* bytes */

/* None yet, so that nobody is let in. NULL if memory is short. */
struct accounts *accounts_create(void);
void accounts_destroy(struct accounts *accounts);

/* Add a user; both are copied. 0; -ENOMEM; -EEXIST: that name is there; -EINVAL: one of them is empty or too long. */
int accounts_add(struct accounts *accounts, const char *name, const char *passcode) DICOMNET_MUST_CHECK;

/*
 * Is that one of them, with his passcode? NULL and every kind but user name and passcode are not. NULs at the end of
 * either are padding.
 */
bool accounts_have(const struct accounts *accounts, const struct dicomnet_identity *identity);

/* The same as `authenticate` of dicomnet_association_accept_options; its `authentication` is the accounts. */
bool accounts_authenticate(void *accounts, struct dicomnet_association *association,
                           const struct dicomnet_identity *identity, struct dicomnet_span *ret_response);

#endif
