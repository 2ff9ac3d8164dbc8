/*
 * query_user - the user side of C-FIND, C-MOVE and C-GET. See dicomnet/query_retrieve.h.
 *
 * A service of an exchange, its own or a shared one, with one query at a time. What is to be sent beside the request -
 * responses to the C-STOREs of a C-GET, a C-CANCEL - waits for its turn in on_step(). The data set of a response is
 * gathered and decoded when it is whole; only one is there at any time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/sized.h"
#include "dicomnet/data_source.h"
#include "dicomnet/query_retrieve.h"
#include "net/arguments.h"
#include "services/exchange.h"
#include "services/query.h"
#include "services/store_intake.h"

struct dicomnet_query_user {
    struct service service;
    struct dicomnet_query_user_options options;
    bool releasing;

    /* The query under way; NULL = none. */
    struct dicomnet_query *query;
    struct operation operation;
    const struct dicomnet_association_context *presentation;
    bool cancel_wanted, cancel_sent;
    bool final_came;         /* it ends as soon as the request is out too */
    bool has_final_data_set; /* and what the response had is in `decoded` */
    struct dicomnet_dimse_command request;
    struct dicomnet_memory_source request_source;
    uint8_t *request_bytes;
    size_t request_size;

    /* The response that is coming, or came last. */
    struct dicomnet_dimse_command response;
    uint8_t *response_bytes;
    size_t response_size, response_len;
    struct dicomnet_identifier decoded;

    struct store_intake intake;
};

static struct dicomnet_query_user *user_of(struct service *service)
{
    return list_entry(service, struct dicomnet_query_user, service);
}

/* ---- sending ---- */

static void end_query(struct dicomnet_query_user *user)
{
    struct dicomnet_query *query = user->query;
    user->query = NULL;
    exchange_end(&user->service, &user->operation);
    user->options.handler->ended(user, user->options.context, query, user->has_final_data_set ? &user->decoded : NULL);
}

/* An error is that of an association which is about to end: so does the query, then. */
static void on_begin(struct service *service, struct operation *operation)
{
    struct dicomnet_query_user *user = user_of(service);
    (void)!exchange_begin(service, operation, user->presentation->id, &user->request, &user->request_source.source);
}

static bool send_cancel(struct dicomnet_query_user *user)
{
    struct dicomnet_dimse_command cancel = {.present = DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED,
                                            .field = DICOMNET_DIMSE_C_CANCEL_RQ,
                                            .message_id_responded = user->query->message_id};
    user->cancel_sent = true;
    return dicomnet_association_send(user->service.exchange->association, user->presentation->id, &cancel, NULL) == 0;
}

static bool on_step(struct service *service)
{
    struct dicomnet_query_user *user = user_of(service);
    bool sent = user->operation.state == OPERATION_SENT;
    uint64_t wait_us;
    if (user->query != NULL && user->final_came && sent) {
        end_query(user);
        return true;
    }
    if (!dicomnet_association_can_send(service->exchange->association))
        return false;
    if (store_intake_send(&user->intake, &wait_us))
        return true;
    if (user->query != NULL && sent && user->cancel_wanted && !user->cancel_sent)
        return send_cancel(user);
    if (user->query == NULL && user->releasing)
        exchange_let_go(service);
    return false;
}

/* ---- responses ---- */

static void take_counts(struct dicomnet_query *query, const struct dicomnet_dimse_command *response)
{
    enum {
        ANY = DICOMNET_DIMSE_HAS_REMAINING | DICOMNET_DIMSE_HAS_COMPLETED | DICOMNET_DIMSE_HAS_FAILED |
              DICOMNET_DIMSE_HAS_WARNING
    };
    if ((response->present & ANY) == 0)
        return;
    query->has_counts = true;
    query->counts = (struct dicomnet_query_counts){.remaining = response->remaining,
                                                   .completed = response->completed,
                                                   .failed = response->failed,
                                                   .warning = response->warning};
}

