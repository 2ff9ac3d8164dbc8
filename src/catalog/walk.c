/* walk - see walk.h. */
#include "catalog/walk.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    GROUP_DELIMITER = 0xfffe,
    ELEMENT_ITEM = 0xe000,
    ELEMENT_ITEM_END = 0xe00d,
    ELEMENT_SEQUENCE_END = 0xe0dd,
    GROUP_PIXEL_DATA = 0x7fe0,
    SHORT_HEADER_LEN = 8,
    LONG_HEADER_LEN = 12
};
static const uint32_t LENGTH_UNDEFINED = 0xffffffff;
static const uint64_t NO_END = UINT64_MAX;

/* What the walk is inside of. A sequence holds items, an item holds elements, fragments hold items that hold bytes. */
enum frame_kind { FRAME_ELEMENTS, FRAME_SEQUENCE, FRAME_FRAGMENTS };

struct frame {
    enum frame_kind kind;
    enum walk_form form;
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
    struct frame frames[FRAMES_MAX];
};

#define VR(a, b) ((a) << 8 | (b))

/* clang-format off */

/* Bytes of the length field of a VR (PS3.5 7.1.2), or 0 if it is none of the standard's. */
static unsigned vr_length_size(const uint8_t letters[2])
{
    switch (VR(letters[0], letters[1])) {
    case VR('O', 'B'): case VR('O', 'D'): case VR('O', 'F'): case VR('O', 'L'): case VR('O', 'V'): case VR('O', 'W'):
    case VR('S', 'Q'): case VR('S', 'V'): case VR('U', 'C'): case VR('U', 'N'): case VR('U', 'R'): case VR('U', 'T'):
    case VR('U', 'V'):
        return 4;
    case VR('A', 'E'): case VR('A', 'S'): case VR('A', 'T'): case VR('C', 'S'): case VR('D', 'A'): case VR('D', 'S'):
    case VR('D', 'T'): case VR('F', 'D'): case VR('F', 'L'): case VR('I', 'S'): case VR('L', 'O'): case VR('L', 'T'):
    case VR('P', 'N'): case VR('S', 'H'): case VR('S', 'L'): case VR('S', 'S'): case VR('S', 'T'): case VR('T', 'M'):
    case VR('U', 'I'): case VR('U', 'L'): case VR('U', 'S'):
        return 2;
    default:
        return 0;
    }
}
/* clang-format on */

bool walk_is_vr(const uint8_t letters[2])
{
    return vr_length_size(letters) != 0;
}

static bool is_capital(uint8_t letter)
{
    return letter >= 'A' && letter <= 'Z';
}

/* Why the window has no bytes there. */
static enum walk_result why_missing(const struct window *window)
{
    if (window->error != 0)
        return WALK_UNREADABLE;
    if (window->broken)
        return WALK_MISMATCH;
    return window->exhausted ? WALK_UNFINISHED : WALK_TRUNCATED;
}

/* The header of an element without a VR. */
static void read_implicit(const uint8_t *p, enum walk_form form, struct walk_element *ret_element)
{
    ret_element->header_len = SHORT_HEADER_LEN;
    ret_element->value_len = form == WALK_EXPLICIT_BE ? get_u32_be(p + 4) : get_u32_le(p + 4);
    ret_element->undefined = ret_element->value_len == LENGTH_UNDEFINED;
}

/* True if the element, which begins at `offset`, ends by `limit`. */
static bool fits(const struct walk_element *element, uint64_t offset, uint64_t limit)
{
    return element->undefined ||
           (limit - offset >= element->header_len && limit - offset - element->header_len >= element->value_len);
}

