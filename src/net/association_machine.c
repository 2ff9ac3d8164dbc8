/*
 * association_machine - PS3.8's state machine put to work: events come from the transport, the timer and the user.
 *
 * Every change goes through association_step(): it looks up the cell of Table 9-10 for the state and the event, moves
 * to the next state and performs the action. The actions that talk to our user do so last, because the user may send,
 * release or abort from within a callback. Memory stays until both handles are closed, so that no callback frees what
 * its caller still uses.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/association_private.h"
#include "net/tls.h"
#include "wire/foreign.h"

enum { CLOSE_LINGER_MS = 1000 /* how long an aborted peer may take to close */ };

/* ---- the end ---- */

void association_note_error(struct dicomnet_association *association, int error)
{
    if (!association->ended && association->end.error == 0)
        association->end.error = error;
}

static void finish_if_closed(struct dicomnet_association *association)
{
    if (association->timer_open || association->transport_open)
        return;
    association_log_end(association);
    association->handler->closed(association, association->user, &association->end);
    if (association->accept.gone != NULL)
        association->accept.gone(association->accept.admission);
    association_free(association);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct dicomnet_association *association = handle->data;
    association->timer_open = false;
    finish_if_closed(association);
}

static void on_transport_closed(void *user)
{
    struct dicomnet_association *association = user;
    association->transport_open = false;
    finish_if_closed(association);
}

void association_close_all(struct dicomnet_association *association)
{
    association->sending = false;
    transport_close(&association->transport);
    if (!uv_is_closing((const uv_handle_t *)&association->timer))
        uv_close((uv_handle_t *)&association->timer, on_timer_closed);
}

/* The first end is the one that counts: what happens while closing changes nothing. */
void association_set_end(struct dicomnet_association *association, enum dicomnet_association_end_kind kind, int error)
{
    if (association->ended)
        return;
    association->ended = true;
    if (association->admitted && association->accept.leave != NULL)
        association->accept.leave(association->accept.admission);
    association->end.kind = kind;
    association->end.error = error;
}

/* ---- timer ---- */

static void on_timer(uv_timer_t *timer);

void association_wait_for(struct dicomnet_association *association, enum wait what, uint32_t timeout_ms)
{
    association->waiting_for = what;
    if (what == WAIT_NOTHING || timeout_ms == 0)
        uv_timer_stop(&association->timer);
    else
        uv_timer_start(&association->timer, on_timer, timeout_ms, 0);
}

void association_abort_with(struct dicomnet_association *association, enum dicomnet_association_end_kind kind,
                            int error)
{
    association_set_end(association, kind, error);
    /* Before a request has come, and while only the end of the connection is awaited, there is nobody to abort to. */
    association_step(association, association->state == STA2 || association->state == STA13 ? EVT18 : EVT15, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct dicomnet_association *association = timer->data;
    switch (association->waiting_for) {
    case WAIT_CONNECT:
        association_abort_with(association, DICOMNET_ASSOCIATION_NOT_CONNECTED,
                               transport_is_looking_up(&association->transport)      ? DICOMNET_ERROR_TIMEOUT_LOOKUP
                               : transport_is_shaking_hands(&association->transport) ? DICOMNET_ERROR_TIMEOUT_TLS
                                                                                     : DICOMNET_ERROR_TIMEOUT_CONNECT);
        break;
    case WAIT_ACSE:
        association_set_end(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_ACSE);
        association_step(association, association->requestor ? EVT15 : EVT18, NULL);
        break;
    case WAIT_WRITE:
        association_look_at_write(association);
        break;
    case WAIT_READ:
        association_look_at_reading(association);
        break;
    case WAIT_RELEASE:
        association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_RELEASE);
        break;
    case WAIT_CLOSE:
        association_step(association, association->state == STA13 ? EVT18 : EVT17, NULL);
        break;
    case WAIT_NOTHING:
        break;
    }
}

/* ---- actions: what PS3.8 Tables 9-6 to 9-9 say, of the PDU that has come, if any ---- */

