/*
 * storage_provider - the provider side of C-STORE and C-ECHO on one association. See dicomnet/storage.h.
 *
 * Requests are taken as they come, also while an earlier response is on its way out; what is done with them is in
 * store_intake.c.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/sized.h"
#include "dicomnet/storage.h"
#include "services/storage_faults.h"
#include "services/store_intake.h"
#include "services/syntax_choice.h"

struct dicomnet_storage_provider {
    struct dicomnet_storage_provider_options options;
    uv_timer_t timer; /* until a delayed response is due */
    bool in_send;     /* send_responses is on the stack, and sends what is added meanwhile */
    struct store_intake intake;
    max_align_t context[]; /* the sink's, if options.context_size is not 0 */
};

static void on_timer(uv_timer_t *timer);

static void send_responses(struct dicomnet_storage_provider *provider)
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

static bool on_welcome(struct dicomnet_association *association, void *user)
{
    struct dicomnet_storage_provider *provider = user;
    return provider->options.welcome == NULL || provider->options.welcome(provider->options.context, association);
}

static uint8_t on_negotiate(struct dicomnet_association *association, void *user, struct dicomnet_span abstract_syntax,
                            struct dicomnet_span syntaxes, struct dicomnet_span *ret_syntax)
{
    struct dicomnet_storage_provider *provider = user;
    char class_uid[DICOMNET_UID_SIZE];
    if (provider->options.negotiate != NULL)
        return provider->options.negotiate(provider->options.context, abstract_syntax, syntaxes, ret_syntax);
    dicomnet_span_copy_trimmed(abstract_syntax, class_uid, sizeof class_uid);
    bool wanted = strcmp(class_uid, DICOMNET_UID_VERIFICATION) == 0 || dicomnet_uid_is_storable(class_uid);
    if (!wanted || !dicomnet_uid_is_well_formed(class_uid, strlen(class_uid)))
        return DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    size_t accept_count = dicomnet_uid_is_storable(class_uid) ? provider->options.accept_syntax_count : 0;
    return syntax_choose(syntaxes, provider->options.accept_syntaxes, accept_count, ret_syntax);
}

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct dicomnet_storage_provider *provider = user;
    provider->intake.association = association;
    if (provider->options.sink->opened != NULL)
        provider->options.sink->opened(provider->options.context, association);
}

static void on_command(struct dicomnet_association *association, void *user, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_storage_provider *provider = user;
    if (command->field == DICOMNET_DIMSE_C_CANCEL_RQ)
        return; /* there is nothing to cancel */
    if ((command->field & DICOMNET_DIMSE_RESPONSE) != 0) {
        dicomnet_association_abort(association, DICOMNET_ERROR_DIMSE_UNEXPECTED);
        return;
    }
    store_intake_command(&provider->intake, context_id, command);
    send_responses(provider);
}

static void on_data(struct dicomnet_association *association, void *user, const struct dicomnet_dimse_command *command,
                    struct dicomnet_span bytes, bool last)
{
    struct dicomnet_storage_provider *provider = user;
    store_intake_data(&provider->intake, command, bytes, last);
    if (last)
        send_responses(provider);
}

static void on_sent(struct dicomnet_association *association, void *user)
{
    send_responses(user);
}

static void free_provider(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct dicomnet_storage_provider *provider = user;
    store_intake_end(&provider->intake);
    if (provider->options.sink->closed != NULL)
        provider->options.sink->closed(provider->options.context, end);
    uv_close((uv_handle_t *)&provider->timer, free_provider);
}

const struct dicomnet_association_handler dicomnet_storage_provider_handler = {.opened = on_opened,
                                                                               .welcome = on_welcome,
                                                                               .negotiate = on_negotiate,
                                                                               .command = on_command,
                                                                               .data = on_data,
                                                                               .sent = on_sent,
                                                                               .closed = on_closed};

int dicomnet_storage_provider_create(struct dicomnet_storage_provider **ret_provider, struct uv_loop_s *loop,
                                     const struct dicomnet_storage_provider_options *options)
{
    struct dicomnet_storage_provider_options own;
    int error = SIZED_TAKE(&own, negotiate, options);
    if (error != 0)
        return error;
    if (ret_provider == NULL || loop == NULL || own.sink == NULL || !store_intake_can_use(own.sink))
        return -EINVAL;
    struct dicomnet_storage_provider *provider = calloc(1, sizeof *provider + own.context_size);
    if (provider == NULL)
        return -ENOMEM;
    provider->options = own;
    if (own.context_size > 0)
        provider->options.context = provider->context;
    provider->intake.sink = own.sink;
    provider->intake.context = provider->options.context;
    uv_timer_init(loop, &provider->timer);
    provider->timer.data = provider;
    *ret_provider = provider;
    return 0;
}

void storage_provider_delay_responses(struct dicomnet_storage_provider *provider, uint32_t delay_ms)
{
    provider->intake.response_delay_ms = delay_ms;
}

void dicomnet_storage_provider_destroy(struct dicomnet_storage_provider *provider)
{
    if (provider != NULL)
        uv_close((uv_handle_t *)&provider->timer, free_provider);
}
