/* The user side of C-STORE, and of C-ECHO, against a peer that follows a script. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/storage.h"
#include "dicomnet/verification.h"
#include "fixture.h"
#include "scripts.h"

enum { STORES_MAX = 64 };

struct record {
    uv_loop_t *loop; /* set by store_all */
    struct dicomnet_storage_user *user;
    struct dicomnet_store stores[STORES_MAX];
    struct numbers_source sources[STORES_MAX];
    char uids[STORES_MAX][DICOMNET_UID_SIZE];
    unsigned wanted, begun, done, opened, closed;
    unsigned order[STORES_MAX]; /* of the ends */
    unsigned most_in_flight;
    bool stay;    /* do not release after the last */
    uint64_t len; /* of each data set */
    void (*on_done)(struct record *record);
    void (*ready)(struct dicomnet_storage_user *user, void *context); /* instead of storing all, as fast as may be */
    struct dicomnet_association_end end;
    struct peer_command wrong; /* for wrong_response */
};

static void on_opened(struct dicomnet_storage_user *user, void *context)
{
    ((struct record *)context)->opened++;
    cr_expect_not_null(dicomnet_storage_user_find_context(user, FIXTURE_CLASS, FIXTURE_SYNTAX));
    cr_expect_null(dicomnet_storage_user_find_context(user, FIXTURE_CLASS, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN));
    cr_expect_null(dicomnet_storage_user_find_context(user, DICOMNET_UID_VERIFICATION, FIXTURE_SYNTAX));
}

static struct dicomnet_store store_of(struct record *record, unsigned i)
{
    snprintf(record->uids[i], DICOMNET_UID_SIZE, "1.2.3.%u", i + 1);
    return (struct dicomnet_store){.context_id = 1,
                                   .priority = DICOMNET_PRIORITY_HIGH,
                                   .class_uid = FIXTURE_CLASS,
                                   .instance_uid = record->uids[i],
                                   .source = numbers_source_init(&record->sources[i], record->len)};
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    cr_assert_eq(record->closed, 0);
    if (record->ready != NULL) {
        record->ready(user, context);
        return;
    }
    while (record->begun < record->wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = record->begun++;
        struct dicomnet_store *store = &record->stores[i];
        *store = store_of(record, i);
        cr_assert_eq(dicomnet_storage_user_store(user, store), 0);
        if (dicomnet_storage_user_in_flight(user) > record->most_in_flight)
            record->most_in_flight = dicomnet_storage_user_in_flight(user);
    }
    if (record->begun == record->wanted && !record->stay)
        dicomnet_storage_user_release(user);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct record *record = context;
    cr_assert_eq(record->closed, 0, "closed is the last");
    cr_assert_lt(record->done, STORES_MAX);
    record->order[record->done++] = (unsigned)(store - record->stores);
    if (record->on_done != NULL)
        record->on_done(record);
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct record *record = context;
    record->closed++;
    record->end = *end;
    cr_expect_eq(dicomnet_storage_user_in_flight(user), 0);
}

static const struct dicomnet_storage_user_handler handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

/* Store `record->wanted` instances with a peer that plays that script; every store begun must end, once. */
static uint64_t store_all(struct record *record, void (*script)(struct script_peer *peer), uint16_t window,
                          const char *what)
{
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, script, record);
    struct dicomnet_association_options options = fixture_options(peer->port);
    record->loop = &fixture.loop;
    options.parameters.window = window;
    options.parameters.timeouts.release_ms = 5000; /* a release waits behind megabytes */
    if (record->len == 0)
        record->len = 1000;
    cr_assert_eq(dicomnet_storage_user_open(&record->user, &fixture.loop, &options, &handler, record), 0);
    uint64_t ms = fixture_run(&fixture);
    cr_expect_eq(record->closed, 1, "%s", what);
    cr_expect_eq(record->done, record->begun, "%s: %u begun, %u ended", what, record->begun, record->done);
    for (unsigned i = 0; i < record->done; i++)
        for (unsigned k = 0; k < i; k++)
            cr_expect_neq(record->order[i], record->order[k], "%s: a store ended twice", what);
    fixture_end_peer(peer, what);
    fixture_end(&fixture);
    return ms;
}

/* ---- in good order ---- */

