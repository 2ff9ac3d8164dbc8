/* worker_machine - see worker_machine.h. */
#include "engine/worker_machine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/losses.h"
#include "instance/event.h"
#include "instance/status_rule.h"

static void go_on(struct worker_machine *worker);

/* ---- states ---- */

/* An association was asked for, and has neither opened nor ended. */
static bool is_connecting(const struct worker_machine *worker)
{
    return worker->channel != NULL && !worker->opened;
}

/* What its time goes into while no store is under way. */
static enum time_kind time_kind(const struct worker_machine *worker)
{
    if (worker->state == WORKER_STOPPING && is_connecting(worker))
        return TIME_CONNECTING;
    return worker->state == WORKER_IDLE && worker->resting ? TIME_RESTING : worker_state_time(worker->state);
}

/* The one place where the state changes: its time goes into something else from now on. */
static void enter(struct worker_machine *worker, enum worker_state state)
{
    if (worker->state == state)
        return;
    assert(worker_state_may_follow(worker->state, state));
    worker->state = state;
    if (worker->courier.in_flight == 0 && !(state == WORKER_STOPPING && is_connecting(worker)))
        worker_time_set(&worker->time, time_kind(worker), clock_monotonic_us());
}

/* The association opened, or ended before: of the time since it was asked for, so much was not connecting. */
static void claim_negotiation(struct worker_machine *worker, uint64_t connect_us)
{
    uint64_t opening_us = clock_monotonic_us() - worker->time.since_us;
    if (connect_us > 0 && opening_us > connect_us)
        worker_time_claim(&worker->time, TIME_NEGOTIATING, opening_us - connect_us);
}

/* ---- waiting ---- */

static void on_timer(uv_timer_t *timer)
{
    struct worker_machine *worker = timer->data;
    if (worker->state == WORKER_BACKING_OFF)
        outbox_post_notice(&worker->outbox, MAIL_READY, &(struct worker_notice){0});
    courier_take_up_again(&worker->courier);
    go_on(worker);
}

/* WORKER_PAUSING or WORKER_BACKING_OFF, for as long as is right before that attempt (2 = the first repetition). */
static void back_off(struct worker_machine *worker, enum worker_state state, unsigned attempt, const char *why)
{
    worker->random = worker->random * 1664525u + 1013904223u;
    uint32_t delay_ms = status_rule_backoff_ms(attempt, worker->random >> 8);
    LOG(&worker->outbox.logger, DICOMNET_LOG_WARN, EVENT_ASSOCIATION_RETRY, LOG_NUMBER("delay_ms", delay_ms),
        LOG_TEXT("text", why));
    enter(worker, state);
    uv_timer_start(&worker->timer, on_timer, delay_ms, 0);
}

/* ---- stopping ---- */

static void finish_stop(struct worker_machine *worker)
{
    enter(worker, WORKER_STOPPED);
    struct worker_notice notice = {0};
    memcpy(notice.time_us, worker->time.spent_us, sizeof notice.time_us);
    outbox_post_notice(&worker->outbox, MAIL_STOPPED, &notice);
}

/* What has not been sent goes home; what is in flight is finished, then the association is released. */
static void stop(struct worker_machine *worker, bool now)
{
    if (worker->state == WORKER_STOPPED)
        return;
    uv_timer_stop(&worker->timer);
    worker->resting = false;
    enter(worker, WORKER_STOPPING);
    if (worker->given != NULL)
        courier_stop_work(&worker->courier, worker->given);
    worker->given = NULL;
    courier_stop(&worker->courier);
    if (worker->channel == NULL)
        finish_stop(worker);
    else if (now || !worker->opened)
        channel_abort(worker->channel);
    else
        channel_release(worker->channel);
}

/* ---- the association ---- */

static void on_opened(void *user, const struct channel_opening *opening)
{
    struct worker_machine *worker = user;
    worker->opened = true;
    streak_open(&worker->streak, clock_monotonic_us());
    worker->figures.connect_us = opening->connect_us;
    worker->figures.negotiate_us = opening->negotiate_us;
    worker->figures.peer_max_pdu = opening->peer_max_pdu;
    worker->figures.contexts_proposed = opening->contexts_proposed;
    worker->figures.contexts_accepted = opening->contexts_accepted;
    claim_negotiation(worker, opening->connect_us);
    outbox_post_notice(&worker->outbox, MAIL_OPENED,
                       &(struct worker_notice){.opened = true, .figures = worker->figures});
    courier_use_channel(&worker->courier, worker->channel, streak_holds(&worker->streak));
    enter(worker, WORKER_SENDING);
}

static void on_done(void *user, unsigned number, const struct channel_answer *answer)
{
    struct worker_machine *worker = user;
    struct courier *courier = &worker->courier;
    bool stopping = worker->state == WORKER_STOPPING;
    const struct courier_news news = courier_end_store(courier, number, answer, stopping);
    if (news.busy)
        outbox_post_notice(&worker->outbox, MAIL_BUSY, &(struct worker_notice){0});
    if (news.unauthorised && !stopping && worker->state != WORKER_UNAUTHORISED) {
        enter(worker, WORKER_UNAUTHORISED);
        outbox_post_notice(&worker->outbox, MAIL_REFUSED, &(struct worker_notice){0});
    } else if (news.asks && worker->state == WORKER_SENDING) {
        enter(worker, WORKER_ASKING);
    }
    if (courier->in_flight == 0)
        worker_time_set(&worker->time, time_kind(worker), news.now_us);
    if (stopping)
        courier_stop(courier);
}

