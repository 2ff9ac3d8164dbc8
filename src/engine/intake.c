/* intake - see intake.h. */
#include "engine/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "engine/outline.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "engine/scan_feed.h"
#include "engine/unsupported.h"
#include "files/compare.h"
#include "files/seen.h"
#include "files/synthetic.h"
#include "instance/instance.h"

struct intake {
    struct intake_options options;
    const struct intake_handler *handler;
    void *user;
    uv_loop_t *loop;
    struct plan *plan;

    struct scan_feed *feed; /* NULL = synthetic */
    bool scanning;          /* until handler.scan_ended; making counts as scanning */
    bool paused;            /* enough was found for now */
    bool stopped;
    uint64_t alive; /* found or made, and not ended */
    uint64_t made;  /* synthetic instances */

    struct seen *seen;
    struct outline outline;
    bool comparing;          /* a comparison is under way: that of the first in `comparisons` */
    struct list comparisons; /* struct comparison */
};

struct comparison {
    struct list_node node;
    uv_work_t request;
    struct intake *intake;
    struct instance *first;  /* owned: a copy of its facts */
    struct instance *second; /* the one that came later */
    int result;
};

static void end_instance(struct intake *intake, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error)
{
    instance_set_end(instance, state, reason, error);
    intake->handler->ended(intake->user, instance);
}

/* ---- into the plan ---- */

/* A dry run keeps no instance in memory, but a record of it in the file of `seen`. `kept`: that is its last record. */
static int add_to_outline(struct intake *intake, struct instance *instance, bool kept)
{
    if (!kept) {
        int64_t place = seen_keep(intake->seen, instance);
        if (place < 0)
            return (int)place;
    }
    int error = plan_count(intake->plan, instance);
    if (error == 0)
        error = outline_add(&intake->outline, instance, seen_last_place(intake->seen));
    if (error == 0)
        instance_destroy(instance);
    return error;
}

/* It may go out in no transfer syntax. */
static void end_unsupported(struct intake *intake, struct instance *instance)
{
    const struct fallback_policy *policy = &intake->plan->table.policy;
    char text[INSTANCE_FACT_SIZE];
    unsupported_describe_policy(policy, instance->file.class_uid, instance->file.syntax_uid, text, sizeof text);
    unsupported_add_advice(policy, intake->options.words, instance->file.syntax_uid, text, sizeof text);
    instance_note(instance, "%s", text);
    end_instance(intake, instance, OUTCOME_FAILED, REASON_UNSUPPORTED, 0);
}

static void plan_instance(struct intake *intake, struct instance *instance, bool kept)
{
    uint64_t size_bytes = instance_wire_len(instance);
    int error = intake->options.outline ? add_to_outline(intake, instance, kept) : plan_add(intake->plan, instance);
    if (error == DICOMNET_ERROR_NO_CONTEXT)
        end_unsupported(intake, instance);
    else if (error != 0)
        end_instance(intake, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, error);
    else
        intake->handler->planned(intake->user, size_bytes);
}

/* ---- duplicates ---- */

/* On the thread pool. */
static void compare(uv_work_t *request)
{
    struct comparison *comparison = request->data;
    comparison->result = compare_data_sets(&comparison->first->file, &comparison->second->file);
}

static void free_comparison(struct comparison *comparison)
{
    list_remove(&comparison->node);
    instance_destroy(comparison->first);
    free(comparison);
}

static void judge_comparison(struct intake *intake, const struct comparison *comparison)
{
    struct instance *second = comparison->second;
    const char *first_path = comparison->first->file.path;
    if (comparison->result == 1)
        instance_note(second, "as %s", first_path);
    else if (comparison->result == 0)
        instance_note(second, "the other is %s; --on-conflict says which are sent", first_path);
    else
        instance_note(second, "it could not be compared with %s", first_path);
    if (comparison->result == 1)
        end_instance(intake, second, OUTCOME_SKIPPED, REASON_DUPLICATE, 0);
    else if (comparison->result == 0 && intake->options.on_conflict == CONFLICT_FIRST)
        end_instance(intake, second, OUTCOME_SKIPPED, REASON_UID_CONFLICT, 0);
    else if (comparison->result == 0 && intake->options.on_conflict == CONFLICT_ALL)
        plan_instance(intake, second, false);
    else /* other bytes, or the error that kept us from knowing: then it must not pass for a duplicate */
        end_instance(intake, second, OUTCOME_FAILED, REASON_UID_CONFLICT, comparison->result);
}

