/*
 * retrieval - the run: its states, associations, rounds and timers. See retrieval.h and retrieval_state.h.
 *
 * It holds the parts, and alone knows all of them: what is known (inventory), the list of the peer (listing), what is
 * asked for (asking), what comes (arrivals), the association with the peer (peer_link). An association does one query
 * after the other: go_on() begins the next one, or releases; what comes then is decided when it is closed.
 */
#include "fetch/retrieval.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "fetch/listing.h"
#include "fetch/peer_link.h"
#include "fetch/retrieval_state.h"
#include "fetch/rounds.h"
#include "fetch/telling.h"
#include "fetch/words.h"

/* A peer may answer a C-MOVE before its last instance has come: what is missing is waited for so long. */
enum { TICK_MS = 500, SETTLE_MS = 1000 };

struct retrieval {
    struct run run;
    struct inventory inventory;
    struct listing listing;
    struct asking asking;
    struct arrivals arrivals;
    struct peer_link link;
    struct rounds rounds;
    struct telling telling;
    struct uv_loop_s *loop;
    uv_timer_t ticker; /* progress, and the response timeout of a C-MOVE */
    uv_timer_t waiter; /* see on_waited */
    unsigned closing;  /* what is being closed; it has ended when it is 0 */
    void (*ended)(void *user, const struct retrieval_result *result);

    enum retrieval_state state; /* set_state alone writes it */
    enum retrieval_stage stage;
    unsigned stop_count;    /* calls of retrieval_stop */
    uint64_t stored_before; /* this round */
    uint64_t steps_before;  /* of the list that had ended, before this association */
};

static void go_on(struct retrieval *retrieval);
static void start_association(struct retrieval *retrieval);
static void start_round(struct retrieval *retrieval);

/* ---- states ---- */

static void set_state(struct retrieval *retrieval, enum retrieval_state state)
{
    assert(retrieval_state_may_follow(retrieval->state, state));
    retrieval->state = state;
}

static bool is_asking(const struct retrieval *retrieval)
{
    return retrieval->stage == RETRIEVAL_STAGE_ASKING;
}

static bool is_querying(const struct retrieval *retrieval)
{
    return retrieval->state == RETRIEVAL_STATE_QUERYING;
}

static enum dicomnet_query_service service_of(const struct retrieval *retrieval)
{
    return !is_asking(retrieval)         ? DICOMNET_QUERY_FIND
           : retrieval->run.options->get ? DICOMNET_QUERY_GET
                                         : DICOMNET_QUERY_MOVE;
}

static bool waits_for_arrivals(const struct retrieval *retrieval)
{
    return peer_link_waits_for_arrivals(&retrieval->link, service_of(retrieval));
}

static void tell_progress(const struct retrieval *retrieval)
{
    telling_progress(&retrieval->telling, retrieval_state_phase(retrieval->state, retrieval->stage),
                     is_asking(retrieval) && is_querying(retrieval));
}

/* ---- the end ---- */

static void free_retrieval(struct retrieval *retrieval)
{
    listing_fini(&retrieval->listing);
    asking_fini(&retrieval->asking);
    arrivals_fini(&retrieval->arrivals);
    inventory_fini(&retrieval->inventory);
    free(retrieval);
}

/* All that was open is closed. */
static void end(struct retrieval *retrieval)
{
    struct retrieval_result result;
    telling_end(&retrieval->telling, retrieval->arrivals.port, &result);
    retrieval->ended(retrieval->run.observer->user, &result);
    free_retrieval(retrieval);
}

static void on_one_closed(void *user)
{
    struct retrieval *retrieval = user;
    if (--retrieval->closing == 0)
        end(retrieval);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_one_closed(handle->data);
}

static void finish(struct retrieval *retrieval)
{
    set_state(retrieval, RETRIEVAL_STATE_DONE);
    retrieval->closing = 3; /* with the arrivals, which may close at once */
    uv_close((uv_handle_t *)&retrieval->ticker, on_timer_closed);
    uv_close((uv_handle_t *)&retrieval->waiter, on_timer_closed);
    if (!arrivals_close(&retrieval->arrivals, on_one_closed, retrieval))
        retrieval->closing--;
}

/* ---- rounds ---- */

static void on_waited(uv_timer_t *timer);

static void wait_ms(struct retrieval *retrieval, uint32_t ms)
{
    uv_timer_start(&retrieval->waiter, on_waited, ms, 0);
}

