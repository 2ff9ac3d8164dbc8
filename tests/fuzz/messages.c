/* messages - see messages.h. */
#include "messages.h"

uint32_t messages_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

void messages_begin(struct messages *messages)
{
    dicomnet_pdu_reader_init(&messages->pdus, 0);
    dicomnet_dimse_reader_init(&messages->reader);
    messages->broken = false;
    messages->at = messages->count = 0;
}

static void take_fragment(struct messages *messages, const struct dicomnet_pdu_event *fragment)
{
    struct dicomnet_dimse_event event;
    if (dicomnet_dimse_read(&messages->reader, fragment, &event) != 0) {
        messages->broken = true;
    } else if (event.type == DICOMNET_DIMSE_EVENT_COMMAND) {
        if (messages->count == MESSAGES_MAX) {
            messages->broken = true;
            return;
        }
        messages->list[messages->count++] =
            (struct message){.context_id = event.context_id, .command = *event.command, .complete = event.last};
    } else if (event.type == DICOMNET_DIMSE_EVENT_DATA) {
        struct message *message = &messages->list[messages->count - 1];
        message->data_len += event.data.len;
        message->data_sum = messages_sum(message->data_sum, event.data.data, event.data.len);
        message->complete = event.last;
    }
}

void messages_read(struct messages *messages, const uint8_t *bytes, size_t len)
{
    while (!messages->broken && messages->at < len) {
        struct dicomnet_pdu_event event;
        ssize_t consumed = dicomnet_pdu_read(&messages->pdus, bytes + messages->at, len - messages->at, &event);
        if (consumed == 0)
            break;
        if (consumed < 0) {
            messages->broken = true;
        } else {
            messages->at += (size_t)consumed;
            if (event.type == DICOMNET_PDU_EVENT_FRAGMENT)
                take_fragment(messages, &event);
        }
    }
}
