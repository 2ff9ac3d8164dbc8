/* verification - see dicomnet/verification.h. A service of an exchange, with the one operation that it is there for. */
#include "dicomnet/verification.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/arguments.h"
#include "services/exchange.h"

struct dicomnet_verification {
    struct service service;
    struct operation operation;
    bool alone; /* the exchange is its own: `done` comes when the association has ended */
    bool answered;
    uint64_t begun_us;
    struct dicomnet_verification_result result;
    void (*done)(void *user, const struct dicomnet_verification_result *result);
    void *user;
};

static struct dicomnet_verification *echo_of(struct service *service)
{
    return list_entry(service, struct dicomnet_verification, service);
}

static void tell_and_free(struct dicomnet_verification *echo)
{
    echo->done(echo->user, &echo->result);
    free(echo);
}

static void finish(struct dicomnet_verification *echo)
{
    exchange_end(&echo->service, &echo->operation);
    if (echo->alone) {
        exchange_let_go(&echo->service);
        return;
    }
    exchange_leave(&echo->service);
    tell_and_free(echo);
}

static int send_request(struct dicomnet_verification *echo)
{
    const struct dicomnet_association_context *context =
        exchange_find_context(echo->service.exchange, DICOMNET_UID_VERIFICATION, NULL);
    if (context == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    struct dicomnet_dimse_command request = {.present = DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID,
                                             .field = echo->operation.field,
                                             .message_id = echo->operation.message_id,
                                             .class_uid = DICOMNET_UID_VERIFICATION};
    echo->begun_us = clock_monotonic_us();
    return exchange_begin(&echo->service, &echo->operation, context->id, &request, NULL);
}

static void on_begin(struct service *service, struct operation *operation)
{
    struct dicomnet_verification *echo = echo_of(service);
    const struct dicomnet_association *association = service->exchange->association;
    echo->result.connect_us = dicomnet_association_connect_us(association);
    echo->result.negotiate_us = dicomnet_association_negotiate_us(association);
    echo->result.error = send_request(echo);
    if (echo->result.error != 0)
        finish(echo);
}

static int on_response(struct service *service, struct operation *operation, uint8_t context_id,
                       const struct dicomnet_dimse_command *response)
{
    struct dicomnet_verification *echo = echo_of(service);
    if ((response->present & DICOMNET_DIMSE_HAS_STATUS) == 0 || dicomnet_dimse_has_data_set(response))
        return DICOMNET_ERROR_RESPONSE_MISMATCH;
    echo->answered = true;
    echo->result.status = response->status;
    echo->result.echo_us = clock_monotonic_us() - echo->begun_us;
    finish(echo);
    return 0;
}

static void on_closed(struct service *service, const struct dicomnet_association_end *end)
{
    struct dicomnet_verification *echo = echo_of(service);
    echo->result.end = *end;
    if (echo->result.connect_us == 0)
        echo->result.connect_us = dicomnet_association_connect_us(service->exchange->association);
    if (!echo->answered && echo->result.error == 0)
        echo->result.error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
    exchange_end(service, &echo->operation);
    tell_and_free(echo);
}

static const struct service_class verification_class = {
    .begin = on_begin, .response = on_response, .closed = on_closed};

/* ---- what the application asks for ---- */

static struct dicomnet_verification *
create(bool alone, void (*done)(void *user, const struct dicomnet_verification_result *result), void *user)
{
    struct dicomnet_verification *echo = calloc(1, sizeof *echo);
    if (echo == NULL)
        return NULL;
    echo->alone = alone;
    echo->done = done;
    echo->user = user;
    return echo;
}

/* 0 with the verification, which waits for its turn; or the error, and then it is freed. */
static int start(struct dicomnet_verification *echo, int error, struct dicomnet_verification **ret_verification)
{
    if (error != 0) {
        free(echo);
        return error;
    }
    echo->operation.message_id = operations_next_message_id(&echo->service.exchange->operations);
    echo->operation.field = DICOMNET_DIMSE_C_ECHO_RQ;
    *ret_verification = echo;
    exchange_enqueue(&echo->service, &echo->operation);
    return 0;
}

int dicomnet_verification_echo(struct dicomnet_verification **ret_verification, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               void (*done)(void *user, const struct dicomnet_verification_result *result), void *user)
{
    struct dicomnet_association_options with_proposal;
    int error = done != NULL ? arguments_take_options(&with_proposal, options) : -EINVAL;
    if (error != 0)
        return error;
    struct dicomnet_verification *echo = create(true, done, user);
    if (echo == NULL)
        return -ENOMEM;
    const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = DICOMNET_UID_VERIFICATION,
        .syntax_count = 2,
        .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN}};
    with_proposal.proposals = &proposal;
    with_proposal.proposal_count = 1;
    with_proposal.parameters.window = 1;
    return start(echo, exchange_open_for(&echo->service, &verification_class, loop, &with_proposal), ret_verification);
}

int dicomnet_verification_join(struct dicomnet_verification **ret_verification, struct dicomnet_exchange *exchange,
                               void (*done)(void *user, const struct dicomnet_verification_result *result), void *user)
{
    if (exchange == NULL || done == NULL)
        return -EINVAL;
    if (exchange->state == EXCHANGE_OPEN && exchange_find_context(exchange, DICOMNET_UID_VERIFICATION, NULL) == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    struct dicomnet_verification *echo = create(false, done, user);
    if (echo == NULL)
        return -ENOMEM;
    return start(echo, exchange_join(exchange, &echo->service, &verification_class), ret_verification);
}

void dicomnet_verification_cancel(struct dicomnet_verification *verification)
{
    dicomnet_association_abort(verification->service.exchange->association, DICOMNET_ERROR_ABORTED_LOCALLY);
}
