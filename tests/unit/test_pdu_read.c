/*
 * The stream reader: whatever pieces the bytes come in, the events are the same; whatever is wrong, it is said once
 * and with the right error; nothing past the given bytes is touched.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "../support/exact.h"
#include "../support/golden_pdus.h"
#include "base/bytes.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"

/* What was read, as text: controls whole, fragments joined until one says last; then the error, if any. */
struct transcript {
    char text[8192];
    size_t len;
    bool in_fragment;
    uint8_t context_id;
    bool command;
    ssize_t error;
};

static void note(struct transcript *transcript, const char *text)
{
    size_t len = strlen(text);
    cr_assert_lt(transcript->len + len, sizeof transcript->text);
    memcpy(transcript->text + transcript->len, text, len + 1);
    transcript->len += len;
}

static void note_event(struct transcript *transcript, const struct dicomnet_pdu_event *event)
{
    char text[32];
    bool goes_on = event->type == DICOMNET_PDU_EVENT_FRAGMENT && transcript->in_fragment &&
                   transcript->context_id == event->context_id && transcript->command == event->command;
    if (event->type == DICOMNET_PDU_EVENT_CONTROL)
        snprintf(text, sizeof text, "\ncontrol %d ", event->pdu_type);
    else
        snprintf(text, sizeof text, "\ndata %d %s ", event->context_id, event->command ? "command" : "data set");
    if (!goes_on)
        note(transcript, text);
    for (size_t i = 0; i < event->body.len; i++) {
        snprintf(text, sizeof text, "%02x", event->body.data[i]);
        note(transcript, text);
    }
    transcript->in_fragment = event->type == DICOMNET_PDU_EVENT_FRAGMENT && !event->last;
    transcript->context_id = event->context_id;
    transcript->command = event->command;
    if (event->type == DICOMNET_PDU_EVENT_FRAGMENT && event->last)
        note(transcript, " last");
}

/* Read a stream whose bytes come in pieces that end at each of `cuts`. */
static void read_stream(const uint8_t *bytes, size_t len, const size_t *cuts, size_t cut_count, uint32_t data_len_max,
                        struct transcript *ret_transcript)
{
    *ret_transcript = (struct transcript){0};
    struct dicomnet_pdu_reader reader;
    dicomnet_pdu_reader_init(&reader, data_len_max);
    size_t consumed = 0;
    for (size_t i = 0; i <= cut_count; i++) {
        size_t there = i < cut_count ? cuts[i] : len;
        ssize_t taken;
        do {
            uint8_t *copy = exact_copy(bytes + consumed, there - consumed);
            struct dicomnet_pdu_event event;
            taken = dicomnet_pdu_read(&reader, copy, there - consumed, &event);
            if (taken > 0) {
                cr_assert_leq((size_t)taken, there - consumed);
                note_event(ret_transcript, &event);
                consumed += (size_t)taken;
            }
            free(copy);
        } while (taken > 0);
        if (taken < 0) {
            ret_transcript->error = taken;
            return;
        }
    }
}

/* All golden PDUs one after the other, with data of two contexts. */
static size_t make_stream(uint8_t *bytes, size_t size)
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    bytes_put(&writer, golden_associate_rq, GOLDEN_LEN(golden_associate_rq));
    bytes_put(&writer, golden_associate_ac, GOLDEN_LEN(golden_associate_ac));
    bytes_put(&writer, golden_reject, GOLDEN_LEN(golden_reject));
    bytes_put(&writer, golden_data, GOLDEN_LEN(golden_data));
    for (int i = 0; i < 3; i++) {
        uint8_t *header = bytes_reserve(&writer, DICOMNET_PDU_HEADER_LEN + DICOMNET_PDV_HEADER_LEN);
        dicomnet_pdu_encode_data_header(header, 20, 5, i == 2 ? DICOMNET_PDV_LAST : 0);
        bytes_put(&writer, "abcdefghijklmnopqrst", 20);
    }
    bytes_put(&writer, golden_data, GOLDEN_LEN(golden_data));
    bytes_put(&writer, golden_release_rq, GOLDEN_LEN(golden_release_rq));
    bytes_put(&writer, golden_release_rp, GOLDEN_LEN(golden_release_rp));
    bytes_put(&writer, golden_abort, GOLDEN_LEN(golden_abort));
    cr_assert(!writer.overflow);
    return writer.len;
}

