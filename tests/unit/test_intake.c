/* An intake alone, on a loop of its own, with a folder of its own: what is found comes out once, planned or ended. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "engine/intake.h"
#include "engine/outline.h"
#include "engine/plan.h"
#include "engine/scan_feed.h"
#include "files/synthetic.h"
#include "instance/instance.h"
#include "late_record.h"
#include "made_files.h"

enum { STUDIES = 3, EACH = 4, FILES = STUDIES * EACH };

/* What was told. */
struct told {
    struct intake *intake;
    unsigned found, planned, ended, scan_ended, shown;
    unsigned by_state[OUTCOME_STATE_COUNT];
    enum outcome_reason last_reason;
    uint64_t bytes;
    int scan_error;
    unsigned problems; /* with the record */
    unsigned stop_at;  /* found; 0 = never */
};

static uv_loop_t loop;
static struct plan plan;
static struct told told;
static struct made_files files;
static const char *inputs[2];
static struct discover_options discover;
static const struct scan_options scan;

static void on_found(void *user)
{
    cr_assert_eq(user, &told);
    told.found++;
}

static void on_planned(void *user, uint64_t size_bytes)
{
    told.planned++;
    told.bytes += size_bytes;
}

static void on_record_failed(void *user, const char *problem)
{
    cr_expect_str_eq(problem, LATE_RECORD_PROBLEM);
    told.problems++;
    intake_stop(told.intake);
}

static void on_ended(void *user, struct instance *instance)
{
    told.ended++;
    told.by_state[instance->outcome.state]++;
    if (instance->outcome.reason != REASON_NONE)
        told.last_reason = instance->outcome.reason;
    intake_note_ended(told.intake);
    instance_destroy(instance);
}

static void on_go_on(void *user)
{
    if (told.stop_at > 0 && told.found >= told.stop_at)
        intake_stop(told.intake);
    intake_go_on(told.intake);
}

static void on_scan_ended(void *user, int error)
{
    told.scan_ended++;
    told.scan_error = error;
}

static const struct intake_handler handler = {.found = on_found,
                                              .planned = on_planned,
                                              .record_failed = on_record_failed,
                                              .ended = on_ended,
                                              .go_on = on_go_on,
                                              .scan_ended = on_scan_ended};

static struct late_record late;
static bool planned_too_early;

/*
 * Take all out of the plan, as if it was sent. Files that may be known are planned only after the record has answered;
 * after a problem nothing is sent, and what was walked by then is looked at and stays pending.
 */
static void send_planned(void)
{
    struct work *work;
    struct list_node *node;
    while ((work = plan_next(&plan, 1)) != NULL) {
        while ((node = list_pop(&work->instances)) != NULL) {
            struct instance *instance = list_entry(node, struct instance, mail.node);
            planned_too_early |= told.problems == 0 && !late.answered[late_record_number(instance->file.path)];
            on_ended(&told, instance);
        }
        cr_assert_null(plan_finish(&plan, work, false));
    }
}

static void set_up(void)
{
    cr_assert_eq(made_files_create(&files, STUDIES, EACH, 4096), 0);
    inputs[0] = files.folder;
    discover = (struct discover_options){.inputs = inputs, .input_count = 1};
    cr_assert_eq(uv_loop_init(&loop), 0);
}

static void tear_down(void)
{
    intake_destroy(told.intake);
    plan_fini(&plan);
    cr_assert_eq(uv_loop_close(&loop), 0, "something is left on the loop");
    made_files_remove(&files);
}

TestSuite(intake, .init = set_up, .fini = tear_down, .timeout = 60);

static void start(const struct intake_options *options)
{
    cr_assert_eq(intake_start(&told.intake, &loop, options, &plan, &handler, &told), 0);
    intake_go_on(told.intake);
}

static void run(const struct intake_options *options)
{
    start(options);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert(!intake_is_busy(told.intake));
    cr_assert_eq(told.scan_ended, 1);
}

