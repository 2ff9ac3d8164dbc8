/* verification - see dicomnet/verification.h. */
#include "dicomnet/verification.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/clock.h"

enum { ECHO_MESSAGE_ID = 1 };

struct verification {
    struct verification_result result;
    struct association *association;
    uv_timer_t timer; /* the DIMSE timeout */
    uint32_t dimse_ms;
    uint64_t sent_us;
    bool answered;
    void (*done)(void *user, const struct verification_result *result);
    void *user;
};

static void on_timeout(uv_timer_t *timer)
{
    struct verification *echo = timer->data;
    if (echo->association != NULL)
        association_abort(echo->association, ERROR_TIMEOUT_DIMSE);
}

static void on_opened(struct association *association, void *user)
{
    struct verification *echo = user;
    const struct association_context *context = association_context(association, 0);
    echo->result.connect_us = association_connect_us(association);
    echo->result.negotiate_us = association_negotiate_us(association);
    struct dimse_command request = {.present = DIMSE_HAS_CLASS_UID | DIMSE_HAS_MESSAGE_ID,
                                    .field = DIMSE_C_ECHO_RQ,
                                    .message_id = ECHO_MESSAGE_ID,
                                    .class_uid = UID_VERIFICATION};
    echo->sent_us = clock_monotonic_us();
    if (echo->dimse_ms > 0)
        uv_timer_start(&echo->timer, on_timeout, echo->dimse_ms, 0);
    echo->result.error = association_send(association, context->id, &request, NULL);
    if (echo->result.error != 0)
        association_release(association);
}

static void on_command(struct association *association, void *user, uint8_t context_id,
                       const struct dimse_command *command)
{
    struct verification *echo = user;
    bool matches = command->field == DIMSE_C_ECHO_RSP && command->message_id_responded == ECHO_MESSAGE_ID &&
                   (command->present & DIMSE_HAS_STATUS) != 0 && !echo->answered && !dimse_has_data_set(command);
    if (!matches) {
        association_abort(association, ERROR_RESPONSE_MISMATCH);
        return;
    }
    uv_timer_stop(&echo->timer);
    echo->answered = true;
    echo->result.status = command->status;
    echo->result.echo_us = clock_monotonic_us() - echo->sent_us;
    association_release(association);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct verification *echo = handle->data;
    echo->done(echo->user, &echo->result);
    free(echo);
}

static void on_closed(struct association *association, void *user, const struct association_end *end)
{
    struct verification *echo = user;
    echo->result.end = *end;
    echo->association = NULL;
    if (echo->result.connect_us == 0)
        echo->result.connect_us = association_connect_us(association);
    if (!echo->answered && echo->result.error == 0)
        echo->result.error = end->error != 0 ? end->error : ERROR_RELEASED;
    uv_close((uv_handle_t *)&echo->timer, on_timer_closed);
}

static const struct association_handler echo_handler = {
    .opened = on_opened, .command = on_command, .closed = on_closed};

static void free_after_timer(uv_handle_t *handle)
{
    free(handle->data);
}

int verification_echo(struct verification **ret_verification, struct uv_loop_s *loop,
                      const struct association_options *options,
                      void (*done)(void *user, const struct verification_result *result), void *user)
{
    struct verification *echo = calloc(1, sizeof *echo);
    if (echo == NULL)
        return -ENOMEM;
    echo->done = done;
    echo->user = user;
    echo->dimse_ms = options->timeouts.dimse_ms;
    uv_timer_init(loop, &echo->timer);
    echo->timer.data = echo;

    const struct association_proposal proposal = {
        .abstract_syntax = UID_VERIFICATION,
        .syntax_count = 2,
        .syntaxes = {UID_IMPLICIT_VR_LITTLE_ENDIAN, UID_EXPLICIT_VR_LITTLE_ENDIAN}};
    struct association_options with_proposal = *options;
    with_proposal.proposals = &proposal;
    with_proposal.proposal_count = 1;
    with_proposal.window = 1;
    int error = association_open(&echo->association, loop, &with_proposal, &echo_handler, echo);
    if (error != 0)
        uv_close((uv_handle_t *)&echo->timer, free_after_timer);
    else
        *ret_verification = echo;
    return error;
}

void verification_cancel(struct verification *verification)
{
    if (verification->association != NULL)
        association_abort(verification->association, ERROR_ABORTED_LOCALLY);
}
