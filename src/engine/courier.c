/*
 * courier - see courier.h.
 *
 * A blocking pread is right on this thread: its loop serves this one channel.
 */
#include "engine/courier.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/status.h"
#include "engine/judge.h"
#include "engine/unsupported.h"
#include "instance/event.h"
#include "instance/status_rule.h"

int courier_init(struct courier *courier, const struct worker_options *options, struct outbox *outbox,
                 struct worker_time *time, uv_loop_t *loop)
{
    *courier = (struct courier){.options = options, .outbox = outbox, .time = time, .loop = loop};
    list_init(&courier->again);
    lookahead_init(&courier->lookahead, &options->lookahead);
    return slots_init(&courier->slots, options->peer->window + CHANNEL_SPARE, &options->sources);
}

void courier_fini(struct courier *courier)
{
    assert(courier->work == NULL && courier->in_flight == 0);
    slots_fini(&courier->slots);
}

/* ---- an instance has ended ---- */

static void end_instance(struct courier *courier, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error)
{
    struct outcome *outcome = &instance->outcome;
    outcome->state = state;
    outcome->reason = reason;
    outcome->error = error;
    outcome->ended_us = clock_wall_us();
    if (courier->work != NULL) {
        courier->work->stored += state == OUTCOME_STORED || state == OUTCOME_WARNED;
        courier->work->failed += state == OUTCOME_FAILED;
    }
    outbox_post_outcome(courier->outbox, instance);
}

