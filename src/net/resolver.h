/*
 * resolver - the addresses of a host name, looked up on a thread of its own.
 *
 * The system's look-up (getaddrinfo) cannot be called off: where a name server does not answer it takes as long as the
 * system's configuration says, and whoever waits for it, waits. So each look-up has a thread that nobody waits for.
 * Who no longer wants the answer leaves it: the thread then ends by itself, whenever that is, and frees what it has.
 * It touches nothing but its question, no loop and no association. This is the one file outside engine/ that makes
 * threads.
 *
 *   resolver_begin ---> resolved (the answer) ---> resolver_close ---> closed
 *         |                                              ^
 *         '---------------- left -----------------------'
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <netdb.h>
#include <stdint.h>

#include "dicomnet/error.h"

enum { RESOLVER_THREADS_MAX = 512 /* look-ups at a time, those that were left too; beyond it none begins */ };

struct resolver;
struct uv_loop_s;

struct resolver_handler {
    /*
     * 0 and the addresses, for freeaddrinfo; or DICOMNET_ERROR_HOST_UNKNOWN, or DICOMNET_ERROR_LOOKUP_FAILED for what
     * may pass.
     */
    void (*resolved)(void *user, int error, struct addrinfo *addresses);
    /* The resolver is gone. */
    void (*closed)(void *user);
};

/*
 * Look the addresses of a host up, each with that port. `resolved` comes on the loop, unless it is closed before. The
 * handler is borrowed until closed. Returns 0, or -ENOMEM or -EAGAIN where there is no room for one more thread.
 */
int resolver_begin(struct resolver **ret_resolver, struct uv_loop_s *loop, const char *host, uint16_t port,
                   const struct resolver_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* Close it, answered or not; once. `closed` follows on a later turn of the loop, and does not wait for the look-up. */
void resolver_close(struct resolver *resolver);

#endif
