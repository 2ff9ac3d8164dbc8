/*
 * query_user - the user side of C-FIND, C-MOVE and C-GET. See dicomnet/query_retrieve.h.
 *
 * One query at a time. What is to be sent - responses to the C-STOREs of a C-GET, the request, a C-CANCEL, the release
 * - waits for its turn in pump(), which runs whenever something may have changed. The data set of a response is
 * gathered and decoded when it is whole; only one is there at any time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "dicomnet/data_source.h"
#include "dicomnet/query_retrieve.h"
#include "services/store_intake.h"

struct dicomnet_query_user {
    struct dicomnet_association *association;
    struct dicomnet_query_user_options options;
    uv_timer_t timer; /* runs while a response is awaited */
    uint32_t dimse_ms;
    uint64_t heard_us; /* when the peer last said something, or the request was out */
    bool open;
    bool releasing;
    bool in_pump; /* pump is on the stack: it goes on by itself */
    uint16_t last_message_id;

    /* The query under way; NULL = none. */
    struct dicomnet_query *query;
    const struct dicomnet_association_context *context;
    enum { REQUEST_WAITING, REQUEST_LEAVING, REQUEST_SENT } request_state;
    bool cancel_wanted, cancel_sent;
    bool final_came;         /* it ends as soon as the request is out too */
    bool has_final_data_set; /* and what the response had is in `decoded` */
    struct dicomnet_dimse_command request;
    struct dicomnet_memory_source request_source;
    uint8_t *request_bytes;
    size_t request_size;

    /* The response that is coming. */
    bool in_response; /* its data set is */
    struct dicomnet_dimse_command response;
    uint8_t *response_bytes;
    size_t response_size, response_len;
    struct dicomnet_identifier decoded;

    struct store_intake intake;
};

static void pump(struct dicomnet_query_user *user);

/* ---- the response timeout ---- */

static void on_timer(uv_timer_t *timer)
{
    struct dicomnet_query_user *user = timer->data;
    uint64_t quiet_ms = (clock_monotonic_us() - user->heard_us) / 1000;
    if (user->query == NULL)
        return;
    if (quiet_ms >= user->dimse_ms)
        dicomnet_association_abort(user->association, DICOMNET_ERROR_TIMEOUT_DIMSE);
    else
        uv_timer_start(timer, on_timer, user->dimse_ms - quiet_ms, 0);
}

static void start_waiting(struct dicomnet_query_user *user)
{
    user->heard_us = clock_monotonic_us();
    if (user->dimse_ms > 0)
        uv_timer_start(&user->timer, on_timer, user->dimse_ms, 0);
}

/* ---- sending ---- */

static void end_query(struct dicomnet_query_user *user)
{
    struct dicomnet_query *query = user->query;
    user->query = NULL;
    uv_timer_stop(&user->timer);
    user->options.handler->ended(user, user->options.context, query, user->has_final_data_set ? &user->decoded : NULL);
}

static int send_request(struct dicomnet_query_user *user)
{
    user->request_state = REQUEST_LEAVING;
    return dicomnet_association_send(user->association, user->context->id, &user->request,
                                     &user->request_source.source);
}

static int send_cancel(struct dicomnet_query_user *user)
{
    struct dicomnet_dimse_command cancel = {.present = DICOMNET_DIMSE_HAS_MESSAGE_ID_RESPONDED,
                                            .field = DICOMNET_DIMSE_C_CANCEL_RQ,
                                            .message_id_responded = user->query->message_id};
    user->cancel_sent = true;
    return dicomnet_association_send(user->association, user->context->id, &cancel, NULL);
}

/* One step of what is to be done; false if there is nothing to do now. */
static bool take_step(struct dicomnet_query_user *user)
{
    uint64_t wait_us;
    if (user->query != NULL && user->final_came && user->request_state == REQUEST_SENT) {
        end_query(user);
        return true;
    }
    if (!dicomnet_association_can_send(user->association))
        return false;
    if (store_intake_send(&user->intake, &wait_us))
        return true;
    if (user->query != NULL && user->request_state == REQUEST_WAITING)
        return send_request(user) == 0;
    if (user->query != NULL && user->request_state == REQUEST_SENT && user->cancel_wanted && !user->cancel_sent)
        return send_cancel(user) == 0;
    if (user->query == NULL && user->releasing)
        dicomnet_association_release(user->association);
    return false;
}

