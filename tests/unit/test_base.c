/* The small things everything else stands on: bytes, list, histogram, span, clock, log records, error texts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../support/exact.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "dicomnet/data_source.h"
#include "dicomnet/error.h"
#include "dicomnet/span.h"
#include "dicomnet/status.h"

/* ---- bytes ---- */

Test(base, numbers_in_both_orders)
{
    static const uint8_t bytes[] = {0xFE, 0xDC, 0xBA, 0x98};
    cr_assert_eq(get_u16_be(bytes), 0xFEDC);
    cr_assert_eq(get_u16_le(bytes), 0xDCFE);
    cr_assert_eq(get_u32_be(bytes), 0xFEDCBA98);
    cr_assert_eq(get_u32_le(bytes), 0x98BADCFE);
    uint8_t out[4];
    set_u16_be(out, 0xFEDC);
    cr_assert_arr_eq(out, "\xFE\xDC", 2);
    set_u16_le(out, 0xFEDC);
    cr_assert_arr_eq(out, "\xDC\xFE", 2);
    set_u32_be(out, 0xFEDCBA98);
    cr_assert_arr_eq(out, bytes, 4);
    set_u32_le(out, 0xFEDCBA98);
    cr_assert_arr_eq(out, "\x98\xBA\xDC\xFE", 4);
}

Test(base, writer_stops_at_its_end_and_says_so)
{
    volatile size_t size = 7; /* else the compiler, knowing it, warns of the writes that the writer refuses */
    uint8_t *bytes = malloc(size);
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    bytes_put_u8(&writer, 1);
    bytes_put_u16_be(&writer, 0x0203);
    bytes_put_u16_le(&writer, 0x0504);
    cr_assert(!writer.overflow);
    bytes_put_u32_be(&writer, 9);
    cr_assert(writer.overflow);
    cr_assert_eq(writer.len, 5);
    cr_assert_arr_eq(bytes, "\1\2\3\4\5", 5);
    bytes_put_u8(&writer, 1);
    cr_assert_eq(writer.len, 5, "an overflow stays");
    cr_assert_null(bytes_reserve(&writer, 0));
    free(bytes);
}

Test(base, writer_of_no_bytes_takes_no_bytes)
{
    struct bytes_writer writer = bytes_writer_over(NULL, 0);
    bytes_put(&writer, NULL, 0);
    cr_assert(!writer.overflow);
    cr_assert_null(bytes_reserve(&writer, SIZE_MAX));
    cr_assert(writer.overflow);
}

/* ---- list ---- */

struct numbered {
    int number;
    struct list_node node;
};

static void assert_numbers(const struct list *list, const char *wanted)
{
    char seen[32] = "";
    size_t len = 0;
    for (struct list_node *node = list_first(list); node != NULL; node = list_next(list, node))
        seen[len++] = (char)('0' + list_entry(node, struct numbered, node)->number);
    cr_assert_str_eq(seen, wanted);
    for (struct list_node *node = list->head.prev; node != &list->head; node = node->prev)
        cr_assert_eq(list_entry(node, struct numbered, node)->number, seen[--len] - '0');
    cr_assert_eq(len, 0, "backwards it is the same");
}

Test(base, list_keeps_its_order)
{
    struct numbered numbers[6];
    for (int i = 0; i < 6; i++)
        numbers[i].number = i;
    struct list list, other;
    list_init(&list);
    list_init(&other);
    cr_assert(list_is_empty(&list));
    cr_assert_null(list_pop(&list));
    list_append(&list, &numbers[1].node);
    list_append(&list, &numbers[2].node);
    list_prepend(&list, &numbers[0].node);
    assert_numbers(&list, "012");
    list_remove(&numbers[1].node);
    assert_numbers(&list, "02");
    cr_assert(numbers[1].node.next == NULL && numbers[1].node.prev == NULL);
    list_insert_after(&numbers[0].node, &numbers[5].node);
    assert_numbers(&list, "052");

    list_splice(&list, &other);
    assert_numbers(&list, "052");
    list_append(&other, &numbers[3].node);
    list_append(&other, &numbers[4].node);
    list_splice(&list, &other);
    assert_numbers(&list, "05234");
    assert_numbers(&other, "");
    list_splice(&other, &list);
    assert_numbers(&other, "05234");
    cr_assert_eq(list_entry(list_pop(&other), struct numbered, node)->number, 0);
    assert_numbers(&other, "5234");
}

/* ---- histogram ---- */

Test(base, histogram_of_nothing)
{
    static struct histogram histogram;
    cr_assert_eq(histogram_percentile(&histogram, 0.5), 0);
}

Test(base, histogram_percentiles_are_within_a_step)
{
    static struct histogram histogram;
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_add(&histogram, value);
    cr_assert_eq(histogram.count, 100000);
    cr_assert_eq(histogram.sum_us, (uint64_t)100000 * 100001 / 2);
    static const double shares[] = {0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        double wanted = shares[i] * 100000, seen = (double)histogram_percentile(&histogram, shares[i]);
        cr_expect(seen >= wanted * 0.999 && seen <= wanted * 1.032, "p%g is %g", shares[i] * 100, seen);
    }
    cr_assert_eq(histogram_percentile(&histogram, 1.0), 100000);
}

