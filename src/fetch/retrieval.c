/*
 * retrieval - the run: phases, associations, rounds, signals. See retrieval.h.
 *
 * Each phase has an association of its own, and an association does one thing after the other: go_on() begins the next
 * query, or releases; what comes then is decided when it is closed.
 */
#include "fetch/retrieval.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fetch/retrieval_private.h"
#include "instance/status_rule.h"
#include "serve/allowed.h"
#include "services/peer_text.h"

/* A peer may answer a C-MOVE before its last instance has come: what is missing is waited for so long. */
enum { TICK_MS = 500, SETTLE_MS = 1000 };

static void go_on(struct retrieval *retrieval);
static void start_association(struct retrieval *retrieval);
static void start_round(struct retrieval *retrieval);

/* ---- what is told ---- */

/* The study that is under way belongs to every record. */
static void pass_on_record(void *user, const struct dicomnet_log_record *record)
{
    struct retrieval *retrieval = user;
    struct dicomnet_log_record with_study = *record;
    if (with_study.study == NULL)
        with_study.study = retrieval->study_uid;
    if (retrieval->observer->log != NULL)
        retrieval->observer->log(retrieval->observer->user, &with_study);
}

void retrieval_stop(struct retrieval *retrieval, const char *text)
{
    struct retrieval_result *result = &retrieval->result;
    if (result->verdict != RETRIEVAL_COMPLETE)
        return;
    result->verdict = RETRIEVAL_STOPPED;
    snprintf(result->stop_text, sizeof result->stop_text, "%s", text);
    LOG(&retrieval->logger, DICOMNET_LOG_ERROR, EVENT_SESSION_INTERRUPTED, LOG_TEXT("text", text));
}

static void tell_progress(struct retrieval *retrieval)
{
    uint64_t now_us = clock_monotonic_us();
    const struct retrieval_progress now = {
        .phase = retrieval->phase,
        .counts = retrieval->result.counts,
        .request = retrieval->under_way && retrieval->phase == RETRIEVAL_ASKING ? retrieval->ask.query.counts
                                                                                : (struct dicomnet_query_counts){0},
        .elapsed_us = now_us - retrieval->begun_us,
        .asking_us = retrieval->asking_begun_us > 0 ? now_us - retrieval->asking_begun_us : 0};
    if (retrieval->observer->progress != NULL)
        retrieval->observer->progress(retrieval->observer->user, &now);
}

/* ---- phases ---- */

static bool is_over(const struct retrieval *retrieval)
{
    return retrieval->result.verdict != RETRIEVAL_COMPLETE;
}

void retrieval_moved(struct retrieval *retrieval)
{
    retrieval->moved_us = clock_monotonic_us();
}

/* Nothing keeps the loop then. */
static void finish(struct retrieval *retrieval)
{
    retrieval->phase = RETRIEVAL_DONE;
    if (retrieval->receiver != NULL)
        receiver_close(retrieval->receiver, NULL, NULL);
    retrieval->receiver = NULL;
    interrupt_close(&retrieval->interrupt);
    uv_close((uv_handle_t *)&retrieval->ticker, NULL);
    uv_close((uv_handle_t *)&retrieval->waiter, NULL);
}

static void on_waited(uv_timer_t *timer);

static void wait_ms(struct retrieval *retrieval, uint32_t ms)
{
    uv_timer_start(&retrieval->waiter, on_waited, ms, 0);
}

