/*
 * exchange - one association and the services on it. See dicomnet/exchange.h and services/exchange.h.
 *
 * What is to be sent waits for its turn in exchange_pump(), which runs whenever something may have changed: first what
 * is no operation's beginning (responses, a C-CANCEL), then the operations that wait, and last whatever the services
 * can begin at once.
 */
#include "services/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/storage.h"
#include "net/arguments.h"

static void set_state(struct dicomnet_exchange *exchange, enum exchange_state state)
{
    assert(state > exchange->state);
    exchange->state = state;
}

/* ---- what waits ---- */

static bool has_room(const struct dicomnet_exchange *exchange)
{
    return exchange->state == EXCHANGE_OPEN && dicomnet_association_can_send(exchange->association) &&
           exchange->operations.count < dicomnet_association_window(exchange->association);
}

bool exchange_can_begin(const struct dicomnet_exchange *exchange)
{
    return has_room(exchange) && list_is_empty(&exchange->operations.waiting);
}

static struct service *service_of(struct list_node *node)
{
    return node != NULL ? list_entry(node, struct service, node) : NULL;
}

static struct service *first_service(const struct dicomnet_exchange *exchange)
{
    return service_of(list_first(&exchange->services));
}

static struct service *next_service(const struct service *service)
{
    return service_of(list_next(&service->exchange->services, &service->node));
}

/* One step of what is to be done; false if there is nothing to do now. */
static bool take_step(struct dicomnet_exchange *exchange)
{
    for (struct service *service = first_service(exchange); service != NULL; service = next_service(service))
        if (service->class->step != NULL && service->class->step(service))
            return true;
    struct list_node *first = list_first(&exchange->operations.waiting);
    if (first == NULL || !has_room(exchange))
        return false;
    struct operation *operation = list_entry(first, struct operation, node);
    operation->service->class->begin(operation->service, operation);
    return true;
}

void exchange_pump(struct dicomnet_exchange *exchange)
{
    if (exchange->in_pump || exchange->state != EXCHANGE_OPEN)
        return;
    exchange->in_pump = true;
    while (take_step(exchange)) {
    }
    for (struct service *service = first_service(exchange); service != NULL; service = next_service(service))
        if (service->class->ready != NULL)
            service->class->ready(service);
    /* What was asked for meanwhile. */
    while (take_step(exchange)) {
    }
    exchange->in_pump = false;
}

/* ---- operations ---- */

void exchange_enqueue(struct service *service, struct operation *operation)
{
    operation->service = service;
    operations_wait(&service->exchange->operations, operation);
    exchange_pump(service->exchange);
}

int exchange_prepare(struct dicomnet_exchange *exchange, uint8_t context_id,
                     const struct dicomnet_dimse_command *request, struct dicomnet_data_source *source,
                     uint64_t *ret_preparation)
{
    *ret_preparation = ++exchange->preparation;
    return dicomnet_association_prepare(exchange->association, context_id, request, source);
}

int exchange_begin_prepared(struct service *service, struct operation *operation)
{
    struct dicomnet_exchange *exchange = service->exchange;
    operation->service = service;
    operations_begin(&exchange->operations, operation);
    exchange->sending = operation;
    int error = dicomnet_association_send_prepared(exchange->association);
    if (error != 0) {
        exchange->sending = NULL;
        operations_end(&exchange->operations, operation);
    }
    return error;
}

int exchange_begin(struct service *service, struct operation *operation, uint8_t context_id,
                   const struct dicomnet_dimse_command *request, struct dicomnet_data_source *source)
{
    uint64_t preparation;
    int error = exchange_prepare(service->exchange, context_id, request, source, &preparation);
    if (error == 0)
        return exchange_begin_prepared(service, operation);
    operations_end(&service->exchange->operations, operation);
    return error;
}

void exchange_end(struct service *service, struct operation *operation)
{
    struct dicomnet_exchange *exchange = service->exchange;
    if (exchange->sending == operation)
        exchange->sending = NULL;
    if (exchange->answering == operation)
        exchange->answering = NULL;
    operations_end(&exchange->operations, operation);
}

/* ---- what the association tells ---- */

