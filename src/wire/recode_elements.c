/*
 * recode_elements - goes through a data set, element by element, and says what goes out for each. See recode_private.h.
 *
 * It goes through it twice by the same code. The first time finds the lengths of sequences, items and groups that are
 * written with a length, and so the length of the whole; nothing is written. The second time they are known, and it
 * writes. No recursion: there is a frame for the data set, and one for each sequence and item that is open.
 */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/recode_private.h"

/* ---- why not ---- */

/* What it means that a header could not be read. */
static int fail_header(struct recode_elements *elements, const struct recode_header *header,
                       enum recode_header_result result)
{
    if (elements->input->error != 0)
        return elements->input->error;
    if (result == RECODE_HEADER_UNKNOWN_VR)
        return recode_fail_at(elements, header->tag, "its VR is none of the standard's");
    return recode_fail_at(elements, header->tag, "it ends behind what it is in");
}

/* Read the header of the next element of the data set or of an item. */
static enum recode_header_result read_element(struct recode_elements *elements, uint64_t limit,
                                              struct recode_header *ret_header)
{
    const struct recode_options *options = elements->options;
    enum syntax_form form = recode_top(elements)->from;
    enum recode_header_result result =
        recode_header_read(elements->input, form, elements->offset, limit, RECODE_LENGTH_UNKNOWN, ret_header);
    if (result != RECODE_HEADER_UNKNOWN_VR || ret_header->tag == 0 || options->guess == NULL)
        return result;
    const struct recode_place place = {
        .offset = elements->offset, .limit = limit, .form = form, .in_data_set = elements->depth == 1};
    enum recode_length length = options->guess(options->context, &place);
    return recode_header_read(elements->input, form, elements->offset, limit, length, ret_header);
}

/* ---- patches ---- */

static void put_patch(struct recode_elements *elements, struct recode_piece *piece, size_t number)
{
    const struct recode_patch *patch = &elements->options->patches[number];
    uint32_t tag = (uint32_t)patch->group << 16 | patch->element;
    enum syntax_form to = recode_top(elements)->to;
    recode_turn_to(elements, tag);
    recode_put_header(elements, piece, to, tag, patch->vr, patch->len);
    uint8_t *value = piece->bytes + piece->bytes_len;
    memcpy(value, patch->value, patch->len);
    if (to == SYNTAX_EXPLICIT_BE)
        recode_swap(value, patch->len, recode_vr_word(patch->vr));
    piece->bytes_len += patch->len;
    elements->out += patch->len;
}

/*
 * In front of the data set's element with this tag, or of its end: a patch that belongs there goes out. `ret_covered`:
 * the element itself is not to go out, as there is a patch of its tag.
 */
static bool put_next_patch(struct recode_elements *elements, struct recode_piece *piece, uint64_t tag,
                           bool *ret_covered)
{
    *ret_covered = false;
    for (size_t i = 0; i < elements->options->patch_count; i++) {
        const struct recode_patch *patch = &elements->options->patches[i];
        uint32_t patch_tag = (uint32_t)patch->group << 16 | patch->element;
        if (patch_tag == tag)
            *ret_covered = true;
        if (patch_tag > tag || (elements->patches_done >> i & 1) != 0)
            continue;
        elements->patches_done |= 1U << i;
        if (patch->drop)
            continue;
        put_patch(elements, piece, i);
        return true;
    }
    return false;
}

/* ---- elements ---- */

/* Note what VRs of later elements depend upon. */
static void note_context(struct recode_elements *elements, const struct recode_header *header)
{
    if (header->tag != RECODE_TAG_PIXEL_REPRESENTATION && header->tag != RECODE_TAG_WAVEFORM_BITS_ALLOCATED)
        return;
    const uint8_t *p =
        header->value_len >= 2 ? recode_input_peek(elements->input, elements->offset + header->header_len, 2) : NULL;
    if (p == NULL)
        return;
    struct recode_context *context = &recode_top(elements)->context;
    int value = header->form == SYNTAX_EXPLICIT_BE ? get_u16_be(p) : get_u16_le(p);
    if (header->tag == RECODE_TAG_PIXEL_REPRESENTATION)
        context->pixel_representation = value;
    else
        context->waveform_bits_allocated = value;
    if (elements->depth == 1)
        elements->context = *context;
}

/* True if the value begins with an item that fits. */
static bool begins_with_item(struct recode_elements *elements, const struct recode_header *header)
{
    const uint8_t *p =
        header->value_len >= 8 ? recode_input_peek(elements->input, elements->offset + header->header_len, 8) : NULL;
    if (p == NULL)
        return false;
    bool big = header->form == SYNTAX_EXPLICIT_BE;
    bool is_item = big ? get_u32_be(p) == RECODE_TAG_ITEM : get_u16_le(p) == 0xFFFE && get_u16_le(p + 2) == 0xE000;
    uint32_t len = big ? get_u32_be(p + 4) : get_u32_le(p + 4);
    return is_item && (len == RECODE_UNDEFINED || len <= header->value_len - 8);
}

