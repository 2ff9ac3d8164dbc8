/*
 * intake - what the scan finds on its way into the plan.
 *
 * An instance whose SOP Instance UID was seen before is compared with the first one, on the thread pool, because
 * both data sets are read for it: the same bytes are a duplicate, other bytes a conflict.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/session_private.h"
#include "files/compare.h"
#include "instance/instance.h"

static void add_to_plan(struct session *session, struct instance *instance);

struct comparison {
    struct list_node node;
    uv_work_t request;
    struct session *session;
    struct instance *first;  /* owned: a copy of its facts */
    struct instance *second; /* the one that came later */
    int result;
};

static void end_found(struct session *session, struct instance *instance, enum outcome_state state,
                      enum outcome_reason reason, int error)
{
    instance->outcome.state = state;
    instance->outcome.reason = reason;
    instance->outcome.error = error;
    session_end_instance(session, instance);
}

static uint64_t found_max(const struct session *session)
{
    return session->options->found_max > 0 ? session->options->found_max : SESSION_FOUND_MAX;
}

/* ---- duplicates ---- */

static void compare(uv_work_t *request)
{
    struct comparison *comparison = request->data;
    comparison->result = compare_data_sets(&comparison->first->file, &comparison->second->file);
}

static void start_comparison(struct session *session);

static void free_comparison(struct comparison *comparison)
{
    instance_destroy(comparison->first);
    free(comparison);
}

static void after_compare(uv_work_t *request, int status)
{
    struct comparison *comparison = request->data;
    struct session *session = comparison->session;
    struct instance *second = comparison->second;
    if (comparison->result == 1)
        instance_note(second, "as %s", comparison->first->file.path);
    else if (comparison->result == 0)
        instance_note(second, "the other is %s; --on-conflict says which are sent", comparison->first->file.path);
    else
        instance_note(second, "it could not be compared with %s", comparison->first->file.path);
    if (comparison->result == 1)
        end_found(session, second, OUTCOME_SKIPPED, REASON_DUPLICATE, 0);
    else if (comparison->result == 0 && session->options->on_conflict == CONFLICT_FIRST)
        end_found(session, second, OUTCOME_SKIPPED, REASON_UID_CONFLICT, 0);
    else if (comparison->result == 0 && session->options->on_conflict == CONFLICT_ALL)
        add_to_plan(session, second);
    else /* other bytes, or the error that kept us from knowing: then it must not pass for a duplicate */
        end_found(session, second, OUTCOME_FAILED, REASON_UID_CONFLICT, comparison->result);
    list_remove(&comparison->node);
    free_comparison(comparison);
    session->comparing = 0;
    start_comparison(session);
    session_go_on(session);
}

/* One at a time: they are rare, and the scan needs the disk too. */
static void start_comparison(struct session *session)
{
    struct list_node *node;
    while (session->comparing == 0 && (node = list_first(&session->comparisons)) != NULL) {
        struct comparison *comparison = list_entry(node, struct comparison, node);
        if (session->phase < PHASE_STOPPING) {
            session->comparing = 1;
            uv_queue_work(&session->loop, &comparison->request, compare, after_compare);
        } else {
            end_found(session, comparison->second, OUTCOME_PENDING, REASON_INTERRUPTED, 0);
            list_remove(node);
            free_comparison(comparison);
        }
    }
}

static bool compare_later(struct session *session, struct instance *first, struct instance *second)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL)
        return false;
    comparison->request.data = comparison;
    comparison->session = session;
    comparison->first = first;
    comparison->second = second;
    list_append(&session->comparisons, &comparison->node);
    start_comparison(session);
    return true;
}

/* ---- from the scan ---- */

/* A dry run keeps what it found out of memory: the instance is gone, and its record in `seen` is known. */
static int add_to_outline(struct session *session, struct instance *instance)
{
    if (!session->remembered) {
        int64_t place = seen_keep(session->seen, instance);
        if (place < 0)
            return (int)place;
    }
    int error = plan_count(&session->plan, instance);
    if (error == 0)
        error = outline_add(&session->outline, instance, seen_last_place(session->seen));
    if (error == 0)
        instance_destroy(instance);
    return error;
}

