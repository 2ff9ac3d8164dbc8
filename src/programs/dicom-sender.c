/*
 * dicom-sender - the main job: options in, a session, reports out.
 *
 * The session tells an observer what happens; here the observer is put together from the event log, the summary and
 * the console of report/. All of it is on the main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/pace.h"
#include "engine/probe.h"
#include "engine/session.h"
#include "instance/event.h"
#include "instance/instance.h"
#include "programs/console.h"
#include "programs/destination.h"
#include "programs/dry_run.h"
#include "programs/option_groups.h"
#include "programs/report_command.h"
#include "programs/resume.h"
#include "programs/run_files.h"
#include "programs/session_loop.h"
#include "programs/synthetic_files.h"
#include "report/event_log.h"
#include "report/progress.h"
#include "report/ramp.h"
#include "report/report_files.h"
#include "report/summary.h"
#include "serve/loopback.h"

static const char program_name[] = "dicom-sender";

struct sender {
    const struct dicom_sender_options *options;
    char *given; /* the command line, as a shell reads it; owned */
    const struct destination *destination;
    struct session_options session;
    struct session_loop loop;
    struct resume resume;
    struct run_files files;
    struct summary *summary;
    struct dry_run dry_run; /* --dry-run, --probe */
    struct ramp ramp;       /* --ramp: the steps so far */
};

static int say_error(const char *what, const char *name, int error)
{
    return console_say_error(program_name, what, name, error);
}

static struct dicomnet_logger logger_of(struct sender *sender)
{
    return run_files_logger(&sender->files, sender->session.log_level);
}

/* ---- the observer ---- */

static void on_log(void *user, const struct event_record *record)
{
    struct sender *sender = user;
    run_files_log(&sender->files, record);
}

static void on_instance_ended(void *user, const struct instance *instance, const struct session_progress *now)
{
    struct sender *sender = user;
    summary_add_instance(sender->summary, instance);
    if (sender->session.dry_run && dry_run_add_instance(&sender->dry_run, instance) != 0)
        say_error("the forecast lacks a file:", instance->file.path, -ENOMEM);
    progress_instance_ended(sender->files.progress, instance, now);
}

static void on_association_ended(void *user, const struct association_figures *figures)
{
    struct sender *sender = user;
    summary_add_association(sender->summary, figures);
}

static void on_study_planned(void *user, const struct planned_study *study)
{
    struct sender *sender = user;
    dry_run_show_study(&sender->dry_run, study);
}

static void on_pair_probed(void *user, const struct probed_pair *pair)
{
    struct sender *sender = user;
    const struct dicomnet_logger logger = logger_of(sender);
    if (dry_run_add_answer(&sender->dry_run, &logger, pair) != 0)
        say_error("the forecast lacks a class:", pair->class_uid, -ENOMEM);
}

static void on_progress(void *user, const struct session_progress *now)
{
    struct sender *sender = user;
    progress_update(sender->files.progress, now);
}

/* ---- before and after ---- */

/* What the options of the session do not say: the destination, the ledger and the files. */
static void fill_in_session(struct sender *sender)
{
    const struct dicom_sender_options *options = sender->options;
    const struct destination *destination = sender->destination;
    struct session_options *session = &sender->session;

    *session = options->session;
    session->association = destination->association;
    session->peer_words = &destination_words;
    session->threads = options->sending.threads > 0 ? options->sending.threads : PACE_MAX;
    session->threads_auto = options->sending.threads == 0;
    session->synthetic = options->sending.synthetic.studies > 0 ? &options->sending.synthetic : NULL;
    session->record = sender->resume.ledger != NULL ? &sender->resume.record : NULL;
    session->discover.inputs = options->sending.inputs.items;
    session->discover.input_count = options->sending.inputs.count;
    session->transcode.only = options->sending.syntaxes.items;
    session->transcode.only_count = options->sending.syntaxes.count;
    session->log_level = options->common.log_level;
    dry_run_init(&sender->dry_run, &options->common, &sender->session.transcode);
}

static int open_reports(struct sender *sender)
{
    enum progress_kind kind = sender->session.probe     ? PROGRESS_PROBE
                              : sender->session.dry_run ? PROGRESS_DRY_RUN
                                                        : PROGRESS_SESSION;
    if (run_files_open(&sender->files, program_name, &sender->options->common, kind) != 0)
        return -1;
    if (summary_create(&sender->summary, sender->files.session_id, &sender->session, sender->given,
                       sender->destination->loopback, sender->session.dry_run ? &sender->dry_run.forecast : NULL) != 0)
        return say_error("reports", NULL, -ENOMEM);
    return 0;
}

/* The first line of the log and of the ledger: what was asked for, in one text. 0, or -1 if it cannot begin. */
static int begin_session(struct sender *sender)
{
    const struct dicomnet_logger logger = logger_of(sender);
    LOG(&logger, DICOMNET_LOG_INFO, EVENT_SESSION_STARTED, LOG_TEXT("version", PROGRAM_VERSION),
        LOG_TEXT("destination", sender->destination->text), LOG_TEXT("options", sender->given));
    return resume_begin(&sender->resume, sender->options, sender->files.session_id, sender->given);
}