/* A value that goes out as it is, but for the order of bytes in its words. */
static int put_element(struct recode_elements *elements, struct recode_piece *piece, const struct recode_header *header,
                       const char *vr)
{
    enum syntax_form to = recode_top(elements)->to;
    const char *vr_out = vr;
    if (header->value_len > UINT16_MAX - 1 && recode_vr_is_short(vr))
        vr_out = "UN"; /* PS3.5 6.2.2 note 5 */
    bool is_big = header->form == SYNTAX_EXPLICIT_BE && !recode_vr_is(vr, "UN");
    bool becomes_big = to == SYNTAX_EXPLICIT_BE && !recode_vr_is(vr_out, "UN");
    recode_put_header(elements, piece, to, header->tag, vr_out, header->value_len);
    recode_put_value(elements, piece, RECODE_VALUE_OF_INPUT, elements->offset + header->header_len, header->value_len,
                     is_big != becomes_big ? recode_vr_word(vr) : 1);
    elements->offset += header->header_len + (uint64_t)header->value_len;
    return 0;
}

/* (gggg,0000): it says how long the rest of the group is (PS3.5 7.2). Without room for one more it is left out. */
static int put_group_length(struct recode_elements *elements, struct recode_piece *piece,
                            const struct recode_header *header)
{
    struct recode_frame *frame = recode_top(elements);
    enum syntax_form to = frame->to;
    recode_end_group(elements, frame);
    elements->offset += header->header_len + (uint64_t)header->value_len;
    uint32_t number = recode_take_length(elements);
    if (number == RECODE_NO_LENGTH)
        return 0;
    recode_put_header(elements, piece, to, header->tag, "UL", 4);
    (to == SYNTAX_EXPLICIT_BE ? set_u32_be : set_u32_le)(piece->bytes + piece->bytes_len, elements->lengths[number]);
    piece->bytes_len += 4;
    elements->out += 4;
    frame->group_length = number;
    frame->group_begin = elements->out;
    return 0;
}

/* Pixel Data in fragments: they are stepped over, and the decoded pixels go out in their place. */
static int put_pixels(struct recode_elements *elements, struct recode_piece *piece, const struct recode_header *header)
{
    const struct recode_options *options = elements->options;
    if (!recode_is_muted(elements)) {
        if (header->tag != RECODE_TAG_PIXEL_DATA || elements->depth != 1 || options->pixels == NULL)
            return recode_fail_at(elements, header->tag,
                                  "it is encapsulated, and no decoded pixels are there to replace it");
        if (elements->pixels_given)
            return recode_fail_at(elements, header->tag, "it is there a second time");
        if (options->pixels->len > RECODE_VALUE_MAX)
            return recode_fail_at(elements, header->tag,
                                  "the decoded pixels are longer than a value can be (4 GiB - 2)");
        bool becomes_big = recode_top(elements)->to == SYNTAX_EXPLICIT_BE;
        recode_put_header(elements, piece, recode_top(elements)->to, header->tag, options->pixels_vr,
                          (uint32_t)options->pixels->len);
        recode_put_value(elements, piece, RECODE_VALUE_OF_PIXELS, 0, options->pixels->len,
                         becomes_big ? recode_vr_word(options->pixels_vr) : 1);
        elements->pixels_given = true;
        elements->muted = elements->depth;
    }
    const struct recode_frame fragments = {
        .kind = RECODE_FRAME_FRAGMENTS, .from = header->form, .end = RECODE_NO_END, .length = RECODE_NO_LENGTH};
    int error = recode_enter(elements, fragments, header->tag);
    elements->offset += header->header_len;
    return error;
}

static int put_sequence(struct recode_elements *elements, struct recode_piece *piece,
                        const struct recode_header *header)
{
    const struct recode_frame sequence = {.kind = RECODE_FRAME_SEQUENCE,
                                          .from = header->form,
                                          .to = recode_top(elements)->to,
                                          .guess_form = header->strange && header->form != SYNTAX_IMPLICIT_LE};
    return recode_put_container(elements, piece, header, "SQ", sequence);
}

