/* Compressed pixels made native: which fragments are which frame, and the frames read one after the other. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "files/decoder.h"
#include "files/pixel_frames.h"
#include "files/pixel_source.h"
#include "golden.h"

static struct golden golden;

static int write_file(void)
{
    int fd = memfd_create("pixels", MFD_CLOEXEC);
    cr_assert_eq(write(fd, golden.bytes, golden.writer.len), (ssize_t)golden.writer.len);
    return fd;
}

/* ---- which fragments are which frame ---- */

/* A Pixel Data's items: a Basic Offset Table, and fragments of these lengths that begin with these bytes. */
struct fragment {
    uint32_t len;
    uint16_t start; /* as it is read: 0xffd8 */
};

static const struct fragment five[] = {{10, 0xffd8}, {4, 0}, {6, 0xffd8}, {2, 0}, {8, 0xffd8}};

static void put_fragments(const uint32_t *table, uint32_t table_count, const struct fragment *fragments, size_t count)
{
    golden_put_item(&golden, 0xe000, 4 * table_count);
    for (uint32_t i = 0; i < table_count; i++)
        bytes_put_u32_le(&golden.writer, table[i]);
    for (size_t i = 0; i < count; i++) {
        uint8_t value[64] = {(uint8_t)(fragments[i].start >> 8), (uint8_t)fragments[i].start};
        golden_put_item(&golden, 0xe000, fragments[i].len);
        bytes_put(&golden.writer, value, fragments[i].len);
    }
    golden_put_item(&golden, 0xe0dd, 0);
}

/* "10+4 6+2 8", the lengths of the frames' fragments; or the text of the refusal. */
static const char *find(uint32_t frame_count, const uint64_t *extended, uint32_t extended_count, const uint32_t *table,
                        uint32_t table_count, const struct fragment *fragments, size_t count,
                        enum pixel_frames_way *ret_way)
{
    static char text[256];
    struct pixel_header header = {.has_pixels = true, .frame_count = frame_count};
    struct pixel_frames frames;
    golden_begin(&golden, NULL, SYNTAX_EXPLICIT_LE);
    header.offsets = (struct pixel_place){.offset = golden.writer.len, .len = 8 * extended_count};
    for (uint32_t i = 0; i < extended_count; i++) {
        bytes_put_u32_le(&golden.writer, (uint32_t)extended[i]);
        bytes_put_u32_le(&golden.writer, (uint32_t)(extended[i] >> 32));
    }
    header.items_begin = golden.writer.len;
    put_fragments(table, table_count, fragments, count);
    int fd = write_file();
    int result = pixel_frames_open(&frames, fd, golden.writer.len, &header, text, sizeof text);
    if (result == 0) {
        *ret_way = frames.way;
        for (int round = 0; round < 2; round++) { /* and so again */
            size_t len = 0;
            text[0] = '\0';
            for (uint32_t i = 0; i < frame_count; i++) {
                uint64_t begin, end;
                cr_assert_eq(pixel_frames_next(&frames, &begin, &end), 0);
                for (bool first = true; begin < end; first = false) {
                    uint32_t item_len = get_u32_le(golden.bytes + begin + 4);
                    const char *before = !first ? "+" : i > 0 ? " " : "";
                    len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", before, item_len);
                    begin += 8 + item_len;
                }
                cr_expect_eq(begin, end);
            }
            pixel_frames_rewind(&frames);
        }
    } else {
        cr_expect_eq(result, DICOMNET_ERROR_SOURCE_UNDECODABLE);
    }
    close(fd);
    return text;
}

Test(pixel_frames, one_frame_has_all_fragments)
{
    enum pixel_frames_way way;
    cr_expect_str_eq(find(1, NULL, 0, NULL, 0, five, 5, &way), "10+4+6+2+8");
    cr_expect_eq(way, PIXEL_FRAMES_ALL);
    cr_expect_str_eq(find(1, NULL, 0, NULL, 0, five, 1, &way), "10");
}

Test(pixel_frames, as_many_fragments_as_frames)
{
    enum pixel_frames_way way;
    const uint32_t wrong[] = {0, 1, 2, 3, 4};
    cr_expect_str_eq(find(5, NULL, 0, NULL, 0, five, 5, &way), "10 4 6 2 8");
    cr_expect_eq(way, PIXEL_FRAMES_ONE_EACH);
    cr_expect_str_eq(find(5, NULL, 0, wrong, 5, five, 5, &way), "10 4 6 2 8", "no table can say otherwise");
}

Test(pixel_frames, by_a_table)
{
    enum pixel_frames_way way;
    const uint32_t basic[] = {0, 18};
    const uint64_t extended[] = {0, 44};
    cr_expect_str_eq(find(2, NULL, 0, basic, 2, five, 5, &way), "10 4+6+2+8");
    cr_expect_eq(way, PIXEL_FRAMES_BASIC);
    cr_expect_str_eq(find(2, extended, 2, NULL, 0, five, 5, &way), "10+4+6 2+8");
    cr_expect_eq(way, PIXEL_FRAMES_EXTENDED);
    cr_expect_str_eq(find(2, extended, 2, basic, 2, five, 5, &way), "10+4+6 2+8");
}

