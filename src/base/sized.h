/*
 * sized - options structs that grow: taken from a caller who was compiled with an older, or newer, version of theirs.
 */
#ifndef BASE_SIZED_H
#define BASE_SIZED_H

#include <stddef.h>

#include "dicomnet/error.h"

enum { SIZED_MAX = 64 * 1024 }; /* no options struct is larger: what says so was never initialized */

/*
 * Copy the options at `given`, which begin with their `size_t size`, to `ret_own` of `own_size` bytes, and set its own
 * size. What an older caller does not have yet is zero. What a newer one has beyond ours must be zero. Returns 0,
 * -EINVAL if `given` is NULL, or DICOMNET_ERROR_OPTIONS_SIZE: smaller than `least_size`, larger than SIZED_MAX, or
 * something is set that is not known here.
 */
int sized_take(void *ret_own, size_t own_size, size_t least_size, const void *given) DICOMNET_MUST_CHECK;

/* sized_take into the struct at `own`; `last` is its last member that every version of it has. */
#define SIZED_TAKE(own, last, given)                                                                                   \
    sized_take((own), sizeof *(own), offsetof(__typeof__(*(own)), last) + sizeof(own)->last, (given))

#endif
