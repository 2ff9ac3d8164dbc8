/*
 * dial - from a host and a port to a TCP connection: its name looked up, its addresses tried in turn, the first that
 * connects taken. On a libuv loop.
 *
 *   dial_begin ---> looking up ---> trying ---> done (a connection, or an error) ---> dial_close ---> closed
 *                       (of a name)    '--------------- given up -----------------------'
 *
 * When the next address is tried is decided in net/address_race.h. How long all this may take is the matter of whoever
 * asked: he closes it.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <uv.h>

#include "dicomnet/error.h"
#include "net/address.h"

struct dial;
struct dicomnet_association_parameters;

struct dial_handler {
    /*
     * A connection to this address, whose `data` is the caller's and which is closed with the dial. Or a negative
     * error and NULL: what became of the addresses, see address_race_failed; DICOMNET_ERROR_HOST_UNKNOWN,
     * DICOMNET_ERROR_LOOKUP_FAILED; -EAFNOSUPPORT if it has none of the family of our own address.
     */
    void (*done)(void *user, int error, uv_tcp_t *stream, const union address *peer);
    /* All that it had is closed, and the dial gone. */
    void (*closed)(void *user);
};

/*
 * Begin to connect to the host and port of `parameters`, from its bind_address if there is one: then addresses of the
 * host that are of the other family are passed over. `done` comes on a later turn of the loop, unless it is closed
 * before. The handler is borrowed until closed. On an error the owner still closes it, if *ret_dial is not NULL.
 */
int dial_begin(struct dial **ret_dial, uv_loop_t *loop, const struct dicomnet_association_parameters *parameters,
               const struct dial_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* True while the name's addresses are not known. */
bool dial_is_looking_up(const struct dial *dial);

/* Close it and the connection that came of it. Once; `closed` follows on a later turn of the loop. */
void dial_close(struct dial *dial);

#endif
