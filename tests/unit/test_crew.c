/*
 * Who gets work, who rests, and who is told what, with workers that only note their mail: worker_start, worker_post and
 * worker_join are the test's own, so that no thread is started.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/crew.h"
#include "engine/gate.h"
#include "engine/plan.h"
#include "instance/event.h"
#include "instance/instance.h"
#include "make_instances.h"

enum { WORKERS = 4, MAIL_KINDS = MAIL_EXIT + 1 };

/* A worker that does nothing. */
struct worker {
    int number;
    bool joined;
    unsigned mail[MAIL_KINDS];
    struct work *work; /* the last it was given */
    uint64_t store_max;
    unsigned lessons;
};

static struct worker workers[WORKERS + 1];
static unsigned start_max; /* more cannot be started */
static struct crew crew;
static struct plan plan;
static struct gate gate;
static struct lessons lessons;
static struct context_pair known = {.class_uid = "1.2.3"};
static struct dicomnet_logger logger;
static char logged[256];
static uint64_t now_us;

int worker_start(struct worker **ret_worker, int number, const struct worker_options *options)
{
    if ((unsigned)number > start_max)
        return -EAGAIN;
    cr_assert_eq(options, &crew.options.worker, "it must stay where it is");
    workers[number] = (struct worker){.number = number};
    *ret_worker = &workers[number];
    return 0;
}

void worker_post(struct worker *worker, struct mail *mail)
{
    cr_assert(!worker->joined);
    worker->mail[mail->kind]++;
    if (mail->kind == MAIL_WORK) {
        worker->work = list_entry(mail, struct work, mail);
        return;
    }
    if (mail->kind == MAIL_LESSON) {
        const struct worker_lesson *lesson = list_entry(mail, struct worker_lesson, mail);
        worker->lessons += lesson->unsupported != NULL;
        worker->store_max = lesson->store_max > 0 ? lesson->store_max : worker->store_max;
    }
    free(mail); /* the first member */
}

void worker_join(struct worker *worker)
{
    worker->joined = true;
}

static void note_log(void *user, const struct dicomnet_log_record *record)
{
    (void)user;
    snprintf(logged, sizeof logged, "%s", record->fields[0].text);
}

/* So many studies, each of three instances and larger than the next. */
static void set_up_with(unsigned studies, bool threads_auto)
{
    char uid[16];
    memset(&gate, 0, sizeof gate);
    memset(&lessons, 0, sizeof lessons);
    logger = (struct dicomnet_logger){.write = note_log, .level = DICOMNET_LOG_INFO};
    logged[0] = '\0';
    start_max = WORKERS;
    now_us = 1000000;
    crew_init(&crew,
              &(struct crew_options){
                  .worker.threads = WORKERS, .threads_auto = threads_auto, .lessons = &lessons, .logger = &logger});
    for (unsigned study = 0; study < studies; study++) {
        snprintf(uid, sizeof uid, "1.%u", study + 1);
        for (unsigned i = 0; i < 3; i++)
            cr_assert_eq(plan_add(&plan, make_instance(uid, i, 1000 - 10 * study, 0)), 0);
    }
}

static void set_up(void)
{
    set_up_with(WORKERS + 2, false);
}

static void empty(struct work *work)
{
    struct list_node *node;
    while ((node = list_pop(&work->instances)) != NULL)
        instance_destroy(list_entry(node, struct instance, mail.node));
}

static void tear_down(void)
{
    for (unsigned i = 0; i < crew.count; i++) {
        if (crew.hands[i].work == NULL)
            continue;
        empty(crew.hands[i].work);
        (void)plan_finish(&plan, crew.hands[i].work, false);
    }
    plan_fini(&plan);
    memset(&plan, 0, sizeof plan);
}

TestSuite(crew, .init = set_up, .fini = tear_down);

static void hand_out(void)
{
    cr_expect_eq(crew_hand_out(&crew, &plan, &gate, now_us), 0);
}

static unsigned count_working(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < crew.count; i++)
        count += crew.hands[i].work != NULL;
    return count;
}

static void opened(int worker)
{
    crew_note_opened(&crew, &(struct worker_notice){.worker = worker, .opened = true});
}

static void ended(int worker, bool backs_off, const struct dicomnet_association_end *end)
{
    crew_note_ended(&crew, &(struct worker_notice){
                               .worker = worker, .backs_off = backs_off, .failures = backs_off, .figures.end = *end});
}

/* All of its work is done. */
static void finish(int worker, bool sending)
{
    empty(workers[worker].work);
    crew_take_back(&crew, workers[worker].work, &plan, &gate, sending, now_us);
}

