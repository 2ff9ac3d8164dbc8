/* walk - see walk.h. */
#include "files/walk.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "files/vr_guess.h"
#include "wire/vr.h"

enum {
    GROUP_DELIMITER = 0xfffe,
    ELEMENT_ITEM = 0xe000,
    ELEMENT_ITEM_END = 0xe00d,
    ELEMENT_SEQUENCE_END = 0xe0dd,
    GROUP_PIXEL_DATA = 0x7fe0,
    SHORT_HEADER_LEN = 8,
    LONG_HEADER_LEN = 12,
    PLAIN_ROOM = LONG_HEADER_LEN /* a header; in implicit VR, a short one and the tag of an item behind it */
};
static const uint32_t LENGTH_UNDEFINED = 0xffffffff;
static const uint64_t NO_END = UINT64_MAX;

/* What the walk is inside of. A sequence holds items, an item holds elements, fragments hold items that hold bytes. */
enum frame_kind { FRAME_ELEMENTS, FRAME_SEQUENCE, FRAME_FRAGMENTS };

struct frame {
    enum frame_kind kind;
    enum syntax_form form;
    bool guess_form; /* of a sequence: each item's form is guessed from its first element */
    uint64_t end;    /* NO_END if of undefined length: a delimiter ends it */
    uint64_t limit;  /* the nearest known end: its own, or that of what it is in */
};

/* The data set, and a sequence with an item for each level; the deepest sequence may hold fragments. */
enum { FRAMES_MAX = 1 + 2 * WALK_DEPTH_MAX + 1 };

struct walker {
    struct walk *walk;
    struct window *window;
    uint64_t offset;
    size_t depth;         /* frames in use; frames[0] is the data set */
    bool first;           /* no element of the data set was read yet */
    bool pixel_data_seen; /* the data set's (7FE0,xxxx): what does not parse behind it is trailing */
    uint64_t told;        /* a bit for each tag that the visitor is told of, see tag_bit: others may share it */
    struct vr_guess guess;
    struct frame frames[FRAMES_MAX];
};

static struct frame *top_of(struct walker *walker)
{
    return &walker->frames[walker->depth - 1];
}

static enum walk_result fail(struct walker *walker, enum walk_result result, const char *detail)
{
    walker->walk->detail = detail;
    return result;
}

/* The header of an element whose VR is none of the standard's, if it is one: zeros behind the last element are not. */
static enum walk_result guess_element(struct walker *walker, enum syntax_form form, uint64_t limit,
                                      struct walk_element *element)
{
    const struct vr_place place = {.form = form,
                                   .offset = walker->offset,
                                   .in_data_set = walker->depth == 1,
                                   .limit = limit,
                                   .first = walker->first};
    bool is_fill = element->group == 0 && element->element == 0 && !walker->first;
    enum walk_result result =
        is_fill ? WALK_UNKNOWN_VR : vr_guess_read(&walker->guess, walker->window, &place, element);
    if (element->length != WALK_LENGTH_BY_VR)
        walker->walk->unknown_vr = true;
    return result;
}

/* The header of the next element of the data set or of an item, whatever its VR. */
static enum walk_result read_element(struct walker *walker, struct walk_element *ret_element)
{
    const struct frame *frame = top_of(walker);
    enum syntax_form form = frame->form;
    uint64_t limit = walker->depth == 1 ? walker->window->size : frame->limit;
    enum walk_result result =
        walk_read_header(walker->window, form, walker->offset, limit, WALK_LENGTH_BY_VR, walker->first, ret_element);
    if (result == WALK_UNKNOWN_VR)
        result = guess_element(walker, form, limit, ret_element);
    ret_element->depth = (unsigned)walker->depth / 2;
    return result;
}

/* Enter a value of `len` bytes at the walk's offset, or of undefined length. */
static enum walk_result enter(struct walker *walker, struct frame frame, bool undefined, uint32_t len)
{
    const struct frame *outer = top_of(walker);
    frame.end = undefined ? NO_END : walker->offset + len;
    frame.limit = undefined ? outer->limit : frame.end;
    if (frame.kind == FRAME_SEQUENCE && walker->depth / 2 >= WALK_DEPTH_MAX)
        return WALK_NESTING;
    walker->frames[walker->depth++] = frame;
    return WALK_COMPLETE;
}