Test(pixel_frames, tables_that_do_not_fit)
{
    enum pixel_frames_way way;
    static const uint32_t wrong[][3] = {{0, 19, 44}, {18, 30, 44}, {0, 44, 30}, {0, 30, 30}, {0, 30, 5000}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_str_eq(find(3, NULL, 0, wrong[i], 3, five, 5, &way), "10+4 6+2 8", "%zu", i);
        cr_expect_eq(way, PIXEL_FRAMES_STARTS);
    }
    const uint32_t right[] = {0, 18};
    cr_expect_str_eq(find(3, NULL, 0, right, 2, five, 5, &way), "10+4 6+2 8", "of another number of frames");
    const uint64_t beyond[] = {0, (uint64_t)1 << 32 | 18};
    cr_expect_str_eq(find(2, beyond, 2, right, 2, five, 5, &way), "10 4+6+2+8");
    cr_expect_eq(way, PIXEL_FRAMES_BASIC);
}

Test(pixel_frames, what_cannot_be_matched)
{
    enum pixel_frames_way way;
    static const struct fragment late[] = {{10, 0}, {4, 0xff4f}, {6, 0xff4f}};
    cr_expect_str_eq(find(2, NULL, 0, NULL, 0, five, 5, &way), "5 fragments cannot be matched to 2 frames");
    cr_expect_str_eq(find(4, NULL, 0, NULL, 0, five, 5, &way), "5 fragments cannot be matched to 4 frames");
    cr_expect_str_eq(find(6, NULL, 0, NULL, 0, five, 5, &way), "5 fragments cannot be matched to 6 frames");
    cr_expect_str_eq(find(2, NULL, 0, NULL, 0, late, 3, &way), "3 fragments cannot be matched to 2 frames");
    cr_expect_str_eq(find(1, NULL, 0, NULL, 0, five, 0, &way), "0 fragments cannot be matched to 1 frames");
}

/* ---- the source ---- */

enum { SIDE = 5, FRAME_LEN = SIDE * SIDE, FRAMES = 3 };

static void put_number(uint32_t tag, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    golden_put(&golden, tag, "US", bytes, sizeof bytes);
}

/* Frames of 25 pixels by RLE, all 10, then 11 and so on; the fragment of `broken` is none. */
static void make_rle(int frames, int broken)
{
    char count[3];
    snprintf(count, sizeof count, "%d ", frames);
    golden_begin(&golden, "1.2.840.10008.1.2.5", SYNTAX_EXPLICIT_LE);
    golden_put_names(&golden);
    put_number(0x00280002, 1);
    golden_put(&golden, 0x00280004, "CS", "MONOCHROME2 ", 12);
    golden_put(&golden, 0x00280008, "IS", count, 2);
    put_number(0x00280010, SIDE);
    put_number(0x00280011, SIDE);
    put_number(0x00280100, 8);
    put_number(0x00280101, 8);
    put_number(0x00280102, 7);
    put_number(0x00280103, 0);
    golden_put_header(&golden, 0x7fe00010, "OB", 0xffffffff);
    golden_put_item(&golden, 0xe000, 0);
    for (int i = 0; i < frames; i++) {
        uint8_t frame[64 + 2] = {i == broken ? 2 : 1, 0, 0, 0, 64};
        frame[64] = 257 - FRAME_LEN;
        frame[65] = (uint8_t)(10 + i);
        golden_put_item(&golden, 0xe000, sizeof frame);
        bytes_put(&golden.writer, frame, sizeof frame);
    }
    golden_put_item(&golden, 0xe0dd, 0);
}

static struct decoder *make_decoder(void)
{
    const struct decoder_options options = {.program = DECODER_PROGRAM};
    struct decoder *decoder = decoder_create(&options);
    cr_assert_not_null(decoder);
    return decoder;
}

static int open_source(struct decoder *decoder, int fd, struct pixel_source **ret_source, char *ret_text, size_t size)
{
    const struct pixel_source_options options = {.decoder = decoder,
                                                 .fd = fd,
                                                 .data_offset = golden.data_offset,
                                                 .data_len = golden.writer.len - golden.data_offset,
                                                 .syntax_uid = "1.2.840.10008.1.2.5"};
    return pixel_source_open(ret_source, &options, ret_text, size);
}