static void note_tls(struct dicomnet_association *association)
{
    const struct tls *tls = transport_tls(&association->transport);
    if (tls != NULL)
        (void)snprintf(association->tls_text, sizeof association->tls_text, "%s %s%s", tls_version(tls),
                       tls_cipher(tls), tls_is_resumed(tls) ? ", resumed" : "");
}

/* AE-7 */
static void open_now(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association->opened_us = clock_monotonic_us();
    if (association->write_pending)
        association_wait_for_write(association);
    else
        association_wait_for(association, WAIT_NOTHING, 0);
    note_tls(association);
    association_log_opened(association);
    association_log_contexts(association);
    if (association->handler->opened != NULL)
        association->handler->opened(association, association->user);
    if (association->release_wanted && !association->sending && !association->write_pending)
        association_start_release(association);
}

static void invalid_pdu(struct dicomnet_association *association, int error)
{
    association_set_end(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, error);
    association_step(association, EVT19, NULL);
}

/* AE-2 */
static void send_request(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association->connected_us = clock_monotonic_us();
    association_log_own_request(association);
    association_wait_for(association, WAIT_ACSE, association->timeouts.acse_ms);
    association_write(association, association->room->send_buffer, association->request_len, false);
}

/* AE-6: the answer decides between Evt7 and Evt8, which send it. */
static void answer_request(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    struct dicomnet_pdu_reject reject;
    ssize_t len = negotiate_answer_request(association, pdu->body, &reject);
    if (association->state != STA3)
        return; /* our user aborted while being asked */
    if (len < 0) {
        invalid_pdu(association, (int)len);
    } else if (len > 0) {
        association_write(association, association->room->send_buffer, (size_t)len, false);
        association_step(association, EVT7, NULL);
    } else {
        association_set_end(association, DICOMNET_ASSOCIATION_REJECTED, DICOMNET_ERROR_REJECTED);
        association->end.reject = reject;
        (void)!dicomnet_pdu_encode_reject(association->control, sizeof association->control, &reject);
        association_write(association, association->control, sizeof association->control, false);
        association_step(association, EVT8, NULL);
    }
}

/* AE-3 */
static void read_accept(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    int error = negotiate_read_accept(association, pdu->body);
    if (!association->write_pending)
        association_wipe_request(association);
    if (error == DICOMNET_ERROR_IDENTITY_UNCONFIRMED)
        association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, error);
    else if (error != 0)
        invalid_pdu(association, error);
    else
        open_now(association, pdu);
}

/* DT-2 and AR-6 */
static void take_fragment(struct dicomnet_association *association, const struct dicomnet_pdu_event *fragment)
{
    struct dicomnet_dimse_event event;
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(association, fragment->context_id);
    if (context == NULL || context->result != DICOMNET_CONTEXT_ACCEPTED) {
        invalid_pdu(association, DICOMNET_ERROR_NO_CONTEXT);
        return;
    }
    int error = dicomnet_dimse_read(&association->room->dimse_reader, fragment, &event);
    if (error != 0) {
        association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, error);
        return;
    }
    if (event.type == DICOMNET_DIMSE_EVENT_COMMAND) {
        if (dicomnet_logger_wants(association->logger, DICOMNET_LOG_DEBUG))
            association_log_command(association, DICOMNET_LOG_DIMSE_RECEIVED, event.context_id, event.command, 0);
        association_note_received(association, event.command);
        if (association->handler->command != NULL)
            association->handler->command(association, association->user, event.context_id, event.command);
    } else if (event.type == DICOMNET_DIMSE_EVENT_DATA && association->handler->data != NULL) {
        association->handler->data(association, association->user, event.command, event.data, event.last);
    }
}

/* AR-2, AR-8, AR-10: our user has nothing to say to a release: it is answered as soon as the write under way is out. */
static void release_asked(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_RELEASED, association->sending ? DICOMNET_ERROR_RELEASED : 0);
    association->sent_owed = association->sending && association->room->framer.complete;
    association->sending = false;
    association->release_answer_owed = true;
    if (!association->write_pending)
        association_start_release(association);
}