static void take_pending(struct dicomnet_query_user *user, bool has_match)
{
    struct dicomnet_query *query = user->query;
    const struct dicomnet_query_user_handler *handler = user->options.handler;
    if (query->service == DICOMNET_QUERY_FIND) {
        if (!has_match) {
            dicomnet_association_abort(user->service.exchange->association, DICOMNET_ERROR_DIMSE_UNEXPECTED);
            return;
        }
        query->match_count++;
        if (!user->cancel_wanted)
            handler->match(user, user->options.context, query, &user->decoded);
    } else if (handler->progress != NULL) {
        handler->progress(user, user->options.context, query);
    }
}

static void take_final(struct dicomnet_query_user *user, bool has_data_set)
{
    struct dicomnet_query *query = user->query;
    const struct dicomnet_dimse_command *response = &user->response;
    query->answered = true;
    query->status = response->status;
    snprintf(query->comment, sizeof query->comment, "%s", response->error_comment);
    query->offending_count = response->offending_count;
    memcpy(query->offending, response->offending, sizeof query->offending);
    user->final_came = true;
    user->has_final_data_set = has_data_set;
}

/* The response is whole. One that cannot be decoded is a lost match; at the end, it is only a list of UIDs. */
static void take_response(struct dicomnet_query_user *user)
{
    const struct dicomnet_dimse_command *response = &user->response;
    bool is_pending = dicomnet_query_status_is_pending(response->status), has_data_set = false;
    if (dicomnet_dimse_has_data_set(response)) {
        struct dicomnet_span bytes = {.data = user->response_bytes, .len = user->response_len};
        int error = dicomnet_identifier_decode(&user->decoded, bytes, user->presentation->transfer_syntax);
        if (error != 0 && is_pending && user->query->service == DICOMNET_QUERY_FIND) {
            dicomnet_association_abort(user->service.exchange->association, error);
            return;
        }
        has_data_set = error == 0;
    }
    take_counts(user->query, response);
    if (is_pending)
        take_pending(user, has_data_set);
    else
        take_final(user, has_data_set);
    /* What the callback took is not the peer's silence. */
    operations_note_heard(&user->service.exchange->operations);
}

static int on_response(struct service *service, struct operation *operation, uint8_t context_id,
                       const struct dicomnet_dimse_command *response)
{
    struct dicomnet_query_user *user = user_of(service);
    if (user->final_came || context_id != user->presentation->id)
        return DICOMNET_ERROR_RESPONSE_MISMATCH;
    if ((response->present & DICOMNET_DIMSE_HAS_STATUS) == 0)
        return DICOMNET_ERROR_DIMSE_MALFORMED;
    user->response = *response;
    user->response_len = 0;
    if (!dicomnet_dimse_has_data_set(response))
        take_response(user);
    return 0;
}

static void on_data(struct service *service, struct operation *operation, struct dicomnet_span bytes, bool last)
{
    struct dicomnet_query_user *user = user_of(service);
    int error = buffer_grow(&user->response_bytes, &user->response_size, user->response_len + bytes.len,
                            DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0) {
        dicomnet_association_abort(service->exchange->association,
                                   error == -ENOMEM ? error : DICOMNET_ERROR_IDENTIFIER_TOO_LONG);
        return;
    }
    if (bytes.len > 0)
        memcpy(user->response_bytes + user->response_len, bytes.data, bytes.len);
    user->response_len += bytes.len;
    if (last)
        take_response(user);
}

/* ---- what else the exchange tells ---- */

static void on_opened(struct service *service)
{
    struct dicomnet_query_user *user = user_of(service);
    if (user->options.handler->opened != NULL)
        user->options.handler->opened(user, user->options.context);
}

static void on_request(struct service *service, uint8_t context_id, const struct dicomnet_dimse_command *request)
{
    if (request->field != DICOMNET_DIMSE_C_CANCEL_RQ)
        store_intake_command(&user_of(service)->intake, context_id, request);
}

