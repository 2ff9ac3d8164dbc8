/*
 * dicom-receiver - a storage and verification provider, until it is told to stop.
 *
 * One thread, one loop: the receiver of serve/, and the signals that end it.
 */
#include <stdio.h>

#include "programs/console.h"
#include "programs/option_groups.h"
#include "programs/server.h"
#include "report/access_log.h"
#include "report/format.h"
#include "serve/listening.h"
#include "serve/receiver.h"

struct listener {
    struct server server;
    struct receiver *receiver;
    struct access_log *access_log; /* NULL if none is written */
    struct receiver_totals totals; /* as they were when it was told to stop */
};

static void close_receiver(void *user)
{
    struct listener *program = user;
    program->totals = *receiver_totals(program->receiver);
    receiver_close(program->receiver, NULL, NULL);
}

static struct receiver_options receiver_options_of(const struct dicom_receiver_options *options,
                                                   const struct dicomnet_logger *logger)
{
    struct receiver_options receiver = {
        .acceptor = server_acceptor_of(&options->listening, "DICOM_RECEIVER", logger),
        .output_dir = options->storing.output_dir,
        .sync = options->storing.sync,
        .mode = options->storing.mode,
        .accept_syntaxes = options->listening.accept_syntaxes.items,
        .accept_syntax_count = options->listening.accept_syntaxes.count,
        .faults = {.status = (uint16_t)options->faults.status,
                   .response_delay_ms = options->faults.response_delay_ms,
                   .fail_every = options->faults.fail.every,
                   .fail_status = (uint16_t)options->faults.fail.status,
                   .abort_after = options->faults.abort_after,
                   .stall_after = options->faults.stall_after,
                   .acceptor = {.reject_first = options->faults.reject_transient,
                                .two_writes = options->faults.two_writes}},
        .logger = logger,
    };
    receiver.acceptor.association.window = options->listening.window;
    return receiver;
}

/* What cannot be opened is said, with its name. */
static int open_access_log(const struct dicom_receiver_options *options, struct listener *program,
                           struct receiver_options *receiver)
{
    if (options->storing.access_log == NULL)
        return 0;
    int error = access_log_open(&program->access_log, options->storing.access_log);
    if (error != 0)
        fprintf(stderr, "dicom-receiver: --access-log: '%s': %s\n", options->storing.access_log,
                dicomnet_error_text(error));
    receiver->observer = &access_log_observer;
    receiver->observer_user = program->access_log;
    return error;
}

static int open_receiver(const struct dicom_receiver_options *options, struct listener *program,
                         const struct receiver_options *receiver)
{
    char problem[512];
    int error = receiver_open(&program->receiver, &program->server.loop, receiver, problem, sizeof problem);
    if (error != 0) {
        fprintf(stderr, "dicom-receiver: %s%s\n", problem, console_port_hint(error, options->listening.port));
        return error;
    }
    for (size_t i = 0; program->access_log != NULL && i < listening_count(&receiver->acceptor); i++)
        (void)access_log_begin(program->access_log, listening_address(&receiver->acceptor, i),
                               receiver_port(program->receiver));
    return 0;
}

static void print_totals(const struct receiver_totals *totals)
{
    char bytes[FORMAT_SIZE];
    format_bytes(bytes, (double)totals->bytes);
    printf("%llu association%s, %llu stored, %llu refused, %s\n", (unsigned long long)totals->associations,
           totals->associations == 1 ? "" : "s", (unsigned long long)totals->stored,
           (unsigned long long)totals->refused, bytes);
}

static int run(const void *read_options)
{
    const struct dicom_receiver_options *options = read_options;
    struct listener program = {0};
    struct dicomnet_logger logger = console_logger((enum dicomnet_log_level)options->common.log_level);
    struct receiver_options receiver = receiver_options_of(options, &logger);

    if (server_make_access(&options->listening, "dicom-receiver", &receiver.acceptor) != 0)
        return 1;
    if (open_access_log(options, &program, &receiver) != 0) {
        server_drop_access(&receiver.acceptor);
        return 1;
    }
    if (server_init(&program.server, "dicom-receiver", close_receiver, &program) != 0) {
        server_drop_access(&receiver.acceptor);
        (void)access_log_close(program.access_log);
        return 1;
    }
    int error = open_receiver(options, &program, &receiver);
    if (error == 0) {
        error = server_hear_signals(&program.server);
        if (error == 0)
            server_say_listening(&receiver.acceptor, receiver_port(program.receiver));
        else
            server_stop(&program.server);
    }
    server_run(&program.server);
    server_drop_access(&receiver.acceptor);
    int log_error = access_log_close(program.access_log);
    if (log_error != 0)
        fprintf(stderr, "dicom-receiver: --access-log: '%s': %s\n", options->storing.access_log,
                dicomnet_error_text(log_error));
    if (error == 0 && !options->common.quiet)
        print_totals(&program.totals);
    return error == 0 && log_error == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct dicom_receiver_options options;
    return console_main(PROGRAM_RECEIVER, &options.common, argc, argv, run);
}