/* The VR and length of an element in explicit VR, of which the first 8 bytes are at `p`. */
static enum walk_result read_explicit(struct window *window, const uint8_t *p, uint64_t offset, uint64_t limit,
                                      bool first, struct walk_element *element)
{
    bool big = element->form == WALK_EXPLICIT_BE;
    unsigned length_size = vr_length_size(p + 4);
    if (length_size == 0) {
        if (!is_capital(p[4]) || !is_capital(p[5])) {
            read_implicit(p, element->form, element);
            if (first || !fits(element, offset, limit))
                return WALK_MISMATCH;
            element->form = big ? WALK_EXPLICIT_BE : WALK_IMPLICIT_LE;
            return WALK_COMPLETE;
        }
        length_size = p[6] == 0 && p[7] == 0 ? 4 : 2;
    }
    element->vr[0] = (char)p[4];
    element->vr[1] = (char)p[5];
    if (length_size == 2) {
        element->header_len = SHORT_HEADER_LEN;
        element->value_len = big ? get_u16_be(p + 6) : get_u16_le(p + 6);
        return WALK_COMPLETE;
    }
    if (limit - offset < LONG_HEADER_LEN)
        return WALK_TRUNCATED;
    p = window_peek(window, offset, LONG_HEADER_LEN);
    if (p == NULL)
        return why_missing(window);
    element->header_len = LONG_HEADER_LEN;
    element->value_len = big ? get_u32_be(p + 8) : get_u32_le(p + 8);
    element->undefined = element->value_len == LENGTH_UNDEFINED;
    return WALK_COMPLETE;
}

enum walk_result walk_read_header(struct window *window, enum walk_form form, uint64_t offset, uint64_t limit,
                                  bool first, struct walk_element *ret_element)
{
    if (limit - offset < SHORT_HEADER_LEN)
        return WALK_TRUNCATED;
    const uint8_t *p = window_peek(window, offset, SHORT_HEADER_LEN);
    if (p == NULL)
        return why_missing(window);
    bool big = form == WALK_EXPLICIT_BE;
    *ret_element = (struct walk_element){.form = form,
                                         .group = big ? get_u16_be(p) : get_u16_le(p),
                                         .element = big ? get_u16_be(p + 2) : get_u16_le(p + 2)};
    enum walk_result result = WALK_COMPLETE;
    /* Group 0008, in which every data set begins, in the other byte order. */
    if (first && ret_element->group == 0x0800)
        return WALK_MISMATCH;
    if (ret_element->group == GROUP_DELIMITER || form == WALK_IMPLICIT_LE)
        read_implicit(p, form, ret_element);
    else
        result = read_explicit(window, p, offset, limit, first, ret_element);
    if (result != WALK_COMPLETE)
        return result;
    /* An implicit first element whose length spells a VR: the data set is in explicit VR after all. */
    if (first && form == WALK_IMPLICIT_LE && walk_is_vr(p + 4))
        return WALK_MISMATCH;
    if (!fits(ret_element, offset, limit))
        return WALK_TRUNCATED;
    if (ret_element->undefined)
        ret_element->value_len = 0;
    return WALK_COMPLETE;
}