static void on_request_data(struct service *service, const struct dicomnet_dimse_command *request,
                            struct dicomnet_span bytes, bool last)
{
    store_intake_data(&user_of(service)->intake, request, bytes, last);
}

static void free_user(struct dicomnet_query_user *user)
{
    buffer_free(&user->request_bytes, &user->request_size);
    buffer_free(&user->response_bytes, &user->response_size);
    dicomnet_identifier_fini(&user->decoded);
    free(user);
}

static void on_closed(struct service *service, const struct dicomnet_association_end *end)
{
    struct dicomnet_query_user *user = user_of(service);
    store_intake_end(&user->intake);
    if (user->query != NULL) {
        if (!user->final_came)
            user->query->error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
        end_query(user);
    }
    user->options.handler->closed(user, user->options.context, end);
    free_user(user);
}

static const struct service_class query_class = {.opened = on_opened,
                                                 .step = on_step,
                                                 .begin = on_begin,
                                                 .response = on_response,
                                                 .data = on_data,
                                                 .request = on_request,
                                                 .request_data = on_request_data,
                                                 .closed = on_closed};

/* ---- what the application asks for ---- */

static int create(struct dicomnet_query_user **ret_user, const struct dicomnet_query_user_options *options)
{
    struct dicomnet_query_user_options own;
    int error = SIZED_TAKE(&own, sink_context, options);
    if (error != 0)
        return error;
    if (own.handler == NULL || own.handler->ended == NULL || own.handler->closed == NULL ||
        !store_intake_can_use(own.sink))
        return -EINVAL;
    struct dicomnet_query_user *user = calloc(1, sizeof *user);
    if (user == NULL)
        return -ENOMEM;
    user->options = own;
    user->intake.sink = own.sink;
    user->intake.context = own.sink_context;
    dicomnet_identifier_init(&user->decoded);
    *ret_user = user;
    return 0;
}

/* 0 with the user, which has its exchange now; or the error, and then it is freed. */
static int finish_opening(struct dicomnet_query_user *user, int error, struct dicomnet_query_user **ret_user)
{
    if (error != 0) {
        free_user(user);
        return error;
    }
    user->intake.association = user->service.exchange->association;
    *ret_user = user;
    return 0;
}

int dicomnet_query_user_open(struct dicomnet_query_user **ret_user, struct uv_loop_s *loop,
                             const struct dicomnet_association_options *association,
                             const struct dicomnet_query_user_options *options)
{
    struct dicomnet_query_user *user;
    struct dicomnet_association_options one_at_a_time;
    int error = arguments_take_options(&one_at_a_time, association);
    if (error == 0)
        error = create(&user, options);
    if (error != 0)
        return error;
    one_at_a_time.parameters.window = 1;
    return finish_opening(user, exchange_open_for(&user->service, &query_class, loop, &one_at_a_time), ret_user);
}

int dicomnet_query_user_join(struct dicomnet_query_user **ret_user, struct dicomnet_exchange *exchange,
                             const struct dicomnet_query_user_options *options)
{
    struct dicomnet_query_user *user;
    int error = create(&user, options);
    if (error != 0)
        return error;
    return finish_opening(user, exchange_join(exchange, &user->service, &query_class), ret_user);
}

struct dicomnet_association *dicomnet_query_user_association(const struct dicomnet_query_user *user)
{
    return user->service.exchange->association;
}

const struct dicomnet_association_context *dicomnet_query_user_find_context(const struct dicomnet_query_user *user,
                                                                            enum dicomnet_query_model model,
                                                                            enum dicomnet_query_service service)
{
    return exchange_find_context(user->service.exchange, dicomnet_query_class_uid(model, service), NULL);
}

