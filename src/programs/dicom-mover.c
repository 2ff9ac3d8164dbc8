/*
 * dicom-mover - fetches what a peer has, or has it sent elsewhere: options in, a retrieval, reports out.
 *
 * All of it is on one thread, and on one loop.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/text.h"
#include "dicomnet/tls.h"
#include "fetch/retrieval.h"
#include "instance/event.h"
#include "programs/console.h"
#include "programs/interrupt.h"
#include "programs/option_groups.h"
#include "programs/peer_query.h"
#include "programs/run_files.h"
#include "programs/tls_options.h"
#include "report/console_line.h"
#include "report/event_log.h"
#include "report/progress.h"
#include "report/progress_retrieval.h"
#include "report/retrieval_summary.h"

static const char program_name[] = "dicom-mover";

struct mover {
    const struct dicom_mover_options *options;
    const struct destination *destination;
    struct retrieval_options retrieval;
    struct run_files files;
    struct retrieval_summary *summary;
    uv_loop_t loop;
    struct interrupt interrupt;
    struct retrieval *run; /* NULL before it has begun and when it has ended */
    struct retrieval_result result;
};

/* ---- the observer ---- */

/* What --verbose shows beyond what the console shows anyway. */
static bool is_worth_a_line(const struct mover *mover, const struct event_record *record)
{
    bool ours = record->log.event == EVENT_QUERY_STARTED || record->log.event == EVENT_QUERY_ENDED ||
                record->log.event == EVENT_RETRIEVAL_LISTED || record->log.event == EVENT_RETRIEVAL_STORED;
    return mover->options->common.verbose && !mover->options->common.debug && ours &&
           record->log.level == DICOMNET_LOG_INFO;
}

static void on_log(void *user, const struct event_record *record)
{
    struct mover *mover = user;
    run_files_log(&mover->files, record);
    if (!is_worth_a_line(mover, record))
        return;
    struct text line = {0};
    console_line_say(&line, record);
    if (!line.failed)
        progress_print(mover->files.progress, line.data);
    text_fini(&line);
}

static void on_request_ended(void *user, const struct retrieval_request *request)
{
    struct mover *mover = user;
    retrieval_summary_add_request(mover->summary, request);
}

static void on_missing(void *user, const struct retrieval_missing *missing)
{
    struct mover *mover = user;
    retrieval_summary_add_missing(mover->summary, missing);
    progress_missing(mover->files.progress, missing);
}

static void on_progress(void *user, const struct retrieval_progress *now)
{
    struct mover *mover = user;
    progress_update_retrieval(mover->files.progress, now);
}

/* ---- before and after ---- */

/* A peer on this machine sends over the loopback device, where nobody else can connect. */
static const char *address_to_listen_on(const struct dicom_mover_options *options, const char *host)
{
    if (options->retrieval.receive_address != NULL)
        return options->retrieval.receive_address;
    if (strcmp(host, "::1") == 0)
        return "::1";
    bool local = strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0;
    return local ? "127.0.0.1" : strchr(host, ':') != NULL ? "::" : "0.0.0.0";
}

/* Without --stall-timeout: several times the DIMSE timeout, as a peer that still answers may just be slow. */
static uint32_t stall_ms(const struct dicom_mover_options *options)
{
    const uint32_t times = 5, dimse_ms = options->connection.network.timeouts.dimse_ms;
    if (options_given(&options->common, "stall-timeout"))
        return options->retrieval.stall_ms;
    return dimse_ms < UINT32_MAX / times ? dimse_ms * times : UINT32_MAX;
}

