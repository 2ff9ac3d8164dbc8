/*
 * allowed - who may open an association with a provider, by AE title and by address.
 *
 * An AE title is what a peer says of itself, and proves nothing; an address is harder to forge. Who has neither a
 * certificate nor a password can be told by both.
 */
#ifndef SERVE_ALLOWED_H
#define SERVE_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/error.h"

struct allowed;
struct dicomnet_association;

/* How an entry is written. A HOST is an address, a network ("192.0.2.0/24") or a name, which stands for its addresses.
 */
enum allowed_form {
    ALLOWED_AE_OR_HOST, /* either is enough; what could be both is both */
    ALLOWED_AE_AT_HOST  /* AE, AE@HOST, or @HOST: what is said has to be right */
};

/*
 * Read the list. Host names are looked up here, once, which may take as long as the system's resolver does. Returns 0
 * with *ret_allowed, or a negative error (-EINVAL: an entry that is none) and *ret_entry, which of them it was; NULL if
 * memory was short.
 */
int allowed_create(struct allowed **ret_allowed, enum allowed_form form, const char *const *entries, size_t count,
                   const char **ret_entry) DICOMNET_MUST_CHECK;
void allowed_destroy(struct allowed *allowed);

/* True if one of the entries is this calling AE title and peer ("192.0.2.1:4242", "[2001:db8::1]:4242"). */
bool allowed_has(const struct allowed *allowed, const char *calling_ae, const char *peer);

/* For `welcome` of struct dicomnet_association_accept_options, with a struct allowed as `welcomer`. */
bool allowed_welcome(void *welcomer, const struct dicomnet_association *association);

#endif
