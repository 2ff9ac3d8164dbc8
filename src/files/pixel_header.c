/* pixel_header - see files/pixel_header.h. */
#include "files/pixel_header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "files/walk.h"

enum {
    GROUP_IMAGE = 0x0028,
    GROUP_PIXEL_DATA = 0x7fe0,
    ELEMENT_OFFSETS = 0x0001,
    ELEMENT_PIXEL_DATA = 0x0010,
    TEXT_MAX = 16 /* the longest value that is read: a CS */
};

/* PS3.5 7.1.2: the longest even value with a 32-bit length that is not 0xFFFFFFFF. */
static const uint64_t NATIVE_LEN_MAX = 0xfffffffe;

/* The data set while it is walked. */
struct reading {
    int fd;
    int error;
    struct pixel_header *header;
    bool nested; /* encapsulated pixels inside a sequence */
    bool native; /* Pixel Data of defined length */
    uint16_t bits_allocated;
    char frames[TEXT_MAX + 1];
};

static void read_value(struct reading *reading, const struct walk_element *element, uint64_t offset, void *ret_value,
                       size_t size)
{
    ssize_t got;
    do
        got = pread(reading->fd, ret_value, size, (off_t)(offset + element->header_len));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)size)
        reading->error = got < 0 ? -errno : DICOMNET_ERROR_SOURCE_SHORT;
}

static void read_number(struct reading *reading, const struct walk_element *element, uint64_t offset,
                        uint16_t *ret_number)
{
    uint8_t bytes[2] = {0};
    if (element->value_len < sizeof bytes)
        return;
    read_value(reading, element, offset, bytes, sizeof bytes);
    *ret_number = get_u16_le(bytes);
}

/* Without the padding. What is longer than such a value may be is none: "". */
static void read_text(struct reading *reading, const struct walk_element *element, uint64_t offset,
                      char ret_text[TEXT_MAX + 1])
{
    size_t len = element->value_len;
    ret_text[0] = '\0';
    if (len > TEXT_MAX)
        return;
    read_value(reading, element, offset, ret_text, len);
    while (len > 0 && (ret_text[len - 1] == ' ' || ret_text[len - 1] == '\0'))
        len--;
    ret_text[len] = '\0';
    size_t blanks = strspn(ret_text, " ");
    memmove(ret_text, ret_text + blanks, len - blanks + 1);
}

static void see_image_element(struct reading *reading, const struct walk_element *element, uint64_t offset)
{
    struct decoder_image *image = &reading->header->image;
    switch (element->element) {
    case 0x0002:
        read_number(reading, element, offset, &image->samples);
        break;
    case 0x0004:
        read_text(reading, element, offset, image->photometric);
        break;
    case 0x0006:
        read_number(reading, element, offset, &image->planar_configuration);
        break;
    case 0x0008:
        read_text(reading, element, offset, reading->frames);
        break;
    case 0x0010:
        read_number(reading, element, offset, &image->rows);
        break;
    case 0x0011:
        read_number(reading, element, offset, &image->columns);
        break;
    case 0x0100:
        read_number(reading, element, offset, &reading->bits_allocated);
        break;
    case 0x0101:
        read_number(reading, element, offset, &image->bits_stored);
        break;
    case 0x0102:
        read_number(reading, element, offset, &image->high_bit);
        break;
    case 0x0103:
        read_number(reading, element, offset, &image->is_signed);
        break;
    default:
        break;
    }
}

static void see_element(void *context, const struct walk_element *element, uint64_t offset)
{
    struct reading *reading = context;
    struct pixel_header *header = reading->header;
    uint64_t value_offset = offset + element->header_len;
    bool is_pixel_data = element->group == GROUP_PIXEL_DATA && element->element == ELEMENT_PIXEL_DATA;
    if (element->depth > 0) {
        reading->nested |= is_pixel_data && element->undefined;
    } else if (element->group == GROUP_IMAGE) {
        see_image_element(reading, element, offset);
    } else if (is_pixel_data) {
        reading->native = !element->undefined;
        header->has_pixels = true;
        header->items_begin = value_offset;
    } else if (element->group == GROUP_PIXEL_DATA && element->element == ELEMENT_OFFSETS && !element->undefined) {
        header->offsets = (struct pixel_place){.offset = value_offset, .len = element->value_len};
    }
}