static void log_end(struct sender *sender, const struct session_result *result, int exit_code)
{
    const struct dicomnet_logger logger = logger_of(sender);
    const uint64_t *by_state = result->totals.by_state;
    uint64_t earlier = 0;
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        earlier += result->totals.earlier[state];
    LOG(&logger, DICOMNET_LOG_INFO, EVENT_SESSION_ENDED, LOG_NUMBER("exit_code", exit_code),
        LOG_NUMBER("files", result->totals.files), LOG_NUMBER("stored", by_state[OUTCOME_STORED]),
        LOG_NUMBER("warned", by_state[OUTCOME_WARNED]), LOG_NUMBER("failed", by_state[OUTCOME_FAILED]),
        LOG_NUMBER("skipped", by_state[OUTCOME_SKIPPED]), LOG_NUMBER("in_doubt", by_state[OUTCOME_IN_DOUBT]),
        LOG_NUMBER("pending", by_state[OUTCOME_PENDING]), LOG_NUMBER("earlier", earlier),
        LOG_NUMBER("bytes", result->totals.bytes_stored));
}

/* Returns the exit code, which says also whether all of it could be written. */
static int write_reports(struct sender *sender, const struct session_result *result, int exit_code)
{
    const struct dicom_sender_options *options = sender->options;
    struct run_files *files = &sender->files;
    log_end(sender, result, exit_code);
    dry_run_show_forecast(&sender->dry_run);
    exit_code = run_files_end_log(files, exit_code);
    int error = summary_write(sender->summary, result, exit_code, files->summary_path);
    /* A step of a ramp that went well is one row of its table. */
    if (options->sending.ramp.count == 0 || exit_code != 0 || options->common.verbose || options->common.debug)
        progress_finish(files->progress, result, exit_code, error == 0 ? files->summary_path : NULL,
                        event_log_path(files->log), options->session.dry_run ? NULL : options->ledger.ledger);
    exit_code = run_files_note(files, "the summary", files->summary_path, error, exit_code);
    if (!options->common.json || options->sending.ramp.count > 0)
        return exit_code;
    error = summary_print(sender->summary, result, exit_code, stdout);
    return run_files_note(files, "standard output", NULL, error, exit_code);
}

/* --loopback: a receiver inside this process is the peer. */
static int start_loopback(struct sender *sender, struct loopback **ret_loopback)
{
    bool connects = !sender->session.dry_run || sender->session.probe;
    if (!sender->destination->loopback || !connects)
        return 0;
    sender->session.association.host = "127.0.0.1";
    return loopback_start(ret_loopback, &sender->session.association.port);
}

/* One session, from its reports' begin to their end. Returns its exit code; `result` is all zero if it did not run. */
static int run(struct sender *sender, struct session_result *result)
{
    const struct session_observer observer = {.user = sender,
                                              .log = on_log,
                                              .instance_ended = on_instance_ended,
                                              .association_ended = on_association_ended,
                                              .study_planned = on_study_planned,
                                              .pair_probed = on_pair_probed,
                                              .progress = on_progress};
    int exit_code = 1;

    *result = (struct session_result){0};
    if (open_reports(sender) == 0 && begin_session(sender) == 0) {
        struct loopback *loopback = NULL;
        int error = start_loopback(sender, &loopback);
        if (error == 0)
            error = session_loop_run(&sender->loop, &sender->session, &observer, result);
        loopback_stop(loopback);
        if (error != 0) {
            say_error("the session could not run", NULL, error);
        } else {
            exit_code =
                sender->session.dry_run ? dry_run_exit_code(&sender->dry_run, result) : session_exit_code(result);
            destination_explain(sender->destination, result->stop_text, sizeof result->stop_text);
            exit_code = resume_end(&sender->resume, sender->options, result, exit_code, sender->files.progress);
            exit_code = write_reports(sender, result, exit_code);
        }
    }
    summary_destroy(sender->summary);
    sender->summary = NULL;
    return run_files_close(&sender->files, exit_code);
}

/* ---- --ramp ---- */

static int ramp_exit_code(const struct ramp *ramp)
{
    bool all_well = true, any_stored = false;
    for (size_t i = 0; i < ramp->count; i++) {
        all_well = all_well && ramp->steps[i].exit_code == 0;
        any_stored = any_stored || ramp->steps[i].stored > 0;
    }
    return all_well ? 0 : any_stored ? 2 : 1;
}

