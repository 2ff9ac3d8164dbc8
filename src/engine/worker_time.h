/*
 * worker_time - what the workers' time goes into: each moment of a worker belongs to exactly one kind.
 *
 * A worker's time is a row of spans. worker_time_set ends one and begins the next, which is of one kind; parts of a
 * span that are measured to be of another kind are claimed for that one. The first span begins with the session, so
 * that what came before the worker was needed (a scan that had found nothing yet) is counted as well; the sum over all
 * kinds is the time from there to the worker's end.
 *
 * Why a worker has nothing to do is known to the main thread alone, which keeps an idle_clock. A worker reads it at
 * both ends of an idle span, and so divides the span by the reasons that held meanwhile.
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

/* The reason from now on. Nothing happens if it is the same as before. Main thread only. */
void idle_clock_set(struct idle_clock *clock, enum time_kind kind);

struct worker_time {
    struct idle_clock *idle_clock;     /* borrowed; NULL = idle time has no reasons, and is TIME_IDLE */
    enum time_kind kind;               /* of the span under way, */
    uint64_t since_us;                 /* monotonic; its begin, */
    uint64_t claims_us[TIME_KINDS];    /* and the parts of it that were claimed */
    uint64_t idle_held_us[TIME_KINDS]; /* held_us of the idle clock at the begin of the last idle span */
    uint64_t spent_us[TIME_KINDS];     /* of all spans that have ended */
};

/* The first span is idle and begins when the idle clock began, or at `now_us` if `clock` is NULL. */
void worker_time_init(struct worker_time *time, struct idle_clock *clock, uint64_t now_us);

/* End the span under way and begin one of this kind. A worker with nothing to do is TIME_IDLE, whatever the reason. */
void worker_time_set(struct worker_time *time, enum time_kind kind, uint64_t now_us);

/*
 * So much of the span under way is of another kind: while stores are under way, which is TIME_WAITING, what was
 * measured as reading and as writing, for example. Claims beyond the length of the span are cut.
 */
void worker_time_claim(struct worker_time *time, enum time_kind kind, uint64_t us);

#endif