/* True if a value of VR UN, or without a VR, looks like a sequence: an item that fits comes first. */
static bool looks_like_sequence(struct walker *walker, const struct walk_element *element, uint64_t value_offset)
{
    if (element->value_len < SHORT_HEADER_LEN || element->group == GROUP_PIXEL_DATA)
        return false;
    const uint8_t *p = window_peek(walker->window, value_offset, SHORT_HEADER_LEN);
    if (p == NULL || get_u16_le(p) != GROUP_DELIMITER || get_u16_le(p + 2) != ELEMENT_ITEM)
        return false;
    uint32_t len = get_u32_le(p + 4);
    return len == LENGTH_UNDEFINED || len <= element->value_len - SHORT_HEADER_LEN;
}

/* What is wrong with an undefined length (PS3.5 7.1.2 and A.4), or NULL. Peers do not get over it. */
static const char *find_length_problem(const struct walk_element *element, bool is_pixel_data, bool is_value)
{
    bool is_unknown = element->vr[0] == 'U' && element->vr[1] == 'N';
    bool is_bytes = element->vr[0] == 'O' && (element->vr[1] == 'B' || element->vr[1] == 'W');
    if (is_pixel_data && is_unknown)
        return "Pixel Data is of VR UN and undefined length, which is no encapsulated one";
    return is_value && !is_bytes ? "an undefined length, which its VR cannot have" : NULL;
}

/* An element of a data set or item: step over it, or into it. */
static enum walk_result step_element(struct walker *walker, const struct walk_element *element)
{
    walker->offset += element->header_len;
    bool is_sequence = element->vr[0] == 'S' && element->vr[1] == 'Q';
    bool is_unknown = (element->vr[0] == 'U' && element->vr[1] == 'N') || element->length == WALK_LENGTH_32;
    bool has_vr = element->vr[0] != 0 && element->length == WALK_LENGTH_BY_VR;
    if (!element->undefined && has_vr && !is_sequence && !is_unknown) { /* nearly always */
        walker->offset += element->value_len;
        return WALK_COMPLETE;
    }
    if (element->undefined) {
        bool is_pixel_data = element->group == GROUP_PIXEL_DATA && !is_sequence;
        if (is_pixel_data && !walker->walk->encapsulated) {
            walker->walk->encapsulated = true;
            walker->walk->encapsulated_offset = walker->offset - element->header_len;
        }
        const char *problem = find_length_problem(element, is_pixel_data, has_vr && !is_sequence && !is_unknown);
        if (problem != NULL) {
            walker->offset -= element->header_len;
            return fail(walker, WALK_MISMATCH, problem);
        }
        bool is_fragments = is_pixel_data || (has_vr && !is_sequence && !is_unknown);
        struct frame frame = {.kind = is_fragments ? FRAME_FRAGMENTS : FRAME_SEQUENCE,
                              .form = element->form,
                              .guess_form = is_unknown && !is_fragments};
        return enter(walker, frame, true, 0);
    }
    bool maybe_sequence = is_unknown || !has_vr;
    if (is_sequence || (maybe_sequence && looks_like_sequence(walker, element, walker->offset))) {
        struct frame frame = {.kind = FRAME_SEQUENCE, .form = element->form, .guess_form = is_unknown};
        return enter(walker, frame, false, element->value_len);
    }
    walker->offset += element->value_len;
    return WALK_COMPLETE;
}

/* The form of the next item in a value of VR UN: implicit, unless its first element has a VR. */
static enum syntax_form guess_item_form(struct walker *walker, uint64_t offset, enum syntax_form outer)
{
    const uint8_t *p = window_peek(walker->window, offset, SHORT_HEADER_LEN);
    bool big = p != NULL && get_u16_be(p) == GROUP_DELIMITER;
    p = window_peek(walker->window, offset, 2 * SHORT_HEADER_LEN);
    if (p != NULL && walk_is_vr(p + SHORT_HEADER_LEN + 4))
        return big ? SYNTAX_EXPLICIT_BE : SYNTAX_EXPLICIT_LE;
    return big ? outer : SYNTAX_IMPLICIT_LE;
}

