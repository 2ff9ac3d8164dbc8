/*
 * fake_net - a network and a clock for fuzz targets, so that thousands of associations a second leave no ports behind
 * and no timeout costs any time.
 *
 * It stands in for some functions of libuv and of libc, by defining them: a name look-up and a connect are answered on
 * the next turn, over a socketpair; a listener listens to fake_net_dial; the monotonic clock stands still but for
 * fake_net_advance, and for who stays awake and yields. Everything else of libuv is the real one. One thread.
 */
#ifndef FUZZ_FAKE_NET_H
#define FUZZ_FAKE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzz.h"

struct uv_loop_s;

/* Begin an input: no connection, time 0. `refused`: connecting fails. `narrow`: sockets hold little. */
void fake_net_begin(bool refused, bool narrow);

/* One turn of the loop without waiting. */
void fake_net_turn(struct uv_loop_s *loop);

/* Let time pass to the next timer, at most `limit_ms`; then a turn. False if no timer runs. */
bool fake_net_advance(struct uv_loop_s *loop, uint64_t limit_ms);

/* Milliseconds since fake_net_begin. */
uint64_t fake_net_now_ms(void);

/* The far end of the connection that was made, or -1. It is the caller's: close it. */
int fake_net_take_peer(void);

/* Connect to the listener. The far end. The acceptor knows of it when this returns. */
int fake_net_dial(void);

/* Close the loop, which must have nothing left open. */
void fake_net_end_loop(struct uv_loop_s *loop);

/* ---- the far end of a connection ---- */

struct far_end {
    int fd;            /* -1: closed */
    uint8_t *received; /* all that came, up to `size`; owned by the caller */
    size_t size, len;
    size_t total; /* that came; more than `size` is dropped */
};

/* Take what has come. Returns the bytes; 0 also at the end. */
size_t far_end_drain(struct far_end *far_end);

/* Send as much of this as the connection takes. Returns the bytes. */
size_t far_end_send(struct far_end *far_end, struct fuzz_input bytes);

void far_end_close(struct far_end *far_end);

/* What an input lets the far end do: the kinds of step that the targets share. A target has its own from STEP_OWN on.
 */
enum step {
    STEP_SEND,        /* all at once */
    STEP_SEND_PIECES, /* of `how` + 1 bytes */
    STEP_SEND_DEAF,   /* all at once, without reading what comes */
    STEP_FINISH,      /* say that nothing more will be sent */
    STEP_CLOSE,       /* the connection */
    STEP_WAIT,        /* n times 8 milliseconds */
    STEP_OWN
};

#endif
