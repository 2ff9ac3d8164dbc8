/*
 * memory - allocation that does not give up at once: memory that is short now is often free a moment later, when other
 * threads have ended theirs.
 *
 * For what cannot be left out, and for libraries that end the process without it. All else uses malloc and says so when
 * there is none.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* As malloc, calloc and realloc, but they try again for up to a second before they answer NULL. free() frees. */
void *memory_allocate(size_t size);
void *memory_allocate_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t size);

#endif
