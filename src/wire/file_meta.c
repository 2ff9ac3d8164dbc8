/* file_meta - see dicomnet/file_meta.h. The meta header is a data set like any other, in Explicit VR Little Endian. */
#include "dicomnet/file_meta.h"

#include "base/bytes.h"
#include "dicomnet/identifier.h"

enum { PREAMBLE_LEN = 128, META_AT = PREAMBLE_LEN + 4 + 12 /* behind "DICM" and the group length */ };

enum {
    TAG_META_VERSION = 0x00020001,
    TAG_MEDIA_STORAGE_CLASS = 0x00020002,
    TAG_MEDIA_STORAGE_INSTANCE = 0x00020003,
    TAG_TRANSFER_SYNTAX = 0x00020010,
    TAG_IMPLEMENTATION_CLASS = 0x00020012,
    TAG_IMPLEMENTATION_VERSION = 0x00020013
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
    static const struct dicomnet_span version = {.data = (const uint8_t *)"\0\1", .len = 2};
    const struct {
        uint32_t tag;
        const char *text;
    } texts[] = {{TAG_MEDIA_STORAGE_CLASS, meta->class_uid},
                 {TAG_MEDIA_STORAGE_INSTANCE, meta->instance_uid},
                 {TAG_TRANSFER_SYNTAX, meta->syntax_uid},
                 {TAG_IMPLEMENTATION_CLASS, DICOMNET_IMPLEMENTATION_CLASS_UID},
                 {TAG_IMPLEMENTATION_VERSION, DICOMNET_IMPLEMENTATION_VERSION_NAME}};
    if (size < META_AT)
        return DICOMNET_ERROR_BUFFER_TOO_SMALL;
    struct dicomnet_identifier elements;
    dicomnet_identifier_init(&elements);
    int error = dicomnet_identifier_set_bytes(&elements, TAG_META_VERSION, "OB", version);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; i++)
        error = dicomnet_identifier_set_text(&elements, texts[i].tag, texts[i].text);
    ssize_t len = error;
    if (error == 0)
        len = dicomnet_identifier_encode(&elements, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, bytes + META_AT,
                                         size - META_AT);
    dicomnet_identifier_fini(&elements);
    if (len < 0)
        return len;
    memset(bytes, 0, PREAMBLE_LEN);
    memcpy(bytes + PREAMBLE_LEN, mark, sizeof mark);
    set_u32_le(bytes + META_AT - 4, (uint32_t)len);
    return META_AT + len;
}
