/*
 * progress - the console: one live line on a terminal, a plain line now and then elsewhere, and the words at the end.
 *
 * Everything goes to the stream that is given (standard error), so that standard output stays free for --json. On a
 * terminal the live line is redrawn in place, fits its width, and makes room for every line printed above it. Colour
 * only on a terminal, and not with NO_COLOR or TERM=dumb. Control characters in paths are shown escaped. Used on the
 * main thread only.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

struct instance;
struct event_record;
struct progress;
struct session_progress;
struct session_result;

enum progress_detail {
    PROGRESS_QUIET,   /* errors only: records of DICOMNET_LOG_ERROR, and at the end what failed */
    PROGRESS_NORMAL,  /* the line, warnings, the words at the end */
    PROGRESS_VERBOSE, /* and a line for each file */
    PROGRESS_DEBUG    /* and every log record that is made: associations, contexts, DIMSE messages */
};

/* What the words at the end are about. */
enum progress_kind {
    PROGRESS_SESSION, /* files are sent */
    PROGRESS_DRY_RUN, /* what would be sent */
    PROGRESS_PROBE    /* what the peer would take */
};

struct progress_options {
    FILE *out; /* borrowed until progress_destroy */
    enum progress_detail detail;
    int console_level; /* not 0: records up to this enum dicomnet_log_level + 1 are shown, whatever `detail` is */
    bool no_progress;  /* neither live nor plain lines of progress; the rest as `detail` says */
    enum progress_kind kind;
};

/* NULL if out of memory. */
struct progress *progress_create(const struct progress_options *options);

/* Clears the live line; NULL is fine. */
void progress_destroy(struct progress *progress);

/* For session_observer.progress: redraw the live line, or print a plain one if the last is 10 s ago. */
void progress_update(struct progress *progress, const struct session_progress *now);

/* For session_observer.instance_ended: the line for a file (verbose), and the memory of the first failures. */
void progress_instance_ended(struct progress *progress, const struct instance *instance,
                             const struct session_progress *now);

/* For session_observer.log: print the record as a line, if the detail asks for it. */
void progress_log(struct progress *progress, const struct event_record *record);

/* Print a line of the program's own ("text" without newline) above the live line, at any detail. */
void progress_print(struct progress *progress, const char *text);

/*
 * The words at the end: what became of the files, how fast, the first failures; if quiet, only of a session whose
 * `exit_code` is not 0. The live line is gone afterwards. `summary_path`, `log_path` and `ledger_path` are named if
 * they are not NULL; with the last, what is left is not lost, and that is said.
 */
void progress_finish(struct progress *progress, const struct session_result *result, int exit_code,
                     const char *summary_path, const char *log_path, const char *ledger_path);

#endif
