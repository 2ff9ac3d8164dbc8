/*
 * association - made, asked for things, and looked at: the public face of dicomnet/association.h. What happens in
 * between is in association_machine.c (states), association_send.c (writing) and association_negotiate.c (A-ASSOCIATE).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/arguments.h"
#include "net/association_private.h"
#include "net/faults.h"

const struct dicomnet_association_timeouts dicomnet_association_default_timeouts = {.connect_ms = 10 * 1000,
                                                                                    .acse_ms = 30 * 1000,
                                                                                    .dimse_ms = 120 * 1000,
                                                                                    .network_ms = 60 * 1000,
                                                                                    .release_ms = 10 * 1000};

/* ---- opening ---- */

static struct dicomnet_association *create(uv_loop_t *loop, const struct dicomnet_association_handler *handler,
                                           void *user)
{
    struct dicomnet_association *association = calloc(1, sizeof *association);
    if (association == NULL)
        return NULL;
    association->handler = handler;
    association->user = user;
    association->begun_us = clock_monotonic_us();
    association->window = 1;
    association->state = STA1;
    uv_timer_init(loop, &association->timer);
    association->timer.data = association;
    association->timer_open = association->transport_open = true;
    return association;
}

int association_make_room(struct dicomnet_association *association)
{
    if (association->room != NULL)
        return 0;
    struct association_room *room = malloc(sizeof *room);
    if (room == NULL)
        return -ENOMEM;
    memset(room, 0, offsetof(struct association_room, send_buffer)); /* which is left untouched */
    dicomnet_dimse_reader_init(&room->dimse_reader);
    association->room = room;
    return 0;
}

int association_grow_received(struct dicomnet_association *association, size_t size)
{
    if (size <= association->received_size)
        return 0;
    uint8_t *received = malloc(size); /* not realloc, which leaves behind what may be half a request with a secret */
    if (received == NULL)
        return -ENOMEM;
    if (association->received_size > 0) {
        memcpy(received, association->received, association->received_len);
        explicit_bzero(association->received, association->received_len);
    }
    free(association->received);
    association->received = received;
    association->received_size = size;
    return 0;
}

void association_free(struct dicomnet_association *association)
{
    association_wipe(association);
    free(association->room);
    free(association->received);
    free(association);
}

static void drop_timer_closed(uv_handle_t *handle)
{
    association_free(handle->data);
}

/* A creation that failed before any callback could come: it ends in silence. */
static int drop(struct dicomnet_association *association, int error)
{
    uv_close((uv_handle_t *)&association->timer, drop_timer_closed);
    return error;
}

int dicomnet_association_open(struct dicomnet_association **ret_association, struct uv_loop_s *loop,
                              const struct dicomnet_association_options *options,
                              const struct dicomnet_association_handler *handler, void *user)
{
    struct dicomnet_association_options own;
    int error = arguments_take_options(&own, options);
    if (error == 0)
        error = ret_association == NULL || loop == NULL || handler == NULL || handler->closed == NULL
                    ? -EINVAL
                    : arguments_check_options(&own);
    if (error != 0)
        return error;
    struct dicomnet_association *association = create(loop, handler, user);
    if (association == NULL)
        return -ENOMEM;
    const struct dicomnet_association_parameters *parameters = &own.parameters;
    association->requestor = true;
    association->logger = own.logger;
    association->timeouts = parameters->timeouts;
    association->max_pdu_len =
        parameters->max_pdu_len != 0 ? parameters->max_pdu_len : DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT;
    association->max_send_pdu_len = parameters->max_send_pdu_len;
    association->window_proposed = parameters->window;
    memcpy(association->called_ae, parameters->called_ae, sizeof association->called_ae);
    memcpy(association->calling_ae, parameters->calling_ae, sizeof association->calling_ae);
    dicomnet_pdu_reader_init(&association->pdu_reader, association->max_pdu_len);
    error = association_make_room(association);
    if (error == 0)
        error = association_grow_received(association, READ_SIZE);
    if (error == 0)
        error = negotiate_build_request(association, &own);
    if (error != 0)
        return drop(association, error);

    association_step(association, EVT1, NULL);
    association_wait_for(association, WAIT_CONNECT, association->timeouts.connect_ms);
    error = transport_connect(&association->transport, loop, parameters, &association_stream_handler, association);
    if (error != 0) {
        association_set_end(association, DICOMNET_ASSOCIATION_NOT_CONNECTED, error);
        association_close_all(association);
    }
    *ret_association = association;
    return 0;
}

int dicomnet_association_accept(struct dicomnet_association **ret_association, struct uv_stream_s *listener,
                                const struct dicomnet_association_accept_options *options,
                                const struct dicomnet_association_handler *handler, void *user)
{
    struct dicomnet_association_accept_options own;
    int error = arguments_take_accept_options(&own, options);
    if (error == 0)
        error = ret_association == NULL || listener == NULL || handler == NULL || handler->closed == NULL
                    ? -EINVAL
                    : arguments_check_accept_options(&own);
    if (error != 0)
        return error;
    struct dicomnet_association *association = create(listener->loop, handler, user);
    if (association == NULL)
        return -ENOMEM;
    association->accept = own;
    association->logger = own.logger;
    association->timeouts = own.timeouts;
    association->max_pdu_len = own.max_pdu_len != 0 ? own.max_pdu_len : DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT;
    association->max_send_pdu_len = own.max_send_pdu_len;
    association->window_proposed = own.window;
    dicomnet_pdu_reader_init(&association->pdu_reader, association->max_pdu_len);
    association->connected_us = association->begun_us;
    error = association_grow_received(association, RECEIVE_SIZE_FIRST);
    if (error != 0)
        return drop(association, error);
    error = transport_accept(&association->transport, listener, &own, &association_stream_handler, association);
    if (error != 0) {
        association_set_end(association, DICOMNET_ASSOCIATION_NOT_CONNECTED, error);
        association_close_all(association);
    } else {
        association_step(association, EVT5, NULL);
    }
    *ret_association = association;
    return 0;
}