/* Since the peer was heard of last. */
static uint64_t quiet_ms(const struct retrieval *retrieval)
{
    return (clock_monotonic_us() - retrieval->run.heard_us) / 1000;
}

/* Another try, or the end: `text` says why if the peer is to blame. */
static void try_again(struct retrieval *retrieval, const char *text)
{
    const struct retrieval_counts *counts = &retrieval->inventory.counts;
    const struct dicomnet_logger *logger = &retrieval->run.logger;
    bool listed_more = !is_asking(retrieval) && retrieval->listing.steps_ended > retrieval->steps_before;
    const struct rounds_facts facts = {.progress = counts->stored > retrieval->stored_before || listed_more,
                                       .failed = retrieval->link.failed,
                                       .is_list = !is_asking(retrieval)};
    int64_t delay_ms =
        rounds_next(&retrieval->rounds, &facts, retrieval->run.options->retry, (uint32_t)clock_monotonic_us());
    if (delay_ms == ROUNDS_NO_MORE) {
        if (text != NULL)
            run_give_up(&retrieval->run, text);
        finish(retrieval);
        return;
    }
    set_state(retrieval, RETRIEVAL_STATE_PAUSED);
    if (is_asking(retrieval))
        LOG(logger, DICOMNET_LOG_WARN, EVENT_RETRIEVAL_RETRIED, LOG_NUMBER("missing", counts->missing),
            LOG_NUMBER("delay_ms", delay_ms));
    else
        LOG(logger, DICOMNET_LOG_WARN, EVENT_ASSOCIATION_RETRY, LOG_NUMBER("delay_ms", delay_ms),
            LOG_TEXT("text", text));
    wait_ms(retrieval, (uint32_t)delay_ms);
}

static void end_round(struct retrieval *retrieval)
{
    try_again(retrieval, retrieval->link.failed ? retrieval->link.end_text : NULL);
}

/* An unlisted instance that comes late belongs to the part that was asked for last: so the next request waits. */
static void linger(struct retrieval *retrieval)
{
    uint64_t quiet = quiet_ms(retrieval);
    if (!is_asking(retrieval) || !asking_is_short(&retrieval->asking) || quiet >= SETTLE_MS) {
        go_on(retrieval);
        return;
    }
    set_state(retrieval, RETRIEVAL_STATE_LINGERING);
    wait_ms(retrieval, (uint32_t)(SETTLE_MS - quiet));
}

/* As long as something comes, what is still missing may come too. */
static void settle(struct retrieval *retrieval)
{
    uint64_t quiet = quiet_ms(retrieval);
    if (retrieval->inventory.counts.missing == 0)
        finish(retrieval);
    else if (quiet < SETTLE_MS)
        wait_ms(retrieval, (uint32_t)(SETTLE_MS - quiet));
    else
        end_round(retrieval);
}

static void start_round(struct retrieval *retrieval)
{
    retrieval->stored_before = retrieval->inventory.counts.stored;
    telling_asking_begins(&retrieval->telling);
    asking_begin_round(&retrieval->asking, retrieval->rounds.fruitless);
    start_association(retrieval);
}

static void end_listing(struct retrieval *retrieval)
{
    inventory_close(&retrieval->inventory);
    telling_listed(&retrieval->telling);
    retrieval->rounds.attempt = 0;
    tell_progress(retrieval);
    if (retrieval->inventory.counts.missing == 0) {
        finish(retrieval);
        return;
    }
    retrieval->stage = RETRIEVAL_STAGE_ASKING;
    start_round(retrieval);
}

static void begin(struct retrieval *retrieval)
{
    int error = listing_begin(&retrieval->listing);
    if (error != 0) {
        run_give_up(&retrieval->run, dicomnet_error_text(error));
        finish(retrieval);
    } else if (retrieval->listing.step == NULL) {
        end_listing(retrieval);
    } else {
        start_association(retrieval);
    }
}

static void on_waited(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    switch (retrieval->state) {
    case RETRIEVAL_STATE_NEW:
        begin(retrieval);
        break;
    case RETRIEVAL_STATE_LINGERING:
        linger(retrieval);
        break;
    case RETRIEVAL_STATE_SETTLING:
        settle(retrieval);
        break;
    case RETRIEVAL_STATE_PAUSED:
        if (is_asking(retrieval))
            start_round(retrieval);
        else
            start_association(retrieval);
        break;
    default:
        assert(false);
    }
}

/* ---- one association ---- */