/* Its work came back as it was. */
static void give_back(int worker)
{
    struct work *work = workers[worker].work;
    struct list_node *node;
    while ((node = list_pop(&work->instances)) != NULL)
        cr_assert_eq(plan_return(&plan, list_entry(node, struct instance, mail.node)), 0);
    crew_take_back(&crew, work, &plan, &gate, true, now_us);
}

static const struct dicomnet_association_end released = {.kind = DICOMNET_ASSOCIATION_RELEASED};
static const struct dicomnet_association_end absent = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED};
static const struct dicomnet_association_end turned_away = {.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                            .reject = {.result = 2}};

/* ---- work ---- */

Test(crew, starts_as_many_as_there_is_work_for)
{
    tear_down();
    set_up_with(2, false);
    hand_out();
    cr_expect_eq(crew.count, 2);
    cr_expect_eq(crew.left, 2);
    cr_expect_eq(count_working(), 2);
    cr_expect(crew_has_work(&crew) && crew_asks(&crew));
    hand_out();
    cr_expect_eq(crew.count, 2, "nothing is left");
}

Test(crew, starts_no_more_than_allowed)
{
    hand_out();
    cr_expect_eq(crew.count, WORKERS);
    for (int worker = 1; worker <= WORKERS; worker++)
        cr_expect_eq(workers[worker].mail[MAIL_WORK], 1);
    cr_expect(plan_has_next(&plan));
}

Test(crew, prefers_who_has_an_association_open)
{
    hand_out();
    for (int worker = 1; worker <= WORKERS; worker++)
        finish(worker, false);
    opened(3);
    hand_out();
    cr_expect_eq(workers[3].mail[MAIL_WORK], 2);
    cr_expect_eq(workers[1].mail[MAIL_WORK], 2, "then the first");
    cr_expect_eq(count_working(), 2);
}

Test(crew, goes_on_with_the_same_study)
{
    hand_out();
    const struct work *first = workers[1].work;
    char uid[DICOMNET_UID_SIZE];
    snprintf(uid, sizeof uid, "%s", first->study_uid);
    cr_assert_eq(plan_add(&plan, make_instance(uid, 9, 10, 0)), 0);
    finish(1, true);
    cr_assert_not_null(crew.hands[0].work);
    cr_expect_str_eq(crew.hands[0].work->study_uid, uid);
    cr_assert_eq(plan_add(&plan, make_instance(uid, 10, 10, 0)), 0);
    finish(1, false);
    cr_expect_null(crew.hands[0].work, "nothing is sent any more");
}

Test(crew, makes_do_with_those_that_could_be_started)
{
    start_max = 2;
    hand_out();
    cr_expect_eq(crew.count, 2);
    cr_expect_eq(crew.max, 2);
    cr_expect_str_eq(logged, "no more threads could be started");
    start_max = WORKERS;
    hand_out();
    cr_expect_eq(crew.count, 2, "it is not tried again");
}

Test(crew, without_any_says_so)
{
    start_max = 0;
    cr_expect_eq(crew_hand_out(&crew, &plan, &gate, now_us), -EAGAIN);
}

/* ---- the gate ---- */

static void shut_gate(void)
{
    static struct instance_trials trials[BREAKER_ROW + BREAKER_TRIES];
    memset(trials, 0, sizeof trials);
    for (int i = 0; i < BREAKER_ROW; i++)
        (void)gate_refused(&gate, &trials[i], now_us / 1000);
    for (int i = 0; i < BREAKER_TRIES; i++) {
        gate_try(&gate);
        (void)gate_refused(&gate, &trials[BREAKER_ROW + i], now_us / 1000);
    }
    cr_assert_eq(gate_ask(&gate, now_us / 1000), GATE_SHUT);
}

Test(crew, hands_out_nothing_while_the_gate_is_shut)
{
    hand_out();
    shut_gate();
    crew_hold(&crew);
    for (int worker = 1; worker <= WORKERS; worker++) {
        cr_expect_eq(workers[worker].mail[MAIL_GIVE_BACK], 1);
        give_back(worker);
    }
    hand_out();
    cr_expect_eq(count_working(), 0);
    now_us += BREAKER_PAUSE_FIRST_MS * 1000;
    hand_out();
    cr_expect_eq(count_working(), 1, "one store, to see");
    cr_expect_eq(crew.hands[0].work->instance_count, 1);
    hand_out();
    cr_expect_eq(count_working(), 1, "and no other meanwhile");
    (void)gate_stored(&gate);
    hand_out();
    cr_expect_eq(count_working(), WORKERS);
}