static void check_and_serve(struct script_peer *peer)
{
    const struct record *record = peer->user;
    char uid[DICOMNET_UID_SIZE];
    peer_accept(peer);
    while (peer_read_message(peer)) {
        const struct peer_message *message = &peer->message;
        snprintf(uid, sizeof uid, "1.2.3.%u", peer->messages);
        if (message->field != 1 || message->message_id != peer->messages || !message->has_priority ||
            message->priority != 1 || message->context_id != 1 || message->data_set_type == 0x0101 ||
            strcmp(message->class_uid, FIXTURE_CLASS) != 0 || strcmp(message->instance_uid, uid) != 0)
            peer_fail(peer, "C-STORE-RQ %u is wrong", peer->messages);
        if (message->data_len != record->len || message->data_hash != numbers_hash(record->len))
            peer_fail(peer, "data set %u is wrong", peer->messages);
        struct peer_command response = peer_response(peer, peer->messages == 2 ? 0xA700 : 0);
        response.comment = peer->messages == 2 ? "disk full" : NULL;
        peer_send_command(peer, &response);
    }
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

Test(storage_user, stores_one_after_another, .timeout = FIXTURE_TIMEOUT_S)
{
    static const uint64_t lens[] = {2, 1000, 16372, 16374, 16378, 16380, 100000, 3000000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct record record = {.wanted = 5, .len = lens[i]};
        store_all(&record, check_and_serve, 0, "good order");
        cr_expect_eq(record.done, 5);
        cr_expect_eq(record.most_in_flight, 1);
        cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
        for (unsigned k = 0; k < 5; k++) {
            const struct dicomnet_store *store = &record.stores[k];
            cr_expect_eq(record.order[k], k);
            cr_expect(store->answered && store->all_sent && !store->uid_missing);
            cr_expect_eq(store->status, k == 1 ? 0xA700 : 0);
            cr_expect_str_eq(store->comment, k == 1 ? "disk full" : "");
            cr_expect_eq(store->message_id, k + 1);
        }
    }
}

/* The peer answers before it has read the data set: that counts once our last byte is out. */
static void answer_early(struct script_peer *peer)
{
    peer_accept(peer);
    peer_read_pdu(peer);
    peer_send_command(peer, &(struct peer_command){.context_id = 1, .field = 0x8001, .message_id = 1, .status = 0});
    peer_sleep(100);
    struct record *record = peer->user;
    if (__atomic_load_n(&record->done, __ATOMIC_RELAXED) != 0)
        peer_fail(peer, "the store ended before its data set had left");
    while (peer_read_pdu(peer) && peer->pdu_type == PEER_DATA)
        ;
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

Test(storage_user, early_response, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 24 * 1000 * 1000};
    store_all(&record, answer_early, 0, "early response");
    cr_expect(record.stores[0].answered && record.stores[0].all_sent && record.stores[0].uid_missing);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* A refusal in the middle, and then the peer aborts: it has not read all, so nothing counts. */
static void answer_early_and_abort(struct script_peer *peer)
{
    peer_accept(peer);
    peer_read_pdu(peer);
    peer_send_command(peer, &(struct peer_command){.context_id = 1, .field = 0x8001, .message_id = 1, .status = 0});
    peer_send_abort(peer, 0, 0);
    peer_sleep(50);
}

Test(storage_user, early_response_without_the_rest, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 24 * 1000 * 1000};
    store_all(&record, answer_early_and_abort, 0, "early response, abort");
    cr_expect(!record.stores[0].answered && !record.stores[0].all_sent);
    cr_expect_eq(record.stores[0].error, DICOMNET_ERROR_ABORTED);
}

/* Two responses to a store that is still on its way out, of which nothing more is read before it has ended. */
static void answer_early_twice(struct script_peer *peer)
{
    const struct record *record = peer->user;
    const struct peer_command response = {.context_id = 1, .field = 0x8001, .message_id = 1, .status = 0};
    peer_accept(peer);
    peer_read_pdu(peer);
    peer_send_command(peer, &response);
    peer_send_command(peer, &response);
    for (unsigned i = 0; i < 300 && __atomic_load_n(&record->done, __ATOMIC_RELAXED) == 0; i++)
        peer_sleep(10);
    peer_expect_end(peer);
}

Test(storage_user, early_response_twice, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 24 * 1000 * 1000};
    store_all(&record, answer_early_twice, 0, "early response, twice");
    cr_expect(!record.stores[0].answered);
    cr_expect_eq(record.stores[0].error, DICOMNET_ERROR_RESPONSE_MISMATCH);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_ABORTED_BY_US);
}

/* ---- responses that match nothing ---- */

/* Reads a request, answers wrongly, and must be aborted for it. */
static void answer_wrongly(struct script_peer *peer, const struct peer_command *response)
{
    peer_send_command(peer, response);
    while (peer_read_pdu(peer) && peer->pdu_type == PEER_DATA)
        ;
    if (peer->pdu_type != PEER_ABORT)
        peer_fail(peer, "PDU type %u, not an abort", peer->pdu_type);
    peer_expect_end(peer);
}

static struct peer_command read_first(struct script_peer *peer)
{
    peer_accept(peer);
    peer_read_message(peer);
    return peer_response(peer, 0);
}

/* The response, but for the members of record->wrong that are not 0. */
static void wrong_response(struct script_peer *peer)
{
    const struct record *record = peer->user;
    (void)read_first(peer);
    struct peer_command response = peer_response_with(peer, &record->wrong);
    answer_wrongly(peer, &response);
}

static void second_response(struct script_peer *peer)
{
    struct peer_command response = read_first(peer);
    peer_send_command(peer, &response);
    answer_wrongly(peer, &response);
}

static void garbage(struct script_peer *peer)
{
    (void)read_first(peer);
    peer_send(peer, "\x16\x03\x01\x00\x05hello", 10);
    peer_expect_end(peer);
}

static void closes(struct script_peer *peer)
{
    (void)read_first(peer);
}

static void resets(struct script_peer *peer)
{
    (void)read_first(peer);
    peer_reset(peer);
}

static void aborts(struct script_peer *peer)
{
    (void)read_first(peer);
    peer_send_abort(peer, 0, 0);
    peer_expect_end(peer);
}

