/*
 * worker - the thread, its mail and its states. See worker.h for the diagram.
 *
 * Everything here runs on the worker's own thread, but for worker_start, worker_post and worker_join.
 */
#include "engine/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/worker_private.h"
#include "instance/status_rule.h"

static void pump(struct worker *worker);
static void go_on(struct worker *worker);

/* ---- backoff ---- */

static void on_backoff_over(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    if (worker->ready_owed) {
        worker->ready_owed = false;
        worker_post_notice(worker, MAIL_READY, &(struct worker_notice){0});
    }
    go_on(worker);
}

static void back_off(struct worker *worker, unsigned attempt, const char *why)
{
    worker->random = worker->random * 1664525u + 1013904223u;
    uint32_t delay_ms = policy_backoff_ms(attempt, worker->random >> 8);
    LOG(&worker->logger, DICOMNET_LOG_WARN, EVENT_ASSOCIATION_RETRY, LOG_NUMBER("delay_ms", delay_ms),
        LOG_TEXT("text", why));
    worker_enter(worker, WORKER_BACKOFF);
    uv_timer_start(&worker->timer, on_backoff_over, delay_ms, 0);
}

/* ---- stopping ---- */

static void finish_stop(struct worker *worker)
{
    if (worker->state == WORKER_STOPPED)
        return;
    worker_enter(worker, WORKER_STOPPED);
    uv_timer_stop(&worker->timer);
    struct worker_notice notice = {0};
    memcpy(notice.time_us, worker->time.spent_us, sizeof notice.time_us);
    worker_post_notice(worker, MAIL_STOPPED, &notice);
}

static void end_unsent(struct worker *worker, struct list *list)
{
    struct list_node *node;
    while ((node = list_pop(list)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        enum outcome_state state = instance->outcome.state == OUTCOME_IN_DOUBT ? OUTCOME_IN_DOUBT : OUTCOME_PENDING;
        worker_end_instance(worker, instance, state, REASON_INTERRUPTED, instance->outcome.error);
    }
}

/* What has not been sent goes home; what is in flight is finished, then the association is released. */
static void stop(struct worker *worker, bool now)
{
    struct list_node *node;
    worker->stopping = true;
    worker->resting = false;
    if (worker->slots_used == 0 && worker->state != WORKER_OPENING && worker->state != WORKER_STOPPED)
        worker_time_set(&worker->time, worker_time_kind(worker), clock_monotonic_us());
    worker_unprepare_store(worker);
    while ((node = list_pop(&worker->queue)) != NULL) {
        struct work *work = list_entry(node, struct work, mail.node);
        end_unsent(worker, &work->instances);
        work->mail.kind = MAIL_WORK_DONE;
        worker_post_home(worker, &work->mail);
    }
    if (worker->work != NULL) {
        end_unsent(worker, &worker->work->instances);
        end_unsent(worker, &worker->again);
        if (worker->slots_used == 0)
            worker_finish_work(worker);
    }
    if (worker->user == NULL)
        finish_stop(worker);
    else if (now || !worker->opened)
        dicomnet_storage_user_abort(worker->user, DICOMNET_ERROR_ABORTED_LOCALLY);
    else
        dicomnet_storage_user_release(worker->user);
}

/* ---- the association ---- */

static void on_opened(struct dicomnet_storage_user *user, void *context)
{
    struct worker *worker = context;
    const struct dicomnet_association *association = dicomnet_storage_user_association(user);
    worker->opened = true;
    worker->failures = worker->fruitless; /* the peer is there: that it was not is made up for */
    if (worker->failures == 0)
        worker->failing_since_us = clock_monotonic_us();
    worker->opened_ms = uv_now(&worker->loop);
    worker->figures.connect_us = dicomnet_association_connect_us(association);
    worker->figures.negotiate_us = dicomnet_association_negotiate_us(association);
    worker->figures.peer_max_pdu = dicomnet_association_peer_max_pdu(association);
    worker_claim_negotiation(worker);
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++)
        worker->figures.contexts_accepted +=
            dicomnet_association_context(association, i)->result == DICOMNET_CONTEXT_ACCEPTED;
    worker_post_notice(worker, MAIL_OPENED, &(struct worker_notice){.opened = true, .figures = worker->figures});
    worker_enter(worker, WORKER_SENDING);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct worker *worker = context;
    bool was_busy = worker->peer_is_busy;
    worker_end_store(worker, store);
    if (worker->peer_is_busy && !was_busy)
        worker_post_notice(worker, MAIL_BUSY, &(struct worker_notice){0});
    if (worker->unauthorised == POLICY_UNAUTHORISED_MAX && !worker->stopping && !worker->held) {
        worker->held = true;
        worker_post_notice(worker, MAIL_REFUSED, &(struct worker_notice){0});
    }
    if (!worker->stopping)
        return;
    end_unsent(worker, &worker->again);
    if (worker->slots_used == 0 && worker->work != NULL)
        worker_finish_work(worker);
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    pump(context);
}