Test(pixel_source, frames_are_read_in_pieces_of_any_size)
{
    struct decoder *decoder = make_decoder();
    char text[256] = "";
    make_rle(FRAMES, -1);
    int fd = write_file();
    for (size_t size = 1; size <= FRAMES * FRAME_LEN + 1; size += 7) {
        struct pixel_source *source;
        uint8_t read[FRAMES * FRAME_LEN + 1];
        cr_assert_eq(open_source(decoder, fd, &source, text, sizeof text), 0, "%s", text);
        struct dicomnet_data_source *pixels = pixel_source_pixels(source);
        cr_assert_eq(pixels->len, sizeof read);
        for (int round = 0; round < 2; round++) { /* and again from its beginning */
            memset(read, 0xee, sizeof read);
            size_t end = round == 0 ? sizeof read / 2 : sizeof read;
            for (size_t at = 0; at < end;) {
                size_t wanted = size < sizeof read - at ? size : sizeof read - at;
                const struct iovec gaps[] = {{read + at, wanted / 2}, {read + at + wanted / 2, wanted - wanted / 2}};
                cr_assert_eq(pixels->read(pixels, at, gaps, 2), (ssize_t)wanted);
                at += wanted;
            }
        }
        for (size_t i = 0; i < sizeof read - 1; i++)
            cr_assert_eq(read[i], 10 + i / FRAME_LEN);
        cr_expect_eq(read[sizeof read - 1], 0, "padding to an even length");
        pixel_source_close(source);
    }
    close(fd);
    decoder_destroy(decoder);
}

Test(pixel_source, sources_that_share_a_decoder)
{
    struct decoder *decoder = make_decoder();
    struct pixel_source *sources[3];
    char text[256];
    make_rle(FRAMES, -1);
    int fd = write_file();
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(open_source(decoder, fd, &sources[i], text, sizeof text), 0);
    for (size_t at = 0; at < FRAMES * FRAME_LEN; at++) {
        for (size_t i = 0; i < 3; i++) {
            uint8_t byte;
            const struct iovec gap = {&byte, 1};
            struct dicomnet_data_source *pixels = pixel_source_pixels(sources[i]);
            if (i == 2 && at > FRAME_LEN)
                continue; /* given up in the middle */
            cr_assert_eq(pixels->read(pixels, at, &gap, 1), 1);
            cr_assert_eq(byte, 10 + at / FRAME_LEN);
        }
    }
    for (size_t i = 3; i-- > 0;)
        pixel_source_close(sources[i]);
    close(fd);
    decoder_destroy(decoder);
}

Test(pixel_source, a_frame_that_cannot_be_decoded)
{
    struct decoder *decoder = make_decoder();
    struct pixel_source *source = NULL;
    char text[256];
    make_rle(FRAMES, 0);
    int fd = write_file();
    cr_expect_eq(open_source(decoder, fd, &source, text, sizeof text), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(text, "frame 1 of 3: the RLE header says 2 segments, the data set makes 1");
    close(fd);
    make_rle(FRAMES, 2);
    fd = write_file();
    cr_assert_eq(open_source(decoder, fd, &source, text, sizeof text), 0);
    uint8_t read[FRAMES * FRAME_LEN];
    const struct iovec begin = {read, 2 * FRAME_LEN}, rest = {read, 1};
    struct dicomnet_data_source *pixels = pixel_source_pixels(source);
    cr_expect_eq(pixels->read(pixels, 0, &begin, 1), 2 * FRAME_LEN);
    cr_expect_str_empty(pixel_source_failure(source));
    for (int i = 0; i < 2; i++)
        cr_expect_eq(pixels->read(pixels, 2 * FRAME_LEN, &rest, 1), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(pixel_source_failure(source),
                     "frame 3 of 3: the RLE header says 2 segments, the data set makes 1");
    pixel_source_close(source);
    close(fd);
    decoder_destroy(decoder);
}

Test(pixel_source, without_a_decoder)
{
    struct pixel_source *source;
    char text[256];
    make_rle(1, -1);
    int fd = write_file();
    cr_expect_eq(open_source(NULL, fd, &source, text, sizeof text), DICOMNET_ERROR_SOURCE_UNDECODABLE);
    cr_expect_str_eq(text, "its pixels are compressed, and nothing here decodes them");
    close(fd);
}

Test(pixel_source, what_changes_in_the_data_set)
{
    struct decoder *decoder = make_decoder();
    struct pixel_source *source;
    char text[256];
    size_t count;
    make_rle(1, -1);
    int fd = write_file();
    cr_assert_eq(open_source(decoder, fd, &source, text, sizeof text), 0);
    cr_expect_str_eq(pixel_source_vr(source), "OB");
    const struct recode_patch *patches = pixel_source_patches(source, &count);
    cr_assert_eq(count, 3, "grey of 8 bits: the tables of offsets go, no more");
    for (size_t i = 0; i < count; i++)
        cr_expect(patches[i].group == 0x7fe0 && patches[i].element == i + 1 && patches[i].drop);
    pixel_source_close(source);
    close(fd);
    golden_begin(&golden, "1.2.840.10008.1.2.5", SYNTAX_EXPLICIT_LE);
    golden_put_names(&golden);
    fd = write_file();
    cr_assert_eq(open_source(decoder, fd, &source, text, sizeof text), 0);
    cr_expect_null(pixel_source_pixels(source), "no image");
    cr_expect_not_null(pixel_source_patches(source, &count));
    cr_expect_eq(count, 0);
    pixel_source_close(source);
    close(fd);
    decoder_destroy(decoder);
}
