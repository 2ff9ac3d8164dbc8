/*
 * session_outcomes - what becomes of instances: each that has its outcome is counted, kept, told to the observer and
 * freed; each that was not sent is planned again, or ends so. On the main thread. See session_private.h.
 */
#include <stdio.h>

#include "base/clock.h"
#include "engine/session_private.h"
#include "engine/tally.h"
#include "instance/event.h"
#include "instance/instance.h"

void session_log_record(struct session *session, const struct event_record *record)
{
    struct event_record stamped = *record;
    if (stamped.log.time_us == 0)
        stamped.log.time_us = clock_wall_us();
    if (session->observer->log != NULL)
        session->observer->log(session->observer->user, &stamped);
}

void session_write_log(void *user, const struct dicomnet_log_record *record)
{
    const struct event_record own = {.log = *record};
    session_log_record(user, &own);
}

/* Counts and times of an instance that ended in this session. */
static void count_new(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED)
        session->progress.totals.bytes_stored += instance_wire_len(instance);
    tally_instance(session->result, instance);
    if (outcome->attempts > 0) {
        uint64_t now_us = clock_monotonic_us();
        session->result->transfer_us = now_us - session->transfer_begun_us;
        /* The worker's time, not now: the outcome may have been on its way while the next association failed. */
        peer_note_answer(&session->peer, instance->delivery.answered_us);
    }
    keeping_add(&session->keeping, instance);
}

void session_end_instance(struct session *session, struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    struct session_totals *totals = &session->progress.totals;
    if (session->time_is_up && outcome->state == OUTCOME_PENDING) {
        totals->files--;
        totals->by_state[OUTCOME_PENDING]--;
        intake_note_ended(session->intake);
        instance_destroy(instance);
        return;
    }
    if (instance->outcome.ended_us == 0)
        instance->outcome.ended_us = clock_wall_us();
    totals->by_state[OUTCOME_PENDING]--;
    totals->by_state[outcome->state]++;
    intake_note_ended(session->intake);
    if (outcome->earlier)
        totals->earlier[outcome->state]++;
    else
        count_new(session, instance);
    session->progress.scan_ended = !session_is_scanning(session);
    session_log_outcome(session, instance);
    if (session->observer->instance_ended != NULL)
        session->observer->instance_ended(session->observer->user, instance, &session->progress);
    instance_destroy(instance);
}

void session_take_back(struct session *session, struct instance *instance)
{
    if (plan_return(&session->plan, instance) == 0)
        return;
    instance->outcome.state = OUTCOME_FAILED;
    instance->outcome.reason = REASON_OUT_OF_MEMORY;
    session_end_instance(session, instance);
}

void session_end_unsent(struct session *session, struct instance *instance)
{
    if (instance->outcome.state != OUTCOME_IN_DOUBT)
        instance->outcome.state = OUTCOME_PENDING;
    instance->outcome.reason = REASON_INTERRUPTED;
    session_end_instance(session, instance);
}

/* ---- what outlives the session ---- */

void session_note_record_problem(struct session *session, const char *problem)
{
    if (session->record_failed)
        return;
    session->record_failed = true;
    if (session->phase < PHASE_STOPPING) {
        session_stop_for(session, SESSION_STOPPED, problem);
        session_go_on(session);
        return;
    }
    SESSION_LOG(session, DICOMNET_LOG_ERROR, EVENT_SESSION_NOTE, LOG_TEXT("text", problem));
    if (session->result->verdict == SESSION_COMPLETE) {
        session->result->verdict = SESSION_STOPPED;
        snprintf(session->result->stop_text, sizeof session->result->stop_text, "%s", problem);
    }
}
