/* span - see dicomnet/span.h. */
#include "dicomnet/span.h"

#include <string.h>

struct span span_of(const char *text)
{
    return (struct span){.data = (const uint8_t *)text, .len = strlen(text)};
}

bool span_equals(struct span span, const char *text)
{
    size_t len = strlen(text);
    return span.len == len && (len == 0 || memcmp(span.data, text, len) == 0);
}

static struct span without_trailing_spaces(struct span span)
{
    while (span.len > 0 && span.data[span.len - 1] == ' ')
        span.len--;
    return span;
}

bool span_copy_trimmed(struct span span, char *ret_text, size_t size)
{
    while (span.len > 0 && span.data[0] == ' ') {
        span.data++;
        span.len--;
    }
    const uint8_t *nul = span.len > 0 ? memchr(span.data, '\0', span.len) : NULL;
    if (nul != NULL)
        span.len = (size_t)(nul - span.data);
    span = without_trailing_spaces(span);
    bool fits = span.len < size;
    if (!fits) {
        span.len = size - 1;
        span = without_trailing_spaces(span);
    }
    if (span.len > 0)
        memcpy(ret_text, span.data, span.len);
    ret_text[span.len] = '\0';
    return fits;
}
