/*
 * retrieval - the run: phases, associations, rounds, signals. See retrieval.h.
 *
 * Each phase has an association of its own, and an association does one thing after the other: go_on() begins the next
 * query, or releases; what comes then is decided when it is closed.
 */
#include "engine/retrieval.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/allowed.h"
#include "engine/peer_text.h"
#include "engine/policy.h"
#include "engine/retrieval_private.h"

/* A peer may answer a C-MOVE before its last instance has come: what is missing is waited for so long. */
enum { TICK_MS = 500, SETTLE_MS = 1000 };

static void start_association(struct retrieval *retrieval);
static void start_round(struct retrieval *retrieval);

/* ---- words ---- */

static const char *service_name(enum query_service service)
{
    return service == QUERY_FIND ? "C-FIND" : service == QUERY_MOVE ? "C-MOVE" : "C-GET";
}

void retrieval_describe_query(const struct query *query, char *ret_text, size_t size)
{
    if (!query->answered)
        snprintf(ret_text, size, "%s: %s", service_name(query->service), error_text(query->error));
    else
        snprintf(ret_text, size, "%s: status %04X (%s)%s%s", service_name(query->service), query->status,
                 query_status_text(query->service, query->status), query->comment[0] != '\0' ? ": " : "",
                 query->comment);
}

void retrieval_log_query_ended(struct retrieval *retrieval, const struct query *query)
{
    bool good = query->answered && query->status == STATUS_SUCCESS;
    enum log_level level = !good ? LOG_WARN : query->service == QUERY_FIND ? LOG_DEBUG : LOG_INFO;
    char status[8] = "none";
    const char *text = query->answered ? query_status_text(query->service, query->status) : error_text(query->error);
    if (query->answered)
        snprintf(status, sizeof status, "0x%04X", query->status);
    LOG(&retrieval->logger, level, LOG_QUERY_ENDED, LOG_TEXT("service", service_name(query->service)),
        LOG_TEXT("status", status), LOG_TEXT("text", text), LOG_TEXT("comment", query->comment),
        LOG_NUMBER("matches", query->match_count), LOG_NUMBER("completed", query->counts.completed),
        LOG_NUMBER("failed", query->counts.failed), LOG_NUMBER("warning", query->counts.warning),
        LOG_NUMBER("remaining", query->counts.remaining));
    retrieval->study_uid = NULL;
}

/* The study that is under way belongs to every record. */
static void pass_on_record(void *user, const struct log_record *record)
{
    struct retrieval *retrieval = user;
    struct log_record with_study = *record;
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
    LOG(&retrieval->logger, LOG_ERROR, LOG_SESSION_INTERRUPTED, LOG_TEXT("text", text));
}

