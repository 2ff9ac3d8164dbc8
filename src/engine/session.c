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
 *         nothing to send, or a dry run: with PROBING between, if the peer is to be asked (to STOPPING if it cannot be)
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
#include "engine/readers.h"
#include "engine/session_private.h"
#include "files/held_files.h"
#include "instance/event.h"
#include "instance/instance.h"

enum { PROGRESS_INTERVAL_MS = 250 };

/*
 * Sending begins when so many files were found, or after so long with fewer: the first association asks for what is
 * known by then, and a small job is to need one.
 */
enum { FOUND_AT_FIRST = 256, LOOKING_MS = 500 };

/* ---- the phase ---- */

/* Which phases may follow, as bits. */
static const unsigned successors[] = {
    [PHASE_LOOKING] =
        1u << PHASE_VERIFYING | 1u << PHASE_PROBING | 1u << PHASE_SENDING | 1u << PHASE_STOPPING | 1u << PHASE_OVER,
    [PHASE_VERIFYING] = 1u << PHASE_SENDING | 1u << PHASE_STOPPING,
    [PHASE_PROBING] = 1u << PHASE_STOPPING | 1u << PHASE_OVER,
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

static void update_holdup(struct session *session, uint64_t now_us)
{
    struct session_progress *progress = &session->progress;
    const struct gate_pause pause = gate_pause(&session->gate, now_us / 1000);
    progress->holdup = HOLDUP_NONE;
    progress->tries = 0;
    progress->next_try_us = 0;
    if (session->phase == PHASE_STOPPING && session->crew.left > 0 && !session->time_is_up) {
        progress->holdup = HOLDUP_STOPPING;
    } else if (session->phase == PHASE_SENDING && gate_ask(&session->gate, now_us / 1000) != GATE_OPEN) {
        progress->holdup = HOLDUP_PAUSED;
        progress->tries = pause.pauses;
        progress->next_try_us = pause.left_ms * 1000;
    } else if (session->phase == PHASE_SENDING &&
               crew_is_connecting(&session->crew, now_us, &progress->tries, &progress->next_try_us)) {
        progress->holdup = HOLDUP_CONNECTING;
    }
}

static void update_progress(struct session *session)
{
    uint64_t now_us = clock_monotonic_us();
    session->progress.elapsed_us = now_us - session->begun_us;
    session->progress.transfer_us = session->transfer_begun_us != 0 ? now_us - session->transfer_begun_us : 0;
    session->progress.scan_ended = !session_is_scanning(session);
    session->progress.workers_open = crew_count_open(&session->crew);
    update_holdup(session, now_us);
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
    const struct session_totals *totals = &session->progress.totals;
    if (session->phase == PHASE_SENDING)
        crew_measure(&session->crew, totals->by_state[OUTCOME_STORED] + totals->by_state[OUTCOME_WARNED],
                     totals->bytes_stored, clock_monotonic_us());
    session_look_after_peer(session);
    if (session->phase == PHASE_LOOKING)
        session_go_on(session);
}

/* ---- stopping ---- */

void session_stop_for(struct session *session, enum session_verdict verdict, const char *text)
{
    if (session->phase >= PHASE_STOPPING)
        return;
    session_enter(session, PHASE_STOPPING);
    session->result->verdict = verdict;
    snprintf(session->result->stop_text, sizeof session->result->stop_text, "%s", text);
    SESSION_LOG(session, verdict == SESSION_INTERRUPTED ? DICOMNET_LOG_WARN : DICOMNET_LOG_ERROR,
                EVENT_SESSION_INTERRUPTED, LOG_TEXT("text", text));
    intake_stop(session->intake);
    verify_cancel(&session->verify);
    probe_cancel(&session->probe);
    claims_stop(&session->claims);
    readers_stop(session->readers, false);
    crew_stop(&session->crew, false);
}

static void on_turn(uv_check_t *turn)
{
    struct session *session = turn->data;
    keeping_flush(&session->keeping);
}

/* Who has asked to stop waits for what is under way, and wants to know for how long. */
static void say_how_long_it_takes(struct session *session, const char *hint)
{
    const struct dicomnet_association_timeouts *timeouts = &session->options->association.timeouts;
    char text[200];
    if (!crew_has_work(&session->crew))
        return;
    snprintf(text, sizeof text, "stores under way are finished, which takes up to %u s if the peer is silent%s%s",
             (timeouts->dimse_ms + timeouts->release_ms + 999) / 1000, hint != NULL ? "; " : "",
             hint != NULL ? hint : "");
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
}

void session_stop(struct session *session, const char *why, const char *hint)
{
    session_stop_for(session, SESSION_INTERRUPTED, why);
    say_how_long_it_takes(session, hint);
    session_go_on(session);
}

void session_stop_now(struct session *session, const char *why)
{
    session_stop_for(session, SESSION_INTERRUPTED, why);
    readers_stop(session->readers, true);
    crew_stop(&session->crew, true);
    session_go_on(session);
}

/* ---- what is sent later ---- */

/* Nothing else is to be sent than what was set aside. A scan that is paused waits for that to end. */
static bool is_turn_of_aside(const struct session *session)
{
    return !intake_brings_more(session->intake) && session->plan.waiting_count == 0 &&
           !deferred_rests(&session->deferred) && !crew_has_work(&session->crew) && claims_is_idle(&session->claims);
}

static void try_aside(struct session *session)
{
    struct instance *instance = NULL;
    if (is_turn_of_aside(session))
        instance = deferred_take_aside(&session->deferred, clock_monotonic_us() / 1000);
    if (instance != NULL)
        session_take_back(session, instance);
}

static void end_deferred(struct session *session)
{
    struct instance *instance;
    while ((instance = deferred_take_any(&session->deferred)) != NULL)
        session_end_unsent(session, instance);
}

/* ---- verifying ---- */

static void begin_sending(struct session *session)
{
    session_enter(session, PHASE_SENDING);
    session->transfer_begun_us = clock_monotonic_us();
}

static void on_verified(void *user, const char *problem, uint64_t echo_us)
{
    struct session *session = user;
    if (problem != NULL)
        session_stop_for(session, SESSION_STOPPED, problem);
    else
        SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", "C-ECHO: the peer answers"),
                    LOG_NUMBER("echo_us", echo_us));
    if (session->phase == PHASE_VERIFYING)
        begin_sending(session);
    session_go_on(session);
}