/* The next query. 1 = begun, 0 = there is none left, else a negative error. */
static int begin_query(struct retrieval *retrieval)
{
    struct dicomnet_query *query;
    if (run_is_over(&retrieval->run))
        return 0;
    int next =
        is_asking(retrieval) ? asking_next(&retrieval->asking, &query) : listing_next(&retrieval->listing, &query);
    if (next <= 0)
        return next;
    /* It may be answered before this returns. */
    set_state(retrieval, RETRIEVAL_STATE_QUERYING);
    run_heard(&retrieval->run);
    int error = dicomnet_query_user_begin(retrieval->link.user, query);
    return error == 0 ? 1 : error;
}

/* The query could not be begun. */
static void give_up_query(struct retrieval *retrieval, int error)
{
    static const char no_find[] = "the peer does not accept C-FIND in this information model";
    if (error != DICOMNET_ERROR_NO_CONTEXT)
        run_give_up(&retrieval->run, dicomnet_error_text(error));
    else if (is_asking(retrieval))
        run_give_up(&retrieval->run, retrieval->run.options->get
                                         ? "the peer does not accept C-GET in this information model"
                                         : "the peer does not accept C-MOVE in this information model");
    else if (!listing_do_without(&retrieval->listing, no_find))
        run_give_up(&retrieval->run, no_find);
}

/* The next query, or the release. */
static void go_on(struct retrieval *retrieval)
{
    int begun = begin_query(retrieval);
    if (begun > 0)
        return;
    /* An association that has just ended is told of by on_closed, which sees whether another round helps. */
    if (begun < 0 && begun != DICOMNET_ERROR_NOT_OPEN)
        give_up_query(retrieval, begun);
    set_state(retrieval, RETRIEVAL_STATE_CLOSING);
    dicomnet_query_user_release(retrieval->link.user);
}

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    (void)user;
    go_on(context);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    struct retrieval *retrieval = context;
    (void)user;
    (void)query;
    run_heard(&retrieval->run);
    listing_match(&retrieval->listing, match);
    if (retrieval->listing.error != 0 || run_is_over(&retrieval->run))
        peer_link_cancel(&retrieval->link, is_querying(retrieval));
}

static void on_progress(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query)
{
    struct retrieval *retrieval = context;
    (void)user;
    (void)query;
    run_heard(&retrieval->run);
    asking_progress(&retrieval->asking);
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    struct retrieval *retrieval = context;
    bool answered = query->answered;
    (void)user;
    retrieval->link.failed = !answered;
    if (!answered)
        set_state(retrieval, RETRIEVAL_STATE_CLOSING);
    if (is_asking(retrieval)) {
        asking_ended(&retrieval->asking, failed);
        tell_progress(retrieval);
    } else {
        words_log_query_ended(&retrieval->run, query);
        if (answered && !run_is_over(&retrieval->run))
            listing_ended(&retrieval->listing);
        else if (!run_is_over(&retrieval->run))
            listing_lost(&retrieval->listing);
    }
    run_heard(&retrieval->run);
    if (answered)
        linger(retrieval);
}

static void after_listing(struct retrieval *retrieval, bool opened)
{
    struct run *run = &retrieval->run;
    if (retrieval->listing.error != 0)
        run_give_up(run, dicomnet_error_text(retrieval->listing.error));
    if (run_is_over(run)) {
        finish(retrieval);
    } else if (opened && retrieval->listing.step == NULL) {
        end_listing(retrieval);
    } else if (retrieval->link.is_permanent) {
        run_give_up(run, retrieval->link.end_text);
        finish(retrieval);
    } else {
        try_again(retrieval, retrieval->link.end_text);
    }
}

static void after_asking(struct retrieval *retrieval)
{
    if (retrieval->link.is_permanent)
        run_give_up(&retrieval->run, retrieval->link.end_text);
    if (run_is_over(&retrieval->run) || retrieval->inventory.counts.missing == 0) {
        finish(retrieval);
    } else if (!retrieval->link.failed && waits_for_arrivals(retrieval)) {
        set_state(retrieval, RETRIEVAL_STATE_SETTLING);
        wait_ms(retrieval, SETTLE_MS);
    } else {
        end_round(retrieval);
    }
}

static void on_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct retrieval *retrieval = context;
    bool opened = retrieval->state != RETRIEVAL_STATE_OPENING;
    (void)user;
    run_set_study(&retrieval->run, "");
    uv_timer_stop(&retrieval->waiter);
    peer_link_closed(&retrieval->link, end, opened);
    if (is_asking(retrieval))
        after_asking(retrieval);
    else
        after_listing(retrieval, opened);
}