/* A copy of the first file in another folder, which is looked at as well. `altered`: with another last byte. */
static char copy_folder[64], copy_path[128];

static void copy_first(bool altered)
{
    char command[512];
    snprintf(copy_folder, sizeof copy_folder, "/tmp/intake-copy-XXXXXX");
    cr_assert_not_null(mkdtemp(copy_folder));
    snprintf(copy_path, sizeof copy_path, "%s/copy", copy_folder);
    snprintf(command, sizeof command, "cp '%s' '%s'", files.instances[0]->file.path, copy_path);
    cr_assert_eq(system(command), 0);
    if (altered) {
        FILE *file = fopen(copy_path, "r+b");
        cr_assert_not_null(file);
        fseek(file, -1, SEEK_END);
        int last = fgetc(file);
        fseek(file, -1, SEEK_END);
        fputc(last ^ 1, file);
        fclose(file);
    }
    inputs[1] = copy_path;
    discover.input_count = 2;
}

static void remove_copy(void)
{
    unlink(copy_path);
    rmdir(copy_folder);
}

Test(intake, plans_what_it_finds)
{
    run(&(struct intake_options){.discover = &discover, .scan = &scan});
    cr_expect_eq(told.scan_error, 0);
    cr_expect_eq(told.found, FILES);
    cr_expect_eq(told.planned, FILES);
    cr_expect_eq(told.ended, 0);
    cr_expect_eq(plan.waiting_count, FILES);
    cr_expect_eq(plan.waiting_bytes, told.bytes);
    cr_expect_eq(plan.studies.count, STUDIES);
}