static uint8_t abort_reason(int error)
{
    if (dicomnet_error_is_foreign(error))
        return DICOMNET_PDU_ABORT_UNRECOGNIZED_PDU;
    switch (error) {
    case DICOMNET_ERROR_PDU_UNKNOWN:
        return DICOMNET_PDU_ABORT_UNRECOGNIZED_PDU;
    case DICOMNET_ERROR_PDU_UNEXPECTED:
        return DICOMNET_PDU_ABORT_UNEXPECTED_PDU;
    default:
        return DICOMNET_PDU_ABORT_INVALID_PARAMETER;
    }
}

/* AE-4 */
static void read_reject(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_REJECTED, DICOMNET_ERROR_REJECTED);
    association->end.reject = dicomnet_pdu_decode_reject(pdu->body);
    association_close_all(association);
}

/* AE-5 */
static void await_request(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_wait_for(association, WAIT_ACSE, association->timeouts.acse_ms);
}

/* AE-8 */
static void await_close(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_wait_for(association, WAIT_CLOSE, CLOSE_LINGER_MS);
}

/* DT-1, AR-7 */
static void send_data(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_send_more(association);
}

/* AR-1 */
static void ask_release(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_wait_for(association, WAIT_RELEASE, association->timeouts.release_ms);
    association_write_release(association, DICOMNET_PDU_RELEASE_RQ);
}

/* AR-3 */
static void be_released(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_RELEASED, 0);
    association_close_all(association);
}

/* AR-9 */
static void answer_release(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_write_release(association, DICOMNET_PDU_RELEASE_RP);
}

/* AR-4 */
static void answer_release_last(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    await_close(association, pdu);
    answer_release(association, pdu);
    if (!association->write_pending)
        transport_shutdown(&association->transport);
}

/* AR-5: the end has been told. */
static void close_now(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_close_all(association);
}

/* AA-1 */
static void abort_for_user(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_write_abort(association, 0, DICOMNET_PDU_ABORT_NOT_SPECIFIED);
}

/* AA-2, AA-4, AA-5 */
static void be_lost(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_LOST,
                        association->end.error != 0 ? association->end.error : DICOMNET_ERROR_PEER_CLOSED);
    association_close_all(association);
}

/* AA-3 */
static void be_aborted(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, DICOMNET_ERROR_ABORTED);
    association->end.abort = dicomnet_pdu_decode_abort(pdu->body);
    association_close_all(association);
}

/* AA-7: the end has been told, and this abort is just an answer. AA-8 */
static void abort_for_pdu(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu)
{
    association_set_end(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_UNEXPECTED);
    association_write_abort(association, 2, abort_reason(association->end.error));
}

/* Without an entry: AE-1, which dicomnet_association_open does, as it can fail; and AA-6, which ignores the PDU. */
static void (*const actions[])(struct dicomnet_association *association, const struct dicomnet_pdu_event *pdu) = {
    [AE2] = send_request,        [AE3] = read_accept,    [AE4] = read_reject,
    [AE5] = await_request,       [AE6] = answer_request, [AE7] = open_now,
    [AE8] = await_close,         [DT1] = send_data,      [DT2] = take_fragment,
    [AR1] = ask_release,         [AR2] = release_asked,  [AR3] = be_released,
    [AR4] = answer_release_last, [AR5] = close_now,      [AR6] = take_fragment,
    [AR7] = send_data,           [AR8] = release_asked,  [AR9] = answer_release,
    [AR10] = release_asked,      [AA1] = abort_for_user, [AA2] = be_lost,
    [AA3] = be_aborted,          [AA4] = be_lost,        [AA5] = be_lost,
    [AA7] = abort_for_pdu,       [AA8] = abort_for_pdu,
};

/* The one place where the state changes. */
void association_step(struct dicomnet_association *association, enum upper_layer_event event,
                      const struct dicomnet_pdu_event *pdu)
{
    struct upper_layer_step cell = upper_layer_next(association->state, event, association->requestor);
    association->state = cell.next;
    if (actions[cell.action] != NULL)
        actions[cell.action](association, pdu);
}