/* What the options of the retrieval do not say: the destination, the keys, and what follows from them. */
static void fill_in_retrieval(struct mover *mover, const struct dicomnet_identifier *keys)
{
    const struct dicom_mover_options *options = mover->options;
    const struct destination *destination = mover->destination;
    struct retrieval_options *retrieval = &mover->retrieval;

    *retrieval = options->retrieval;
    retrieval->association = destination->association;
    retrieval->peer_words = &destination_words;
    retrieval->model = options->query.patient_root ? DICOMNET_QUERY_PATIENT_ROOT : DICOMNET_QUERY_STUDY_ROOT;
    retrieval->level = options->query.level;
    retrieval->keys = keys;
    retrieval->receive_address = address_to_listen_on(options, destination->host);
    retrieval->allow_from = options->fetching.allow_from.items;
    retrieval->allow_from_count = options->fetching.allow_from.count;
    retrieval->max_matches = options->query.max_matches;
    retrieval->stall_ms = stall_ms(options);
    retrieval->log_level = options->common.log_level;
    if (retrieval->receive_ae[0] == '\0')
        strcpy(retrieval->receive_ae, destination->association.calling_ae);
}

static int open_reports(struct mover *mover)
{
    if (run_files_open(&mover->files, program_name, &mover->options->common, PROGRESS_SESSION) != 0)
        return -1;
    mover->summary = retrieval_summary_create(mover->files.session_id, &mover->retrieval);
    return mover->summary != NULL ? 0 : console_say_error(program_name, "reports", NULL, -ENOMEM);
}

/* The first line of the log: what was asked for, as a shell reads it; but keys are only counted, as their values may be
 * names of patients. */
static void log_start(struct mover *mover)
{
    char value[512];
    const char *name;
    size_t cursor = 0;
    struct text given = {0};
    text_put(&given, mover->destination->text);
    while (options_next_given(&mover->options->common, &cursor, &name, value, sizeof value)) {
        char *quoted = console_quote(1, (char *[]){value});
        text_printf(&given, " --%s", name);
        if (strcmp(value, "true") != 0)
            text_printf(&given, "=%s", quoted != NULL ? quoted : "");
        free(quoted);
    }
    const struct dicomnet_logger logger = run_files_logger(&mover->files, mover->retrieval.log_level);
    LOG(&logger, DICOMNET_LOG_INFO, EVENT_SESSION_STARTED, LOG_TEXT("version", PROGRAM_VERSION),
        LOG_TEXT("destination", mover->destination->text), LOG_TEXT("options", given.failed ? "" : given.data));
    text_fini(&given);
}

/* Returns the exit code, which says also whether all of it could be written. */
static int write_reports(struct mover *mover, const struct retrieval_result *result, int exit_code)
{
    const struct retrieval_counts *counts = &result->counts;
    struct run_files *files = &mover->files;
    const struct dicomnet_logger logger = run_files_logger(&mover->files, mover->retrieval.log_level);
    LOG(&logger, DICOMNET_LOG_INFO, EVENT_SESSION_ENDED, LOG_NUMBER("exit_code", exit_code),
        LOG_NUMBER("listed", counts->listed), LOG_NUMBER("present", counts->present),
        LOG_NUMBER("stored", counts->stored), LOG_NUMBER("missing", counts->missing),
        LOG_NUMBER("bytes", counts->bytes));
    exit_code = run_files_end_log(files, exit_code);
    int error = retrieval_summary_write(mover->summary, result, exit_code, files->summary_path);
    progress_finish_retrieval(files->progress, result, error == 0 ? files->summary_path : NULL,
                              event_log_path(files->log));
    exit_code = run_files_note(files, "the summary", files->summary_path, error, exit_code);
    if (!mover->options->common.json)
        return exit_code;
    error = retrieval_summary_print(mover->summary, result, exit_code, stdout);
    return run_files_note(files, "standard output", NULL, error, exit_code);
}

/* ---- the run ---- */

static void on_interrupt(void *user, int number)
{
    struct mover *mover = user;
    if (mover->run != NULL)
        retrieval_stop(mover->run, interrupt_text(number), "a second Ctrl-C aborts at once");
}

static void on_ended(void *user, const struct retrieval_result *result)
{
    struct mover *mover = user;
    mover->result = *result;
    mover->run = NULL;
    interrupt_close(&mover->interrupt);
}