/* Another try, or the end: `text` says why if the peer is to blame. */
static void try_again(struct retrieval *retrieval, const char *text)
{
    const struct retrieval_counts *counts = &retrieval->result.counts;
    bool progress = counts->stored > retrieval->stored_before ||
                    (retrieval->phase == RETRIEVAL_LISTING && retrieval->list.steps_ended > retrieval->steps_before);
    retrieval->attempt = progress ? 0 : retrieval->attempt + 1;
    retrieval->fruitless = progress ? 0 : retrieval->fruitless + !retrieval->failed;
    bool goes_on = progress && retrieval->phase == RETRIEVAL_LISTING; /* it is no retry */
    if (retrieval->attempt > retrieval->options->retry || (retrieval->options->retry == 0 && !goes_on)) {
        if (text != NULL)
            retrieval_stop(retrieval, text);
        finish(retrieval);
        return;
    }
    uint32_t delay_ms =
        retrieval->attempt > 0 ? policy_backoff_ms(retrieval->attempt + 1, (uint32_t)clock_monotonic_us()) : 0;
    if (retrieval->phase != RETRIEVAL_LISTING) {
        retrieval->phase = RETRIEVAL_WAITING;
        LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_RETRIED, LOG_NUMBER("missing", counts->missing),
            LOG_NUMBER("delay_ms", delay_ms));
    } else {
        LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_ASSOCIATION_RETRY, LOG_NUMBER("delay_ms", delay_ms),
            LOG_TEXT("text", text));
    }
    wait_ms(retrieval, delay_ms);
}

static void end_round(struct retrieval *retrieval)
{
    try_again(retrieval, retrieval->failed ? retrieval->end_text : NULL);
}

/* What comes late must be known to be of the part that was asked for: nothing says it but the request. */
static void linger(struct retrieval *retrieval)
{
    uint64_t quiet_ms = (clock_monotonic_us() - retrieval->heard_us) / 1000;
    retrieval->lingering = retrieval_ask_is_short(retrieval) && quiet_ms < SETTLE_MS;
    if (retrieval->lingering)
        wait_ms(retrieval, (uint32_t)(SETTLE_MS - quiet_ms));
    else
        go_on(retrieval);
}

static void on_waited(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    uint64_t quiet_ms = (clock_monotonic_us() - retrieval->heard_us) / 1000;
    if (retrieval->lingering) {
        linger(retrieval);
    } else if (!retrieval->settling && retrieval->phase == RETRIEVAL_LISTING) {
        start_association(retrieval);
    } else if (!retrieval->settling) {
        start_round(retrieval);
    } else if (retrieval->result.counts.missing == 0) {
        finish(retrieval);
    } else if (quiet_ms < SETTLE_MS) {
        wait_ms(retrieval, (uint32_t)(SETTLE_MS - quiet_ms));
    } else {
        retrieval->settling = false;
        end_round(retrieval);
    }
}

static void start_round(struct retrieval *retrieval)
{
    retrieval->phase = RETRIEVAL_ASKING;
    retrieval->result.rounds++;
    retrieval->stored_before = retrieval->result.counts.stored;
    if (retrieval->asking_begun_us == 0)
        retrieval->asking_begun_us = clock_monotonic_us();
    retrieval_ask_rewind(retrieval);
    start_association(retrieval);
}

static void end_listing(struct retrieval *retrieval)
{
    const struct retrieval_counts *counts = &retrieval->result.counts;
    retrieval->result.list_us = clock_monotonic_us() - retrieval->begun_us;
    retrieval_parts_close(retrieval);
    LOG(&retrieval->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_LISTED, LOG_NUMBER("matches", counts->matches),
        LOG_NUMBER("series", counts->series), LOG_NUMBER("instances", counts->listed),
        LOG_NUMBER("present", counts->present));
    retrieval->attempt = 0;
    tell_progress(retrieval);
    if (counts->missing == 0)
        finish(retrieval);
    else
        start_round(retrieval);
}

/* ---- one association ---- */

static bool is_permanent(const struct dicomnet_association_end *end)
{
    return (end->kind == DICOMNET_ASSOCIATION_REJECTED && end->reject.result == 1) ||
           end->error == DICOMNET_ERROR_HOST_UNKNOWN || dicomnet_error_is_foreign(end->error);
}

