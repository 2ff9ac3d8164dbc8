/*
 * storage_user - the user side of C-STORE. See dicomnet/storage.h.
 *
 * Stores in flight stand in an array of `window` places, in the order they were sent. A store has ended when both its
 * last byte is out and its response is in, whichever comes first.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "dicomnet/data_source.h"
#include "dicomnet/storage.h"
#include "services/store.h"

struct dicomnet_storage_user {
    struct dicomnet_association *association;
    const struct dicomnet_storage_user_handler *handler;
    void *context;
    uv_timer_t timer; /* runs while anything is in flight; looks at the oldest */
    uint32_t dimse_ms;
    uint64_t heard_us; /* when the last response came: a peer that answers the others gets on with this one too */
    bool open;
    bool releasing;
    bool in_store; /* dicomnet_storage_user_store is on the stack: its caller asks by itself */
    uint16_t last_message_id;
    struct dicomnet_store *sending; /* the one whose bytes are on their way out */
    uint64_t prepare_count;         /* the store with this number is the one that the association has framed */
    unsigned in_flight_count;
    struct dicomnet_store *in_flight[DICOMNET_STORAGE_WINDOW_MAX];
};

/* ---- the table of stores in flight ---- */

static struct dicomnet_store *find_in_flight(const struct dicomnet_storage_user *user, uint16_t message_id)
{
    for (unsigned i = 0; i < user->in_flight_count; i++)
        if (user->in_flight[i]->message_id == message_id)
            return user->in_flight[i];
    return NULL;
}

static void remove_in_flight(struct dicomnet_storage_user *user, const struct dicomnet_store *store)
{
    unsigned i = 0;
    while (user->in_flight[i] != store)
        i++;
    user->in_flight_count--;
    memmove(&user->in_flight[i], &user->in_flight[i + 1], (user->in_flight_count - i) * sizeof user->in_flight[0]);
}

/* 1 to 65,535, then 1 again; an ID in flight is skipped. */
static uint16_t next_message_id(struct dicomnet_storage_user *user)
{
    do
        user->last_message_id = user->last_message_id == UINT16_MAX ? 1 : (uint16_t)(user->last_message_id + 1);
    while (find_in_flight(user, user->last_message_id) != NULL);
    return user->last_message_id;
}

/* ---- the response timeout ---- */

static void on_timer(uv_timer_t *timer)
{
    struct dicomnet_storage_user *user = timer->data;
    uint64_t now_us = clock_monotonic_us(), left_ms = user->dimse_ms;
    for (unsigned i = 0; i < user->in_flight_count; i++) {
        const struct dicomnet_store *store = user->in_flight[i];
        if (!store->all_sent)
            continue;
        uint64_t since_us = store->sent_us > user->heard_us ? store->sent_us : user->heard_us;
        uint64_t waited_ms = (now_us - since_us) / 1000;
        if (waited_ms >= user->dimse_ms) {
            dicomnet_association_abort(user->association, DICOMNET_ERROR_TIMEOUT_DIMSE);
            return;
        }
        if (user->dimse_ms - waited_ms < left_ms)
            left_ms = user->dimse_ms - waited_ms;
    }
    if (user->in_flight_count > 0)
        uv_timer_start(timer, on_timer, left_ms, 0);
}

static void watch_response(struct dicomnet_storage_user *user)
{
    if (user->dimse_ms > 0 && !uv_is_active((const uv_handle_t *)&user->timer))
        uv_timer_start(&user->timer, on_timer, user->dimse_ms, 0);
}

/* ---- what the association tells ---- */

static void tell_ready(struct dicomnet_storage_user *user)
{
    if (!user->in_store && user->handler->ready != NULL && dicomnet_storage_user_can_prepare(user))
        user->handler->ready(user, user->context);
}

static void release_if_wanted(struct dicomnet_storage_user *user)
{
    if (user->releasing && user->in_flight_count == 0)
        dicomnet_association_release(user->association);
}

static void finish(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    uint64_t now_us = clock_monotonic_us();
    store->answered = true;
    store->wait_us = now_us > store->sent_us ? now_us - store->sent_us : 0;
    remove_in_flight(user, store);
    user->handler->done(user, user->context, store);
    release_if_wanted(user);
}

static void on_opened(struct dicomnet_association *association, void *context)
{
    struct dicomnet_storage_user *user = context;
    user->open = true;
    if (user->handler->opened != NULL)
        user->handler->opened(user, user->context);
    release_if_wanted(user);
    tell_ready(user);
}

static void on_sent(struct dicomnet_association *association, void *context)
{
    struct dicomnet_storage_user *user = context;
    struct dicomnet_store *store = user->sending;
    user->sending = NULL;
    store->sent_us = clock_monotonic_us();
    store->read_us = dicomnet_association_read_us(association);
    store->write_us = store->sent_us - store->begun_us - (store->read_us - store->read_before_us);
    store->all_sent = true;
    if (store->response_came)
        finish(user, store);
    else
        watch_response(user);
    tell_ready(user);
}

static void on_command(struct dicomnet_association *association, void *context, uint8_t context_id,
                       const struct dicomnet_dimse_command *command)
{
    struct dicomnet_storage_user *user = context;
    struct dicomnet_store *store = find_in_flight(user, command->message_id_responded);
    bool alone = user->in_flight_count == 1;
    if (command->field != DICOMNET_DIMSE_C_STORE_RSP ||
        !store_matches(store, association, alone, context_id, command)) {
        dicomnet_association_abort(association, DICOMNET_ERROR_RESPONSE_MISMATCH);
        return;
    }
    store_take_response(store, context_id, command);
    user->heard_us = clock_monotonic_us();
    if (store->all_sent) {
        finish(user, store);
        tell_ready(user);
    }
}

