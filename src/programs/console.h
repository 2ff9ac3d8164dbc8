/*
 * console - what the programs have in common: log records as lines on standard error.
 */
#ifndef PROGRAMS_CONSOLE_H
#define PROGRAMS_CONSOLE_H

#include "dicomnet/error.h"
#include "dicomnet/log.h"
#include "programs/options.h"

/* A logger that writes sentences (console_line) to standard error; from DICOMNET_LOG_DEBUG on the records themselves
 * (log_line).
 */
struct dicomnet_logger console_logger(enum dicomnet_log_level level);

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
 * What every main is: prepare the process, read the options of `program` into the struct that `options` is the
 * beginning of (option_groups.h), and hand that to `run`, unless they ask for help or are wrong, which is said. At the
 * end what standard output still keeps is written. Returns the exit code: that of `run`, or 1 if it is 0 and what was
 * to be read on standard output is not all there, which is said.
 */
int console_main(enum program program, struct options *options, int argc, char **argv,
                 int (*run)(const void *options)) DICOMNET_MUST_CHECK;

#endif
