/*
 * One worker and its main thread, against a peer that follows a script: associations that are lost, contexts that are
 * refused, statuses, stops. Every instance comes home exactly once, with the outcome it deserves.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatcher.h"
#include "fixture.h"
#include "made_files.h"
#include "scripts.h"

#define MR_CLASS "1.2.840.10008.5.1.4.1.1.4"

enum { FILES_MAX = 200, FILE_BYTES = 20000 };

struct run {
    struct made_files files;
    unsigned seen[FILES_MAX];
    struct outcome outcomes[FILES_MAX];
    struct instance_delivery deliveries[FILES_MAX];
    char uids[FILES_MAX][DICOMNET_UID_SIZE];
    void (*on_instance)(struct dispatcher *dispatcher, struct run *run); /* after each that came home */
    void (*prepare)(struct run *run);                                    /* before anything is sent */
    unsigned arrived; /* the peer's count, for the script's own use */
    unsigned retry;
    bool rests; /* the worker is told to rest after each work */
};

static struct dispatcher dispatcher;
static struct run run;

static void on_instance(struct dispatcher *from, const struct instance *instance)
{
    unsigned number = (unsigned)atoi(strrchr(instance->file.path, '/') + 1);
    cr_assert_lt(number, FILES_MAX);
    run.seen[number]++;
    run.outcomes[number] = instance->outcome;
    run.deliveries[number] = instance->delivery;
    if (run.on_instance != NULL)
        run.on_instance(from, &run);
}

/* Send `studies` x `each` files with one worker to a peer that plays that script. Returns the milliseconds. */
static uint64_t send_to(void (*script)(struct script_peer *peer), unsigned studies, unsigned each)
{
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, script, &run);
    cr_assert_eq(made_files_create(&run.files, studies, each, FILE_BYTES), 0);
    dispatcher_init(&dispatcher, peer->port);
    dispatcher.on_instance = on_instance;
    dispatcher.options.retry = run.retry;
    dispatcher.rests = run.rests;
    dispatcher.peer.association.timeouts = fixture_options(0).parameters.timeouts;
    if (run.prepare != NULL)
        run.prepare(&run);
    for (unsigned i = 0; i < run.files.count; i++) {
        snprintf(run.uids[i], DICOMNET_UID_SIZE, "%s", run.files.instances[i]->file.instance_uid);
        cr_assert_eq(plan_add(&dispatcher.plan, run.files.instances[i]), 0);
        run.files.instances[i] = NULL;
    }
    uint64_t begun = uv_hrtime();
    dispatcher_run(&dispatcher, 1);
    uint64_t ms = (uv_hrtime() - begun) / 1000000;
    cr_expect_eq(dispatcher.instances, run.files.count);
    for (unsigned i = 0; i < run.files.count; i++)
        cr_expect_eq(run.seen[i], 1, "instance %u came home %u times", i, run.seen[i]);
    made_files_remove(&run.files);
    fixture_end_peer(peer, "worker");
    fixture_run(&fixture);
    fixture_end(&fixture);
    return ms;
}

static unsigned attempts_in_all(void)
{
    unsigned attempts = 0;
    for (unsigned i = 0; i < run.files.count; i++)
        attempts += run.outcomes[i].attempts;
    return attempts;
}

/* ---- good order ---- */