static void on_ready(void *user)
{
    struct worker_machine *worker = user;
    if (worker->state == WORKER_SENDING)
        go_on(worker);
}

/*
 * An association has ended by itself, or was released for another. If it came so far as to begin a store, the next is
 * opened at once, or nearly so: the peer is there, and what was in flight has been judged. If not, the work goes back,
 * and the session decides.
 */
static void go_on_after_end(struct worker_machine *worker, const struct channel_end *end, bool backs_off)
{
    uint32_t wait_ms = losses_wait_ms(worker->streak.losses);
    switch (worker->state) {
    case WORKER_STOPPING:
        finish_stop(worker);
        return;
    case WORKER_PAUSING: /* the timer is running */
        return;
    case WORKER_ASKING: /* the word will come */
    case WORKER_UNAUTHORISED:
        courier_take_up_again(&worker->courier);
        return;
    default:
        break;
    }
    if (backs_off) {
        courier_give_work_back(&worker->courier);
        back_off(worker, WORKER_BACKING_OFF, worker->streak.failures + 1, end->text);
    } else if (wait_ms > 0 && worker->courier.work != NULL) {
        enter(worker, WORKER_PAUSING);
        uv_timer_start(&worker->timer, on_timer, wait_ms, 0);
    } else {
        courier_take_up_again(&worker->courier);
        go_on(worker);
    }
}

/* The courier's part of the association's figures. */
static void take_figures(struct association_figures *figures, const struct carried *carried)
{
    figures->store_us = carried->store_us;
    figures->stored = carried->stored;
    figures->failed = carried->failed;
    figures->bytes = carried->bytes;
}

static void on_closed(void *user, const struct channel_end *end)
{
    struct worker_machine *worker = user;
    const struct carried *carried = &worker->courier.carried;
    bool idle = worker->courier.work == NULL || worker->state == WORKER_RELEASING || worker->state == WORKER_PAUSING;
    const enum streak_verdict verdict =
        streak_close(&worker->streak, &(struct streak_end){.opened = worker->opened,
                                                           .answered = carried_is_answered(carried),
                                                           .begun = carried->begun > 0,
                                                           .on_purpose = idle || end->source_failed});
    if (!worker->opened)
        claim_negotiation(worker, end->connect_us);
    bool backs_off = verdict == STREAK_FAILED && worker->state != WORKER_STOPPING;
    take_figures(&worker->figures, carried);
    worker->figures.ended_us = clock_wall_us();
    worker->figures.end = *end->report;
    outbox_post_notice(&worker->outbox, MAIL_ENDED,
                       &(struct worker_notice){.opened = worker->opened,
                                               .backs_off = backs_off,
                                               .lost = verdict == STREAK_LOST,
                                               .aside = carried->use == USE_ALONE,
                                               .failures = worker->streak.failures,
                                               .failing_since_us = worker->streak.failing_since_us,
                                               .figures = worker->figures});
    courier_leave_channel(&worker->courier);
    worker->channel = NULL;
    worker->opened = false;
    go_on_after_end(worker, end, backs_off);
}

static const struct channel_handler channel_handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

/* For the work at hand. */
static void open_association(struct worker_machine *worker)
{
    const struct work *work = worker->courier.work;
    const struct channel_options options = {.loop = worker->loop,
                                            .pairs = work->proposal.pairs,
                                            .pair_count = work->proposal.count,
                                            .handler = &channel_handler,
                                            .user = worker,
                                            .logger = &worker->outbox.logger};
    uint64_t last = worker->figures.number;
    uint64_t number = last == 0 ? (uint64_t)worker->number : last + worker->options->threads;
    worker->figures = (struct association_figures){.number = number,
                                                   .worker = worker->number,
                                                   .begun_us = clock_wall_us(),
                                                   .contexts_proposed = (unsigned)work->proposal.count};
    streak_ask(&worker->streak, clock_monotonic_us());
    courier_expect_channel(&worker->courier, number);
    enter(worker, WORKER_OPENING);
    struct channel *channel = channel_open(worker->options->peer, &options);
    if (channel != NULL)
        worker->channel = channel;
}

/* What comes next, if anything, gets an association of its own. */
static void release(struct worker_machine *worker)
{
    enter(worker, WORKER_RELEASING);
    channel_release(worker->channel);
}

/* ---- work ---- */

/* Nothing of the list is left and nothing is in flight: what is to be sent again waits, else the work is done. */
static void end_of_list(struct worker_machine *worker)
{
    struct courier *courier = &worker->courier;
    if (list_is_empty(&courier->again)) {
        courier_finish_work(courier);
        return;
    }
    unsigned attempt = courier->again_attempt + 1;
    if (courier->carried.new_wanted)
        channel_release(worker->channel);
    back_off(worker, WORKER_PAUSING, attempt, "some instances are to be sent again");
}

