/*
 * session - the run: scan, verify, send, end. See session.h.
 *
 *              something to send,             all has ended
 *              and no C-ECHO wanted
 *   LOOKING ------------------------> SENDING --------------> OVER
 *    |  |  |                          ^     |                  ^ ^
 *    |  |  |                 success  |     | asked to stop,   | |
 *    |  |  +------> VERIFYING --------+     | or given up      | |
 *    |  |  C-ECHO       |                   |                  | |
 *    |  |  wanted       | failed            v                  | |
 *    |  +---------------+---------------> STOPPING ------------+ |
 *    |    asked to stop                        the workers ended |
 *    +-----------------------------------------------------------+
 *         nothing to send, or a dry run
 *
 * The scan runs beside it from the first phase on, and is paced so that what is found and not yet sent stays bounded.
 *
 * session_go_on() looks at what is there and does what can be done now; every event ends with a call of it.
 */
#include "engine/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/verification.h"
#include "engine/session_private.h"
#include "instance/event.h"
#include "instance/instance.h"
#include "instance/status_rule.h"
#include "services/peer_text.h"

enum { PROGRESS_INTERVAL_MS = 250 };

/* ---- the phase ---- */

/* Which phases may follow, as bits. */
static const unsigned successors[] = {
    [PHASE_LOOKING] = 1u << PHASE_VERIFYING | 1u << PHASE_SENDING | 1u << PHASE_STOPPING | 1u << PHASE_OVER,
    [PHASE_VERIFYING] = 1u << PHASE_SENDING | 1u << PHASE_STOPPING,
    [PHASE_SENDING] = 1u << PHASE_STOPPING | 1u << PHASE_OVER,
    [PHASE_STOPPING] = 1u << PHASE_OVER,
    [PHASE_OVER] = 0,
};

void session_enter(struct session *session, enum session_phase phase)
{
    assert((successors[session->phase] & 1u << phase) != 0);
    session->phase = phase;
}

/* ---- what the observer is told ---- */

void session_log_record(struct session *session, const struct event_record *record)
{
    struct event_record stamped = *record;
    if (stamped.log.time_us == 0)
        stamped.log.time_us = clock_wall_us();
    if (session->observer->log != NULL)
        session->observer->log(session->observer->user, &stamped);
}

static void write_log(void *user, const struct dicomnet_log_record *record)
{
    const struct event_record own = {.log = *record};
    session_log_record(user, &own);
}

static void update_progress(struct session *session)
{
    uint64_t now_us = clock_monotonic_us();
    session->progress.elapsed_us = now_us - session->begun_us;
    session->progress.transfer_us = session->transfer_begun_us != 0 ? now_us - session->transfer_begun_us : 0;
    session->progress.scan_ended = !session_is_scanning(session);
    session->progress.workers_open = session_count_open(session);
    session_note_holdup(session);
}

static void on_progress_timer(uv_timer_t *timer)
{
    struct session *session = timer->data;
    update_progress(session);
    if (session->observer->progress != NULL)
        session->observer->progress(session->observer->user, &session->progress);
    uint64_t limit_ms = session->options->duration_ms;
    if (limit_ms > 0 && session->progress.transfer_us >= limit_ms * 1000 && !session->time_is_up)
        session_end_of_time(session);
    session_pace_crew(session);
    session_look_after_peer(session);
}

