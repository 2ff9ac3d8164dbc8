/*
 * storage_user - the user side of C-STORE. See dicomnet/storage.h.
 *
 * A service of an exchange, its own or a shared one. A store has ended when both its last byte is out and its response
 * is in, whichever comes first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/data_source.h"
#include "dicomnet/storage.h"
#include "services/exchange.h"
#include "services/store.h"

/* A store in flight. */
struct place {
    struct operation operation;
    struct dicomnet_store *store; /* borrowed; NULL: the place is free */
};

struct dicomnet_storage_user {
    struct service service;
    const struct dicomnet_storage_user_handler *handler;
    void *context;
    bool releasing;
    bool in_store; /* storage_user_store is on the stack: its caller asks by itself */
    unsigned in_flight_count;
    struct place places[DICOMNET_STORAGE_WINDOW_MAX];
};

static struct dicomnet_storage_user *user_of(struct service *service)
{
    return list_entry(service, struct dicomnet_storage_user, service);
}

static struct place *place_of(struct operation *operation)
{
    return list_entry(operation, struct place, operation);
}

static bool is_open(const struct dicomnet_storage_user *user)
{
    return user->service.exchange->state == EXCHANGE_OPEN && !user->releasing;
}

/* ---- the places of the stores in flight ---- */

/* There is one: no more operations are in flight than the window has, and no window is larger than the places. */
static struct place *take_place(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    struct place *place = user->places;
    while (place->store != NULL)
        place++;
    place->store = store;
    place->operation.message_id = store->message_id;
    place->operation.field = DICOMNET_DIMSE_C_STORE_RQ;
    user->in_flight_count++;
    return place;
}

static void leave_place(struct dicomnet_storage_user *user, struct place *place)
{
    exchange_end(&user->service, &place->operation);
    place->store = NULL;
    user->in_flight_count--;
}

/* ---- what the exchange tells ---- */

static void release_if_wanted(struct dicomnet_storage_user *user)
{
    if (user->releasing && user->in_flight_count == 0)
        exchange_let_go(&user->service);
}

static void finish(struct dicomnet_storage_user *user, struct place *place, uint64_t now_us)
{
    struct dicomnet_store *store = place->store;
    store_finish(store, place->operation.sent_us, now_us);
    leave_place(user, place);
    user->handler->done(user, user->context, store);
    release_if_wanted(user);
}

static void on_opened(struct service *service)
{
    struct dicomnet_storage_user *user = user_of(service);
    if (user->handler->opened != NULL)
        user->handler->opened(user, user->context);
    release_if_wanted(user);
}

static void on_ready(struct service *service)
{
    struct dicomnet_storage_user *user = user_of(service);
    if (!user->in_store && user->handler->ready != NULL && dicomnet_storage_user_can_prepare(user))
        user->handler->ready(user, user->context);
}

static void on_sent(struct service *service, struct operation *operation)
{
    struct place *place = place_of(operation);
    store_take_sent(place->store, service->exchange->association, operation->sent_us);
    if (place->store->response_came)
        finish(user_of(service), place, operation->sent_us);
}

static int on_response(struct service *service, struct operation *operation, uint8_t context_id,
                       const struct dicomnet_dimse_command *response)
{
    struct dicomnet_storage_user *user = user_of(service);
    struct place *place = place_of(operation);
    bool alone = user->in_flight_count == 1;
    if (!store_matches(place->store, service->exchange->association, alone, context_id, response))
        return DICOMNET_ERROR_RESPONSE_MISMATCH;
    store_take_response(place->store, context_id, response);
    if (place->store->all_sent)
        finish(user, place, service->exchange->operations.heard_us);
    return 0;
}

/* What an unanswered store's time went into, until the association ended. */
static void note_times(const struct dicomnet_association *association, const struct place *place, uint64_t now_us)
{
    struct dicomnet_store *store = place->store;
    if (store->all_sent) {
        store->wait_us = now_us - place->operation.sent_us;
        return;
    }
    store->read_us = dicomnet_association_read_us(association);
    uint64_t read_since_us = store->read_us - store->read_before_us;
    store->write_us = now_us - store->begun_us > read_since_us ? now_us - store->begun_us - read_since_us : 0;
}

static void lose(struct dicomnet_storage_user *user, struct place *place, const struct dicomnet_association_end *end,
                 uint64_t now_us)
{
    const struct dicomnet_exchange *exchange = user->service.exchange;
    struct dicomnet_store *store = place->store;
    store->answered = false;
    note_times(exchange->association, place, now_us);
    store->source_failed = end->source_failed && exchange->sending == &place->operation;
    store->error = end->source_failed && !store->source_failed ? DICOMNET_ERROR_ABORTED_LOCALLY
                   : end->error != 0                           ? end->error
                                                               : DICOMNET_ERROR_RELEASED;
    leave_place(user, place);
    user->handler->done(user, user->context, store);
}