static void releases(struct script_peer *peer)
{
    (void)read_first(peer);
    peer_release(peer);
}

static void is_silent(struct script_peer *peer)
{
    (void)read_first(peer);
    peer_expect_end(peer);
}

static void half_a_response(struct script_peer *peer)
{
    (void)read_first(peer);
    static const uint8_t half[] = {PEER_DATA, 0, 0, 0, 0, 80, 0, 0, 0, 76, 1, 3, 0, 0, 0, 0};
    peer_send(peer, half, sizeof half);
    peer_expect_end(peer);
}

/* The first store of two ends without an answer; the second never begins. `first_answered`: but for the second
 * response. */
static const struct wrong_peer {
    const char *what;
    void (*script)(struct script_peer *peer);
    bool first_answered;
    int error;
    struct peer_command wrong;
} wrong_peers[] = {
    {"wrong Message ID", wrong_response, false, DICOMNET_ERROR_RESPONSE_MISMATCH, {.message_id = 2}},
    {"wrong instance UID", wrong_response, false, DICOMNET_ERROR_RESPONSE_MISMATCH, {.instance_uid = "1.2.3.11"}},
    {"context never proposed", wrong_response, false, DICOMNET_ERROR_NO_CONTEXT, {.context_id = 3}},
    {"wrong command field", wrong_response, false, DICOMNET_ERROR_RESPONSE_MISMATCH, {.field = 0x8030}},
    {"a request", wrong_response, false, DICOMNET_ERROR_RESPONSE_MISMATCH, {.field = 0x0030}},
    {"second response", second_response, true, DICOMNET_ERROR_RESPONSE_MISMATCH, {0}},
    {"garbage", garbage, false, DICOMNET_ERROR_PDU_UNKNOWN, {0}},
    {"FIN", closes, false, DICOMNET_ERROR_PEER_CLOSED, {0}},
    {"RST", resets, false, UV_ECONNRESET, {0}},
    {"abort", aborts, false, DICOMNET_ERROR_ABORTED, {0}},
    {"release", releases, false, DICOMNET_ERROR_RELEASED, {0}},
    {"silence", is_silent, false, DICOMNET_ERROR_TIMEOUT_DIMSE, {0}},
    {"half a response", half_a_response, false, DICOMNET_ERROR_TIMEOUT_DIMSE, {0}},
};

Test(storage_user, wrong_peers, .timeout = FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof wrong_peers / sizeof wrong_peers[0]; i++) {
        const struct wrong_peer *row = &wrong_peers[i];
        struct record record = {
            .wanted = row->first_answered ? 1 : 2, .stay = row->first_answered, .wrong = row->wrong};
        uint64_t ms = store_all(&record, row->script, 0, row->what);
        const struct dicomnet_store *store = &record.stores[0];
        cr_expect_eq(record.begun, 1, "%s", row->what);
        cr_expect_eq(store->answered, row->first_answered, "%s", row->what);
        cr_expect(store->all_sent, "%s: that is in doubt", row->what);
        if (!row->first_answered)
            cr_expect_eq(store->error, row->error, "%s: %s", row->what, dicomnet_error_text(store->error));
        else
            cr_expect_eq(record.end.error, row->error, "%s", row->what);
        cr_expect_leq(ms, 3000, "%s: %u ms", row->what, (unsigned)ms);
    }
}

static void missing_uid(struct script_peer *peer)
{
    struct peer_command response = read_first(peer);
    response.instance_uid = response.class_uid = NULL;
    peer_send_command(peer, &response);
    peer_serve(peer);
}

Test(storage_user, missing_uid_is_accepted, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 2};
    store_all(&record, missing_uid, 0, "missing UID");
    cr_expect(record.stores[0].answered && record.stores[0].uid_missing);
    cr_expect(record.stores[1].answered && !record.stores[1].uid_missing);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void missing_status(struct script_peer *peer)
{
    struct peer_command response = read_first(peer);
    response.no_status = true;
    peer_send_command(peer, &response);
    peer_serve(peer);
}

/* An answer, but never success: the next store is another matter. */
Test(storage_user, missing_status_is_no_success, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 2};
    store_all(&record, missing_status, 0, "missing status");
    cr_expect(record.stores[0].answered && record.stores[0].status_missing);
    cr_expect_eq(record.stores[0].status, DICOMNET_STATUS_PROCESSING_FAILURE);
    cr_expect(record.stores[1].answered && !record.stores[1].status_missing);
    cr_expect_eq(record.stores[1].status, DICOMNET_STATUS_SUCCESS);
}

/* Of two contexts of one class it takes the other to answer on. */
static void the_class_has_another_context(struct script_peer *peer)
{
    struct peer_command response = read_first(peer);
    response.context_id = 3;
    peer_send_command(peer, &response);
    peer_serve(peer);
}

static void the_class_and_no_instance(struct script_peer *peer)
{
    struct peer_command response = read_first(peer);
    response.context_id = 3;
    response.instance_uid = response.class_uid = NULL; /* as odil does */
    peer_send_command(peer, &response);
    peer_serve(peer);
}