/* The next query, or the release. */
static void go_on(struct retrieval *retrieval)
{
    int begun = 0;
    if (!is_over(retrieval))
        begun = retrieval->phase == RETRIEVAL_LISTING ? retrieval_list_next(retrieval) : retrieval_ask_next(retrieval);
    retrieval->under_way = begun > 0;
    retrieval->heard_us = clock_monotonic_us();
    if (begun == DICOMNET_ERROR_NO_CONTEXT && retrieval->phase == RETRIEVAL_LISTING &&
        retrieval_list_do_without(retrieval, "the peer does not accept C-FIND in this information model"))
        begun = 0;
    else if (begun == DICOMNET_ERROR_NO_CONTEXT)
        retrieval_stop(retrieval, retrieval->phase == RETRIEVAL_LISTING
                                      ? "the peer does not accept C-FIND in this information model"
                                  : retrieval->options->get
                                      ? "the peer does not accept C-GET in this information model"
                                      : "the peer does not accept C-MOVE in this information model");
    else if (begun < 0)
        retrieval_stop(retrieval, dicomnet_error_text(begun));
    if (begun <= 0)
        dicomnet_query_user_release(retrieval->user);
}

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    struct retrieval *retrieval = context;
    (void)user;
    retrieval->opened = true;
    go_on(retrieval);
}

/* The peer is asked to stop, and gets as long for that as for any answer. */
static void cancel(struct retrieval *retrieval)
{
    if (retrieval->stopping_us == 0)
        retrieval->stopping_us = clock_monotonic_us();
    if (retrieval->under_way)
        dicomnet_query_user_cancel(retrieval->user);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    struct retrieval *retrieval = context;
    (void)query;
    retrieval->heard_us = clock_monotonic_us();
    retrieval_list_match(retrieval, match);
    if (retrieval->list.error != 0 || is_over(retrieval))
        cancel(retrieval);
}

static void on_progress(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query)
{
    struct retrieval *retrieval = context;
    (void)user;
    (void)query;
    retrieval->heard_us = clock_monotonic_us();
    retrieval_ask_progress(retrieval);
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    struct retrieval *retrieval = context;
    (void)user;
    retrieval->under_way = false;
    retrieval->failed = !query->answered;
    if (retrieval->phase == RETRIEVAL_ASKING) {
        retrieval_ask_ended(retrieval, failed);
        tell_progress(retrieval);
    } else {
        retrieval_log_query_ended(retrieval, query);
        if (query->answered && !is_over(retrieval))
            retrieval_list_ended(retrieval);
        else if (!is_over(retrieval))
            retrieval_list_lost(retrieval);
    }
    retrieval->heard_us = clock_monotonic_us();
    if (query->answered)
        linger(retrieval);
}

static void after_listing(struct retrieval *retrieval, const struct dicomnet_association_end *end)
{
    if (!is_over(retrieval) && retrieval->list.error != 0)
        retrieval_stop(retrieval, dicomnet_error_text(retrieval->list.error));
    if (is_over(retrieval)) {
        finish(retrieval);
    } else if (retrieval->opened && retrieval->list.step == NULL) {
        end_listing(retrieval);
    } else if (is_permanent(end)) {
        retrieval_stop(retrieval, retrieval->end_text);
        finish(retrieval);
    } else {
        try_again(retrieval, retrieval->end_text);
    }
}

static void after_asking(struct retrieval *retrieval, const struct dicomnet_association_end *end)
{
    if (!is_over(retrieval) && is_permanent(end))
        retrieval_stop(retrieval, retrieval->end_text);
    if (is_over(retrieval) || retrieval->result.counts.missing == 0) {
        finish(retrieval);
    } else if (!retrieval->failed && retrieval->receiver != NULL && !retrieval->options->get) {
        retrieval->phase = RETRIEVAL_WAITING;
        retrieval->settling = true;
        wait_ms(retrieval, SETTLE_MS);
    } else {
        end_round(retrieval);
    }
}