/* Begin what can be begun. */
static void send_instances(struct worker_machine *worker)
{
    while (worker->state == WORKER_SENDING && worker->courier.work != NULL) {
        switch (courier_step(&worker->courier)) {
        case STEP_GOES_ON:
            break;
        case STEP_WAITS:
            return;
        case STEP_WANTS_ANOTHER:
            release(worker);
            return;
        case STEP_LIST_EMPTY:
            end_of_list(worker);
            break;
        }
    }
}

/* Take on the work that was given, if any. False if there is none to do. */
static bool has_work(struct worker_machine *worker)
{
    if (worker->courier.work == NULL && worker->given != NULL) {
        worker->resting = false;
        courier_take_work(&worker->courier, worker->given);
        worker->given = NULL;
    }
    return worker->courier.work != NULL;
}

/* Do whatever can be done now. The state is one that waits for nothing, or no longer. */
static void go_on(struct worker_machine *worker)
{
    struct courier *courier = &worker->courier;
    while (has_work(worker)) {
        if (worker->channel == NULL && !list_is_empty(&courier->work->instances)) {
            open_association(worker);
            return;
        }
        if (worker->channel == NULL) {
            courier_finish_work(courier);
            continue;
        }
        enter(worker, WORKER_SENDING);
        send_instances(worker);
        if (courier->work != NULL)
            return;
    }
    enter(worker, WORKER_IDLE);
}

/* ---- mail ---- */

static void take_work(struct worker_machine *worker, struct work *work)
{
    assert(worker->given == NULL && worker->courier.work == NULL);
    worker->given = work;
    if (worker->state == WORKER_IDLE)
        go_on(worker);
    else
        assert(worker->state == WORKER_RELEASING);
}

/* All that is left of the work is what is in flight; of work that waits for an association's end, nothing is left. */
static void give_back(struct worker_machine *worker)
{
    struct courier *courier = &worker->courier;
    if (!has_work(worker))
        return;
    courier_give_instances_back(courier);
    switch (worker->state) {
    case WORKER_PAUSING:
        uv_timer_stop(&worker->timer);
        go_on(worker);
        break;
    case WORKER_ASKING:
    case WORKER_SENDING:
        go_on(worker);
        break;
    default: /* it has no work, or goes on when the association has opened or ended */
        break;
    }
}

static void wake(struct worker_machine *worker)
{
    if (worker->state != WORKER_BACKING_OFF)
        return;
    streak_forget_failures(&worker->streak);
    uv_timer_stop(&worker->timer);
    on_timer(&worker->timer);
}

/* There is no work now; if it `rests`, its idle time is not counted. */
static void let_go(struct worker_machine *worker, bool rests)
{
    if (rests)
        worker->resting = worker->courier.work == NULL && worker->given == NULL;
    if (worker->state != WORKER_IDLE)
        return;
    if (worker->channel != NULL)
        release(worker);
    else if (rests)
        worker_time_set(&worker->time, time_kind(worker), clock_monotonic_us());
}

void worker_machine_take(struct worker_machine *worker, struct mail *mail)
{
    switch ((enum worker_mail)mail->kind) {
    case MAIL_WORK:
        take_work(worker, list_entry(mail, struct work, mail));
        return;
    case MAIL_LESSON:
        courier_learn(&worker->courier, list_entry(mail, struct worker_lesson, mail));
        free(list_entry(mail, struct worker_lesson, mail));
        return;
    case MAIL_EXIT: /* for the thread */
        return;
    case MAIL_GIVE_BACK:
        give_back(worker);
        break;
    case MAIL_GO_ON:
        if (worker->state == WORKER_ASKING)
            go_on(worker);
        break;
    case MAIL_WAKE:
        wake(worker);
        break;
    case MAIL_REST:
        let_go(worker, true);
        break;
    case MAIL_RELEASE:
        let_go(worker, false);
        break;
    case MAIL_STOP:
        stop(worker, false);
        break;
    case MAIL_STOP_NOW:
        stop(worker, true);
        break;
    }
    free(mail);
}

/* ---- beginning and end ---- */

int worker_machine_open(struct worker_machine *worker, uv_loop_t *loop, int number,
                        const struct worker_options *options)
{
    *worker = (struct worker_machine){.number = number, .options = options, .loop = loop, .state = WORKER_IDLE};
    worker->random = (uint32_t)uv_hrtime() ^ (uint32_t)number * 2654435761u;
    worker_time_init(&worker->time, options->idle_clock, clock_monotonic_us());
    int error = courier_init(&worker->courier, options, &worker->outbox, &worker->time, loop);
    if (error != 0)
        return error;
    outbox_open(&worker->outbox, loop, options->home, number, options->log_level);
    uv_timer_init(loop, &worker->timer);
    worker->timer.data = worker;
    return 0;
}

void worker_machine_close(struct worker_machine *worker)
{
    uv_close((uv_handle_t *)&worker->timer, NULL);
    outbox_close(&worker->outbox);
    courier_fini(&worker->courier);
}