/* Counts and times of an instance that ended in this session. */
static void count_new(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED)
        session->progress.totals.bytes_stored += instance_wire_len(instance);
    if (outcome->has_status && outcome->wait_us + outcome->write_us > 0) {
        histogram_add(&session->result->response, outcome->read_us + outcome->write_us + outcome->wait_us);
        histogram_add(&session->result->read, outcome->read_us);
        histogram_add(&session->result->write, outcome->write_us);
        histogram_add(&session->result->wait, outcome->wait_us);
        struct worker_figures *worker = &session->result->workers[outcome->worker - 1];
        worker->read_us += outcome->read_us;
        worker->write_us += outcome->write_us;
        worker->wait_us += outcome->wait_us;
    }
    if (outcome->attempts > 0) {
        uint64_t now_us = clock_monotonic_us();
        session->result->transfer_us = now_us - session->transfer_begun_us;
        /* The worker's time, not now: the outcome may have been on its way while the next association failed. */
        if (outcome->answered_us > session->last_answer_us)
            session->last_answer_us = outcome->answered_us;
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

/* ---- stopping ---- */

void session_stop(struct session *session, enum session_verdict verdict, const char *text)
{
    if (session->phase >= PHASE_STOPPING)
        return;
    session_enter(session, PHASE_STOPPING);
    session->result->verdict = verdict;
    snprintf(session->result->stop_text, sizeof session->result->stop_text, "%s", text);
    SESSION_LOG(session, verdict == SESSION_INTERRUPTED ? DICOMNET_LOG_WARN : DICOMNET_LOG_ERROR,
                EVENT_SESSION_INTERRUPTED, LOG_TEXT("text", text));
    intake_stop(session->intake);
    if (session->verifying)
        dicomnet_verification_cancel(session->verification);
    session_stop_workers(session, false);
}

/* ---- what outlives the session ---- */

/* A store that ends from here on is not certain to be recorded: so no further one may begin. */
void session_note_record_problem(struct session *session, const char *problem)
{
    if (session->record_failed)
        return;
    session->record_failed = true;
    if (session->phase < PHASE_STOPPING) {
        session_stop(session, SESSION_STOPPED, problem);
        session_go_on(session);
        return;
    }
    SESSION_LOG(session, DICOMNET_LOG_ERROR, EVENT_SESSION_NOTE, LOG_TEXT("text", problem));
    if (session->result->verdict == SESSION_COMPLETE) {
        session->result->verdict = SESSION_STOPPED;
        snprintf(session->result->stop_text, sizeof session->result->stop_text, "%s", problem);
    }
}

static void on_turn(uv_check_t *turn)
{
    struct session *session = turn->data;
    keeping_flush(&session->keeping);
}

/* Who has asked to stop waits for what is under way, and wants to know for how long. */
static void say_what_an_interrupt_does(struct session *session)
{
    const struct dicomnet_association_timeouts *timeouts = &session->options->association.timeouts;
    char text[160];
    if (!session_anyone_works(session))
        return;
    snprintf(text, sizeof text,
             "stores under way are finished, which takes up to %u s if the peer is silent; a second Ctrl-C aborts them",
             (timeouts->dimse_ms + timeouts->release_ms + 999) / 1000);
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
}

static void on_interrupt(void *user, int number)
{
    struct session *session = user;
    session->signals++;
    if (session->signals == 1)
        session_stop(session, SESSION_INTERRUPTED, interrupt_text(number));
    if (session->signals == 1)
        say_what_an_interrupt_does(session);
    else
        session_stop_workers(session, true);
    session_go_on(session);
}

/* ---- mail from the workers ---- */

void session_take_back(struct session *session, struct instance *instance)
{
    if (plan_return(&session->plan, instance) == 0)
        return;
    instance->outcome.state = OUTCOME_FAILED;
    instance->outcome.reason = REASON_OUT_OF_MEMORY;
    session_end_instance(session, instance);
}

static void deliver(void *user, struct mail *mail)
{
    struct session *session = user;
    struct worker_notice *notice = list_entry(mail, struct worker_notice, mail);
    switch ((enum session_mail)mail->kind) {
    case MAIL_INSTANCE:
        session_learn_from_outcome(session, list_entry(mail, struct instance, mail));
        session_end_instance(session, list_entry(mail, struct instance, mail));
        return;
    case MAIL_INSTANCE_REFUSED:
        session_take_refused(session, list_entry(mail, struct instance, mail));
        return;
    case MAIL_INSTANCE_LOST:
        session_take_lost(session, list_entry(mail, struct instance, mail));
        return;
    case MAIL_INSTANCE_BACK:
        session_take_back(session, list_entry(mail, struct instance, mail));
        return;
    case MAIL_WORK_DONE:
        session_take_work_back(session, list_entry(mail, struct work, mail));
        session_go_on(session);
        return;
    case MAIL_LOG: {
        struct worker_log *log = list_entry(mail, struct worker_log, mail);
        session_note_retry(session, log->record);
        bool idle_talk = session->phase >= PHASE_STOPPING && log->record->log.event == EVENT_ASSOCIATION_RETRY;
        if (!idle_talk) /* the retry that it announces will not come */
            session_log_record(session, log->record);
        free(log->record);
        free(log);
        return;
    }
    default:
        session_take_notice(session, (enum session_mail)mail->kind, notice);
        break;
    }
    free(notice);
    session_go_on(session);
}

/* ---- verifying ---- */

static void begin_sending(struct session *session)
{
    session_enter(session, PHASE_SENDING);
    session->transfer_begun_us = clock_monotonic_us();
}

static struct dicomnet_association_options peer_options(const struct session *session)
{
    return (struct dicomnet_association_options){.parameters = session->scp.association, .logger = &session->logger};
}

static void on_verified(void *user, const struct dicomnet_verification_result *result)
{
    struct session *session = user;
    char text[240], why[200];
    session->verifying = false;
    if (result->error == 0 && result->status == DICOMNET_STATUS_SUCCESS) {
        SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", "C-ECHO: the peer answers"),
                    LOG_NUMBER("echo_us", result->echo_us));
        if (session->phase == PHASE_VERIFYING)
            begin_sending(session);
    } else {
        peer_describe_end(&result->end, &session->scp.association, why, sizeof why);
        if (result->error == 0)
            snprintf(text, sizeof text, "C-ECHO failed: status %04X (%s)", result->status,
                     dicomnet_status_text(result->status));
        else if (result->error == DICOMNET_ERROR_NO_CONTEXT)
            snprintf(text, sizeof text, "C-ECHO failed: the peer does not accept Verification");
        else
            snprintf(text, sizeof text, "C-ECHO failed: %s", why);
        session_stop(session, SESSION_STOPPED, text);
    }
    session_go_on(session);
}

