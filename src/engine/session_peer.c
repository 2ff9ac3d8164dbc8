/*
 * session_peer - what the peer lets us do, seen over all workers: whether all must pause (breaker.h), how many
 * associations it bears, how many stores it bears on one, what it cannot store, and when to give it up. On the main
 * thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/dimse.h"
#include "engine/session_private.h"
#include "instance/event.h"
#include "instance/instance.h"
#include "instance/status_rule.h"

enum { REJECTED_FOR_GOOD = 1, REJECTED_FOR_NOW = 2 }; /* A-ASSOCIATE-RJ, PS3.8 9.3.4 */

static uint64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* ---- trouble, and giving up ---- */

static void note_trouble(struct session *session, uint64_t since_us, const char *what)
{
    if (session->trouble_since_us == 0)
        session->trouble_since_us = since_us;
    snprintf(session->trouble, sizeof session->trouble, "%s", what);
}

/* How long trouble is borne; 0 = as many attempts as `retry` says. A peer that was never there most likely has another
 * address, and whoever waits for that wants to know soon. */
static uint64_t patience_ms(const struct session *session)
{
    const struct session_options *options = session->options;
    if (options->give_up_ms > 0)
        return options->give_up_ms;
    return session->peer_was_there && options->retry > 0 ? SESSION_GIVE_UP_MS : 0;
}

static void give_up_if_hopeless(struct session *session)
{
    char text[240];
    uint64_t borne_ms = patience_ms(session);
    if (session->trouble_since_us == 0 || borne_ms == 0 || session->phase != PHASE_SENDING)
        return;
    if (clock_monotonic_us() - session->trouble_since_us < borne_ms * 1000)
        return;
    snprintf(text, sizeof text, "given up after %.3g s: %s", (double)borne_ms / 1000, session->trouble);
    session_stop(session, SESSION_STOPPED, text);
}

/* ---- no room ---- */

static void end_unsent(struct session *session, struct instance *instance)
{
    if (instance->outcome.state != OUTCOME_IN_DOUBT)
        instance->outcome.state = OUTCOME_PENDING;
    instance->outcome.reason = REASON_INTERRUPTED;
    session_end_instance(session, instance);
}

static void log_again(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    char text[160];
    if (!dicomnet_logger_wants(&session->logger, DICOMNET_LOG_WARN))
        return;
    outcome_describe(outcome, text, sizeof text);
    const struct dicomnet_log_field fields[] = {LOG_TEXT("path", instance->file.path),
                                                LOG_TEXT("instance", instance->file.instance_uid),
                                                LOG_TEXT("reason", outcome_reason_name(outcome->reason)),
                                                LOG_TEXT("text", text), LOG_NUMBER("attempt", outcome->attempts)};
    const struct event_record record = {.log = {.level = DICOMNET_LOG_WARN,
                                                .event = EVENT_STORE_RETRIED,
                                                .field_count = sizeof fields / sizeof fields[0],
                                                .fields = fields},
                                        .worker = outcome->worker,
                                        .association = outcome->association,
                                        .study = instance->file.study_uid[0] != '\0' ? instance->file.study_uid : NULL};
    session_log_record(session, &record);
}

static void begin_pause(struct session *session, uint64_t at_ms)
{
    uint64_t delay_ms = session->breaker.resume_ms - at_ms;
    if (session->breaker.pauses == 1) {
        session->paused_us = clock_monotonic_us();
        note_trouble(session, session->paused_us, "the peer is out of resources (status A7xx or 0213)");
    }
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_PAUSED, LOG_NUMBER("delay_ms", delay_ms),
                LOG_TEXT("text", "the peer is out of resources: all workers pause"));
}

/* Nothing begins until it is known whether it is the peer. */
static void hold_all(struct session *session)
{
    for (unsigned i = 0; i < session->crew_count; i++)
        if (session->crew[i].work != NULL && !session->crew[i].stopping)
            session_post_to_worker(&session->crew[i], MAIL_GIVE_BACK);
}

static void end_pause(struct session *session, const char *why)
{
    session->trouble_since_us = 0;
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_RESUMED,
                LOG_NUMBER("paused_ms", (clock_monotonic_us() - session->paused_us) / 1000), LOG_TEXT("text", why));
}

/* An earlier session tried it as often as allowed, while the peer stored others: that is noted as a refusal of now. */
static bool was_refused_earlier(void *user, struct instance *instance)
{
    const struct session *session = user;
    if (!instance->trials.refused_earlier)
        return false;
    instance->trials.refused_row = session->breaker.row_number;
    return true;
}