Test(crew, tries_nothing_before_all_has_come_back)
{
    hand_out();
    shut_gate();
    now_us += BREAKER_PAUSE_FIRST_MS * 1000;
    for (int worker = 2; worker <= WORKERS; worker++)
        give_back(worker);
    hand_out();
    cr_expect_eq(count_working(), 1, "worker 1 has not given back");
    cr_expect_eq(gate_ask(&gate, now_us / 1000), GATE_TRIAL);
    give_back(1);
    hand_out();
    cr_expect_eq(count_working(), 1);
    cr_expect_eq(crew.hands[0].work->instance_count, 1);
}

Test(crew, answers_refusals)
{
    hand_out();
    crew_answer_refusal(&crew, 2, true);
    crew_answer_refusal(&crew, 3, false);
    cr_expect_eq(workers[2].mail[MAIL_GO_ON], 1);
    cr_expect_eq(workers[3].mail[MAIL_GIVE_BACK], 1);
    cr_expect_eq(workers[3].mail[MAIL_GO_ON] + workers[2].mail[MAIL_GIVE_BACK], 0);
}

/* ---- how many ---- */

Test(crew, who_is_above_the_number_rests)
{
    hand_out();
    for (int worker = 1; worker <= WORKERS; worker++)
        opened(worker);
    crew_allow(&crew, 2);
    for (int worker = 1; worker <= WORKERS; worker++)
        cr_expect_eq(workers[worker].mail[MAIL_REST], 0, "it has work");
    finish(1, true);
    cr_expect_eq(workers[1].mail[MAIL_REST], 1);
    finish(2, true);
    cr_expect_eq(workers[2].mail[MAIL_REST], 1);
    hand_out();
    cr_expect_eq(count_working(), 2);
    finish(3, true);
    cr_expect_eq(workers[3].mail[MAIL_REST], 0, "there is room for two");
    hand_out();
    cr_expect_eq(count_working(), 2);
    cr_assert_not_null(crew.hands[0].work, "it rested, and has work again");
    crew_allow(&crew, 1);
    finish(1, true);
    cr_expect_eq(workers[1].mail[MAIL_REST], 2, "it is told again");
}

Test(crew, that_is_turned_away_makes_room_and_asks_later)
{
    hand_out();
    for (int worker = 1; worker <= 3; worker++)
        opened(worker);
    ended(4, true, &turned_away);
    give_back(4);
    crew_turned_away(&crew, true, now_us / 1000);
    cr_expect_eq(crew.allowed, 3, "as many as it has taken");
    cr_expect(crew_is_curbed(&crew));
    crew_turned_away(&crew, true, now_us / 1000);
    cr_expect_eq(crew.allowed, 3, "not fewer than are open");
    crew_grow(&crew, now_us / 1000 + GROWTH_FIRST_MS - 1);
    cr_expect_eq(crew.allowed, 3);
    crew_grow(&crew, now_us / 1000 + GROWTH_FIRST_MS);
    cr_expect_eq(crew.allowed, 4);
    cr_expect(!crew_is_curbed(&crew));
    hand_out();
    cr_expect_null(crew.hands[3].work, "it still waits");
    crew_wake(&crew);
    cr_expect_eq(workers[4].mail[MAIL_WAKE], 0, "who was turned away has its own time");
    crew_note_ready(&crew, &(struct worker_notice){.worker = 4});
    hand_out();
    cr_expect_not_null(crew.hands[3].work);
}

/* The one that was turned away leaves its place to another. */
Test(crew, a_place_that_was_refused_is_free_for_others)
{
    crew_allow(&crew, 1);
    hand_out();
    cr_expect_eq(crew.count, 1);
    ended(1, true, &turned_away);
    give_back(1);
    hand_out();
    cr_expect_eq(crew.count, 2);
    ended(2, true, &absent);
    give_back(2);
    hand_out();
    cr_expect_eq(crew.count, 2, "who cannot reach it keeps its place");
    cr_expect(!crew_has_work(&crew) && !crew_asks(&crew));
    crew_wake(&crew);
    cr_expect_eq(workers[1].mail[MAIL_WAKE], 0);
    cr_expect_eq(workers[2].mail[MAIL_WAKE], 1);
}

Test(crew, finds_out_how_many_are_worth_it)
{
    tear_down();
    set_up_with(WORKERS + 2, true);
    cr_expect_eq(crew.allowed, 1);
    hand_out();
    cr_expect_eq(crew.count, 1);
    opened(1);
    for (uint64_t i = 0; i < 20 && crew.allowed == 1; i++)
        crew_measure(&crew, 100 * i, 1000 * i, now_us += 1000000);
    cr_expect_eq(crew.allowed, 2, "twice as many are tried");
    cr_expect_str_eq(logged, "another number of threads, by what was stored lately");
    hand_out();
    cr_expect_eq(count_working(), 2);
    crew_turned_away(&crew, false, now_us / 1000);
    cr_expect_eq(crew.allowed, 2, "nothing is sent any more");
    crew_turned_away(&crew, true, now_us / 1000);
    cr_expect_eq(crew.allowed, 1);
    cr_expect(!crew_is_curbed(&crew), "it is its own choice");
    cr_expect_eq(crew.growth.next_ms, 0);
}