static void begin_verifying(struct session *session)
{
    session_enter(session, PHASE_VERIFYING);
    int error = verify_start(&session->verify, session->loop, &session->options->association,
                             session->options->peer_words, &session->logger, on_verified, session);
    if (error != 0)
        session_stop_for(session, SESSION_STOPPED, dicomnet_error_text(error));
}

/* ---- the way through ---- */

/* All is over, and no handle is left: the result is whole. */
static void finish(struct session *session)
{
    struct session_result *result = session->result;
    void (*ended)(void *user) = session->ended;
    void *user = session->ended_user;
    intake_destroy(session->intake);
    plan_fini(&session->plan);
    readers_destroy(session->readers);
    held_files_destroy(session->held);
    idle_clock_fini(&session->idle_clock);
    result->totals = session->progress.totals;
    result->worker_count = session->crew.count;
    if (session->options->threads_auto) {
        result->threads_chosen = session->crew.pace.base;
        result->threads_settled = session->crew.pace.settled;
    }
    result->ended_us = clock_wall_us();
    result->duration_us = clock_monotonic_us() - session->begun_us;
    free(session);
    if (ended != NULL)
        ended(user);
}

static void on_inbox_closed(void *user)
{
    struct session *session = user;
    if (--session->handles_open == 0)
        finish(session);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_inbox_closed(handle->data);
}

static void close_handles(struct session *session)
{
    uv_close((uv_handle_t *)&session->timer, on_handle_closed);
    uv_close((uv_handle_t *)&session->turn, on_handle_closed);
    if (session->inbox_open)
        mailbox_close(&session->inbox, on_inbox_closed);
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
    end_deferred(session);
    while ((instance = plan_take_waiting(&session->plan)) != NULL)
        session_end_unsent(session, instance);
    keeping_flush(&session->keeping);
    close_if_settled(session);
}

static void leave_looking(struct session *session)
{
    if (session->options->probe && session->plan.table.pair_count > 0) {
        session_begin_probing(session);
    } else if (session->options->dry_run) {
        end_session(session);
    } else if (session->plan.waiting_count == 0) {
        end_session(session);
    } else if (session->options->verify) {
        begin_verifying(session);
    } else {
        begin_sending(session);
    }
}

static void hand_out(struct session *session)
{
    int error = crew_hand_out(&session->crew, &session->plan, &session->gate, clock_monotonic_us());
    if (error != 0)
        session_stop_for(session, SESSION_STOPPED, dicomnet_error_text(error));
}

/* Who has no work need not keep its association; and once all is sent and nothing more can come, the workers end. */
static void let_idle_go(struct session *session)
{
    crew_release_idle(&session->crew, intake_brings_more(session->intake), clock_monotonic_us());
    if (!session_is_scanning(session) && session->plan.waiting_count == 0 && !deferred_rests(&session->deferred) &&
        !deferred_is_aside(&session->deferred) && !crew_has_work(&session->crew) && claims_is_idle(&session->claims))
        crew_stop(&session->crew, false);
}

/* Why a worker without work has none. */
static enum time_kind why_idle(const struct session *session)
{
    uint64_t now_ms = clock_monotonic_us() / 1000;
    bool has_next = plan_has_next(&session->plan);
    if (session->phase >= PHASE_STOPPING)
        return TIME_IDLE;
    if (session->phase == PHASE_VERIFYING || session->phase == PHASE_PROBING)
        return TIME_WAITING;
    if (gate_ask(&session->gate, now_ms) != GATE_OPEN)
        return TIME_PAUSED;
    if (session->phase == PHASE_LOOKING || (intake_brings_more(session->intake) && !has_next))
        return TIME_SCANNING;
    bool rests = deferred_rests(&session->deferred) && session->plan.waiting_count == 0;
    bool waits = is_turn_of_aside(session) && deferred_aside_waits(&session->deferred, now_ms);
    return rests || waits || (crew_is_curbed(&session->crew) && has_next) ? TIME_PAUSED : TIME_IDLE;
}

