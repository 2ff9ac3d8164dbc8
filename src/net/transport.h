/*
 * transport - the connection of an association: plain bytes in and out, spoken in clear or over TLS.
 *
 * In clear it is the TCP connection itself (net/tcp.h), whose callbacks go to the owner directly. Over TLS a struct tls
 * stands in between (net/tls.h): `connected` means that the handshake is done, and each transport_write is one write of
 * ciphertext to the socket.
 *
 *   connecting --> handshake --> up --> ended or failed      (a server begins with the handshake)
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "dicomnet/span.h"
#include "net/stream.h"
#include "net/tcp.h"

struct dicomnet_association_parameters;
struct dicomnet_tls;
struct tls;

struct transport {
    struct tcp tcp;
    struct tls *tls; /* owned; NULL: in clear. What follows is for TLS only */
    const struct stream_handler *handler;
    void *user;
    bool server;
    bool has_tcp;      /* the TCP connection is there */
    bool up;           /* the handshake is done, and `connected` was called */
    bool over;         /* `ended`, or `connected` with an error, was called: nothing more is told of what comes */
    bool writing;      /* ciphertext is on its way: of a transport_write, */
    bool owes_written; /* whose `written` is then owed, or of TLS itself */
    struct dicomnet_span waiting; /* borrowed; a transport_write that came meanwhile */
};

/*
 * Begin to connect to the host and port of `parameters`, as tcp_connect; over TLS if its `tls` says so. `connected`
 * comes, unless it is closed before. On an error the owner still closes it.
 */
int transport_connect(struct transport *transport, uv_loop_t *loop,
                      const struct dicomnet_association_parameters *parameters, const struct stream_handler *handler,
                      void *user) DICOMNET_MUST_CHECK;

/* While connecting: the name's addresses are not known yet. */
static inline bool transport_is_looking_up(const struct transport *transport)
{
    return tcp_is_looking_up(&transport->tcp);
}

/*
 * Take the connection that waits at `listener` and start reading; over TLS if the options have a `tls`. On an error the
 * owner still closes it.
 */
int transport_accept(struct transport *transport, uv_stream_t *listener,
                     const struct dicomnet_association_accept_options *options, const struct stream_handler *handler,
                     void *user) DICOMNET_MUST_CHECK;

/*
 * Write, once it is connected. Returns 0 if the system took all bytes, 1 if some are waiting (the bytes are borrowed
 * until `written`), or an error. One write at a time. With `yield` it always waits for a turn of the loop.
 */
int transport_write(struct transport *transport, const uint8_t *bytes, size_t len, bool yield) DICOMNET_MUST_CHECK;

/* For tests: as tcp_use_two_writes. */
void transport_use_two_writes(struct transport *transport);

/* Bytes of the write under way, as they are on the line, that the system has not taken. It only falls. */
size_t transport_unwritten(const struct transport *transport);

/* Say that nothing more will be written (close_notify, FIN), once what was written is out. */
void transport_shutdown(struct transport *transport);

/* Close, from any state; `closed` follows on a later turn of the loop. Calling it again does nothing. */
void transport_close(struct transport *transport);

static inline bool transport_is_closing(const struct transport *transport)
{
    return tcp_is_closing(&transport->tcp);
}

/* "127.0.0.1:104" */
static inline const char *transport_peer(const struct transport *transport)
{
    return transport->tcp.peer;
}

/* TCP is connected, and TLS is not yet. */
bool transport_is_shaking_hands(const struct transport *transport);

/* What a person has to know beyond the error that it ended with; "" = nothing. */
const char *transport_detail(const struct transport *transport);

/* Once it is up over TLS, else NULL: what is spoken. */
const struct tls *transport_tls(const struct transport *transport);

#endif