static void add_to_plan(struct session *session, struct instance *instance)
{
    uint64_t bytes = instance_wire_len(instance);
    int error = session->options->dry_run ? add_to_outline(session, instance) : plan_add(&session->plan, instance);
    if (error != 0) {
        end_found(session, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, error);
        return;
    }
    session->progress.totals.bytes_found += bytes;
    session->progress.totals.studies = session->plan.studies.count;
}

static void on_found(void *user, struct instance *instance)
{
    struct session *session = user;
    session->progress.totals.files++;
    session->progress.totals.by_state[OUTCOME_PENDING]++;
    session_pace_scan(session);
    if (instance->outcome.state != OUTCOME_PENDING) {
        session_end_instance(session, instance);
        return;
    }
    const struct session_memory *memory = session->options->memory;
    bool recalls = memory != NULL && memory->recall_twin != NULL;
    struct instance *first = recalls ? memory->recall_twin(memory->user, instance) : NULL;
    session->memory_used = session->memory_used || recalls;
    if (first != NULL && strcmp(first->file.path, instance->file.path) == 0) {
        instance->outcome = first->outcome;
        instance_destroy(first);
        session_end_instance(session, instance);
        return;
    }
    int error = first == NULL ? seen_check(session->seen, instance, &first) : 0;
    if (error != 0) {
        end_found(session, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, error);
    } else if (first == NULL) {
        session->remembered = true;
        add_to_plan(session, instance);
        session->remembered = false;
    } else if (!compare_later(session, first, instance)) {
        instance_destroy(first);
        end_found(session, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, -ENOMEM);
    }
}

static struct instance *on_recall(void *user, const struct file_facts *file)
{
    struct session *session = user;
    const struct session_memory *memory = session->options->memory;
    session->memory_used = true;
    return memory->recall(memory->user, file);
}

static void on_batch_ended(void *user)
{
    session_go_on(user);
}

static void on_scan_ended(void *user, int error)
{
    struct session *session = user;
    const struct session_totals *totals = &session->progress.totals;
    session->scanning = false;
    session->result->scan_us = clock_monotonic_us() - session->begun_us;
    SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SCAN_ENDED, LOG_NUMBER("files", totals->files),
                LOG_NUMBER("instances", session->plan.total_count), LOG_NUMBER("studies", session->plan.studies.count),
                LOG_NUMBER("skipped", totals->by_state[OUTCOME_SKIPPED]),
                LOG_NUMBER("failed", totals->by_state[OUTCOME_FAILED]),
                LOG_NUMBER("duration_us", session->result->scan_us), LOG_NUMBER("error", error));
    if (error != 0 && error != -ECANCELED)
        session_stop(session, SESSION_STOPPED, "the scan could not go on: not every file was looked at");
    const struct session_options *options = session->options;
    if (session->plan.studies.count < options->threads && !options->threads_auto && !options->dry_run) {
        char text[128];
        snprintf(text, sizeof text, "fewer studies (%llu) than threads (%u): the other threads have nothing to do",
                 (unsigned long long)session->plan.studies.count, options->threads);
        SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
    }
    session_go_on(session);
}

static const struct scan_feed_handler feed_handler = {
    .found = on_found, .batch_ended = on_batch_ended, .ended = on_scan_ended};
static const struct scan_feed_handler recalling_handler = {
    .recall = on_recall, .found = on_found, .batch_ended = on_batch_ended, .ended = on_scan_ended};

static int start_making(struct session *session)
{
    int error = session->options->dry_run ? seen_open(&session->seen) : 0;
    if (error != 0)
        return error;
    session->synthetic = session->options->synthetic->options;
    session->synthetic.seed = synthetic_seed();
    session->scanning = true;
    session_go_on(session);
    return 0;
}

int session_start_scan(struct session *session)
{
    if (session->options->synthetic != NULL)
        return start_making(session);
    bool recalls = session->options->memory != NULL && session->options->memory->recall != NULL;
    int error = seen_open(&session->seen);
    if (error != 0)
        return error;
    error = scan_feed_start(&session->feed, &session->loop, &session->options->discover, &session->options->scan,
                            recalls ? &recalling_handler : &feed_handler, session);
    if (error == 0) {
        session->scanning = true;
        SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SCAN_STARTED,
                    LOG_NUMBER("inputs", session->options->discover.input_count));
    }
    return error;
}