static const struct dicomnet_query_user_handler handler = {
    .opened = on_opened, .match = on_match, .progress = on_progress, .ended = on_ended, .closed = on_closed};

static void start_association(struct retrieval *retrieval)
{
    set_state(retrieval, RETRIEVAL_STATE_OPENING);
    retrieval->steps_before = retrieval->listing.steps_ended;
    const struct peer_link_purpose purpose = {.service = service_of(retrieval),
                                              .attempt = retrieval->rounds.attempt,
                                              .handler = &handler,
                                              .context = retrieval};
    int error = peer_link_open(&retrieval->link, retrieval->loop, &purpose);
    if (error == 0)
        return;
    run_give_up(&retrieval->run, dicomnet_error_text(error));
    finish(retrieval);
}

/* The peer sends without end, or there is no room for what it sends. */
static void on_break_off(void *user, int error)
{
    struct retrieval *retrieval = user;
    if (is_querying(retrieval) && is_asking(retrieval))
        dicomnet_query_user_abort(retrieval->link.user, error);
}

static void on_tick(uv_timer_t *timer)
{
    struct retrieval *retrieval = timer->data;
    tell_progress(retrieval);
    peer_link_check_timeouts(&retrieval->link, is_querying(retrieval), waits_for_arrivals(retrieval));
}

/* ---- the whole ---- */

void retrieval_stop(struct retrieval *retrieval, const char *text, const char *hint)
{
    struct run *run = &retrieval->run;
    char said[160];
    if (retrieval->state == RETRIEVAL_STATE_DONE)
        return;
    if (++retrieval->stop_count == 1) {
        run->verdict = RETRIEVAL_INTERRUPTED;
        snprintf(run->stop_text, sizeof run->stop_text, "%s", text);
        snprintf(said, sizeof said, "interrupted: the peer is asked to stop; %s", hint);
        LOG(&run->logger, DICOMNET_LOG_WARN, EVENT_SESSION_INTERRUPTED, LOG_TEXT("text", said));
    }
    if (retrieval->link.user == NULL)
        finish(retrieval);
    else if (retrieval->stop_count > 1 || !is_querying(retrieval))
        dicomnet_query_user_abort(retrieval->link.user, DICOMNET_ERROR_ABORTED_LOCALLY);
    else
        peer_link_cancel(&retrieval->link, is_querying(retrieval));
}

static void init(struct retrieval *retrieval, struct uv_loop_s *loop, const struct retrieval_options *options,
                 const struct retrieval_observer *observer)
{
    retrieval->loop = loop;
    run_init(&retrieval->run, options, observer);
    inventory_init(&retrieval->inventory);
    asking_init(&retrieval->asking, &retrieval->run, &retrieval->inventory);
    arrivals_init(&retrieval->arrivals, &retrieval->run, &retrieval->inventory, &retrieval->asking, on_break_off,
                  retrieval);
    peer_link_init(&retrieval->link, &retrieval->run, &retrieval->arrivals);
    telling_init(&retrieval->telling, &retrieval->run, &retrieval->inventory, &retrieval->asking);
    listing_init(&retrieval->listing, &retrieval->run, &retrieval->inventory, &retrieval->arrivals);
}

int retrieval_start(struct retrieval **ret_retrieval, struct uv_loop_s *loop, const struct retrieval_options *options,
                    const struct retrieval_observer *observer,
                    void (*ended)(void *user, const struct retrieval_result *result), char *ret_problem,
                    size_t problem_size)
{
    struct retrieval *retrieval = calloc(1, sizeof *retrieval);
    if (problem_size > 0)
        ret_problem[0] = '\0';
    if (retrieval == NULL)
        return -ENOMEM;
    init(retrieval, loop, options, observer);
    retrieval->ended = ended;
    int error = arrivals_open(&retrieval->arrivals, loop, ret_problem, problem_size);
    if (error != 0) {
        free_retrieval(retrieval);
        return error;
    }
    uv_timer_init(loop, &retrieval->ticker);
    uv_timer_init(loop, &retrieval->waiter);
    retrieval->ticker.data = retrieval->waiter.data = retrieval;
    uv_timer_start(&retrieval->ticker, on_tick, TICK_MS, TICK_MS);
    wait_ms(retrieval, 0);
    *ret_retrieval = retrieval;
    return 0;
}
