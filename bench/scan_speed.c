/*
 * scan-speed - how many files a second one scanner looks at: open, fstat, structure check, GDCM, close.
 *
 * usage: scan-speed DIR [PASSES]. The first pass warms the page cache and is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "catalog/discover.h"
#include "catalog/instance.h"
#include "catalog/scan.h"

/* All paths below `folder`, each a heap string. */
static char **collect_paths(const char *folder, size_t *ret_count)
{
    struct discover_options options = {.inputs = &folder, .input_count = 1, .recursive = true};
    struct discover *discover;
    char **paths = NULL;
    size_t count = 0;
    if (discover_create(&discover, &options) < 0)
        return NULL;
    for (;;) {
        struct discover_entry entry = discover_next(discover);
        if (entry.kind == DISCOVER_END)
            break;
        if (entry.kind != DISCOVER_FILE)
            continue;
        char **grown = (char **)reallocarray(paths, count + 1, sizeof *paths);
        if (grown == NULL)
            break;
        paths = grown;
        paths[count++] = strdup(entry.path);
    }
    discover_destroy(discover);
    *ret_count = count;
    return paths;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    char **paths = argc > 1 ? collect_paths(argv[1], &count) : NULL;
    struct scan_options options = {0};
    struct scanner *scanner = scanner_create(&options);
    if (paths == NULL || scanner == NULL) {
        fputs("usage: scan-speed DIR [PASSES]\n", stderr);
        return 1;
    }
    int passes = argc > 2 ? atoi(argv[2]) : 5;
    for (int pass = 0; pass <= passes; pass++) {
        size_t sendable = 0;
        uint64_t begun_us = clock_monotonic_us();
        for (size_t i = 0; i < count; i++) {
            struct instance *instance = scanner_read(scanner, paths[i]);
            sendable += instance != NULL && instance->outcome.state == OUTCOME_PENDING;
            instance_destroy(instance);
        }
        double seconds = (double)(clock_monotonic_us() - begun_us) / 1e6;
        if (pass > 0)
            printf("%zu files, %zu sendable, %.3f s, %.0f files/s\n", count, sendable, seconds,
                   (double)count / seconds);
    }
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    scanner_destroy(scanner);
    return 0;
}