/* What is to be sent again goes back into the work, and on we go. */
static void go_on(struct worker *worker)
{
    worker_enter(worker, WORKER_IDLE);
    worker->again_attempt = 0;
    if (worker->work != NULL) { /* first of all: whose fault an association's end was shows when nothing is before it */
        list_splice(&worker->again, &worker->work->instances);
        list_splice(&worker->work->instances, &worker->again);
    }
    pump(worker);
}

/*
 * An association ended by itself. If it came so far as to begin a store, the next is opened at once, or nearly so: the
 * peer is there, and what was in flight has been judged. If not, the work goes back and the session decides.
 */
static void go_on_after_end(struct worker *worker, const struct dicomnet_association_end *end, bool backs_off)
{
    char why[160];
    dicomnet_association_describe_end(end, why, sizeof why);
    uint32_t wait_ms = losses_wait_ms(worker->losses);
    if (backs_off) {
        worker_give_work_back(worker);
        worker->ready_owed = true;
        back_off(worker, worker->failures + 1, why);
    } else if (worker->state == WORKER_BACKOFF) {
        return;
    } else if (wait_ms > 0 && worker->work != NULL) {
        worker_enter(worker, WORKER_BACKOFF);
        uv_timer_start(&worker->timer, on_backoff_over, wait_ms, 0);
    } else {
        go_on(worker);
    }
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct worker *worker = context;
    bool idle = worker->work == NULL || worker->state == WORKER_RELEASING || worker->state == WORKER_BACKOFF;
    bool fruitful = worker->figures.stored + worker->figures.failed > 0;
    bool in_vain = worker->opened && !idle && !fruitful && !end->source_failed;
    bool lost = in_vain && worker->stores_begun > 0;
    bool backs_off = !worker->opened || (in_vain && !lost);
    worker->failures = backs_off ? worker->failures + 1 : fruitful || lost ? 0 : worker->failures;
    worker->losses = lost ? worker->losses + 1 : fruitful ? 0 : worker->losses;
    if (worker->opened)
        worker->fruitless = worker->failures;
    if (!worker->opened && worker->state == WORKER_OPENING)
        worker_claim_negotiation(worker);

    worker->figures.ended_us = clock_wall_us();
    worker->figures.end = *end;
    worker_post_notice(worker, MAIL_ENDED,
                       &(struct worker_notice){.opened = worker->opened,
                                               .backs_off = backs_off && !worker->stopping,
                                               .lost = lost,
                                               .aside = worker->isolated,
                                               .failures = worker->failures,
                                               .failing_since_us = worker->failing_since_us,
                                               .figures = worker->figures});
    worker_unprepare_store(worker);
    worker->user = NULL;
    worker->opened = false;
    worker->last_context = NULL;
    worker->new_association_wanted = false;
    if (worker->stopping)
        finish_stop(worker);
    else
        go_on_after_end(worker, end, backs_off);
}

static const struct dicomnet_storage_user_handler user_handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

static void open_association(struct worker *worker)
{
    const struct work *work = worker->work;
    struct dicomnet_association_proposal proposals[DICOMNET_PDU_CONTEXTS_MAX];
    for (size_t i = 0; i < work->pair_count; i++) {
        proposals[i] = (struct dicomnet_association_proposal){
            .abstract_syntax = work->pairs[i]->class_uid, .syntax_count = 1, .syntaxes = {work->pairs[i]->syntax_uid}};
        worker->proposed[i] = work->pairs[i];
    }
    worker->proposed_count = work->pair_count;

    struct dicomnet_association_options options = {.parameters = worker->options->association,
                                                   .proposals = proposals,
                                                   .proposal_count = work->pair_count,
                                                   .logger = &worker->logger};

    worker->association_number += worker->association_number == 0 ? (uint64_t)worker->number : worker->options->threads;
    worker->figures = (struct association_figures){.number = worker->association_number,
                                                   .worker = worker->number,
                                                   .begun_us = clock_wall_us(),
                                                   .contexts_proposed = (unsigned)work->pair_count};
    if (worker->failures == 0)
        worker->failing_since_us = clock_monotonic_us();
    worker->stores_begun = worker->bytes_begun = 0;
    worker->isolated = false;
    worker_enter(worker, WORKER_OPENING);
    int error = dicomnet_storage_user_open(&worker->user, &worker->loop, &options, &user_handler, worker);
    if (error != 0) {
        worker->user = NULL;
        on_closed(NULL, worker,
                  &(struct dicomnet_association_end){.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = error});
    }
}