static void on_closed(struct service *service, const struct dicomnet_association_end *end)
{
    struct dicomnet_storage_user *user = user_of(service);
    struct operation *operation;
    uint64_t now_us = clock_monotonic_us();
    while ((operation = operations_first_of(&service->exchange->operations, service)) != NULL)
        lose(user, place_of(operation), end, now_us);
    user->handler->closed(user, user->context, end);
    free(user);
}

static const struct service_class storage_class = {
    .opened = on_opened, .ready = on_ready, .sent = on_sent, .response = on_response, .closed = on_closed};

/* ---- what the user asks for ---- */

static int create(struct dicomnet_storage_user **ret_user, const struct dicomnet_storage_user_handler *handler,
                  void *context)
{
    if (handler == NULL || handler->done == NULL || handler->closed == NULL)
        return -EINVAL;
    struct dicomnet_storage_user *user = calloc(1, sizeof *user);
    if (user == NULL)
        return -ENOMEM;
    user->handler = handler;
    user->context = context;
    *ret_user = user;
    return 0;
}

/* The user has its exchange now; or there was an error, and it is freed. */
static int finish_opening(struct dicomnet_storage_user *user, int error, struct dicomnet_storage_user **ret_user)
{
    if (error == 0)
        *ret_user = user;
    else
        free(user);
    return error;
}

int dicomnet_storage_user_open(struct dicomnet_storage_user **ret_user, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               const struct dicomnet_storage_user_handler *handler, void *context)
{
    struct dicomnet_storage_user *user;
    int error = create(&user, handler, context);
    if (error != 0)
        return error;
    return finish_opening(user, exchange_open_for(&user->service, &storage_class, loop, options), ret_user);
}

int dicomnet_storage_user_join(struct dicomnet_storage_user **ret_user, struct dicomnet_exchange *exchange,
                               const struct dicomnet_storage_user_handler *handler, void *context)
{
    struct dicomnet_storage_user *user;
    int error = create(&user, handler, context);
    if (error != 0)
        return error;
    return finish_opening(user, exchange_join(exchange, &user->service, &storage_class), ret_user);
}

struct dicomnet_association *dicomnet_storage_user_association(const struct dicomnet_storage_user *user)
{
    return user->service.exchange->association;
}

const struct dicomnet_association_context *dicomnet_storage_user_find_context(const struct dicomnet_storage_user *user,
                                                                              const char *class_uid,
                                                                              const char *syntax_uid)
{
    return exchange_find_context(user->service.exchange, class_uid, syntax_uid);
}

bool dicomnet_storage_user_can_prepare(const struct dicomnet_storage_user *user)
{
    return is_open(user) && dicomnet_association_can_send(user->service.exchange->association);
}

bool dicomnet_storage_user_can_store(const struct dicomnet_storage_user *user)
{
    return is_open(user) && exchange_can_begin(user->service.exchange);
}

int dicomnet_storage_user_prepare(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    struct dicomnet_exchange *exchange = user->service.exchange;
    if (!is_open(user))
        return DICOMNET_ERROR_NOT_OPEN;
    if (!dicomnet_storage_user_can_prepare(user))
        return DICOMNET_ERROR_BUSY;
    int error = store_check(store);
    if (error != 0)
        return error;
    store_reset(store, operations_next_message_id(&exchange->operations));
    struct dicomnet_dimse_command request = store_request(store);
    uint64_t preparation;
    error = exchange_prepare(exchange, store->context_id, &request, store->source, &preparation);
    store->read_before_us = dicomnet_association_read_us(exchange->association);
    store->prepared = error == 0 ? preparation : 0;
    return error;
}

int dicomnet_storage_user_store(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    if (store == NULL)
        return -EINVAL;
    if (!is_open(user))
        return DICOMNET_ERROR_NOT_OPEN;
    if (!dicomnet_storage_user_can_store(user))
        return DICOMNET_ERROR_BUSY;
    bool prepared = store->prepared != 0 && store->prepared == user->service.exchange->preparation;
    int error = prepared ? 0 : dicomnet_storage_user_prepare(user, store);
    store->prepared = 0;
    if (error != 0)
        return error;
    store->begun_us = clock_monotonic_us();
    struct place *place = take_place(user, store);
    user->in_store = true;
    error = exchange_begin_prepared(&user->service, &place->operation);
    user->in_store = false;
    if (error != 0)
        leave_place(user, place);
    return error;
}

unsigned dicomnet_storage_user_in_flight(const struct dicomnet_storage_user *user)
{
    return user->in_flight_count;
}

void dicomnet_storage_user_release(struct dicomnet_storage_user *user)
{
    user->releasing = true;
    if (user->service.exchange->state == EXCHANGE_OPEN)
        release_if_wanted(user);
}

void dicomnet_storage_user_abort(struct dicomnet_storage_user *user, int error)
{
    dicomnet_association_abort(user->service.exchange->association, error);
}
