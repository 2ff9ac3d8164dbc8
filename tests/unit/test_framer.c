/* The layout of P-DATA-TF PDUs: every byte of what the framer makes, read by hand and read back by pdu_reader. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "dicomnet/pdu.h"
#include "exact.h"
#include "net/framer.h"

enum { BUFFER_MAX = 64 * 1024, MESSAGE_MAX = 512 * 1024, CONTEXT_ID = 7 };

/* A data set of numbers, and what is asked of it. */
struct numbers_source {
    struct dicomnet_data_source source;
    uint64_t next;    /* where the next read must begin */
    uint64_t ends_at; /* no byte comes from here on */
    int error;        /* what every read answers, if not 0 */
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 11 + offset / 251 + 3);
}

static ssize_t read_numbers(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                            int gap_count)
{
    struct numbers_source *numbers = (struct numbers_source *)(void *)source;
    cr_assert_eq(offset, numbers->next, "pieces are asked for in order");
    cr_assert(gap_count >= 1 && gap_count <= DICOMNET_DATA_SOURCE_GAPS_MAX);
    if (numbers->error != 0)
        return numbers->error;
    ssize_t filled = 0;
    for (int i = 0; i < gap_count; i++) {
        for (size_t k = 0; k < gaps[i].iov_len; k++, offset++) {
            if (offset >= numbers->ends_at)
                return filled;
            ((uint8_t *)gaps[i].iov_base)[k] = byte_at(offset);
            filled++;
        }
    }
    cr_assert(offset <= source->len, "never past the end");
    numbers->next = offset;
    return filled;
}

static struct numbers_source numbers_of(uint64_t len)
{
    return (struct numbers_source){.source = {.len = len, .read = read_numbers}, .ends_at = len};
}

static struct framer framer;
static uint8_t wire[MESSAGE_MAX];

static void set_command(size_t len)
{
    for (size_t i = 0; i < len; i++)
        framer.command[i] = (uint8_t)(200 - i);
    framer.command_len = len;
}

/* Everything the framer makes of a message, one fill behind the other in `wire`. Returns its length. */
static size_t frame_all(size_t buffer_size, uint32_t peer_max_pdu, size_t command_len,
                        struct dicomnet_data_source *source, unsigned *ret_fills)
{
    uint8_t *buffer = malloc(buffer_size);
    size_t total = 0;
    unsigned fills = 0;
    framer_init(&framer, buffer, buffer_size, peer_max_pdu);
    cr_assert(framer.complete, "nothing to frame before a message begins");
    set_command(command_len);
    framer_begin(&framer, CONTEXT_ID, source);
    while (!framer.complete) {
        ssize_t len = framer_fill(&framer);
        cr_assert_gt(len, 0);
        cr_assert_leq((size_t)len, buffer_size);
        cr_assert_leq(total + (size_t)len, sizeof wire);
        memcpy(wire + total, buffer, (size_t)len);
        total += (size_t)len;
        fills++;
    }
    free(buffer);
    if (ret_fills != NULL)
        *ret_fills = fills;
    return total;
}