/* On the loop, which turns until nothing is open any more. 0, or a negative error and perhaps what it is about. */
static int start(struct mover *mover, const struct retrieval_observer *observer, char *ret_problem, size_t size)
{
    int error = retrieval_start(&mover->run, &mover->loop, &mover->retrieval, observer, on_ended, ret_problem, size);
    if (error != 0)
        return error;
    error = interrupt_listen(&mover->interrupt, &mover->loop, on_interrupt, mover);
    if (error != 0)
        retrieval_stop(mover->run, dicomnet_error_text(error), "");
    return error;
}

/* From begin to end: mover->result. 0, or a negative error, as start has it. */
static int retrieve(struct mover *mover, char *ret_problem, size_t size)
{
    const struct retrieval_observer observer = {.user = mover,
                                                .log = on_log,
                                                .request_ended = on_request_ended,
                                                .missing = on_missing,
                                                .progress = on_progress};
    int error = uv_loop_init(&mover->loop);
    if (error != 0)
        return error;
    error = start(mover, &observer, ret_problem, size);
    uv_run(&mover->loop, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&mover->loop);
    assert(closed == 0);
    (void)closed;
    return error;
}

static int run(struct mover *mover)
{
    struct retrieval_result *result = &mover->result;
    char problem[RETRIEVAL_TEXT_SIZE] = "";
    int exit_code = 1;

    if (open_reports(mover) == 0) {
        log_start(mover);
        int error = retrieve(mover, problem, sizeof problem);
        if (error != 0) {
            fprintf(stderr, "dicom-mover: %s%s\n", problem[0] != '\0' ? problem : dicomnet_error_text(error),
                    console_port_hint(error, mover->options->retrieval.receive_port));
        } else {
            exit_code = retrieval_exit_code(result);
            destination_explain(mover->destination, result->stop_text, sizeof result->stop_text);
            exit_code = write_reports(mover, result, exit_code);
        }
    }
    retrieval_summary_destroy(mover->summary);
    return run_files_close(&mover->files, exit_code);
}

/* What is asked for is neither everything by mistake, nor nothing that can be named. */
static bool is_meant(const struct mover *mover, const struct query_keys *keys, char *ret_message, size_t size)
{
    const struct dicom_mover_options *options = mover->options;
    if (options->retrieval.no_find && !retrieval_names_all(&mover->retrieval)) {
        snprintf(ret_message, size,
                 "--no-find: the keys must name what is wanted: a UID (or a PatientID) without wildcards for --level "
                 "and for each level above it");
        return false;
    }
    return options->fetching.all || query_keys_narrow(keys, &options->query, ret_message, size);
}

/* What a peer is asked for over TLS does not come back in clear. */
static bool receive_over_tls(struct mover *mover, char *ret_message, size_t size)
{
    struct retrieval_options *retrieval = &mover->retrieval;
    struct tls_group tls = mover->destination->tls;
    if (!mover->destination->over_tls || retrieval->get || retrieval->output_dir == NULL)
        return true;
    if (tls.certificate == NULL) {
        snprintf(ret_message, size,
                 "what comes by C-MOVE would come in clear: give the receiver here a certificate (--tls-cert, "
                 "--tls-key), or take --get");
        return false;
    }
    return tls_options_listen(&tls, &retrieval->receive_tls, ret_message, size) == 0;
}

static int fetch(const struct dicom_mover_options *options, const struct peer_query *query)
{
    struct mover mover = {.options = options, .destination = &query->destination};
    char message[OPTIONS_MESSAGE_SIZE];
    int exit_code = 1;
    fill_in_retrieval(&mover, &query->keys.identifier);
    if (is_meant(&mover, &query->keys, message, sizeof message) && receive_over_tls(&mover, message, sizeof message))
        exit_code = run(&mover);
    else
        fprintf(stderr, "dicom-mover: %s\n", message);
    dicomnet_tls_destroy(mover.retrieval.receive_tls);
    return exit_code;
}

static int ask(const void *read_options)
{
    const struct dicom_mover_options *options = read_options;
    struct peer_query query;
    int exit_code = peer_query_read(&query, &options->common, &options->query, false);
    if (exit_code == 0)
        exit_code = fetch(options, &query);
    peer_query_fini(&query);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct dicom_mover_options options;
    return console_main(PROGRAM_MOVER, &options.common, argc, argv, ask);
}