/* What follows the items of a sequence is neither an item nor the sequence's end. */
static enum walk_result judge_item(struct walker *walker, const struct walk_element *item)
{
    const struct frame *frame = top_of(walker);
    bool fragments = frame->kind == FRAME_FRAGMENTS;
    if (item->group == GROUP_DELIMITER && item->element == ELEMENT_ITEM_END)
        return fail(walker, WALK_DELIMITER,
                    fragments ? "an item delimiter among the fragments of Pixel Data"
                              : "an item delimiter where a sequence delimiter belongs");
    if (item->group == GROUP_DELIMITER && item->element == ELEMENT_SEQUENCE_END)
        return fail(walker, WALK_DELIMITER, "a sequence delimiter in a sequence of defined length");
    /* An element: the sequence has ended without saying so. */
    struct walk_element element;
    bool is_element = walk_read_header(walker->window, frame->form, walker->offset, frame->limit, WALK_LENGTH_BY_VR,
                                       false, &element) == WALK_COMPLETE;
    if (frame->end == NO_END && item->group != GROUP_DELIMITER && is_element)
        return fail(walker, WALK_DELIMITER,
                    fragments ? "no sequence delimiter behind the fragments of Pixel Data"
                              : "no sequence delimiter behind the items of a sequence");
    return fail(walker, WALK_MISMATCH,
                fragments ? "the fragments of Pixel Data are no items" : "what is in a sequence is no item");
}

/* Inside a sequence or among fragments: an item, or the end. */
static enum walk_result step_item(struct walker *walker)
{
    struct frame *frame = top_of(walker);
    enum syntax_form form = frame->guess_form ? guess_item_form(walker, walker->offset, frame->form) : frame->form;
    struct walk_element item;
    enum walk_result result =
        walk_read_header(walker->window, form, walker->offset, frame->limit, WALK_LENGTH_16, false, &item);
    if (result != WALK_COMPLETE && (result != WALK_TRUNCATED || item.header_len == 0 || item.group == GROUP_DELIMITER))
        return result;
    if (item.group == GROUP_DELIMITER && item.element == ELEMENT_SEQUENCE_END && frame->end == NO_END) {
        walker->offset += item.header_len;
        walker->depth--;
        return WALK_COMPLETE;
    }
    if (item.group != GROUP_DELIMITER || item.element != ELEMENT_ITEM)
        return judge_item(walker, &item);
    if (frame->kind == FRAME_FRAGMENTS && item.undefined)
        return fail(walker, WALK_MISMATCH, "a fragment of Pixel Data has an undefined length");
    walker->offset += item.header_len;
    if (frame->kind == FRAME_FRAGMENTS) {
        walker->offset += item.value_len;
        return WALK_COMPLETE;
    }
    return enter(walker, (struct frame){.kind = FRAME_ELEMENTS, .form = form}, item.undefined, item.value_len);
}

/* True if nothing but zeros follows, and at least one. */
static bool only_zeros_follow(struct walker *walker)
{
    const uint8_t *p;
    uint64_t offset = walker->offset;
    while ((p = window_peek(walker->window, offset, 1)) != NULL && *p == 0)
        offset++;
    return p == NULL && offset > walker->offset && window_ends_at(walker->window, offset);
}

/* What it means that the data set's next element cannot be read. */
static enum walk_result judge_end(struct walker *walker, enum walk_result result)
{
    if (result != WALK_TRUNCATED && result != WALK_MISMATCH)
        return result;
    if (!walker->first && only_zeros_follow(walker)) {
        walker->walk->zero_tail = true;
        return WALK_COMPLETE;
    }
    if (walker->pixel_data_seen && result == WALK_MISMATCH)
        return WALK_TRAILING;
    uint64_t left = walker->window->size - walker->offset;
    return left < SHORT_HEADER_LEN && walker->pixel_data_seen ? WALK_TRAILING : result;
}

/* Bytes of 00 or FF where an element belongs. */
static enum walk_result judge_fill(struct walker *walker)
{
    enum walk_result result = judge_end(walker, WALK_MISMATCH);
    return result == WALK_MISMATCH ? WALK_TRAILING : result;
}

