/*
 * loopback - a receiver that keeps nothing, on a thread of this process: to try things, and to measure this machine.
 */
#ifndef SERVE_LOOPBACK_H
#define SERVE_LOOPBACK_H

#include <stdint.h>

#include "dicomnet/error.h"

struct loopback;

/* Start it on a free port of 127.0.0.1. Returns 0 and the port, or a negative error. */
int loopback_start(struct loopback **ret_loopback, uint16_t *ret_port) DICOMNET_MUST_CHECK;

/* Stop it and wait for its thread. NULL is fine. */
void loopback_stop(struct loopback *loopback);

#endif