/* What of it cannot be decoded, or 0: one line into `ret_text`. */
static int refuse(char *ret_text, size_t size, const char *format, unsigned value)
{
    /* The formats are those below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(ret_text, size, format, value);
#pragma GCC diagnostic pop
    return DICOMNET_ERROR_SOURCE_UNDECODABLE;
}

/* Number of Frames (0028,0008): 1 if it says nothing. */
static bool count_frames(const char *text, uint32_t *ret_count)
{
    if (text[0] == '\0') {
        *ret_count = 1;
        return true;
    }
    char *end;
    unsigned long count = strtoul(text, &end, 10);
    *ret_count = (uint32_t)count;
    return *end == '\0' && text[0] != '-' && count >= 1 && count <= INT32_MAX;
}

/* From what the elements say to what is decoded. */
static int judge(const struct reading *reading, char *ret_text, size_t size)
{
    struct pixel_header *header = reading->header;
    struct decoder_image *image = &header->image;
    if (reading->native)
        return refuse(ret_text, size, "Pixel Data is native in a compressed transfer syntax", 0);
    if (image->rows == 0 || image->columns == 0)
        return refuse(ret_text, size, "Rows or Columns is missing or 0", 0);
    if (image->samples != 1 && image->samples != 3)
        return refuse(ret_text, size, "Samples per Pixel is %u, and not 1 or 3", image->samples);
    if (image->photometric[0] == '\0')
        return refuse(ret_text, size, "no Photometric Interpretation", 0);
    header->widened = reading->bits_allocated == 12;
    image->bits_allocated = header->widened ? 16 : reading->bits_allocated;
    if (image->bits_allocated != 8 && image->bits_allocated != 16 && image->bits_allocated != 32)
        return refuse(ret_text, size, "Bits Allocated is %u, and not 8, 12, 16 or 32", image->bits_allocated);
    if (image->bits_stored == 0 || image->bits_stored > image->bits_allocated)
        return refuse(ret_text, size, "Bits Stored is %u, which Bits Allocated does not hold", image->bits_stored);
    if (image->is_signed > 1)
        return refuse(ret_text, size, "Pixel Representation is %u, and not 0 or 1", image->is_signed);
    if (!count_frames(reading->frames, &header->frame_count))
        return refuse(ret_text, size, "Number of Frames is no number of 1 or more", 0);
    uint64_t frame_len = (uint64_t)image->rows * image->columns * image->samples * (image->bits_allocated / 8);
    if (frame_len > PIXEL_FRAME_LEN_MAX)
        return refuse(ret_text, size, "a frame has %u MiB uncompressed, more than the 1,024 that are decoded",
                      (unsigned)(frame_len >> 20));
    uint64_t pixels_len = (frame_len * header->frame_count + 1) & ~(uint64_t)1;
    if (pixels_len > NATIVE_LEN_MAX)
        return refuse(ret_text, size, "uncompressed Pixel Data has %u MiB, more than the 4 GiB - 2 that are possible",
                      (unsigned)(pixels_len >> 20));
    header->frame_len = (size_t)frame_len;
    header->pixels_len = (uint32_t)pixels_len;
    return 0;
}

static int walk_data_set(struct reading *reading, struct window *window, uint64_t offset, uint64_t len, char *ret_text,
                         size_t size)
{
    struct walk walk = {.window = window, .visit = see_element, .context = reading, .deep = true, .offset = offset};
    window_begin(window, reading->fd, offset + len);
    enum walk_result result = walk_run(&walk, SYNTAX_EXPLICIT_LE);
    if (result == WALK_UNREADABLE)
        return window->error;
    if (reading->error != 0)
        return reading->error;
    if (result != WALK_COMPLETE)
        return refuse(ret_text, size, "the data set does not parse as it did when it was scanned", 0);
    if (reading->nested)
        return refuse(ret_text, size, "an image inside a sequence, such as an icon, is compressed too", 0);
    return 0;
}

int pixel_header_read(struct pixel_header *ret_header, int fd, uint64_t offset, uint64_t len, const char *syntax_uid,
                      char *ret_text, size_t size)
{
    struct reading reading = {.fd = fd, .header = ret_header};
    *ret_header = (struct pixel_header){.has_pixels = false};
    snprintf(ret_header->image.syntax_uid, sizeof ret_header->image.syntax_uid, "%s", syntax_uid);
    struct window *window = calloc(1, sizeof *window);
    if (window == NULL)
        return -ENOMEM;
    int result = walk_data_set(&reading, window, offset, len, ret_text, size);
    free(window);
    if (result == 0 && ret_header->has_pixels)
        result = judge(&reading, ret_text, size);
    return result;
}
