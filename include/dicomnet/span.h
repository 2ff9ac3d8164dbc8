/*
 * span - a borrowed run of bytes: a pointer and a length, never owned, never NUL-terminated by promise.
 */
#ifndef DICOMNET_SPAN_H
#define DICOMNET_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *data;
    size_t len;
};

/* A span over a C string, without its NUL. `text` is borrowed. */
struct span span_of(const char *text);

/* True if the span holds exactly the bytes of `text`. */
bool span_equals(struct span span, const char *text);

/*
 * Copy into `ret_text` (of `size` bytes, NUL included) what the standard means by a padded string: it ends at the first
 * NUL, and leading and trailing spaces are dropped. What does not fit is cut: false.
 */
bool span_copy_trimmed(struct span span, char *ret_text, size_t size);

#endif
