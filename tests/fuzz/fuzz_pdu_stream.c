/*
 * fuzz_pdu_stream - a stream of PDUs says the same in whatever pieces it comes.
 *
 * Input: 1 byte, log2 of the longest P-DATA-TF that is taken; 1 byte, how the pieces are cut; then the stream. It is
 * read once whole and once in pieces, up to messages; the two records of what was read must be equal.
 */
#include <stdbool.h>
#include <string.h>

#include "dicomnet/dimse.h"
#include "dicomnet/pdu.h"
#include "fuzz.h"

enum { RECORD_SIZE = 1 << 20 };

/* What a reading gave, in bytes. Data that came in several fragments stands there as one run. */
struct record {
    size_t len;
    uint8_t bytes[RECORD_SIZE];
};

struct reading {
    struct dicomnet_pdu_reader pdus;
    struct dicomnet_dimse_reader *messages; /* on the heap, so that writing past it is seen */
    struct record *record;
    bool in_data; /* the last thing recorded is a run of data */
    ssize_t error;
    size_t consumed;
};

static void put(struct record *record, const void *bytes, size_t len)
{
    FUZZ_CHECK(len <= RECORD_SIZE - record->len);
    if (len > 0)
        memcpy(record->bytes + record->len, bytes, len);
    record->len += len;
}

static void put_mark(struct reading *reading, char mark, uint8_t value)
{
    const char bytes[2] = {mark, (char)value};
    put(reading->record, bytes, 2);
    reading->in_data = false;
}

static void put_command(struct reading *reading, const struct dicomnet_dimse_command *command)
{
    uint8_t bytes[DICOMNET_DIMSE_COMMAND_ENCODED_MAX];
    ssize_t len = dicomnet_dimse_encode_command(bytes, sizeof bytes, command);
    FUZZ_CHECK(len > 0);
    put(reading->record, bytes, (size_t)len);
}

static void take_fragment(struct reading *reading, const struct dicomnet_pdu_event *event)
{
    struct dicomnet_dimse_event message;
    int error = dicomnet_dimse_read(reading->messages, event, &message);
    if (error != 0) {
        put_mark(reading, 'E', (uint8_t)-error);
        reading->error = error;
    } else if (message.type == DICOMNET_DIMSE_EVENT_COMMAND) {
        put_mark(reading, 'C', message.context_id);
        put_command(reading, message.command);
    } else if (message.type == DICOMNET_DIMSE_EVENT_DATA) {
        if (!reading->in_data)
            put_mark(reading, 'D', message.context_id);
        reading->in_data = true;
        put(reading->record, message.data.data, message.data.len);
        if (message.last)
            put_mark(reading, 'L', 0);
    }
}

static void take_event(struct reading *reading, const struct dicomnet_pdu_event *event)
{
    if (event->type == DICOMNET_PDU_EVENT_FRAGMENT) {
        take_fragment(reading, event);
        return;
    }
    put_mark(reading, 'P', (uint8_t)event->pdu_type);
    put(reading->record, event->body.data, event->body.len);
    if (event->pdu_type == DICOMNET_PDU_ASSOCIATE_RJ) {
        struct dicomnet_pdu_reject reject = dicomnet_pdu_decode_reject(event->body);
        FUZZ_CHECK(dicomnet_pdu_reject_text(&reject)[0] != '\0');
    } else if (event->pdu_type == DICOMNET_PDU_ABORT) {
        struct dicomnet_pdu_abort aborted = dicomnet_pdu_decode_abort(event->body);
        FUZZ_CHECK(dicomnet_pdu_abort_text(&aborted)[0] != '\0');
    }
}

/* Read what is there: `len` bytes from reading->consumed on. */
static void read_on(struct reading *reading, const uint8_t *stream, size_t len)
{
    while (reading->error == 0 && reading->consumed < len) {
        struct dicomnet_pdu_event event;
        size_t there = len - reading->consumed;
        /* A copy of its own, so that reading past it is seen. */
        uint8_t *bytes = malloc(there);
        FUZZ_CHECK(bytes != NULL);
        memcpy(bytes, stream + reading->consumed, there);
        ssize_t consumed = dicomnet_pdu_read(&reading->pdus, bytes, there, &event);
        FUZZ_CHECK(consumed <= (ssize_t)there);
        FUZZ_CHECK(reading->pdus.pdv_left <= reading->pdus.pdu_left);
        FUZZ_CHECK(reading->pdus.pdu_left <= reading->pdus.data_len_max);
        if (consumed > 0) {
            reading->consumed += (size_t)consumed;
            take_event(reading, &event);
        }
        free(bytes);
        if (consumed < 0)
            reading->error = consumed;
        if (consumed <= 0)
            break;
    }
}

static void begin(struct reading *reading, uint32_t data_len_max, struct record *record)
{
    record->len = 0;
    reading->record = record;
    reading->in_data = false;
    reading->error = 0;
    reading->consumed = 0;
    dicomnet_pdu_reader_init(&reading->pdus, data_len_max);
    reading->messages = malloc(sizeof *reading->messages);
    FUZZ_CHECK(reading->messages != NULL);
    dicomnet_dimse_reader_init(reading->messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record whole_record, pieces_record;
    static struct reading whole, pieces;
    struct fuzz_input input = {.data = data, .len = size};
    uint32_t data_len_max = 1u << fuzz_take_u8(&input) % 21;
    uint32_t cuts = fuzz_take_u8(&input);

    begin(&whole, data_len_max, &whole_record);
    read_on(&whole, input.data, input.len);

    begin(&pieces, data_len_max, &pieces_record);
    size_t len = 0;
    while (pieces.error == 0 && len < input.len) {
        cuts = cuts * 1103515245 + 12345;
        size_t piece = cuts >> 28 < 12 ? 1 + (cuts >> 24 & 7) : 1 + (cuts >> 16 & 0xfff);
        len += piece < input.len - len ? piece : input.len - len;
        read_on(&pieces, input.data, len);
    }
    free(whole.messages);
    free(pieces.messages);
    FUZZ_CHECK(whole.error == pieces.error);
    FUZZ_CHECK(whole.error != 0 || whole.consumed == pieces.consumed);
    FUZZ_CHECK(whole_record.len == pieces_record.len);
    FUZZ_CHECK(memcmp(whole_record.bytes, pieces_record.bytes, whole_record.len) == 0);
    return 0;
}
