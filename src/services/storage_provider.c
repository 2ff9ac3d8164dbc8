/*
 * storage_provider - the provider side of C-STORE and C-ECHO on one association. See dicomnet/storage.h.
 *
 * Requests are taken as they come, also while an earlier response is on its way out; what is done with them is in
 * store_intake.c.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "dicomnet/storage.h"
#include "services/store_intake.h"

struct storage_provider {
    struct storage_provider_options options;
    uv_timer_t timer; /* until a delayed response is due */
    bool in_send;     /* send_responses is on the stack: it goes on by itself */
    struct store_intake intake;
    max_align_t context[]; /* if it is the provider's own */
};

static void on_timer(uv_timer_t *timer);

static void send_responses(struct storage_provider *provider)
{
    uint64_t wait_us = 0;
    if (provider->in_send)
        return;
    provider->in_send = true;
    while (store_intake_send(&provider->intake, &wait_us)) {
    }
    provider->in_send = false;
    if (wait_us > 0)
        uv_timer_start(&provider->timer, on_timer, (wait_us + 999) / 1000, 0);
}

static void on_timer(uv_timer_t *timer)
{
    send_responses(timer->data);
}

static bool on_welcome(struct association *association, void *user)
{
    struct storage_provider *provider = user;
    return provider->options.welcome == NULL || provider->options.welcome(provider->options.context, association);
}

static uint8_t on_negotiate(struct association *association, void *user, struct span abstract_syntax,
                            struct span syntaxes, struct span *ret_syntax)
{
    struct storage_provider *provider = user;
    char class_uid[UID_SIZE];
    if (provider->options.negotiate != NULL)
        return provider->options.negotiate(provider->options.context, abstract_syntax, syntaxes, ret_syntax);
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
    provider->intake.association = association;
    if (provider->options.sink->opened != NULL)
        provider->options.sink->opened(provider->options.context, association);
}

static void on_command(struct association *association, void *user, uint8_t context_id,
                       const struct dimse_command *command)
{
    struct storage_provider *provider = user;
    if (command->field == DIMSE_C_CANCEL_RQ)
        return; /* there is nothing to cancel */
    if ((command->field & DIMSE_RESPONSE) != 0) {
        association_abort(association, ERROR_DIMSE_UNEXPECTED);
        return;
    }
    store_intake_command(&provider->intake, context_id, command);
    send_responses(provider);
}

static void on_data(struct association *association, void *user, const struct dimse_command *command, struct span bytes,
                    bool last)
{
    struct storage_provider *provider = user;
    store_intake_data(&provider->intake, command, bytes, last);
    if (last)
        send_responses(provider);
}

static void on_sent(struct association *association, void *user)
{
    send_responses(user);
}

static void free_provider(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(struct association *association, void *user, const struct association_end *end)
{
    struct storage_provider *provider = user;
    store_intake_end(&provider->intake);
    if (provider->options.sink->closed != NULL)
        provider->options.sink->closed(provider->options.context, end);
    uv_close((uv_handle_t *)&provider->timer, free_provider);
}

const struct association_handler storage_provider_handler = {.opened = on_opened,
                                                             .welcome = on_welcome,
                                                             .negotiate = on_negotiate,
                                                             .command = on_command,
                                                             .data = on_data,
                                                             .sent = on_sent,
                                                             .closed = on_closed};

struct storage_provider *storage_provider_create(struct uv_loop_s *loop, const struct storage_provider_options *options)
{
    struct storage_provider *provider = calloc(1, sizeof *provider + options->context_size);
    if (provider == NULL)
        return NULL;
    provider->options = *options;
    if (options->context_size > 0)
        provider->options.context = provider->context;
    provider->intake.sink = options->sink;
    provider->intake.context = provider->options.context;
    provider->intake.response_delay_ms = options->response_delay_ms;
    uv_timer_init(loop, &provider->timer);
    provider->timer.data = provider;
    return provider;
}

void storage_provider_destroy(struct storage_provider *provider)
{
    if (provider != NULL)
        uv_close((uv_handle_t *)&provider->timer, free_provider);
}
