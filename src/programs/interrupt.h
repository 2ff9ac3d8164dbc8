/*
 * interrupt - the signals that ask a program to stop, on its loop: SIGINT, SIGTERM, and SIGHUP, which comes when the
 * terminal is closed. SIGHUP is left alone in a program that was started to ignore it (nohup).
 */
#ifndef PROGRAMS_INTERRUPT_H
#define PROGRAMS_INTERRUPT_H

#include <signal.h>
#include <uv.h>

enum { INTERRUPT_SIGNALS = 3 };

struct interrupt {
    uv_signal_t signals[INTERRUPT_SIGNALS];
    size_t open_count;
    void (*told)(void *user, int signal);
    void *user;
};

/* Listen: `told` is called for each signal. Returns 0 or an error; it is to be closed in either case. */
int interrupt_listen(struct interrupt *interrupt, uv_loop_t *loop, void (*told)(void *user, int signal), void *user);

/* The loop may end although it listens. */
void interrupt_unref(struct interrupt *interrupt);

/* "terminated (SIGTERM)": for people. */
const char *interrupt_text(int number);

/*
 * For a program's long work without a loop, or between two: a signal does not kill from now on, but sets *ret_noted to
 * 1 whenever nobody listens. To be called before there are threads.
 */
void interrupt_note(volatile sig_atomic_t *ret_noted);

/*
 * Listen no more; the loop keeps its memory until it has turned once. A signal that comes later does not kill: the
 * program is ending, and its reports are still to be written.
 */
void interrupt_close(struct interrupt *interrupt);

#endif
