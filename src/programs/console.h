/*
 * console - what the programs have in common: log records as lines on standard error.
 */
#ifndef PROGRAMS_CONSOLE_H
#define PROGRAMS_CONSOLE_H

#include "dicomnet/error.h"
#include "dicomnet/log.h"

/* A logger that writes sentences (console_line) to standard error; from DICOMNET_LOG_DEBUG on the records themselves
 * (log_line).
 */
struct dicomnet_logger console_logger(enum dicomnet_log_level level);

/*
 * What every main needs first, before it uses libuv: standard streams that are closed become /dev/null; allocation that
 * does not give up at once; no SIGPIPE and no SIGXFSZ, as a peer that hangs up and a file that may not grow are errors
 * like any other; and as many open files as the system lets us have. Where that are too few to work with, `program`
 * says so on standard error and the process ends with 1.
 */
void console_prepare_process(const char *program);

/*
 * "dicom-sender: WHAT 'NAME': ERROR" as a line on standard error, or without a name (NULL) "dicom-sender: WHAT: ERROR".
 * Returns -1.
 */
int console_say_error(const char *program, const char *what, const char *name, int error);

/* What to put behind the error of listening on this port if the port is why it failed; else "". */
const char *console_port_hint(int error, unsigned port);

/*
 * Arguments as one text that a POSIX shell or bash reads as the same arguments again: quoted where they have to be. To
 * be freed; NULL if out of memory.
 */
char *console_quote(int count, char *const *arguments);

/*
 * What every main does last: what standard output still keeps is written. Returns the exit code; if what was to be read
 * there is not all there, and nothing else has failed, that is said, and it is 1.
 */
int console_end(const char *program, int exit_code) DICOMNET_MUST_CHECK;

#endif