/* Returns the exit code, as write_reports does. */
static int write_ramp(const struct sender *sender, int exit_code)
{
    const struct ramp *ramp = &sender->ramp;
    char *path = report_path(sender->options->common.log_dir, "dicom_sender_ramp", ramp->steps[0].session_id, ".json");
    FILE *out = path != NULL ? fopen(path, "w") : NULL;
    int error = out != NULL ? ramp_print_json(ramp, exit_code, out) : -errno;
    if (out != NULL && fclose(out) != 0 && error == 0)
        error = -errno;
    exit_code = run_files_note(&sender->files, "the ramp's document", path, error, exit_code);
    if (!sender->options->common.quiet) {
        ramp_print_knee(ramp, stderr);
        fprintf(stderr, "\n  %-10s  %s\n", "ramp", path != NULL ? path : "");
    }
    if (sender->options->common.json)
        exit_code = run_files_note(&sender->files, "standard output", NULL, ramp_print_json(ramp, exit_code, stdout),
                                   exit_code);
    free(path);
    return exit_code;
}

/* The same job with each number of threads, a session each. It ends early if interrupted, or if nothing was stored. */
static int run_ramp(struct sender *sender, struct session_result *result)
{
    const struct dicom_sender_options *options = sender->options;
    bool interrupted = false;
    int exit_code = 0;
    int error = session_loop_open(&sender->loop);
    if (error != 0) {
        say_error("the session could not run", NULL, error);
        return 1;
    }
    if (!options->common.quiet)
        ramp_print_heading(stderr);
    for (size_t i = 0; i < options->sending.ramp.count && !interrupted && exit_code != 130; i++) {
        sender->session.threads = options->sending.ramp.threads[i];
        exit_code = run(sender, result);
        const struct ramp_step *step =
            ramp_add(&sender->ramp, sender->files.session_id, options->sending.ramp.threads[i], exit_code, result);
        if (!options->common.quiet)
            ramp_print_step(step, stderr);
        interrupted = session_loop_is_interrupted(&sender->loop);
        if (step->stored == 0)
            break;
    }
    if (interrupted || exit_code == 130)
        exit_code = 130;
    else
        exit_code = ramp_exit_code(&sender->ramp);
    if (sender->ramp.count > 0)
        exit_code = write_ramp(sender, exit_code);
    return exit_code;
}

/* A dry run connects to nobody and needs no destination; one that is given must be right all the same. */
static bool find_destination(const struct dicom_sender_options *options, struct destination *ret_destination)
{
    char message[OPTIONS_MESSAGE_SIZE];
    bool none_given = options->connection.destination == NULL && options->connection.host == NULL &&
                      options->connection.peer == NULL && options->connection.config == NULL &&
                      options->connection.connect == NULL && !options->connection.loopback;
    destination_be_nobody(&options->common, ret_destination);
    if (options->session.dry_run && !options->session.probe && none_given)
        return true;
    if (destination_find(&options->common, ret_destination, message, sizeof message) == 0) {
        destination_warn(ret_destination, &options->common);
        return true;
    }
    fprintf(stderr, "dicom-sender: %s\n", message);
    return false;
}

/* Known before anything is made or sent. */
static bool inputs_are_usable(const struct dicom_sender_options *options)
{
    const char *temporary = getenv("TMPDIR");
    if (temporary != NULL && temporary[0] != '\0' && access(temporary, W_OK | X_OK) != 0) {
        say_error("no temporary file can be made in TMPDIR:", temporary, -errno);
        return false;
    }
    if (options->session.discover.files_from == NULL || strcmp(options->session.discover.files_from, "-") == 0)
        return true;
    if (access(options->session.discover.files_from, R_OK) == 0)
        return true;
    say_error("--files-from:", options->session.discover.files_from, -errno);
    return false;
}

/* Returns the exit code. */
static int write_synthetic_files(const struct dicom_sender_options *options)
{
    struct synthetic_spec spec = options->sending.synthetic;
    spec.options.seed = options->sending.synthetic_seed;
    if (options->session.repeat > 1)
        spec.studies *= options->session.repeat;
    return synthetic_files_write(&spec, options->sending.output_dir, options->common.quiet);
}

/* The main job. Returns the exit code. */
static int send_files(const struct dicom_sender_options *options)
{
    static struct session_result result; /* some 45 KB of histograms and workers */
    struct destination destination = {0};
    struct sender sender = {.options = options,
                            .destination = &destination,
                            .given = console_quote((int)options->common.shown_count, options->common.shown)};
    int exit_code = 1;
    if (sender.given == NULL) {
        say_error("the command line", NULL, -ENOMEM);
    } else if (find_destination(options, &destination) && inputs_are_usable(options) &&
               resume_open(&sender.resume, options, &destination, &sender.loop.loop) == 0) {
        fill_in_session(&sender);
        exit_code = options->sending.ramp.count > 0 ? run_ramp(&sender, &result) : run(&sender, &result);
    }
    resume_close(&sender.resume);
    session_loop_close(&sender.loop);
    dry_run_fini(&sender.dry_run);
    destination_fini(&destination);
    free(sender.given);
    return exit_code;
}

static int work(const void *read_options)
{
    const struct dicom_sender_options *options = read_options;
    return options->sending.output_dir != NULL ? write_synthetic_files(options) : send_files(options);
}

int main(int argc, char **argv)
{
    struct dicom_sender_options options;
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return report_command(argc - 1, argv + 1);
    return console_main(PROGRAM_SENDER, &options.common, argc, argv, work);
}
