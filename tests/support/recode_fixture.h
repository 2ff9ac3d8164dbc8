/*
 * recode_fixture - what the unit tests of the converter share: a data set that goes in, one that is to come out.
 */
#ifndef SUPPORT_RECODE_FIXTURE_H
#define SUPPORT_RECODE_FIXTURE_H

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/uid.h"
#include "golden.h"
#include "wire/recode.h"

#define UNDEFINED 0xFFFFFFFF
#define LITTLE    DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN
#define IMPLICIT  DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN
#define BIG       DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN
#define JPEG      "1.2.840.10008.1.2.4.70"

enum { ITEM = 0xE000, ITEM_END = 0xE00D, SEQUENCE_END = 0xE0DD };

/* What goes in, and what is to come out. */
static struct golden in, out;
static struct recode_options options;
static char failure[256];

/* Both empty, each in its form. */
static inline void begin(const char *from, const char *to)
{
    in.writer = bytes_writer_over(in.bytes, sizeof in.bytes);
    out.writer = bytes_writer_over(out.bytes, sizeof out.bytes);
    options = (struct recode_options){.from = syntax_find(from), .to = syntax_find(to)};
    in.form = options.from.form;
    out.form = options.to.form;
}

/* The same value in both. */
static inline void put_both(uint32_t tag, const char *vr, const void *value, uint32_t len)
{
    golden_put(&in, tag, vr, value, len);
    golden_put(&out, tag, vr, value, len);
}

/* Of undefined length. */
static inline void put_both_headers(uint32_t tag, const char *vr)
{
    golden_put_header(&in, tag, vr, UNDEFINED);
    golden_put_header(&out, tag, vr, UNDEFINED);
}

static inline void put_both_items(uint16_t element, uint32_t len)
{
    golden_put_item(&in, element, len);
    golden_put_item(&out, element, len);
}

/* Convert `in`, reading with gaps of `step` bytes. Returns what recode_open or reading says; *ret_bytes is freed by the
 * caller. */
static inline int convert(size_t step, uint8_t **ret_bytes, size_t *ret_len)
{
    struct dicomnet_memory_source source;
    struct recode *recode;
    dicomnet_memory_source_init(&source, in.bytes, in.writer.len);
    options.input = &source.source;
    cr_assert_not(in.writer.overflow || out.writer.overflow);
    int error = recode_open(&recode, &options);
    snprintf(failure, sizeof failure, "%s", recode_failure_text(recode));
    *ret_bytes = NULL;
    *ret_len = 0;
    if (error == 0) {
        struct dicomnet_data_source *data = recode_source(recode);
        *ret_bytes = malloc(data->len + 1);
        *ret_len = data->len;
        for (uint64_t offset = 0; offset < data->len;) {
            struct iovec gaps[3];
            size_t at = offset;
            for (size_t i = 0; i < 3; i++) {
                size_t wanted = i == 1 ? 0 : step + i;
                gaps[i].iov_base = *ret_bytes + at;
                gaps[i].iov_len = wanted < data->len - at ? wanted : data->len - at;
                at += gaps[i].iov_len;
            }
            ssize_t got = data->read(data, offset, gaps, 3);
            if (got < 0) {
                error = (int)got;
                break;
            }
            cr_assert_eq((uint64_t)got, at - offset, "%zd", got);
            offset = at;
        }
    }
    recode_close(recode);
    return error;
}

/* `in` becomes `out`, however it is read. */
static inline void expect_out(void)
{
    static const size_t steps[] = {1, 7, 4096, 1000000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        uint8_t *bytes;
        size_t len;
        cr_assert_eq(convert(steps[i], &bytes, &len), 0, "%s", failure);
        cr_assert_eq(len, out.writer.len, "%zu bytes, and not %zu", len, out.writer.len);
        for (size_t k = 0; k < len; k++)
            cr_assert_eq(bytes[k], out.bytes[k], "byte %zu: %02x, and not %02x", k, bytes[k], out.bytes[k]);
        free(bytes);
    }
}

/* `in` cannot be converted, and the text says this. */
static inline void expect_failure(const char *text)
{
    uint8_t *bytes;
    size_t len;
    cr_expect_eq(convert(100, &bytes, &len), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_not_null(strstr(failure, text), "\"%s\" does not say \"%s\"", failure, text);
    free(bytes);
}

/* Turn `out` round: what it was is `in` now. */
static inline void expect_way_back(const char *from, const char *to)
{
    static struct golden kept;
    kept = in;
    in = out;
    out = kept;
    options.from = syntax_find(from);
    options.to = syntax_find(to);
    expect_out();
}

#endif
