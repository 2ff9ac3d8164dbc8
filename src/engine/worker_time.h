/*
 * worker_time - what the workers' time goes into: each moment of a worker belongs to exactly one kind.
 *
 * A worker says with one setter what it does from now on. Its clock begins with the session, so that what came before
 * the worker was needed (a scan that had found nothing yet) is told as well; the sum over the kinds is the time from
 * there to the worker's end. Why a worker has nothing to do is known to the main thread alone, which keeps an
 * idle_clock; the worker reads it when it begins to be idle and when it ends.
 */
#ifndef ENGINE_WORKER_TIME_H
#define ENGINE_WORKER_TIME_H

#include <stdint.h>
#include <uv.h>

#include "engine/time_kind.h"

/* Why workers without work have none, and how long each reason has held. Set on the main thread, read on any. */
struct idle_clock {
    uv_mutex_t mutex;
    enum time_kind kind;
    uint64_t begun_us, since_us; /* monotonic: of the first reason, and of this one */
    uint64_t held_us[TIME_KINDS];
};

/* 0, or an error of libuv. */
int idle_clock_init(struct idle_clock *clock, enum time_kind kind, uint64_t now_us);
void idle_clock_fini(struct idle_clock *clock);

/* It is another reason from now on; nothing happens if it is the same. */
void idle_clock_set(struct idle_clock *clock, enum time_kind kind);

struct worker_time {
    struct idle_clock *idle_clock; /* borrowed; NULL = idle time is TIME_IDLE */
    enum time_kind kind;
    uint64_t since_us;                 /* monotonic */
    uint64_t idle_held_us[TIME_KINDS]; /* of the idle clock, when this one began to be idle */
    uint64_t claims_us[TIME_KINDS];    /* of the span under way */
    uint64_t spent_us[TIME_KINDS];
};

/* Idle, since the idle clock began. `clock` may be NULL: since `now_us`. */
void worker_time_init(struct worker_time *time, struct idle_clock *clock, uint64_t now_us);

/* The worker does this from now on; TIME_IDLE also if it is for another reason, the idle clock tells. */
void worker_time_set(struct worker_time *time, enum time_kind kind, uint64_t now_us);

/*
 * So much of the span that is under way was something else: of the time with stores under way, say, which is
 * TIME_WAITING, what was measured as reading and as writing. A span gives no more than it has.
 */
void worker_time_claim(struct worker_time *time, enum time_kind kind, uint64_t us);

#endif
