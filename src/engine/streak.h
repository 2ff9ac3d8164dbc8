/*
 * streak - the associations of one worker that came to nothing one after another, and what the end of the next one
 * means. Pure: times come from outside.
 *
 * An association fails if no store could begin on it: it was not opened, or it was and ended before that. It is lost if
 * it ended under a store and had answered none (losses.h). One that answered a store ends both rows.
 */
#ifndef ENGINE_STREAK_H
#define ENGINE_STREAK_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: none yet. */
struct streak {
    unsigned failures;         /* in a row, failed, */
    unsigned opened_failures;  /* and how many of them when one that had opened ended last */
    unsigned losses;           /* in a row, lost */
    uint64_t failing_since_us; /* monotonic; when the first of `failures` was asked for, or the one that is open */
};

/* An association is asked for; and: it has opened, so those that could not be opened count no more. */
void streak_ask(struct streak *streak, uint64_t now_us);
void streak_open(struct streak *streak, uint64_t now_us);

/* How an association ended. */
struct streak_end {
    bool opened;
    bool answered;   /* a store was answered on it */
    bool begun;      /* a store had begun on it */
    bool on_purpose; /* it ended while nothing was to be sent on it, or by a data source that failed */
};
enum streak_verdict {
    STREAK_OVER,  /* nothing speaks against the next association */
    STREAK_LOST,  /* it was lost */
    STREAK_FAILED /* it failed: the next one is to wait */
};
enum streak_verdict streak_close(struct streak *streak, const struct streak_end *end);

/* The peer is known to answer again: what failed counts no more. */
void streak_forget_failures(struct streak *streak);

/* True if those before answered nothing. */
static inline bool streak_holds(const struct streak *streak)
{
    return streak->failures + streak->losses > 0;
}

#endif
