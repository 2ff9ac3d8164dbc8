/*
 * transport - one TCP connection on a libuv loop: connect, read, write, close.
 *
 * What it knows that a bare uv_tcp_t does not: it tries every address of a name in turn; it sets TCP_NODELAY and
 * keepalive; it writes at once if the socket takes it, without a trip through the loop; and it re-arms TCP_QUICKACK,
 * because Linux clears it. Without that a peer that answers in two small writes with Nagle's algorithm on (DCMTK, and
 * so many PACS) waits for our delayed ACK: 40 ms for every response. It is re-armed after every read that was not
 * answered with a write at once (which carries the ACK), and after writes too once the peer was seen to cut its
 * messages. With a peer that answers in one piece this saves two system calls and a packet for each message.
 *
 * It also stays awake for a moment after each write: over a fast line the answer is there before a sleeping thread
 * would be woken, and a processor that is left idle has to be woken too. A peer that takes longer is soon known, and
 * then the loop sleeps at once: of its answers one in a thousand is waited for like that.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "dicomnet/error.h"

struct dicomnet_association_parameters;

/* An address of either family; any.sa_family is AF_UNSPEC while it is none. */
union transport_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Read a numeric address, IPv4 or IPv6 without brackets. 0 or UV_EINVAL. */
int transport_parse_address(const char *text, uint16_t port, union transport_address *ret_address) DICOMNET_MUST_CHECK;

struct transport_handler {
    /* The connection is there (0), or no address could be reached (the error of the last one tried). */
    void (*connected)(void *user, int error);

    /* Where the next bytes are to be read to, and how many fit; at least one. */
    uint8_t *(*room)(void *user, size_t *ret_size);

    /* `len` bytes were read to the start of that room. Returns true if they end in the middle of a message. */
    bool (*received)(void *user, size_t len);

    /* The peer closed its side (DICOMNET_ERROR_PEER_CLOSED) or the connection broke: nothing more will be read. */
    void (*ended)(void *user, int error);

    /* All bytes of the transport_write that returned 1 were taken (0), or not (an error). */
    void (*written)(void *user, int error);

    /* The close is complete: the transport's memory is the owner's again. */
    void (*closed)(void *user);
};

struct transport {
    uv_tcp_t tcp;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    uv_write_t write;
    uv_idle_t awake; /* active while it stays awake */
    uint64_t awake_until_us;
    unsigned awake_in_vain;     /* how often nothing came meanwhile, less how often something did */
    unsigned sleeps;            /* so many writes more after which it sleeps at once */
    struct addrinfo *addresses; /* owned; of the name being connected to */
    struct addrinfo *next_address;
    union transport_address local; /* to connect from; none: the system chooses */
    const struct transport_handler *handler;
    void *user;
    bool looking_up;
    bool tcp_open; /* uv_close of tcp is still owed */
    bool awake_open;
    bool closing;
    bool wrote;     /* since the last read */
    bool peer_cuts; /* a read has ended in the middle of a message */
    bool two_writes;
    char peer[64]; /* "127.0.0.1:104" */
};

/*
 * Begin to connect to the host and port of `parameters`, from its bind_address if there is one: then addresses of the
 * host that are of the other family are passed over (-EAFNOSUPPORT if it has no others). `connected` comes, unless it
 * is closed before. On an error the owner still closes it.
 */
int transport_connect(struct transport *transport, uv_loop_t *loop,
                      const struct dicomnet_association_parameters *parameters, const struct transport_handler *handler,
                      void *user) DICOMNET_MUST_CHECK;

/* While connecting: give the current address up and try the next. False if there is none, and nothing was done. */
bool transport_skip_address(struct transport *transport);

/* Take the connection that waits at `listener` and start reading. On an error the owner still closes it. */
int transport_accept(struct transport *transport, uv_stream_t *listener, const struct transport_handler *handler,
                     void *user) DICOMNET_MUST_CHECK;

/*
 * Write. Returns 0 if the system took all bytes, 1 if some are waiting (the bytes are borrowed until `written`), or an
 * error. One write at a time. With `yield` it always waits for the loop's next turn: who writes without end gives way
 * so.
 */
int transport_write(struct transport *transport, const uint8_t *bytes, size_t len, bool yield) DICOMNET_MUST_CHECK;

/*
 * For tests: from now on write what DCMTK's peers get, each message in two pieces with Nagle's algorithm on. The second
 * piece then waits for the peer's acknowledgement of the first.
 */
void transport_use_two_writes(struct transport *transport);

/* Bytes of the write under way that the system has not taken. */
size_t transport_unwritten(const struct transport *transport);

/* Say that nothing more will be written (FIN), once what was written is out. */
void transport_shutdown(struct transport *transport);

/* Close, from any state; `closed` follows on a later turn of the loop. Calling it again does nothing. */
void transport_close(struct transport *transport);

#endif