/* What comes next, if anything, gets an association of its own. */
static void release(struct worker *worker)
{
    worker_enter(worker, WORKER_RELEASING);
    dicomnet_storage_user_release(worker->user);
}

/* ---- work ---- */

/* All that is left of the work is in flight. */
static void give_back(struct worker *worker)
{
    worker->awaits_word = false;
    if (worker->work == NULL || worker->stopping)
        return;
    worker_unprepare_store(worker);
    worker_give_instances_back(worker);
    if (worker->state == WORKER_BACKOFF) {
        uv_timer_stop(&worker->timer);
        worker_enter(worker, WORKER_IDLE);
    }
    pump(worker);
}

/* The list is empty and nothing is in flight: what is to be sent again waits for its backoff, else the work is done. */
static void end_of_list(struct worker *worker)
{
    if (list_is_empty(&worker->again)) {
        worker_finish_work(worker);
        return;
    }
    unsigned attempt = worker->again_attempt + 1;
    if (worker->new_association_wanted)
        dicomnet_storage_user_release(worker->user);
    back_off(worker, attempt, "some instances are to be sent again");
}

/* After an association that answered nothing, one store at a time, until the peer has answered one: the next loss shall
 * cost one instance its attempt, not a whole window. */
static bool may_begin(const struct worker *worker)
{
    bool careful = worker->failures + worker->losses > 0 && worker->figures.stored + worker->figures.failed == 0;
    return dicomnet_storage_user_can_store(worker->user) && (!careful || worker->slots_used == 0);
}

/* Take the next instance and prepare its store. False if there is nothing to prepare now. */
static bool prepare_next(struct worker *worker)
{
    while (dicomnet_storage_user_can_prepare(worker->user)) {
        struct list_node *node = list_pop(&worker->work->instances);
        if (node == NULL)
            return false;
        switch (worker_prepare_store(worker, list_entry(node, struct instance, mail.node))) {
        case STORE_PREPARED:
            return true;
        case STORE_ENDED:
            break;
        case STORE_NEEDS_ANOTHER:
            list_prepend(&worker->work->instances, node);
            if (worker->slots_used == 0)
                release(worker);
            return false;
        case STORE_NOT_NOW:
            list_prepend(&worker->work->instances, node);
            return false;
        }
    }
    return false;
}

/* While the peer is busy with one store, the next is read and framed: it leaves as soon as it may. */
static void send_instances(struct worker *worker)
{
    while (worker->work != NULL && worker->state == WORKER_SENDING && !worker->held && !worker->awaits_word) {
        if (worker->prepared == NULL && !prepare_next(worker)) {
            if (worker->slots_used == 0 && list_is_empty(&worker->work->instances) && may_begin(worker))
                end_of_list(worker);
            else
                return;
        } else if (!may_begin(worker) || !worker_begin_store(worker)) {
            return;
        }
    }
}

static void start_next_work(struct worker *worker)
{
    struct list_node *node = list_pop(&worker->queue);
    if (node == NULL)
        return;
    worker->work = list_entry(node, struct work, mail.node);
    worker->resting = false;
    LOG(&worker->logger, DICOMNET_LOG_INFO, EVENT_STUDY_STARTED, LOG_NUMBER("instances", worker->work->instance_count),
        LOG_NUMBER("bytes", worker->work->bytes));
}