Test(intake, ends_what_cannot_be_sent)
{
    char path[128];
    snprintf(path, sizeof path, "%s/zzz", files.folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("no DICOM", file);
    fclose(file);
    run(&(struct intake_options){.discover = &discover, .scan = &scan});
    unlink(path);
    cr_expect_eq(told.found, FILES + 1);
    cr_expect_eq(told.planned, FILES);
    cr_expect_eq(told.by_state[OUTCOME_SKIPPED], 1);
    cr_expect_eq(told.last_reason, REASON_NOT_DICOM);
}

Test(intake, the_same_bytes_are_a_duplicate)
{
    copy_first(false);
    run(&(struct intake_options){.discover = &discover, .scan = &scan, .on_conflict = CONFLICT_ALL});
    remove_copy();
    cr_expect_eq(told.found, FILES + 1);
    cr_expect_eq(told.planned, FILES);
    cr_expect_eq(told.by_state[OUTCOME_SKIPPED], 1);
    cr_expect_eq(told.last_reason, REASON_DUPLICATE);
}

Test(intake, other_bytes_are_a_conflict)
{
    static const struct {
        enum intake_conflict on_conflict;
        unsigned planned, failed, skipped;
    } rows[] = {{CONFLICT_FAIL, FILES, 1, 0}, {CONFLICT_FIRST, FILES, 0, 1}, {CONFLICT_ALL, FILES + 1, 0, 0}};
    copy_first(true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        told = (struct told){0};
        run(&(struct intake_options){.discover = &discover, .scan = &scan, .on_conflict = rows[i].on_conflict});
        cr_expect_eq(told.found, FILES + 1);
        cr_expect_eq(told.planned, rows[i].planned, "row %zu: %u planned", i, told.planned);
        cr_expect_eq(told.by_state[OUTCOME_FAILED], rows[i].failed, "row %zu", i);
        cr_expect_eq(told.by_state[OUTCOME_SKIPPED], rows[i].skipped, "row %zu", i);
        intake_destroy(told.intake);
        plan_fini(&plan);
        told.intake = NULL;
    }
    remove_copy();
}

Test(intake, a_folder_that_is_not_there_is_an_end_too)
{
    inputs[0] = "/there/is/no/such/folder";
    run(&(struct intake_options){.discover = &discover, .scan = &scan});
    cr_expect_eq(told.found, 1);
    cr_expect_eq(told.by_state[OUTCOME_FAILED], 1);
    cr_expect_eq(told.last_reason, REASON_MISSING);
}

Test(intake, stopped_it_looks_at_no_more)
{
    copy_first(true);
    start(&(struct intake_options){.discover = &discover, .scan = &scan});
    intake_stop(told.intake);
    uv_run(&loop, UV_RUN_DEFAULT);
    remove_copy();
    cr_expect_eq(told.scan_ended, 1);
    cr_expect_eq(told.scan_error, -ECANCELED);
    cr_expect_eq(told.found, told.planned + told.ended, "each is planned or has ended");
    /* What is still found waits for no comparison. */
    cr_expect_eq(told.by_state[OUTCOME_FAILED] + told.by_state[OUTCOME_SKIPPED], 0);
}

/* The scan waits while enough is found, and for as long as nothing of it ends. */
Test(intake, pauses_when_enough_is_found)
{
    enum { MANY = 4000, MAX = 100 };
    struct made_files many;
    cr_assert_eq(made_files_create(&many, 1, MANY, 2048), 0);
    inputs[0] = many.folder;
    start(&(struct intake_options){.discover = &discover, .scan = &scan, .found_max = MAX});
    uv_run(&loop, UV_RUN_DEFAULT); /* it has nothing more to do until some have ended */
    cr_expect(intake_is_busy(told.intake));
    cr_expect(!intake_brings_more(told.intake));
    cr_expect_geq(told.found, MAX);
    cr_expect_leq(told.found, MAX + SCAN_FEED_SLACK, "%u found", told.found);
    while (intake_is_busy(told.intake)) {
        cr_assert(plan_has_next(&plan));
        send_planned();
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    cr_expect_eq(told.found, MANY);
    made_files_remove(&many);
}

Test(intake, makes_instances)
{
    const struct synthetic_spec spec = {
        .studies = 2, .instances = 3, .options = {.sop_class = SYNTHETIC_MR, .size_bytes = 4096}};
    run(&(struct intake_options){.synthetic = &spec, .repeat = 4});
    cr_expect_eq(told.found, 2 * 3 * 4);
    cr_expect_eq(told.planned, told.found);
    cr_expect_eq(plan.studies.count, 2 * 4, "each time other studies");
}

Test(intake, makes_as_many_as_there_is_room_for_until_it_is_stopped)
{
    const struct synthetic_spec spec = {
        .studies = 1, .instances = 10, .options = {.sop_class = SYNTHETIC_MR, .size_bytes = 4096}};
    start(&(struct intake_options){.synthetic = &spec, .repeat = 1, .endless = true, .found_max = 25});
    cr_expect_eq(told.found, 25);
    intake_go_on(told.intake);
    cr_expect_eq(told.found, 25, "nothing has ended");
    for (int i = 0; i < 5; i++)
        on_ended(&told, plan_take_waiting(&plan));
    intake_go_on(told.intake);
    cr_expect_eq(told.found, 30);
    cr_expect(intake_is_busy(told.intake));
    intake_stop(told.intake);
    intake_go_on(told.intake);
    cr_expect(!intake_is_busy(told.intake));
    cr_expect_eq(told.scan_ended, 1);
    cr_expect_eq(told.found, 30);
}

static void show(void *user, const struct planned_study *study)
{
    cr_assert_eq(user, &told);
    cr_expect_eq(study->instances, EACH);
    cr_expect_eq(study->context_count, 1);
    told.shown++;
}

Test(intake, a_dry_run_keeps_nothing_and_shows_all)
{
    copy_first(true);
    run(&(struct intake_options){.discover = &discover, .scan = &scan, .outline = true, .on_conflict = CONFLICT_FIRST});
    remove_copy();
    cr_expect_eq(told.planned, FILES);
    cr_expect_eq(plan.waiting_count, 0);
    cr_expect_eq(plan.total_count, FILES);
    cr_assert_eq(intake_show(told.intake, show, REASON_NONE), 0);
    cr_expect_eq(told.shown, STUDIES);
    cr_expect_eq(told.by_state[OUTCOME_PENDING], FILES);
    cr_expect_eq(told.ended, FILES + 1);
}

/* ---- a record that answers late, and not in the order in which it was asked ---- */

enum { LATE_FILES = 3000, KNOWN_EACH = 3 };

static void on_go_on_checking(void *user)
{
    send_planned();
}

static void run_late(const struct made_files *many, uint64_t found_max)
{
    struct intake_handler checking = handler;
    checking.go_on = on_go_on_checking;
    inputs[0] = many->folder;
    late_record_init(&late, &loop);
    const struct intake_options options = {
        .discover = &discover, .scan = &scan, .record = &late.record, .found_max = found_max};
    cr_assert_eq(intake_start(&told.intake, &loop, &options, &plan, &checking, &told), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    send_planned();
    cr_expect(!intake_is_busy(told.intake));
    cr_expect_eq(told.scan_ended, 1);
    cr_expect_eq(late.under_way, 0);
    cr_expect(!planned_too_early, "planned before the record had answered");
    cr_expect_eq(told.ended, told.found, "each ends once");
}

Test(intake, a_record_may_answer_late_and_out_of_order)
{
    struct made_files many;
    cr_assert_eq(made_files_create(&many, 3, LATE_FILES / 3, 2048), 0);
    late = (struct late_record){.slowest_ms = 30, .known_each = KNOWN_EACH, .hold_first = true};
    run_late(&many, 0);
    cr_expect_eq(told.scan_error, 0);
    cr_expect_eq(told.found, LATE_FILES);
    cr_expect_eq(told.by_state[OUTCOME_STORED], LATE_FILES / KNOWN_EACH);
    cr_expect_eq(told.planned, LATE_FILES - LATE_FILES / KNOWN_EACH);
    cr_expect_geq(late.most, 2, "one question at a time");
    cr_expect_geq(late.overtaken, 1, "all in order");
    made_files_remove(&many);
}

Test(intake, a_record_that_fails_stops_it)
{
    struct made_files many;
    cr_assert_eq(made_files_create(&many, 3, LATE_FILES / 3, 2048), 0);
    for (unsigned fails_at = 1; fails_at <= 4; fails_at++) {
        told = (struct told){0};
        late = (struct late_record){.slowest_ms = 5, .known_each = KNOWN_EACH, .fails_at = fails_at};
        run_late(&many, 0);
        cr_expect_eq(told.problems, 1);
        cr_expect_eq(told.scan_error, -ECANCELED);
        cr_expect_lt(told.found, LATE_FILES, "it went on looking");
        intake_destroy(told.intake);
        plan_fini(&plan);
    }
    told.intake = NULL;
    made_files_remove(&many);
}

/* What is under way when it is stopped is more than there may be: that must not pause what is to come to its end. */
Test(intake, one_that_is_stopped_just_before_a_pause_comes_to_its_end)
{
    struct made_files many;
    cr_assert_eq(made_files_create(&many, 3, LATE_FILES / 3, 2048), 0);
    inputs[0] = many.folder;
    late = (struct late_record){.slowest_ms = 30};
    late_record_init(&late, &loop);
    told.stop_at = 1;
    run(&(struct intake_options){.discover = &discover, .scan = &scan, .record = &late.record, .found_max = 300});
    cr_expect_eq(told.scan_error, -ECANCELED);
    cr_expect_lt(told.found, LATE_FILES);
    made_files_remove(&many);
}

Test(intake, a_late_record_and_a_pause)
{
    struct made_files many;
    cr_assert_eq(made_files_create(&many, 3, LATE_FILES / 3, 2048), 0);
    late = (struct late_record){.slowest_ms = 30, .known_each = KNOWN_EACH};
    run_late(&many, 200);
    cr_expect_eq(told.found, LATE_FILES);
    cr_expect_eq(told.by_state[OUTCOME_STORED], LATE_FILES / KNOWN_EACH);
    made_files_remove(&many);
}
