/*
 * query_provider - the provider side of C-FIND, C-MOVE and C-GET on one association. See dicomnet/query_retrieve.h.
 *
 * One request at a time. Whatever is to be sent waits in a place of its own - a match, the newest counts, a
 * sub-operation's C-STORE, the final answer - and query_provider_pump() sends one after another when the association
 * can take it. Only when nothing waits is the application asked for more: so a peer that reads slowly costs one match
 * of memory.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/sized.h"
#include "dicomnet/data_source.h"
#include "dicomnet/query_retrieve.h"
#include "services/query_provider_private.h"
#include "services/store.h"
#include "services/syntax_choice.h"

/*
 * The application is asked so often in a row, or for so long; then the loop gets a turn, so that other associations are
 * served and a C-CANCEL is read.
 */
enum { ASKED_IN_A_ROW = 64, ASKED_FOR_US = 2000 };

#define TO(state) (1u << (state))

/* state -> the states that may follow. The end of the association makes it IDLE in any. */
static const unsigned successors[] = {
    [IDLE] = TO(IDLE) | TO(GATHERING),
    [GATHERING] = TO(GATHERED) | TO(FINISHING) | TO(IDLE),
    [GATHERED] = TO(SERVING) | TO(FINISHING) | TO(IDLE),
    [SERVING] = TO(FINISHING) | TO(IDLE),
    [FINISHING] = TO(IDLE),
};

static void set_state(struct dicomnet_query_provider *provider, enum provider_state state)
{
    assert((successors[provider->state] & TO(state)) != 0);
    provider->state = state;
}

/* ---- sending ---- */

static int send_outgoing(struct dicomnet_query_provider *provider, struct outgoing *outgoing)
{
    outgoing->waiting = false;
    if (!outgoing->has_data_set)
        return dicomnet_association_send(provider->association, provider->context_id, &outgoing->command, NULL);
    dicomnet_memory_source_init(&outgoing->source, outgoing->bytes, outgoing->len);
    return dicomnet_association_send(provider->association, provider->context_id, &outgoing->command,
                                     &outgoing->source.source);
}

void query_provider_put_counts(struct dicomnet_dimse_command *command, const struct dicomnet_query_counts *counts,
                               bool with_remaining)
{
    command->present |= DICOMNET_DIMSE_HAS_COMPLETED | DICOMNET_DIMSE_HAS_FAILED | DICOMNET_DIMSE_HAS_WARNING;
    if (with_remaining)
        command->present |= DICOMNET_DIMSE_HAS_REMAINING;
    command->remaining = counts->remaining;
    command->completed = counts->completed;
    command->failed = counts->failed;
    command->warning = counts->warning;
}

static int send_progress(struct dicomnet_query_provider *provider)
{
    struct dicomnet_dimse_command response = dicomnet_dimse_response_to(&provider->command, DICOMNET_STATUS_PENDING);
    query_provider_put_counts(&response, &provider->progress, true);
    provider->progress_waiting = false;
    return dicomnet_association_send(provider->association, provider->context_id, &response, NULL);
}

/* The sub-operation is over, answered or not. */
static void end_store(struct dicomnet_query_provider *provider)
{
    struct dicomnet_store *store = provider->store;
    provider->store = NULL;
    provider->ready_owed = true;
    operations_end(&provider->operations, &provider->operation);
    provider->options.handler->stored(provider->options.context, &provider->request, store);
}

/* An instance that cannot be read has failed before anything of it went out, and the others go on. */
static void send_store(struct dicomnet_query_provider *provider)
{
    struct dicomnet_store *store = provider->store;
    struct dicomnet_dimse_command request = store_request(store);
    operations_begin(&provider->operations, &provider->operation);
    store->error = dicomnet_association_send(provider->association, store->context_id, &request, store->source);
    if (store->error == 0)
        return;
    store->source_failed = true;
    end_store(provider);
}