/* Do whatever can be done now. Called whenever something has changed. */
static void pump(struct worker *worker)
{
    while (!worker->stopping && !worker->held && (worker->state == WORKER_IDLE || worker->state == WORKER_SENDING)) {
        if (worker->work == NULL)
            start_next_work(worker);
        if (worker->work == NULL) {
            worker_enter(worker, WORKER_IDLE);
            return;
        }
        if (worker->user == NULL && list_is_empty(&worker->work->instances)) {
            worker_finish_work(worker);
            continue;
        }
        if (worker->user == NULL) {
            open_association(worker);
            return;
        }
        worker_enter(worker, WORKER_SENDING);
        send_instances(worker);
        if (worker->work != NULL)
            return;
    }
}

static void learn(struct worker *worker, struct worker_lesson *lesson)
{
    if (lesson->store_max > 0)
        worker->store_max = lesson->store_max;
    worker_learn_unsupported(worker, lesson->unsupported);
    free(lesson);
}

static void close_handles(struct worker *worker)
{
    uv_close((uv_handle_t *)&worker->timer, NULL);
    uv_close((uv_handle_t *)&worker->outbox_timer, NULL);
    mailbox_close(&worker->inbox, NULL);
}

static void deliver(void *user, struct mail *mail)
{
    struct worker *worker = user;
    switch ((enum worker_mail)mail->kind) {
    case MAIL_WORK:
        list_append(&worker->queue, &mail->node);
        pump(worker);
        break;
    case MAIL_GIVE_BACK:
        give_back(worker);
        free(mail);
        break;
    case MAIL_GO_ON:
        worker->awaits_word = false;
        if (worker->slots_used == 0)
            worker_time_set(&worker->time, worker_time_kind(worker), clock_monotonic_us());
        pump(worker);
        free(mail);
        break;
    case MAIL_LESSON:
        learn(worker, list_entry(mail, struct worker_lesson, mail));
        break;
    case MAIL_WAKE:
        if (worker->ready_owed && !worker->stopping) {
            worker->failures = worker->fruitless = 0;
            uv_timer_stop(&worker->timer);
            on_backoff_over(&worker->timer);
        }
        free(mail);
        break;
    case MAIL_REST:
        worker->resting = worker->work == NULL && list_is_empty(&worker->queue) && !worker->stopping;
        if (worker->state == WORKER_IDLE && worker->user != NULL && !worker->stopping)
            release(worker);
        else if (worker->state == WORKER_IDLE && worker->resting)
            worker_time_set(&worker->time, TIME_RESTING, clock_monotonic_us());
        free(mail);
        break;
    case MAIL_RELEASE:
        if (worker->state == WORKER_IDLE && worker->user != NULL && !worker->stopping)
            release(worker);
        free(mail);
        break;
    case MAIL_STOP:
    case MAIL_STOP_NOW:
        stop(worker, mail->kind == MAIL_STOP_NOW);
        free(mail);
        break;
    case MAIL_EXIT:
        close_handles(worker);
        break;
    }
}

/* ---- the thread ---- */

static void run(void *argument)
{
    struct worker *worker = argument;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

int worker_start(struct worker **ret_worker, int number, const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return -ENOMEM;
    worker->number = number;
    worker->options = options;
    worker_time_init(&worker->time, options->idle_clock, clock_monotonic_us());
    worker->logger = (struct dicomnet_logger){.write = worker_write_log, .user = worker, .level = options->log_level};
    worker->random = (uint32_t)uv_hrtime() ^ (uint32_t)number * 2654435761u;
    list_init(&worker->queue);
    list_init(&worker->outbox);
    list_init(&worker->again);
    int error = uv_loop_init(&worker->loop);
    if (error != 0) {
        free(worker);
        return error;
    }
    error = mailbox_open(&worker->inbox, &worker->loop, deliver, worker);
    if (error == 0) {
        uv_timer_init(&worker->loop, &worker->timer);
        uv_timer_init(&worker->loop, &worker->outbox_timer);
        worker->timer.data = worker->outbox_timer.data = worker;
        error = uv_thread_create(&worker->thread, run, worker);
        if (error == 0) {
            *ret_worker = worker;
            return 0;
        }
        close_handles(worker);
    }
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
    free(worker);
    return error;
}

void worker_post(struct worker *worker, struct mail *mail)
{
    mailbox_post(&worker->inbox, mail);
}

void worker_join(struct worker *worker)
{
    worker->exit_mail.kind = MAIL_EXIT;
    worker_post(worker, &worker->exit_mail);
    uv_thread_join(&worker->thread);
    int error = uv_loop_close(&worker->loop);
    assert(error == 0);
    (void)error;
    free(worker);
}
