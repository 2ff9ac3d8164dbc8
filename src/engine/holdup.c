/*
 * holdup - what keeps a session from storing right now, for whoever watches it: a pause, a peer that cannot be reached,
 * or that it was asked to stop. On the main thread.
 */
#include <string.h>

#include "base/clock.h"
#include "engine/session_private.h"

void session_note_retry(struct session *session, const struct event_record *record)
{
    bool is_ours = record->log.event == EVENT_ASSOCIATION_RETRY && record->worker > 0 &&
                   record->worker <= (int)session->crew_count;
    for (size_t i = 0; is_ours && i < record->log.field_count; i++)
        if (strcmp(record->log.fields[i].key, "delay_ms") == 0)
            session->crew[record->worker - 1].retry_us =
                clock_monotonic_us() + (uint64_t)record->log.fields[i].number * 1000;
}

/* Nobody has an association: which try is it, and when does the next of the workers make it? */
static void look_at_connecting(const struct session *session, uint64_t now_us, struct session_progress *progress)
{
    uint64_t next_us = UINT64_MAX;
    unsigned tries = 0;
    for (unsigned i = 0; i < session->crew_count; i++) {
        const struct crew *crew = &session->crew[i];
        if (crew->open)
            return;
        if (crew->worker == NULL || (crew->work == NULL && !crew->backs_off))
            continue;
        tries = crew->failures + 1 > tries ? crew->failures + 1 : tries;
        next_us = crew->retry_us < next_us ? crew->retry_us : next_us;
    }
    if (tries == 0)
        return;
    progress->holdup = HOLDUP_CONNECTING;
    progress->tries = tries;
    progress->next_try_us = next_us > now_us ? next_us - now_us : 0;
}

void session_note_holdup(struct session *session)
{
    struct session_progress *progress = &session->progress;
    uint64_t now_us = clock_monotonic_us();
    progress->holdup = HOLDUP_NONE;
    progress->tries = 0;
    progress->next_try_us = 0;
    if (session->phase == PHASE_STOPPING && session->crew_left > 0 && !session->time_is_up) {
        progress->holdup = HOLDUP_STOPPING;
    } else if (session->phase == PHASE_SENDING && session->breaker.state != BREAKER_FLOWING) {
        bool paused = session->breaker.state == BREAKER_PAUSED;
        progress->holdup = HOLDUP_PAUSED;
        progress->tries = session->breaker.pauses;
        if (paused && session->breaker.resume_ms > now_us / 1000)
            progress->next_try_us = session->breaker.resume_ms * 1000 - now_us;
    } else if (session->phase == PHASE_SENDING) {
        look_at_connecting(session, now_us, progress);
    }
}