static void end_request(struct dicomnet_query_provider *provider)
{
    set_state(provider, IDLE);
    provider->progress_waiting = false;
    if (!provider->served)
        return;
    provider->served = false;
    provider->options.handler->ended(provider->options.context, &provider->request);
}

static int send_final(struct dicomnet_query_provider *provider)
{
    int error = send_outgoing(provider, &provider->final);
    if (error == 0)
        end_request(provider);
    return error;
}

static void on_turn(uv_idle_t *turn)
{
    struct dicomnet_query_provider *provider = turn->data;
    uv_idle_stop(turn);
    provider->asked_in_a_row = 0;
    query_provider_pump(provider);
}

static bool ask(struct dicomnet_query_provider *provider)
{
    uint64_t now_us = clock_monotonic_us();
    if (provider->asked_in_a_row == 0)
        provider->asked_since_us = now_us;
    if (provider->asked_in_a_row == ASKED_IN_A_ROW || now_us - provider->asked_since_us > ASKED_FOR_US) {
        uv_idle_start(&provider->turn, on_turn);
        return false;
    }
    provider->asked_in_a_row++;
    provider->ready_owed = false;
    provider->options.handler->ready(provider->options.context, &provider->request);
    return true;
}

static void begin_request(struct dicomnet_query_provider *provider);

/*
 * Do one thing; false if there is nothing to do now. `leaving` is set before a message is given to the association, as
 * its `sent` may come before dicomnet_association_send returns.
 */
static bool take_step(struct dicomnet_query_provider *provider)
{
    uint64_t wait_us;
    if (provider->association == NULL || !dicomnet_association_can_send(provider->association))
        return false;
    provider->leaving = LEAVING_RESPONSE;
    if (store_intake_send(&provider->intake, &wait_us))
        return true;
    if (provider->operation.state == OPERATION_WAITING) {
        provider->leaving = LEAVING_STORE;
        send_store(provider);
        return true;
    }
    if (provider->match.waiting || provider->progress_waiting) {
        provider->leaving = LEAVING_PENDING;
        return (provider->match.waiting ? send_outgoing(provider, &provider->match) : send_progress(provider)) == 0;
    }
    if (provider->final.waiting && provider->store == NULL)
        return send_final(provider) == 0;
    if (provider->state == GATHERED) {
        begin_request(provider);
        return true;
    }
    provider->leaving = LEAVING_NOTHING;
    return provider->state == SERVING && provider->ready_owed && provider->store == NULL && ask(provider);
}

void query_provider_pump(struct dicomnet_query_provider *provider)
{
    if (provider->in_pump)
        return;
    provider->in_pump = true;
    while (take_step(provider)) {
    }
    provider->in_pump = false;
}

/* ---- sub-operations ---- */

static void finish_store(struct dicomnet_query_provider *provider)
{
    store_finish(provider->store, provider->operation.sent_us, clock_monotonic_us());
    end_store(provider);
}

static void store_left(struct dicomnet_query_provider *provider)
{
    struct dicomnet_store *store = provider->store;
    operations_note_sent(&provider->operations, &provider->operation);
    store_take_sent(store, provider->association, provider->operation.sent_us);
    if (store->response_came)
        finish_store(provider);
}

static void take_store_response(struct dicomnet_query_provider *provider, uint8_t context_id,
                                const struct dicomnet_dimse_command *response)
{
    struct dicomnet_store *store = provider->store;
    bool matches = operations_find(&provider->operations, response) != NULL &&
                   store_matches(store, provider->association, true, context_id, response);
    if (!matches) {
        dicomnet_association_abort(provider->association, DICOMNET_ERROR_RESPONSE_MISMATCH);
        return;
    }
    store_take_response(store, context_id, response);
    if (store->all_sent)
        finish_store(provider);
}

/* ---- requests ---- */