static void the_class_with_two_under_way(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 2});
    peer_read_message(peer);
    struct peer_command response = peer_response(peer, 0);
    peer_read_message(peer);
    response.context_id = 3;
    answer_wrongly(peer, &response);
}

/* Store with two contexts accepted: `other` is the class of the second. */
static void store_with_two_contexts(struct record *record, void (*script)(struct script_peer *peer), const char *other,
                                    uint16_t window)
{
    const struct dicomnet_association_proposal proposals[] = {
        {.abstract_syntax = FIXTURE_CLASS, .syntax_count = 1, .syntaxes = {FIXTURE_SYNTAX}},
        {.abstract_syntax = other, .syntax_count = 1, .syntaxes = {"1.2.840.10008.1.2.4.70"}}};
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, script, record);
    struct dicomnet_association_options options = fixture_options(peer->port);
    options.proposals = proposals;
    options.proposal_count = 2;
    options.parameters.window = window;
    cr_assert_eq(dicomnet_storage_user_open(&record->user, &fixture.loop, &options, &handler, record), 0);
    fixture_run(&fixture);
    cr_expect_eq(record->closed, 1);
    fixture_end_peer(peer, "another context");
    fixture_end(&fixture);
}

/* The context was proposed and accepted, but the request went out on another. */
Test(storage_user, response_on_another_accepted_context, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 1000, .wrong = {.context_id = 3}};
    store_with_two_contexts(&record, wrong_response, DICOMNET_UID_VERIFICATION, 0);
    cr_expect(!record.stores[0].answered);
    cr_expect_eq(record.stores[0].error, DICOMNET_ERROR_RESPONSE_MISMATCH);
}

Test(storage_user, response_on_another_context_of_the_class, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record taken = {.wanted = 3, .len = 1000};
    store_with_two_contexts(&taken, the_class_has_another_context, FIXTURE_CLASS, 0);
    cr_expect(taken.stores[0].answered && taken.stores[0].context_other);
    cr_expect(taken.stores[1].answered && !taken.stores[1].context_other);
    cr_expect_eq(taken.end.kind, DICOMNET_ASSOCIATION_RELEASED);

    struct record unnamed = {.wanted = 1, .len = 1000};
    store_with_two_contexts(&unnamed, the_class_and_no_instance, FIXTURE_CLASS, 0);
    cr_expect(unnamed.stores[0].answered && unnamed.stores[0].context_other && unnamed.stores[0].uid_missing);

    struct record two = {.wanted = 2, .len = 1000};
    store_with_two_contexts(&two, the_class_with_two_under_way, FIXTURE_CLASS, 2);
    cr_expect(!two.stores[0].answered && !two.stores[1].answered);
    cr_expect_eq(two.stores[0].error, DICOMNET_ERROR_RESPONSE_MISMATCH);
}

/* ---- partly sent ---- */

static void never_reads(struct script_peer *peer)
{
    peer_accept(peer);
    peer_sleep(1500);
}

static void reads_some_and_closes(struct script_peer *peer)
{
    peer_accept(peer);
    peer_read_pdu(peer);
    peer_sleep(50);
}

Test(storage_user, partly_sent_is_not_in_doubt, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record stuck = {.wanted = 1, .len = 64 * 1000 * 1000};
    store_all(&stuck, never_reads, 0, "never reads");
    cr_expect(!stuck.stores[0].answered && !stuck.stores[0].all_sent);
    cr_expect_eq(stuck.stores[0].error, DICOMNET_ERROR_TIMEOUT_NETWORK);

    struct record cut = {.wanted = 1, .len = 64 * 1000 * 1000};
    store_all(&cut, reads_some_and_closes, 0, "reads some");
    cr_expect(!cut.stores[0].answered && !cut.stores[0].all_sent);
    cr_expect_neq(cut.stores[0].error, 0);
}

/* ---- asynchronous operations ---- */

/* Grants 4: reads 4 requests, and answers them from the last to the first. */
static void answer_backwards(struct script_peer *peer)
{
    struct peer_message waiting[4];
    peer_read_request(peer);
    if (peer->window != 8)
        peer_fail(peer, "the window proposed is %u", peer->window);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < 4; i++) {
            if (!peer_read_message(peer))
                return;
            waiting[i] = peer->message;
        }
        for (unsigned i = 4; i-- > 0;) {
            peer->message = waiting[i];
            peer_answer(peer, (uint16_t)(0xB000 + waiting[i].message_id));
        }
    }
    peer_serve(peer);
}

Test(storage_user, window_with_responses_out_of_order, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 32, .len = 20000};
    store_all(&record, answer_backwards, 8, "window");
    cr_expect_eq(record.done, 32);
    cr_expect_eq(record.most_in_flight, 4);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
    for (unsigned i = 0; i < 32; i++) {
        cr_expect(record.stores[i].answered);
        cr_expect_eq(record.stores[i].status, 0xB000 + record.stores[i].message_id);
    }
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(record.order[i], 3 - i);
}

/* Two are in flight, and the data of the third cannot be read to its end: that is its own matter. */
static void read_two_of_three(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    peer_read_message(peer);
    peer_read_message(peer);
    if (peer_read_message(peer))
        peer_fail(peer, "the third came whole");
    peer_expect_end(peer);
}