void association_use_two_writes(struct dicomnet_association *association)
{
    if (!transport_is_closing(&association->transport))
        transport_use_two_writes(&association->transport);
}

/* ---- what the user asks for ---- */

void dicomnet_association_release(struct dicomnet_association *association)
{
    association->release_wanted = true;
    if (association->state == STA6 && !association->sending && !association->write_pending)
        association_start_release(association);
}

void dicomnet_association_abort(struct dicomnet_association *association, int error)
{
    if (!transport_is_closing(&association->transport))
        association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, error);
}

/* ---- what was agreed ---- */

const char *dicomnet_association_called_ae(const struct dicomnet_association *association)
{
    return association->called_ae;
}
const char *dicomnet_association_calling_ae(const struct dicomnet_association *association)
{
    return association->calling_ae;
}
const char *dicomnet_association_peer(const struct dicomnet_association *association)
{
    return transport_peer(&association->transport);
}
const char *dicomnet_association_tls_text(const struct dicomnet_association *association)
{
    return association->tls_text[0] != '\0' ? association->tls_text : NULL;
}
const char *dicomnet_association_user_name(const struct dicomnet_association *association)
{
    return association->user_name;
}
struct dicomnet_span dicomnet_association_identity_response(const struct dicomnet_association *association)
{
    return (struct dicomnet_span){.data = association->identity_response, .len = association->identity_response_len};
}
const char *dicomnet_association_peer_version(const struct dicomnet_association *association)
{
    return association->peer_version;
}
size_t dicomnet_association_context_count(const struct dicomnet_association *association)
{
    return association->room != NULL ? association->room->context_count : 0;
}

const struct dicomnet_association_context *dicomnet_association_context(const struct dicomnet_association *association,
                                                                        size_t index)
{
    return &association->room->contexts[index];
}

const struct dicomnet_association_context *
dicomnet_association_find_context(const struct dicomnet_association *association, uint8_t id)
{
    const struct association_room *room = association->room;
    unsigned index = room != NULL ? room->context_index[id] : 0;
    return index > 0 ? &room->contexts[index - 1] : NULL;
}

uint32_t dicomnet_association_peer_max_pdu(const struct dicomnet_association *association)
{
    return association->peer_max_pdu;
}
uint16_t dicomnet_association_window(const struct dicomnet_association *association)
{
    return association->window;
}

void association_note_received(struct dicomnet_association *association, const struct dicomnet_dimse_command *command)
{
    bool is_request = (command->field & DICOMNET_DIMSE_RESPONSE) == 0 && command->field != DICOMNET_DIMSE_C_CANCEL_RQ;
    if (association->requestor)
        return;
    association->quiet_since_us = clock_monotonic_us();
    association->unanswered += is_request;
}

void association_note_sent(struct dicomnet_association *association)
{
    const struct dicomnet_dimse_command *command = &association->room->outgoing;
    bool pending = command->status == DICOMNET_STATUS_PENDING || command->status == DICOMNET_STATUS_PENDING_WARNING;
    if (association->requestor)
        return;
    association->quiet_since_us = clock_monotonic_us();
    if ((command->field & DICOMNET_DIMSE_RESPONSE) != 0 && !pending && association->unanswered > 0)
        association->unanswered--;
}

uint64_t dicomnet_association_idle_ms(const struct dicomnet_association *association)
{
    if (association->state != STA6 || association->unanswered > 0)
        return 0;
    uint64_t since_us = association->quiet_since_us > 0 ? association->quiet_since_us : association->opened_us;
    return (clock_monotonic_us() - since_us) / 1000;
}

uint64_t dicomnet_association_read_us(const struct dicomnet_association *association)
{
    return association->room->framer.read_us;
}

uint64_t dicomnet_association_connect_us(const struct dicomnet_association *association)
{
    return association->connected_us != 0 ? association->connected_us - association->begun_us : 0;
}

uint64_t dicomnet_association_negotiate_us(const struct dicomnet_association *association)
{
    return association->opened_us != 0 ? association->opened_us - association->connected_us : 0;
}

static void describe_error(const char *what, const struct dicomnet_association_end *end, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%s: %s%s%s", what, dicomnet_error_text(end->error), end->detail[0] != '\0' ? ": " : "",
             end->detail);
}

void dicomnet_association_describe_end(const struct dicomnet_association_end *end, char *ret_text, size_t size)
{
    switch (end->kind) {
    case DICOMNET_ASSOCIATION_RELEASED:
        snprintf(ret_text, size, "released");
        break;
    case DICOMNET_ASSOCIATION_NOT_CONNECTED:
        describe_error("not connected", end, ret_text, size);
        break;
    case DICOMNET_ASSOCIATION_REJECTED:
        if (end->detail[0] != '\0')
            snprintf(ret_text, size, "rejected: user identity not accepted: %s", end->detail);
        else
            snprintf(ret_text, size, "rejected: %s", dicomnet_pdu_reject_text(&end->reject));
        break;
    case DICOMNET_ASSOCIATION_ABORTED_BY_PEER:
        snprintf(ret_text, size, "aborted by the peer: %s", dicomnet_pdu_abort_text(&end->abort));
        break;
    case DICOMNET_ASSOCIATION_ABORTED_BY_US:
        snprintf(ret_text, size, "aborted: %s", dicomnet_error_text(end->error));
        break;
    case DICOMNET_ASSOCIATION_LOST:
        describe_error("connection lost", end, ret_text, size);
        break;
    }
}