/* From the beginning each time: what is told may make others leave. */
static struct service *find_untold(const struct dicomnet_exchange *exchange)
{
    struct service *service = first_service(exchange);
    while (service != NULL && service->told_opened)
        service = next_service(service);
    return service;
}

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct dicomnet_exchange *exchange = user;
    set_state(exchange, EXCHANGE_OPEN);
    if (exchange->handler != NULL && exchange->handler->opened != NULL)
        exchange->handler->opened(exchange, exchange->context);
    struct service *service;
    while ((service = find_untold(exchange)) != NULL) {
        service->told_opened = true;
        if (service->class->opened != NULL)
            service->class->opened(service);
    }
    exchange_pump(exchange);
}

/* Whatever left, nothing prepared before it is there any more. */
static void on_sent(struct dicomnet_association *association, void *user)
{
    struct dicomnet_exchange *exchange = user;
    struct operation *operation = exchange->sending;
    exchange->sending = NULL;
    exchange->preparation++;
    if (operation != NULL) {
        operations_note_sent(&exchange->operations, operation);
        if (operation->service->class->sent != NULL)
            operation->service->class->sent(operation->service, operation);
    }
    exchange_pump(exchange);
}

static int take_response(struct dicomnet_exchange *exchange, uint8_t context_id,
                         const struct dicomnet_dimse_command *response)
{
    struct operation *operation = operations_find(&exchange->operations, response);
    if (operation == NULL)
        return DICOMNET_ERROR_RESPONSE_MISMATCH;
    exchange->answering = dicomnet_dimse_has_data_set(response) ? operation : NULL;
    operations_note_heard(&exchange->operations);
    return operation->service->class->response(operation->service, operation, context_id, response);
}

/* The service that takes what the peer asks for; NULL if none does. */
static struct service *find_server(const struct dicomnet_exchange *exchange)
{
    struct service *service = first_service(exchange);
    while (service != NULL && service->class->request == NULL)
        service = next_service(service);
    return service;
}

static int take_request(struct dicomnet_exchange *exchange, uint8_t context_id,
                        const struct dicomnet_dimse_command *request)
{
    struct service *server = find_server(exchange);
    exchange->answering = NULL;
    if (server == NULL)
        return DICOMNET_ERROR_RESPONSE_MISMATCH;
    server->class->request(server, context_id, request);
    return 0;
}

static void on_command(struct dicomnet_association *association, void *user, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_exchange *exchange = user;
    bool is_response = (command->field & DICOMNET_DIMSE_RESPONSE) != 0;
    int error =
        is_response ? take_response(exchange, context_id, command) : take_request(exchange, context_id, command);
    if (error != 0)
        dicomnet_association_abort(association, error);
    else
        exchange_pump(exchange);
}

static void on_data(struct dicomnet_association *association, void *user, const struct dicomnet_dimse_command *command,
                    struct dicomnet_span bytes, bool last)
{
    struct dicomnet_exchange *exchange = user;
    struct operation *operation = exchange->answering;
    bool is_response = (command->field & DICOMNET_DIMSE_RESPONSE) != 0;
    struct service *server = is_response ? NULL : find_server(exchange);
    if (operation != NULL && operation->service->class->data != NULL)
        operation->service->class->data(operation->service, operation, bytes, last);
    else if (server != NULL)
        server->class->request_data(server, command, bytes, last);
    else
        return; /* of a response that takes none */
    operations_note_heard(&exchange->operations);
    if (last)
        exchange_pump(exchange);
}

static void free_exchange(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct dicomnet_exchange *exchange = user;
    struct service *service;
    set_state(exchange, EXCHANGE_ENDED);
    while ((service = first_service(exchange)) != NULL) {
        list_remove(&service->node);
        service->class->closed(service, end);
    }
    assert(exchange->operations.count == 0 && list_is_empty(&exchange->operations.waiting));
    if (exchange->handler != NULL && exchange->handler->closed != NULL)
        exchange->handler->closed(exchange, exchange->context, end);
    uv_close((uv_handle_t *)&exchange->operations.timer, free_exchange);
}

