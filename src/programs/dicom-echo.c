/*
 * dicom-echo - asks a peer whether it is there, and says how long each step took.
 *
 * One thread, one loop; each question is an association of its own, one after the other.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "dicomnet/status.h"
#include "dicomnet/verification.h"
#include "programs/console.h"
#include "programs/destination.h"
#include "programs/interrupt.h"
#include "programs/option_groups.h"
#include "serve/receiver.h"
#include "services/peer_text.h"

struct echo {
    const struct dicom_echo_options *options;
    const struct destination *destination;
    struct dicomnet_association_options association;
    uv_loop_t loop;
    struct interrupt interrupt;
    bool is_interrupted;
    struct receiver *receiver;                  /* with --loopback, else NULL */
    struct dicomnet_verification *verification; /* the question under way; NULL = none */
    uint32_t asked, answered;
    uint64_t sum_us, least_us, most_us;
};

static void ask(struct echo *echo);

static void print_answer(const struct echo *echo, const struct dicomnet_verification_result *result)
{
    if (echo->options->common.quiet)
        return;
    printf("%s answered: status %04X, connect %.2f ms, association %.2f ms, echo %.2f ms\n", echo->destination->text,
           result->status, (double)result->connect_us / 1e3, (double)result->negotiate_us / 1e3,
           (double)result->echo_us / 1e3);
    fflush(stdout);
}

static void print_failure(const struct echo *echo, const struct dicomnet_verification_result *result)
{
    char end[PEER_TEXT_SIZE];
    bool released = result->end.kind == DICOMNET_ASSOCIATION_RELEASED;
    peer_describe_end(&result->end, &echo->association.parameters, &destination_words, end, sizeof end);
    destination_explain(echo->destination, end, sizeof end);
    fprintf(stderr, "dicom-echo: %s: %s\n", echo->destination->text,
            released ? dicomnet_error_text(result->error) : end);
}

static void on_answer(void *user, const struct dicomnet_verification_result *result)
{
    struct echo *echo = user;
    echo->verification = NULL;
    if (result->error != 0) {
        if (!echo->is_interrupted)
            print_failure(echo, result);
    } else {
        print_answer(echo, result);
        if (result->status == DICOMNET_STATUS_SUCCESS) {
            echo->least_us = echo->answered == 0 || result->echo_us < echo->least_us ? result->echo_us : echo->least_us;
            echo->most_us = result->echo_us > echo->most_us ? result->echo_us : echo->most_us;
            echo->sum_us += result->echo_us;
            echo->answered++;
        } else {
            fprintf(stderr, "dicom-echo: %s: the peer answered with status %04X (%s)\n", echo->destination->text,
                    result->status, dicomnet_status_text(result->status));
        }
    }
    ask(echo);
}

/* Nothing keeps the loop then. */
static void end(struct echo *echo)
{
    interrupt_close(&echo->interrupt);
    if (echo->receiver != NULL)
        receiver_close(echo->receiver, NULL, NULL);
}

/* The next question, or the end. */
static void ask(struct echo *echo)
{
    if (echo->asked < echo->options->echo.repeat && !echo->is_interrupted) {
        echo->asked++;
        int error = dicomnet_verification_echo(&echo->verification, &echo->loop, &echo->association, on_answer, echo);
        if (error == 0)
            return;
        fprintf(stderr, "dicom-echo: %s: %s\n", echo->destination->text, dicomnet_error_text(error));
    }
    end(echo);
}

/* What has been asked is not waited for. */
static void on_interrupt(void *user, int number)
{
    struct echo *echo = user;
    if (!echo->is_interrupted)
        fprintf(stderr, "dicom-echo: %s\n", interrupt_text(number));
    echo->is_interrupted = true;
    if (echo->verification != NULL)
        dicomnet_verification_cancel(echo->verification);
}

static int open_loopback(struct echo *echo)
{
    struct receiver_options receiver = {
        .acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                     .bind_address = "127.0.0.1",
                     .association = {.timeouts = echo->options->connection.network.timeouts}}};
    char problem[128];
    int error = receiver_open(&echo->receiver, &echo->loop, &receiver, problem, sizeof problem);
    if (error != 0) {
        fprintf(stderr, "dicom-echo: --loopback: %s\n", problem);
        return error;
    }
    echo->association.parameters.host = "127.0.0.1";
    echo->association.parameters.port = receiver_port(echo->receiver);
    return 0;
}

static int run(struct echo *echo)
{
    const struct dicom_echo_options *options = echo->options;
    const struct destination *destination = echo->destination;
    struct dicomnet_logger logger = console_logger((enum dicomnet_log_level)options->common.log_level);

    echo->association = (struct dicomnet_association_options){
        .size = sizeof(struct dicomnet_association_options), .parameters = destination->association, .logger = &logger};
    if (uv_loop_init(&echo->loop) != 0) {
        fprintf(stderr, "dicom-echo: no event loop\n");
        return 1;
    }
    int deaf = interrupt_listen(&echo->interrupt, &echo->loop, on_interrupt, echo);
    if (deaf != 0)
        (void)console_say_error("dicom-echo", "signals", NULL, deaf);
    if (deaf == 0 && (!destination->loopback || open_loopback(echo) == 0))
        ask(echo);
    else
        end(echo);
    uv_run(&echo->loop, UV_RUN_DEFAULT);
    int error = uv_loop_close(&echo->loop);
    assert(error == 0);
    (void)error;

    if (options->echo.repeat > 1 && !options->common.quiet && echo->answered > 0)
        printf("%u of %u answered: echo %.2f ms on average, %.2f least, %.2f most\n", echo->answered,
               options->echo.repeat, (double)echo->sum_us / echo->answered / 1e3, (double)echo->least_us / 1e3,
               (double)echo->most_us / 1e3);
    if (echo->is_interrupted)
        return 130;
    return echo->answered == options->echo.repeat ? 0 : echo->answered > 0 ? 2 : 1;
}

static int find_and_ask(const void *read_options)
{
    const struct dicom_echo_options *options = read_options;
    struct destination destination;
    struct echo echo = {.options = options, .destination = &destination};
    char message[OPTIONS_MESSAGE_SIZE];
    int result = destination_find(&options->common, &destination, message, sizeof message);
    if (result == 0)
        destination_warn(&destination, &options->common);
    int exit_code = result == 0 ? run(&echo) : destination_say(&options->common, result, message);
    destination_fini(&destination);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct dicom_echo_options options;
    return console_main(PROGRAM_ECHO, &options.common, argc, argv, find_and_ask);
}