/* What an unanswered store's time went into, until the association ended. */
static void note_times(const struct dicomnet_association *association, struct dicomnet_store *store, uint64_t now_us)
{
    if (store->all_sent) {
        store->wait_us = now_us - store->sent_us;
        return;
    }
    store->read_us = dicomnet_association_read_us(association);
    uint64_t read_since_us = store->read_us - store->read_before_us;
    store->write_us = now_us - store->begun_us > read_since_us ? now_us - store->begun_us - read_since_us : 0;
}

static void free_user(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(struct dicomnet_association *association, void *context,
                      const struct dicomnet_association_end *end)
{
    struct dicomnet_storage_user *user = context;
    uint64_t now_us = clock_monotonic_us();
    user->open = false;
    while (user->in_flight_count > 0) {
        struct dicomnet_store *store = user->in_flight[0];
        store->answered = false;
        note_times(association, store, now_us);
        store->source_failed = end->source_failed && store == user->sending;
        store->error = end->error != 0 ? end->error : DICOMNET_ERROR_RELEASED;
        remove_in_flight(user, store);
        user->handler->done(user, user->context, store);
    }
    user->handler->closed(user, user->context, end);
    uv_close((uv_handle_t *)&user->timer, free_user);
}

static const struct dicomnet_association_handler association_handler = {
    .opened = on_opened, .command = on_command, .sent = on_sent, .closed = on_closed};

/* ---- what the user asks for ---- */

int dicomnet_storage_user_open(struct dicomnet_storage_user **ret_user, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               const struct dicomnet_storage_user_handler *handler, void *context)
{
    struct dicomnet_storage_user *user = calloc(1, sizeof *user);
    if (user == NULL)
        return -ENOMEM;
    user->handler = handler;
    user->context = context;
    user->dimse_ms = options->timeouts.dimse_ms;
    uv_timer_init(loop, &user->timer);
    user->timer.data = user;
    struct dicomnet_association_options capped = *options;
    if (capped.window > DICOMNET_STORAGE_WINDOW_MAX)
        capped.window = DICOMNET_STORAGE_WINDOW_MAX;
    int error = dicomnet_association_open(&user->association, loop, &capped, &association_handler, user);
    if (error != 0) {
        uv_close((uv_handle_t *)&user->timer, free_user);
        return error;
    }
    *ret_user = user;
    return 0;
}

struct dicomnet_association *dicomnet_storage_user_association(const struct dicomnet_storage_user *user)
{
    return user->association;
}

const struct dicomnet_association_context *dicomnet_storage_user_find_context(const struct dicomnet_storage_user *user,
                                                                              const char *class_uid,
                                                                              const char *syntax_uid)
{
    for (size_t i = 0; i < dicomnet_association_context_count(user->association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(user->association, i);
        if (context->result == DICOMNET_CONTEXT_ACCEPTED && strcmp(context->abstract_syntax, class_uid) == 0 &&
            strcmp(context->transfer_syntax, syntax_uid) == 0)
            return context;
    }
    return NULL;
}

bool dicomnet_storage_user_can_prepare(const struct dicomnet_storage_user *user)
{
    return user->open && !user->releasing && user->sending == NULL && dicomnet_association_can_send(user->association);
}

bool dicomnet_storage_user_can_store(const struct dicomnet_storage_user *user)
{
    return dicomnet_storage_user_can_prepare(user) &&
           user->in_flight_count < dicomnet_association_window(user->association);
}

int dicomnet_storage_user_prepare(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    if (!user->open || user->releasing)
        return DICOMNET_ERROR_NOT_OPEN;
    if (!dicomnet_storage_user_can_prepare(user))
        return DICOMNET_ERROR_BUSY;
    store_reset(store, next_message_id(user));
    struct dicomnet_dimse_command request = store_request(store);
    int error = dicomnet_association_prepare(user->association, store->context_id, &request, store->source);
    store->read_before_us = dicomnet_association_read_us(user->association);
    user->prepare_count++;
    store->prepared = error == 0 ? user->prepare_count : 0;
    return error;
}

int dicomnet_storage_user_store(struct dicomnet_storage_user *user, struct dicomnet_store *store)
{
    if (!user->open || user->releasing)
        return DICOMNET_ERROR_NOT_OPEN;
    if (!dicomnet_storage_user_can_store(user))
        return DICOMNET_ERROR_BUSY;
    bool prepared = store->prepared != 0 && store->prepared == user->prepare_count;
    int error = prepared ? 0 : dicomnet_storage_user_prepare(user, store);
    store->prepared = 0;
    if (error != 0)
        return error;
    store->begun_us = clock_monotonic_us();
    user->in_flight[user->in_flight_count++] = store;
    user->sending = store;
    user->in_store = true;
    error = dicomnet_association_send_prepared(user->association);
    user->in_store = false;
    if (error != 0) {
        remove_in_flight(user, store);
        user->sending = NULL;
    }
    return error;
}

unsigned dicomnet_storage_user_in_flight(const struct dicomnet_storage_user *user)
{
    return user->in_flight_count;
}

void dicomnet_storage_user_release(struct dicomnet_storage_user *user)
{
    user->releasing = true;
    if (user->open)
        release_if_wanted(user);
}

void dicomnet_storage_user_abort(struct dicomnet_storage_user *user, int error)
{
    dicomnet_association_abort(user->association, error);
}
