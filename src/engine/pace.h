/*
 * pace - how many associations at a time are worth it: found by trying, while a session runs.
 *
 * Pure arithmetic: it is told from time to time what has been stored so far, and answers how many workers are allowed.
 * No clock, no thread, no session; a test can feed it any throughput there is.
 *
 *                 a tenth faster: keep, and double again
 *                +-----+
 *                v     |
 *   BASELINE --> RAISED --> HOLDING --(time to try again)--> RAISED by a quarter
 *       ^           no faster: back  |  ^
 *       |                   slower   v  | half is as good: keep; if not: back
 *       |                         LOWERED
 *       +---- the peer is out of resources, from any state: fewer, and a long hold
 *
 * Throughput is judged by instances and bytes together (the geometric mean of how both have grown), as studies of small
 * and of large instances come in turn. Nothing is judged before every allowed worker is at work and each has stored
 * some instances.
 */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The most workers that are tried. It is the peer that counts, not our processors: PACS are commonly set up for ten to
 * twenty associations for everybody together, so who wants more of one must say so with a number.
 */
enum { PACE_MAX = 16 };

enum pace_state {
    PACE_BASELINE, /* what `base` workers do is not known yet */
    PACE_RAISED,   /* more than `base` are tried */
    PACE_LOWERED,  /* fewer than `base` are tried, as it has become slower */
    PACE_HOLDING   /* `base` it is, for a while */
};

/* How far the session is. */
struct pace_sample {
    uint64_t time_us;          /* monotonic */
    uint64_t instances, bytes; /* stored since the session began */
    unsigned workers;          /* with work and an open association, now */
};

struct pace_rate {
    double instances, bytes; /* a second; instances = 0: not known */
};

struct pace {
    unsigned max;
    unsigned allowed; /* workers, now */
    unsigned base;    /* the best number known */
    bool settled;     /* more than `base` was tried and was no better, or is not allowed */
    enum pace_state state;
    struct pace_rate rate;    /* of base */
    unsigned slow_periods;    /* in a row */
    unsigned hold, hold_next; /* periods until the next try; and how long the next hold is */
    bool measuring;           /* all who are allowed are at work: `begun` is the begin of a period */
    uint64_t changed_us;      /* when `allowed` was changed; 0 = the first sample will say */
    struct pace_sample begun;
};

/* Begin with one worker of at most `max` (from 1; above PACE_MAX it is PACE_MAX). */
void pace_init(struct pace *pace, unsigned max);

/* Look at where the session is, a few times a second. Returns how many workers are allowed from now on. */
unsigned pace_measure(struct pace *pace, const struct pace_sample *sample);

/*
 * The peer rejects associations for now (`rejected`), or answers that it is out of resources; `workers` have an
 * association open. Returns how many are allowed from now on: what it tolerated, or half. Several complaints about the
 * same thing count once.
 */
unsigned pace_back_off(struct pace *pace, bool rejected, unsigned workers);

#endif