static struct frame *top_of(struct walker *walker)
{
    return &walker->frames[walker->depth - 1];
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

/* An element of a data set or item: step over it, or into it. */
static enum walk_result step_element(struct walker *walker, const struct walk_element *element)
{
    walker->offset += element->header_len;
    bool has_vr = element->vr[0] != 0;
    bool is_sequence = memcmp(element->vr, "SQ", 2) == 0;
    bool is_unknown = memcmp(element->vr, "UN", 2) == 0;
    if (element->undefined) {
        bool is_pixel_data = element->group == GROUP_PIXEL_DATA && !is_sequence;
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
static enum walk_form guess_item_form(struct walker *walker, uint64_t offset, enum walk_form outer)
{
    const uint8_t *p = window_peek(walker->window, offset, SHORT_HEADER_LEN);
    bool big = p != NULL && get_u16_be(p) == GROUP_DELIMITER;
    p = window_peek(walker->window, offset, 2 * SHORT_HEADER_LEN);
    if (p != NULL && walk_is_vr(p + SHORT_HEADER_LEN + 4))
        return big ? WALK_EXPLICIT_BE : WALK_EXPLICIT_LE;
    return big ? outer : WALK_IMPLICIT_LE;
}

/* Inside a sequence or among fragments: an item, or the end. */
static enum walk_result step_item(struct walker *walker)
{
    struct frame *frame = top_of(walker);
    enum walk_form form = frame->guess_form ? guess_item_form(walker, walker->offset, frame->form) : frame->form;
    struct walk_element item;
    enum walk_result result = walk_read_header(walker->window, form, walker->offset, frame->limit, false, &item);
    if (result != WALK_COMPLETE)
        return result;
    if (item.group != GROUP_DELIMITER)
        return WALK_MISMATCH;
    if (item.element == ELEMENT_SEQUENCE_END && frame->end == NO_END) {
        walker->offset += item.header_len;
        walker->depth--;
        return WALK_COMPLETE;
    }
    if (item.element != ELEMENT_ITEM || (frame->kind == FRAME_FRAGMENTS && item.undefined))
        return WALK_MISMATCH;
    walker->offset += item.header_len;
    if (frame->kind == FRAME_FRAGMENTS) {
        walker->offset += item.value_len;
        return WALK_COMPLETE;
    }
    return enter(walker, (struct frame){.kind = FRAME_ELEMENTS, .form = form}, item.undefined, item.value_len);
}

/* What it means that the data set's next element cannot be read. */
static enum walk_result judge_end(struct walker *walker, enum walk_result result)
{
    if (result != WALK_TRUNCATED && result != WALK_MISMATCH)
        return result;
    if (walker->pixel_data_seen && result == WALK_MISMATCH)
        return WALK_TRAILING;
    uint64_t left = walker->window->size - walker->offset;
    if (left >= SHORT_HEADER_LEN)
        return result;
    const uint8_t *p = window_peek(walker->window, walker->offset, (size_t)left);
    bool all_zero = p != NULL;
    for (uint64_t i = 0; all_zero && i < left; i++)
        all_zero = p[i] == 0;
    return all_zero || walker->pixel_data_seen ? WALK_TRAILING : WALK_TRUNCATED;
}

/* Inside the data set or an item: an element, or the end of the item. */
static enum walk_result step_elements(struct walker *walker)
{
    struct frame *frame = top_of(walker);
    bool outermost = walker->depth == 1;
    struct walk_element element;
    uint64_t limit = outermost ? walker->window->size : frame->limit;
    enum walk_result result =
        walk_read_header(walker->window, frame->form, walker->offset, limit, walker->first, &element);
    if (result != WALK_COMPLETE)
        return outermost ? judge_end(walker, result) : result;
    if (element.group == GROUP_DELIMITER) {
        if (element.element != ELEMENT_ITEM_END || outermost || frame->end != NO_END)
            return outermost ? judge_end(walker, WALK_MISMATCH) : WALK_MISMATCH;
        walker->offset += element.header_len;
        walker->depth--;
        return WALK_COMPLETE;
    }
    if (outermost) {
        /* Zero bytes read as elements (0000,0000) without end, ones as (FFFF,FFFF) of undefined length. */
        bool is_fill =
            (element.group == 0 && element.element == 0) || (element.group == 0xffff && element.element == 0xffff);
        if (is_fill && !walker->first)
            return WALK_TRAILING;
        walker->first = false;
        walker->pixel_data_seen |= element.group == GROUP_PIXEL_DATA;
        if (walker->walk->visit != NULL)
            walker->walk->visit(walker->walk->context, &element, walker->offset);
    }
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
            return true;
        }
    }
    return false;
}

enum walk_result walk_run(struct walk *walk, enum walk_form form)
{
    struct walker walker = {.walk = walk, .window = walk->window, .offset = walk->offset, .depth = 1, .first = true};
    walker.frames[0] = (struct frame){.kind = FRAME_ELEMENTS, .form = form, .end = NO_END, .limit = walk->window->size};
    enum walk_result result = WALK_COMPLETE;
    for (;;) {
        struct frame *frame = top_of(&walker);
        if (frame->end != NO_END && walker.offset == frame->end) {
            walker.depth--;
            continue;
        }
        if (walker.depth == 1 && window_ends_at(walk->window, walker.offset))
            break;
        result = frame->kind == FRAME_ELEMENTS ? step_elements(&walker) : step_item(&walker);
        bool in_value = result == WALK_MISMATCH || result == WALK_TRUNCATED;
        if (result != WALK_COMPLETE && !(in_value && recover(&walker)))
            break;
    }
    walk->offset = walker.offset;
    return result;
}