/*
 * A peer that has stored nothing may be full, whatever is left; but not if it is nothing but what it has refused, be it
 * in earlier sessions.
 */
static enum breaker_rest what_is_left(struct session *session)
{
    if (intake_brings_more(session->intake) || session_anyone_works(session))
        return REST_OTHERS;
    enum breaker_rest rest = plan_what_is_left(&session->plan, session->breaker.row_number);
    if (rest == REST_REFUSED || session_acknowledged(&session->progress.totals) > 0)
        return rest;
    return plan_check_untried(&session->plan, was_refused_earlier, session) ? REST_REFUSED : REST_OTHERS;
}

/* The list is kept in the order of their times. */
static void let_rest(struct session *session, struct instance *instance, uint64_t at_ms)
{
    uint32_t random = (uint32_t)clock_monotonic_us() * 2654435761u;
    struct instance_trials *trials = &instance->trials;
    trials->rest_until_ms = at_ms + breaker_rest_ms(&session->breaker, trials, random >> 8);
    struct list_node *place = session->refused.head.prev;
    while (place != &session->refused.head &&
           list_entry(place, struct instance, mail.node)->trials.rest_until_ms > trials->rest_until_ms)
        place = place->prev;
    list_insert_after(place, &instance->mail.node);
}

void session_take_refused(struct session *session, struct instance *instance)
{
    struct outcome *outcome = &instance->outcome;
    uint64_t at_ms = now_ms();
    if (session->phase >= PHASE_STOPPING) {
        end_unsent(session, instance);
        return;
    }
    struct crew *crew = &session->crew[outcome->worker - 1];
    struct breaker *breaker = &session->breaker;
    bool flowed = breaker->state == BREAKER_FLOWING;
    unsigned pauses = breaker->pauses;
    bool own_matter = breaker_refused(breaker, &instance->trials, at_ms);
    bool holds = breaker->state != BREAKER_FLOWING;
    plan_mark_refused(&session->plan, instance, breaker->row_number);
    session_post_to_worker(crew, holds ? MAIL_GIVE_BACK : MAIL_GO_ON);
    if (own_matter && instance->trials.refused > session->options->retry) {
        outcome->state = OUTCOME_FAILED;
        session_end_instance(session, instance);
        return;
    }
    log_again(session, instance);
    if (holds)
        session_take_back(session, instance);
    else
        let_rest(session, instance, at_ms);
    if (holds && flowed)
        hold_all(session);
    if (breaker->pauses > pauses)
        begin_pause(session, at_ms);
}