Test(dicomnet_pdu_read, golden_data_gives_its_fragments)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    dicomnet_pdu_reader_init(&reader, 0);
    const uint8_t *bytes = (const uint8_t *)golden_data;
    size_t len = GOLDEN_LEN(golden_data);

    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, len, &event), 16);
    cr_assert_eq(event.type, DICOMNET_PDU_EVENT_FRAGMENT);
    cr_assert(event.command && event.last);
    cr_assert_eq(event.context_id, 1);
    cr_assert(dicomnet_span_equals(event.body, "CMD1"));
    cr_assert_eq(event.body.data, bytes + 12);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes + 16, len - 16, &event), 6);
    cr_assert(!event.command && !event.last && event.body.len == 0);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes + 22, len - 22, &event), 8);
    cr_assert(!event.last && dicomnet_span_equals(event.body, "AB"));
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes + 30, len - 30, &event), 6);
    cr_assert(!event.command && event.last && event.body.len == 0);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes + 36, 0, &event), 0);
}

Test(dicomnet_pdu_read, part_of_a_pdv_is_given_out_as_it_comes)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    dicomnet_pdu_reader_init(&reader, 0);
    uint8_t bytes[12 + 8];
    dicomnet_pdu_encode_data_header(bytes, 8, 3, DICOMNET_PDV_LAST);
    memcpy(bytes + 12, "abcdefgh", 8);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, 12, &event), 0);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, 15, &event), 15);
    cr_assert(dicomnet_span_equals(event.body, "abc") && !event.last);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes + 15, 5, &event), 5);
    cr_assert(dicomnet_span_equals(event.body, "defgh") && event.last);
}

Test(dicomnet_pdu_read, a_pdv_never_takes_bytes_of_the_next_pdu)
{
    uint8_t stream[4096];
    struct transcript transcript;
    size_t len = make_stream(stream, sizeof stream);
    read_stream(stream, len, NULL, 0, 0, &transcript);
    cr_assert_eq(transcript.error, 0);
    cr_assert_not_null(strstr(transcript.text, "\ndata 1 command 434d4431 last\ndata 1 data set 4142 last\n"));
    cr_assert_not_null(strstr(transcript.text, "\ncontrol 5 00000000\ncontrol 6 00000000\ncontrol 7 00000206"));
}

Test(dicomnet_pdu_read, a_stream_cut_anywhere_gives_the_same_events)
{
    uint8_t stream[4096];
    static struct transcript whole, cut;
    size_t len = make_stream(stream, sizeof stream);
    read_stream(stream, len, NULL, 0, 0, &whole);
    for (size_t at = 0; at <= len; at++) {
        read_stream(stream, len, &at, 1, 0, &cut);
        cr_assert_eq(cut.error, 0, "cut at %zu", at);
        cr_assert_str_eq(cut.text, whole.text, "cut at %zu", at);
    }
}

Test(dicomnet_pdu_read, a_stream_cut_at_random_or_everywhere_gives_the_same_events)
{
    uint8_t stream[4096];
    static size_t cuts[4096];
    static struct transcript whole, cut;
    size_t len = make_stream(stream, sizeof stream);
    read_stream(stream, len, NULL, 0, 0, &whole);
    uint32_t random = 20260301;
    for (int run = 0; run < 300; run++) {
        size_t cut_count = 0;
        /* The first run is one byte at a time; the others have ever longer pieces. */
        for (size_t at = 0; at < len; at += run == 0 ? 1 : 1 + next_random(&random) % (uint32_t)(run + 1))
            cuts[cut_count++] = at;
        read_stream(stream, len, cuts, cut_count, 0, &cut);
        cr_assert_eq(cut.error, 0, "run %d", run);
        cr_assert_str_eq(cut.text, whole.text, "run %d", run);
    }
}

