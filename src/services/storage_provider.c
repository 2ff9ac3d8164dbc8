/*
 * storage_provider - the provider side of C-STORE and C-ECHO on one association. See dicomnet/storage.h.
 *
 * Requests are taken as they come, also while an earlier response is on its way out; responses wait their turn in a
 * ring. A peer that sends more requests than may be outstanding, and reads no responses, is aborted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "dicomnet/storage.h"

enum { RESPONSES_MAX = STORAGE_WINDOW_MAX + 8 };

struct response {
    uint64_t due_us;
    uint8_t context_id;
    struct dimse_command command;
};

struct storage_provider {
    struct storage_provider_options options;
    struct association *association; /* from `opened` on */
    uv_timer_t timer;                /* until a delayed response is due; open from `opened` on */
    bool in_send;                    /* send_responses is on the stack: it goes on by itself */
    bool in_instance;                /* between sink.begin and sink.end */
    uint16_t refused_status;         /* of the current message; 0 = the sink takes it */
    uint8_t context_id;              /* of the current message */
    unsigned first, count;           /* of the ring */
    struct response responses[RESPONSES_MAX];
};

/* ---- responses ---- */

static void on_timer(uv_timer_t *timer);

static void send_responses(struct storage_provider *provider)
{
    while (provider->count > 0 && association_can_send(provider->association)) {
        struct response *response = &provider->responses[provider->first];
        uint64_t now_us = provider->options.response_delay_ms > 0 ? clock_monotonic_us() : response->due_us;
        if (response->due_us > now_us) {
            uv_timer_start(&provider->timer, on_timer, (response->due_us - now_us + 999) / 1000, 0);
            return;
        }
        provider->first = (provider->first + 1) % RESPONSES_MAX;
        provider->count--;
        provider->in_send = true;
        int error = association_send(provider->association, response->context_id, &response->command, NULL);
        provider->in_send = false;
        if (error != 0)
            return; /* it is ending */
    }
}

static void on_timer(uv_timer_t *timer)
{
    send_responses(timer->data);
}

static void respond(struct storage_provider *provider, uint8_t context_id, const struct dimse_command *command,
                    uint32_t delay_ms)
{
    if (provider->count == RESPONSES_MAX) {
        association_abort(provider->association, ERROR_DIMSE_UNEXPECTED);
        return;
    }
    struct response *response = &provider->responses[(provider->first + provider->count) % RESPONSES_MAX];
    response->due_us = delay_ms > 0 ? clock_monotonic_us() + (uint64_t)delay_ms * 1000 : 0;
    response->context_id = context_id;
    response->command = *command;
    provider->count++;
    send_responses(provider);
}

/* ---- requests ---- */

static uint8_t on_negotiate(struct association *association, void *user, struct span abstract_syntax,
                            struct span syntaxes, struct span *ret_syntax)
{
    char class_uid[UID_SIZE];
    span_copy_trimmed(abstract_syntax, class_uid, sizeof class_uid);
    bool wanted = strcmp(class_uid, UID_VERIFICATION) == 0 || uid_is_storable(class_uid);
    if (!wanted || !uid_is_well_formed(class_uid, strlen(class_uid)))
        return CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    /* The proposer's first choice: it comes in whatever syntax suits the proposer best. */
    return pdu_next_transfer_syntax(&syntaxes, ret_syntax) ? CONTEXT_ACCEPTED : CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
}

static void on_opened(struct association *association, void *user)
{
    struct storage_provider *provider = user;
    provider->association = association;
    if (provider->options.sink->opened != NULL)
        provider->options.sink->opened(provider->options.context, association);
}

static void end_instance(struct storage_provider *provider, const struct dimse_command *request)
{
    const struct storage_sink *sink = provider->options.sink;
    uint16_t status = provider->refused_status;
    char comment[65] = "";
    provider->in_instance = false;
    if (status == STATUS_SUCCESS)
        status = sink->end(provider->options.context, comment);
    struct dimse_command response = dimse_response_to(request, status);
    if (comment[0] != '\0') {
        response.present |= DIMSE_HAS_ERROR_COMMENT;
        snprintf(response.error_comment, sizeof response.error_comment, "%s", comment);
    }
    if (request->field != DIMSE_C_STORE_RQ || sink->answering == NULL ||
        sink->answering(provider->options.context, provider->context_id, &response))
        respond(provider, provider->context_id, &response, provider->options.response_delay_ms);
}

static void begin_instance(struct storage_provider *provider, const struct dimse_command *request)
{
    provider->in_instance = true;
    provider->refused_status = dimse_has_data_set(request)
                                   ? provider->options.sink->begin(provider->options.context, provider->association,
                                                                   provider->context_id, request)
                                   : STATUS_CANNOT_UNDERSTAND;
    if (!dimse_has_data_set(request))
        end_instance(provider, request);
}

/* Any other request gets its answer once its data set, if it has one, has been drained. */
static void refuse(struct storage_provider *provider, const struct dimse_command *request)
{
    provider->in_instance = true;
    provider->refused_status = STATUS_UNRECOGNIZED_OPERATION;
    if (!dimse_has_data_set(request))
        end_instance(provider, request);
}

static void on_command(struct association *association, void *user, uint8_t context_id,
                       const struct dimse_command *command)
{
    struct storage_provider *provider = user;
    provider->context_id = context_id;
    if (command->field == DIMSE_C_STORE_RQ) {
        begin_instance(provider, command);
    } else if (command->field == DIMSE_C_ECHO_RQ && !dimse_has_data_set(command)) {
        struct dimse_command response = dimse_response_to(command, STATUS_SUCCESS);
        respond(provider, context_id, &response, 0);
    } else if (command->field == DIMSE_C_CANCEL_RQ) {
        /* there is nothing to cancel */
    } else if ((command->field & DIMSE_RESPONSE) != 0) {
        association_abort(association, ERROR_DIMSE_UNEXPECTED);
    } else {
        refuse(provider, command);
    }
}

static void on_data(struct association *association, void *user, const struct dimse_command *command, struct span bytes,
                    bool last)
{
    struct storage_provider *provider = user;
    if (!provider->in_instance)
        return;
    if (provider->refused_status == STATUS_SUCCESS && bytes.len > 0)
        provider->options.sink->bytes(provider->options.context, bytes);
    if (last)
        end_instance(provider, command);
}

static void on_sent(struct association *association, void *user)
{
    struct storage_provider *provider = user;
    if (!provider->in_send)
        send_responses(provider);
}

static void free_provider(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(struct association *association, void *user, const struct association_end *end)
{
    struct storage_provider *provider = user;
    if (provider->in_instance && provider->refused_status == STATUS_SUCCESS)
        provider->options.sink->cancel(provider->options.context);
    provider->options.sink->closed(provider->options.context, end);
    uv_close((uv_handle_t *)&provider->timer, free_provider);
}

const struct association_handler storage_provider_handler = {.opened = on_opened,
                                                             .negotiate = on_negotiate,
                                                             .command = on_command,
                                                             .data = on_data,
                                                             .sent = on_sent,
                                                             .closed = on_closed};

struct storage_provider *storage_provider_create(struct uv_loop_s *loop, const struct storage_provider_options *options)
{
    struct storage_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL)
        return NULL;
    provider->options = *options;
    uv_timer_init(loop, &provider->timer);
    provider->timer.data = provider;
    return provider;
}

void storage_provider_destroy(struct storage_provider *provider)
{
    if (provider != NULL)
        uv_close((uv_handle_t *)&provider->timer, free_provider);
}
