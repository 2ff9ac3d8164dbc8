/*
 * dicom-receiver - a storage and verification provider, until it is told to stop.
 *
 * One thread, one loop: the receiver of engine/, and two signals.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "engine/interrupt.h"
#include "programs/console.h"
#include "programs/option_groups.h"
#include "report/access_log.h"
#include "report/format.h"
#include "serve/receiver.h"

struct listener {
    uv_loop_t loop;
    struct interrupt interrupt;
    struct receiver *receiver;
    struct access_log *access_log; /* NULL if none is written */
    struct receiver_totals totals; /* as they were when it was told to stop */
    bool stopping;
};

static void stop(struct listener *program)
{
    if (program->stopping)
        return;
    program->stopping = true;
    program->totals = *receiver_totals(program->receiver);
    receiver_close(program->receiver, NULL, NULL);
    interrupt_close(&program->interrupt);
}

static void on_interrupt(void *user, int number)
{
    (void)number;
    stop(user);
}

static struct receiver_options receiver_options_of(const struct dicom_receiver_options *options,
                                                   const struct dicomnet_logger *logger)
{
    struct receiver_options receiver = {
        .acceptor = {.bind_address = options->listening.bind_address,
                     .port = (uint16_t)options->listening.port,
                     .max_associations = options->listening.max_associations,
                     .max_connections = options->listening.max_connections,
                     .idle_ms = options->listening.idle_ms,
                     .reject_first = options->faults.reject_transient,
                     .association = {.check_called_ae = options->listening.own_ae[0] != '\0',
                                     .max_pdu_len = options->listening.network.max_pdu_len,
                                     .window = (uint16_t)options->listening.window,
                                     .timeouts = options->listening.network.timeouts,
                                     .two_writes = options->faults.two_writes,
                                     .logger = logger}},
        .output_dir = options->storing.output_dir,
        .sync = options->storing.sync,
        .mode = options->storing.mode,
        .faults = {.status = (uint16_t)options->faults.status,
                   .response_delay_ms = options->faults.response_delay_ms,
                   .fail_every = options->faults.fail.every,
                   .fail_status = (uint16_t)options->faults.fail.status,
                   .abort_after = options->faults.abort_after,
                   .stall_after = options->faults.stall_after},
        .logger = logger,
    };
    strcpy(receiver.acceptor.association.ae,
           options->listening.own_ae[0] != '\0' ? options->listening.own_ae : "DICOM_RECEIVER");
    return receiver;
}

static void print_listening(const struct dicom_receiver_options *options, const struct listener *program)
{
    bool brackets = strchr(options->listening.bind_address, ':') != NULL;
    printf("listening on %s%s%s:%u\n", brackets ? "[" : "", options->listening.bind_address, brackets ? "]" : "",
           receiver_port(program->receiver));
    fflush(stdout);
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
    int error = receiver_open(&program->receiver, &program->loop, receiver, problem, sizeof problem);
    if (error != 0) {
        fprintf(stderr, "dicom-receiver: %s%s\n", problem, console_port_hint(error, options->listening.port));
        return error;
    }
    if (program->access_log != NULL)
        (void)access_log_begin(program->access_log, options->listening.bind_address, receiver_port(program->receiver));
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

static int run(const struct dicom_receiver_options *options)
{
    struct listener program = {0};
    struct dicomnet_logger logger = console_logger((enum dicomnet_log_level)options->common.log_level);
    struct receiver_options receiver = receiver_options_of(options, &logger);

    if (open_access_log(options, &program, &receiver) != 0)
        return 1;
    if (uv_loop_init(&program.loop) != 0) {
        fprintf(stderr, "dicom-receiver: no event loop\n");
        (void)access_log_close(program.access_log);
        return 1;
    }
    int error = open_receiver(options, &program, &receiver);
    if (error == 0) {
        error = interrupt_listen(&program.interrupt, &program.loop, on_interrupt, &program);
        if (error == 0)
            print_listening(options, &program);
        else
            stop(&program);
    }
    uv_run(&program.loop, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&program.loop);
    assert(closed == 0);
    (void)closed;
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
    int exit_code = 1;

    console_prepare_process("dicom-receiver");
    if (options_begin(&options.common, PROGRAM_RECEIVER, argc, argv, &exit_code))
        exit_code = run(&options);
    options_fini(&options.common);
    return console_end("dicom-receiver", exit_code);
}