Test(dicomnet_pdu_read, every_short_prefix_of_a_control_pdu_needs_more)
{
    static const struct {
        const char *pdu;
        size_t len;
    } rows[] = {{golden_associate_rq, GOLDEN_LEN(golden_associate_rq)},
                {golden_associate_ac, GOLDEN_LEN(golden_associate_ac)},
                {golden_reject, GOLDEN_LEN(golden_reject)},
                {golden_release_rq, GOLDEN_LEN(golden_release_rq)},
                {golden_release_rp, GOLDEN_LEN(golden_release_rp)},
                {golden_abort, GOLDEN_LEN(golden_abort)}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t len = 0; len <= rows[i].len; len++) {
            struct dicomnet_pdu_reader reader;
            struct dicomnet_pdu_event event;
            dicomnet_pdu_reader_init(&reader, 16384);
            uint8_t *copy = exact_copy(rows[i].pdu, len);
            ssize_t taken = dicomnet_pdu_read(&reader, copy, len, &event);
            cr_assert_eq(taken, len < rows[i].len ? 0 : (ssize_t)len, "type %d, %zu bytes", rows[i].pdu[0], len);
            free(copy);
        }
}

/* clang-format off */
#define STREAM(bytes) (bytes), sizeof(bytes) - 1
static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    ssize_t error;
} bad_streams[] = {
    {"PDU type 0",                 STREAM("\x00\0\0\0\0\x04\0\0\0\0"), DICOMNET_ERROR_PDU_UNKNOWN},
    {"PDU type 8",                 STREAM("\x08\0\0\0\0\x04\0\0\0\0"), DICOMNET_ERROR_PDU_UNKNOWN},
    {"HTTP",                       STREAM("GET / HTTP/1.1\r\n"), DICOMNET_ERROR_PDU_UNKNOWN},
    {"P-DATA of 0 bytes, no PDV",  STREAM("\x04\0\0\0\0\0"), DICOMNET_ERROR_PDU_MALFORMED},
    {"P-DATA of 5 bytes",          STREAM("\x04\0\0\0\0\x05\0\0\0\1\1"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV length 0",               STREAM("\x04\0\0\0\0\x08\0\0\0\0\1\3ab"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV length 1",               STREAM("\x04\0\0\0\0\x08\0\0\0\1\1\3ab"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV length 0, then one",     STREAM("\x04\0\0\0\0\x0A\0\0\0\0" "\0\0\0\2\1\3"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV length 1, then one",     STREAM("\x04\0\0\0\0\x0B\0\0\0\1\1" "\0\0\0\2\1\3"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV past its PDU by 1",      STREAM("\x04\0\0\0\0\x08\0\0\0\5\1\3ab"), DICOMNET_ERROR_PDU_MALFORMED},
    {"PDV of 4 GiB",               STREAM("\x04\0\0\0\0\x08\xFF\xFF\xFF\xFF\1\3ab"), DICOMNET_ERROR_PDU_MALFORMED},
    {"1 byte after the last PDV",  STREAM("\x04\0\0\0\0\x09\0\0\0\4\1\3ab" "x"), DICOMNET_ERROR_PDU_MALFORMED},
    {"5 bytes after the last PDV", STREAM("\x04\0\0\0\0\x0D\0\0\0\4\1\3ab" "\0\0\0\1\1"), DICOMNET_ERROR_PDU_MALFORMED},
    {"second PDV past its PDU",    STREAM("\x04\0\0\0\0\x0E\0\0\0\4\1\1ab" "\0\0\0\3\1\2"), DICOMNET_ERROR_PDU_MALFORMED},
    {"P-DATA above what we take",  STREAM("\x04\0\0\0\x40\x02\0\0\x3F\xFE\1\2ab"), DICOMNET_ERROR_PDU_TOO_LONG},
    {"P-DATA of 4 GiB",            STREAM("\x04\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFB\1\2ab"), DICOMNET_ERROR_PDU_TOO_LONG},
    {"RQ of 256 KiB + 1",          STREAM("\x01\0\x00\x04\x00\x01"), DICOMNET_ERROR_PDU_TOO_LONG},
    {"AC of 4 GiB",                STREAM("\x02\0\xFF\xFF\xFF\xFF"), DICOMNET_ERROR_PDU_TOO_LONG},
    {"RJ of 3 bytes",              STREAM("\x03\0\0\0\0\x03\0\1\1"), DICOMNET_ERROR_PDU_MALFORMED},
    {"RELEASE-RQ of 5 bytes",      STREAM("\x05\0\0\0\0\x05\0\0\0\0\0"), DICOMNET_ERROR_PDU_MALFORMED},
    {"RELEASE-RP of 4 GiB",        STREAM("\x06\0\xFF\xFF\xFF\xFF\0\0\0\0"), DICOMNET_ERROR_PDU_MALFORMED},
    {"ABORT of 0 bytes",           STREAM("\x07\0\0\0\0\0"), DICOMNET_ERROR_PDU_MALFORMED},
};
/* clang-format on */

Test(dicomnet_pdu_read, bad_streams_are_named_wherever_they_are_cut)
{
    static struct transcript whole, cut;
    for (size_t i = 0; i < sizeof bad_streams / sizeof bad_streams[0]; i++) {
        const uint8_t *bytes = (const uint8_t *)bad_streams[i].bytes;
        size_t len = bad_streams[i].len;
        read_stream(bytes, len, NULL, 0, 16384, &whole);
        cr_expect_eq(whole.error, bad_streams[i].error, "%s: %zd", bad_streams[i].name, whole.error);
        for (size_t at = 0; at <= len; at++) {
            read_stream(bytes, len, &at, 1, 16384, &cut);
            cr_expect_eq(cut.error, bad_streams[i].error, "%s, cut at %zu: %zd", bad_streams[i].name, at, cut.error);
            cr_expect_str_eq(cut.text, whole.text, "%s, cut at %zu", bad_streams[i].name, at);
        }
    }
}

Test(dicomnet_pdu_read, a_pdu_of_just_the_allowed_length_is_taken)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    static uint8_t bytes[DICOMNET_PDU_HEADER_LEN + DICOMNET_PDU_ASSOCIATE_LEN_MAX];
    dicomnet_pdu_reader_init(&reader, 16384);
    dicomnet_pdu_encode_data_header(bytes, 16384 - DICOMNET_PDV_HEADER_LEN, 1, DICOMNET_PDV_LAST);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, DICOMNET_PDU_HEADER_LEN + 16384, &event),
                 DICOMNET_PDU_HEADER_LEN + 16384);
    cr_assert(event.last);
    bytes[0] = DICOMNET_PDU_ASSOCIATE_RQ;
    set_u32_be(bytes + 2, DICOMNET_PDU_ASSOCIATE_LEN_MAX);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, sizeof bytes - 1, &event), 0);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, sizeof bytes, &event), (ssize_t)sizeof bytes);
    cr_assert_eq(event.body.len, DICOMNET_PDU_ASSOCIATE_LEN_MAX);
}

