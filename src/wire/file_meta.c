/* file_meta - see dicomnet/file_meta.h. The meta header is a data set like any other, in Explicit VR Little Endian. */
#include "dicomnet/file_meta.h"

#include "base/bytes.h"
#include "dicomnet/identifier.h"
#include "wire/meta_header.h"

enum { PREAMBLE_LEN = 128, META_AT = PREAMBLE_LEN + 4 + 12 /* behind "DICM" and the group length */ };

enum {
    TAG_MEDIA_STORAGE_CLASS = 0x00020002,
    TAG_MEDIA_STORAGE_INSTANCE = 0x00020003,
    TAG_TRANSFER_SYNTAX = 0x00020010
};

/* "DICM" and the group length's tag, VR and length. */
static const uint8_t mark[12] = {'D', 'I', 'C', 'M', 0x02, 0x00, 0x00, 0x00, 'U', 'L', 0x04, 0x00};

ssize_t dicomnet_file_meta_decode(struct dicomnet_span bytes, struct dicomnet_file_meta *ret_meta)
{
    if (bytes.len < META_AT || memcmp(bytes.data + PREAMBLE_LEN, mark, sizeof mark) != 0)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    struct dicomnet_span header = {.data = bytes.data + META_AT, .len = get_u32_le(bytes.data + META_AT - 4)};
    if (header.len > bytes.len - META_AT)
        return DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    struct dicomnet_identifier elements;
    dicomnet_identifier_init(&elements);
    int error = dicomnet_identifier_decode(&elements, header, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN);
    bool complete =
        dicomnet_identifier_get_text(&elements, TAG_MEDIA_STORAGE_CLASS, ret_meta->class_uid, DICOMNET_UID_SIZE) &&
        dicomnet_identifier_get_text(&elements, TAG_MEDIA_STORAGE_INSTANCE, ret_meta->instance_uid,
                                     DICOMNET_UID_SIZE) &&
        dicomnet_identifier_get_text(&elements, TAG_TRANSFER_SYNTAX, ret_meta->syntax_uid, DICOMNET_UID_SIZE);
    dicomnet_identifier_fini(&elements);
    if (error == 0 && !complete)
        error = DICOMNET_ERROR_IDENTIFIER_MALFORMED;
    return error != 0 ? error : (ssize_t)(META_AT + header.len);
}

ssize_t dicomnet_file_meta_encode(const struct dicomnet_file_meta *meta, uint8_t *bytes, size_t size)
{
    const struct meta_header header = {
        .class_uid = meta->class_uid, .instance_uid = meta->instance_uid, .syntax_uid = meta->syntax_uid};
    size_t len = meta_header_encode(&header, bytes, size);
    return len > 0 ? (ssize_t)len : DICOMNET_ERROR_BUFFER_TOO_SMALL;
}