static void on_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct retrieval *retrieval = context;
    (void)user;
    retrieval->user = NULL;
    retrieval->study_uid = NULL;
    retrieval->lingering = false;
    uv_timer_stop(&retrieval->waiter);
    if (retrieval->guest != NULL)
        receiver_leave(retrieval->receiver, retrieval->guest);
    retrieval->guest = NULL;
    retrieval->failed |= !retrieval->opened || end->kind != DICOMNET_ASSOCIATION_RELEASED;
    const struct peer_names names = {.host = retrieval->options->host,
                                     .port = retrieval->options->port,
                                     .called_ae = retrieval->options->called_ae,
                                     .calling_ae = retrieval->options->calling_ae};
    peer_describe_end(end, &names, retrieval->end_text, sizeof retrieval->end_text);
    if (retrieval->phase == RETRIEVAL_LISTING)
        after_listing(retrieval, end);
    else
        after_asking(retrieval, end);
}

static const struct dicomnet_query_user_handler handler = {
    .opened = on_opened, .match = on_match, .progress = on_progress, .ended = on_ended, .closed = on_closed};

/* The instances of a C-MOVE come on other associations: the timeout for its answer is on_tick's. */
static bool waits_by_itself(const struct retrieval *retrieval)
{
    return retrieval->phase == RETRIEVAL_ASKING && retrieval->receiver != NULL && !retrieval->options->get;
}

static int open_user(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    struct dicomnet_association_options association = {.host = options->host,
                                                       .port = options->port,
                                                       .max_pdu_len = options->max_pdu_len,
                                                       .timeouts = options->timeouts,
                                                       .logger = &retrieval->logger};
    struct dicomnet_query_user_options user = {.handler = &handler, .context = retrieval};
    struct dicomnet_association_proposal *proposals = retrieval_proposals(retrieval, &association.proposal_count);
    int error = proposals == NULL ? -ENOMEM : 0;
    association.proposals = proposals;
    strcpy(association.called_ae, options->called_ae);
    strcpy(association.calling_ae, options->calling_ae);
    if (waits_by_itself(retrieval))
        association.timeouts.dimse_ms = 0;
    if (error == 0 && retrieval->phase == RETRIEVAL_ASKING && options->get) {
        error = receiver_enter(retrieval->receiver, &user.sink, &retrieval->guest);
        user.sink_context = retrieval->guest;
    }
    if (error == 0)
        error = dicomnet_query_user_open(&retrieval->user, &retrieval->loop, &association, &user);
    free(proposals);
    if (error != 0 && retrieval->guest != NULL) {
        receiver_leave(retrieval->receiver, retrieval->guest);
        retrieval->guest = NULL;
    }
    return error;
}

static void start_association(struct retrieval *retrieval)
{
    retrieval->opened = retrieval->under_way = retrieval->failed = false;
    retrieval->steps_before = retrieval->list.steps_ended;
    int error = open_user(retrieval);
    if (error == 0)
        return;
    retrieval_stop(retrieval, dicomnet_error_text(error));
    finish(retrieval);
}

/* ---- timers and signals ---- */

static bool is_due(uint64_t since_us, uint32_t ms)
{
    return since_us > 0 && ms > 0 && clock_monotonic_us() - since_us >= (uint64_t)ms * 1000;
}

static void on_tick(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    uint32_t dimse_ms = retrieval->options->timeouts.dimse_ms;
    tell_progress(retrieval);
    if (retrieval->user == NULL)
        return;
    if (is_due(retrieval->stopping_us, dimse_ms) ||
        (retrieval->under_way && waits_by_itself(retrieval) && is_due(retrieval->heard_us, dimse_ms)))
        dicomnet_query_user_abort(retrieval->user, DICOMNET_ERROR_TIMEOUT_DIMSE);
    else if (retrieval->under_way && is_due(retrieval->moved_us, retrieval->options->stall_ms))
        dicomnet_query_user_abort(retrieval->user, DICOMNET_ERROR_STALLED);
}