static void store_three_and_fail(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    while (record->begun < record->wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = record->begun++;
        record->stores[i] = store_of(record, i);
        if (i == 2) {
            record->sources[i].ends_at = record->len / 2;
            record->sources[i].error = -EIO;
        }
        cr_assert_eq(dicomnet_storage_user_store(user, &record->stores[i]), 0);
    }
}

Test(storage_user, window_and_a_source_that_fails, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 3, .len = 2000000, .ready = store_three_and_fail};
    store_all(&record, read_two_of_three, 8, "window, a source fails");
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_ABORTED_BY_US);
    cr_expect(record.end.source_failed);
    cr_expect_eq(record.end.error, -EIO);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_not(record.stores[i].answered);
        cr_expect_eq(record.stores[i].source_failed, i == 2);
        cr_expect_eq(record.stores[i].all_sent, i < 2);
        cr_expect_eq(record.stores[i].error, i == 2 ? -EIO : DICOMNET_ERROR_ABORTED_LOCALLY);
    }
}

/* Of four in flight two are answered; the others have no answer and end before `closed`. */
static void answer_two_of_four(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    struct peer_message waiting[4];
    for (unsigned i = 0; i < 4; i++) {
        peer_read_message(peer);
        waiting[i] = peer->message;
    }
    peer->message = waiting[2];
    peer_answer(peer, 0);
    peer->message = waiting[0];
    peer_answer(peer, 0);
    peer_expect_end(peer);
}

/* While the data of the second is read, which takes longer (900 ms) than the peer may for an answer (600 ms), that to
 * the first comes. */
static ssize_t read_slowly(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                           int gap_count)
{
    struct numbers_source plain;
    uv_sleep(offset == 0 ? 900 : 0);
    return numbers_source_init(&plain, source->len)->read(&plain.source, offset, gaps, gap_count);
}

static void store_with_a_slow_second(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    while (record->begun < record->wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = record->begun++;
        record->stores[i] = store_of(record, i);
        if (i == 1)
            record->sources[i].source.read = read_slowly;
        cr_assert_eq(dicomnet_storage_user_store(user, &record->stores[i]), 0);
    }
    if (record->begun == record->wanted)
        dicomnet_storage_user_release(user);
}

static void answer_at_once(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    peer_serve(peer);
}

Test(storage_user, window_and_a_source_that_takes_long, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 3, .len = 1000, .ready = store_with_a_slow_second};
    store_all(&record, answer_at_once, 8, "window, a source takes long");
    for (unsigned i = 0; i < 3; i++)
        cr_expect(record.stores[i].answered, "%u: %s", i, dicomnet_error_text(record.stores[i].error));
    cr_expect_geq(record.stores[1].read_us, 900000);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* While the data of one is read, which takes 20 ms for each piece, the loop still turns. */
static uv_timer_t turns;
static unsigned turn_count;

static void on_turn(uv_timer_t *timer)
{
    (void)timer;
    turn_count++;
}

static ssize_t read_in_slow_pieces(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                                   int gap_count)
{
    struct numbers_source plain;
    uv_sleep(20);
    return numbers_source_init(&plain, source->len)->read(&plain.source, offset, gaps, gap_count);
}

static void end_turns(struct record *record)
{
    (void)record;
    uv_close((uv_handle_t *)&turns, NULL);
}

static void store_in_slow_pieces(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    if (record->begun == record->wanted)
        return;
    uv_timer_init(record->loop, &turns);
    uv_timer_start(&turns, on_turn, 1, 1);
    record->stores[0] = store_of(record, record->begun++);
    record->sources[0].source.read = read_in_slow_pieces;
    cr_assert_eq(dicomnet_storage_user_store(user, &record->stores[0]), 0);
    dicomnet_storage_user_release(user);
}

Test(storage_user, the_loop_turns_while_a_source_takes_long, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 8000000, .ready = store_in_slow_pieces, .on_done = end_turns};
    store_all(&record, answer_at_once, 0, "slow pieces");
    cr_expect(record.stores[0].answered);
    cr_expect_geq(turn_count, 3, "%u turns in %u ms of reading: libuv writes up to nine times in one", turn_count,
                  (unsigned)(record.stores[0].read_us / 1000));
}

/* With a window, too: between any two turns of the loop no more than about a MiB is read and written, of however many
 * messages; the answers that have come meanwhile are heard then. */
static struct {
    uv_prepare_t prepare;
    uint64_t since_turn, most;
} in_a_row;

static void on_prepare(uv_prepare_t *prepare)
{
    (void)prepare;
    in_a_row.since_turn = 0;
}

static ssize_t read_and_count(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                              int gap_count)
{
    struct numbers_source plain;
    ssize_t len = numbers_source_init(&plain, source->len)->read(&plain.source, offset, gaps, gap_count);
    in_a_row.since_turn += (uint64_t)len;
    if (in_a_row.since_turn > in_a_row.most)
        in_a_row.most = in_a_row.since_turn;
    return len;
}