static void pump(struct dicomnet_query_user *user)
{
    if (user->in_pump || !user->open)
        return;
    user->in_pump = true;
    while (take_step(user)) {
    }
    user->in_pump = false;
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
            dicomnet_association_abort(user->association, DICOMNET_ERROR_DIMSE_UNEXPECTED);
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
        int error = dicomnet_identifier_decode(&user->decoded, bytes, user->context->transfer_syntax);
        if (error != 0 && is_pending && user->query->service == DICOMNET_QUERY_FIND) {
            dicomnet_association_abort(user->association, error);
            return;
        }
        has_data_set = error == 0;
    }
    take_counts(user->query, response);
    if (is_pending)
        take_pending(user, has_data_set);
    else
        take_final(user, has_data_set);
    user->heard_us = clock_monotonic_us(); /* what the callback took is not the peer's silence */
}

static void begin_response(struct dicomnet_query_user *user, uint8_t context_id,
                           const struct dicomnet_dimse_command *response)
{
    const struct dicomnet_query *query = user->query;
    bool matches = query != NULL && !user->final_came &&
                   response->field == (user->request.field | DICOMNET_DIMSE_RESPONSE) &&
                   response->message_id_responded == query->message_id && context_id == user->context->id;
    if (!matches || (response->present & DICOMNET_DIMSE_HAS_STATUS) == 0) {
        dicomnet_association_abort(user->association,
                                   matches ? DICOMNET_ERROR_DIMSE_MALFORMED : DICOMNET_ERROR_RESPONSE_MISMATCH);
        return;
    }
    user->response = *response;
    user->response_len = 0;
    user->in_response = dicomnet_dimse_has_data_set(response);
    if (!user->in_response)
        take_response(user);
}

static void gather_response(struct dicomnet_query_user *user, struct dicomnet_span bytes, bool last)
{
    int error = buffer_grow(&user->response_bytes, &user->response_size, user->response_len + bytes.len,
                            DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0) {
        dicomnet_association_abort(user->association, error == -ENOMEM ? error : DICOMNET_ERROR_IDENTIFIER_TOO_LONG);
        user->in_response = false;
        return;
    }
    if (bytes.len > 0)
        memcpy(user->response_bytes + user->response_len, bytes.data, bytes.len);
    user->response_len += bytes.len;
    if (!last)
        return;
    user->in_response = false;
    take_response(user);
}

/* ---- what the association tells ---- */

static void on_opened(struct dicomnet_association *association, void *context)
{
    struct dicomnet_query_user *user = context;
    user->open = true;
    if (user->options.handler->opened != NULL)
        user->options.handler->opened(user, user->options.context);
    pump(user);
}

static void on_command(struct dicomnet_association *association, void *context, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_query_user *user = context;
    if ((command->field & DICOMNET_DIMSE_RESPONSE) != 0)
        begin_response(user, context_id, command);
    else if (command->field != DICOMNET_DIMSE_C_CANCEL_RQ)
        store_intake_command(&user->intake, context_id, command);
    pump(user);
}

static void on_data(struct dicomnet_association *association, void *context,
                    const struct dicomnet_dimse_command *command, struct dicomnet_span bytes, bool last)
{
    struct dicomnet_query_user *user = context;
    if (user->in_response)
        gather_response(user, bytes, last);
    else
        store_intake_data(&user->intake, command, bytes, last);
    user->heard_us = clock_monotonic_us();
    if (last)
        pump(user);
}

static void on_sent(struct dicomnet_association *association, void *context)
{
    struct dicomnet_query_user *user = context;
    if (user->query != NULL && user->request_state == REQUEST_LEAVING) {
        user->request_state = REQUEST_SENT;
        start_waiting(user);
    }
    pump(user);
}

static void free_user(uv_handle_t *handle)
{
    struct dicomnet_query_user *user = handle->data;
    buffer_free(&user->request_bytes, &user->request_size);
    buffer_free(&user->response_bytes, &user->response_size);
    dicomnet_identifier_fini(&user->decoded);
    free(user);
}

