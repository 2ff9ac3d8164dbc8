/* walk_header - one element's header: tag, VR, length. See walk.h. */
#include "base/bytes.h"
#include "files/walk.h"
#include "wire/vr.h"

enum { GROUP_DELIMITER = 0xfffe, SHORT_HEADER_LEN = 8, LONG_HEADER_LEN = 12 };
static const uint32_t LENGTH_UNDEFINED = 0xffffffff;

bool walk_is_vr(const uint8_t letters[2])
{
    return vr_find((const char *)letters) != NULL;
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

/* A length of 16 bits behind the VR, or of 32 bits in its place. */
static void read_short(const uint8_t *p, enum walk_length length, struct walk_element *element)
{
    bool big = element->form == SYNTAX_EXPLICIT_BE;
    element->header_len = SHORT_HEADER_LEN;
    if (length == WALK_LENGTH_16) {
        element->value_len = big ? get_u16_be(p + 6) : get_u16_le(p + 6);
        return;
    }
    element->value_len = big ? get_u32_be(p + 4) : get_u32_le(p + 4);
    element->undefined = element->value_len == LENGTH_UNDEFINED;
}

/* A length of 32 bits behind the VR and two reserved bytes. */
static enum walk_result read_long(struct window *window, uint64_t offset, uint64_t limit, struct walk_element *element)
{
    bool big = element->form == SYNTAX_EXPLICIT_BE;
    if (limit - offset < LONG_HEADER_LEN)
        return WALK_TRUNCATED;
    const uint8_t *p = window_peek(window, offset, LONG_HEADER_LEN);
    if (p == NULL)
        return why_missing(window);
    element->header_len = LONG_HEADER_LEN;
    element->value_len = big ? get_u32_be(p + 8) : get_u32_le(p + 8);
    element->undefined = element->value_len == LENGTH_UNDEFINED;
    return WALK_COMPLETE;
}

/* VR and length of an element in explicit VR, of which the first 8 bytes are at `p`. */
static enum walk_result read_explicit(struct window *window, const uint8_t *p, uint64_t offset, uint64_t limit,
                                      enum walk_length length, struct walk_element *element)
{
    const struct vr_info *vr = vr_find((const char *)p + 4);
    element->vr[0] = (char)p[4];
    element->vr[1] = (char)p[5];
    if (vr != NULL)
        length = vr->long_length ? WALK_LENGTH_32 : WALK_LENGTH_16;
    else if (length == WALK_LENGTH_BY_VR)
        return WALK_UNKNOWN_VR;
    else
        element->length = length;
    if (length == WALK_LENGTH_32)
        return read_long(window, offset, limit, element);
    read_short(p, length, element);
    if (length == WALK_LENGTH_IMPLICIT) {
        element->vr[0] = element->vr[1] = 0;
        element->form = element->form == SYNTAX_EXPLICIT_BE ? SYNTAX_EXPLICIT_BE : SYNTAX_IMPLICIT_LE;
    }
    return WALK_COMPLETE;
}

enum walk_result walk_read_header(struct window *window, enum syntax_form form, uint64_t offset, uint64_t limit,
                                  enum walk_length length, bool first, struct walk_element *ret_element)
{
    *ret_element = (struct walk_element){.form = form};
    if (limit - offset < SHORT_HEADER_LEN)
        return WALK_TRUNCATED;
    const uint8_t *p = window_peek(window, offset, SHORT_HEADER_LEN);
    if (p == NULL)
        return why_missing(window);
    bool big = form == SYNTAX_EXPLICIT_BE;
    ret_element->group = big ? get_u16_be(p) : get_u16_le(p);
    ret_element->element = big ? get_u16_be(p + 2) : get_u16_le(p + 2);
    enum walk_result result = WALK_COMPLETE;
    /* Group 0008, in which every data set begins, in the other byte order. */
    if (first && ret_element->group == 0x0800)
        return WALK_MISMATCH;
    if (ret_element->group == GROUP_DELIMITER || form == SYNTAX_IMPLICIT_LE)
        read_short(p, WALK_LENGTH_IMPLICIT, ret_element);
    else
        result = read_explicit(window, p, offset, limit, length, ret_element);
    if (result != WALK_COMPLETE)
        return result;
    /* An implicit first element whose length spells a VR: the data set is in explicit VR after all. */
    if (first && form == SYNTAX_IMPLICIT_LE && walk_is_vr(p + 4))
        return WALK_MISMATCH;
    if (ret_element->undefined)
        ret_element->value_len = 0;
    else if (limit - offset < ret_element->header_len ||
             limit - offset - ret_element->header_len < ret_element->value_len)
        return WALK_TRUNCATED;
    return WALK_COMPLETE;
}
