/* meta_header - see meta_header.h. */
#include "wire/meta_header.h"

#include <string.h>

#include "base/bytes.h"
#include "dicomnet/uid.h"

/* A UI element in Explicit VR Little Endian, padded with NUL to an even length (PS3.5 6.2). */
static void put_text(struct bytes_writer *meta, uint16_t element, const char vr[2], const char *text, char padding)
{
    size_t len = strlen(text);
    bytes_put_u16_le(meta, 0x0002);
    bytes_put_u16_le(meta, element);
    bytes_put(meta, vr, 2);
    bytes_put_u16_le(meta, (uint16_t)(len + len % 2));
    bytes_put(meta, text, len);
    if (len % 2 != 0)
        bytes_put_u8(meta, (uint8_t)padding);
    meta->overflow |= len > UINT16_MAX - 1;
}

/*
 * The preamble, the prefix and the file meta information (PS3.10 7.1):
 *   (0002,0000) UL length of what follows   (0002,0010) UI transfer syntax
 *   (0002,0001) OB version 00\01            (0002,0012) UI implementation class
 *   (0002,0002) UI SOP class                (0002,0013) SH implementation version
 *   (0002,0003) UI SOP instance             (0002,0016) AE source, if known
 */
static void put_meta(struct bytes_writer *writer, const struct meta_header *meta)
{
    static const uint8_t preamble[128];
    static const uint8_t length_header[] = {0x02, 0, 0, 0, 'U', 'L', 4, 0};
    static const uint8_t version[] = {0x02, 0, 0x01, 0, 'O', 'B', 0, 0, 2, 0, 0, 0, 0x00, 0x01};
    bytes_put(writer, preamble, sizeof preamble);
    bytes_put(writer, "DICM", 4);
    bytes_put(writer, length_header, sizeof length_header);
    uint8_t *length = bytes_reserve(writer, 4);
    size_t begin = writer->len;
    bytes_put(writer, version, sizeof version);
    put_text(writer, 0x0002, "UI", meta->class_uid, '\0');
    put_text(writer, 0x0003, "UI", meta->instance_uid, '\0');
    put_text(writer, 0x0010, "UI", meta->syntax_uid, '\0');
    put_text(writer, 0x0012, "UI", DICOMNET_IMPLEMENTATION_CLASS_UID, '\0');
    put_text(writer, 0x0013, "SH", DICOMNET_IMPLEMENTATION_VERSION_NAME, ' ');
    if (meta->source_ae != NULL && meta->source_ae[0] != '\0')
        put_text(writer, 0x0016, "AE", meta->source_ae, ' ');
    if (length != NULL)
        set_u32_le(length, (uint32_t)(writer->len - begin));
}

size_t meta_header_encode(const struct meta_header *meta, uint8_t *ret_bytes, size_t size)
{
    struct bytes_writer writer = bytes_writer_over(ret_bytes, size);
    put_meta(&writer, meta);
    return writer.overflow ? 0 : writer.len;
}