static void wake_rested(struct session *session, uint64_t at_ms)
{
    struct list_node *node;
    while ((node = list_first(&session->refused)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        if (instance->trials.rest_until_ms > at_ms)
            return;
        list_remove(node);
        session_take_back(session, instance);
    }
}

/* ---- instances that associations end with ---- */

void session_take_lost(struct session *session, struct instance *instance)
{
    if (session->phase >= PHASE_STOPPING) {
        end_unsent(session, instance);
        return;
    }
    if (instance->trials.lost <= LOSSES_BEFORE_ASIDE)
        session->suspects_from_ms = now_ms() + LOSSES_SETTLE_MS;
    list_append(&session->suspects, &instance->mail.node);
}

/* Nothing else is to be sent. A scan that is paused waits for these to end. */
static bool is_suspects_turn(const struct session *session)
{
    bool more_to_come = intake_brings_more(session->intake);
    return !more_to_come && session->plan.waiting_count == 0 && list_is_empty(&session->refused) &&
           !session_anyone_works(session) && !list_is_empty(&session->suspects);
}

bool session_suspects_rest(const struct session *session)
{
    return is_suspects_turn(session) && now_ms() < session->suspects_from_ms;
}

void session_try_suspect(struct session *session)
{
    if (!is_suspects_turn(session) || now_ms() < session->suspects_from_ms)
        return;
    struct list_node *node = list_pop(&session->suspects);
    if (node != NULL)
        session_take_back(session, list_entry(node, struct instance, mail.node));
}

void session_end_waiting(struct session *session)
{
    struct list_node *node;
    list_splice(&session->refused, &session->suspects);
    while ((node = list_pop(&session->refused)) != NULL)
        end_unsent(session, list_entry(node, struct instance, mail.node));
}

/* ---- lessons ---- */

static void post_lesson(struct crew *crew, uint64_t store_max, const struct context_pair *unsupported)
{
    struct worker_lesson *lesson = malloc(sizeof *lesson);
    if (lesson == NULL)
        return; /* it will learn by itself */
    *lesson = (struct worker_lesson){.mail.kind = MAIL_LESSON, .store_max = store_max, .unsupported = unsupported};
    worker_post(crew->worker, &lesson->mail);
}

static void tell_all(struct session *session, uint64_t store_max, const struct context_pair *unsupported)
{
    for (unsigned i = 0; i < session->crew_count; i++)
        if (session->crew[i].worker != NULL)
            post_lesson(&session->crew[i], store_max, unsupported);
}

void session_teach(struct session *session, struct crew *crew)
{
    if (session->store_max > 0)
        post_lesson(crew, session->store_max, NULL);
    for (size_t i = 0; i < session->unsupported_count; i++)
        post_lesson(crew, 0, session->unsupported[i]);
}

void session_stop_unauthorised(struct session *session)
{
    session_stop(session, SESSION_STOPPED, "the peer says that this sender is not authorised (status 0124)");
}

static void learn_unsupported(struct session *session, const struct instance *instance)
{
    for (size_t i = 0; i < session->unsupported_count; i++)
        if (strcmp(session->unsupported[i]->class_uid, instance->file.class_uid) == 0)
            return;
    if (session->unsupported_count == DICOMNET_PDU_CONTEXTS_MAX)
        return;
    const struct context_pair *pair = study_table_pair_of(&session->plan.table, instance);
    session->unsupported[session->unsupported_count++] = pair;
    tell_all(session, 0, pair);
}

/* What is odd about the peer's answers, and no reason not to believe them. */
static void say_once(struct session *session, bool is_so, bool *said, const char *text)
{
    if (!is_so || *said)
        return;
    *said = true;
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
}

void session_learn_from_outcome(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED) {
        if (breaker_stored(&session->breaker))
            end_pause(session, "the peer stores again: all workers go on");
        say_once(session, outcome->uid_missing, &session->uid_missing_said,
                 "the peer's responses name no SOP Instance UID: they are taken by Message ID");
        say_once(session, outcome->context_other, &session->context_other_said,
                 "the peer's responses come on another presentation context of the same class: they are taken, as one "
                 "store is under way at a time");
    }
    if (!outcome->has_status || outcome->attempts == 0)
        return;
    losses_answered(&session->losses);
    if (outcome->status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED)
        learn_unsupported(session, instance);
    session->unauthorised = outcome->status == DICOMNET_STATUS_NOT_AUTHORISED ? session->unauthorised + 1 : 0;
    if (session->unauthorised == POLICY_UNAUTHORISED_MAX)
        session_stop_unauthorised(session);
}

/*
 * Whoever cannot open an association, and is not rejected, shows that the peer is away or goes down: nobody listens, or
 * a connection that was still accepted ends at once. That is then why other associations ended before, and why those
 * end that still count as open.
 */
static void note_absence(struct session *session)
{
    for (unsigned i = 0; i < session->crew_count; i++) {
        session->crew[i].died_after = 0;
        session->crew[i].saw_absence = true;
    }
}

/* A peer that ends one association after another when it has answered the same number of stores does so on purpose,
 * unless it was away in between: then it had to end them. */
static void learn_store_max(struct session *session, struct crew *crew, const struct association_figures *figures)
{
    enum dicomnet_association_end_kind kind = figures->end.kind;
    uint64_t answered = figures->stored + figures->failed;
    bool by_peer =
        (kind == DICOMNET_ASSOCIATION_ABORTED_BY_PEER || kind == DICOMNET_ASSOCIATION_LOST) && !crew->saw_absence;
    bool again = by_peer && answered > 0 && answered == crew->died_after;
    crew->died_after = by_peer ? answered : 0;
    if (!again || (session->store_max > 0 && session->store_max <= answered))
        return;
    session->store_max = answered;
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
                LOG_TEXT("text", "the peer ends associations after so many stores: they are released before"),
                LOG_NUMBER("stores", answered));
    tell_all(session, answered, NULL);
}

static bool anyone_open(const struct session *session)
{
    for (unsigned i = 0; i < session->crew_count; i++)
        if (session->crew[i].open)
            return true;
    return false;
}

/* True if another worker has asked for an association and waits for the answer. */
static bool anyone_asks(const struct session *session)
{
    for (unsigned i = 0; i < session->crew_count; i++)
        if (session->crew[i].work != NULL && !session->crew[i].backs_off)
            return true;
    return false;
}

/*
 * A peer that says no for good, or that has answered nobody for as many tries as allowed: the session cannot go on.
 * Being refused more associations while others are open is no reason.
 */
