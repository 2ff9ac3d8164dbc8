/*
 * fuzz_recode - any bytes as a data set in one transfer syntax, converted to another, deflated on the way or not.
 *
 * Nothing crashes or hangs; what can be converted is exactly as long as it said, and the same bytes however it is read;
 * what was converted can be converted back, and there again with the same result. From implicit VR, where no VR can be
 * lost, it comes back as it was, but for group lengths, lengths of delimiters and zeros at the end.
 *
 * Input: 1 byte: what it is read as (2 bits), what it becomes (2 bits), whether it is deflated first, and the size of
 * the gaps that are read into (3 bits); then the data set.
 */
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "dicomnet/uid.h"
#include "files/deflate_source.h"
#include "files/inflate_source.h"
#include "fuzz.h"
#include "wire/recode.h"

enum { FLAG_DEFLATE = 16, INPUT_MAX = 64 * 1024 };

static const char *const syntaxes[4] = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                                        DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN, "1.2.840.10008.1.2.4.70"};
static const size_t steps[8] = {1, 2, 3, 7, 64, 1000, 16372, 1000000};

struct bytes {
    uint8_t *data; /* NULL: it could not be converted */
    size_t len;
};

/* Read all of it in gaps of `step` bytes, three at a time. */
static void read_all(struct dicomnet_data_source *source, uint8_t *bytes, size_t step)
{
    for (uint64_t offset = 0; offset < source->len;) {
        struct iovec gaps[3];
        size_t total = 0;
        for (int i = 0; i < 3; i++) {
            uint64_t left = source->len - offset - total;
            gaps[i] = (struct iovec){.iov_base = bytes + offset + total, .iov_len = left < step ? (size_t)left : step};
            total += gaps[i].iov_len;
        }
        FUZZ_CHECK(source->read(source, offset, gaps, 3) == (ssize_t)total);
        offset += total;
    }
}

/* Each way to read an element of a strange VR, as its place says. */
static enum recode_length guess(void *context, const struct recode_place *place)
{
    FUZZ_CHECK(place->offset < place->limit && place->form != SYNTAX_IMPLICIT_LE);
    return (enum recode_length)(place->offset / 2 % 4);
}

/* What comes of `input` in another syntax; from a compressed one with some pixels in the place of its own. */
static struct bytes convert(struct dicomnet_data_source *input, const char *from, const char *to, size_t step)
{
    static const struct recode_patch patches[] = {
        {.group = 0x0008, .element = 0x0060, .vr = "CS", .len = 2, .value = "OT"},
        {.group = 0x0028, .element = 0x0002, .vr = "US", .len = 2, .value = "\3"},
        {.group = 0x0028, .element = 0x0004, .drop = true},
        {.group = 0x7FE0, .element = 0x0001, .drop = true}};
    struct dicomnet_memory_source pixels;
    dicomnet_memory_source_init(&pixels, (const uint8_t *)"0123456789", 10);
    struct recode_options options = {.input = input, .from = syntax_find(from), .to = syntax_find(to), .guess = guess};
    if (options.from.pixels == SYNTAX_PIXELS_ENCAPSULATED) {
        options.patches = patches;
        options.patch_count = sizeof patches / sizeof patches[0];
        options.pixels = &pixels.source;
        memcpy(options.pixels_vr, "OW", 2);
    }
    struct recode *recode;
    struct bytes converted = {.data = NULL};
    int error = recode_open(&recode, &options);
    FUZZ_CHECK(error == 0 || error == DICOMNET_ERROR_SOURCE_UNDECODABLE);
    FUZZ_CHECK((error == 0) == (recode_failure_text(recode)[0] == '\0'));
    if (error == 0) {
        struct dicomnet_data_source *source = recode_source(recode);
        FUZZ_CHECK(source->len % 2 == 0);
        uint8_t *again = malloc(source->len + 1);
        converted.len = source->len;
        converted.data = malloc(source->len + 1);
        FUZZ_CHECK(converted.data != NULL && again != NULL);
        read_all(source, converted.data, step);
        read_all(source, again, 4096);
        FUZZ_CHECK(memcmp(converted.data, again, converted.len) == 0);
        free(again);
    }
    recode_close(recode);
    return converted;
}

static struct bytes convert_bytes(struct bytes bytes, const char *from, const char *to, size_t step)
{
    struct dicomnet_memory_source source;
    dicomnet_memory_source_init(&source, bytes.data, bytes.len);
    return convert(&source.source, from, to, step);
}