static const struct dicomnet_association_handler association_handler = {
    .opened = on_opened, .command = on_command, .data = on_data, .sent = on_sent, .closed = on_closed};

/* ---- opening, joining, letting go ---- */

static int open_exchange(struct dicomnet_exchange **ret_exchange, struct uv_loop_s *loop,
                         const struct dicomnet_association_options *options)
{
    struct dicomnet_association_options capped;
    int error = loop != NULL ? arguments_take_options(&capped, options) : -EINVAL;
    if (error != 0)
        return error;
    struct dicomnet_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return -ENOMEM;
    list_init(&exchange->services);
    operations_init(&exchange->operations, loop, capped.parameters.timeouts.dimse_ms);
    exchange->operations.timer.data = exchange;
    if (capped.parameters.window > DICOMNET_STORAGE_WINDOW_MAX)
        capped.parameters.window = DICOMNET_STORAGE_WINDOW_MAX;
    error = dicomnet_association_open(&exchange->association, loop, &capped, &association_handler, exchange);
    if (error != 0) {
        uv_close((uv_handle_t *)&exchange->operations.timer, free_exchange);
        return error;
    }
    exchange->operations.association = exchange->association;
    *ret_exchange = exchange;
    return 0;
}

int dicomnet_exchange_open(struct dicomnet_exchange **ret_exchange, struct uv_loop_s *loop,
                           const struct dicomnet_association_options *options,
                           const struct dicomnet_exchange_handler *handler, void *context)
{
    struct dicomnet_exchange *exchange;
    int error = open_exchange(&exchange, loop, options);
    if (error != 0)
        return error;
    exchange->handler = handler;
    exchange->context = context;
    exchange->opener_holds = true;
    exchange->holds = 1;
    *ret_exchange = exchange;
    return 0;
}

static void add_service(struct dicomnet_exchange *exchange, struct service *service, const struct service_class *class)
{
    service->class = class;
    service->exchange = exchange;
    service->holds = true;
    service->told_opened = exchange->state != EXCHANGE_OPENING;
    exchange->holds++;
    list_append(&exchange->services, &service->node);
}

int exchange_open_for(struct service *service, const struct service_class *class, struct uv_loop_s *loop,
                      const struct dicomnet_association_options *options)
{
    struct dicomnet_exchange *exchange;
    int error = open_exchange(&exchange, loop, options);
    if (error == 0)
        add_service(exchange, service, class);
    return error;
}

int exchange_join(struct dicomnet_exchange *exchange, struct service *service, const struct service_class *class)
{
    if (exchange == NULL)
        return -EINVAL;
    if (exchange->state == EXCHANGE_ENDED || exchange->holds == 0)
        return DICOMNET_ERROR_NOT_OPEN;
    add_service(exchange, service, class);
    return 0;
}

static void drop_hold(struct dicomnet_exchange *exchange)
{
    if (--exchange->holds == 0)
        dicomnet_association_release(exchange->association);
}

void exchange_let_go(struct service *service)
{
    if (!service->holds)
        return;
    service->holds = false;
    drop_hold(service->exchange);
}

void exchange_leave(struct service *service)
{
    list_remove(&service->node);
    exchange_let_go(service);
}

void dicomnet_exchange_release(struct dicomnet_exchange *exchange)
{
    if (!exchange->opener_holds)
        return;
    exchange->opener_holds = false;
    drop_hold(exchange);
}

void dicomnet_exchange_abort(struct dicomnet_exchange *exchange, int error)
{
    dicomnet_association_abort(exchange->association, error);
}

struct dicomnet_association *dicomnet_exchange_association(const struct dicomnet_exchange *exchange)
{
    return exchange->association;
}

const struct dicomnet_association_context *exchange_find_context(const struct dicomnet_exchange *exchange,
                                                                 const char *class_uid, const char *syntax_uid)
{
    const struct dicomnet_association *association = exchange->association;
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        if (context->result == DICOMNET_CONTEXT_ACCEPTED && strcmp(context->abstract_syntax, class_uid) == 0 &&
            (syntax_uid == NULL || strcmp(context->transfer_syntax, syntax_uid) == 0))
            return context;
    }
    return NULL;
}