void query_provider_put_final(struct dicomnet_query_provider *provider, uint16_t status, const char *comment)
{
    struct outgoing *final = &provider->final;
    final->command = dicomnet_dimse_response_to(&provider->command, status);
    final->has_data_set = false;
    final->waiting = true;
    if (comment != NULL && comment[0] != '\0') {
        final->command.present |= DICOMNET_DIMSE_HAS_ERROR_COMMENT;
        snprintf(final->command.error_comment, sizeof final->command.error_comment, "%s", comment);
    }
    set_state(provider, FINISHING);
}

/* The identifier is whole: give the request to the application, or answer it if the identifier cannot be read. */
static void begin_request(struct dicomnet_query_provider *provider)
{
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(provider->association, provider->context_id);
    struct dicomnet_span bytes = {.data = provider->bytes, .len = provider->len};
    if (provider->too_long) {
        query_provider_put_final(provider, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES,
                                 dicomnet_error_text(DICOMNET_ERROR_IDENTIFIER_TOO_LONG));
        return;
    }
    int error = dicomnet_identifier_decode(&provider->identifier, bytes, context->transfer_syntax);
    if (error != 0) {
        query_provider_put_final(provider, DICOMNET_STATUS_UNABLE_TO_PROCESS, dicomnet_error_text(error));
        return;
    }
    struct dicomnet_query_request *request = &provider->request;
    const struct dicomnet_dimse_command *command = &provider->command;
    request->message_id = command->message_id;
    request->priority = command->priority;
    memcpy(request->move_destination, command->move_destination, sizeof request->move_destination);
    request->identifier = &provider->identifier;
    request->association = provider->association;
    request->cancelled = false;
    request->state = NULL;
    set_state(provider, SERVING);
    char comment[DICOMNET_COMMENT_SIZE] = "";
    uint16_t status = provider->options.handler->begin(provider->options.context, request, comment);
    provider->served = provider->ready_owed = status == DICOMNET_STATUS_PENDING;
    if (status != DICOMNET_STATUS_PENDING && provider->state == SERVING) /* not if it has finished it there already */
        query_provider_put_final(provider, status, comment);
}

/* A request that is one of ours, by its command and its presentation context. */
static bool is_query(struct dicomnet_query_provider *provider, uint8_t context_id,
                     const struct dicomnet_dimse_command *command)
{
    static const uint16_t fields[] = {[DICOMNET_QUERY_FIND] = DICOMNET_DIMSE_C_FIND_RQ,
                                      [DICOMNET_QUERY_MOVE] = DICOMNET_DIMSE_C_MOVE_RQ,
                                      [DICOMNET_QUERY_GET] = DICOMNET_DIMSE_C_GET_RQ};
    enum dicomnet_query_model model;
    enum dicomnet_query_service service;
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(provider->association, context_id);
    return dicomnet_query_class_find(context->abstract_syntax, &model, &service) && fields[service] == command->field;
}

static void take_query(struct dicomnet_query_provider *provider, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(provider->association, context_id);
    if (!store_intake_is_answerable(&provider->intake, command))
        return;
    if (provider->state != IDLE) {
        store_intake_refuse(&provider->intake, context_id, command, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES,
                            "one query at a time");
        return;
    }
    if (command->class_uid[0] != '\0' && strcmp(command->class_uid, context->abstract_syntax) != 0) {
        store_intake_refuse(&provider->intake, context_id, command, DICOMNET_STATUS_CLASS_NOT_SUPPORTED,
                            "the SOP class is not that of the presentation context");
        return;
    }
    dicomnet_query_class_find(context->abstract_syntax, &provider->request.model, &provider->request.service);
    provider->command = *command;
    provider->context_id = context_id;
    provider->len = 0;
    provider->too_long = false;
    provider->asked_in_a_row = 0;
    set_state(provider, GATHERING);
    if (!dicomnet_dimse_has_data_set(command))
        query_provider_put_final(provider, DICOMNET_STATUS_UNABLE_TO_PROCESS, "no identifier");
}

