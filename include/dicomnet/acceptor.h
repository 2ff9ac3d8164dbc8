/*
 * acceptor - listens on a port and makes an association of every connection. On the caller's libuv loop.
 *
 * `connected` chooses who serves an association, commonly a provider made for it there:
 * dicomnet_storage_provider_create (storage.h) or dicomnet_query_provider_create (query_retrieve.h), whose header names
 * the handler to return. From then on the association calls that handler, and its `closed` is the last that is heard of
 * it.
 */
#ifndef DICOMNET_ACCEPTOR_H
#define DICOMNET_ACCEPTOR_H

#include <stdint.h>

#include "association.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_acceptor;

enum { DICOMNET_ACCEPTOR_ADDRESSES_MAX = 32 };

struct dicomnet_acceptor_options {
    size_t size;              /* DICOMNET_ACCEPTOR_OPTIONS_INIT */
    const char *bind_address; /* numeric, "127.0.0.1"; borrowed for the call */
    /*
     * Further ones, of all of which the same port is taken; borrowed for the call. "0.0.0.0" is every IPv4 address of
     * this machine. "::" is every address of either family, or of IPv6 alone if an IPv4 address is among the others.
     */
    const char *const *more_addresses;
    size_t more_address_count; /* less than DICOMNET_ACCEPTOR_ADDRESSES_MAX */
    uint16_t port;             /* 0 = any free one, see dicomnet_acceptor_port */
    unsigned max_associations; /* beyond it: transient rejection, local limit exceeded; 0 = no limit */
    /*
     * Connections, with or without an association. Beyond it the oldest that has not asked for one is closed to make
     * room; if there is none such, the new one is. 0 = no limit
     */
    unsigned max_connections;
    /*
     * An association on which nothing has been under way for so long is aborted: a peer that keeps it and says nothing
     * takes a place that others may want. 0 = never
     */
    uint32_t idle_ms;
    /* Stays the last: it grows. Its size need not be set. */
    struct dicomnet_association_accept_options association;
};
#define DICOMNET_ACCEPTOR_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_acceptor_options)

struct dicomnet_acceptor_handler {
    /*
     * A connection has come. Return the handler for its association and set *ret_user: the user pointer of its
     * callbacks. NULL (no memory, say) drops the connection.
     */
    const struct dicomnet_association_handler *(*connected)(void *user, void **ret_user);

    /*
     * The association for that `association_user` has been made (its callbacks come later), or could not be
     * (NULL: `association_user` is the caller's to free). May be NULL.
     */
    void (*accepted)(void *user, void *association_user, struct dicomnet_association *association);
};

/*
 * Listen. Rejections for want of room are "local limit exceeded" (PS3.8 9.3.4); the wait for a request is ARTIM (PS3.8
 * 9.1.5), timeouts.acse_ms. Returns 0 and the acceptor, or a negative error: UV_EADDRINUSE, UV_EACCES, -ENOMEM, ...;
 * DICOMNET_ERROR_OPTIONS_SIZE; -EINVAL for no loop, numeric addresses or handler with `connected`;
 * DICOMNET_ERROR_AE_TITLE if the called AE title is to be checked against one that is none. `handler` is borrowed until
 * the acceptor is closed.
 */
int dicomnet_acceptor_open(struct dicomnet_acceptor **ret_acceptor, struct uv_loop_s *loop,
                           const struct dicomnet_acceptor_options *options,
                           const struct dicomnet_acceptor_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* The port it listens on, at each of its addresses. */
uint16_t dicomnet_acceptor_port(const struct dicomnet_acceptor *acceptor);

/*
 * Stop listening and abort its associations. With the end of the last of them it is freed; the acceptor's handler and
 * `user` may go when this returns, while the associations' own are called until their `closed`.
 */
void dicomnet_acceptor_close(struct dicomnet_acceptor *acceptor);

#ifdef __cplusplus
}
#endif

#endif