Test(worker, one_association_for_all_studies, .timeout = FIXTURE_TIMEOUT_S)
{
    send_to(script_serve, 4, 5);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 20);
    cr_expect_eq(dispatcher.came[MAIL_WORK_DONE], 4);
    cr_expect_eq(dispatcher.came[MAIL_OPENED], 1);
    cr_expect_eq(dispatcher.came[MAIL_ENDED], 1);
    cr_expect_eq(dispatcher.last_end.figures.stored, 20);
    cr_expect_eq(dispatcher.last_end.figures.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* ---- associations that end in the middle ---- */

/* The first association answers three, reads a fourth and goes. */
static void close_after_three(struct script_peer *peer)
{
    if (peer->connection > 1) {
        script_serve(peer);
        return;
    }
    peer_accept(peer);
    for (int i = 0; i < 3; i++)
        if (peer_read_message(peer))
            peer_answer(peer, 0);
    peer_read_message(peer);
}

static void abort_after_three(struct script_peer *peer)
{
    close_after_three(peer);
    if (peer->connection == 1)
        peer_send_abort(peer, 0, 0);
}

static void reset_after_three(struct script_peer *peer)
{
    close_after_three(peer);
    if (peer->connection == 1)
        peer_reset(peer);
}

static void silent_after_three(struct script_peer *peer)
{
    close_after_three(peer);
    if (peer->connection == 1)
        peer_expect_end(peer);
}

static void wrong_answer_after_three(struct script_peer *peer)
{
    close_after_three(peer);
    if (peer->connection > 1)
        return;
    struct peer_command response = peer_response(peer, 0);
    response.instance_uid = "1.2.3";
    peer_send_command(peer, &response);
    peer_expect(peer, PEER_ABORT);
}

Test(worker, association_lost_half_way, .timeout = FIXTURE_TIMEOUT_S)
{
    static void (*const scripts[])(struct script_peer *) = {close_after_three, abort_after_three, reset_after_three,
                                                            silent_after_three, wrong_answer_after_three};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        memset(&run, 0, sizeof run);
        run.retry = 2;
        send_to(scripts[i], 1, 10);
        cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 10, "script %zu", i);
        unsigned last = scripts[i] == silent_after_three ? 3 : 2; /* silence: set aside at once, alone at the end */
        cr_expect_eq(dispatcher.came[MAIL_ENDED], last, "script %zu: %u associations", i, dispatcher.came[MAIL_ENDED]);
        cr_expect_eq(attempts_in_all(), 11, "script %zu: what was acknowledged is not sent again", i);
        cr_expect_eq(run.outcomes[3].attempts, 2);
        cr_expect_eq(run.deliveries[3].association, last);
        cr_expect_eq(run.deliveries[2].association, 1);
    }
}

/* Each association takes two and asks for release. */
static void release_after_two(struct script_peer *peer)
{
    peer_accept(peer);
    for (int i = 0; i < 2; i++) {
        if (!peer_read_message(peer)) {
            if (peer->pdu_type == PEER_RELEASE_RQ)
                peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
            return;
        }
        if (i == 1)
            peer_sleep(20);
        peer_answer(peer, 0);
    }
    peer_send_release(peer);
    peer_expect_end(peer);
}

Test(worker, release_in_mid_run, .timeout = FIXTURE_TIMEOUT_S)
{
    run.retry = 3;
    send_to(release_after_two, 1, 10);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 10);
    cr_expect_geq(dispatcher.came[MAIL_ENDED], 5);
}

/* One instance kills every association it comes on: its neighbours are stored, and it fails in the end. */
static void die_of_the_fifth(struct script_peer *peer)
{
    const struct run *told = peer->user;
    peer_accept(peer);
    while (peer_read_message(peer)) {
        if (strcmp(peer->message.instance_uid, told->uids[4]) == 0) {
            peer_send_abort(peer, 2, 0);
            return;
        }
        peer_answer(peer, 0);
    }
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
}

Test(worker, poison, .timeout = FIXTURE_TIMEOUT_S)
{
    run.retry = 2;
    send_to(die_of_the_fifth, 1, 10);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 9);
    cr_expect_eq(dispatcher.by_state[OUTCOME_FAILED], 1);
    cr_expect_eq(run.outcomes[4].state, OUTCOME_FAILED);
    cr_expect_eq(run.outcomes[4].reason, REASON_POISON);
    cr_expect_eq(run.outcomes[4].attempts, 3);
    cr_expect_eq(attempts_in_all(), 12);
}

/* ---- contexts ---- */

static void every_other_is_mr(struct run *to)
{
    for (unsigned i = 0; i < to->files.count; i += 2)
        to->files.instances[i]->file.class_uid = MR_CLASS;
}

/* The contexts that the A-ASSOCIATE-RQ proposes for MR; bit i = the i-th proposed. */
static uint64_t mr_contexts(const struct script_peer *peer)
{
    uint64_t found = 0;
    for (size_t i = 0; i < peer->context_count; i++)
        if (strcmp(peer->contexts[i].class_uid, MR_CLASS) == 0)
            found |= UINT64_C(1) << i;
    return found;
}

static void refuse_mr(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = mr_contexts(peer), .result = 3});
    peer_serve(peer);
}

static void leave_mr_out(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.left_out = mr_contexts(peer)});
    peer_serve(peer);
}

static void refuse_all(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = UINT64_MAX, .result = 4});
    peer_serve(peer);
}