/* The first asks the peer to stop, a second one does not wait for it. */
static void on_interrupt(void *user, int number)
{
    struct retrieval *retrieval = user;
    if (retrieval->phase == RETRIEVAL_DONE)
        return;
    if (++retrieval->signal_count == 1) {
        retrieval->result.verdict = RETRIEVAL_INTERRUPTED;
        snprintf(retrieval->result.stop_text, sizeof retrieval->result.stop_text, "%s", interrupt_text(number));
        LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_SESSION_INTERRUPTED,
            LOG_TEXT("text", "interrupted: the peer is asked to stop; a second Ctrl-C aborts at once"));
    }
    if (retrieval->user == NULL)
        finish(retrieval);
    else if (retrieval->signal_count > 1 || !retrieval->under_way)
        dicomnet_query_user_abort(retrieval->user, DICOMNET_ERROR_ABORTED_LOCALLY);
    else
        cancel(retrieval);
}

static int start_handles(struct retrieval *retrieval)
{
    uv_timer_init(&retrieval->loop, &retrieval->ticker);
    uv_timer_init(&retrieval->loop, &retrieval->waiter);
    retrieval->ticker.data = retrieval->waiter.data = retrieval;
    int error = interrupt_listen(&retrieval->interrupt, &retrieval->loop, on_interrupt, retrieval);
    return error != 0 ? error : uv_timer_start(&retrieval->ticker, on_tick, TICK_MS, TICK_MS);
}

/* ---- the whole ---- */

static void end_run(struct retrieval *retrieval)
{
    struct retrieval_result *result = &retrieval->result;
    result->ended_us = clock_wall_us();
    result->duration_us = clock_monotonic_us() - retrieval->begun_us;
    if (retrieval->asking_begun_us > 0)
        result->asking_us = clock_monotonic_us() - retrieval->asking_begun_us;
    tell_progress(retrieval);
    retrieval_parts_tell_missing(retrieval);
}

static int begin_list(struct retrieval *retrieval)
{
    if (retrieval->receiver != NULL) {
        retrieval->check = arrival_check_create();
        if (retrieval->check == NULL)
            return -ENOMEM;
    }
    int error = retrieval_list_begin(retrieval);
    if (error == 0 && retrieval->list.step == NULL)
        end_listing(retrieval);
    else if (error == 0)
        start_association(retrieval);
    return error;
}

int retrieval_run(const struct retrieval_options *options, const struct retrieval_observer *observer,
                  struct retrieval_result *ret_result)
{
    struct retrieval retrieval = {.options = options, .observer = observer, .phase = RETRIEVAL_LISTING};
    retrieval.logger =
        (struct dicomnet_logger){.write = pass_on_record, .user = &retrieval, .level = options->log_level};
    retrieval.begun_us = clock_monotonic_us();
    retrieval.result.begun_us = clock_wall_us();
    retrieval_list_init(&retrieval);
    dicomnet_identifier_init(&retrieval.ask.keys);
    *ret_result = retrieval.result;
    int error = uv_loop_init(&retrieval.loop);
    if (error != 0)
        return error;
    error = retrieval_open_receiver(&retrieval);
    if (error == 0) {
        error = start_handles(&retrieval);
        if (error == 0)
            error = begin_list(&retrieval);
        if (error != 0)
            finish(&retrieval);
    }
    uv_run(&retrieval.loop, UV_RUN_DEFAULT);
    if (error == 0)
        end_run(&retrieval);
    int closed = uv_loop_close(&retrieval.loop);
    assert(closed == 0);
    (void)closed;
    retrieval_list_fini(&retrieval);
    allowed_destroy(retrieval.allowed);
    arrival_check_destroy(retrieval.check);
    dicomnet_identifier_fini(&retrieval.ask.keys);
    *ret_result = retrieval.result;
    return error;
}

int retrieval_exit_code(const struct retrieval_result *result)
{
    const struct retrieval_counts *counts = &result->counts;
    if (result->verdict == RETRIEVAL_INTERRUPTED)
        return 130;
    if (result->verdict == RETRIEVAL_COMPLETE && counts->listed > 0 && counts->missing == 0)
        return 0;
    return counts->stored + counts->present > 0 ? 2 : 1;
}
