/* span - see dicomnet/span.h. */
#include "dicomnet/span.h"

#include <string.h>

struct dicomnet_span dicomnet_span_of(const char *text)
{
    return (struct dicomnet_span){.data = (const uint8_t *)text, .len = strlen(text)};
}

bool dicomnet_span_equals(struct dicomnet_span span, const char *text)
{
    size_t len = strlen(text);
    return span.len == len && (len == 0 || memcmp(span.data, text, len) == 0);
}

static struct dicomnet_span without_trailing_padding(struct dicomnet_span span)
{
    while (span.len > 0 && (span.data[span.len - 1] == ' ' || span.data[span.len - 1] == '\0'))
        span.len--;
    return span;
}

bool dicomnet_span_copy_trimmed(struct dicomnet_span span, char *ret_text, size_t size)
{
    while (span.len > 0 && span.data[0] == ' ') {
        span.data++;
        span.len--;
    }
    span = without_trailing_padding(span);
    bool fits = span.len < size;
    if (!fits) {
        span.len = size - 1;
        span = without_trailing_padding(span);
    }
    if (span.len > 0)
        memcpy(ret_text, span.data, span.len);
    for (char *nul = ret_text; (nul = memchr(nul, '\0', span.len - (size_t)(nul - ret_text))) != NULL;)
        *nul = '?';
    ret_text[span.len] = '\0';
    return fits;
}