static void on_closed(struct dicomnet_association *association, void *context,
                      const struct dicomnet_association_end *end)
{
    struct dicomnet_query_user *user = context;
    user->open = false;
    store_intake_end(&user->intake);
    if (user->query != NULL) {
        if (!user->final_came)
            user->query->error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
        end_query(user);
    }
    user->options.handler->closed(user, user->options.context, end);
    uv_close((uv_handle_t *)&user->timer, free_user);
}

static const struct dicomnet_association_handler association_handler = {
    .opened = on_opened, .command = on_command, .data = on_data, .sent = on_sent, .closed = on_closed};

/* ---- what the application asks for ---- */

int dicomnet_query_user_open(struct dicomnet_query_user **ret_user, struct uv_loop_s *loop,
                             const struct dicomnet_association_options *association,
                             const struct dicomnet_query_user_options *options)
{
    struct dicomnet_query_user *user = calloc(1, sizeof *user);
    if (user == NULL)
        return -ENOMEM;
    user->options = *options;
    user->dimse_ms = association->timeouts.dimse_ms;
    dicomnet_identifier_init(&user->decoded);
    uv_timer_init(loop, &user->timer);
    user->timer.data = user;
    struct dicomnet_association_options one_at_a_time = *association;
    one_at_a_time.window = 1;
    int error = dicomnet_association_open(&user->association, loop, &one_at_a_time, &association_handler, user);
    if (error != 0) {
        uv_close((uv_handle_t *)&user->timer, free_user);
        return error;
    }
    user->intake.association = user->association;
    user->intake.sink = options->sink;
    user->intake.context = options->sink_context;
    *ret_user = user;
    return 0;
}

struct dicomnet_association *dicomnet_query_user_association(const struct dicomnet_query_user *user)
{
    return user->association;
}

const struct dicomnet_association_context *dicomnet_query_user_find_context(const struct dicomnet_query_user *user,
                                                                            enum dicomnet_query_model model,
                                                                            enum dicomnet_query_service service)
{
    for (size_t i = 0; i < dicomnet_association_context_count(user->association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(user->association, i);
        if (context->result == DICOMNET_CONTEXT_ACCEPTED &&
            strcmp(context->abstract_syntax, dicomnet_query_class_uid(model, service)) == 0)
            return context;
    }
    return NULL;
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

int dicomnet_query_user_begin(struct dicomnet_query_user *user, struct dicomnet_query *query)
{
    if (!user->open || user->releasing)
        return DICOMNET_ERROR_NOT_OPEN;
    if (user->query != NULL)
        return DICOMNET_ERROR_BUSY;
    const struct dicomnet_association_context *context =
        dicomnet_query_user_find_context(user, query->model, query->service);
    if (context == NULL)
        return DICOMNET_ERROR_NO_CONTEXT;
    size_t size = dicomnet_identifier_encoded_size(query->identifier);
    int error = buffer_grow(&user->request_bytes, &user->request_size, size, DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0)
        return error;
    ssize_t len = dicomnet_identifier_encode(query->identifier, context->transfer_syntax, user->request_bytes, size);
    if (len < 0)
        return (int)len;

    user->last_message_id = user->last_message_id == UINT16_MAX ? 1 : (uint16_t)(user->last_message_id + 1);
    reset(query, user->last_message_id);
    user->query = query;
    user->context = context;
    user->request = request_of(query);
    dicomnet_memory_source_init(&user->request_source, user->request_bytes, (uint64_t)len);
    user->request_state = REQUEST_WAITING;
    user->cancel_wanted = user->cancel_sent = user->final_came = user->has_final_data_set = false;
    pump(user);
    return 0;
}

void dicomnet_query_user_cancel(struct dicomnet_query_user *user)
{
    if (user->query == NULL || user->cancel_wanted)
        return;
    user->cancel_wanted = true;
    pump(user);
}

void dicomnet_query_user_release(struct dicomnet_query_user *user)
{
    user->releasing = true;
    pump(user);
}

void dicomnet_query_user_abort(struct dicomnet_query_user *user, int error)
{
    dicomnet_association_abort(user->association, error);
}
