/*
 * session_mail - what workers send home, and what the session does about it: instances with their outcome, refused or
 * lost ones, notices. The crew, the gate and the peer are told, and what their verdicts ask for is done. On the main
 * thread. See session_private.h.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "dicomnet/dimse.h"
#include "engine/session_private.h"
#include "engine/tally.h"
#include "instance/event.h"
#include "instance/instance.h"

static uint64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* ---- what the peer's verdicts ask for ---- */

static void note(struct session *session, const char *text)
{
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
}

static void act(struct session *session, const struct peer_verdict *verdict)
{
    if (verdict->uid_missing)
        note(session, "the peer's responses name no SOP Instance UID: they are taken by Message ID");
    if (verdict->context_other)
        note(session, "the peer's responses come on another presentation context of the same class: they are taken, as "
                      "one store is under way at a time");
    if (verdict->store_max > 0)
        SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
                    LOG_TEXT("text", "the peer ends associations after so many stores: they are released before"),
                    LOG_NUMBER("stores", verdict->store_max));
    if (verdict->store_max > 0 || verdict->unsupported != NULL)
        crew_teach(&session->crew, verdict->store_max, verdict->unsupported);
    if (verdict->wake)
        crew_wake(&session->crew);
    if (verdict->turned_away)
        crew_turned_away(&session->crew, session->phase == PHASE_SENDING, now_ms());
    if (verdict->give_up != NULL)
        session_stop_for(session, SESSION_STOPPED, verdict->give_up);
}

/* ---- no room ---- */

static void begin_pause(struct session *session, const struct gate_verdict *verdict)
{
    if (verdict->first_pause)
        peer_note_no_room(&session->peer, clock_monotonic_us());
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_PAUSED, LOG_NUMBER("delay_ms", verdict->pause_ms),
                LOG_TEXT("text", "the peer is out of resources: all workers pause"));
}

static void end_pause(struct session *session, const char *why)
{
    peer_note_room(&session->peer);
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_RESUMED,
                LOG_NUMBER("paused_ms", gate_paused_for_ms(&session->gate, now_ms())), LOG_TEXT("text", why));
}

/* An earlier session ended it as failed because the peer had no room for it, while it had some for others. For the
 * question of what is left, it counts as refused in this session too. */
static bool was_refused_earlier(void *user, struct instance *instance)
{
    const struct session *session = user;
    if (!instance->trials.refused_earlier)
        return false;
    instance->trials.refused_row = gate_row(&session->gate);
    return true;
}

/*
 * What is left to be sent, for the breaker. As long as the peer has stored nothing it may simply be full: then any rest
 * counts as REST_OTHERS, but for one of nothing but refused instances (in this session or an earlier one).
 */
static enum breaker_rest what_is_left(struct session *session)
{
    if (intake_brings_more(session->intake) || crew_has_work(&session->crew) || !claims_is_idle(&session->claims))
        return REST_OTHERS;
    enum breaker_rest rest = plan_what_is_left(&session->plan, gate_row(&session->gate));
    if (rest == REST_REFUSED || session_acknowledged(&session->progress.totals) > 0)
        return rest;
    return plan_check_untried(&session->plan, was_refused_earlier, session) ? REST_REFUSED : REST_OTHERS;
}

static void let_rest(struct session *session, struct instance *instance, uint64_t at_ms)
{
    uint32_t random = (uint32_t)clock_monotonic_us() * 2654435761u;
    instance->trials.rest_until_ms = at_ms + gate_rest_ms(&session->gate, &instance->trials, random >> 8);
    deferred_rest(&session->deferred, instance);
}

static void take_refused(struct session *session, struct instance *instance)
{
    struct outcome *outcome = &instance->outcome;
    uint64_t at_ms = now_ms();
    if (session->phase >= PHASE_STOPPING) {
        session_end_unsent(session, instance);
        return;
    }
    const struct gate_verdict verdict = gate_refused(&session->gate, &instance->trials, at_ms);
    plan_mark_refused(&session->plan, instance, gate_row(&session->gate));
    crew_answer_refusal(&session->crew, instance->delivery.worker, !verdict.is_shut);
    if (verdict.own_matter && instance->trials.refused > session->options->retry) {
        outcome->state = OUTCOME_FAILED;
        session_end_instance(session, instance);
        return;
    }
    session_log_again(session, instance);
    if (verdict.is_shut)
        session_take_back(session, instance);
    else
        let_rest(session, instance, at_ms);
    if (verdict.has_shut)
        crew_hold(&session->crew); /* nothing begins until it is known whether it is the peer */
    if (verdict.pause_ms > 0)
        begin_pause(session, &verdict);
}

/* ---- instances that associations end with ---- */

static void take_lost(struct session *session, struct instance *instance)
{
    if (session->phase >= PHASE_STOPPING)
        session_end_unsent(session, instance);
    else
        deferred_set_aside(&session->deferred, instance, now_ms());
}

/* ---- outcomes ---- */

static void learn_from_outcome(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    bool kept = outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED;
    bool unsupported = outcome->has_status && outcome->status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED;
    if (kept && gate_stored(&session->gate))
        end_pause(session, "the peer stores again: all workers go on");
    const struct peer_verdict verdict =
        peer_learn_outcome(&session->peer, outcome, unsupported ? instance->pair : NULL);
    act(session, &verdict);
}

/* ---- notices ---- */

