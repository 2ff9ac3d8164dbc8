/*
 * dicomnet_association_send - the writing side of an association: messages, framed into the send buffer, and the short
 * PDUs.
 *
 * One write is under way at a time. What is written next is decided when it is through: more of the message, a release
 * that was asked for, or nothing.
 */
#include "dicomnet/data_source.h"
#include "net/association_private.h"

enum {
    BYTES_BEFORE_TURN = 1 << 20, /* written in a row before the loop gets a turn: of one message, or of many */
    ABORT_LINGER_MS = 1000       /* how long an aborted peer may take to close */
};

/* A failed write does not end things at once: what the peer said before (an A-ABORT, say) may still be there to read.
 */
static void write_failed(struct dicomnet_association *association, int error)
{
    association->sending = false;
    association->write_pending = true; /* nothing more is written */
    association_note_error(association, error);
    association_wait_for(association, WAIT_CLOSE, ABORT_LINGER_MS);
}

void association_write(struct dicomnet_association *association, const uint8_t *bytes, size_t len, bool yield)
{
    int result = transport_write(&association->transport, bytes, len, yield);
    if (result < 0)
        write_failed(association, result);
    else
        association->write_pending = result == 1;
}

void association_write_release(struct dicomnet_association *association, enum dicomnet_pdu_type type)
{
    (void)!dicomnet_pdu_encode_release(association->control, sizeof association->control, type);
    association_write(association, association->control, sizeof association->control, false);
}

/* An abort in the middle of a PDU would be read as data: then the connection is just closed. */
void association_write_abort(struct dicomnet_association *association, uint8_t source, uint8_t reason)
{
    struct dicomnet_pdu_abort abort = {.source = source, .reason = reason};
    bool first = association->end.kind == DICOMNET_ASSOCIATION_ABORTED_BY_US && !association->abort_written;
    if (first)
        association->end.abort = abort;
    association->abort_written = true;
    association->sending = false;
    if (association->write_pending) {
        association_close_all(association);
        return;
    }
    (void)!dicomnet_pdu_encode_abort(association->control, sizeof association->control, &abort);
    association_write(association, association->control, sizeof association->control, false);
    if (!association->write_pending)
        transport_shutdown(&association->transport);
    association_wait_for(association, WAIT_CLOSE, ABORT_LINGER_MS);
}

void association_start_release(struct dicomnet_association *association)
{
    if (association->release_answer_owed) {
        association->release_answer_owed = false;
        association_step(association, EVT14, NULL);
    } else if (association->release_wanted && association->state == STA6) {
        association_step(association, EVT11, NULL);
    }
}

static void message_sent(struct dicomnet_association *association)
{
    association->sending = false;
    association_note_sent(association);
    if (association->waiting_for == WAIT_WRITE)
        association_wait_for(association, WAIT_NOTHING, 0);
    if (association->handler->sent != NULL)
        association->handler->sent(association, association->user);
    if (!association->sending && !association->write_pending)
        association_start_release(association);
}

/* Reading the source may block the loop (a slow disk, pixels to decode). The loop's time is renewed after that, or
 * timers that are started next would count from before it; and the loop gets a turn with the next write, so that what
 * else waits there does not wait for many such reads. */
static ssize_t fill(struct dicomnet_association *association)
{
    enum { LONG_US = 10 * 1000 };
    struct framer *framer = &association->room->framer;
    uint64_t before_us = framer->read_us;
    ssize_t len = framer_fill(framer);
    if (framer->read_us - before_us >= LONG_US) {
        uv_update_time(association->timer.loop);
        association->written_in_a_row = BYTES_BEFORE_TURN;
    }
    return len;
}

void association_send_more(struct dicomnet_association *association)
{
    while (association->sending && !association->write_pending && association->state == STA6) {
        ssize_t len = (ssize_t)association->framed_len;
        association->framed_len = 0;
        if (len == 0 && association->room->framer.complete) {
            message_sent(association);
            return;
        }
        if (len == 0)
            len = fill(association);
        if (len < 0) {
            association->end.source_failed = true;
            association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, (int)len);
            return;
        }
        association->written_in_a_row += (size_t)len;
        bool yield = association->written_in_a_row >= BYTES_BEFORE_TURN;
        if (yield)
            association->written_in_a_row = 0;
        association_write(association, association->room->send_buffer, (size_t)len, yield);
        if (association->sending && association->write_pending)
            association_wait_for_write(association);
    }
}

void association_on_written(void *user, int error)
{
    struct dicomnet_association *association = user;
    if (error != 0) {
        write_failed(association, error);
        return;
    }
    association->write_pending = false;
    if (association->waiting_for == WAIT_WRITE)
        association_wait_for(association, WAIT_NOTHING, 0);
    if (association->sent_owed) {
        association->sent_owed = false;
        if (association->handler->sent != NULL)
            association->handler->sent(association, association->user);
    }
    if (association->state == STA13)
        transport_shutdown(&association->transport);
    else if (association->release_answer_owed)
        association_start_release(association);
    else if (association->sending)
        association_send_more(association);
    else
        association_start_release(association);
    association_watch_reading(association);
}

bool dicomnet_association_can_send(const struct dicomnet_association *association)
{
    return association->state == STA6 && !association->sending && !association->write_pending &&
           !association->release_wanted;
}

int dicomnet_association_prepare(struct dicomnet_association *association, uint8_t context_id,
                                 const struct dicomnet_dimse_command *command, struct dicomnet_data_source *source)
{
    if (association->state != STA6 || association->release_wanted)
        return DICOMNET_ERROR_NOT_OPEN;
    if (association->sending || association->write_pending)
        return DICOMNET_ERROR_BUSY;
    const struct dicomnet_association_context *context = dicomnet_association_find_context(association, context_id);
    if (context == NULL || context->result != DICOMNET_CONTEXT_ACCEPTED)
        return DICOMNET_ERROR_NO_CONTEXT;

    struct association_room *room = association->room;
    struct framer *framer = &room->framer;
    association->framed_len = 0;
    room->outgoing = *command;
    room->outgoing.data_set_type = source != NULL ? DICOMNET_DIMSE_DATA_SET : DICOMNET_DIMSE_NO_DATA_SET;
    ssize_t len = dicomnet_dimse_encode_command(framer->command, sizeof framer->command, &room->outgoing);
    if (len < 0)
        return (int)len;
    framer->command_len = (size_t)len;
    framer_begin(framer, context_id, source);
    len = fill(association);
    framer->complete = framer->complete || len < 0;
    if (len < 0)
        return (int)len;
    association->framed_len = (size_t)len;
    return 0;
}

int dicomnet_association_send_prepared(struct dicomnet_association *association)
{
    if (association->state != STA6 || association->release_wanted || association->framed_len == 0)
        return DICOMNET_ERROR_NOT_OPEN;
    if (association->sending || association->write_pending)
        return DICOMNET_ERROR_BUSY;
    const struct association_room *room = association->room;
    if (dicomnet_logger_wants(association->logger, DICOMNET_LOG_DEBUG))
        association_log_command(association, DICOMNET_LOG_DIMSE_SENT, room->framer.context_id, &room->outgoing,
                                room->framer.source != NULL ? room->framer.source->len : 0);
    association->sending = true;
    association_step(association, EVT9, NULL);
    return 0;
}

int dicomnet_association_send(struct dicomnet_association *association, uint8_t context_id,
                              const struct dicomnet_dimse_command *command, struct dicomnet_data_source *source)
{
    int error = dicomnet_association_prepare(association, context_id, command, source);
    return error != 0 ? error : dicomnet_association_send_prepared(association);
}