static void start_comparison(struct intake *intake);

static void after_compare(uv_work_t *request, int status)
{
    struct comparison *comparison = request->data;
    struct intake *intake = comparison->intake;
    (void)status;
    judge_comparison(intake, comparison);
    free_comparison(comparison);
    intake->comparing = false;
    start_comparison(intake);
    intake->handler->go_on(intake->user);
}

/* One at a time: they are rare, and the scan needs the disk too. */
static void start_comparison(struct intake *intake)
{
    struct list_node *node;
    while (!intake->comparing && (node = list_first(&intake->comparisons)) != NULL) {
        struct comparison *comparison = list_entry(node, struct comparison, node);
        if (!intake->stopped) {
            intake->comparing = true;
            uv_queue_work(intake->loop, &comparison->request, compare, after_compare);
        } else {
            end_instance(intake, comparison->second, OUTCOME_PENDING, REASON_INTERRUPTED, 0);
            free_comparison(comparison);
        }
    }
}

static bool compare_later(struct intake *intake, struct instance *first, struct instance *second)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL)
        return false;
    comparison->request.data = comparison;
    comparison->intake = intake;
    comparison->first = first;
    comparison->second = second;
    list_append(&intake->comparisons, &comparison->node);
    start_comparison(intake);
    return true;
}

/* ---- from the scan ---- */

/* The scan pauses when enough is found, and goes on when half of it has ended. */
static void pace_scan(struct intake *intake)
{
    uint64_t found_max = intake->options.found_max;
    if (!intake->scanning || intake->stopped || found_max == 0 || intake->feed == NULL)
        return;
    if (!intake->paused && intake->alive >= found_max)
        intake->paused = true;
    else if (intake->paused && intake->alive <= found_max / 2)
        intake->paused = false;
    else
        return;
    scan_feed_pause(intake->feed, intake->paused);
}

static void note_found(struct intake *intake)
{
    intake->alive++;
    intake->handler->found(intake->user);
    pace_scan(intake);
}

static void on_found(void *user, struct instance *instance, struct instance *first)
{
    struct intake *intake = user;
    note_found(intake);
    if (instance->outcome.state != OUTCOME_PENDING) {
        intake->handler->ended(intake->user, instance);
        return;
    }
    if (first != NULL && strcmp(first->file.path, instance->file.path) == 0) { /* it was renamed */
        instance->outcome = first->outcome;
        instance_destroy(first);
        intake->handler->ended(intake->user, instance);
        return;
    }
    int error = first == NULL ? seen_check(intake->seen, instance, &first) : 0;
    if (error != 0) {
        end_instance(intake, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, error);
    } else if (first == NULL) {
        plan_instance(intake, instance, true);
    } else if (!compare_later(intake, first, instance)) {
        instance_destroy(first);
        end_instance(intake, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, -ENOMEM);
    }
}

static void on_record_failed(void *user, const char *problem)
{
    struct intake *intake = user;
    intake->handler->record_failed(intake->user, problem);
}

static void on_batch_ended(void *user)
{
    struct intake *intake = user;
    intake->handler->go_on(intake->user);
}

static void on_scan_ended(void *user, int error)
{
    struct intake *intake = user;
    intake->scanning = false;
    intake->handler->scan_ended(intake->user, error);
}

static const struct scan_feed_handler feed_handler = {
    .found = on_found, .record_failed = on_record_failed, .batch_ended = on_batch_ended, .ended = on_scan_ended};

/* ---- synthetic instances ---- */

static bool all_made(const struct intake *intake)
{
    const struct synthetic_spec *spec = intake->options.synthetic;
    return !intake->options.endless && intake->made >= spec->studies * spec->instances * intake->options.repeat;
}