static struct dicomnet_dimse_command request_of(const struct dicomnet_query *query)
{
    static const uint16_t fields[] = {[DICOMNET_QUERY_FIND] = DICOMNET_DIMSE_C_FIND_RQ,
                                      [DICOMNET_QUERY_MOVE] = DICOMNET_DIMSE_C_MOVE_RQ,
                                      [DICOMNET_QUERY_GET] = DICOMNET_DIMSE_C_GET_RQ};
    struct dicomnet_dimse_command request = {.present = DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_MESSAGE_ID |
                                                        DICOMNET_DIMSE_HAS_PRIORITY,
                                             .field = fields[query->service],
                                             .message_id = query->message_id,
                                             .priority = query->priority};
    snprintf(request.class_uid, sizeof request.class_uid, "%s", dicomnet_query_class_uid(query->model, query->service));
    if (query->service == DICOMNET_QUERY_MOVE) {
        request.present |= DICOMNET_DIMSE_HAS_MOVE_DESTINATION;
        snprintf(request.move_destination, sizeof request.move_destination, "%s", query->move_destination);
    }
    return request;
}

static void reset(struct dicomnet_query *query, uint16_t message_id)
{
    query->message_id = message_id;
    query->match_count = 0;
    query->counts = (struct dicomnet_query_counts){0};
    query->has_counts = query->answered = false;
    query->status = 0;
    query->comment[0] = '\0';
    query->offending_count = 0;
    query->error = 0;
}

/* 0, or -EINVAL if what the caller has to fill in is missing or cannot be sent. */
static int check(const struct dicomnet_query_user *user, const struct dicomnet_query *query)
{
    if (query == NULL || query->identifier == NULL || !query_class_exists(query->model, query->service))
        return -EINVAL;
    if (query->service == DICOMNET_QUERY_FIND && user->options.handler->match == NULL)
        return -EINVAL;
    if (query->service != DICOMNET_QUERY_MOVE)
        return 0;
    const char *destination = query->move_destination;
    size_t len = destination != NULL ? strnlen(destination, DICOMNET_AE_SIZE) : 0;
    return len > 0 && len < DICOMNET_AE_SIZE ? 0 : -EINVAL;
}

int dicomnet_query_user_begin(struct dicomnet_query_user *user, struct dicomnet_query *query)
{
    struct dicomnet_exchange *exchange = user->service.exchange;
    int error = check(user, query);
    if (error != 0)
        return error;
    if (exchange->state != EXCHANGE_OPEN || user->releasing)
        return DICOMNET_ERROR_NOT_OPEN;
    if (user->query != NULL)
        return DICOMNET_ERROR_BUSY;
    const struct dicomnet_association_context *context =
        dicomnet_query_user_find_context(user, query->model, query->service);
    if (context == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    size_t size = dicomnet_identifier_encoded_size(query->identifier);
    error = buffer_grow(&user->request_bytes, &user->request_size, size, DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0)
        return error;
    ssize_t len = dicomnet_identifier_encode(query->identifier, context->transfer_syntax, user->request_bytes, size);
    if (len < 0)
        return (int)len;

    reset(query, operations_next_message_id(&exchange->operations));
    user->query = query;
    user->presentation = context;
    user->request = request_of(query);
    user->operation.message_id = query->message_id;
    user->operation.field = user->request.field;
    dicomnet_memory_source_init(&user->request_source, user->request_bytes, (uint64_t)len);
    user->cancel_wanted = user->cancel_sent = user->final_came = user->has_final_data_set = false;
    exchange_enqueue(&user->service, &user->operation);
    return 0;
}

void dicomnet_query_user_cancel(struct dicomnet_query_user *user)
{
    if (user->query == NULL || user->cancel_wanted)
        return;
    user->cancel_wanted = true;
    exchange_pump(user->service.exchange);
}

void dicomnet_query_user_release(struct dicomnet_query_user *user)
{
    user->releasing = true;
    exchange_pump(user->service.exchange);
}

void dicomnet_query_user_abort(struct dicomnet_query_user *user, int error)
{
    dicomnet_association_abort(user->service.exchange->association, error);
}