Test(worker, context_refused, .timeout = FIXTURE_TIMEOUT_S)
{
    static void (*const scripts[])(struct script_peer *) = {refuse_mr, leave_mr_out, refuse_all};
    for (size_t i = 0; i < 3; i++) {
        memset(&run, 0, sizeof run);
        run.prepare = every_other_is_mr;
        send_to(scripts[i], 2, 5);
        unsigned stored = i < 2 ? 5 : 0;
        cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], stored, "script %zu", i);
        cr_expect_eq(dispatcher.by_state[OUTCOME_FAILED], 10 - stored, "script %zu", i);
        cr_expect_eq(run.outcomes[0].reason, REASON_UNSUPPORTED);
        cr_expect_eq(run.outcomes[0].attempts, 0);
        cr_expect_eq(dispatcher.came[MAIL_ENDED], 1, "script %zu: %u associations", i, dispatcher.came[MAIL_ENDED]);
    }
}

static char made_classes[FILES_MAX][DICOMNET_UID_SIZE];

static void a_class_each(struct run *to)
{
    for (unsigned i = 0; i < to->files.count; i++) {
        snprintf(made_classes[i], DICOMNET_UID_SIZE, "1.2.3.4.5.%u", i + 1);
        to->files.instances[i]->file.class_uid = made_classes[i];
    }
}

/* More contexts than an association takes: the next is opened with those that were missing. */
Test(worker, more_contexts_than_fit, .timeout = FIXTURE_TIMEOUT_S)
{
    run.prepare = a_class_each;
    send_to(script_serve, 1, 150);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 150);
    cr_expect_eq(dispatcher.came[MAIL_WORK_DONE], 2);
    cr_expect_eq(dispatcher.came[MAIL_ENDED], 2);
}

/* ---- statuses ---- */

/* Answers the second instance it ever sees with the status that run.arrived names, all others with success. */
static uint16_t second_status;
static bool only_once;

static void answer_second(struct script_peer *peer)
{
    struct run *told = peer->user;
    peer_accept(peer);
    while (peer_read_message(peer)) {
        bool second = strcmp(peer->message.instance_uid, told->uids[1]) == 0;
        bool wrong = second && !(only_once && told->arrived > 0);
        told->arrived += second;
        peer_answer(peer, wrong ? second_status : 0);
    }
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
}

Test(worker, statuses, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        uint16_t status;
        bool once;
        enum outcome_state state;
        unsigned attempts, associations, busy;
    } rows[] = {{0xB000, false, OUTCOME_WARNED, 1, 1, 0}, {0xC001, false, OUTCOME_FAILED, 1, 1, 0},
                {0xA900, false, OUTCOME_FAILED, 1, 1, 0}, {0xA700, true, OUTCOME_STORED, 2, 1, 1},
                {0xA700, false, OUTCOME_FAILED, 2, 1, 2}, {0x0110, true, OUTCOME_STORED, 2, 2, 0},
                {0x0211, false, OUTCOME_FAILED, 2, 2, 0}, {0xFF00, false, OUTCOME_FAILED, 2, 2, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&run, 0, sizeof run);
        run.retry = 1;
        second_status = rows[i].status;
        only_once = rows[i].once;
        send_to(answer_second, 1, 6);
        const struct outcome *outcome = &run.outcomes[1];
        cr_expect_eq(outcome->state, rows[i].state, "%04X: %s", rows[i].status, outcome_state_name(outcome->state));
        cr_expect_eq(outcome->attempts, rows[i].attempts, "%04X: %u attempts", rows[i].status, outcome->attempts);
        cr_expect_eq(dispatcher.came[MAIL_ENDED], rows[i].associations, "%04X: %u associations", rows[i].status,
                     dispatcher.came[MAIL_ENDED]);
        cr_expect_eq(dispatcher.came[MAIL_BUSY], rows[i].busy, "%04X: busy %u times", rows[i].status,
                     dispatcher.came[MAIL_BUSY]);
        cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 5u + (rows[i].state == OUTCOME_STORED), "%04X",
                     rows[i].status);
        cr_expect_eq(attempts_in_all(), 5 + rows[i].attempts);
        if (outcome->state != OUTCOME_STORED)
            cr_expect_eq(outcome->status, rows[i].status);
    }
}

static void class_not_supported(struct script_peer *peer)
{
    peer_accept(peer);
    while (peer_read_message(peer))
        peer_answer(peer, strcmp(peer->message.class_uid, MR_CLASS) == 0 ? 0x0122 : 0);
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
}

