/*
 * worker_store - one instance on its way: its file is opened, it is stored, and what came of it is judged by policy.
 *
 * On the worker's thread. A blocking pread is right here: the loop serves this one association.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dicomnet/error.h"
#include "engine/unsupported.h"
#include "engine/worker_private.h"
#include "instance/status_rule.h"

void worker_end_instance(struct worker *worker, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error)
{
    struct outcome *outcome = &instance->outcome;
    outcome->state = state;
    outcome->reason = reason;
    outcome->error = error;
    outcome->ended_us = clock_wall_us();
    if (worker->work != NULL) {
        bool kept = state == OUTCOME_STORED || state == OUTCOME_WARNED;
        worker->work->stored += kept;
        worker->work->failed += state == OUTCOME_FAILED;
    }
    worker_post_outcome(worker, instance);
}

/* ---- beginning ---- */

static bool context_is_of(const struct dicomnet_association_context *context, const struct instance *instance)
{
    return strcmp(context->abstract_syntax, instance->file.class_uid) == 0 &&
           strcmp(context->transfer_syntax, instance->file.syntax_uid) == 0;
}

static const struct dicomnet_association_context *find_context(struct worker *worker, const struct instance *instance)
{
    if (worker->last_context == NULL || !context_is_of(worker->last_context, instance))
        worker->last_context =
            dicomnet_storage_user_find_context(worker->user, instance->file.class_uid, instance->file.syntax_uid);
    return worker->last_context;
}

/* The pair of an instance among those proposed; NULL if it was not proposed. */
static const struct context_pair *find_proposed(const struct worker *worker, const struct instance *instance)
{
    for (size_t i = 0; i < worker->proposed_count; i++)
        if (strcmp(worker->proposed[i]->class_uid, instance->file.class_uid) == 0 &&
            strcmp(worker->proposed[i]->syntax_uid, instance->file.syntax_uid) == 0)
            return worker->proposed[i];
    return NULL;
}

/* A peer may accept a class and then answer 0122 to an instance of it: its siblings need not be sent. */
static bool is_known_unsupported(const struct worker *worker, const char *class_uid)
{
    for (size_t i = 0; i < worker->unsupported_count; i++)
        if (strcmp(worker->unsupported[i]->class_uid, class_uid) == 0)
            return true;
    return false;
}

void worker_learn_unsupported(struct worker *worker, const struct context_pair *pair)
{
    if (pair != NULL && !is_known_unsupported(worker, pair->class_uid) &&
        worker->unsupported_count < DICOMNET_PDU_CONTEXTS_MAX)
        worker->unsupported[worker->unsupported_count++] = pair;
}

static void learn_from_status(struct worker *worker, const struct instance *instance, uint16_t status)
{
    worker->peer_is_busy = policy_says_busy(status);
    worker->unauthorised = status == DICOMNET_STATUS_NOT_AUTHORISED ? worker->unauthorised + 1 : 0;
    if (status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED)
        worker_learn_unsupported(worker, find_proposed(worker, instance));
}

static struct slot *free_slot(struct worker *worker)
{
    for (size_t i = 0; i < sizeof worker->slots / sizeof worker->slots[0]; i++)
        if (worker->slots[i].instance == NULL)
            return &worker->slots[i];
    return NULL;
}

/* The instance, or what is known of the peer, wants another association. */
static bool needs_another_association(const struct worker *worker, const struct instance *instance)
{
    const struct session_limit *limit = &worker->options->association_limit;
    if (worker->stores_begun == 0)
        return false;
    return worker->isolated || instance->trials.aside ||
           (worker->store_max > 0 && worker->stores_begun >= worker->store_max) ||
           (limit->stores > 0 && worker->stores_begun >= limit->stores) ||
           (limit->bytes > 0 && worker->bytes_begun >= limit->bytes) ||
           (limit->ms > 0 && uv_now(&worker->loop) - worker->opened_ms >= limit->ms);
}

static void end_unsupported(struct worker *worker, struct instance *instance)
{
    instance->outcome.has_status = true;
    instance->outcome.status = DICOMNET_STATUS_CLASS_NOT_SUPPORTED;
    unsupported_note_class(instance);
    worker_end_instance(worker, instance, OUTCOME_FAILED, REASON_UNSUPPORTED, 0);
}

