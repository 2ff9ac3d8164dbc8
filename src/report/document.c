/* document - see document.h. */
#include "report/document.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

json_t *document_string(const char *string)
{
    json_t *value = json_string(string);
    if (value != NULL)
        return value;
    struct text text = {0};
    text_put_utf8(&text, string);
    value = text.failed ? NULL : json_string(text.data);
    text_fini(&text);
    return value;
}

json_t *document_string_or_null(const char *string)
{
    return string != NULL ? document_string(string) : json_null();
}

json_t *document_number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *document_seconds(uint64_t us)
{
    return json_real((double)us / 1e6);
}

json_t *document_rate(double amount, uint64_t us)
{
    return json_real(us > 0 ? round(amount * 1e9 / (double)us) / 1e3 : 0.0);
}

json_t *document_time(uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (wall_us == 0)
        return json_null();
    clock_format(wall_us, text);
    return json_string(text);
}

json_t *document_status(uint16_t status)
{
    return json_sprintf("0x%04X", (unsigned)status);
}

int document_put_header(FILE *out, json_t *header)
{
    char *text = header != NULL ? json_dumps(header, DOCUMENT_FLAGS | JSON_INDENT(2)) : NULL;
    json_decref(header);
    if (text == NULL)
        return -ENOMEM;
    size_t len = strlen(text) - 2; /* without its closing "\n}" */
    int error = fwrite(text, 1, len, out) == len ? 0 : -EIO;
    free(text);
    return error;
}