Test(base, histogram_holds_every_value)
{
    for (int power = 0; power < 64; power++)
        for (int step = -1; step <= 1; step++) {
            static struct histogram histogram;
            memset(&histogram, 0, sizeof histogram);
            uint64_t value = (UINT64_C(1) << power) + (uint64_t)step;
            histogram_add(&histogram, value);
            cr_assert_eq(histogram.max_us, value);
            uint64_t seen = histogram_percentile(&histogram, 0.5);
            cr_assert_leq(seen, value);
            if (value < (UINT64_C(1) << 42))
                cr_assert_eq(seen, value, "alone, %llu is its own percentile", (unsigned long long)value);
        }
}

/* ---- span ---- */

static void assert_trimmed(const char *bytes, size_t len, size_t size, const char *wanted)
{
    uint8_t *copy = exact_copy(bytes, len);
    char *text = malloc(size);
    dicomnet_span_copy_trimmed((struct dicomnet_span){copy, len}, text, size);
    cr_assert_str_eq(text, wanted);
    free(text);
    free(copy);
}

Test(base, spans)
{
    cr_assert(dicomnet_span_equals(dicomnet_span_of("abc"), "abc"));
    cr_assert(!dicomnet_span_equals(dicomnet_span_of("abc"), "ab"));
    cr_assert(!dicomnet_span_equals(dicomnet_span_of("abc"), "abd"));
    cr_assert(dicomnet_span_equals((struct dicomnet_span){0}, ""));
    assert_trimmed("  AE  ", 6, 17, "AE");
    assert_trimmed("1.2.3\0", 6, 65, "1.2.3");
    assert_trimmed("A B \0 \0", 7, 17, "A B");
    assert_trimmed("      ", 6, 17, "");
    assert_trimmed("", 0, 17, "");
    assert_trimmed("0123456789", 10, 5, "0123");
    assert_trimmed("0123456789", 10, 11, "0123456789");
    assert_trimmed("x", 1, 1, "");
    assert_trimmed("A \0 B", 5, 17, "A ? B");
    assert_trimmed("\0A", 2, 17, "?A");
    assert_trimmed("1.2\0\0003\0 \0", 9, 65, "1.2??3");
    assert_trimmed("1.2\0003", 5, 4, "1.2");
    assert_trimmed("012 456", 7, 5, "012");
}

/* ---- memory ---- */

Test(base, memory_is_as_malloc_gives_it)
{
    char *memory = memory_allocate_zeroed(3, 5);
    cr_assert_not_null(memory);
    for (size_t i = 0; i < 15; i++)
        cr_expect_eq(memory[i], 0);
    memcpy(memory, "what it holds", 14);
    memory = memory_resize(memory, 100000);
    cr_assert_not_null(memory);
    cr_expect_str_eq(memory, "what it holds");
    free(memory);
    memory = memory_allocate(0);
    cr_expect_not_null(memory);
    free(memory);
}

/* ---- clock ---- */

Test(base, clock_shows_what_it_says)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(0, text);
    cr_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
    clock_format(UINT64_C(951782399999999), text);
    cr_assert_str_eq(text, "2000-02-28T23:59:59.999999Z");
    clock_format(UINT64_C(1772366400123456), text);
    cr_assert_str_eq(text, "2026-03-01T12:00:00.123456Z");
    uint64_t before = clock_monotonic_us();
    cr_assert_geq(clock_monotonic_us(), before);
    cr_assert_gt(clock_wall_us(), UINT64_C(1700000000000000));
}

/* ---- data source ---- */

Test(base, memory_source_fills_the_gaps_in_order)
{
    struct dicomnet_memory_source memory;
    dicomnet_memory_source_init(&memory, (const uint8_t *)"0123456789", 10);
    cr_assert_eq(memory.source.len, 10);
    char first[3] = "", second[5] = "";
    const struct iovec gaps[] = {{first, 2}, {second, 4}};
    cr_assert_eq(memory.source.read(&memory.source, 3, gaps, 2), 6);
    cr_assert_str_eq(first, "34");
    cr_assert_str_eq(second, "5678");
}

/* ---- log ---- */

