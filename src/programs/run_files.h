/*
 * run_files - what a run of dicom-sender or dicom-mover shows and leaves behind, whatever it does: its name, its event
 * log, the console above it, the place of its summary; and what of them could not be written, said once and in the exit
 * code.
 *
 *     run_files_open  ->  run_files_log for each record  ->  run_files_end_log, run_files_note for each other report
 *                     ->  run_files_close
 */
#ifndef PROGRAMS_RUN_FILES_H
#define PROGRAMS_RUN_FILES_H

#include <stdbool.h>

#include "dicomnet/error.h"
#include "instance/event.h"
#include "report/progress.h"
#include "report/report_files.h"

struct event_log;
struct options;
struct progress;

struct run_files {
    const char *program; /* "dicom-sender"; its files are called dicom_sender_..., dicom_sender_summary_... */
    char session_id[REPORT_SESSION_ID_SIZE];
    struct event_log *log;
    struct progress *progress;
    char *summary_path;
};

/*
 * Open the event log in the options' folder, and the console. `program` is borrowed. 0, or -1 after a line on standard
 * error; run_files_close is to be called in either case.
 */
int run_files_open(struct run_files *files, const char *program, const struct options *options,
                   enum progress_kind kind) DICOMNET_MUST_CHECK;

/* A record for the event log and, if it is shown, for the console. */
void run_files_log(struct run_files *files, const struct event_record *record);

/* A logger for what the program itself has to say. `files` is borrowed. */
struct dicomnet_logger run_files_logger(struct run_files *files, enum dicomnet_log_level level);

/* The event log has had its last record. Returns the exit code: 2 instead of 0 if the log is not whole. */
int run_files_end_log(const struct run_files *files, int exit_code) DICOMNET_MUST_CHECK;

/*
 * Another report was written, or not: an `error` that is not 0 is said with the names as console_say_error has them.
 * Returns the exit code: 2 instead of 0 then, as what was done is not what can be read of it.
 */
int run_files_note(const struct run_files *files, const char *what, const char *name, int error,
                   int exit_code) DICOMNET_MUST_CHECK;

/*
 * Close all of it but the name; what is missing from the event log is said. Returns the exit code, as run_files_end_log
 * does.
 */
int run_files_close(struct run_files *files, int exit_code) DICOMNET_MUST_CHECK;

#endif