static void begin_verifying(struct session *session)
{
    struct dicomnet_association_options options = peer_options(session);
    session_enter(session, PHASE_VERIFYING);
    int error = dicomnet_verification_echo(&session->verification, &session->loop, &options, on_verified, session);
    session->verifying = error == 0;
    if (error != 0)
        session_stop(session, SESSION_STOPPED, dicomnet_error_text(error));
}

/* ---- the way through ---- */

static void close_handles(struct session *session)
{
    interrupt_close(&session->interrupt);
    uv_close((uv_handle_t *)&session->timer, NULL);
    uv_close((uv_handle_t *)&session->turn, NULL);
    if (session->inbox_open)
        mailbox_close(&session->inbox, NULL);
}

/* What was kept is durable, or it is known that it is not: the handles go, and the loop ends. */
static void close_if_settled(struct session *session)
{
    if (session->phase != PHASE_OVER || session->closed || !keeping_is_settled(&session->keeping))
        return;
    session->closed = true;
    on_progress_timer(&session->timer);
    close_handles(session);
}

static void on_kept(void *user, const char *problem)
{
    struct session *session = user;
    if (problem != NULL)
        session_note_record_problem(session, problem);
    if (session->phase == PHASE_OVER)
        keeping_flush(&session->keeping); /* what has ended since it began */
    close_if_settled(session);
}

/* Nothing runs any more: what is left was never sent. */
static void end_session(struct session *session)
{
    struct instance *instance;
    session_enter(session, PHASE_OVER);
    session_show_plan(session);
    session_end_waiting(session);
    while ((instance = plan_take_waiting(&session->plan)) != NULL) {
        if (instance->outcome.state != OUTCOME_IN_DOUBT)
            instance->outcome.state = OUTCOME_PENDING;
        instance->outcome.reason = REASON_INTERRUPTED;
        session_end_instance(session, instance);
    }
    keeping_flush(&session->keeping);
    close_if_settled(session);
}

static void leave_looking(struct session *session)
{
    if (session->options->dry_run) {
        end_session(session);
    } else if (session->plan.waiting_count == 0) {
        end_session(session);
    } else if (session->options->verify) {
        begin_verifying(session);
    } else {
        begin_sending(session);
    }
}