/* An element of undefined length: a sequence, or encapsulated pixels. */
static int put_undefined(struct recode_elements *elements, struct recode_piece *piece,
                         const struct recode_header *header)
{
    bool is_pixels = header->tag >> 16 == 0x7FE0 && !recode_vr_is(header->vr, "SQ");
    bool is_bytes = recode_vr_is(header->vr, "OB") || recode_vr_is(header->vr, "OW");
    if (is_pixels || is_bytes)
        return put_pixels(elements, piece, header);
    if (recode_vr_is(header->vr, "UN")) {
        const struct recode_frame unknown = {
            .kind = RECODE_FRAME_SEQUENCE, .from = SYNTAX_IMPLICIT_LE, .to = SYNTAX_IMPLICIT_LE, .guess_form = true};
        return recode_put_container(elements, piece, header, "UN", unknown);
    }
    if (header->vr[0] != 0 && !recode_vr_is(header->vr, "SQ"))
        return recode_fail_at(elements, header->tag, "an undefined length, which its VR cannot have");
    return put_sequence(elements, piece, header);
}

/* An element of the data set or of an item. */
static int step_element(struct recode_elements *elements, struct recode_piece *piece,
                        const struct recode_header *header)
{
    const struct recode_frame *frame = recode_top(elements);
    enum syntax_form to = frame->to;
    note_context(elements, header);
    recode_turn_to(elements, header->tag);
    if (header->undefined)
        return put_undefined(elements, piece, header);
    /* In a value of VR UN, which stays in implicit VR. */
    if (header->form == SYNTAX_IMPLICIT_LE && to == SYNTAX_IMPLICIT_LE)
        return put_element(elements, piece, header, "UN");
    if ((header->tag & 0xFFFF) == 0 && header->value_len == 4)
        return put_group_length(elements, piece, header);
    const char *vr = header->vr[0] != 0 ? header->vr : recode_vr_find(header->tag, &frame->context);
    if (header->strange && header->form == SYNTAX_EXPLICIT_BE && recode_vr_is(vr, "UN") && header->value_len > 0)
        return recode_fail_at(elements, header->tag,
                              "its VR is none of the standard's, so that nobody knows how its bytes are ordered");
    if (!recode_vr_is(vr, "SQ") || header->value_len == 0)
        return put_element(elements, piece, header, vr);
    if (header->vr[0] == 0 && !begins_with_item(elements, header))
        return put_element(elements, piece, header, "UN");
    return put_sequence(elements, piece, header);
}

/* An element that does not go out. */
static int skip_element(struct recode_elements *elements, struct recode_piece *piece,
                        const struct recode_header *header)
{
    if (!header->undefined) {
        elements->offset += header->header_len + (uint64_t)header->value_len;
        return 0;
    }
    elements->muted = elements->depth;
    return put_undefined(elements, piece, header);
}

/* ---- steps ---- */

/* True if nothing but zeros follows, which are no elements. */
static bool only_zeros_follow(struct recode_elements *elements)
{
    const uint8_t *p;
    uint64_t offset = elements->offset;
    while ((p = recode_input_peek(elements->input, offset, 1)) != NULL && *p == 0)
        offset++;
    return p == NULL && elements->input->error == 0;
}

/* At the data set's end: what is to be added comes, then nothing. */
static int step_end(struct recode_elements *elements, struct recode_piece *piece)
{
    bool covered;
    if (elements->input->error != 0)
        return elements->input->error;
    if (elements->offset > elements->input->size)
        return recode_fail_at(elements, 0, "the last element ends behind the end of the data set");
    if (put_next_patch(elements, piece, UINT64_MAX, &covered))
        return 0;
    recode_end_group(elements, recode_top(elements));
    if (elements->options->pixels != NULL && !elements->pixels_given)
        return recode_fail_at(elements, RECODE_TAG_PIXEL_DATA, "there is no encapsulated Pixel Data that was decoded");
    elements->ended = true;
    elements->length_count_all = elements->counting ? elements->length_count : elements->length_count_all;
    return 0;
}

static int step_data_set(struct recode_elements *elements, struct recode_piece *piece)
{
    if (recode_input_peek(elements->input, elements->offset, 1) == NULL)
        return step_end(elements, piece);
    struct recode_header header;
    enum recode_header_result result = read_element(elements, elements->input->size, &header);
    bool is_fill = header.tag == 0 && elements->offset > 0;
    if ((is_fill || result == RECODE_HEADER_CUT) && only_zeros_follow(elements))
        return step_end(elements, piece);
    if (is_fill && result != RECODE_HEADER_CUT)
        return recode_fail_at(elements, header.tag, "zeros where an element belongs");
    if (result != RECODE_HEADER_READ)
        return fail_header(elements, &header, result);
    if (header.tag >> 16 == 0xFFFE)
        return recode_fail_at(elements, header.tag, "a stray item or delimiter");
    bool covered;
    if (put_next_patch(elements, piece, header.tag, &covered))
        return 0;
    return covered ? skip_element(elements, piece, &header) : step_element(elements, piece, &header);
}

/* True if a delimiter belongs here; or, in what has a length, stands needlessly where that ends. */
static bool may_end(struct recode_elements *elements, const struct recode_header *header)
{
    uint64_t end = recode_top(elements)->end;
    return end == RECODE_NO_END || elements->offset + header->header_len == end;
}