/* ---- idle, and the end ---- */

Test(crew, idle_associations_are_released)
{
    hand_out();
    opened(1);
    opened(2);
    finish(1, false);
    now_us += 50 * 1000;
    crew_release_idle(&crew, true, now_us);
    cr_expect_eq(workers[1].mail[MAIL_RELEASE], 0, "there may be work in a moment");
    now_us += 50 * 1000;
    crew_release_idle(&crew, true, now_us);
    cr_expect_eq(workers[1].mail[MAIL_RELEASE], 1);
    crew_release_idle(&crew, true, now_us);
    cr_expect_eq(workers[1].mail[MAIL_RELEASE], 1, "once");
    cr_expect_eq(workers[2].mail[MAIL_RELEASE], 0, "it has work");
    finish(2, false);
    crew_release_idle(&crew, false, now_us);
    cr_expect_eq(workers[2].mail[MAIL_RELEASE], 1, "at once, if nothing comes");
    hand_out();
    cr_assert_not_null(crew.hands[0].work, "work came before it had ended");
    finish(1, false);
    crew_release_idle(&crew, false, now_us);
    cr_expect_eq(workers[1].mail[MAIL_RELEASE], 2, "it has no work again");
    ended(1, false, &released);
    opened(1);
    crew_release_idle(&crew, false, now_us);
    cr_expect_eq(workers[1].mail[MAIL_RELEASE], 3, "it was another association");
}

Test(crew, stops_once_and_at_once)
{
    hand_out();
    crew_stop(&crew, false);
    crew_stop(&crew, false);
    crew_stop(&crew, true);
    for (int worker = 1; worker <= WORKERS; worker++) {
        cr_expect_eq(workers[worker].mail[MAIL_STOP], 1);
        cr_expect_eq(workers[worker].mail[MAIL_STOP_NOW], 1);
        finish(worker, false);
    }
    hand_out();
    cr_expect_eq(count_working(), 0, "nobody takes work any more");
    for (int worker = 1; worker <= WORKERS; worker++) {
        cr_expect_eq(crew.left, (unsigned)(WORKERS + 1 - worker));
        crew_note_stopped(&crew, &(struct worker_notice){.worker = worker});
        cr_expect(workers[worker].joined);
    }
    cr_expect_eq(crew.left, 0);
    crew_stop(&crew, true);
    crew_teach(&crew, 5, NULL);
}

/* ---- what they are told ---- */

Test(crew, lessons_reach_those_that_start_later)
{
    crew_allow(&crew, 1);
    hand_out();
    lessons = (struct lessons){.store_max = 40, .unsupported_count = 1, .unsupported = {&known}};
    crew_teach(&crew, 40, NULL);
    cr_expect_eq(workers[1].store_max, 40);
    cr_expect_eq(workers[1].lessons, 0);
    crew_teach(&crew, 0, &known);
    cr_expect_eq(workers[1].lessons, 1);
    crew_allow(&crew, WORKERS);
    hand_out();
    cr_expect_eq(crew.count, WORKERS);
    cr_expect_eq(workers[4].store_max, 40);
    cr_expect_eq(workers[4].lessons, 1);
}

/* ---- how they are ---- */

Test(crew, says_which_try_is_coming)
{
    unsigned tries = 0;
    uint64_t next_us = 0;
    cr_expect(!crew_is_connecting(&crew, now_us, &tries, &next_us), "nobody has begun");
    crew_allow(&crew, 2);
    hand_out();
    cr_expect(crew_is_connecting(&crew, now_us, &tries, &next_us));
    cr_expect_eq(tries, 1);
    cr_expect_eq(next_us, 0, "it is under way");
    ended(1, true, &absent);
    ended(2, true, &absent);
    for (int worker = 1; worker <= 2; worker++) {
        give_back(worker);
        const struct dicomnet_log_field field = {.key = "delay_ms", .number = 1000 * worker};
        const struct event_record record = {
            .log = {.event = EVENT_ASSOCIATION_RETRY, .field_count = 1, .fields = &field}, .worker = worker};
        crew_note_retry(&crew, &record, now_us);
    }
    cr_expect(crew_is_connecting(&crew, now_us, &tries, &next_us));
    cr_expect_eq(tries, 2);
    cr_expect_eq(next_us, 1000000, "the first of them");
    opened(2);
    cr_expect(!crew_is_connecting(&crew, now_us, &tries, &next_us));
    cr_expect_eq(crew_count_open(&crew), 1);
}