static void store_and_count(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    if (record->begun == 0) {
        uv_prepare_init(record->loop, &in_a_row.prepare);
        uv_prepare_start(&in_a_row.prepare, on_prepare);
    }
    while (record->begun < record->wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = record->begun++;
        record->stores[i] = store_of(record, i);
        record->sources[i].source.read = read_and_count;
        cr_assert_eq(dicomnet_storage_user_store(user, &record->stores[i]), 0);
    }
    if (record->begun == record->wanted)
        dicomnet_storage_user_release(user);
}

static void end_count(struct record *record)
{
    if (record->done == record->wanted)
        uv_close((uv_handle_t *)&in_a_row.prepare, NULL);
}

static void answer_in_a_large_window(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 16});
    peer_serve(peer);
}

Test(storage_user, the_loop_turns_between_messages_of_a_window, .timeout = FIXTURE_TIMEOUT_S)
{
    enum { LEN = 300000, MOST = (1 << 20) + 2 * LEN };
    struct record record = {.wanted = 60, .len = LEN, .ready = store_and_count, .on_done = end_count};
    store_all(&record, answer_in_a_large_window, 16, "window, turns");
    cr_expect_eq(record.done, 60);
    cr_expect_lt(in_a_row.most, MOST, "%u bytes in a row", (unsigned)in_a_row.most);
}

Test(storage_user, window_and_silence, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 4};
    uint64_t ms = store_all(&record, answer_two_of_four, 8, "window, silence");
    cr_expect_eq(record.done, 4);
    cr_expect(record.stores[0].answered && record.stores[2].answered);
    cr_expect(!record.stores[1].answered && !record.stores[3].answered);
    cr_expect_eq(record.stores[1].error, DICOMNET_ERROR_TIMEOUT_DIMSE);
    cr_expect_eq(record.stores[3].error, DICOMNET_ERROR_TIMEOUT_DIMSE);
    cr_expect_geq(ms, 590);
    cr_expect_leq(ms, 2500);
}

/* It takes four at once and answers each after most of the timeout: it gets on all the time. */
static void answer_steadily(struct script_peer *peer)
{
    struct peer_message waiting[4];
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    for (unsigned i = 0; i < 4; i++) {
        peer_read_message(peer);
        waiting[i] = peer->message;
    }
    for (unsigned i = 0; i < 4; i++) {
        peer_sleep(220);
        peer->message = waiting[i];
        peer_answer(peer, 0);
    }
    peer_serve(peer);
}

Test(storage_user, window_and_a_peer_that_gets_on, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 4};
    store_all(&record, answer_steadily, 8, "window, steadily");
    for (unsigned i = 0; i < 4; i++)
        cr_expect(record.stores[i].answered, "store %u: %s", i, dicomnet_error_text(record.stores[i].error));
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

static void answer_same_twice(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 4});
    for (unsigned i = 0; i < 4; i++)
        peer_read_message(peer);
    struct peer_command response = peer_response(peer, 0);
    peer_send_command(peer, &response);
    answer_wrongly(peer, &response);
}

Test(storage_user, window_and_second_response, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 4};
    store_all(&record, answer_same_twice, 8, "window, twice");
    cr_expect_eq(record.done, 4);
    cr_expect(record.stores[3].answered && !record.stores[0].answered);
    cr_expect_eq(record.stores[0].error, DICOMNET_ERROR_RESPONSE_MISMATCH);
}

/* ---- from within callbacks ---- */

/* While the response to one store is awaited, the next is read and framed; nothing of it leaves before its turn. */
static void prepare_ahead(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    if (record->begun < record->wanted && dicomnet_storage_user_can_store(user)) {
        struct dicomnet_store *store = &record->stores[record->begun];
        if (store->source == NULL)
            *store = store_of(record, record->begun);
        record->begun++;
        cr_assert_eq(dicomnet_storage_user_store(user, store), 0);
    }
    if (record->begun == record->wanted) {
        dicomnet_storage_user_release(user);
    } else if (dicomnet_storage_user_can_prepare(user) && record->stores[record->begun].source == NULL) {
        struct dicomnet_store *store = &record->stores[record->begun];
        *store = store_of(record, record->begun);
        cr_expect_not(dicomnet_storage_user_can_store(user));
        cr_expect_eq(dicomnet_storage_user_in_flight(user), 1);
        cr_assert_eq(dicomnet_storage_user_prepare(user, store), 0);
        cr_expect_gt(record->sources[record->begun].reads, 0, "it is read already");
        cr_expect_eq(dicomnet_storage_user_in_flight(user), 1, "but has not begun");
    }
}

Test(storage_user, prepares_the_next_store, .timeout = FIXTURE_TIMEOUT_S)
{
    static const uint64_t lens[] = {1000, 100000, 3000000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct record record = {.wanted = 5, .len = lens[i], .ready = prepare_ahead};
        store_all(&record, check_and_serve, 0, "prepared ahead");
        cr_expect_eq(record.done, 5);
        cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
    }
}

/* What was prepared is forgotten when another store is given: that one leaves, and nothing of the first. */
static void prepare_and_forget(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    if (record->begun == record->wanted)
        return;
    struct dicomnet_store *forgotten = &record->stores[STORES_MAX - 1];
    *forgotten = store_of(record, STORES_MAX - 1);
    cr_assert_eq(dicomnet_storage_user_prepare(user, forgotten), 0);
    struct dicomnet_store *store = &record->stores[record->begun];
    *store = store_of(record, record->begun++);
    cr_assert_eq(dicomnet_storage_user_store(user, store), 0);
    dicomnet_storage_user_release(user);
}

