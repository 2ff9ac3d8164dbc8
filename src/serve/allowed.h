/*
 * allowed - who may open an association with a provider: some AE titles and some hosts.
 *
 * An AE title is what a peer says of itself, and proves nothing; an address is harder to forge. Either is enough.
 */
#ifndef SERVE_ALLOWED_H
#define SERVE_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>

struct allowed;
struct uv_loop_s;

/*
 * Read the list: each name is the AE title of a peer, its address or its host name, and a name that is a host's allows
 * each of its addresses. Host names are looked up here, which may take as long as the system's resolver does. Returns
 * 0 with *ret_allowed, or a negative error (-EINVAL: a name that is neither) and *ret_name, which of them it was; NULL
 * if memory was short.
 */
int allowed_create(struct allowed **ret_allowed, struct uv_loop_s *loop, const char *const *names, size_t count,
                   const char **ret_name);
void allowed_destroy(struct allowed *allowed);

/* True if one of the names is this calling AE title, or this peer's address ("192.0.2.1:4242", "[2001:db8::1]:4242").
 */
bool allowed_has(const struct allowed *allowed, const char *calling_ae, const char *peer);

#endif