void session_go_on(struct session *session)
{
    intake_go_on(session->intake);
    bool scanning = session_is_scanning(session);
    if (session->phase == PHASE_LOOKING) {
        bool early = !session->options->scan_first && !session->options->dry_run;
        if (!scanning || (early && session->plan.waiting_count > 0))
            leave_looking(session);
    }
    if (session->phase == PHASE_SENDING) {
        session_try_suspect(session);
        session_hand_out(session);
        session_let_idle_go(session);
    }
    idle_clock_set(&session->idle_clock, session_why_idle(session));
    bool running = session->crew_left > 0 || scanning || session->verifying;
    if ((session->phase == PHASE_SENDING || session->phase == PHASE_STOPPING) && !running)
        end_session(session);
}

static int open_handles(struct session *session)
{
    int error = interrupt_listen(&session->interrupt, &session->loop, on_interrupt, session);
    uv_timer_init(&session->loop, &session->timer);
    uv_check_init(&session->loop, &session->turn);
    session->timer.data = session->turn.data = session;
    if (error == 0)
        error = mailbox_open(&session->inbox, &session->loop, deliver, session);
    session->inbox_open = error == 0;
    if (error == 0)
        error = uv_timer_start(&session->timer, on_progress_timer, PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MS);
    if (error == 0)
        error = uv_check_start(&session->turn, on_turn);
    return error;
}

static int run(struct session *session)
{
    int error = open_handles(session);
    if (error != 0) {
        close_handles(session);
        uv_run(&session->loop, UV_RUN_DEFAULT);
        return error;
    }
    session_set_worker_options(session);
    if (session->options->loopback && !session->options->dry_run)
        error = loopback_start(&session->loopback, &session->scp.association.port);
    if (error == 0)
        error = session_start_scan(session);
    if (error != 0)
        end_session(session);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    return error;
}

int session_run(const struct session_options *options, const struct session_observer *observer,
                struct session_result *ret_result)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return -ENOMEM;
    memset(ret_result, 0, sizeof *ret_result);
    session->options = options;
    session->observer = observer;
    session->result = ret_result;
    session->logger = (struct dicomnet_logger){.write = write_log, .user = session, .level = options->log_level};
    keeping_init(&session->keeping, options->dry_run ? NULL : options->record, on_kept, session);
    session->begun_us = clock_monotonic_us();
    list_init(&session->refused);
    list_init(&session->suspects);
    ret_result->begun_us = clock_wall_us();
    ret_result->strict = options->strict;
    int error = idle_clock_init(&session->idle_clock, TIME_SCANNING, session->begun_us);
    if (error != 0) {
        free(session);
        return error;
    }
    error = uv_loop_init(&session->loop);
    if (error == 0) {
        error = run(session);
        int close_error = uv_loop_close(&session->loop);
        assert(close_error == 0);
        (void)close_error;
    }
    loopback_stop(session->loopback);
    intake_destroy(session->intake);
    plan_fini(&session->plan);
    ret_result->totals = session->progress.totals;
    ret_result->ended_us = clock_wall_us();
    ret_result->duration_us = clock_monotonic_us() - session->begun_us;
    idle_clock_fini(&session->idle_clock);
    free(session);
    return error;
}

int session_exit_code(const struct session_result *result)
{
    const uint64_t *by_state = result->totals.by_state;
    uint64_t kept = by_state[OUTCOME_STORED] + (result->strict ? 0 : by_state[OUTCOME_WARNED]);
    uint64_t not_kept = by_state[OUTCOME_FAILED] + by_state[OUTCOME_IN_DOUBT] + by_state[OUTCOME_PENDING];
    if (result->strict)
        not_kept += by_state[OUTCOME_WARNED] + by_state[OUTCOME_SKIPPED];
    if (result->verdict == SESSION_INTERRUPTED)
        return 130;
    if (kept == 0)
        return 1;
    return not_kept == 0 && result->verdict == SESSION_COMPLETE ? 0 : 2;
}
