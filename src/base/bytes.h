/*
 * bytes - numbers in byte buffers, in both orders, and a bounded writer.
 *
 * PDUs are big endian (PS3.8 9.3.1), command sets and most data sets little endian (PS3.7 6.3.1).
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_u16_be(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint16_t get_u16_le(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}
static inline uint32_t get_u32_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint32_t get_u32_le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}
static inline void set_u16_be(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}
static inline void set_u16_le(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}
static inline void set_u32_be(uint8_t *p, uint32_t value)
{
    set_u16_be(p, (uint16_t)(value >> 16));
    set_u16_be(p + 2, (uint16_t)value);
}
static inline void set_u32_le(uint8_t *p, uint32_t value)
{
    set_u16_le(p, (uint16_t)value);
    set_u16_le(p + 2, (uint16_t)(value >> 16));
}

/*
 * A writer over a buffer of the caller's. Writing past the end writes nothing, sets `overflow` and keeps it set, so
 * that a whole message is checked once, at its end.
 */
struct bytes_writer {
    uint8_t *data;
    size_t size;
    size_t len;
    bool overflow;
};

static inline struct bytes_writer bytes_writer_over(uint8_t *data, size_t size)
{
    return (struct bytes_writer){.data = data, .size = size};
}

/* The next `len` bytes to write to, or NULL if they do not fit. */
static inline uint8_t *bytes_reserve(struct bytes_writer *writer, size_t len)
{
    if (writer->overflow || len > writer->size - writer->len) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *p = writer->data + writer->len;
    writer->len += len;
    return p;
}

static inline void bytes_put(struct bytes_writer *writer, const void *data, size_t len)
{
    uint8_t *p = bytes_reserve(writer, len);
    if (p != NULL && len > 0)
        memcpy(p, data, len);
}

static inline void bytes_put_u8(struct bytes_writer *writer, uint8_t value)
{
    bytes_put(writer, &value, 1);
}
static inline void bytes_put_u16_be(struct bytes_writer *writer, uint16_t value)
{
    uint8_t *p = bytes_reserve(writer, 2);
    if (p != NULL)
        set_u16_be(p, value);
}
static inline void bytes_put_u32_be(struct bytes_writer *writer, uint32_t value)
{
    uint8_t *p = bytes_reserve(writer, 4);
    if (p != NULL)
        set_u32_be(p, value);
}
static inline void bytes_put_u16_le(struct bytes_writer *writer, uint16_t value)
{
    uint8_t *p = bytes_reserve(writer, 2);
    if (p != NULL)
        set_u16_le(p, value);
}
static inline void bytes_put_u32_le(struct bytes_writer *writer, uint32_t value)
{
    uint8_t *p = bytes_reserve(writer, 4);
    if (p != NULL)
        set_u32_le(p, value);
}

#endif