/* Walk the PDUs by hand: lengths, limits, control headers and every byte of payload. `has_data`: a data set follows. */
static void check_layout(size_t total, uint32_t peer_max_pdu, size_t command_len, bool has_data, uint64_t data_len)
{
    size_t at = 0, command_done = 0;
    uint64_t data_done = 0;
    bool command_last = false, data_last = false;
    while (at < total) {
        const uint8_t *pdu = wire + at;
        uint32_t pdu_len = get_u32_be(pdu + 2), pdv_len = get_u32_be(pdu + 6);
        cr_assert_eq(pdu[0], 0x04);
        cr_assert_eq(pdu[1], 0x00);
        cr_assert_leq(pdu_len, peer_max_pdu);
        cr_assert_eq(pdv_len, pdu_len - 4, "one PDV in a PDU");
        cr_assert_eq(pdu[10], CONTEXT_ID);
        uint32_t len = pdv_len - 2;
        cr_assert_eq(len % 2, 0, "fragments are even");
        cr_assert(!data_last, "nothing follows the last fragment");
        const uint8_t *payload = pdu + 12;
        if ((pdu[11] & 0x01) != 0) {
            cr_assert(!command_last);
            for (uint32_t i = 0; i < len; i++)
                cr_assert_eq(payload[i], (uint8_t)(200 - command_done - i));
            command_done += len;
            command_last = (pdu[11] & 0x02) != 0;
            cr_assert_eq(command_last, command_done == command_len);
        } else {
            cr_assert(command_last && has_data);
            for (uint32_t i = 0; i < len; i++)
                cr_assert_eq(payload[i], byte_at(data_done + i));
            data_done += len;
            data_last = (pdu[11] & 0x02) != 0;
            cr_assert_eq(data_last, data_done == data_len);
        }
        at += 6 + pdu_len;
    }
    cr_assert_eq(at, total);
    cr_assert_eq(command_done, command_len);
    cr_assert(command_last);
    cr_assert_eq(data_done, has_data ? data_len : 0);
    cr_assert_eq(data_last, has_data);
}

/* Give the bytes to pdu_reader in pieces of any size: the same message comes out. */
static void check_reader(size_t total, uint32_t peer_max_pdu, size_t command_len, bool has_data, uint64_t data_len)
{
    struct dicomnet_pdu_reader reader;
    struct dicomnet_pdu_event event;
    uint32_t random = 12345;
    size_t done = 0, here = 0, command_done = 0;
    uint64_t data_done = 0;
    bool command_last = false, data_last = false;
    dicomnet_pdu_reader_init(&reader, peer_max_pdu);
    while (done < total) {
        if (here < total)
            here += 1 + next_random(&random) % 5000;
        if (here > total)
            here = total;
        ssize_t consumed;
        while ((consumed = dicomnet_pdu_read(&reader, wire + done, here - done, &event)) > 0) {
            cr_assert_eq(event.type, DICOMNET_PDU_EVENT_FRAGMENT);
            cr_assert_eq(event.context_id, CONTEXT_ID);
            for (size_t i = 0; i < event.body.len; i++)
                cr_assert_eq(event.body.data[i],
                             event.command ? (uint8_t)(200 - command_done - i) : byte_at(data_done + i));
            command_done += event.command ? event.body.len : 0;
            data_done += event.command ? 0 : event.body.len;
            command_last = command_last || (event.command && event.last);
            data_last = data_last || (!event.command && event.last);
            done += (size_t)consumed;
            if (done == here)
                break;
        }
        cr_assert_geq(consumed, 0);
    }
    cr_assert_eq(command_done, command_len);
    cr_assert_eq(data_done, has_data ? data_len : 0);
    cr_assert(command_last && data_last == has_data);
}

static void check(size_t buffer_size, uint32_t peer_max_pdu, size_t command_len, uint64_t data_len)
{
    struct numbers_source numbers = numbers_of(data_len);
    size_t total = frame_all(buffer_size, peer_max_pdu, command_len, &numbers.source, NULL);
    check_layout(total, peer_max_pdu, command_len, true, data_len);
    check_reader(total, peer_max_pdu, command_len, true, data_len);
    cr_assert_eq(numbers.next, data_len);
}

Test(framer, every_boundary_of_the_payload)
{
    static const uint32_t peers[] = {14, 15, 16, 17, 20, 64, 101, 256, 4096, 4097, 16384, 28000, 28001};
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        uint64_t payload = (peers[i] - 6) & ~1u;
        for (int times = 0; times <= 3; times++)
            for (int off = -2; off <= 2; off += 2)
                if ((int64_t)payload * times + off >= 0)
                    check(BUFFER_MAX, peers[i], 94, payload * (uint64_t)times + (uint64_t)off);
    }
}

/* The buffer ends at every place of a PDU: in its header, behind it, and in its payload. */
Test(framer, every_boundary_of_the_buffer)
{
    for (size_t extra = 0; extra < 80; extra++) {
        check(6 + 30 + extra, 30, 50, 240);
        check(6 + 31 + extra, 31, 24, 24);
    }
}