/* A delimiter or an item where an element belongs. */
static enum walk_result step_delimiter(struct walker *walker, const struct walk_element *element)
{
    const struct frame *frame = top_of(walker);
    bool in_item = walker->depth > 1;
    if (in_item && element->element == ELEMENT_ITEM_END && frame->end == NO_END) {
        walker->offset += element->header_len;
        walker->depth--;
        return WALK_COMPLETE;
    }
    if (element->element == ELEMENT_SEQUENCE_END)
        return fail(walker, WALK_DELIMITER,
                    in_item ? "a sequence delimiter where an item delimiter belongs"
                            : "a stray sequence delimiter: no sequence is open where it stands");
    if (element->element == ELEMENT_ITEM_END)
        return fail(walker, WALK_DELIMITER,
                    in_item ? "an item delimiter in an item of defined length"
                            : "a stray item delimiter: no item is open where it stands");
    if (element->element == ELEMENT_ITEM)
        return fail(walker, WALK_DELIMITER,
                    in_item ? "no item delimiter before the next item"
                            : "a stray item: no sequence is open where it stands");
    return WALK_MISMATCH;
}

/* The bit of walker->told that a tag has, 0 to 63. Tags share bits, so one that is set may mean another tag. */
static unsigned tag_bit(uint16_t group, uint16_t element)
{
    return (group ^ element) & 63;
}

/* Tell the visitor of an element, if it wants to know. */
static void tell(const struct walker *walker, const struct walk_element *element, uint64_t offset)
{
    const struct walk *walk = walker->walk;
    uint32_t tag = (uint32_t)element->group << 16 | element->element;
    bool told = walk->tags == NULL;
    if (walker->depth > 1 && !walk->deep)
        return;
    for (size_t i = 0; i < walk->tag_count && !told; i++)
        told = walk->tags[i] == tag;
    if (told)
        walk->visit(walk->context, element, offset);
}

/*
 * The length, header and value, of the element at `p`, where PLAIN_ROOM bytes are, if nothing about it needs a second
 * look: its length is defined, it holds no other elements, its group is below Pixel Data's, and its VR, if it has one,
 * is of the standard. Else 0.
 */
static inline uint64_t plain_len(const uint8_t *p, bool has_vr)
{
    uint16_t group = get_u16_le(p);
    if (group == 0 || group >= GROUP_PIXEL_DATA)
        return 0;
    const struct vr_info *vr = has_vr ? vr_find((const char *)p + 4) : NULL;
    if (has_vr && (vr == NULL || vr->nested))
        return 0;
    if (has_vr && !vr->long_length)
        return SHORT_HEADER_LEN + (uint64_t)get_u16_le(p + 6);
    uint32_t value_len = get_u32_le(has_vr ? p + 8 : p + 4);
    if (value_len == LENGTH_UNDEFINED)
        return 0;
    if (has_vr)
        return LONG_HEADER_LEN + (uint64_t)value_len;
    bool may_hold_items = value_len >= SHORT_HEADER_LEN && get_u16_le(p + SHORT_HEADER_LEN) == GROUP_DELIMITER;
    return may_hold_items ? 0 : SHORT_HEADER_LEN + (uint64_t)value_len;
}

/*
 * Step over the plain elements that come next, little endian, as far as they end inside the data set or item, their
 * headers are in the window, and nobody is to be told of them: nearly all elements are such. The first that is not is
 * for step_elements, which would do the same with these. True if there was any.
 */
static bool step_plain(struct walker *walker)
{
    const struct window *window = walker->window;
    const struct frame *frame = top_of(walker);
    uint64_t limit = walker->depth == 1 ? window->size : frame->limit, told = walker->told;
    if (walker->offset < window->offset || walker->offset > limit)
        return false;
    uint64_t at = walker->offset - window->offset, left = limit - walker->offset, end = window->len;
    bool has_vr = frame->form == SYNTAX_EXPLICIT_LE;
    size_t elements = 0;
    while (at + PLAIN_ROOM <= end) {
        const uint8_t *p = window->buffer + at;
        uint64_t len = plain_len(p, has_vr);
        if (len == 0 || len > left || (told >> tag_bit(get_u16_le(p), get_u16_le(p + 2)) & 1) != 0)
            break;
        elements++;
        left -= len;
        at += len;
    }
    walker->offset = window->offset + at;
    walker->walk->elements += walker->depth == 1 ? elements : 0;
    return elements > 0;
}