static void take_cancel(struct dicomnet_query_provider *provider, const struct dicomnet_dimse_command *cancel)
{
    struct dicomnet_query_request *request = &provider->request;
    if (provider->state != SERVING || request->cancelled || cancel->message_id_responded != request->message_id)
        return; /* the request has been answered meanwhile, or there never was one */
    request->cancelled = true;
    if (provider->options.handler->cancelled != NULL)
        provider->options.handler->cancelled(provider->options.context, request);
}

/* ---- what the association tells ---- */

/* The first of the proposed syntaxes that an identifier can have. */
static uint8_t choose_for_query(struct dicomnet_span syntaxes, struct dicomnet_span *ret_syntax)
{
    char syntax_uid[DICOMNET_UID_SIZE];
    while (dicomnet_pdu_next_transfer_syntax(&syntaxes, ret_syntax)) {
        dicomnet_span_copy_trimmed(*ret_syntax, syntax_uid, sizeof syntax_uid);
        if (dicomnet_identifier_syntax_is_known(syntax_uid))
            return DICOMNET_CONTEXT_ACCEPTED;
    }
    return DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED;
}

static uint8_t on_negotiate(struct dicomnet_association *association, void *user, struct dicomnet_span abstract_syntax,
                            struct dicomnet_span syntaxes, struct dicomnet_span *ret_syntax)
{
    struct dicomnet_query_provider *provider = user;
    enum dicomnet_query_model model;
    enum dicomnet_query_service service;
    char class_uid[DICOMNET_UID_SIZE];
    if (provider->options.negotiate != NULL)
        return provider->options.negotiate(provider->options.context, abstract_syntax, syntaxes, ret_syntax);
    dicomnet_span_copy_trimmed(abstract_syntax, class_uid, sizeof class_uid);
    if (dicomnet_query_class_find(class_uid, &model, &service))
        return choose_for_query(syntaxes, ret_syntax);
    if (strcmp(class_uid, DICOMNET_UID_VERIFICATION) != 0 && !dicomnet_uid_is_storable(class_uid))
        return DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    size_t accept_count = dicomnet_uid_is_storable(class_uid) ? provider->options.accept_syntax_count : 0;
    if (provider->options.prefer != NULL && accept_count == 0 && dicomnet_uid_is_storable(class_uid) &&
        provider->options.prefer(provider->options.context, class_uid, syntaxes, ret_syntax))
        return DICOMNET_CONTEXT_ACCEPTED;
    return syntax_choose(syntaxes, provider->options.accept_syntaxes, accept_count, ret_syntax);
}

/* Storage in both directions: what the requestor sends, and what a C-GET sends to it. */
static uint8_t on_negotiate_roles(struct dicomnet_association *association, void *user, struct dicomnet_span class_uid,
                                  uint8_t roles)
{
    char text[DICOMNET_UID_SIZE];
    dicomnet_span_copy_trimmed(class_uid, text, sizeof text);
    return dicomnet_uid_is_storable(text) ? roles : roles & DICOMNET_ASSOCIATION_ROLE_USER;
}

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct dicomnet_query_provider *provider = user;
    provider->association = association;
    provider->intake.association = association;
    provider->operations.association = association;
}

static void on_command(struct dicomnet_association *association, void *user, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_query_provider *provider = user;
    if (command->field == DICOMNET_DIMSE_C_CANCEL_RQ)
        take_cancel(provider, command);
    else if ((command->field & DICOMNET_DIMSE_RESPONSE) != 0)
        take_store_response(provider, context_id, command);
    else if (is_query(provider, context_id, command))
        take_query(provider, context_id, command);
    else
        store_intake_command(&provider->intake, context_id, command);
    query_provider_pump(provider);
}