static void serve_only_the_first(struct script_peer *peer)
{
    peer_accept(peer);
    if (!peer_read_message(peer) || strcmp(peer->message.instance_uid, "1.2.3.1") != 0)
        peer_fail(peer, "the wrong store came");
    struct peer_command response = peer_response(peer, 0);
    peer_send_command(peer, &response);
    if (peer_read_message(peer))
        peer_fail(peer, "a second store came");
    if (peer->pdu_type == PEER_RELEASE_RQ)
        peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

Test(storage_user, forgets_what_was_prepared, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .ready = prepare_and_forget};
    store_all(&record, serve_only_the_first, 0, "forgotten");
    cr_expect_eq(record.done, 1);
    cr_expect(record.stores[0].answered);
}

/* A store that could not be prepared is read again when it begins, and says again what its source says. */
static void prepare_in_vain(struct dicomnet_storage_user *user, void *context)
{
    struct record *record = context;
    if (record->begun == record->wanted)
        return;
    struct dicomnet_store *broken = &record->stores[STORES_MAX - 1], *store = &record->stores[record->begun];
    *broken = store_of(record, STORES_MAX - 1);
    record->sources[STORES_MAX - 1].ends_at = 0;
    record->sources[STORES_MAX - 1].error = -EIO;
    cr_assert_eq(dicomnet_storage_user_prepare(user, broken), -EIO);
    cr_assert_eq(dicomnet_storage_user_store(user, broken), -EIO);
    *store = store_of(record, record->begun++);
    cr_assert_eq(dicomnet_storage_user_store(user, store), 0);
    dicomnet_storage_user_release(user);
}

Test(storage_user, goes_on_after_a_source_that_cannot_be_read, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 1, .len = 1000, .ready = prepare_in_vain};
    store_all(&record, serve_only_the_first, 0, "in vain");
    cr_expect_eq(record.done, 1);
    cr_expect(record.stores[0].answered);
}

static void abort_in_done(struct record *record)
{
    dicomnet_storage_user_abort(record->user, DICOMNET_ERROR_ABORTED_LOCALLY);
}

Test(storage_user, abort_from_done, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 5, .on_done = abort_in_done};
    store_all(&record, script_serve, 0, "abort from done");
    cr_expect_eq(record.done, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_ABORTED_BY_US);
    cr_expect_eq(record.end.error, DICOMNET_ERROR_ABORTED_LOCALLY);
}

static void release_in_done(struct record *record)
{
    struct dicomnet_store another = {.context_id = 1, .class_uid = FIXTURE_CLASS, .instance_uid = "1.2"};
    dicomnet_storage_user_release(record->user);
    cr_expect(!dicomnet_storage_user_can_store(record->user));
    cr_expect_eq(dicomnet_storage_user_store(record->user, &another), DICOMNET_ERROR_NOT_OPEN);
}

Test(storage_user, release_from_done, .timeout = FIXTURE_TIMEOUT_S)
{
    struct record record = {.wanted = 5, .on_done = release_in_done};
    store_all(&record, script_serve, 0, "release from done");
    cr_expect_eq(record.done, 1);
    cr_expect_eq(record.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}

/* Message IDs go round at 65,535, pass over 0, and none is in flight twice. */
static void answer_every_other_late(struct script_peer *peer)
{
    struct peer_command late = {0};
    uint16_t last = 0;
    char uid[DICOMNET_UID_SIZE] = "";
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 2});
    while (peer_read_message(peer)) {
        uint16_t id = peer->message.message_id;
        if (late.field == 0) { /* the first stays in flight nearly to the end */
            late = peer_response(peer, 0);
            strcpy(uid, peer->message.instance_uid);
            late.instance_uid = uid;
            late.class_uid = FIXTURE_CLASS;
        } else {
            if (id == 0 || id == late.message_id || (id != last + 1 && last != UINT16_MAX))
                peer_fail(peer, "Message ID %u after %u", id, last);
            peer_answer(peer, 0);
        }
        last = id;
        if (peer->messages == 65700)
            peer_send_command(peer, &late);
    }
    peer_send_short(peer, PEER_RELEASE_RP, 0, 0, 0);
    peer_expect_end(peer);
}

struct endless {
    struct dicomnet_storage_user *user;
    struct dicomnet_store stores[2];
    struct numbers_source sources[2];
    bool busy[2];
    unsigned begun, done, closed;
};

static void endless_ready(struct dicomnet_storage_user *user, void *context)
{
    struct endless *endless = context;
    for (int i = 0; i < 2; i++) {
        if (endless->busy[i] || endless->begun == 65700 || !dicomnet_storage_user_can_store(user))
            continue;
        endless->stores[i] = (struct dicomnet_store){.context_id = 1,
                                                     .class_uid = FIXTURE_CLASS,
                                                     .instance_uid = i == 0 ? "1.2.3" : "1.2.4",
                                                     .source = numbers_source_init(&endless->sources[i], 2)};
        endless->busy[i] = true;
        endless->begun++;
        cr_assert_eq(dicomnet_storage_user_store(user, &endless->stores[i]), 0);
    }
    if (endless->begun == 65700)
        dicomnet_storage_user_release(user);
}

