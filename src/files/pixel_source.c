/* pixel_source - see files/pixel_source.h. */
#include "files/pixel_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "files/decoder.h"
#include "files/pixel_frames.h"
#include "files/pixel_header.h"

enum { PATCHES_MAX = 6, TEXT_SIZE = DECODER_TEXT_SIZE + 64 };

/* A frame that is decoded, or is being decoded. */
struct slot {
    struct decoder_job job;
    uint32_t frame; /* which, from 0 */
};

struct pixel_source {
    struct dicomnet_data_source pixels; /* first: the source is found from it */
    struct decoder *decoder;
    struct pixel_header header;
    struct pixel_frames frames;
    struct slot slots[2];
    struct slot *current;                       /* the frame that is read */
    struct slot *ahead;                         /* the one behind it, under way; NULL = there is none */
    uint64_t next_offset;                       /* where the next read begins */
    int failed;                                 /* a frame could not be decoded: what every read answers */
    char photometric[DECODER_PHOTOMETRIC_SIZE]; /* of the first frame, and so of all */
    struct recode_patch patches[PATCHES_MAX];
    size_t patch_count;
    char text[TEXT_SIZE];
};

/* ---- frames ---- */

/* Begin to decode the next frame into the slot. */
static int begin_frame(struct pixel_source *source, struct slot *slot)
{
    uint64_t begin, end;
    slot->frame = source->frames.next;
    int result = pixel_frames_next(&source->frames, &begin, &end);
    if (result < 0)
        return result;
    slot->job = (struct decoder_job){.fd = source->frames.fd,
                                     .items_begin = begin,
                                     .items_end = end,
                                     .image = &source->header.image,
                                     .pixels = slot->job.pixels,
                                     .frame_len = source->header.frame_len};
    decoder_begin(source->decoder, &slot->job);
    return 0;
}

