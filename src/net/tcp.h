/*
 * tcp - one TCP connection on a libuv loop: connect, read, write, close.
 *
 * What it knows that a bare uv_tcp_t does not: it finds the peer by its name (net/dial.h); it sets TCP_NODELAY and
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
#ifndef NET_TCP_H
#define NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "dicomnet/association.h"
#include "dicomnet/error.h"
#include "net/address.h"
#include "net/stream.h"

struct dial;

struct tcp {
    uv_tcp_t *stream;  /* the connection: of `dial`, or `accepted`; NULL while it is not there */
    struct dial *dial; /* owned; of who connects */
    uv_tcp_t accepted; /* of who was connected to */
    uv_write_t write;
    uv_idle_t awake;     /* active while it stays awake, or owes a turn: the loop does not sleep then */
    unsigned turns_owed; /* how often it is called before all is written, as was said with `yield`; 0 = not owed */
    uint64_t awake_until_us;
    unsigned awake_in_vain; /* how often nothing came meanwhile, less how often something did */
    unsigned sleeps;        /* so many writes more after which it sleeps at once */
    struct dicomnet_association_line line;
    const struct stream_handler *handler;
    void *user;
    unsigned closes_owed; /* of `awake`, and of `dial` or `accepted` */
    bool closing;
    bool wrote;     /* since the last read */
    bool peer_cuts; /* a read has ended in the middle of a message */
    bool two_writes;
    char peer[ADDRESS_TEXT_SIZE]; /* "127.0.0.1:104" */
};

/* Begin to connect, as dial_begin. `connected` comes, unless it is closed before. On an error the owner still closes
 * it. */
int tcp_connect(struct tcp *tcp, uv_loop_t *loop, const struct dicomnet_association_parameters *parameters,
                const struct stream_handler *handler, void *user) DICOMNET_MUST_CHECK;

/* While connecting: the name's addresses are not known yet. */
bool tcp_is_looking_up(const struct tcp *tcp);

/* Take the connection that waits at `listener` and start reading. On an error the owner still closes it. */
int tcp_accept(struct tcp *tcp, uv_stream_t *listener, const struct dicomnet_association_line *line,
               const struct stream_handler *handler, void *user) DICOMNET_MUST_CHECK;

/*
 * Write. Returns 0 if the system took all bytes, 1 if some are waiting (the bytes are borrowed until `written`), or an
 * error. One write at a time. With `yield` it always waits for a turn of the loop in which it looks for what has come:
 * who writes without end gives way so.
 */
int tcp_write(struct tcp *tcp, const uint8_t *bytes, size_t len, bool yield) DICOMNET_MUST_CHECK;

/*
 * For tests: from now on write what DCMTK's peers get, each message in two pieces with Nagle's algorithm on. The second
 * piece then waits for the peer's acknowledgement of the first.
 */
void tcp_use_two_writes(struct tcp *tcp);

/* Bytes of the write under way that the system has not taken. */
size_t tcp_unwritten(const struct tcp *tcp);

/* Say that nothing more will be written (FIN), once what was written is out. */
void tcp_shutdown(struct tcp *tcp);

/* Read no more. */
void tcp_stop(struct tcp *tcp);

/* Close, from any state; `closed` follows on a later turn of the loop. Calling it again does nothing. */
void tcp_close(struct tcp *tcp);

static inline bool tcp_is_closing(const struct tcp *tcp)
{
    return tcp->closing;
}

#endif
