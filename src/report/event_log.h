/*
 * event_log - the file with one JSON object a line, as things happen.
 *
 * Every line begins with the same keys in the same order: time (RFC 3339, UTC, microseconds), level, event, session,
 * worker, association, study; then the fields of the record in their order. docs/logs.md lists the events. Any bytes
 * can be logged: control characters are escaped, a byte that is not UTF-8 becomes U+FFFD. Used on the main thread only.
 */
#ifndef REPORT_EVENT_LOG_H
#define REPORT_EVENT_LOG_H

#include <stdint.h>

#include "dicomnet/error.h"
#include "instance/event.h"

struct event_log;

/*
 * Make the folder `dir` if there is none and the file `<dir>/<name>_<session_id>.log` in it, which must not exist yet
 * (-EEXIST). Strings are copied. Returns 0 or a negative errno, so that a folder that cannot be written is known before
 * anything is sent.
 */
int event_log_open(struct event_log **ret_log, const char *dir, const char *name,
                   const char *session_id) DICOMNET_MUST_CHECK;

/* Where it is; valid until it is closed. */
const char *event_log_path(const struct event_log *log);

/*
 * Write one line. It is buffered: it reaches the file when the buffer is full, a second after the last time, at
 * event_log_flush, and at once for DICOMNET_LOG_ERROR. A status given as a number is written as "0xA700"; a field with
 * the name of one of the first keys gets "field_" before it.
 */
void event_log_write(struct event_log *log, const struct event_record *record);

/* What is buffered goes to the file. Returns the first error there was since it was opened, or 0. */
int event_log_flush(struct event_log *log);

/*
 * Flush it and close the file: a file system over a network may say only now that it could not keep what was written.
 * Nothing is written any more; the path and the error stay until event_log_close. Returns as event_log_flush.
 */
int event_log_end(struct event_log *log);

/* End it if need be, and free it; NULL is fine. Returns the first error there was since it was opened, or 0. */
int event_log_close(struct event_log *log);

#endif
