/* verification - see dicomnet/verification.h. */
#include "dicomnet/verification.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/clock.h"

enum { ECHO_MESSAGE_ID = 1 };

struct dicomnet_verification {
    struct dicomnet_verification_result result;
    struct dicomnet_association *association;
    uv_timer_t timer; /* the DIMSE timeout */
    uint32_t dimse_ms;
    uint64_t sent_us;
    bool answered;
    void (*done)(void *user, const struct dicomnet_verification_result *result);
    void *user;
};

static void on_timeout(uv_timer_t *timer)
{
    struct dicomnet_verification *echo = timer->data;
    if (echo->association != NULL)
        dicomnet_association_abort(echo->association, DICOMNET_ERROR_TIMEOUT_DIMSE);
}

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct dicomnet_verification *echo = user;
    const struct dicomnet_association_context *context = dicomnet_association_context(association, 0);
    echo->result.connect_us = dicomnet_association_connect_us(association);
    echo->result.negotiate_us = dicomnet_association_negotiate_us(association);
    struct dicomnet_dimse_command request = {.present = DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID,
                                             .field = DICOMNET_DIMSE_C_ECHO_RQ,
                                             .message_id = ECHO_MESSAGE_ID,
                                             .class_uid = DICOMNET_UID_VERIFICATION};
    echo->sent_us = clock_monotonic_us();
    if (echo->dimse_ms > 0)
        uv_timer_start(&echo->timer, on_timeout, echo->dimse_ms, 0);
    echo->result.error = dicomnet_association_send(association, context->id, &request, NULL);
    if (echo->result.error != 0)
        dicomnet_association_release(association);
}

static void on_command(struct dicomnet_association *association, void *user, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_verification *echo = user;
    bool matches = command->field == DICOMNET_DIMSE_C_ECHO_RSP && command->message_id_responded == ECHO_MESSAGE_ID &&
                   (command->present & DICOMNET_DIMSE_HAS_STATUS) != 0 && !echo->answered &&
                   !dicomnet_dimse_has_data_set(command);
    if (!matches) {
        dicomnet_association_abort(association, DICOMNET_ERROR_RESPONSE_MISMATCH);
        return;
    }
    uv_timer_stop(&echo->timer);
    echo->answered = true;
    echo->result.status = command->status;
    echo->result.echo_us = clock_monotonic_us() - echo->sent_us;
    dicomnet_association_release(association);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct dicomnet_verification *echo = handle->data;
    echo->done(echo->user, &echo->result);
    free(echo);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct dicomnet_verification *echo = user;
    echo->result.end = *end;
    echo->association = NULL;
    if (echo->result.connect_us == 0)
        echo->result.connect_us = dicomnet_association_connect_us(association);
    if (!echo->answered && echo->result.error == 0)
        echo->result.error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
    uv_close((uv_handle_t *)&echo->timer, on_timer_closed);
}

static const struct dicomnet_association_handler echo_handler = {
    .opened = on_opened, .command = on_command, .closed = on_closed};

static void free_after_timer(uv_handle_t *handle)
{
    free(handle->data);
}

int dicomnet_verification_echo(struct dicomnet_verification **ret_verification, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               void (*done)(void *user, const struct dicomnet_verification_result *result), void *user)
{
    struct dicomnet_verification *echo = calloc(1, sizeof *echo);
    if (echo == NULL)
        return -ENOMEM;
    echo->done = done;
    echo->user = user;
    echo->dimse_ms = options->timeouts.dimse_ms;
    uv_timer_init(loop, &echo->timer);
    echo->timer.data = echo;

    const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = DICOMNET_UID_VERIFICATION,
        .syntax_count = 2,
        .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}};
    struct dicomnet_association_options with_proposal = *options;
    with_proposal.proposals = &proposal;
    with_proposal.proposal_count = 1;
    with_proposal.window = 1;
    int error = dicomnet_association_open(&echo->association, loop, &with_proposal, &echo_handler, echo);
    if (error != 0)
        uv_close((uv_handle_t *)&echo->timer, free_after_timer);
    else
        *ret_verification = echo;
    return error;
}

void dicomnet_verification_cancel(struct dicomnet_verification *verification)
{
    if (verification->association != NULL)
        dicomnet_association_abort(verification->association, DICOMNET_ERROR_ABORTED_LOCALLY);
}
