/*
 * access_log - what a receiver answered, one JSON object a line; docs/logs.md says what stands in it.
 *
 * Each line is written by itself, before the response it speaks of is given to the network: what a peer was answered is
 * never missing, even if this process is killed (a power cut may take the last lines). The other way round, the last
 * line may speak of a response that never left.
 */
#ifndef REPORT_ACCESS_LOG_H
#define REPORT_ACCESS_LOG_H

#include <stdint.h>

#include "dicomnet/error.h"

struct access_log;
struct receiver_observer;

/* Append to the file, which is made if it is missing. Returns 0 or a negative errno. */
int access_log_open(struct access_log **ret_log, const char *path) DICOMNET_MUST_CHECK;

/* The line that stands before those of one run: numbers of associations count from 1 again. Returns 0 or an errno. */
int access_log_begin(struct access_log *log, const char *address, uint16_t port);

/* For struct receiver_options; its user is the access log. */
extern const struct receiver_observer access_log_observer;

/* NULL is fine. Returns the first error that any line had, or 0. */
int access_log_close(struct access_log *log);

#endif
