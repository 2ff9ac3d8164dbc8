/*
 * dicomnet_identifier_encode - an identifier to bytes. See dicomnet/identifier.h.
 *
 * One walk over the records. A sequence's or item's length is written when the walk comes to its end; until then it
 * stands on a stack, whose height is the depth limit.
 */
#include "base/bytes.h"
#include "dicomnet/uid.h"
#include "wire/identifier_private.h"
#include "wire/vr.h"

struct open_record {
    size_t end;         /* of its value, in the identifier */
    size_t value_begin; /* in the output; its length stands in the 4 bytes before */
};

static void put_tag(struct bytes_writer *writer, uint32_t tag)
{
    bytes_put_u16_le(writer, (uint16_t)(tag >> 16));
    bytes_put_u16_le(writer, (uint16_t)tag);
}

static void put_header(struct bytes_writer *writer, const struct record *record, bool implicit_vr)
{
    put_tag(writer, record->tag);
    if (implicit_vr || record->tag == DICOMNET_TAG_ITEM) {
        bytes_put_u32_le(writer, record->len);
        return;
    }
    const struct vr_info *vr = vr_find(record->vr);
    if (vr != NULL && !vr->long_length && record->len <= UINT16_MAX) {
        bytes_put(writer, record->vr, sizeof record->vr);
        bytes_put_u16_le(writer, (uint16_t)record->len);
        return;
    }
    bool fits = vr != NULL && vr->long_length;
    bytes_put(writer, fits ? record->vr : "UN", sizeof record->vr);
    bytes_put_u16_le(writer, 0);
    bytes_put_u32_le(writer, record->len);
}

size_t dicomnet_identifier_encoded_size(const struct dicomnet_identifier *identifier)
{
    return identifier->len; /* no header on the wire is longer than a record's */
}

ssize_t dicomnet_identifier_encode(const struct dicomnet_identifier *identifier, const char *syntax_uid, uint8_t *bytes,
                                   size_t size)
{
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    struct open_record open[CONTAINERS_MAX + 1];
    unsigned open_count = 0;
    size_t at = 0;
    if (!dicomnet_identifier_syntax_is_known(syntax_uid))
        return DICOMNET_ERROR_IDENTIFIER_SYNTAX;
    bool implicit_vr = strcmp(syntax_uid, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN) == 0;
    while (!writer.overflow) {
        while (open_count > 0 && open[open_count - 1].end == at) {
            size_t begin = open[--open_count].value_begin;
            set_u32_le(bytes + begin - 4, (uint32_t)(writer.len - begin));
        }
        if (at == identifier->len)
            break;
        struct record record = record_at(identifier, at);
        put_header(&writer, &record, implicit_vr);
        at += RECORD_HEADER_LEN;
        if (record_is_container(&record)) {
            open[open_count++] = (struct open_record){.end = at + record.len, .value_begin = writer.len};
        } else {
            bytes_put(&writer, identifier->data + at, record.len);
            at += record.len;
        }
    }
    return writer.overflow ? DICOMNET_ERROR_BUFFER_TOO_SMALL : (ssize_t)writer.len;
}
