/*
 * span - a borrowed run of bytes: a pointer and a length, never owned, never NUL-terminated by promise.
 */
#ifndef DICOMNET_SPAN_H
#define DICOMNET_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_span {
    const uint8_t *data;
    size_t len;
};

/* A span over a C string, without its NUL. `text` is borrowed. */
struct dicomnet_span dicomnet_span_of(const char *text);

/* True if the span holds exactly the bytes of `text`. */
bool dicomnet_span_equals(struct dicomnet_span span, const char *text);

/*
 * Copy into `ret_text` (of `size` bytes, NUL included) what the standard means by a padded string: NULs and spaces at
 * its end and spaces in front of it are dropped. A NUL with more behind it is copied as '?': "1.2\0003" is not the UID
 * "1.2", and is never taken for it. What does not fit is cut: false.
 */
bool dicomnet_span_copy_trimmed(struct dicomnet_span span, char *ret_text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
