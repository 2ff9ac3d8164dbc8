/* run_files - see run_files.h. */
#include "programs/run_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "programs/console.h"
#include "programs/options.h"
#include "report/event_log.h"
#include "report/progress.h"

enum { NAME_SIZE = 32, SESSION_ID_ATTEMPTS = 10 };

/* "dicom-sender" as a part of a file's name: "dicom_sender". */
static void make_name(const char *program, char ret_name[NAME_SIZE])
{
    snprintf(ret_name, NAME_SIZE, "%s", program);
    for (char *at = ret_name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : *at;
}

static int open_log(struct run_files *files, const char *name, const char *dir)
{
    int error = -EEXIST;
    /* Two sessions of one second may draw the same name. */
    for (int i = 0; i < SESSION_ID_ATTEMPTS && error == -EEXIST; i++) {
        report_session_id(files->session_id);
        error = event_log_open(&files->log, dir, name, files->session_id);
    }
    return error != 0 ? console_say_error(files->program, "--log-dir:", dir, error) : 0;
}

int run_files_open(struct run_files *files, const char *program, const struct options *options, enum progress_kind kind)
{
    const struct progress_options progress = {.out = stderr,
                                              .detail = options->debug     ? PROGRESS_DEBUG
                                                        : options->verbose ? PROGRESS_VERBOSE
                                                        : options->quiet   ? PROGRESS_QUIET
                                                                           : PROGRESS_NORMAL,
                                              .console_level = options_console_level(options),
                                              .no_progress = options->no_progress,
                                              .kind = kind};
    char name[NAME_SIZE], summary_name[NAME_SIZE + sizeof "_summary"];
    *files = (struct run_files){.program = program};
    make_name(program, name);
    snprintf(summary_name, sizeof summary_name, "%s_summary", name);
    if (open_log(files, name, options->log_dir) != 0)
        return -1;
    files->summary_path = report_path(options->log_dir, summary_name, files->session_id, ".json");
    files->progress = progress_create(&progress);
    if (files->progress == NULL || files->summary_path == NULL)
        return console_say_error(program, "reports", NULL, -ENOMEM);
    return 0;
}

void run_files_log(struct run_files *files, const struct event_record *record)
{
    event_log_write(files->log, record);
    progress_log(files->progress, record);
}

static void log_own(void *user, const struct dicomnet_log_record *record)
{
    run_files_log(user, &(struct event_record){.log = *record});
}

struct dicomnet_logger run_files_logger(struct run_files *files, enum dicomnet_log_level level)
{
    return (struct dicomnet_logger){.write = log_own, .user = files, .level = level};
}

static int exit_code_without_reports(int exit_code)
{
    return exit_code == 0 ? 2 : exit_code;
}

int run_files_end_log(const struct run_files *files, int exit_code)
{
    return event_log_end(files->log) == 0 ? exit_code : exit_code_without_reports(exit_code);
}

int run_files_note(const struct run_files *files, const char *what, const char *name, int error, int exit_code)
{
    if (error == 0)
        return exit_code;
    (void)console_say_error(files->program, what, name, error);
    return exit_code_without_reports(exit_code);
}

int run_files_close(struct run_files *files, int exit_code)
{
    char path[4096] = "";
    if (files->log != NULL)
        snprintf(path, sizeof path, "%s", event_log_path(files->log));
    int error = files->log != NULL ? event_log_close(files->log) : 0;
    exit_code = run_files_note(files, "the event log is not complete:", path, error, exit_code);
    progress_destroy(files->progress);
    free(files->summary_path);
    files->log = NULL;
    files->progress = NULL;
    files->summary_path = NULL;
    return exit_code;
}