/* The delimiter of what is on top. Whatever its length says, nothing is in it. */
static int end_here(struct recode_elements *elements, struct recode_piece *piece, const struct recode_header *header)
{
    elements->offset += header->header_len;
    recode_leave(elements, piece);
    return 0;
}

static int step_item_elements(struct recode_elements *elements, struct recode_piece *piece)
{
    const struct recode_frame *frame = recode_top(elements);
    struct recode_header header;
    enum recode_header_result result = read_element(elements, frame->limit, &header);
    if (result != RECODE_HEADER_READ)
        return fail_header(elements, &header, result);
    if (header.tag == RECODE_TAG_ITEM_END && may_end(elements, &header))
        return end_here(elements, piece, &header);
    if (header.tag >> 16 == 0xFFFE)
        return recode_fail_at(elements, header.tag, "an item or delimiter where an element belongs");
    return step_element(elements, piece, &header);
}

/* The form of the next item in a value of VR UN: implicit, unless its first element has a VR. */
static enum syntax_form guess_form(struct recode_elements *elements)
{
    const uint8_t *p = recode_input_peek(elements->input, elements->offset, 16);
    if (p == NULL)
        p = recode_input_peek(elements->input, elements->offset, 8);
    else if (recode_vr_is_known((const char *)p + 12))
        return get_u16_be(p) == 0xFFFE ? SYNTAX_EXPLICIT_BE : SYNTAX_EXPLICIT_LE;
    return p != NULL && get_u16_be(p) == 0xFFFE ? SYNTAX_EXPLICIT_BE : SYNTAX_IMPLICIT_LE;
}

/* Inside a sequence or among fragments: an item, or the end. */
static int step_item(struct recode_elements *elements, struct recode_piece *piece)
{
    const struct recode_frame *frame = recode_top(elements);
    enum syntax_form from = frame->guess_form ? guess_form(elements) : frame->from;
    struct recode_header header;
    enum recode_header_result result =
        recode_header_read(elements->input, from, elements->offset, frame->limit, RECODE_LENGTH_UNKNOWN, &header);
    if (result != RECODE_HEADER_READ && (header.tag == 0 || header.tag >> 16 == 0xFFFE))
        return fail_header(elements, &header, result);
    if (header.tag == RECODE_TAG_SEQUENCE_END && may_end(elements, &header))
        return end_here(elements, piece, &header);
    if (header.tag != RECODE_TAG_ITEM)
        return recode_fail_at(elements, header.tag, "what is in a sequence is no item");
    if (frame->kind == RECODE_FRAME_SEQUENCE)
        return recode_put_container(
            elements, piece, &header, RECODE_NO_VR,
            (struct recode_frame){.kind = RECODE_FRAME_ELEMENTS, .from = from, .to = frame->to});
    if (header.undefined)
        return recode_fail_at(elements, header.tag, "a fragment of Pixel Data has an undefined length");
    elements->offset += header.header_len + (uint64_t)header.value_len;
    return 0;
}

static int step(struct recode_elements *elements, struct recode_piece *piece)
{
    const struct recode_frame *frame = recode_top(elements);
    if (frame->end != RECODE_NO_END && elements->offset == frame->end) {
        recode_leave(elements, piece);
        return 0;
    }
    if (frame->kind != RECODE_FRAME_ELEMENTS)
        return step_item(elements, piece);
    return elements->depth == 1 ? step_data_set(elements, piece) : step_item_elements(elements, piece);
}

void recode_elements_begin(struct recode_elements *elements, bool counting)
{
    static const struct recode_context unknown = {.pixel_representation = -1, .waveform_bits_allocated = -1};
    if (counting)
        elements->context = unknown;
    elements->counting = counting;
    elements->offset = elements->out = 0;
    elements->ended = elements->pixels_given = false;
    elements->patches_done = 0;
    elements->muted = 0;
    elements->length_count = 0;
    elements->depth = 1;
    elements->frames[0] = (struct recode_frame){.kind = RECODE_FRAME_ELEMENTS,
                                                .from = elements->options->from.form,
                                                .to = elements->options->to.form,
                                                .end = RECODE_NO_END,
                                                .limit = RECODE_NO_END,
                                                .length = RECODE_NO_LENGTH,
                                                .group_length = RECODE_NO_LENGTH,
                                                .context = elements->context};
}

int recode_elements_next(struct recode_elements *elements, struct recode_piece *ret_piece)
{
    ret_piece->bytes_len = 0;
    ret_piece->value = RECODE_VALUE_NONE;
    ret_piece->value_len = 0;
    while (!elements->ended) {
        int error = step(elements, ret_piece);
        if (error < 0)
            return error;
        if (ret_piece->bytes_len > 0 || ret_piece->value_len > 0)
            return 1;
    }
    return 0;
}
