/* sized - see sized.h. */
#include "base/sized.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int sized_take(void *ret_own, size_t own_size, size_t least_size, const void *given)
{
    size_t size;
    if (given == NULL)
        return -EINVAL;
    memcpy(&size, given, sizeof size);
    if (size < least_size || size > SIZED_MAX)
        return DICOMNET_ERROR_OPTIONS_SIZE;
    for (size_t i = own_size; i < size; i++)
        if (((const uint8_t *)given)[i] != 0)
            return DICOMNET_ERROR_OPTIONS_SIZE;
    memset(ret_own, 0, own_size);
    memcpy(ret_own, given, size < own_size ? size : own_size);
    memcpy(ret_own, &own_size, sizeof own_size);
    return 0;
}