static bool make_instance(struct intake *intake)
{
    const struct synthetic_spec *spec = intake->options.synthetic;
    struct synthetic_instance made;
    char path[64];
    uint64_t study = intake->made / spec->instances, number = intake->made % spec->instances;
    synthetic_instance_init(&made, &spec->options, study, number);
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
    intake->made++;
    note_found(intake);
    plan_instance(intake, instance, false);
    return true;
}

void intake_go_on(struct intake *intake)
{
    if (intake->options.synthetic == NULL || !intake->scanning)
        return;
    uint64_t found_max = intake->options.found_max > 0 ? intake->options.found_max : UINT64_MAX;
    while (!intake->stopped && !all_made(intake) && intake->alive < found_max)
        if (!make_instance(intake))
            break;
    if (intake->stopped || all_made(intake))
        on_scan_ended(intake, 0);
}

/* ---- the whole ---- */

static int start(struct intake *intake)
{
    const struct intake_options *options = &intake->options;
    bool synthetic = options->synthetic != NULL;
    const struct record *record = options->record;
    bool recalls = record != NULL && record->recall_files != NULL;
    int error = !synthetic || options->outline ? seen_open(&intake->seen) : 0;
    if (error != 0 || synthetic)
        return error;
    const struct scan_feed_options feed = {.discover = options->discover,
                                           .scan = options->scan,
                                           .record = recalls ? record : NULL,
                                           .scanners = options->scanners};
    return scan_feed_start(&intake->feed, intake->loop, &feed, &feed_handler, intake);
}

int intake_start(struct intake **ret_intake, struct uv_loop_s *loop, const struct intake_options *options,
                 struct plan *plan, const struct intake_handler *handler, void *user)
{
    struct intake *intake = calloc(1, sizeof *intake);
    *ret_intake = intake;
    if (intake == NULL)
        return -ENOMEM;
    intake->options = *options;
    intake->handler = handler;
    intake->user = user;
    intake->loop = loop;
    intake->plan = plan;
    intake->scanning = true;
    list_init(&intake->comparisons);
    int error = start(intake);
    if (error != 0) {
        intake_destroy(intake);
        *ret_intake = NULL;
    }
    return error;
}

void intake_note_ended(struct intake *intake)
{
    intake->alive--;
    pace_scan(intake);
}

void intake_stop(struct intake *intake)
{
    if (intake->stopped)
        return;
    intake->stopped = true;
    if (intake->scanning && intake->feed != NULL)
        scan_feed_cancel(intake->feed);
}

struct scan_figures intake_figures(const struct intake *intake)
{
    return intake->feed != NULL ? scan_feed_figures(intake->feed) : (struct scan_figures){0};
}

bool intake_is_busy(const struct intake *intake)
{
    return intake->scanning || !list_is_empty(&intake->comparisons);
}

bool intake_brings_more(const struct intake *intake)
{
    return intake_is_busy(intake) && !intake->paused;
}

void intake_destroy(struct intake *intake)
{
    if (intake == NULL)
        return;
    seen_close(intake->seen);
    scan_feed_destroy(intake->feed);
    outline_fini(&intake->outline);
    free(intake);
}

/* ---- the dry run ---- */

struct showing {
    struct intake *intake;
    void (*show)(void *user, const struct planned_study *study);
    enum outcome_reason reason;
};

static void show_study(void *user, const struct planned_study *study)
{
    const struct showing *showing = user;
    showing->show(showing->intake->user, study);
}

static void end_shown(void *user, struct instance *instance)
{
    const struct showing *showing = user;
    end_instance(showing->intake, instance, OUTCOME_PENDING, showing->reason, 0);
}

int intake_show(struct intake *intake, void (*show)(void *user, const struct planned_study *study),
                enum outcome_reason reason)
{
    struct showing showing = {.intake = intake, .show = show, .reason = reason};
    return outline_tell(&intake->outline, intake->seen, show != NULL ? show_study : NULL, end_shown, &showing);
}
