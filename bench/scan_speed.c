/*
 * scan-speed - how many files a second scanners look at, each on a thread of its own: open, fstat, structure check,
 * GDCM, close. Finding the files is not part of what is timed.
 *
 * usage: scan-speed DIR [PASSES [THREADS]]. The first pass warms the page cache and is not counted.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "files/discover.h"
#include "files/scan.h"
#include "instance/instance.h"

enum { THREADS_MAX = 64, BATCH_PATHS = 256 };

static char **paths;
static size_t path_count;
static atomic_size_t next_path, sendable;

/* All paths below `folder`, each a heap string. */
static char **collect_paths(const char *folder, size_t *ret_count)
{
    struct discover_options options = {.inputs = &folder, .input_count = 1, .recursive = true};
    struct discover *discover;
    char **found = NULL;
    size_t count = 0;
    if (discover_create(&discover, &options) < 0)
        return NULL;
    for (;;) {
        struct discover_entry entry = discover_next(discover);
        if (entry.kind == DISCOVER_END)
            break;
        if (entry.kind != DISCOVER_FILE)
            continue;
        char **grown = (char **)reallocarray(found, count + 1, sizeof *found);
        if (grown == NULL)
            break;
        found = grown;
        found[count++] = strdup(entry.path);
    }
    discover_destroy(discover);
    *ret_count = count;
    return found;
}

static void *scan_batches(void *argument)
{
    struct scanner *scanner = argument;
    for (;;) {
        size_t begin = atomic_fetch_add(&next_path, BATCH_PATHS), end = begin + BATCH_PATHS, good = 0;
        if (begin >= path_count)
            return NULL;
        for (size_t i = begin; i < end && i < path_count; i++) {
            struct instance *instance = scanner_read(scanner, paths[i]);
            good += instance != NULL && instance->outcome.state == OUTCOME_PENDING;
            instance_destroy(instance);
        }
        atomic_fetch_add(&sendable, good);
    }
}

/* All of them once, in seconds; a negative number if a thread could not be made. */
static double scan_all(struct scanner **scanners, unsigned threads)
{
    pthread_t ids[THREADS_MAX];
    unsigned begun = 0;
    next_path = sendable = 0;
    uint64_t begun_us = clock_monotonic_us();
    while (begun < threads && pthread_create(&ids[begun], NULL, scan_batches, scanners[begun]) == 0)
        begun++;
    for (unsigned i = 0; i < begun; i++)
        pthread_join(ids[i], NULL);
    return begun < threads ? -1 : (double)(clock_monotonic_us() - begun_us) / 1e6;
}

int main(int argc, char **argv)
{
    struct scanner *scanners[THREADS_MAX] = {0};
    struct scan_options options = {0};
    int passes = argc > 2 ? atoi(argv[2]) : 5, threads = argc > 3 ? atoi(argv[3]) : 1;
    bool ready = argc > 1 && threads >= 1 && threads <= THREADS_MAX;
    paths = ready ? collect_paths(argv[1], &path_count) : NULL;
    ready = paths != NULL;
    for (int i = 0; i < threads && ready; i++)
        ready = (scanners[i] = scanner_create(&options)) != NULL;
    if (!ready)
        fputs("usage: scan-speed DIR [PASSES [THREADS]]\n", stderr);
    for (int pass = 0; pass <= passes && ready; pass++) {
        double seconds = scan_all(scanners, (unsigned)threads);
        ready = seconds > 0;
        if (ready && pass > 0)
            printf("%zu files, %zu sendable, %.3f s, %.0f files/s\n", path_count, (size_t)sendable, seconds,
                   (double)path_count / seconds);
    }
    for (int i = 0; i < THREADS_MAX; i++)
        scanner_destroy(scanners[i]);
    for (size_t i = 0; i < path_count; i++)
        free(paths[i]);
    free(paths);
    return ready ? 0 : 1;
}