void session_pace_scan(struct session *session)
{
    uint64_t alive = session->progress.totals.by_state[OUTCOME_PENDING];
    bool bounded = !session->options->scan_first && !session->options->dry_run;
    if (!session->scanning || !bounded || session->feed == NULL)
        return;
    if (!session->scan_paused && alive >= found_max(session))
        session->scan_paused = true;
    else if (session->scan_paused && alive <= found_max(session) / 2)
        session->scan_paused = false;
    else
        return;
    scan_feed_pause(session->feed, session->scan_paused);
}

/* ---- synthetic instances ---- */

static bool all_made(const struct session *session)
{
    const struct synthetic_spec *spec = session->options->synthetic;
    uint64_t repeat = session->options->repeat;
    if (repeat == 0 && session->options->duration_ms > 0)
        return session->time_is_up;
    return session->made >= spec->studies * spec->instances * (repeat > 0 ? repeat : 1);
}

static bool make_instance(struct session *session)
{
    struct synthetic_instance made;
    char path[64];
    uint64_t study = session->made / session->options->synthetic->instances;
    uint64_t number = session->made % session->options->synthetic->instances;
    synthetic_instance_init(&made, &session->synthetic, study, number);
    snprintf(path, sizeof path, "synthetic/study-%llu/image-%llu", (unsigned long long)study + 1,
             (unsigned long long)number + 1);
    struct file_facts facts = {.path = path,
                               .size_bytes = made.source.len,
                               .data_len = made.source.len,
                               .source = SOURCE_SYNTHETIC,
                               .study_number = study,
                               .number = number,
                               .study_uid = made.study_uid,
                               .series_uid = made.series_uid,
                               .instance_uid = made.instance_uid,
                               .class_uid = made.class_uid,
                               .syntax_uid = made.syntax_uid};
    struct instance *instance = instance_create(&facts);
    if (instance == NULL)
        return false;
    session->made++;
    session->progress.totals.files++;
    session->progress.totals.by_state[OUTCOME_PENDING]++;
    add_to_plan(session, instance);
    return true;
}

void session_make_instances(struct session *session)
{
    const struct synthetic_spec *spec = session->options->synthetic;
    if (spec == NULL || !session->scanning)
        return;
    /* With a time limit not much more is made than is about to be sent; the plan wants whole studies to choose from. */
    uint64_t wanted = (session->options->threads + 1) * spec->instances;
    if (wanted > found_max(session) || session->options->scan_first || session->options->dry_run)
        wanted = session->options->scan_first || session->options->dry_run ? UINT64_MAX : found_max(session);
    bool stopping = session->phase >= PHASE_STOPPING;
    while (!stopping && !all_made(session) && session->progress.totals.by_state[OUTCOME_PENDING] < wanted)
        if (!make_instance(session))
            break;
    if (stopping || all_made(session))
        on_scan_ended(session, 0);
}

void session_end_of_time(struct session *session)
{
    session->time_is_up = true;
    if (session->phase < PHASE_STOPPING) {
        session_enter(session, PHASE_STOPPING);
        session_stop_workers(session, false);
    }
    session_go_on(session);
}

/* ---- the scan ---- */

bool session_is_scanning(const struct session *session)
{
    return session->scanning || !list_is_empty(&session->comparisons);
}

void session_forget_scan(struct session *session)
{
    seen_close(session->seen);
    session->seen = NULL;
    scan_feed_destroy(session->feed);
    session->feed = NULL;
    outline_fini(&session->outline);
}

/* ---- the dry run ---- */

static void show_study(void *user, const struct planned_study *study)
{
    struct session *session = user;
    if (session->observer->study_planned != NULL)
        session->observer->study_planned(session->observer->user, study);
}

static void end_pending(void *user, struct instance *instance)
{
    struct session *session = user;
    bool interrupted = session->result->verdict != SESSION_COMPLETE;
    end_found(session, instance, OUTCOME_PENDING, interrupted ? REASON_INTERRUPTED : REASON_NONE, 0);
}

void session_show_plan(struct session *session)
{
    bool whole = session->result->verdict == SESSION_COMPLETE;
    int error = outline_tell(&session->outline, session->seen, whole ? show_study : NULL, end_pending, session);
    if (error == 0 || !whole)
        return;
    session->result->verdict = SESSION_STOPPED;
    snprintf(session->result->stop_text, sizeof session->result->stop_text, "the plan could not be shown whole: %s",
             dicomnet_error_text(error));
}