enum store_begin worker_prepare_store(struct worker *worker, struct instance *instance)
{
    if (needs_another_association(worker, instance))
        return STORE_NEEDS_ANOTHER;
    const struct dicomnet_association_context *context = find_context(worker, instance);
    if (context == NULL) {
        if (find_proposed(worker, instance) == NULL)
            return STORE_NEEDS_ANOTHER;
        unsupported_note(instance, dicomnet_storage_user_association(worker->user));
        worker_end_instance(worker, instance, OUTCOME_FAILED, REASON_UNSUPPORTED, 0);
        return STORE_ENDED;
    }
    if (is_known_unsupported(worker, instance->file.class_uid)) {
        end_unsupported(worker, instance);
        return STORE_ENDED;
    }
    struct slot *slot = free_slot(worker);
    if (slot == NULL)
        return STORE_NOT_NOW;
    uint64_t opening_us = clock_monotonic_us();
    int error = source_open(&slot->source, instance, &worker->options->sources);
    worker_time_claim(&worker->time, TIME_STORAGE, clock_monotonic_us() - opening_us);
    if (error != 0) {
        worker_end_instance(worker, instance, OUTCOME_FAILED, source_failure_reason(error), error);
        return STORE_ENDED;
    }
    slot->store = (struct dicomnet_store){.context_id = context->id,
                                          .priority = worker->options->priority,
                                          .class_uid = instance->file.class_uid,
                                          .instance_uid = instance->file.instance_uid,
                                          .source = slot->source.data};
    error = dicomnet_storage_user_prepare(worker->user, &slot->store);
    worker_time_claim(&worker->time, TIME_STORAGE, slot->store.read_before_us);
    if (error == 0) {
        slot->instance = instance;
        worker->prepared = slot;
        return STORE_PREPARED;
    }
    (void)source_close(&slot->source);
    if (error == DICOMNET_ERROR_NOT_OPEN || error == DICOMNET_ERROR_BUSY || error == DICOMNET_ERROR_NO_CONTEXT)
        return STORE_NOT_NOW;
    worker_end_instance(worker, instance, OUTCOME_FAILED, source_failure_reason(error), error);
    return STORE_ENDED;
}

void worker_unprepare_store(struct worker *worker)
{
    struct slot *slot = worker->prepared;
    if (slot == NULL)
        return;
    (void)source_close(&slot->source);
    list_prepend(&worker->work->instances, &slot->instance->mail.node);
    slot->instance = NULL;
    worker->prepared = NULL;
}

bool worker_begin_store(struct worker *worker)
{
    struct slot *slot = worker->prepared;
    struct instance *instance = slot->instance;
    if (is_known_unsupported(worker, instance->file.class_uid)) { /* since it was prepared */
        (void)source_close(&slot->source);
        slot->instance = NULL;
        worker->prepared = NULL;
        end_unsupported(worker, instance);
        return true;
    }
    worker->prepared = NULL; /* before its end, which may come from within */
    worker->isolated = instance->trials.aside;
    if (worker->slots_used++ == 0) {
        worker->storing_since_us = clock_monotonic_us();
        worker_time_set(&worker->time, TIME_WAITING, worker->storing_since_us);
    }
    worker->stores_begun++;
    worker->bytes_begun += instance_wire_len(instance);
    instance->outcome.attempts++;
    instance->outcome.has_status = false;
    instance->outcome.comment[0] = '\0';
    instance->outcome.worker = worker->number;
    instance->outcome.association = worker->association_number;
    instance->outcome.message_id = slot->store.message_id;
    if (dicomnet_storage_user_store(worker->user, &slot->store) == 0)
        return true;
    instance->outcome.attempts--;
    worker->bytes_begun -= instance_wire_len(instance);
    worker->stores_begun--;
    worker->slots_used--;
    worker->prepared = slot;
    return false;
}

/* ---- judging ---- */

static void send_again(struct worker *worker, struct instance *instance, enum outcome_state state,
                       enum outcome_reason reason, int error)
{
    struct outcome *outcome = &instance->outcome;
    char text[160];
    outcome->state = state;
    outcome->reason = reason;
    outcome->error = error;
    outcome_describe(outcome, text, sizeof text);
    LOG(&worker->logger, DICOMNET_LOG_WARN, EVENT_STORE_RETRIED, LOG_TEXT("path", instance->file.path),
        LOG_TEXT("instance", instance->file.instance_uid), LOG_TEXT("reason", outcome_reason_name(reason)),
        LOG_TEXT("text", text), LOG_NUMBER("attempt", outcome->attempts));
    if (instance->trials.aside) {
        instance->mail.kind = MAIL_INSTANCE_LOST;
        worker_post_home(worker, &instance->mail);
        return;
    }
    list_append(&worker->again, &instance->mail.node);
    if (outcome->attempts > worker->again_attempt)
        worker->again_attempt = outcome->attempts;
}

/* Whether a refusal for lack of room is the instance's or the peer's matter shows only where all workers are seen. */
static void hand_to_session(struct worker *worker, struct instance *instance)
{
    instance->outcome.state = OUTCOME_PENDING;
    instance->outcome.reason = REASON_STATUS;
    instance->mail.kind = MAIL_INSTANCE_REFUSED;
    worker->awaits_word = true;
    worker_post_home(worker, &instance->mail);
}

static unsigned further_attempts(const struct worker *worker, enum policy_again again)
{
    unsigned retry = worker->options->retry;
    return again == AGAIN_OFTEN ? retry : again == AGAIN_ONCE && retry > 0 ? 1 : 0;
}