/* The first of a class is refused: its siblings are not sent. */
Test(worker, class_not_supported, .timeout = FIXTURE_TIMEOUT_S)
{
    run.prepare = every_other_is_mr;
    send_to(class_not_supported, 2, 5);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 5);
    cr_expect_eq(dispatcher.by_state[OUTCOME_FAILED], 5);
    cr_expect_eq(attempts_in_all(), 6);
    for (unsigned i = 0; i < 10; i += 2)
        cr_expect_eq(run.outcomes[i].status, 0x0122);
}

static void not_authorised(struct script_peer *peer)
{
    peer_accept(peer);
    while (peer_read_message(peer))
        peer_answer(peer, 0x0124);
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
}

Test(worker, not_authorised, .timeout = FIXTURE_TIMEOUT_S)
{
    send_to(not_authorised, 1, 20);
    cr_expect_eq(dispatcher.came[MAIL_REFUSED], 1);
    cr_expect_eq(dispatcher.by_state[OUTCOME_FAILED], 3);
    cr_expect_eq(dispatcher.by_state[OUTCOME_PENDING], 17);
    cr_expect_eq(attempts_in_all(), 3);
}

/* ---- files that change ---- */

static void break_some_files(struct run *to)
{
    cr_assert_eq(unlink(to->files.instances[2]->file.path), 0);
    cr_assert_eq(truncate(to->files.instances[5]->file.path, 9000), 0);
}

Test(worker, files_that_change, .timeout = FIXTURE_TIMEOUT_S)
{
    run.prepare = break_some_files;
    send_to(script_serve, 1, 10);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 8);
    cr_expect_eq(run.outcomes[2].reason, REASON_VANISHED);
    cr_expect_eq(run.outcomes[2].error, -ENOENT);
    cr_expect_eq(run.outcomes[5].reason, REASON_CHANGED);
    cr_expect_eq(dispatcher.came[MAIL_ENDED], 1, "they were seen before a byte of them was sent");
}

/* ---- peers that do not want us ---- */

static unsigned ends_to_stop_at;

static void stop_after_ends(struct dispatcher *from, const struct worker_notice *notice)
{
    cr_expect(notice->backs_off);
    cr_expect_eq(notice->failures, from->came[MAIL_ENDED]);
    if (from->came[MAIL_ENDED] == ends_to_stop_at)
        dispatcher_stop(from, false);
}

static void open_and_abort(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_abort(peer, 0, 0);
}

/* The instances are nobody's fault: they come back, and are pending when it is given up. */
Test(worker, rejected, .timeout = FIXTURE_TIMEOUT_S)
{
    static void (*const scripts[])(struct script_peer *) = {script_reject_for_now, open_and_abort};
    for (size_t i = 0; i < 2; i++) {
        memset(&run, 0, sizeof run);
        struct fixture fixture;
        struct script_peer *peer = fixture_begin_with_peer(&fixture, scripts[i], NULL);
        cr_assert_eq(made_files_create(&run.files, 1, 5, FILE_BYTES), 0);
        dispatcher_init(&dispatcher, peer->port);
        dispatcher.on_instance = on_instance;
        dispatcher.on_ended = stop_after_ends;
        ends_to_stop_at = 2;
        for (unsigned k = 0; k < 5; k++) {
            cr_assert_eq(plan_add(&dispatcher.plan, run.files.instances[k]), 0);
            run.files.instances[k] = NULL;
        }
        uint64_t begun = uv_hrtime();
        dispatcher_run(&dispatcher, 1);
        uint64_t ms = (uv_hrtime() - begun) / 1000000;
        cr_expect_eq(dispatcher.came[MAIL_ENDED], 2);
        cr_expect_eq(dispatcher.came[MAIL_OPENED], 0);
        cr_expect_eq(dispatcher.came[MAIL_READY], 1);
        cr_expect_eq(dispatcher.came[MAIL_INSTANCE_BACK], 10);
        cr_expect_eq(dispatcher.by_state[OUTCOME_PENDING], 5);
        cr_expect_eq(attempts_in_all(), 0);
        cr_expect_geq(ms, 850, "it did not back off");
        cr_expect_leq(ms, 4000);
        made_files_remove(&run.files);
        fixture_end_peer(peer, "rejected");
        fixture_run(&fixture);
        fixture_end(&fixture);
    }
}

/* ---- stopping ---- */

static void stop_after_four(struct dispatcher *from, struct run *told)
{
    if (from->instances == 4)
        dispatcher_stop(from, false);
}