static void take_opened(struct session *session, const struct worker_notice *notice)
{
    bool open = gate_ask(&session->gate, now_ms()) == GATE_OPEN;
    crew_note_opened(&session->crew, notice);
    const struct peer_verdict verdict = peer_learn_opened(&session->peer, notice->worker, open);
    act(session, &verdict);
    tally_opened(session->result, notice, crew_count_open(&session->crew));
}

static void take_ended(struct session *session, const struct worker_notice *notice)
{
    const struct association_figures *figures = &notice->figures;
    crew_note_ended(&session->crew, notice);
    tally_ended(session->result, notice);
    if (session->observer->association_ended != NULL)
        session->observer->association_ended(session->observer->user, figures);
    const struct peer_ending ending = {.worker = notice->worker,
                                       .end = &figures->end,
                                       .opened = notice->opened,
                                       .had_work = crew_hand_has_work(&session->crew, notice->worker),
                                       .answered = figures->stored + figures->failed,
                                       .lost = notice->lost,
                                       .aside = notice->aside,
                                       .backs_off = notice->backs_off,
                                       .failures = notice->failures,
                                       .failing_since_us = notice->failing_since_us,
                                       .others_open = crew_count_open(&session->crew) > 0,
                                       .others_ask = crew_asks(&session->crew)};
    const struct peer_verdict verdict = peer_learn_ended(&session->peer, &ending, clock_monotonic_us());
    act(session, &verdict);
}

static void take_unauthorised(struct session *session)
{
    const struct peer_verdict verdict = peer_learn_unauthorised(&session->peer);
    act(session, &verdict);
}

static void take_notice(struct session *session, enum session_mail kind, const struct worker_notice *notice)
{
    switch (kind) {
    case MAIL_OPENED:
        take_opened(session, notice);
        break;
    case MAIL_ENDED:
        take_ended(session, notice);
        break;
    case MAIL_READY:
        crew_note_ready(&session->crew, notice);
        break;
    case MAIL_BUSY:
        if (session->phase == PHASE_SENDING)
            crew_back_off(&session->crew);
        break;
    case MAIL_REFUSED:
        take_unauthorised(session);
        break;
    case MAIL_STOPPED:
        crew_note_stopped(&session->crew, notice);
        tally_stopped(session->result, notice);
        break;
    default:
        break;
    }
}

/* The retry that a worker announces will not come once the session stops. */
static void take_log(struct session *session, const struct event_record *record)
{
    crew_note_retry(&session->crew, record, clock_monotonic_us());
    if (session->phase < PHASE_STOPPING || record->log.event != EVENT_ASSOCIATION_RETRY)
        session_log_record(session, record);
}

static void take_outcome(struct session *session, struct instance *instance)
{
    learn_from_outcome(session, instance);
    session_end_instance(session, instance);
}

/* What becomes of an instance that comes from a worker, by the kind of its mail. */
static void (*const take_instance[])(struct session *session, struct instance *instance) = {
    [MAIL_INSTANCE] = take_outcome,
    [MAIL_INSTANCE_REFUSED] = take_refused,
    [MAIL_INSTANCE_LOST] = take_lost,
    [MAIL_INSTANCE_BACK] = session_take_back,
};

void session_deliver(void *user, struct mail *mail)
{
    struct session *session = user;
    struct worker_notice *notice = list_entry(mail, struct worker_notice, mail);
    struct worker_log *log = list_entry(mail, struct worker_log, mail);
    switch ((enum session_mail)mail->kind) {
    case MAIL_INSTANCE:
    case MAIL_INSTANCE_REFUSED:
    case MAIL_INSTANCE_LOST:
    case MAIL_INSTANCE_BACK:
        take_instance[mail->kind](session, list_entry(mail, struct instance, mail));
        return;
    case MAIL_WORK_DONE:
        crew_take_back(&session->crew, list_entry(mail, struct work, mail), &session->plan, &session->gate,
                       session->phase == PHASE_SENDING, clock_monotonic_us());
        session_go_on(session);
        return;
    case MAIL_LOG:
        take_log(session, log->record);
        free(log->record);
        free(log);
        return;
    default:
        take_notice(session, (enum session_mail)mail->kind, notice);
        break;
    }
    free(notice);
    session_go_on(session);
}

/* ---- claims ---- */

static void on_claimed(void *user, int worker, struct work *work)
{
    struct session *session = user;
    crew_note_claimed(&session->crew, &session->gate, worker, work, clock_monotonic_us());
    session_go_on(session);
}

static void on_not_ours(void *user, struct instance *instance)
{
    session_end_instance(user, instance);
}

static void on_claim_failed(void *user, const char *problem)
{
    session_note_record_problem(user, problem);
}

const struct claims_handler session_claims_handler = {
    .answered = on_claimed, .ended = on_not_ours, .record_failed = on_claim_failed};

/* ---- a few times a second ---- */

void session_look_after_peer(struct session *session)
{
    uint64_t at_ms = now_ms();
    struct instance *instance;
    if (session->phase != PHASE_SENDING)
        return;
    (void)claims_retry(&session->claims, at_ms);
    while ((instance = deferred_take_rested(&session->deferred, at_ms)) != NULL)
        session_take_back(session, instance);
    if (gate_ask(&session->gate, at_ms) == GATE_TRIAL && gate_blames_rest(&session->gate, what_is_left(session), at_ms))
        end_pause(session, "the same files are refused after each pause: from now on their attempts count");
    crew_grow(&session->crew, at_ms);
    const struct peer_verdict verdict = peer_look(&session->peer, clock_monotonic_us());
    act(session, &verdict);
    session_go_on(session);
}
