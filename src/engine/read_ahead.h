/*
 * read_ahead - how many files are to be opened and read before their turn: as many as it takes to hide how long that
 * takes behind the stores that are made meanwhile.
 *
 * Pure: durations in, a number out. One worker's.
 *
 *   depth = latency / time of a store, rounded up, and one more; 0 while storage is fast, unless it may hang
 *
 * so a local disk is read by the worker itself, when the turn of a file has come. Storage is slow or fast by what
 * most of the last readings say (files/slowness.h). Before there are some, it is what the scan says of it.
 */
#ifndef ENGINE_READ_AHEAD_H
#define ENGINE_READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "files/slowness.h"

enum { READ_AHEAD_DEPTH_MAX = 64 };

struct read_ahead {
    struct slowness slowness;
    uint64_t readings;   /* that were noted */
    uint64_t latency_us; /* of opening a file and reading its first bytes: the average of the last ones */
    uint64_t store_us;   /* of a store, but for waiting for its file: the same */
};

/* All zero: nothing is known. */

/* How long a reading of so many bytes took, but for the time that copying them takes anywhere. */
uint64_t read_ahead_without_copying(uint64_t took_us, uint64_t bytes);

/* A file was opened and its first bytes were read, by whomever: so many. */
void read_ahead_note_reading(struct read_ahead *ahead, uint64_t took_us, uint64_t bytes);

/* So long it took from one store to the next, but for waiting for its file. */
void read_ahead_note_store(struct read_ahead *ahead, uint64_t took_us);

/* What the scan found out of its storage. */
struct read_ahead_scan {
    bool slow;   /* files take long to be opened */
    bool remote; /* it is behind a network, or a process: it may hang, however fast it was */
};

/*
 * How many files of those that come next should be under way or there. Of storage that may hang two at least, so that
 * no worker waits for it but by readers.h, which ends.
 */
unsigned read_ahead_depth(const struct read_ahead *ahead, const struct read_ahead_scan *scan);

#endif
