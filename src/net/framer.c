/* framer - see framer.h. */
#include "net/framer.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"

enum { HEADERS_LEN = DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN };

void framer_init(struct framer *framer, uint8_t *buffer, size_t size, uint32_t peer_max_pdu)
{
    assert(peer_max_pdu > DICOMNET_PDV_HEADER_LEN + 1 && size >= (size_t)peer_max_pdu + DICOMNET_PDU_HEADER_LEN);
    framer->buffer = buffer;
    framer->size = size;
    framer->payload_max =
        (peer_max_pdu - DICOMNET_PDV_HEADER_LEN) & ~1u; /* fragments are of even length (PS3.8 Annex E.1) */
    framer->complete = true;
}

void framer_begin(struct framer *framer, uint8_t context_id, struct dicomnet_data_source *source)
{
    framer->context_id = context_id;
    framer->command_done = 0;
    framer->source = source;
    framer->data_done = 0;
    framer->read_us = 0;
    framer->complete = false;
}

/* The length of the next fragment if all of it fits into `room`, else 0. */
static size_t fragment_fits(const struct framer *framer, uint64_t left, size_t room)
{
    size_t len = left < framer->payload_max ? (size_t)left : framer->payload_max;
    return room >= HEADERS_LEN + len ? len : 0;
}

static size_t frame_command(struct framer *framer)
{
    size_t used = 0;
    while (framer->command_done < framer->command_len) {
        size_t left = framer->command_len - framer->command_done;
        size_t len = fragment_fits(framer, left, framer->size - used);
        if (len == 0)
            break;
        uint8_t control = DICOMNET_PDV_COMMAND | (len == left ? DICOMNET_PDV_LAST : 0);
        dicomnet_pdu_encode_data_header(framer->buffer + used, (uint32_t)len, framer->context_id, control);
        memcpy(framer->buffer + used + HEADERS_LEN, framer->command + framer->command_done, len);
        framer->command_done += len;
        used += HEADERS_LEN + len;
    }
    return used;
}

/* Lay out as many data PDUs as fit behind `used`, up to one read's worth of gaps, and read into them. */
static ssize_t frame_data(struct framer *framer, size_t used)
{
    struct dicomnet_data_source *source = framer->source;
    struct iovec gaps[DICOMNET_DATA_SOURCE_GAPS_MAX];
    int gap_count = 0;
    uint64_t framed = 0;
    bool last = false;

    while (!last && gap_count < DICOMNET_DATA_SOURCE_GAPS_MAX) {
        uint64_t left = source->len - framer->data_done - framed;
        size_t len = fragment_fits(framer, left, framer->size - used);
        if (len == 0 && (left > 0 || framer->size - used < HEADERS_LEN))
            break;
        last = len == left;
        dicomnet_pdu_encode_data_header(framer->buffer + used, (uint32_t)len, framer->context_id,
                                        last ? DICOMNET_PDV_LAST : 0);
        gaps[gap_count++] = (struct iovec){.iov_base = framer->buffer + used + HEADERS_LEN, .iov_len = len};
        used += HEADERS_LEN + len;
        framed += len;
    }
    if (framed > 0) {
        uint64_t begun_us = clock_monotonic_us();
        ssize_t got = source->read(source, framer->data_done, gaps, gap_count);
        framer->read_us += clock_monotonic_us() - begun_us;
        if (got < 0)
            return got;
        if ((uint64_t)got != framed)
            return DICOMNET_ERROR_SOURCE_SHORT;
    }
    framer->data_done += framed;
    framer->complete = last;
    return (ssize_t)used;
}

ssize_t framer_fill(struct framer *framer)
{
    assert(!framer->complete);
    size_t used = frame_command(framer);
    if (framer->command_done < framer->command_len)
        return (ssize_t)used;
    if (framer->source == NULL) {
        framer->complete = true;
        return (ssize_t)used;
    }
    return frame_data(framer, used);
}