static void endless_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct endless *endless = context;
    cr_assert(store->answered);
    endless->busy[store - endless->stores] = false;
    endless->done++;
}

static void endless_closed(struct dicomnet_storage_user *user, void *context,
                           const struct dicomnet_association_end *end)
{
    ((struct endless *)context)->closed++;
    cr_expect_eq(end->kind, DICOMNET_ASSOCIATION_RELEASED);
}

Test(storage_user, message_ids_go_round, .timeout = 6 * FIXTURE_TIMEOUT_S)
{
    static const struct dicomnet_storage_user_handler endless_handler = {
        .ready = endless_ready, .done = endless_done, .closed = endless_closed};
    static struct endless endless;
    struct fixture fixture;
    struct script_peer *peer = fixture_begin_with_peer(&fixture, answer_every_other_late, NULL);
    struct dicomnet_association_options options = fixture_options(peer->port);
    options.parameters.window = 2;
    options.parameters.timeouts.dimse_ms = 0;
    cr_assert_eq(dicomnet_storage_user_open(&endless.user, &fixture.loop, &options, &endless_handler, &endless), 0);
    fixture_run(&fixture);
    cr_expect_eq(endless.done, 65700);
    cr_expect_eq(endless.closed, 1);
    fixture_end_peer(peer, "message IDs");
    fixture_end(&fixture);
}

/* ---- C-ECHO ---- */

struct echo {
    unsigned done;
    struct dicomnet_verification_result result;
};

static void on_echo(void *user, const struct dicomnet_verification_result *result)
{
    struct echo *echo = user;
    echo->done++;
    echo->result = *result;
}

static void refuses_contexts(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = 1, .result = 3});
    peer_serve(peer);
}

static void echo_status(struct script_peer *peer)
{
    if (strcmp(peer_accept(peer) ? peer->contexts[0].class_uid : "", DICOMNET_UID_VERIFICATION) != 0)
        peer_fail(peer, "not Verification");
    if (!peer_read_message(peer) || peer->message.field != 0x0030 || peer->message.data_set_type != 0x0101)
        peer_fail(peer, "not a C-ECHO-RQ");
    peer_answer(peer, 0x0122);
    peer_serve(peer);
}

static const struct echo_row {
    const char *what;
    void (*script)(struct script_peer *peer);
    int error;
    uint16_t status;
    enum dicomnet_association_end_kind kind;
    struct peer_command wrong;
} echo_rows[] = {
    {"answered", script_serve, 0, 0, DICOMNET_ASSOCIATION_RELEASED, {0}},
    {"a status", echo_status, 0, 0x0122, DICOMNET_ASSOCIATION_RELEASED, {0}},
    {"refused", refuses_contexts, DICOMNET_ERROR_NO_CONTEXT, 0, DICOMNET_ASSOCIATION_RELEASED, {0}},
    {"rejected", script_reject_for_good, DICOMNET_ERROR_REJECTED, 0, DICOMNET_ASSOCIATION_REJECTED, {0}},
    {"silence", is_silent, DICOMNET_ERROR_TIMEOUT_DIMSE, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, {0}},
    {"abort", aborts, DICOMNET_ERROR_ABORTED, 0, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, {0}},
    {"FIN", closes, DICOMNET_ERROR_PEER_CLOSED, 0, DICOMNET_ASSOCIATION_LOST, {0}},
    {"release", releases, DICOMNET_ERROR_RELEASED, 0, DICOMNET_ASSOCIATION_RELEASED, {0}},
    {"wrong Message ID",
     wrong_response,
     DICOMNET_ERROR_RESPONSE_MISMATCH,
     0,
     DICOMNET_ASSOCIATION_ABORTED_BY_US,
     {.message_id = 2}},
    {"no status",
     wrong_response,
     DICOMNET_ERROR_RESPONSE_MISMATCH,
     0,
     DICOMNET_ASSOCIATION_ABORTED_BY_US,
     {.no_status = true}},
};

Test(verification, every_peer, .timeout = FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof echo_rows / sizeof echo_rows[0]; i++) {
        const struct echo_row *row = &echo_rows[i];
        struct fixture fixture;
        struct echo echo = {0};
        struct record told = {.wrong = row->wrong};
        struct script_peer *peer = fixture_begin_with_peer(&fixture, row->script, &told);
        struct dicomnet_association_options options = fixture_options(peer->port);
        struct dicomnet_verification *verification;
        cr_assert_eq(dicomnet_verification_echo(&verification, &fixture.loop, &options, on_echo, &echo), 0);
        fixture_run(&fixture);
        cr_expect_eq(echo.done, 1, "%s", row->what);
        cr_expect_eq(echo.result.error, row->error, "%s: %s", row->what, dicomnet_error_text(echo.result.error));
        cr_expect_eq(echo.result.status, row->status, "%s: %04X", row->what, echo.result.status);
        cr_expect_eq(echo.result.end.kind, row->kind, "%s", row->what);
        fixture_end_peer(peer, row->what);
        fixture_end(&fixture);
    }
}