/* Wait for the slot's frame: it is the current one then. */
static int finish_frame(struct pixel_source *source, struct slot *slot)
{
    int result = decoder_finish(source->decoder, &slot->job);
    const char *why = slot->job.text;
    char text[TEXT_SIZE];
    if (result == 0 && source->photometric[0] == '\0')
        memcpy(source->photometric, slot->job.photometric, sizeof source->photometric);
    if (result == 0 && strcmp(source->photometric, slot->job.photometric) != 0) {
        snprintf(text, sizeof text, "its colours are %s, those of the first frame %s", slot->job.photometric,
                 source->photometric);
        why = text;
        result = DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    if (result < 0 && source->header.frame_count > 1)
        snprintf(source->text, sizeof source->text, "frame %u of %u: %.250s", (unsigned)slot->frame + 1,
                 (unsigned)source->header.frame_count, why);
    else if (result < 0)
        snprintf(source->text, sizeof source->text, "%s", why);
    source->current = slot;
    return result;
}

/* The current frame was read, or there is none yet: go on to the next, and have the one behind it decoded. */
static int advance(struct pixel_source *source)
{
    struct slot *slot = source->ahead;
    int result = 0;
    if (slot == NULL) {
        slot = &source->slots[0];
        result = begin_frame(source, slot);
    }
    source->ahead = NULL;
    if (result == 0)
        result = finish_frame(source, slot);
    if (result == 0 && source->frames.next < source->frames.count) {
        struct slot *other = slot == &source->slots[0] ? &source->slots[1] : &source->slots[0];
        result = begin_frame(source, other);
        source->ahead = result == 0 ? other : NULL;
    }
    return result;
}

static void rewind_frames(struct pixel_source *source)
{
    if (source->ahead != NULL)
        decoder_cancel(source->decoder, &source->ahead->job);
    source->ahead = source->current = NULL;
    source->next_offset = 0;
    pixel_frames_rewind(&source->frames);
}

/* ---- reading ---- */

/* Up to `len` bytes at next_offset, of one frame or of the padding. Returns how many, or a negative error. */
static ssize_t read_some(struct pixel_source *source, uint8_t *to, size_t len)
{
    const size_t frame_len = source->header.frame_len;
    const uint64_t frame = source->next_offset / frame_len;
    const size_t at = (size_t)(source->next_offset % frame_len);
    if (frame == source->header.frame_count) {
        *to = 0; /* the byte that makes the length even */
        return 1;
    }
    if (source->current == NULL || source->current->frame != frame) {
        int result = advance(source);
        if (result < 0)
            return result;
    }
    if (len > frame_len - at)
        len = frame_len - at;
    memcpy(to, source->current->job.pixels + at, len);
    return (ssize_t)len;
}

static ssize_t read_pixels(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps, int gap_count)
{
    struct pixel_source *source = (struct pixel_source *)base;
    ssize_t total = 0;
    if (source->failed != 0)
        return source->failed;
    if (offset != source->next_offset && offset != 0)
        return -EINVAL;
    if (offset != source->next_offset)
        rewind_frames(source);
    for (int i = 0; i < gap_count; i++) {
        for (size_t done = 0; done < gaps[i].iov_len;) {
            ssize_t got = read_some(source, (uint8_t *)gaps[i].iov_base + done, gaps[i].iov_len - done);
            if (got < 0) {
                source->failed = (int)got;
                return got;
            }
            done += (size_t)got;
            source->next_offset += (uint64_t)got;
            total += got;
        }
    }
    return total;
}

/* ---- what else changes ---- */

static struct recode_patch *add_patch(struct pixel_source *source, uint16_t group, uint16_t element, const char *vr)
{
    struct recode_patch *patch = &source->patches[source->patch_count++];
    *patch = (struct recode_patch){.group = group, .element = element, .vr = {vr[0], vr[1]}};
    return patch;
}

static void patch_number(struct pixel_source *source, uint16_t element, uint16_t value)
{
    struct recode_patch *patch = add_patch(source, 0x0028, element, "US");
    patch->len = 2;
    set_u16_le(patch->value, value);
}

static void make_patches(struct pixel_source *source)
{
    const struct pixel_header *header = &source->header;
    if (strcmp(source->photometric, header->image.photometric) != 0) {
        struct recode_patch *patch = add_patch(source, 0x0028, 0x0004, "CS");
        size_t len = strlen(source->photometric);
        memcpy(patch->value, source->photometric, len);
        if (len % 2 != 0)
            patch->value[len++] = ' ';
        patch->len = (uint8_t)len;
    }
    if (header->image.samples > 1)
        patch_number(source, 0x0006, 0);
    if (header->widened)
        patch_number(source, 0x0100, header->image.bits_allocated);
    for (uint16_t element = 0x0001; element <= 0x0003; element++)
        add_patch(source, 0x7fe0, element, "OV")->drop = true;
}

/* ---- opening ---- */

static int open_pixels(struct pixel_source *source, const struct pixel_source_options *options)
{
    uint64_t data_end = options->data_offset + options->data_len;
    int result = pixel_header_read(&source->header, options->fd, options->data_offset, options->data_len,
                                   options->syntax_uid, source->text, sizeof source->text);
    if (result < 0 || !source->header.has_pixels)
        return result;
    result =
        pixel_frames_open(&source->frames, options->fd, data_end, &source->header, source->text, sizeof source->text);
    if (result < 0)
        return result;
    if (options->decoder == NULL) {
        snprintf(source->text, sizeof source->text, "its pixels are compressed, and nothing here decodes them");
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    source->pixels = (struct dicomnet_data_source){.len = source->header.pixels_len, .read = read_pixels};
    for (uint32_t i = 0; i < 2 && i < source->header.frame_count; i++) {
        source->slots[i].job.pixels = malloc(source->header.frame_len);
        if (source->slots[i].job.pixels == NULL)
            return -ENOMEM;
    }
    result = advance(source);
    if (result == 0)
        make_patches(source);
    return result;
}

int pixel_source_open(struct pixel_source **ret_source, const struct pixel_source_options *options, char *ret_text,
                      size_t size)
{
    struct pixel_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return -ENOMEM;
    source->decoder = options->decoder;
    int result = open_pixels(source, options);
    if (result == 0) {
        *ret_source = source;
        return 0;
    }
    snprintf(ret_text, size, "%s", source->text);
    pixel_source_close(source);
    return result;
}

struct dicomnet_data_source *pixel_source_pixels(struct pixel_source *source)
{
    return source->header.has_pixels ? &source->pixels : NULL;
}

const char *pixel_source_vr(const struct pixel_source *source)
{
    return source->header.image.bits_allocated > 8 ? "OW" : "OB";
}

const struct recode_patch *pixel_source_patches(const struct pixel_source *source, size_t *ret_count)
{
    *ret_count = source->patch_count;
    return source->patches;
}

const char *pixel_source_failure(const struct pixel_source *source)
{
    return source->text;
}

void pixel_source_close(struct pixel_source *source)
{
    if (source == NULL)
        return;
    if (source->ahead != NULL)
        decoder_cancel(source->decoder, &source->ahead->job);
    free(source->slots[0].job.pixels);
    free(source->slots[1].job.pixels);
    free(source);
}
