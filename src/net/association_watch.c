/*
 * association_watch - does it get on? A PDU has to get through in the network timeout, whichever way it goes; that
 * some byte moves now and then is not enough.
 *
 * The association's one timer serves both: WAIT_WRITE while bytes wait to be taken, WAIT_READ in the middle of a PDU
 * or message that comes.
 */
#include "net/association_private.h"

enum {
    WRITE_LOOKS = 4,                                  /* looks at the write queue in one network timeout */
    READ_WORTH = DICOMNET_ASSOCIATION_MAX_PDU_DEFAULT /* of a longer PDU, so much has to come in one network timeout */
};

static void end_stalled(struct dicomnet_association *association)
{
    association_abort_with(association, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK);
}

bool association_is_in_message(const struct dicomnet_association *association)
{
    return association->received_len > 0 || association->pdu_reader.pdu_left > 0 ||
           (association->room != NULL && association->room->dimse_reader.state != DICOMNET_DIMSE_AWAIT_COMMAND);
}

/* ---- what comes ---- */

/* So long may what is in the middle of a PDU or message still take. */
static uint32_t reading_left_ms(const struct dicomnet_association *association)
{
    uint64_t passed_ms = uv_now(association->timer.loop) - association->read_mark_ms;
    uint32_t allowed_ms = association->timeouts.network_ms;
    return passed_ms < allowed_ms ? allowed_ms - (uint32_t)passed_ms : 0;
}

void association_mark_reading(struct dicomnet_association *association, size_t len, bool boundary)
{
    association->read_since_mark += len;
    if (!boundary && association->read_since_mark < READ_WORTH)
        return;
    association->read_mark_ms = uv_now(association->timer.loop);
    association->read_since_mark = 0;
    association->reading_late = false;
}

/* The timer is left to run out when the message is whole: it is set once in a network timeout, not for each message. */
void association_watch_reading(struct dicomnet_association *association)
{
    if (association->state == STA6 && association->waiting_for == WAIT_NOTHING &&
        association_is_in_message(association))
        association_wait_for(association, WAIT_READ, association->timeouts.network_ms);
}

/* A loop that was held up (by a slow disk, say) comes here before it has read what waits: that it does first. */
void association_look_at_reading(struct dicomnet_association *association)
{
    uint32_t left_ms = reading_left_ms(association);
    bool in_message = association_is_in_message(association), late = in_message && left_ms == 0;
    if (late && association->reading_late) {
        end_stalled(association);
        return;
    }
    association->reading_late = late;
    if (in_message)
        association_wait_for(association, WAIT_READ, late ? 1 : left_ms);
    else
        association_wait_for(association, WAIT_NOTHING, 0);
}

/* ---- what goes ---- */

/* The write queue is looked at several times in a timeout, so that a slow peer is not taken for a stuck one. */
static void look_again_at_write(struct dicomnet_association *association)
{
    association_wait_for(association, WAIT_WRITE, (association->timeouts.network_ms + WRITE_LOOKS - 1) / WRITE_LOOKS);
}

void association_wait_for_write(struct dicomnet_association *association)
{
    association->unwritten_at_mark = transport_unwritten(&association->transport);
    association->looks_since_mark = 0;
    look_again_at_write(association);
}

/* A peer that takes a byte now and then does not get on: a PDU's worth has to go in a network timeout, or all of it. */
void association_look_at_write(struct dicomnet_association *association)
{
    size_t unwritten = transport_unwritten(&association->transport);
    bool late =
        association->state == STA6 && association_is_in_message(association) && reading_left_ms(association) == 0;
    if (association->unwritten_at_mark - unwritten >= association->peer_max_pdu) {
        association->unwritten_at_mark = unwritten;
        association->looks_since_mark = 0;
    } else {
        association->looks_since_mark++;
    }
    if (association->looks_since_mark >= WRITE_LOOKS || (late && association->reading_late))
        end_stalled(association);
    else
        look_again_at_write(association);
    association->reading_late = late;
}
