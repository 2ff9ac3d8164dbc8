/*
 * buffer - bytes on the heap that grow with what is put into them, up to a limit.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"

/*
 * Make *data, of *size bytes, at least `wanted` bytes long; it grows by doubling. Returns 0,
 * DICOMNET_ERROR_BUFFER_TOO_SMALL if that is more than `max`, or -ENOMEM; nothing is changed then. Both start as NULL
 * and 0.
 */
int buffer_grow(uint8_t **data, size_t *size, size_t wanted, size_t max) DICOMNET_MUST_CHECK;

/* Free it, and make it NULL and 0 again. */
void buffer_free(uint8_t **data, size_t *size);

#endif