static void serve_slowly(struct script_peer *peer)
{
    peer_accept(peer);
    while (peer_read_message(peer)) {
        peer_sleep(30);
        peer_answer(peer, 0);
    }
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    else
        peer_fail(peer, "it was not released: PDU type %u", peer->pdu_type);
}

Test(worker, stop_finishes_what_is_in_flight, .timeout = FIXTURE_TIMEOUT_S)
{
    run.on_instance = stop_after_four;
    send_to(serve_slowly, 1, 20);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 5);
    cr_expect_eq(dispatcher.by_state[OUTCOME_PENDING], 15);
    cr_expect_eq(dispatcher.by_state[OUTCOME_IN_DOUBT], 0);
    cr_expect_eq(dispatcher.last_end.figures.end.kind, DICOMNET_ASSOCIATION_RELEASED);
    cr_expect_eq(attempts_in_all(), 5);
}

/* Told to rest, it releases its association, and opens another when there is work again. */
Test(worker, rests, .timeout = FIXTURE_TIMEOUT_S)
{
    run.rests = true;
    send_to(serve_slowly, 3, 2);
    cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 6);
    cr_expect_eq(dispatcher.came[MAIL_OPENED], 3);
    cr_expect_eq(dispatcher.came[MAIL_ENDED], 3);
    cr_expect_eq(dispatcher.last_end.figures.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void stop_now_after_four(struct dispatcher *from, struct run *told)
{
    if (from->instances == 4)
        dispatcher_stop(from, true);
}

static void stop_twice_after_four(struct dispatcher *from, struct run *told)
{
    if (from->instances != 4)
        return;
    dispatcher_stop(from, false);
    dispatcher_stop(from, true);
}

/* Answers four, and is silent then: only stopping at once ends that before the response timeout. */
static void silent_after_four(struct script_peer *peer)
{
    peer_accept(peer);
    for (int i = 0; i < 4; i++)
        if (peer_read_message(peer))
            peer_answer(peer, 0);
    peer_read_message(peer);
    peer_expect_end(peer);
}

Test(worker, stop_now_aborts, .timeout = FIXTURE_TIMEOUT_S)
{
    static void (*const stops[])(struct dispatcher *, struct run *) = {stop_now_after_four, stop_twice_after_four};
    for (size_t i = 0; i < 2; i++) {
        memset(&run, 0, sizeof run);
        run.retry = 5;
        run.on_instance = stops[i];
        uint64_t ms = send_to(silent_after_four, 1, 20);
        cr_expect_eq(dispatcher.by_state[OUTCOME_STORED], 4);
        cr_expect_eq(dispatcher.by_state[OUTCOME_PENDING] + dispatcher.by_state[OUTCOME_IN_DOUBT], 16);
        cr_expect_leq(dispatcher.by_state[OUTCOME_IN_DOUBT], 1);
        cr_expect_eq(dispatcher.came[MAIL_ENDED], 1);
        cr_expect_leq(ms, 3000, "%u ms", (unsigned)ms);
    }
}

static uv_timer_t stop_timer;

static void on_stop_timer(uv_timer_t *timer)
{
    dispatcher_stop(timer->data, false);
    uv_close((uv_handle_t *)timer, NULL);
}

static void stop_soon(struct run *to)
{
    cr_assert_eq(uv_timer_init(&dispatcher.loop, &stop_timer), 0);
    stop_timer.data = &dispatcher;
    cr_assert_eq(uv_timer_start(&stop_timer, on_stop_timer, 50, 0), 0);
}

/* It is told to stop while the answer to its A-ASSOCIATE-RQ is awaited; the answer comes all the same. */
static void accept_late(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_sleep(300);
    peer_send_accept(peer, &(struct peer_accept){0});
    peer_expect(peer, PEER_ABORT);
}

Test(worker, stop_while_it_opens, .timeout = FIXTURE_TIMEOUT_S)
{
    run.prepare = stop_soon;
    send_to(accept_late, 1, 3);
    cr_expect_eq(dispatcher.by_state[OUTCOME_PENDING], 3);
    cr_expect_eq(dispatcher.came[MAIL_OPENED], 0);
    cr_expect_eq(dispatcher.came[MAIL_ENDED], 1);
    cr_expect_eq(dispatcher.came[MAIL_WORK_DONE], 1);
    cr_expect_not(dispatcher.last_end.backs_off);
    cr_expect_eq(dispatcher.last_end.figures.end.error, DICOMNET_ERROR_ABORTED_LOCALLY);
    cr_expect_eq(attempts_in_all(), 0);
}