static void end_unsent(struct courier *courier, struct list *list)
{
    struct list_node *node;
    while ((node = list_pop(list)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        enum outcome_state state = instance->outcome.state == OUTCOME_IN_DOUBT ? OUTCOME_IN_DOUBT : OUTCOME_PENDING;
        end_instance(courier, instance, state, REASON_INTERRUPTED, instance->outcome.error);
    }
}

/* The peer accepted its class, and answered 0122 to it or to another one of it. */
static void end_unsupported(struct courier *courier, struct instance *instance)
{
    char text[INSTANCE_FACT_SIZE];
    unsupported_describe_class(instance->file.class_uid, text, sizeof text);
    instance_note(instance, "%s", text);
    instance->outcome.has_status = true;
    instance->outcome.status = DICOMNET_STATUS_CLASS_NOT_SUPPORTED;
    end_instance(courier, instance, OUTCOME_FAILED, REASON_UNSUPPORTED, 0);
}

/* The channel has no context for any of its ways. */
static void end_refused(struct courier *courier, struct instance *instance)
{
    const struct worker_options *options = courier->options;
    char text[INSTANCE_FACT_SIZE];
    if (channel_describe_refusal(courier->channel, instance->pair, text, sizeof text))
        unsupported_add_advice(options->transcode, options->words, instance->file.syntax_uid, text, sizeof text);
    instance_note(instance, "%s", text);
    end_instance(courier, instance, OUTCOME_FAILED, REASON_UNSUPPORTED, 0);
}

/* ---- what is known of the peer ---- */

void courier_learn(struct courier *courier, const struct worker_lesson *lesson)
{
    if (lesson->store_max > 0)
        courier->lessons.store_max = lesson->store_max;
    if (lesson->unsupported != NULL)
        (void)lessons_learn_unsupported(&courier->lessons, lesson->unsupported);
}

/* ---- preparing ---- */

/* The instance that was prepared is the caller's again; NULL = there is none. */
static struct instance *forget_prepared(struct courier *courier)
{
    struct slot *slot = courier->prepared;
    if (slot == NULL)
        return NULL;
    struct instance *instance = slot->instance;
    (void)slots_close(slot);
    courier->prepared = NULL;
    return instance;
}

/* What was prepared is the first of the work's list again. */
static void put_prepared_back(struct courier *courier)
{
    struct instance *instance = forget_prepared(courier);
    if (instance != NULL)
        list_prepend(&courier->work->instances, &instance->mail.node);
}

/* What became of an attempt to prepare an instance. */
enum preparation {
    PREPARED,      /* it is courier->prepared */
    ENDED,         /* it cannot be sent: its outcome has gone home */
    WANTS_ANOTHER, /* it wants another channel; not touched */
    NOT_NOW        /* the channel is ending; not touched */
};

/* Open its data and frame the beginning of its store. */
static enum preparation open_and_prepare(struct courier *courier, struct slot *slot, struct instance *instance,
                                         const struct agreement *agreement)
{
    enum { LONG_US = 10 * 1000 }; /* it took longer: the loop's clock is behind and is set, or timers would end early */
    uint64_t opening_us = clock_monotonic_us(), read_us = 0;
    int error = lookahead_take(&courier->lookahead, instance);
    courier->slots.sources.pieces = lookahead_pieces(&courier->lookahead);
    if (error == 0)
        error = slots_open(&courier->slots, slot, instance, agreement->way);
    uint64_t opened_us = clock_monotonic_us();
    const enum time_kind kind = slots_time_kind(instance, agreement->way);
    worker_time_claim(courier->time, kind, opened_us - opening_us);
    if (opened_us - opening_us >= LONG_US)
        uv_update_time(courier->loop);
    if (error == 0) {
        const struct channel_request request = {.context = agreement->context,
                                                .class_uid = instance->file.class_uid,
                                                .instance_uid = instance->file.instance_uid,
                                                .source = slot->source.data};
        slot->instance = instance;
        error = channel_prepare(courier->channel, slots_number(&courier->slots, slot), &request, &read_us);
        worker_time_claim(courier->time, kind, read_us);
        if (error == 0) {
            lookahead_note_open(&courier->lookahead, opened_us - opening_us + read_us, instance->file.data_len);
            courier->prepared = slot;
            return PREPARED;
        }
        (void)slots_close(slot);
        if (error == DICOMNET_ERROR_BUSY)
            return NOT_NOW;
    }
    if (error == -ECANCELED) /* the word to stop is on its way */
        return NOT_NOW;
    end_instance(courier, instance, OUTCOME_FAILED, source_failure_reason(error), error);
    return ENDED;
}

static enum preparation prepare(struct courier *courier, struct instance *instance)
{
    if (carried_wants_another(&courier->carried, instance, &courier->options->association_limit,
                              courier->lessons.store_max, uv_now(courier->loop)))
        return WANTS_ANOTHER;
    const struct agreement *agreement = agreed_find(&courier->agreed, courier->channel, instance->pair);
    if (agreement->kind == AGREED_UNKNOWN)
        return WANTS_ANOTHER;
    if (agreement->kind == AGREED_NOTHING) {
        lookahead_forget(&courier->lookahead, instance);
        end_refused(courier, instance);
        return ENDED;
    }
    if (lessons_is_unsupported(&courier->lessons, instance->file.class_uid)) {
        lookahead_forget(&courier->lookahead, instance);
        end_unsupported(courier, instance);
        return ENDED;
    }
    struct slot *slot = slots_find_free(&courier->slots);
    return slot != NULL ? open_and_prepare(courier, slot, instance, agreement) : NOT_NOW;
}

/* An instance is excused if its association was ended here because the data source of another one failed. While an
 * excused one is under way, only excused ones begin beside it: another bad source would end its association again. */
static bool may_begin(const struct courier *courier)
{
    bool answered = carried_is_answered(&courier->carried);
    bool is_other = courier->prepared == NULL || courier->prepared->instance->trials.excused == 0;
    return channel_can_begin(courier->channel) && (!courier->one_at_a_time || answered || courier->in_flight == 0) &&
           (courier->excused == 0 || !is_other) && flight_may_begin(&courier->flight);
}

/* STEP_GOES_ON: one is prepared. */
static enum courier_step prepare_next(struct courier *courier)
{
    struct list *list = &courier->work->instances;
    while (channel_can_prepare(courier->channel)) {
        lookahead_ask(&courier->lookahead, list);
        struct list_node *node = list_pop(list);
        if (node == NULL)
            break;
        switch (prepare(courier, list_entry(node, struct instance, mail.node))) {
        case PREPARED:
            return STEP_GOES_ON;
        case ENDED:
            break;
        case WANTS_ANOTHER:
            list_prepend(list, node);
            return courier->in_flight == 0 ? STEP_WANTS_ANOTHER : STEP_WAITS;
        case NOT_NOW:
            list_prepend(list, node);
            return STEP_WAITS;
        }
    }
    return list_is_empty(list) && courier->in_flight == 0 && may_begin(courier) ? STEP_LIST_EMPTY : STEP_WAITS;
}

/* ---- beginning ---- */

/* Begin the store that is prepared. False if the channel does not take it now: it is still prepared. */
static bool begin(struct courier *courier)
{
    struct slot *slot = courier->prepared;
    struct instance *instance = slot->instance;
    struct outcome *outcome = &instance->outcome;
    if (lessons_is_unsupported(&courier->lessons, instance->file.class_uid)) { /* learnt since it was prepared */
        end_unsupported(courier, forget_prepared(courier));
        return true;
    }
    courier->prepared = NULL; /* before its end, which may come from within */
    carried_begin(&courier->carried, instance);
    flight_begin(&courier->flight, instance_wire_len(instance));
    if (courier->in_flight++ == 0) {
        courier->storing_since_us = clock_monotonic_us();
        worker_time_set(courier->time, TIME_WAITING, courier->storing_since_us);
    }
    courier->excused += instance->trials.excused > 0;
    outcome->attempts++;
    outcome->has_status = false;
    outcome->comment[0] = '\0';
    outcome->sent_syntax = slot->way == instance->pair ? NULL : slot->way->syntax_uid;
    instance->delivery.worker = courier->outbox->worker;
    instance->delivery.association = courier->outbox->association;
    if (channel_begin(courier->channel, slots_number(&courier->slots, slot)))
        return true;
    outcome->attempts--;
    courier->in_flight--;
    courier->excused -= instance->trials.excused > 0;
    carried_unbegin(&courier->carried, instance);
    flight_ended(&courier->flight, instance_wire_len(instance));
    courier->prepared = slot;
    return false;
}

enum courier_step courier_step(struct courier *courier)
{
    if (courier->prepared == NULL) {
        enum courier_step step = prepare_next(courier);
        if (step != STEP_GOES_ON)
            return step;
    }
    return may_begin(courier) && begin(courier) ? STEP_GOES_ON : STEP_WAITS;
}

/* ---- ending ---- */

/* Attempts that count: not those that were ended here because the data source of another instance failed. */
static unsigned attempts_of(const struct instance *instance)
{
    return instance->outcome.attempts - instance->trials.excused;
}

static void send_again(struct courier *courier, struct instance *instance, const struct judgement *judgement)
{
    struct outcome *outcome = &instance->outcome;
    char text[160];
    outcome->state = judgement->state;
    outcome->reason = judgement->reason;
    outcome->error = judgement->error;
    outcome_describe(outcome, text, sizeof text);
    LOG(&courier->outbox->logger, DICOMNET_LOG_WARN, EVENT_STORE_RETRIED, LOG_TEXT("path", instance->file.path),
        LOG_TEXT("instance", instance->file.instance_uid), LOG_TEXT("reason", outcome_reason_name(outcome->reason)),
        LOG_TEXT("text", text), LOG_NUMBER("attempt", outcome->attempts));
    courier->carried.new_wanted = courier->carried.new_wanted || judgement->new_association;
    if (instance->trials.aside) {
        instance->mail.kind = MAIL_INSTANCE_LOST;
        outbox_post(courier->outbox, &instance->mail);
        return;
    }
    list_append(&courier->again, &instance->mail.node);
    if (attempts_of(instance) > courier->again_attempt)
        courier->again_attempt = attempts_of(instance);
}

static void ask_session(struct courier *courier, struct instance *instance, const struct judgement *judgement)
{
    instance->outcome.state = judgement->state;
    instance->outcome.reason = judgement->reason;
    instance->mail.kind = MAIL_INSTANCE_REFUSED;
    outbox_post(courier->outbox, &instance->mail);
}

static void carry_out(struct courier *courier, struct instance *instance, const struct judgement *judgement)
{
    switch (judgement->course) {
    case COURSE_FINAL:
        end_instance(courier, instance, judgement->state, judgement->reason, judgement->error);
        break;
    case COURSE_ASIDE:
        instance->trials.aside = true;
        send_again(courier, instance, judgement);
        break;
    case COURSE_AGAIN:
        send_again(courier, instance, judgement);
        break;
    case COURSE_ASK:
        ask_session(courier, instance, judgement);
        break;
    }
}

static void learn_from_status(struct courier *courier, const struct instance *instance, uint16_t status)
{
    courier->peer_busy = status_rule_says_busy(status);
    courier->unauthorised = status == DICOMNET_STATUS_NOT_AUTHORISED ? courier->unauthorised + 1 : 0;
    const struct context_pair *pair = status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED ? instance->pair : NULL;
    if (pair != NULL)
        (void)lessons_learn_unsupported(&courier->lessons, pair);
}

static struct judgement take_answer(struct courier *courier, struct instance *instance,
                                    const struct channel_answer *answer, bool changed, uint64_t now_us)
{
    struct carried *carried = &courier->carried;
    struct outcome *outcome = &instance->outcome;
    outcome->has_status = answer->has_status;
    outcome->status = answer->status;
    instance->delivery.answered_us = now_us;
    outcome->uid_missing = answer->uid_missing;
    outcome->context_other = answer->context_other;
    size_t len = strnlen(answer->comment, sizeof outcome->comment - 1);
    memcpy(outcome->comment, answer->comment, len);
    outcome->comment[len] = '\0';
    learn_from_status(courier, instance, answer->status);
    const struct judgement judgement = judge_answer(&(struct judge_answer){.has_status = answer->has_status,
                                                                           .status = answer->status,
                                                                           .source_changed = changed,
                                                                           .attempts = attempts_of(instance),
                                                                           .retry = courier->options->retry});
    if (judgement.state == OUTCOME_STORED || judgement.state == OUTCOME_WARNED) {
        carried->stored++;
        carried->bytes += instance_wire_len(instance);
        flight_acknowledged(&courier->flight, instance_wire_len(instance), answer->wait_us);
    } else {
        carried->failed++;
        flight_ended(&courier->flight, instance_wire_len(instance)); /* the peer may not have read it: no measure */
    }
    return judgement;
}

static struct judgement take_loss(struct courier *courier, struct instance *instance,
                                  const struct channel_answer *answer, bool stopping)
{
    instance->trials.lost += !answer->source_failed && !answer->ended_here && !stopping;
    instance->trials.excused += answer->ended_here;
    flight_ended(&courier->flight, instance_wire_len(instance));
    return judge_loss(&(struct judge_loss){.error = answer->error,
                                           .in_doubt = answer->in_doubt,
                                           .silent = answer->silent,
                                           .source_failed = answer->source_failed,
                                           .ended_here = answer->ended_here,
                                           .stopping = stopping,
                                           .alone = courier->carried.begun == 1,
                                           .lost = instance->trials.lost,
                                           .retry = courier->options->retry});
}

struct courier_news courier_end_store(struct courier *courier, unsigned number, const struct channel_answer *answer,
                                      bool stopping)
{
    struct slot *slot = &courier->slots.list[number];
    struct instance *instance = slot->instance;
    struct outcome *outcome = &instance->outcome;
    bool was_busy = courier->peer_busy;
    assert(number < courier->slots.count && instance != NULL);
    courier->excused -= instance->trials.excused > 0;
    const enum time_kind kind = slots_time_kind(instance, slot->way);
    bool changed = slots_close(slot) != 0;
    uint64_t now_us = clock_monotonic_us();
    if (--courier->in_flight == 0)
        courier->carried.store_us += now_us - courier->storing_since_us;
    worker_time_claim(courier->time, kind, answer->read_us - answer->read_ahead_us);
    worker_time_claim(courier->time, TIME_WRITING, answer->write_us);
    instance->delivery.message_id = answer->message_id;
    outcome->read_us = answer->read_us;
    outcome->write_us = answer->write_us;
    outcome->wait_us = answer->wait_us;
    const struct judgement judgement = answer->answered ? take_answer(courier, instance, answer, changed, now_us)
                                                        : take_loss(courier, instance, answer, stopping);
    carry_out(courier, instance, &judgement);
    return (struct courier_news){.now_us = now_us,
                                 .busy = courier->peer_busy && !was_busy,
                                 .unauthorised = courier->unauthorised == STATUS_RULE_UNAUTHORISED_MAX,
                                 .asks = judgement.course == COURSE_ASK};
}

/* ---- work ---- */

void courier_take_work(struct courier *courier, struct work *work)
{
    assert(courier->work == NULL);
    courier->work = work;
    lookahead_ask(&courier->lookahead, &work->instances);
    courier->outbox->study_uid = work->study_uid[0] != '\0' ? work->study_uid : NULL;
    LOG(&courier->outbox->logger, DICOMNET_LOG_INFO, EVENT_STUDY_STARTED, LOG_NUMBER("instances", work->instance_count),
        LOG_NUMBER("bytes", work->bytes));
}

void courier_finish_work(struct courier *courier)
{
    struct work *work = courier->work;
    assert(list_is_empty(&work->instances) && list_is_empty(&courier->again) && courier->in_flight == 0);
    LOG(&courier->outbox->logger, DICOMNET_LOG_INFO, EVENT_STUDY_ENDED, LOG_NUMBER("stored", work->stored),
        LOG_NUMBER("failed", work->failed));
    courier->work = NULL;
    courier->outbox->study_uid = NULL;
    courier->again_attempt = 0;
    work->mail.kind = MAIL_WORK_DONE;
    outbox_post(courier->outbox, &work->mail);
}

void courier_give_instances_back(struct courier *courier)
{
    struct list *list = &courier->work->instances;
    lookahead_forget_all(&courier->lookahead);
    put_prepared_back(courier);
    list_splice(list, &courier->again);
    for (struct list_node *node = list_first(list); node != NULL; node = list_next(list, node))
        list_entry(node, struct instance, mail.node)->mail.kind = MAIL_INSTANCE_BACK;
    outbox_post_all(courier->outbox, list);
}

void courier_give_work_back(struct courier *courier)
{
    if (courier->work == NULL)
        return;
    courier_give_instances_back(courier);
    courier_finish_work(courier);
}

void courier_stop(struct courier *courier)
{
    if (courier->work == NULL)
        return;
    lookahead_forget_all(&courier->lookahead);
    put_prepared_back(courier);
    end_unsent(courier, &courier->work->instances);
    end_unsent(courier, &courier->again);
    if (courier->in_flight == 0)
        courier_finish_work(courier);
}

void courier_stop_work(struct courier *courier, struct work *work)
{
    end_unsent(courier, &work->instances);
    work->mail.kind = MAIL_WORK_DONE;
    outbox_post(courier->outbox, &work->mail);
}

void courier_take_up_again(struct courier *courier)
{
    courier->again_attempt = 0;
    if (courier->work == NULL)
        return;
    list_splice(&courier->again, &courier->work->instances);
    list_splice(&courier->work->instances, &courier->again);
}

/* ---- the channel ---- */

void courier_expect_channel(struct courier *courier, uint64_t number)
{
    courier->outbox->association = number;
    courier->carried = (struct carried){.use = USE_UNDECIDED};
    courier->flight = (struct flight){0};
    agreed_init(&courier->agreed, &courier->work->proposal);
}

void courier_use_channel(struct courier *courier, struct channel *channel, bool one_at_a_time)
{
    courier->channel = channel;
    courier->one_at_a_time = one_at_a_time;
    courier->carried.opened_ms = uv_now(courier->loop);
}

void courier_leave_channel(struct courier *courier)
{
    put_prepared_back(courier);
    courier->channel = NULL;
}