Test(framer, smallest_peers)
{
    for (uint32_t peer = 14; peer <= 20; peer++)
        for (uint64_t data_len = 0; data_len <= 40; data_len += 2)
            check(6 + peer, peer, 120, data_len);
}

Test(framer, command_larger_than_the_payload)
{
    for (size_t command_len = 2; command_len <= FRAMER_COMMAND_SIZE; command_len += 2)
        check(600, 64, command_len, 100);
}

Test(framer, more_pdus_than_one_read_has_gaps)
{
    struct numbers_source numbers = numbers_of(3000);
    unsigned fills;
    size_t total = frame_all(BUFFER_MAX, 16, 20, &numbers.source, &fills);
    check_layout(total, 16, 20, true, 3000);
    cr_expect_eq(fills, (300 + DICOMNET_DATA_SOURCE_GAPS_MAX - 1) / DICOMNET_DATA_SOURCE_GAPS_MAX);
}

Test(framer, message_without_data_set)
{
    size_t total = frame_all(BUFFER_MAX, 16384, 80, NULL, NULL);
    cr_expect_eq(total, 92);
    check_layout(total, 16384, 80, false, 0);
    check_reader(total, 16384, 80, false, 0);
    total = frame_all(34, 28, 80, NULL, NULL);
    check_layout(total, 28, 80, false, 0);
}

/* A data set of no bytes is still a data set: one empty fragment, marked as the last. */
Test(framer, empty_data_set)
{
    struct numbers_source numbers = numbers_of(0);
    numbers.error = -EIO; /* nobody asks for nothing */
    size_t total = frame_all(BUFFER_MAX, 16384, 80, &numbers.source, NULL);
    static const uint8_t last[] = {0x04, 0x00, 0, 0, 0, 6, 0, 0, 0, 2, CONTEXT_ID, 0x02};
    cr_assert_eq(total, 92 + sizeof last);
    cr_expect_eq(memcmp(wire + 92, last, sizeof last), 0);
    check_reader(total, 16384, 80, true, 0);
}

/* The command leaves together with the first data, and small messages with one write. */
Test(framer, one_write_for_a_small_message)
{
    struct numbers_source numbers = numbers_of(40000);
    unsigned fills;
    (void)frame_all(BUFFER_MAX, 16384, 120, &numbers.source, &fills);
    cr_expect_eq(fills, 1);
}

Test(framer, one_framer_many_messages)
{
    uint8_t buffer[600];
    framer_init(&framer, buffer, sizeof buffer, 100);
    for (uint64_t len = 0; len < 2000; len += 98) {
        struct numbers_source numbers = numbers_of(len);
        size_t total = 0;
        set_command(60);
        framer_begin(&framer, CONTEXT_ID, &numbers.source);
        while (!framer.complete) {
            ssize_t got = framer_fill(&framer);
            cr_assert_gt(got, 0);
            memcpy(wire + total, buffer, (size_t)got);
            total += (size_t)got;
        }
        check_layout(total, 100, 60, true, len);
    }
}

static ssize_t fill_until_end(struct dicomnet_data_source *source)
{
    static uint8_t buffer[1000];
    ssize_t len;
    framer_init(&framer, buffer, sizeof buffer, 100);
    set_command(60);
    framer_begin(&framer, CONTEXT_ID, source);
    do
        len = framer_fill(&framer);
    while (len > 0 && !framer.complete);
    return len;
}

Test(framer, source_that_is_short)
{
    for (uint64_t ends_at = 0; ends_at < 3000; ends_at += 77) {
        struct numbers_source numbers = numbers_of(3000);
        numbers.ends_at = ends_at;
        cr_expect_eq(fill_until_end(&numbers.source), DICOMNET_ERROR_SOURCE_SHORT, "at %llu",
                     (unsigned long long)ends_at);
        cr_expect(!framer.complete);
    }
}

Test(framer, source_that_fails)
{
    struct numbers_source numbers = numbers_of(3000);
    numbers.error = -EIO;
    cr_expect_eq(fill_until_end(&numbers.source), -EIO);
    cr_expect(!framer.complete);
}
