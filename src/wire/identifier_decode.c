/*
 * dicomnet_identifier_decode - an identifier from bytes. See dicomnet/identifier.h.
 *
 * The decoder walks the bytes once. What it is in the middle of - the data set, sequences, items - stands on a stack of
 * fixed height: that is the depth limit, and there is no recursion. Elements are appended to the identifier as they
 * come; the length of a sequence or item is filled in when it is closed.
 */
#include "base/bytes.h"
#include "dicomnet/uid.h"
#include "wire/identifier_private.h"
#include "wire/vr.h"

enum { ITEM_HEADER_LEN = 8 };

#define TAG_ITEM_END     UINT32_C(0xFFFEE00D)
#define TAG_SEQUENCE_END UINT32_C(0xFFFEE0DD)
#define LEN_UNDEFINED    UINT32_MAX

/* Something that is open: the data set itself, a sequence, an item. */
struct container {
    size_t at;          /* of its record; the data set has none */
    size_t begin;       /* of the records in it */
    const uint8_t *end; /* of its bytes; if it is of undefined length, of what is around it */
    bool undefined;     /* ... and it is: a delimiter ends it */
    bool is_sequence;   /* it holds items; else elements */
    bool implicit_vr;
    uint32_t last_tag; /* of the elements in it so far */
};

struct decoder {
    struct dicomnet_identifier *identifier;
    const uint8_t *p;
    unsigned open_count;
    unsigned unsorted_count;
    struct container open[CONTAINERS_MAX + 1];
};

/* An element's header as it stands in the bytes. */
struct header {
    uint32_t tag;
    char vr[2];
    uint32_t len;
};