/* The scan goes on, and enough is known to begin. */
static bool may_begin_early(const struct session *session)
{
    const struct session_options *options = session->options;
    if (options->scan_first || options->dry_run || session->plan.waiting_count == 0)
        return false;
    return session->progress.totals.files >= FOUND_AT_FIRST || options->synthetic != NULL ||
           clock_monotonic_us() - session->begun_us >= LOOKING_MS * 1000;
}

void session_go_on(struct session *session)
{
    intake_go_on(session->intake);
    bool scanning = session_is_scanning(session);
    if (session->phase == PHASE_LOOKING && (!scanning || may_begin_early(session)))
        leave_looking(session);
    if (session->phase == PHASE_SENDING) {
        try_aside(session);
        hand_out(session);
        let_idle_go(session);
    }
    idle_clock_set(&session->idle_clock, why_idle(session));
    bool running = session->crew.left > 0 || scanning || verify_is_under_way(&session->verify) ||
                   session->probe.under_way || !claims_is_idle(&session->claims);
    bool may_end =
        session->phase == PHASE_SENDING || session->phase == PHASE_PROBING || session->phase == PHASE_STOPPING;
    if (may_end && !running)
        end_session(session);
}

static int open_handles(struct session *session)
{
    uv_timer_init(session->loop, &session->timer);
    uv_check_init(session->loop, &session->turn);
    session->timer.data = session->turn.data = session;
    session->handles_open = 2;
    int error = mailbox_open(&session->inbox, session->loop, session_deliver, session);
    if (error != 0)
        return error;
    session->inbox_open = true;
    session->handles_open++;
    error = uv_timer_start(&session->timer, on_progress_timer, PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MS);
    return error != 0 ? error : uv_check_start(&session->turn, on_turn);
}

static void init_crew(struct session *session)
{
    const struct session_options *options = session->options;
    channel_dimse_peer_init(&session->scp, &options->association, options->priority);
    session->scp.propose_all = options->propose_all;
    session->channel_peer = options->peer != NULL ? options->peer : &session->scp.peer;
    struct crew_options crew = {
        .worker = {.peer = session->channel_peer,
                   .association_limit = options->association_limit,
                   .retry = options->retry,
                   .transcode = &options->transcode,
                   .words = options->peer_words,
                   .log_level = options->log_level,
                   .threads = options->threads,
                   .sources.synthetic = options->synthetic != NULL ? &session->synthetic.options : NULL,
                   .home = &session->inbox,
                   .idle_clock = &session->idle_clock},
        .threads_auto = options->threads_auto,
        .lessons = &session->peer.lessons,
        .claims = &session->claims,
        .logger = &session->logger};
    crew_init(&session->crew, &crew);
    session_make_ready_to_read(session);
}

static void init_peer(struct session *session)
{
    const struct session_options *options = session->options;
    const struct peer_options peer = {.association = &options->association,
                                      .words = options->peer_words,
                                      .retry = options->retry,
                                      .give_up_ms = options->give_up_ms};
    peer_init(&session->peer, &peer);
}

/* 0, or an error that leaves nothing but handles which are being closed. */
static int begin(struct session *session)
{
    int error = open_handles(session);
    if (error != 0) {
        close_handles(session);
        return error;
    }
    plan_init(&session->plan, &session->options->transcode);
    init_crew(session);
    init_peer(session);
    error = session_start_scan(session);
    if (error != 0)
        end_session(session);
    return error;
}

int session_start(struct session **ret_session, struct uv_loop_s *loop, const struct session_options *options,
                  const struct session_observer *observer, struct session_result *ret_result, void (*ended)(void *user),
                  void *user)
{
    struct session *session = calloc(1, sizeof *session);
    *ret_session = NULL;
    if (session == NULL)
        return -ENOMEM;
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->begun_us = clock_wall_us();
    ret_result->strict = options->strict;
    session->loop = loop;
    session->options = options;
    session->observer = observer;
    session->result = ret_result;
    session->ended = ended;
    session->ended_user = user;
    session->logger =
        (struct dicomnet_logger){.write = session_write_log, .user = session, .level = options->log_level};
    keeping_init(&session->keeping, options->dry_run ? NULL : options->record, on_kept, session);
    claims_init(&session->claims, options->dry_run ? NULL : options->record, &session->plan, &session_claims_handler,
                session);
    session->begun_us = clock_monotonic_us();
    deferred_init(&session->deferred);
    int error = idle_clock_init(&session->idle_clock, TIME_SCANNING, session->begun_us);
    if (error != 0) {
        free(session);
        return error;
    }
    *ret_session = session;
    error = begin(session);
    if (error != 0) { /* and nobody is told of its end */
        *ret_session = NULL;
        session->ended = NULL;
    }
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