Test(dicomnet_pdu_read, without_a_limit_a_pdu_of_4_gib_is_streamed)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    static uint8_t bytes[1 << 20];
    dicomnet_pdu_reader_init(&reader, 0);
    dicomnet_pdu_encode_data_header(bytes, UINT32_MAX - DICOMNET_PDV_HEADER_LEN, 1, DICOMNET_PDV_LAST);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, 13, &event), 13);
    uint64_t left = UINT32_MAX - DICOMNET_PDV_HEADER_LEN - 1u;
    while (left > 0) {
        cr_assert(!event.last);
        ssize_t taken = dicomnet_pdu_read(&reader, bytes, sizeof bytes, &event);
        cr_assert_eq(taken, (ssize_t)(left < sizeof bytes ? left : sizeof bytes));
        left -= (uint64_t)taken;
    }
    cr_assert(event.last);
}

Test(dicomnet_pdu_read, reserved_control_bits_are_not_looked_at)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    uint8_t bytes[14] = {0};
    dicomnet_pdu_reader_init(&reader, 0);
    dicomnet_pdu_encode_data_header(bytes, 2, 1, 0xFC);
    cr_assert_eq(dicomnet_pdu_read(&reader, bytes, sizeof bytes, &event), 14);
    cr_assert(!event.command && !event.last);
}

Test(dicomnet_pdu_read, mutated_streams_end_without_reading_past_the_bytes)
{
    uint8_t stream[4096];
    static struct transcript transcript;
    uint32_t random = 7;
    for (int run = 0; run < 3000; run++) {
        size_t len = make_stream(stream, sizeof stream);
        for (int flips = 0; flips < 1 + run % 4; flips++)
            stream[next_random(&random) % len] = (uint8_t)next_random(&random);
        size_t cut = next_random(&random) % len;
        read_stream(stream, len, &cut, 1, run % 2 ? 16384 : 0, &transcript);
        cr_assert(transcript.error == 0 || transcript.error == DICOMNET_ERROR_PDU_MALFORMED ||
                  transcript.error == DICOMNET_ERROR_PDU_TOO_LONG || transcript.error == DICOMNET_ERROR_PDU_UNKNOWN);
    }
}
