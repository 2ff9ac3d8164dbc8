/* golden - see golden.h. */
#include "golden.h"
#include "wire/syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static void put_u16(struct golden *golden, uint16_t value)
{
    if (golden->form == SYNTAX_EXPLICIT_BE)
        bytes_put_u16_be(&golden->writer, value);
    else
        bytes_put_u16_le(&golden->writer, value);
}

static void put_u32(struct golden *golden, uint32_t value)
{
    if (golden->form == SYNTAX_EXPLICIT_BE)
        bytes_put_u32_be(&golden->writer, value);
    else
        bytes_put_u32_le(&golden->writer, value);
}

void golden_put_header(struct golden *golden, uint32_t tag, const char *vr, uint32_t len)
{
    put_u16(golden, (uint16_t)(tag >> 16));
    put_u16(golden, (uint16_t)tag);
    if (golden->form == SYNTAX_IMPLICIT_LE) {
        put_u32(golden, len);
        return;
    }
    bytes_put(&golden->writer, vr, 2);
    if (strstr("OB OD OF OL OV OW SQ SV UC UN UR UT UV", vr) != NULL) {
        put_u16(golden, 0);
        put_u32(golden, len);
    } else {
        put_u16(golden, (uint16_t)len);
    }
}

void golden_put(struct golden *golden, uint32_t tag, const char *vr, const void *value, uint32_t len)
{
    golden_put_header(golden, tag, vr, len);
    bytes_put(&golden->writer, value, len);
}

void golden_put_uid(struct golden *golden, uint32_t tag, const char *uid)
{
    uint32_t len = (uint32_t)strlen(uid);
    golden_put(golden, tag, "UI", uid, len + len % 2);
}

void golden_put_item(struct golden *golden, uint16_t element, uint32_t len)
{
    put_u16(golden, 0xfffe);
    put_u16(golden, element);
    put_u32(golden, len);
}

void golden_begin(struct golden *golden, const char *syntax, enum syntax_form form)
{
    static const uint8_t preamble[128];
    golden->writer = bytes_writer_over(golden->bytes, sizeof golden->bytes);
    bytes_put(&golden->writer, preamble, sizeof preamble);
    bytes_put(&golden->writer, "DICM", 4);
    golden->form = SYNTAX_EXPLICIT_LE;
    size_t begin = golden->writer.len;
    golden_put(golden, 0x00020000, "UL", "\0\0\0\0", 4);
    golden_put(golden, 0x00020001, "OB", "\0\1", 2);
    golden_put_uid(golden, 0x00020002, GOLDEN_CLASS);
    golden_put_uid(golden, 0x00020003, GOLDEN_INSTANCE);
    if (syntax != NULL)
        golden_put_uid(golden, 0x00020010, syntax);
    golden_put_uid(golden, 0x00020012, "1.2.3");
    set_u32_le(golden->bytes + begin + 8, (uint32_t)(golden->writer.len - begin - 12));
    golden->form = form;
    golden->data_offset = golden->writer.len;
}

void golden_put_names(struct golden *golden)
{
    golden_put_uid(golden, 0x00080016, GOLDEN_CLASS);
    golden_put_uid(golden, 0x00080018, GOLDEN_INSTANCE);
    golden_put_uid(golden, 0x0020000d, GOLDEN_STUDY);
    golden_put_uid(golden, 0x0020000e, GOLDEN_SERIES);
}

void golden_make(struct golden *golden, const char *syntax, enum syntax_form form)
{
    static const uint8_t pixels[64] = {1, 2, 3};
    golden_begin(golden, syntax, form);
    golden_put_names(golden);
    if (syntax_find(syntax).pixels != SYNTAX_PIXELS_ENCAPSULATED) {
        golden_put(golden, 0x7fe00010, "OW", pixels, sizeof pixels);
        return;
    }
    golden_put_header(golden, 0x7fe00010, "OB", UINT32_MAX);
    golden_put_item(golden, 0xe000, 0);
    golden_put_item(golden, 0xe000, sizeof pixels);
    bytes_put(&golden->writer, pixels, sizeof pixels);
    golden_put_item(golden, 0xe0dd, 0);
}

void golden_deflate(struct golden *golden)
{
    static uint8_t deflated[GOLDEN_SIZE];
    z_stream stream = {0};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    stream.next_in = golden->bytes + golden->data_offset;
    stream.avail_in = (uInt)(golden->writer.len - golden->data_offset);
    stream.next_out = deflated;
    stream.avail_out = sizeof deflated;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    golden->writer.len = golden->data_offset;
    bytes_put(&golden->writer, deflated, sizeof deflated - stream.avail_out);
    deflateEnd(&stream);
}

void golden_write(const struct golden *golden, size_t len, char ret_path[GOLDEN_PATH_SIZE])
{
    snprintf(ret_path, GOLDEN_PATH_SIZE, "/tmp/golden-XXXXXX");
    int fd = mkstemp(ret_path);
    if (golden->writer.overflow || fd < 0 || write(fd, golden->bytes, len) != (ssize_t)len)
        abort();
    close(fd);
}