/* ---- what the transport tells ---- */

static void note_detail(struct dicomnet_association *association)
{
    if (!association->ended)
        (void)snprintf(association->end.detail, sizeof association->end.detail, "%s",
                       transport_detail(&association->transport));
}

static void on_connected(void *user, int error)
{
    struct dicomnet_association *association = user;
    if (error != 0) {
        note_detail(association);
        association_set_end(association, DICOMNET_ASSOCIATION_NOT_CONNECTED, error);
    }
    association_step(association, error == 0 ? EVT2 : EVT17, NULL);
}

/*
 * It grows as bytes come, never by what a length says. A control PDU that is allowed always fits into the longest. Out
 * of memory there is no room, and the transport ends with that.
 */
static uint8_t *give_room(void *user, size_t *ret_size)
{
    struct dicomnet_association *association = user;
    size_t wanted = association->room != NULL ? READ_SIZE : RECEIVE_SIZE_FIRST;
    if (association->received_len == association->received_size)
        wanted = association->received_size < RECEIVE_SIZE_MAX / 2 ? 2 * association->received_size : RECEIVE_SIZE_MAX;
    (void)association_grow_received(association, wanted);
    size_t room = association->received_size - association->received_len;
    *ret_size = room < READ_SIZE ? room : READ_SIZE;
    return association->received + association->received_len;
}

static void take_event(struct dicomnet_association *association, const struct dicomnet_pdu_event *event)
{
    static const enum upper_layer_event events[] = {
        [DICOMNET_PDU_ASSOCIATE_RQ] = EVT6, [DICOMNET_PDU_ASSOCIATE_AC] = EVT3, [DICOMNET_PDU_ASSOCIATE_RJ] = EVT4,
        [DICOMNET_PDU_DATA_TF] = EVT10,     [DICOMNET_PDU_RELEASE_RQ] = EVT12,  [DICOMNET_PDU_RELEASE_RP] = EVT13,
        [DICOMNET_PDU_ABORT] = EVT16};
    association_step(association, events[event->pdu_type], event);
}

/* What is there is no PDU. 0 if it may be another protocol's, of which more is needed to tell; or the error. */
static int judge_no_pdu(const struct dicomnet_association *association, const uint8_t *bytes, size_t len, int error)
{
    return association->heard_pdu ? error : foreign_protocol(bytes, len, error);
}

static bool on_received(void *user, size_t len)
{
    struct dicomnet_association *association = user;
    size_t done = 0, total = association->received_len + len;
    association->written_in_a_row = 0;
    bool boundary = association->received_len == 0 && association->pdu_reader.pdu_left == 0;
    while (done < total && !transport_is_closing(&association->transport)) {
        struct dicomnet_pdu_event event;
        ssize_t consumed =
            dicomnet_pdu_read(&association->pdu_reader, association->received + done, total - done, &event);
        if (consumed < 0)
            consumed = judge_no_pdu(association, association->received + done, total - done, (int)consumed);
        if (consumed == 0)
            break;
        if (consumed < 0) {
            done = total; /* the stream is lost: whatever else comes is not looked at */
            invalid_pdu(association, (int)consumed);
            break;
        }
        done += (size_t)consumed;
        association->heard_pdu = true;
        boundary = boundary || association->pdu_reader.pdu_left == 0;
        take_event(association, &event);
    }
    association->received_len = total - done;
    if (association->received_len > 0 && done > 0)
        memmove(association->received, association->received + done, association->received_len);
    association_mark_reading(association, len, boundary);
    association_watch_reading(association);
    return association_is_in_message(association);
}

static void on_ended(void *user, int error)
{
    struct dicomnet_association *association = user;
    note_detail(association);
    association_note_error(association, error);
    association_step(association, EVT17, NULL);
}

const struct stream_handler association_stream_handler = {.connected = on_connected,
                                                          .room = give_room,
                                                          .received = on_received,
                                                          .ended = on_ended,
                                                          .written = association_on_written,
                                                          .closed = on_transport_closed};