Test(base, log_record_copy_owns_its_texts)
{
    char text[] = "some text";
    const struct dicomnet_log_field fields[] = {LOG_TEXT("path", text), LOG_NUMBER("size", -7), LOG_TEXT("empty", "")};
    const struct dicomnet_log_record record = {.level = DICOMNET_LOG_WARN,
                                               .event = DICOMNET_LOG_ASSOCIATION_LOST,
                                               .time_us = 42,
                                               .field_count = 3,
                                               .fields = fields};
    struct dicomnet_log_record *copy = dicomnet_log_record_copy(&record);
    memset(text, 'x', sizeof text);
    cr_assert_eq(copy->level, DICOMNET_LOG_WARN);
    cr_assert_eq(copy->event, DICOMNET_LOG_ASSOCIATION_LOST);
    cr_assert_eq(copy->time_us, 42);
    cr_assert_eq(copy->field_count, 3);
    cr_assert_str_eq(copy->fields[0].key, "path");
    cr_assert_str_eq(copy->fields[0].text, "some text");
    cr_assert_null(copy->fields[1].text);
    cr_assert_eq(copy->fields[1].number, -7);
    cr_assert_str_eq(copy->fields[2].text, "");
    free(copy);

    copy = dicomnet_log_record_copy(&(struct dicomnet_log_record){.event = DICOMNET_LOG_DIMSE_SENT});
    cr_assert_eq(copy->field_count, 0);
    free(copy);
}

static void count_record(void *user, const struct dicomnet_log_record *record)
{
    *(int *)user += (int)record->field_count;
}

Test(base, logger_takes_what_its_level_asks_for)
{
    int count = 0;
    struct dicomnet_logger logger = {.write = count_record, .user = &count, .level = DICOMNET_LOG_INFO};
    LOG(&logger, DICOMNET_LOG_INFO, DICOMNET_LOG_ASSOCIATION_OPENED, LOG_TEXT("text", "a"), LOG_NUMBER("n", 1));
    LOG(&logger, DICOMNET_LOG_DEBUG, DICOMNET_LOG_ASSOCIATION_OPENED, LOG_TEXT("text", "a"));
    LOG(NULL, DICOMNET_LOG_ERROR, DICOMNET_LOG_ASSOCIATION_OPENED, LOG_TEXT("text", "a"));
    dicomnet_logger_write(&logger, DICOMNET_LOG_ERROR, DICOMNET_LOG_ASSOCIATION_OPENED, NULL, 0);
    cr_assert_eq(count, 2);
}

Test(base, log_names)
{
    cr_assert_str_eq(dicomnet_log_level_name(DICOMNET_LOG_WARN), "warn");
    cr_assert_eq(dicomnet_log_level_find("WARNING"), DICOMNET_LOG_WARN);
    cr_assert_eq(dicomnet_log_level_find("fatal"), DICOMNET_LOG_ERROR);
    cr_assert_eq(dicomnet_log_level_find("trace"), DICOMNET_LOG_DEBUG);
    cr_assert_eq(dicomnet_log_level_find("loud"), -1);
    cr_assert_str_eq(dicomnet_log_event_name(DICOMNET_LOG_DIMSE_SENT), "dimse.sent");
    cr_assert_str_eq(dicomnet_log_event_name(DICOMNET_LOG_EVENT_COUNT), "unknown");
    cr_assert_str_eq(dicomnet_log_event_name(-1), "unknown");
    for (int event = 0; event < DICOMNET_LOG_EVENT_COUNT; event++)
        for (int other = 0; other < event; other++)
            cr_assert_str_neq(dicomnet_log_event_name(event), dicomnet_log_event_name(other));
}

/* ---- errors ---- */

Test(base, errors_have_texts_and_names)
{
    cr_assert_str_eq(dicomnet_error_text(DICOMNET_ERROR_REJECTED), "the peer rejected the association");
    cr_assert_str_eq(dicomnet_error_name(DICOMNET_ERROR_REJECTED), "ERROR_REJECTED");
    cr_assert_str_eq(dicomnet_error_text(-ENOENT), "No such file or directory");
    cr_assert_str_eq(dicomnet_error_name(-ECONNREFUSED), "ECONNREFUSED");
    cr_assert_str_eq(dicomnet_error_text(-12345), "unknown error");
    cr_assert_str_eq(dicomnet_error_name(-12345), "UNKNOWN");
    cr_assert_str_eq(dicomnet_error_text(0), "no error");
    cr_assert_not_null(dicomnet_error_text(7));
    static const int codes[] = {
#define X(name, value, text) DICOMNET_ERROR_##name,
        DICOMNET_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_assert_lt(codes[i], -10000, "far from errno and from libuv's own codes");
        cr_assert_str_neq(dicomnet_error_text(codes[i]), "unknown error");
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(codes[i], codes[j]);
    }
}

Test(status, has_a_text_for_each)
{
    cr_assert_str_eq(dicomnet_status_text(0xA700), "out of resources");
    cr_assert_str_eq(dicomnet_status_text(0xA7FF), "out of resources");
    cr_assert_str_eq(dicomnet_status_text(0x0122), "SOP class not supported");
    cr_assert_str_eq(dicomnet_status_text(0xB007), "data set does not match SOP class");
    cr_assert_str_eq(dicomnet_status_text(0xBFFF), "warning");
    cr_assert_str_eq(dicomnet_status_text(0x4321), "unknown status");
    for (unsigned status = 0; status <= 0xFFFF; status++)
        cr_assert_neq(dicomnet_status_text((uint16_t)status)[0], '\0', "%04X", status);
}