static void gather(struct dicomnet_query_provider *provider, struct dicomnet_span bytes, bool last)
{
    provider->too_long = provider->too_long || buffer_grow(&provider->bytes, &provider->size, provider->len + bytes.len,
                                                           DICOMNET_IDENTIFIER_SIZE_MAX) != 0;
    if (!provider->too_long && bytes.len > 0) {
        memcpy(provider->bytes + provider->len, bytes.data, bytes.len);
        provider->len += bytes.len;
    }
    if (last)
        set_state(provider, GATHERED);
}

static void on_data(struct dicomnet_association *association, void *user, const struct dicomnet_dimse_command *command,
                    struct dicomnet_span bytes, bool last)
{
    struct dicomnet_query_provider *provider = user;
    if (provider->state == GATHERING)
        gather(provider, bytes, last);
    else
        store_intake_data(&provider->intake, command, bytes, last);
    if (last)
        query_provider_pump(provider);
}

static void on_sent(struct dicomnet_association *association, void *user)
{
    struct dicomnet_query_provider *provider = user;
    if (provider->leaving == LEAVING_PENDING)
        provider->ready_owed = true;
    else if (provider->leaving == LEAVING_STORE)
        store_left(provider);
    provider->leaving = LEAVING_NOTHING;
    query_provider_pump(provider);
}

static void free_provider(uv_handle_t *handle)
{
    struct dicomnet_query_provider *provider = handle->data;
    if (--provider->handles_open > 0)
        return;
    buffer_free(&provider->bytes, &provider->size);
    buffer_free(&provider->match.bytes, &provider->match.size);
    buffer_free(&provider->final.bytes, &provider->final.size);
    dicomnet_identifier_fini(&provider->identifier);
    free(provider);
}

static void close_handles(struct dicomnet_query_provider *provider)
{
    uv_close((uv_handle_t *)&provider->operations.timer, free_provider);
    uv_close((uv_handle_t *)&provider->turn, free_provider);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct dicomnet_query_provider *provider = user;
    struct dicomnet_store *store = provider->store;
    provider->association = NULL;
    store_intake_end(&provider->intake);
    if (store != NULL) {
        store->source_failed = end->source_failed && provider->operation.state == OPERATION_LEAVING;
        store->error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
        end_store(provider);
    }
    end_request(provider);
    if (provider->options.handler->closed != NULL)
        provider->options.handler->closed(provider->options.context, end);
    close_handles(provider);
}

const struct dicomnet_association_handler dicomnet_query_provider_association_handler = {.opened = on_opened,
                                                                                         .negotiate = on_negotiate,
                                                                                         .negotiate_roles =
                                                                                             on_negotiate_roles,
                                                                                         .command = on_command,
                                                                                         .data = on_data,
                                                                                         .sent = on_sent,
                                                                                         .closed = on_closed};

int dicomnet_query_provider_create(struct dicomnet_query_provider **ret_provider, struct uv_loop_s *loop,
                                   const struct dicomnet_query_provider_options *options)
{
    struct dicomnet_query_provider_options own;
    int error = SIZED_TAKE(&own, dimse_ms, options);
    if (error != 0)
        return error;
    if (ret_provider == NULL || loop == NULL || own.handler == NULL || own.handler->begin == NULL ||
        own.handler->ready == NULL || own.handler->ended == NULL || !store_intake_can_use(own.sink))
        return -EINVAL;
    struct dicomnet_query_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL)
        return -ENOMEM;
    provider->options = own;
    provider->intake.sink = own.sink;
    provider->intake.context = own.sink_context;
    dicomnet_identifier_init(&provider->identifier);
    operations_init(&provider->operations, loop, own.dimse_ms);
    uv_idle_init(loop, &provider->turn);
    provider->operations.timer.data = provider->turn.data = provider;
    provider->handles_open = 2;
    *ret_provider = provider;
    return 0;
}

void dicomnet_query_provider_destroy(struct dicomnet_query_provider *provider)
{
    if (provider != NULL)
        close_handles(provider);
}
