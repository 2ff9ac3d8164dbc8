/* buffer - see base/buffer.h. */
#include "base/buffer.h"

#include <errno.h>
#include <stdlib.h>

enum { SIZE_MIN = 256 };

int buffer_grow(uint8_t **data, size_t *size, size_t wanted, size_t max)
{
    if (wanted <= *size)
        return 0;
    if (wanted > max)
        return DICOMNET_ERROR_BUFFER_TOO_SMALL;
    size_t bigger = *size < SIZE_MIN ? SIZE_MIN : *size;
    while (bigger < wanted)
        bigger *= 2;
    if (bigger > max)
        bigger = max;
    uint8_t *moved = realloc(*data, bigger);
    if (moved == NULL)
        return -ENOMEM;
    *data = moved;
    *size = bigger;
    return 0;
}

void buffer_free(uint8_t **data, size_t *size)
{
    free(*data);
    *data = NULL;
    *size = 0;
}
