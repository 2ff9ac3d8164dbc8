/* worker_time - see worker_time.h. */
#include "engine/worker_time.h"

#include <string.h>

#include "base/clock.h"

/* ---- why nobody has work ---- */

int idle_clock_init(struct idle_clock *clock, enum time_kind kind, uint64_t now_us)
{
    *clock = (struct idle_clock){.kind = kind, .begun_us = now_us, .since_us = now_us};
    return uv_mutex_init(&clock->mutex);
}

void idle_clock_fini(struct idle_clock *clock)
{
    uv_mutex_destroy(&clock->mutex);
}

void idle_clock_set(struct idle_clock *clock, enum time_kind kind)
{
    if (kind == clock->kind) /* nobody else writes it */
        return;
    uint64_t now_us = clock_monotonic_us();
    uv_mutex_lock(&clock->mutex);
    clock->held_us[clock->kind] += now_us - clock->since_us;
    clock->kind = kind;
    clock->since_us = now_us;
    uv_mutex_unlock(&clock->mutex);
}

static void read_idle_clock(struct idle_clock *clock, uint64_t now_us, uint64_t ret_held_us[TIME_KINDS])
{
    uv_mutex_lock(&clock->mutex);
    memcpy(ret_held_us, clock->held_us, sizeof clock->held_us);
    if (now_us > clock->since_us)
        ret_held_us[clock->kind] += now_us - clock->since_us;
    uv_mutex_unlock(&clock->mutex);
}

/* ---- a worker's time ---- */

void worker_time_init(struct worker_time *time, struct idle_clock *clock, uint64_t now_us)
{
    *time = (struct worker_time){
        .idle_clock = clock, .kind = TIME_IDLE, .since_us = clock != NULL ? clock->begun_us : now_us};
}

/* The idle span that ends now is claimed by the reasons for it. */
static void claim_by_reasons(struct worker_time *time, uint64_t now_us)
{
    uint64_t held_us[TIME_KINDS];
    read_idle_clock(time->idle_clock, now_us, held_us);
    for (int kind = 0; kind < TIME_KINDS; kind++)
        if (kind != TIME_IDLE && held_us[kind] > time->idle_held_us[kind])
            time->claims_us[kind] += held_us[kind] - time->idle_held_us[kind];
}

static void end_span(struct worker_time *time, uint64_t now_us)
{
    uint64_t left_us = now_us > time->since_us ? now_us - time->since_us : 0;
    if (time->kind == TIME_RESTING)
        return;
    if (time->kind == TIME_IDLE && time->idle_clock != NULL)
        claim_by_reasons(time, now_us);
    for (int kind = 0; kind < TIME_KINDS; kind++) {
        uint64_t taken_us = time->claims_us[kind] < left_us ? time->claims_us[kind] : left_us;
        time->spent_us[kind] += taken_us;
        left_us -= taken_us;
    }
    time->spent_us[time->kind] += left_us;
}

void worker_time_set(struct worker_time *time, enum time_kind kind, uint64_t now_us)
{
    end_span(time, now_us);
    memset(time->claims_us, 0, sizeof time->claims_us);
    time->kind = kind;
    time->since_us = now_us > time->since_us ? now_us : time->since_us;
    if (kind == TIME_IDLE && time->idle_clock != NULL)
        read_idle_clock(time->idle_clock, now_us, time->idle_held_us);
}

void worker_time_claim(struct worker_time *time, enum time_kind kind, uint64_t us)
{
    time->claims_us[kind] += us;
}