static void tell_progress(struct retrieval *retrieval)
{
    uint64_t now_us = clock_monotonic_us();
    const struct retrieval_progress now = {
        .phase = retrieval->phase,
        .counts = retrieval->result.counts,
        .request = retrieval->under_way && retrieval->phase == RETRIEVAL_ASKING ? retrieval->ask.query.counts
                                                                                : (struct query_counts){0},
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
    bool progress = counts->stored > retrieval->stored_before;
    retrieval->attempt = progress ? 0 : retrieval->attempt + 1;
    retrieval->fruitless = progress ? 0 : retrieval->fruitless + !retrieval->failed;
    if (retrieval->attempt > retrieval->options->retry || retrieval->options->retry == 0) {
        if (text != NULL)
            retrieval_stop(retrieval, text);
        finish(retrieval);
        return;
    }
    uint32_t delay_ms =
        retrieval->attempt > 0 ? policy_backoff_ms(retrieval->attempt + 1, (uint32_t)clock_monotonic_us()) : 0;
    if (retrieval->phase != RETRIEVAL_LISTING) {
        retrieval->phase = RETRIEVAL_WAITING;
        LOG(&retrieval->logger, LOG_WARN, LOG_RETRIEVAL_RETRIED, LOG_NUMBER("missing", counts->missing),
            LOG_NUMBER("delay_ms", delay_ms));
    } else {
        LOG(&retrieval->logger, LOG_WARN, LOG_ASSOCIATION_RETRY, LOG_NUMBER("delay_ms", delay_ms),
            LOG_TEXT("text", text));
    }
    wait_ms(retrieval, delay_ms);
}

static void end_round(struct retrieval *retrieval)
{
    try_again(retrieval, retrieval->failed ? retrieval->end_text : NULL);
}

static void on_waited(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    uint64_t quiet_ms = (clock_monotonic_us() - retrieval->heard_us) / 1000;
    if (!retrieval->settling) {
        if (retrieval->phase == RETRIEVAL_LISTING)
            start_association(retrieval);
        else
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
    LOG(&retrieval->logger, LOG_INFO, LOG_RETRIEVAL_LISTED, LOG_NUMBER("matches", counts->matches),
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

static bool is_permanent(const struct association_end *end)
{
    return (end->kind == ASSOCIATION_REJECTED && end->reject.result == 1) || end->error == ERROR_HOST_UNKNOWN ||
           error_is_foreign(end->error);
}

/* The next query, or the release. */
static void go_on(struct retrieval *retrieval)
{
    int begun = 0;
    if (!is_over(retrieval))
        begun = retrieval->phase == RETRIEVAL_LISTING ? retrieval_list_next(retrieval) : retrieval_ask_next(retrieval);
    retrieval->under_way = begun > 0;
    retrieval->heard_us = clock_monotonic_us();
    if (begun == ERROR_NO_CONTEXT)
        retrieval_stop(retrieval, retrieval->phase == RETRIEVAL_LISTING
                                      ? "the peer does not accept C-FIND in this information model"
                                  : retrieval->options->get
                                      ? "the peer does not accept C-GET in this information model"
                                      : "the peer does not accept C-MOVE in this information model");
    else if (begun < 0)
        retrieval_stop(retrieval, error_text(begun));
    if (begun <= 0)
        query_user_release(retrieval->user);
}

static void on_opened(struct query_user *user, void *context)
{
    struct retrieval *retrieval = context;
    (void)user;
    retrieval->opened = true;
    go_on(retrieval);
}

static void on_match(struct query_user *user, void *context, struct query *query, const struct identifier *match)
{
    struct retrieval *retrieval = context;
    (void)query;
    retrieval_list_match(retrieval, match);
    if (retrieval->list.error != 0)
        query_user_cancel(user);
}

static void on_progress(struct query_user *user, void *context, struct query *query)
{
    struct retrieval *retrieval = context;
    (void)user;
    (void)query;
    retrieval->heard_us = clock_monotonic_us();
}

static void on_ended(struct query_user *user, void *context, struct query *query, const struct identifier *failed)
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
    }
    if (query->answered)
        go_on(retrieval);
}

static void after_listing(struct retrieval *retrieval, const struct association_end *end)
{
    bool whole = retrieval->opened && !retrieval->failed && retrieval->list.step == NULL;
    if (is_over(retrieval)) {
        finish(retrieval);
    } else if (whole) {
        end_listing(retrieval);
    } else if (is_permanent(end)) {
        retrieval_stop(retrieval, retrieval->end_text);
        finish(retrieval);
    } else if (retrieval_list_begin(retrieval) != 0) {
        retrieval_stop(retrieval, error_text(-ENOMEM));
        finish(retrieval);
    } else {
        try_again(retrieval, retrieval->end_text);
    }
}

static void after_asking(struct retrieval *retrieval, const struct association_end *end)
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

static void on_closed(struct query_user *user, void *context, const struct association_end *end)
{
    struct retrieval *retrieval = context;
    (void)user;
    retrieval->user = NULL;
    retrieval->study_uid = NULL;
    if (retrieval->guest != NULL)
        receiver_leave(retrieval->receiver, retrieval->guest);
    retrieval->guest = NULL;
    retrieval->failed |= !retrieval->opened || end->kind != ASSOCIATION_RELEASED;
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

static const struct query_user_handler handler = {
    .opened = on_opened, .match = on_match, .progress = on_progress, .ended = on_ended, .closed = on_closed};

/* The instances of a C-MOVE come on other associations: the timeout for its answer is on_tick's. */
static bool waits_by_itself(const struct retrieval *retrieval)
{
    return retrieval->phase == RETRIEVAL_ASKING && retrieval->receiver != NULL && !retrieval->options->get;
}

static int open_user(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    struct association_options association = {.host = options->host,
                                              .port = options->port,
                                              .max_pdu_len = options->max_pdu_len,
                                              .timeouts = options->timeouts,
                                              .logger = &retrieval->logger};
    struct query_user_options user = {.handler = &handler, .context = retrieval};
    struct association_proposal *proposals = retrieval_ask_proposals(retrieval, &association.proposal_count);
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
        error = query_user_open(&retrieval->user, &retrieval->loop, &association, &user);
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
    int error = open_user(retrieval);
    if (error == 0)
        return;
    retrieval_stop(retrieval, error_text(error));
    finish(retrieval);
}

/* ---- timers and signals ---- */

static void on_tick(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    uint64_t quiet_ms = (clock_monotonic_us() - retrieval->heard_us) / 1000;
    uint32_t dimse_ms = retrieval->options->timeouts.dimse_ms;
    if (retrieval->under_way && waits_by_itself(retrieval) && dimse_ms > 0 && quiet_ms >= dimse_ms)
        query_user_abort(retrieval->user, ERROR_TIMEOUT_DIMSE);
    tell_progress(retrieval);
}

/* The first asks the peer to stop, a second one does not wait for it. */
static void on_interrupt(void *user, int number)
{
    struct retrieval *retrieval = user;
    (void)number;
    retrieval->signal_count++;
    if (retrieval->phase == RETRIEVAL_DONE)
        return;
    if (retrieval->signal_count == 1) {
        retrieval->result.verdict = RETRIEVAL_INTERRUPTED;
        snprintf(retrieval->result.stop_text, sizeof retrieval->result.stop_text, "interrupted by a signal");
        LOG(&retrieval->logger, LOG_WARN, LOG_SESSION_INTERRUPTED,
            LOG_TEXT("text", "interrupted: the peer is asked to stop; a second Ctrl-C aborts at once"));
    }
    if (retrieval->user == NULL)
        finish(retrieval);
    else if (retrieval->signal_count > 1 || !retrieval->opened)
        query_user_abort(retrieval->user, ERROR_ABORTED_LOCALLY);
    else
        query_user_cancel(retrieval->user);
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

static int read_allowed(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    const char *wrong;
    if (options->allow_from_count == 0)
        return 0;
    int error =
        allowed_create(&retrieval->allowed, &retrieval->loop, options->allow_from, options->allow_from_count, &wrong);
    if (wrong != NULL)
        snprintf(retrieval->result.stop_text, sizeof retrieval->result.stop_text,
                 "--allow-from: '%.200s' is no AE title, and no address or name of a host that can be found", wrong);
    return error;
}

static int open_receiver(struct retrieval *retrieval)
{
    static const struct receiver_observer observer = {.store_asked = retrieval_ask_wants,
                                                      .store_answered = retrieval_ask_arrived};
    const struct retrieval_options *options = retrieval->options;
    struct receiver_options receiver = {.acceptor = {.bind_address = options->get ? NULL : options->receive_address,
                                                     .port = options->receive_port,
                                                     .association = {.check_called_ae = true,
                                                                     .max_pdu_len = options->max_pdu_len,
                                                                     .timeouts = options->timeouts,
                                                                     .logger = &retrieval->logger}},
                                        .output_dir = options->output_dir,
                                        .sync = options->sync,
                                        .mode = options->mode,
                                        .check = true,
                                        .logger = &retrieval->logger,
                                        .observer = &observer,
                                        .observer_user = retrieval};
    if (options->output_dir == NULL)
        return 0;
    strcpy(receiver.acceptor.association.ae, options->receive_ae);
    int error = read_allowed(retrieval);
    receiver.allowed = retrieval->allowed;
    if (error == 0)
        error = receiver_open(&retrieval->receiver, &retrieval->loop, &receiver, retrieval->result.stop_text,
                              sizeof retrieval->result.stop_text);
    if (error != 0 || options->get)
        return error;
    retrieval->result.receive_port = receiver_port(retrieval->receiver);
    LOG(&retrieval->logger, LOG_INFO, LOG_RECEIVER_LISTENING, LOG_TEXT("address", options->receive_address),
        LOG_NUMBER("port", retrieval->result.receive_port), LOG_TEXT("ae", options->receive_ae));
    return 0;
}

static void end_run(struct retrieval *retrieval)
{
    struct retrieval_result *result = &retrieval->result;
    result->ended_us = clock_wall_us();
    result->duration_us = clock_monotonic_us() - retrieval->begun_us;
    if (retrieval->asking_begun_us > 0)
        result->asking_us = clock_monotonic_us() - retrieval->asking_begun_us;
    tell_progress(retrieval);
    retrieval_list_tell_missing(retrieval);
}

int retrieval_run(const struct retrieval_options *options, const struct retrieval_observer *observer,
                  struct retrieval_result *ret_result)
{
    struct retrieval retrieval = {.options = options, .observer = observer, .phase = RETRIEVAL_LISTING};
    retrieval.logger = (struct logger){.write = pass_on_record, .user = &retrieval, .level = options->log_level};
    retrieval.begun_us = clock_monotonic_us();
    retrieval.result.begun_us = clock_wall_us();
    retrieval_list_init(&retrieval);
    identifier_init(&retrieval.ask.keys);
    *ret_result = retrieval.result;
    int error = uv_loop_init(&retrieval.loop);
    if (error != 0)
        return error;
    error = open_receiver(&retrieval);
    if (error == 0) {
        error = start_handles(&retrieval);
        if (error == 0)
            error = retrieval_list_begin(&retrieval);
        if (error == 0)
            start_association(&retrieval);
        else
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
    identifier_fini(&retrieval.ask.keys);
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
