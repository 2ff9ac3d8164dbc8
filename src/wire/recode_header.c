/* recode_header - the headers of elements and items (PS3.5 7.1, 7.5). See recode_private.h. */
#include "base/bytes.h"
#include "wire/recode_private.h"
#include "wire/vr.h"

static bool has_vr(enum syntax_form form, uint32_t tag)
{
    return form != SYNTAX_IMPLICIT_LE && tag >> 16 != 0xFFFE;
}

/* How long the length of this VR is. */
static enum recode_length length_of(const char vr[2], enum recode_length unknown)
{
    const struct vr_info *info = vr_find(vr);
    if (info == NULL)
        return unknown;
    return info->long_length ? RECODE_LENGTH_32 : RECODE_LENGTH_16;
}

/* VR and length in explicit VR, whose first 8 bytes are at `p`. */
static enum recode_header_result read_explicit(struct recode_input *input, const uint8_t *p, uint64_t offset,
                                               enum recode_length unknown, struct recode_header *header)
{
    bool big = header->form == SYNTAX_EXPLICIT_BE;
    const char vr[2] = {(char)p[4], (char)p[5]};
    header->header_len = RECODE_HEADER_LEN_SHORT;
    header->strange = vr_find(vr) == NULL;
    if (!header->strange)
        memcpy(header->vr, vr, sizeof vr);
    switch (length_of(vr, unknown)) {
    case RECODE_LENGTH_UNKNOWN:
        return RECODE_HEADER_UNKNOWN_VR;
    case RECODE_LENGTH_16:
        header->value_len = big ? get_u16_be(p + 6) : get_u16_le(p + 6);
        return RECODE_HEADER_READ;
    case RECODE_LENGTH_IMPLICIT:
        header->value_len = big ? get_u32_be(p + 4) : get_u32_le(p + 4);
        header->form = big ? SYNTAX_EXPLICIT_BE : SYNTAX_IMPLICIT_LE;
        break;
    case RECODE_LENGTH_32:
        p = recode_input_peek(input, offset, RECODE_HEADER_LEN_MAX);
        if (p == NULL)
            return RECODE_HEADER_CUT;
        header->header_len = RECODE_HEADER_LEN_MAX;
        header->value_len = big ? get_u32_be(p + 8) : get_u32_le(p + 8);
        break;
    }
    header->undefined = header->value_len == RECODE_UNDEFINED;
    return RECODE_HEADER_READ;
}

enum recode_header_result recode_header_read(struct recode_input *input, enum syntax_form form, uint64_t offset,
                                             uint64_t limit, enum recode_length unknown,
                                             struct recode_header *ret_header)
{
    *ret_header = (struct recode_header){.form = form};
    const uint8_t *p =
        limit - offset >= RECODE_HEADER_LEN_SHORT ? recode_input_peek(input, offset, RECODE_HEADER_LEN_SHORT) : NULL;
    if (p == NULL)
        return RECODE_HEADER_CUT;
    bool big = form == SYNTAX_EXPLICIT_BE;
    ret_header->tag =
        big ? (uint32_t)get_u16_be(p) << 16 | get_u16_be(p + 2) : (uint32_t)get_u16_le(p) << 16 | get_u16_le(p + 2);
    if (has_vr(form, ret_header->tag)) {
        enum recode_header_result result = read_explicit(input, p, offset, unknown, ret_header);
        if (result != RECODE_HEADER_READ)
            return result;
    } else {
        ret_header->header_len = RECODE_HEADER_LEN_SHORT;
        ret_header->value_len = big ? get_u32_be(p + 4) : get_u32_le(p + 4);
        ret_header->undefined = ret_header->value_len == RECODE_UNDEFINED;
    }
    if (ret_header->undefined)
        ret_header->value_len = 0;
    uint64_t left = limit - offset;
    bool fits = left >= ret_header->header_len && left - ret_header->header_len >= ret_header->value_len;
    return fits ? RECODE_HEADER_READ : RECODE_HEADER_CUT;
}

size_t recode_header_write(uint8_t *bytes, enum syntax_form form, uint32_t tag, const char vr[2], uint32_t value_len)
{
    bool big = form == SYNTAX_EXPLICIT_BE;
    (big ? set_u16_be : set_u16_le)(bytes, (uint16_t)(tag >> 16));
    (big ? set_u16_be : set_u16_le)(bytes + 2, (uint16_t)tag);
    if (!has_vr(form, tag)) {
        (big ? set_u32_be : set_u32_le)(bytes + 4, value_len);
        return RECODE_HEADER_LEN_SHORT;
    }
    memcpy(bytes + 4, vr, 2);
    if (recode_vr_is_short(vr)) {
        (big ? set_u16_be : set_u16_le)(bytes + 6, (uint16_t)value_len);
        return RECODE_HEADER_LEN_SHORT;
    }
    memset(bytes + 6, 0, 2);
    (big ? set_u32_be : set_u32_le)(bytes + 8, value_len);
    return RECODE_HEADER_LEN_MAX;
}
