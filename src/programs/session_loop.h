/*
 * session_loop - the loop of a program that sends: sessions one after the other, and the signals that stop them.
 *
 * The first signal stops the session under way once its stores are finished, the second aborts them. Between two
 * sessions a signal is kept, and found by session_loop_is_interrupted.
 */
#ifndef PROGRAMS_SESSION_LOOP_H
#define PROGRAMS_SESSION_LOOP_H

#include <stdbool.h>
#include <uv.h>

#include "dicomnet/error.h"
#include "programs/interrupt.h"

struct session;
struct session_observer;
struct session_options;
struct session_result;

/* All zero: closed. */
struct session_loop {
    uv_loop_t loop;
    struct interrupt interrupt;
    struct session *session; /* under way; NULL = none */
    unsigned signals;        /* that it has heard */
    bool interrupted;        /* a signal came when none was under way */
    bool is_open;
};

/* Open the loop and listen from now on; nothing happens if it is open. 0 or an error. */
int session_loop_open(struct session_loop *loop) DICOMNET_MUST_CHECK;

/*
 * Run a session to its end; it is opened if it is not. 0 with *ret_result filled in, also if everything failed or it
 * was interrupted; or a negative error, as session_start.
 */
int session_loop_run(struct session_loop *loop, const struct session_options *options,
                     const struct session_observer *observer, struct session_result *ret_result) DICOMNET_MUST_CHECK;

/* True if a signal has come while no session was under way. */
bool session_loop_is_interrupted(struct session_loop *loop);

/* Listen no more: a signal that comes later does nothing, as reports may still be written. Nothing happens if it is
 * not open. */
void session_loop_close(struct session_loop *loop);

#endif