/* Inside the data set or an item: an element, or the end of the item. */
static enum walk_result step_elements(struct walker *walker)
{
    bool outermost = walker->depth == 1;
    struct walk_element element;
    enum walk_result result = read_element(walker, &element);
    if (result != WALK_COMPLETE || element.group == 0 || element.group == 0xffff) {
        /* Zero bytes read as elements (0000,0000) without end, ones as (FFFF,FFFF) of undefined length. */
        bool is_read = result == WALK_UNKNOWN_VR || result == WALK_MISMATCH || element.header_len > 0;
        bool is_fill = element.element == element.group && (element.group == 0 || element.group == 0xffff);
        if (outermost && is_read && is_fill && !walker->first)
            return judge_fill(walker);
        if (result == WALK_UNKNOWN_VR)
            result = WALK_MISMATCH;
        if (result != WALK_COMPLETE)
            return outermost ? judge_end(walker, result) : result;
    }
    if (element.group == GROUP_DELIMITER)
        return step_delimiter(walker, &element);
    if (outermost) {
        walker->first = false;
        walker->pixel_data_seen |= element.group == GROUP_PIXEL_DATA;
        walker->walk->elements++;
    }
    if ((walker->told >> tag_bit(element.group, element.element) & 1) != 0)
        tell(walker, &element, walker->offset);
    return step_element(walker, &element);
}

/* What is inside a value of known length does not parse: go on behind it. False if there is no such value. */
static bool recover(struct walker *walker)
{
    while (walker->depth > 1) {
        uint64_t end = top_of(walker)->end;
        walker->depth--;
        if (end != NO_END) {
            assert(end >= walker->offset); /* nothing that was entered ends behind what it is in */
            walker->offset = end;
            walker->walk->detail = NULL;
            return true;
        }
    }
    return false;
}

/* The bits of all tags that the visitor is told of. */
static uint64_t told_bits(const struct walk *walk)
{
    uint64_t bits = 0;
    if (walk->visit == NULL || walk->tags == NULL)
        return walk->visit == NULL ? 0 : UINT64_MAX;
    for (size_t i = 0; i < walk->tag_count; i++)
        bits |= (uint64_t)1 << tag_bit((uint16_t)(walk->tags[i] >> 16), (uint16_t)walk->tags[i]);
    return bits;
}

enum walk_result walk_run(struct walk *walk, enum syntax_form form)
{
    struct walker walker; /* the frames are set when they are entered: 4 KB that need no clearing for each file */
    walker.walk = walk;
    walker.window = walk->window;
    walker.offset = walk->offset;
    walker.depth = 1;
    walker.first = true;
    walker.pixel_data_seen = false;
    walker.told = told_bits(walk);
    walker.guess = (struct vr_guess){0};
    walker.frames[0] = (struct frame){.kind = FRAME_ELEMENTS, .form = form, .end = NO_END, .limit = walk->window->size};
    walk->detail = NULL;
    walk->elements = 0;
    walk->unknown_vr = walk->zero_tail = walk->encapsulated = false;
    enum walk_result result = WALK_COMPLETE;
    bool is_open = false;
    for (;;) {
        struct frame *frame = top_of(&walker);
        if (frame->end != NO_END && walker.offset == frame->end) {
            walker.depth--;
            continue;
        }
        if (frame->kind == FRAME_ELEMENTS && frame->form != SYNTAX_EXPLICIT_BE && !walker.first && step_plain(&walker))
            result = WALK_COMPLETE;
        if (frame->end != NO_END && walker.offset == frame->end)
            continue;
        if (walker.depth == 1 && (walk->zero_tail || window_ends_at(walk->window, walker.offset)))
            break;
        result = frame->kind == FRAME_ELEMENTS ? step_elements(&walker) : step_item(&walker);
        if (result == WALK_COMPLETE)
            continue;
        is_open = walker.depth > 1 && frame->end == NO_END;
        bool in_value = result == WALK_MISMATCH || result == WALK_TRUNCATED || result == WALK_DELIMITER;
        if (!in_value || !recover(&walker))
            break;
    }
    if (result == WALK_TRUNCATED && is_open && window_ends_at(walk->window, walker.offset))
        walk->detail = "a delimiter is missing at its end";
    walk->offset = walker.offset;
    return result;
}
