/*
 * slow_output - standard output of a program that must hear signals although nobody reads what it prints.
 *
 * A write waits for the reader, as long as that takes: nothing is gathered here. But once a signal has come it waits no
 * longer than the patience, and not at all after a second one. Then the output is given up: it is not whole, and every
 * further write fails at once.
 *
 * The signals have a loop of their own, whose descriptor both the writes and the program's loop can wait for.
 */
#ifndef PROGRAMS_SLOW_OUTPUT_H
#define PROGRAMS_SLOW_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#include "programs/interrupt.h"

struct slow_output {
    FILE *file; /* to print to; fully buffered */
    bool given_up;
    uint32_t patience_ms;
    bool asked; /* a signal has come while a write waited */
    uint64_t give_up_us;
    uv_loop_t signals;
    struct interrupt interrupt;
    uv_poll_t poll; /* of the program's loop, for `signals` */
};

/* Begin: from now on signals are heard. Returns 0 or an error, after which nothing is to be closed. */
int slow_output_open(struct slow_output *output, uint32_t patience_ms, void (*told)(void *user, int signal),
                     void *user);

/* Tell of signals from this loop on. Returns 0 or an error. */
int slow_output_watch(struct slow_output *output, uv_loop_t *loop);

/* No more from the loop, which can end then; the writes still hear. */
void slow_output_unwatch(struct slow_output *output);

/* Write what is left, if it is not given up, and hear no signals any more. */
void slow_output_close(struct slow_output *output);

#endif
