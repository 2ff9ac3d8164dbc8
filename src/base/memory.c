/* memory - see memory.h. */
#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

enum { TRIES = 100, PAUSE_MS = 10 };

void *memory_resize(void *old, size_t size)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    size_t wanted = size > 0 ? size : 1; /* realloc of 0 bytes may return NULL with memory left */
    for (int tries = 1;; tries++) {
        void *memory = realloc(old, wanted);
        if (memory != NULL || tries == TRIES)
            return memory;
        nanosleep(&pause, NULL);
    }
}

void *memory_allocate(size_t size)
{
    return memory_resize(NULL, size);
}

void *memory_allocate_zeroed(size_t count, size_t size)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    void *memory = calloc(count, size);
    for (int tries = 1; memory == NULL && tries < TRIES; tries++) {
        nanosleep(&pause, NULL);
        memory = calloc(count, size);
    }
    return memory;
}