static void judge_failure(struct session *session, const struct worker_notice *notice)
{
    const struct dicomnet_association_end *end = &notice->figures.end;
    char text[200];
    bool rejected = end->kind == DICOMNET_ASSOCIATION_REJECTED;
    bool unknown = end->kind == DICOMNET_ASSOCIATION_NOT_CONNECTED && end->error == DICOMNET_ERROR_HOST_UNKNOWN;
    bool never_there = session->result->connect.count == 0;
    bool permanent = (rejected && end->reject.result == REJECTED_FOR_GOOD) || (unknown && never_there) ||
                     (dicomnet_error_is_foreign(end->error) && never_there && !anyone_asks(session));
    bool others = anyone_open(session);
    peer_describe_end(end, &session->scp.association, text, sizeof text);
    session->peer_was_there = session->peer_was_there || (rejected && !permanent);
    if (!notice->opened && !others)
        note_trouble(session, notice->failing_since_us, text);
    bool progress = session->last_answer_us > notice->failing_since_us;
    bool too_often = notice->failures > session->options->retry && !progress && !others;
    if (!notice->opened && patience_ms(session) > 0)
        too_often = false; /* that is for session_look_after_peer */
    if (permanent || too_often)
        session_stop(session, SESSION_STOPPED, text);
}

/* An association that ended under a store is the instance's matter, unless the peer has answered nothing for long. */
static void judge_loss(struct session *session, const struct worker_notice *notice)
{
    const struct session_options *options = session->options;
    struct losses *losses = &session->losses;
    uint64_t at_ms = now_ms();
    char end[120], text[240];
    if (notice->figures.stored + notice->figures.failed > 0)
        losses_answered(losses);
    if (!notice->lost)
        return;
    losses_count(losses, notice->aside, at_ms);
    if (!losses_blame_peer(losses, options->give_up_ms > 0 ? options->give_up_ms : SESSION_GIVE_UP_MS, at_ms))
        return;
    dicomnet_association_describe_end(&notice->figures.end, end, sizeof end);
    snprintf(text, sizeof text, "the peer takes associations and answers no store on them: %u in a row, the last: %s",
             losses->row, end);
    session_stop(session, SESSION_STOPPED, text);
}

void session_learn_from_end(struct session *session, struct crew *crew, const struct worker_notice *notice)
{
    const struct dicomnet_association_end *end = &notice->figures.end;
    judge_loss(session, notice);
    crew->turned_away = end->kind == DICOMNET_ASSOCIATION_REJECTED && end->reject.result == REJECTED_FOR_NOW;
    if (!notice->opened && end->kind != DICOMNET_ASSOCIATION_REJECTED)
        note_absence(session);
    if (notice->opened && crew->work != NULL)
        learn_store_max(session, crew, &notice->figures);
    if (crew->turned_away && session->options->threads_auto) {
        session_back_off(session, true);
    } else if (crew->turned_away) {
        unsigned open = 0;
        for (unsigned i = 0; i < session->crew_count; i++)
            open += session->crew[i].open;
        unsigned fewer = session->crew_allowed - 1;
        breaker_turned_away(&session->breaker, now_ms());
        session_allow_workers(session, fewer > open ? fewer : open);
    }
    if (notice->backs_off)
        judge_failure(session, notice);
}

/* Whoever waits to try again because the peer could not be reached need wait no longer. */
void session_learn_from_opening(struct session *session)
{
    session->peer_was_there = true;
    if (session->breaker.state == BREAKER_FLOWING)
        session->trouble_since_us = 0;
    for (unsigned i = 0; i < session->crew_count; i++) {
        struct crew *crew = &session->crew[i];
        if (crew->worker != NULL && crew->backs_off && !crew->turned_away && !crew->stopping)
            session_post_to_worker(crew, MAIL_WAKE);
    }
}

void session_look_after_peer(struct session *session)
{
    uint64_t at_ms = now_ms();
    if (session->phase != PHASE_SENDING)
        return;
    wake_rested(session, at_ms);
    if (breaker_may_probe(&session->breaker, at_ms) &&
        breaker_blames_rest(&session->breaker, what_is_left(session), at_ms))
        end_pause(session, "the same files are refused after each pause: from now on their attempts count");
    if (session->crew_allowed >= session->crew_max)
        breaker_stop_growing(&session->breaker);
    else if (breaker_may_grow(&session->breaker, at_ms))
        session_allow_workers(session, session->crew_allowed + 1);
    give_up_if_hopeless(session);
    session_go_on(session);
}
