/*
 * interrupt - the two signals that ask a program to stop, SIGINT and SIGTERM, on its loop.
 */
#ifndef ENGINE_INTERRUPT_H
#define ENGINE_INTERRUPT_H

#include <uv.h>

struct interrupt {
    uv_signal_t signals[2];
    size_t open_count;
    void (*told)(void *user, int signal);
    void *user;
};

/* Listen: `told` is called for each signal. Returns 0 or an error; it is to be closed in either case. */
int interrupt_listen(struct interrupt *interrupt, uv_loop_t *loop, void (*told)(void *user, int signal), void *user);

/*
 * Listen no more; the loop keeps its memory until it has turned once. A signal that comes later does not kill: the
 * program is ending, and its reports are still to be written.
 */
void interrupt_close(struct interrupt *interrupt);

#endif