bool dicomnet_identifier_syntax_is_known(const char *syntax_uid)
{
    return strcmp(syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0 ||
           strcmp(syntax_uid, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN) == 0;
}

static struct container *innermost(struct decoder *decoder)
{
    return &decoder->open[decoder->open_count - 1];
}

static size_t bytes_left(struct decoder *decoder)
{
    return (size_t)(innermost(decoder)->end - decoder->p);
}

/* ---- elements in their place ---- */

/*
 * The element whose record begins at `at`, the last of all, is out of order: move it to its place, or drop it if one
 * of that tag is there. The block's spare room takes it in between.
 */
static int sort_in(struct decoder *decoder, struct container *container, size_t at)
{
    struct dicomnet_identifier *identifier = decoder->identifier;
    uint32_t tag = record_at(identifier, at).tag;
    size_t place = identifier_find_place(identifier, container->begin, at, tag), len = identifier->len - at;
    if (++decoder->unsorted_count > DICOMNET_IDENTIFIER_UNSORTED_MAX)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    if (place < at && record_at(identifier, place).tag == tag) {
        identifier->len = at;
        return 0;
    }
    int error = identifier_reserve(identifier, len);
    if (error != 0)
        return error;
    memmove(identifier->data + place + len, identifier->data + place, identifier->len - place);
    memcpy(identifier->data + place, identifier->data + at + len, len);
    return 0;
}

/* An element is complete. */
static int end_element(struct decoder *decoder, size_t at)
{
    struct container *container = innermost(decoder);
    uint32_t tag = record_at(decoder->identifier, at).tag;
    bool is_first = at == container->begin;
    if (!is_first && tag <= container->last_tag)
        return sort_in(decoder, container, at);
    container->last_tag = tag;
    return 0;
}

/* ---- containers ---- */

static int open_container(struct decoder *decoder, const struct header *header, bool is_sequence, bool implicit_vr)
{
    struct container *around = innermost(decoder);
    unsigned depth = decoder->open_count / 2; /* data set, sequence, item, sequence, item, ... */
    bool undefined = header->len == LEN_UNDEFINED;
    if (!undefined && header->len > bytes_left(decoder))
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    if (!is_sequence && depth > DICOMNET_IDENTIFIER_DEPTH_MAX)
        return DICOMNET_ERROR_IDENTIFIER_TOO_DEEP;
    struct record record = {.tag = header->tag, .vr = {header->vr[0], header->vr[1]}, .depth = (uint8_t)depth};
    size_t at = decoder->identifier->len;
    int error = identifier_append_record(decoder->identifier, &record, NULL, 0);
    if (error != 0)
        return error;
    decoder->open[decoder->open_count++] = (struct container){.at = at,
                                                              .begin = at + RECORD_HEADER_LEN,
                                                              .end = undefined ? around->end : decoder->p + header->len,
                                                              .undefined = undefined,
                                                              .is_sequence = is_sequence,
                                                              .implicit_vr = implicit_vr};
    return 0;
}

static int close_container(struct decoder *decoder)
{
    struct container *container = innermost(decoder);
    struct record record = record_at(decoder->identifier, container->at);
    record.len = (uint32_t)(decoder->identifier->len - container->begin);
    record_put(decoder->identifier, container->at, &record);
    decoder->open_count--;
    return container->is_sequence ? end_element(decoder, container->at) : 0;
}

/* In a sequence: an item, or the delimiter. `p` is at it. */
static int read_item(struct decoder *decoder)
{
    struct container *sequence = innermost(decoder);
    if (bytes_left(decoder) < ITEM_HEADER_LEN)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    struct header header = {.tag = (uint32_t)get_u16_le(decoder->p) << 16 | get_u16_le(decoder->p + 2),
                            .vr = {'-', '-'},
                            .len = get_u32_le(decoder->p + 4)};
    decoder->p += ITEM_HEADER_LEN;
    if (header.tag == DICOMNET_TAG_ITEM)
        return open_container(decoder, &header, false, sequence->implicit_vr);
    bool ends = header.tag == TAG_SEQUENCE_END && sequence->undefined && header.len == 0;
    return ends ? close_container(decoder) : DICOMNET_ERROR_IDENTIFIER_MALFORMED;
}

/* ---- elements ---- */

static bool is_vr_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* PS3.5 7.1.2; a VR that is not known has the long form, as all that came since 1996. */
static int read_explicit_header(struct decoder *decoder, struct header *header)
{
    const uint8_t *p = decoder->p;
    memcpy(header->vr, p + 4, sizeof header->vr);
    if (!is_vr_letter(header->vr[0]) || !is_vr_letter(header->vr[1]))
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    const struct vr_info *vr = vr_find(header->vr);
    if (vr == NULL)
        memcpy(header->vr, "UN", sizeof header->vr);
    if (vr != NULL && !vr->long_length) {
        header->len = get_u16_le(p + 6);
        decoder->p += 8;
        return 0;
    }
    if (bytes_left(decoder) < 12)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    header->len = get_u32_le(p + 8);
    decoder->p += 12;
    return 0;
}

static int read_header(struct decoder *decoder, struct header *header, bool implicit_vr)
{
    if (bytes_left(decoder) < 8)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    const uint8_t *p = decoder->p;
    header->tag = (uint32_t)get_u16_le(p) << 16 | get_u16_le(p + 2);
    if (header->tag >> 16 == 0xFFFE) { /* a delimiter: no VR in any syntax */
        memcpy(header->vr, "--", sizeof header->vr);
    } else if (!implicit_vr) {
        return read_explicit_header(decoder, header);
    } else {
        memcpy(header->vr, dicomnet_dictionary_vr(header->tag), sizeof header->vr);
    }
    header->len = get_u32_le(p + 4);
    decoder->p += 8;
    return 0;
}

static int take_value(struct decoder *decoder, const struct header *header)
{
    size_t at = decoder->identifier->len;
    uint32_t even_len = header->len + header->len % 2;
    if (header->len > bytes_left(decoder))
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    const uint8_t *value = decoder->p;
    decoder->p += header->len;
    if ((header->tag & 0xFFFF) == 0)
        return 0; /* a group length */
    struct record record = {.tag = header->tag,
                            .vr = {header->vr[0], header->vr[1]},
                            .depth = (uint8_t)(decoder->open_count / 2),
                            .len = even_len};
    int error = identifier_append_record(decoder->identifier, &record, value, header->len);
    if (error == 0 && even_len > header->len)
        error = identifier_reserve(decoder->identifier, 1);
    if (error != 0)
        return error;
    if (even_len > header->len)
        decoder->identifier->data[decoder->identifier->len++] = identifier_padding(header->vr);
    return end_element(decoder, at);
}

/* In a data set or an item: an element, or the delimiter. `p` is at it. */
static int read_element(struct decoder *decoder)
{
    struct container *container = innermost(decoder);
    bool implicit_vr = container->implicit_vr;
    struct header header;
    int error = read_header(decoder, &header, implicit_vr);
    if (error != 0)
        return error;
    if (header.tag >> 16 == 0xFFFE) {
        bool ends = header.tag == TAG_ITEM_END && container->undefined && header.len == 0;
        return ends ? close_container(decoder) : DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    }
    if (memcmp(header.vr, "UN", 2) == 0) {
        /* Some sender did not know its VR, we do (PS3.5 6.2.2). Of a sequence, all inside is then implicit. */
        memcpy(header.vr, dicomnet_dictionary_vr(header.tag), 2);
        implicit_vr = true;
    }
    bool undefined = header.len == LEN_UNDEFINED;
    if (undefined && implicit_vr)
        memcpy(header.vr, "SQ", 2);
    if (memcmp(header.vr, "SQ", 2) == 0)
        return open_container(decoder, &header, true, implicit_vr);
    return undefined ? DICOMNET_ERROR_IDENTIFIER_MALFORMED : take_value(decoder, &header);
}

static int decode(struct decoder *decoder)
{
    for (;;) {
        struct container *container = innermost(decoder);
        int error;
        if (decoder->p == container->end && decoder->open_count == 1)
            return 0;
        if (decoder->p == container->end)
            error = container->undefined ? DICOMNET_ERROR_IDENTIFIER_MALFORMED : close_container(decoder);
        else
            error = container->is_sequence ? read_item(decoder) : read_element(decoder);
        if (error != 0)
            return error;
    }
}

int dicomnet_identifier_decode(struct dicomnet_identifier *identifier, struct dicomnet_span bytes,
                               const char *syntax_uid)
{
    static const uint8_t nothing[1];
    dicomnet_identifier_clear(identifier);
    if (!dicomnet_identifier_syntax_is_known(syntax_uid))
        return DICOMNET_ERROR_IDENTIFIER_SYNTAX;
    const uint8_t *begin = bytes.len > 0 ? bytes.data : nothing;
    struct decoder decoder = {.identifier = identifier, .p = begin, .open_count = 1};
    decoder.open[0] = (struct container){
        .end = begin + bytes.len, .implicit_vr = strcmp(syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0};
    int error = decode(&decoder);
    if (error != 0)
        dicomnet_identifier_clear(identifier);
    return error;
}