static void judge_answer(struct worker *worker, struct instance *instance, const struct dicomnet_store *store,
                         bool changed, uint64_t now_us)
{
    struct outcome *outcome = &instance->outcome;
    struct policy_verdict verdict =
        store->status_missing ? policy_judge_no_status() : policy_judge_status(store->status);
    outcome->has_status = !store->status_missing;
    outcome->status = store->status;
    outcome->answered_us = now_us;
    outcome->uid_missing = store->uid_missing;
    outcome->context_other = store->context_other;
    snprintf(outcome->comment, sizeof outcome->comment, "%s", store->comment);
    learn_from_status(worker, instance, store->status);

    if (verdict.state != OUTCOME_FAILED) {
        if (changed) {
            worker->figures.failed++;
            worker_end_instance(worker, instance, OUTCOME_FAILED, REASON_CHANGED, DICOMNET_ERROR_SOURCE_CHANGED);
            return;
        }
        worker->figures.stored++;
        worker->figures.bytes += instance_wire_len(instance);
        worker_end_instance(worker, instance, verdict.state,
                            verdict.state == OUTCOME_WARNED ? REASON_STATUS : REASON_NONE, 0);
        return;
    }
    worker->figures.failed++;
    if (verdict.again == AGAIN_LATER && worker->options->retry > 0) {
        hand_to_session(worker, instance);
        return;
    }
    if (outcome->attempts > further_attempts(worker, verdict.again)) {
        worker_end_instance(worker, instance, OUTCOME_FAILED, REASON_STATUS, 0);
        return;
    }
    worker->new_association_wanted = worker->new_association_wanted || verdict.new_association;
    send_again(worker, instance, OUTCOME_PENDING, REASON_STATUS, 0);
}

/* This is how a peer that says nothing ends an association: a timeout of ours. */
static bool is_silence(int error)
{
    return error == DICOMNET_ERROR_TIMEOUT_DIMSE || error == DICOMNET_ERROR_TIMEOUT_NETWORK;
}

/* It was tried as often as allowed. One loss is no proof that the instance was to blame. */
static void end_lost(struct worker *worker, struct instance *instance, enum outcome_state state, int error)
{
    bool silent = is_silence(error);
    if (worker->options->retry > 0)
        worker_end_instance(worker, instance, OUTCOME_FAILED, silent ? REASON_NO_RESPONSE : REASON_POISON, error);
    else if (state == OUTCOME_IN_DOUBT)
        worker_end_instance(worker, instance, OUTCOME_IN_DOUBT, silent ? REASON_NO_RESPONSE : REASON_CONNECTION, error);
    else
        worker_end_instance(worker, instance, OUTCOME_FAILED, REASON_NO_RESPONSE, error);
}

/*
 * No answer: see losses.h. What has been sent whole is in doubt, and so is what the peer said to have stored before
 * it had all of it.
 */
static void judge_loss(struct worker *worker, struct instance *instance, const struct dicomnet_store *store)
{
    enum outcome_state state = store->all_sent || store->response_came ? OUTCOME_IN_DOUBT : OUTCOME_PENDING;
    if (store->source_failed) {
        worker_end_instance(worker, instance, OUTCOME_FAILED, source_failure_reason(store->error), store->error);
        return;
    }
    if (worker->stopping) {
        worker_end_instance(worker, instance, state, REASON_INTERRUPTED, store->error);
        return;
    }
    instance->trials.lost++;
    switch (losses_judge_instance(instance->trials.lost, is_silence(store->error), worker->stores_begun == 1,
                                  worker->options->retry)) {
    case LOSS_FINAL:
        end_lost(worker, instance, state, store->error);
        break;
    case LOSS_ASIDE:
        instance->trials.aside = true;
        send_again(worker, instance, state, REASON_CONNECTION, store->error);
        break;
    case LOSS_AGAIN:
        send_again(worker, instance, state, REASON_CONNECTION, store->error);
        break;
    }
}

void worker_end_store(struct worker *worker, struct dicomnet_store *store)
{
    struct slot *slot = (struct slot *)(void *)((char *)store - offsetof(struct slot, store));
    struct instance *instance = slot->instance;
    assert(instance != NULL);
    bool changed = source_close(&slot->source) != 0;
    slot->instance = NULL;
    worker->slots_used--;
    uint64_t now_us = clock_monotonic_us();
    if (worker->slots_used == 0)
        worker->figures.store_us += now_us - worker->storing_since_us;
    worker_time_claim(&worker->time, TIME_STORAGE, store->read_us - store->read_before_us);
    worker_time_claim(&worker->time, TIME_WRITING, store->write_us);
    instance->outcome.read_us = store->read_us;
    instance->outcome.write_us = store->write_us;
    instance->outcome.wait_us = store->wait_us;
    if (store->answered)
        judge_answer(worker, instance, store, changed, now_us);
    else
        judge_loss(worker, instance, store);
    if (worker->slots_used == 0)
        worker_time_set(&worker->time, worker_time_kind(worker), now_us);
}