/* True if the byte belongs to a length that is computed: of a group, or of a delimiter. In implicit VR. */
static bool is_computed(struct bytes bytes, size_t at)
{
    for (size_t begin = at < 11 ? 0 : at - 11; begin + 4 <= at && begin + 8 <= bytes.len; begin++) {
        const uint8_t *p = bytes.data + begin;
        uint16_t group = get_u16_le(p), element = get_u16_le(p + 2);
        bool in_length = at < begin + 8;
        if (in_length && group == 0xFFFE && (element == 0xE00D || element == 0xE0DD))
            return true;
        if (!in_length && element == 0 && get_u32_le(p + 4) == 4)
            return true;
    }
    return false;
}

/* True if a sequence or item may end with a delimiter that it does not need, and that does not come back. */
static bool has_delimiter(struct bytes bytes)
{
    for (size_t i = 0; i + 8 <= bytes.len; i++)
        if (get_u16_le(bytes.data + i) == 0xFFFE && (bytes.data[i + 2] == 0x0D || bytes.data[i + 2] == 0xDD))
            return true;
    return false;
}

static void check_same(struct bytes was, struct bytes is)
{
    FUZZ_CHECK(is.len <= was.len);
    if (has_delimiter(was) && is.len < was.len)
        return;
    for (size_t i = 0; i < is.len; i++)
        FUZZ_CHECK(was.data[i] == is.data[i] || is_computed(was, i));
    for (size_t i = is.len; i < was.len; i++)
        FUZZ_CHECK(was.data[i] == 0);
}

/* Back, and there again. */
static void check_way_back(struct bytes input, struct bytes there, const char *from, const char *to, size_t step)
{
    struct bytes back = convert_bytes(there, to, from, step);
    bool is_implicit = strcmp(from, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0;
    FUZZ_CHECK(!is_implicit || back.data != NULL);
    if (back.data == NULL) /* by its tag a value may be a sequence, and by its VR it was none */
        return;
    struct bytes again = convert_bytes(back, from, to, step);
    if (is_implicit) {
        check_same(input, back);
        FUZZ_CHECK(again.len == there.len && memcmp(again.data, there.data, there.len) == 0);
    }
    FUZZ_CHECK(again.data != NULL);
    free(again.data);
    free(back.data);
}

/* The same by way of a deflate stream. */
static void check_deflated(struct bytes input, struct bytes there, const char *from, const char *to, size_t step)
{
    struct dicomnet_memory_source memory;
    struct deflate_source *deflated;
    struct inflate_source *inflated;
    dicomnet_memory_source_init(&memory, input.data, input.len);
    FUZZ_CHECK(deflate_source_create(&deflated, &memory.source) == 0);
    FUZZ_CHECK(deflate_source_data(deflated)->len % 2 == 0);
    uint8_t *bytes = malloc(deflate_source_data(deflated)->len);
    FUZZ_CHECK(bytes != NULL);
    read_all(deflate_source_data(deflated), bytes, step);
    dicomnet_memory_source_init(&memory, bytes, deflate_source_data(deflated)->len);
    FUZZ_CHECK(inflate_source_create(&inflated, &memory.source) == 0);
    struct bytes same = convert(inflate_source_data(inflated), from, to, step);
    FUZZ_CHECK((same.data == NULL) == (there.data == NULL) && same.len == there.len);
    FUZZ_CHECK(same.data == NULL || memcmp(same.data, there.data, same.len) == 0);
    free(same.data);
    inflate_source_destroy(inflated);
    deflate_source_destroy(deflated);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.data = data, .len = size};
    unsigned flags = fuzz_take_u8(&input);
    if (input.len > INPUT_MAX)
        return 0;
    const char *from = syntaxes[flags & 3], *to = syntaxes[flags >> 2 & 3];
    size_t step = steps[flags >> 5];
    struct bytes bytes = {.data = malloc(input.len + 1), .len = input.len}; /* so that one byte too many is seen */
    FUZZ_CHECK(bytes.data != NULL);
    memcpy(bytes.data, input.data, input.len);
    if (strcmp(to, syntaxes[3]) == 0)
        to = syntaxes[1];
    struct bytes there = convert_bytes(bytes, from, to, step);
    if (there.data != NULL && strcmp(from, syntaxes[3]) != 0)
        check_way_back(bytes, there, from, to, step);
    if ((flags & FLAG_DEFLATE) != 0)
        check_deflated(bytes, there, from, to, step);
    free(there.data);
    free(bytes.data);
    return 0;
}
