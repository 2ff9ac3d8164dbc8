/*
 * recode_frames - what the way through a data set is inside of, and what goes out of it. See recode_private.h.
 */
#include <assert.h>
#include <string.h>

#include "wire/recode_private.h"

int recode_fail_at(struct recode_elements *elements, uint32_t tag, const char *what)
{
    text_clear(elements->failure);
    text_printf(elements->failure, "(%04X,%04X) at byte %llu of the data set: %s", tag >> 16, tag & 0xFFFF,
                (unsigned long long)elements->offset, what);
    return DICOMNET_ERROR_SOURCE_UNDECODABLE;
}

/* ---- lengths ---- */

uint32_t recode_take_length(struct recode_elements *elements)
{
    if (recode_is_muted(elements) || elements->length_count == RECODE_LENGTHS_MAX)
        return RECODE_NO_LENGTH;
    uint32_t number = elements->length_count++;
    if (elements->counting)
        elements->lengths[number] = 0;
    else if (number >= elements->length_count_all) /* the input is not what it was */
        return RECODE_NO_LENGTH;
    return number;
}

void recode_end_group(struct recode_elements *elements, struct recode_frame *frame)
{
    if (frame->group_length != RECODE_NO_LENGTH && elements->counting) {
        uint64_t len = elements->out - frame->group_begin;
        elements->lengths[frame->group_length] = len < RECODE_UNDEFINED ? (uint32_t)len : RECODE_UNDEFINED;
    }
    frame->group_length = RECODE_NO_LENGTH;
}

/* ---- pieces ---- */

void recode_put_header(struct recode_elements *elements, struct recode_piece *piece, enum syntax_form form,
                       uint32_t tag, const char vr[2], uint32_t value_len)
{
    if (recode_is_muted(elements))
        return;
    size_t len = recode_header_write(piece->bytes + piece->bytes_len, form, tag, vr, value_len);
    piece->bytes_len += len;
    elements->out += len;
}

void recode_put_value(struct recode_elements *elements, struct recode_piece *piece, enum recode_value value,
                      uint64_t offset, uint64_t len, unsigned word)
{
    if (recode_is_muted(elements) || len == 0)
        return;
    piece->value = value;
    piece->value_offset = offset;
    piece->value_len = len;
    piece->word = word;
    elements->out += len;
}

void recode_turn_to(struct recode_elements *elements, uint32_t tag)
{
    struct recode_frame *frame = recode_top(elements);
    uint16_t group = (uint16_t)(tag >> 16);
    if (frame->group == group || recode_is_muted(elements))
        return;
    recode_end_group(elements, frame);
    frame->group = group;
}

/* ---- into and out of what holds something ---- */

int recode_enter(struct recode_elements *elements, struct recode_frame frame, uint32_t tag)
{
    const struct recode_frame *outer = recode_top(elements);
    if (frame.kind == RECODE_FRAME_SEQUENCE && elements->depth / 2 >= RECODE_DEPTH_MAX)
        return recode_fail_at(elements, tag, "sequences are nested deeper than 64");
    assert(elements->depth < RECODE_FRAMES_MAX);
    frame.limit = frame.end == RECODE_NO_END ? outer->limit : frame.end;
    frame.out_begin = elements->out;
    frame.group = 0;
    frame.group_length = RECODE_NO_LENGTH;
    frame.context = outer->context;
    frame.context.waveform_bits_allocated = -1;
    elements->frames[elements->depth++] = frame;
    return 0;
}

void recode_leave(struct recode_elements *elements, struct recode_piece *piece)
{
    struct recode_frame *frame = recode_top(elements);
    recode_end_group(elements, frame);
    uint64_t len = elements->out - frame->out_begin;
    if (elements->counting && frame->length != RECODE_NO_LENGTH) {
        frame->delimited = len > RECODE_VALUE_MAX;
        elements->lengths[frame->length] = frame->delimited ? RECODE_UNDEFINED : (uint32_t)len;
    }
    bool is_item = frame->kind == RECODE_FRAME_ELEMENTS;
    if (frame->delimited)
        recode_put_header(elements, piece, frame->to, is_item ? RECODE_TAG_ITEM_END : RECODE_TAG_SEQUENCE_END,
                          RECODE_NO_VR, 0);
    elements->depth--;
    if (elements->muted == elements->depth)
        elements->muted = 0;
}

int recode_put_container(struct recode_elements *elements, struct recode_piece *piece,
                         const struct recode_header *header, const char vr[2], struct recode_frame frame)
{
    frame.end = header->undefined ? RECODE_NO_END : elements->offset + header->header_len + (uint64_t)header->value_len;
    frame.length = header->undefined ? RECODE_NO_LENGTH : recode_take_length(elements);
    uint32_t len = frame.length != RECODE_NO_LENGTH ? elements->lengths[frame.length] : RECODE_UNDEFINED;
    frame.delimited = len == RECODE_UNDEFINED;
    recode_put_header(elements, piece, recode_top(elements)->to, header->tag, vr, len);
    int error = recode_enter(elements, frame, header->tag);
    elements->offset += header->header_len;
    return error;
}
