/* worker_state - the one place where a worker's state changes, and what its time goes into in each. On its thread. */
#include "base/clock.h"
#include "engine/worker_private.h"

enum time_kind worker_time_kind(const struct worker *worker)
{
    if (worker->stopping && worker->state != WORKER_STOPPED)
        return TIME_WAITING;
    switch (worker->state) {
    case WORKER_OPENING:
        return TIME_CONNECTING;
    case WORKER_SENDING:
        return worker->held || worker->awaits_word ? TIME_PAUSED : TIME_STORAGE;
    case WORKER_RELEASING:
        return TIME_WAITING;
    case WORKER_BACKOFF:
        return TIME_PAUSED;
    case WORKER_IDLE:
    case WORKER_STOPPED:
        break;
    }
    return worker->resting ? TIME_RESTING : TIME_IDLE;
}

void worker_enter(struct worker *worker, enum worker_state state)
{
    if (worker->state == state)
        return;
    worker->state = state;
    worker_time_set(&worker->time, worker_time_kind(worker), clock_monotonic_us());
}

void worker_claim_negotiation(struct worker *worker)
{
    const struct dicomnet_association *association =
        worker->user != NULL ? dicomnet_storage_user_association(worker->user) : NULL;
    uint64_t connect_us = association != NULL ? dicomnet_association_connect_us(association) : 0;
    uint64_t opening_us = clock_monotonic_us() - worker->time.since_us;
    if (connect_us > 0 && opening_us > connect_us)
        worker_time_claim(&worker->time, TIME_NEGOTIATING, opening_us - connect_us);
}
