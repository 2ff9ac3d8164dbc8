/*
 * scan_width - how many scanners are worth it: facts and time in, verdict out.
 *
 * A scanner that reads from a cache or a fast disk keeps a CPU busy, and two of them are enough. One that waits for a
 * round trip to a NAS at each open leaves the CPU alone, and as many more can wait beside it as would keep the CPUs
 * busy together: cores * wall time / CPU time. That a scanner waits for storage, and not for its turn on a busy CPU, is
 * told by the times that it slept within its work (waits). The storage has the last word: each step up is a trial, and
 * where more scanners only make each of them wait longer, or all of them less is done, it is taken back.
 *
 *            +--------------------- storage fast: as few as `useful` ------------------+
 *            v                                                                         |
 *      at a width -- useful is more, not held --> trial, wider by 4 or 2 -- more is done --> at the new width
 *            ^                                       |
 *            |  not enough more: back, by 2 next; after 2 a pause (2 s, 4 s ... 30 s)
 *            +---------------------------------------+
 *      at a width -- a wait takes twice as long as when it was chosen --> trial, half as wide -- as much is done -->
 * kept
 *
 * What is done is counted in waits, as listing a folder and looking into a file take different numbers of them. Pure
 * logic: the time comes from outside, in microseconds of any clock that does not go back.
 */
#ifndef ENGINE_SCAN_WIDTH_H
#define ENGINE_SCAN_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

enum { SCAN_WIDTH_LEAST = 2, SCAN_WIDTH_MAX = 64 };

/* Sums since the scan began, over all scanners. */
struct scan_work {
    uint64_t steps;   /* files looked into, folders read, paths looked at */
    uint64_t wall_us; /* that they took, added up */
    uint64_t cpu_us;  /* of it on a CPU */
    uint64_t waits;   /* how often a scanner slept within them: voluntary context switches */
};

/* All zero, then scan_width_begin. */
struct scan_width {
    unsigned least, most, cores;
    unsigned width;        /* the verdict */
    struct scan_work last; /* when the window that is being measured began, */
    uint64_t since_us;     /* and when that was */
    bool settling;         /* the width has just changed: this window does not count */
    bool calm;             /* the last window said that fewer do, too */
    unsigned factor;       /* of the next step up: 4 or 2 */
    unsigned before;       /* the width before the trial under way; 0 = there is none */
    uint64_t before_ns;    /* of the work of a scanner, for each wait: before the trial, */
    uint64_t chosen_ns;    /* and when this width was chosen; 0 = not known yet */
    uint64_t hold_us, held_until_us;
};

/* Begin with `least` scanners, and never more than `most`. Both the same: that many, whatever is measured. */
void scan_width_begin(struct scan_width *width, unsigned least, unsigned most, unsigned cores, uint64_t now_us);

/*
 * The verdict by what was done up to now. `stuck` scanners have been at one step for so long that they are not counted
 * on: that many more take their place, up to `most`. To be asked some hundred times a second.
 */
unsigned scan_width_judge(struct scan_width *width, const struct scan_work *work, unsigned stuck, uint64_t now_us);

/* There is no room for more than `most` (threads, descriptors), now and later. At least one remains. */
void scan_width_limit(struct scan_width *width, unsigned most);

#endif
