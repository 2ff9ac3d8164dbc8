/*
 * Several services on one association: C-ECHO, C-FIND, C-GET and C-STORE, against our own provider and against peers
 * that follow a script.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/exchange.h"
#include "dicomnet/query_retrieve.h"
#include "dicomnet/storage.h"
#include "dicomnet/verification.h"
#include "fixture.h"
#include "provider.h"
#include "scripts.h"

#define MR_CLASS "1.2.840.10008.5.1.4.1.1.4"

enum { STORES_MAX = 64, CONTEXT_STORE = 5, LOG_SIZE = 400 };

struct shared {
    struct fixture fixture;
    struct dicomnet_exchange *exchange;
    char log[LOG_SIZE]; /* a letter for each thing that happened, on either side */

    struct dicomnet_storage_user *storage;
    struct dicomnet_store stores[STORES_MAX];
    struct numbers_source sources[STORES_MAX];
    unsigned wanted, begun, done, answered;
    uint64_t len; /* of each of their data sets */

    struct dicomnet_query_user *queries;
    struct dicomnet_query query;
    struct dicomnet_identifier keys;
    bool get;            /* a C-GET, not a C-FIND */
    bool begin_in_store; /* the query, when the first store has begun; else when the association is open */
    unsigned matches, instances;
    uint64_t instance_bytes;

    struct dicomnet_verification *echo;
    struct dicomnet_verification_result echo_result;
    bool late_echo; /* asked for when the second store is prepared */
    bool cancel;    /* the query, when the second store is prepared, after the first has ended */

    struct dicomnet_association_end end;

    /* our provider */
    struct provider provider;
    struct dicomnet_query_request *request;
    struct dicomnet_identifier match;
    struct dicomnet_store sub_store;
    struct numbers_source sub_source;
    unsigned given;
    bool serving; /* a query */
    uint64_t received_bytes;
    uint32_t received_hash;
};

static void note(struct shared *shared, char what)
{
    size_t len = strlen(shared->log);
    cr_assert_lt(len + 1, LOG_SIZE);
    shared->log[len] = what;
}

/* ---- the services ---- */

static void begin_query(struct shared *shared)
{
    shared->query = (struct dicomnet_query){.service = shared->get ? DICOMNET_QUERY_GET : DICOMNET_QUERY_FIND,
                                            .model = DICOMNET_QUERY_STUDY_ROOT,
                                            .identifier = &shared->keys};
    cr_assert_eq(dicomnet_query_user_begin(shared->queries, &shared->query), 0);
}

static void on_query_opened(struct dicomnet_query_user *user, void *context)
{
    struct shared *shared = context;
    if (!shared->begin_in_store)
        begin_query(shared);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    ((struct shared *)context)->matches++;
}

static void on_query_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                           const struct dicomnet_identifier *failed)
{
    note(context, 'q');
    dicomnet_query_user_release(user);
}

static void on_query_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    note(context, 'Q');
}

static const struct dicomnet_query_user_handler query_handler = {
    .opened = on_query_opened, .match = on_match, .ended = on_query_ended, .closed = on_query_closed};

static void on_echo(void *user, const struct dicomnet_verification_result *result)
{
    struct shared *shared = user;
    note(shared, 'e');
    shared->echo_result = *result;
}

static struct dicomnet_store *make_store(struct shared *shared, unsigned i)
{
    shared->stores[i] = (struct dicomnet_store){.context_id = CONTEXT_STORE,
                                                .class_uid = FIXTURE_CLASS,
                                                .instance_uid = "1.2.3.4",
                                                .source = numbers_source_init(&shared->sources[i], shared->len)};
    return &shared->stores[i];
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct shared *shared = context;
    unsigned wanted = shared->cancel && shared->done == 0 ? 1 : shared->wanted;
    while (shared->begun < wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = shared->begun++;
        struct dicomnet_store *store = shared->stores[i].prepared != 0 ? &shared->stores[i] : make_store(shared, i);
        note(shared, 's');
        cr_assert_eq(dicomnet_storage_user_store(user, store), 0);
        if (i == 0 && shared->begin_in_store)
            begin_query(shared);
        if (i == 0 && shared->late_echo && dicomnet_storage_user_can_prepare(user)) {
            cr_assert_eq(dicomnet_storage_user_prepare(user, make_store(shared, 1)), 0);
            cr_assert_eq(dicomnet_verification_join(&shared->echo, shared->exchange, on_echo, shared), 0);
        }
    }
    if (shared->begun == shared->wanted)
        dicomnet_storage_user_release(user);
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct shared *shared = context;
    note(shared, 'd');
    shared->done++;
    shared->answered += store->answered;
    if (shared->begin_in_store && shared->done == 1)
        cr_expect(!dicomnet_storage_user_can_store(user), "the query has waited: it goes first");
    cr_assert(store->answered == (store->error == 0));
    if (shared->cancel && shared->done == 1) {
        cr_assert_eq(dicomnet_storage_user_prepare(user, make_store(shared, 1)), 0);
        dicomnet_query_user_cancel(shared->queries);
    }
}

static void on_storage_closed(struct dicomnet_storage_user *user, void *context,
                              const struct dicomnet_association_end *end)
{
    note(context, 'S');
}

static const struct dicomnet_storage_user_handler storage_handler = {
    .done = on_done, .ready = on_ready, .closed = on_storage_closed};

static void on_exchange_opened(struct dicomnet_exchange *exchange, void *context)
{
    note(context, 'o');
    dicomnet_exchange_release(exchange);
}

static void on_exchange_closed(struct dicomnet_exchange *exchange, void *context,
                               const struct dicomnet_association_end *end)
{
    struct shared *shared = context;
    struct dicomnet_storage_user *user;
    note(shared, 'X');
    shared->end = *end;
    cr_expect_eq(dicomnet_storage_user_join(&user, exchange, &storage_handler, shared), DICOMNET_ERROR_NOT_OPEN);
}

static const struct dicomnet_exchange_handler exchange_handler = {.opened = on_exchange_opened,
                                                                  .closed = on_exchange_closed};

/* ---- our provider, and the sink of both sides ---- */

static uint16_t on_instance(void *context, struct dicomnet_association *association, uint8_t context_id,
                            const struct dicomnet_dimse_command *request)
{
    struct shared *shared = context;
    shared->received_hash = 0;
    shared->received_bytes = 0;
    return DICOMNET_STATUS_SUCCESS;
}

static void on_instance_bytes(void *context, struct dicomnet_span bytes)
{
    struct shared *shared = context;
    shared->received_hash = script_hash(shared->received_hash, bytes.data, bytes.len);
    shared->received_bytes += bytes.len;
}

static uint16_t on_instance_end(void *context, char ret_comment[65])
{
    struct shared *shared = context;
    shared->instances++;
    cr_expect_eq(shared->received_hash, numbers_hash(shared->received_bytes), "the data set is not what was sent");
    return DICOMNET_STATUS_SUCCESS;
}

static void on_instance_cancel(void *context) {}

static const struct dicomnet_storage_sink sink = {
    .begin = on_instance, .bytes = on_instance_bytes, .end = on_instance_end, .cancel = on_instance_cancel};

static uint16_t on_provider_begin(void *context, struct dicomnet_query_request *request, char ret_comment[65])
{
    struct shared *shared = context;
    shared->request = request;
    shared->given = 0;
    note(shared, 'b');
    return DICOMNET_STATUS_PENDING;
}

static void on_provider_ready(void *context, struct dicomnet_query_request *request)
{
    struct shared *shared = context;
    if (shared->given++ == 20) {
        dicomnet_query_request_finish(request, DICOMNET_STATUS_SUCCESS, NULL);
    } else if (request->service == DICOMNET_QUERY_FIND) {
        cr_assert_eq(dicomnet_query_request_match(request, &shared->match, DICOMNET_STATUS_PENDING), 0);
    } else {
        shared->sub_store = (struct dicomnet_store){.context_id = CONTEXT_STORE + 2,
                                                    .class_uid = MR_CLASS,
                                                    .instance_uid = "1.2.3.5",
                                                    .source = numbers_source_init(&shared->sub_source, 50000)};
        cr_assert_eq(dicomnet_query_request_store(request, &shared->sub_store), 0);
    }
}

static void on_provider_stored(void *context, struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    cr_expect(store->answered && store->status == DICOMNET_STATUS_SUCCESS);
}

static void on_provider_ended(void *context, struct dicomnet_query_request *request) {}

static void on_provider_closed(void *context, const struct dicomnet_association_end *end)
{
    dicomnet_acceptor_close(((struct shared *)context)->provider.acceptor);
}

static const struct dicomnet_query_provider_handler provider_handler = {.begin = on_provider_begin,
                                                                        .ready = on_provider_ready,
                                                                        .stored = on_provider_stored,
                                                                        .ended = on_provider_ended,
                                                                        .closed = on_provider_closed};

/* ---- both ---- */

/* `shared` has what is asked of it, and else nothing. */
static void begin(struct shared *shared)
{
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of the association */
    shared->wanted = 5;
    if (shared->len == 0)
        shared->len = 300001; /* more than the send buffer holds */
    dicomnet_identifier_init(&shared->keys);
    dicomnet_identifier_init(&shared->match);
    cr_assert_eq(dicomnet_identifier_set_text(&shared->keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "STUDY"), 0);
    cr_assert_eq(dicomnet_identifier_set_text(&shared->match, DICOMNET_TAG_STUDY_INSTANCE_UID, "1.2"), 0);
    fixture_begin(&shared->fixture);
}

static void open_exchange(struct shared *shared, uint16_t port, uint16_t window,
                          const struct dicomnet_exchange_handler *handler)
{
    const char *query_class =
        dicomnet_query_class_uid(DICOMNET_QUERY_STUDY_ROOT, shared->get ? DICOMNET_QUERY_GET : DICOMNET_QUERY_FIND);
    const struct dicomnet_association_proposal proposals[] = {
        {.abstract_syntax = DICOMNET_UID_VERIFICATION, .syntax_count = 1, .syntaxes = {FIXTURE_SYNTAX}},
        {.abstract_syntax = query_class, .syntax_count = 1, .syntaxes = {FIXTURE_SYNTAX}},
        {.abstract_syntax = FIXTURE_CLASS, .syntax_count = 1, .syntaxes = {FIXTURE_SYNTAX}},
        {.abstract_syntax = MR_CLASS,
         .syntax_count = 1,
         .syntaxes = {FIXTURE_SYNTAX},
         .roles = DICOMNET_ASSOCIATION_ROLE_PROVIDER}};
    struct dicomnet_association_options options = fixture_options(port);
    options.proposals = proposals;
    options.proposal_count = sizeof proposals / sizeof proposals[0];
    options.parameters.window = window;
    cr_assert_eq(dicomnet_exchange_open(&shared->exchange, &shared->fixture.loop, &options, handler, shared), 0);
}

static void join_all(struct shared *shared)
{
    const struct dicomnet_query_user_options options = {.size = sizeof(struct dicomnet_query_user_options),
                                                        .handler = &query_handler,
                                                        .context = shared,
                                                        .sink = &sink,
                                                        .sink_context = shared};
    cr_assert_eq(dicomnet_storage_user_join(&shared->storage, shared->exchange, &storage_handler, shared), 0);
    cr_assert_eq(dicomnet_query_user_join(&shared->queries, shared->exchange, &options), 0);
    if (!shared->late_echo)
        cr_assert_eq(dicomnet_verification_join(&shared->echo, shared->exchange, on_echo, shared), 0);
}

/* `peer` may be NULL. */
static void end(struct shared *shared, struct script_peer *peer, const char *what)
{
    fixture_run(&shared->fixture);
    if (peer != NULL)
        fixture_end_peer(peer, what);
    fixture_end(&shared->fixture);
    dicomnet_identifier_fini(&shared->keys);
    dicomnet_identifier_fini(&shared->match);
}

/* Against our provider: all is answered, on one connection, and the association is released in good order. */
static void run(struct shared *shared)
{
    const struct dicomnet_query_provider_options options = {
        .handler = &provider_handler, .context = shared, .sink = &sink, .sink_context = shared, .dimse_ms = 5000};
    begin(shared);
    provider_open(&shared->provider, &shared->fixture.loop, &options, &dicomnet_association_default_timeouts);
    open_exchange(shared, dicomnet_acceptor_port(shared->provider.acceptor), 0, &exchange_handler);
    join_all(shared);
    end(shared, NULL, NULL);
    cr_expect_eq(shared->end.kind, DICOMNET_ASSOCIATION_RELEASED, "%s", dicomnet_error_text(shared->end.error));
    cr_expect_eq(shared->provider.connections, 1);
    cr_expect_eq(shared->answered, shared->wanted);
    cr_expect(shared->query.answered && shared->query.status == DICOMNET_STATUS_SUCCESS);
    cr_expect(shared->echo_result.error == 0 && shared->echo_result.status == DICOMNET_STATUS_SUCCESS);
}

/* One operation at a time. The echo was asked for first, then the query; the stores come when they may. */
Test(exchange, echo_find_and_stores_on_one_association)
{
    struct shared shared = {0};
    run(&shared);
    cr_expect_str_eq(shared.log, "oebqsdsdsdsdsdSQX");
    cr_expect_eq(shared.matches, 20);
    cr_expect_eq(shared.query.message_id, 2);
    for (unsigned i = 0; i < 5; i++)
        cr_expect_eq(shared.stores[i].message_id, 3 + i);
}

/* What waits goes out before any store that has not begun, however many there are. */
Test(exchange, a_query_waits_for_the_store_under_way_only)
{
    struct shared shared = {.begin_in_store = true};
    run(&shared);
    cr_expect_str_eq(shared.log, "oesdbqsdsdsdsdSQX");
    cr_expect_eq(shared.matches, 20);
}

/* A message that goes out in between takes the place of what was prepared, which is read once more. If the machine
 * pauses for 10 ms just while the first store is filled, the loop gets a turn and nothing can be prepared at that
 * moment: it is tried again. */
Test(exchange, an_echo_between_preparing_and_storing)
{
    struct shared shared;
    unsigned tries = 0;
    do {
        shared = (struct shared){.late_echo = true};
        run(&shared);
    } while (strchr(shared.log, 'e') == NULL && ++tries < 5);
    cr_expect_str_eq(shared.log, "obqsdesdsdsdsdSQX");
    cr_expect_gt(shared.sources[1].reads, shared.sources[2].reads);
    cr_expect_eq(shared.instances, 5);
}

/* The sub-operations of a C-GET come on the association that stores share. */
Test(exchange, get_and_stores)
{
    struct shared shared = {.get = true};
    run(&shared);
    cr_expect_str_eq(shared.log, "oebqsdsdsdsdsdSQX");
    cr_expect_eq(shared.instances, 20 + 5);
}

/* ---- peers that follow a script ---- */

/* Read so many requests before any is answered; answer the last first. */
static void answer_backwards(struct script_peer *peer)
{
    enum { COUNT = 7 };
    struct peer_command responses[COUNT];
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 8});
    for (unsigned i = 0; i < COUNT; i++) {
        if (!peer_read_message(peer) || peer->message.message_id != i + 1)
            peer_fail(peer, "message %u is not there", i);
        responses[i] = peer_response(peer, 0);
        responses[i].instance_uid = NULL;
        responses[i].class_uid = NULL;
    }
    for (unsigned i = COUNT; i-- > 0;)
        peer_send_command(peer, &responses[i]);
    peer_serve(peer);
}

/* The query is answered when the stores have been. */
static void answer_stores_first(struct script_peer *peer)
{
    struct peer_command find = {0};
    bool cancelled = false;
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 8});
    for (unsigned stores = 0; stores < 5 && peer_read_message(peer);) {
        const struct peer_message *message = &peer->message;
        cancelled = cancelled || message->field == DICOMNET_DIMSE_C_CANCEL_RQ;
        if (message->field == DICOMNET_DIMSE_C_FIND_RQ)
            find = peer_response(peer, DICOMNET_STATUS_CANCEL);
        if (message->field == DICOMNET_DIMSE_C_STORE_RQ && ++stores > 0) {
            if (message->data_hash != numbers_hash(3000))
                peer_fail(peer, "the data set of store %u is not what was to be sent", stores);
            peer_answer(peer, 0);
        }
        if (message->field == DICOMNET_DIMSE_C_ECHO_RQ)
            peer_answer(peer, 0);
    }
    if (!cancelled)
        peer_fail(peer, "there was no C-CANCEL");
    find.class_uid = find.instance_uid = NULL;
    peer_send_command(peer, &find);
    peer_serve(peer);
}

/* Accept with a window of 8, and read so many requests; none is answered yet. */
static void accept_and_read(struct script_peer *peer, unsigned count)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.window = 8});
    for (unsigned i = 0; i < count; i++)
        peer_read_message(peer);
}

static void close_unanswered(struct script_peer *peer)
{
    accept_and_read(peer, 7);
    peer_close(peer);
}

/* The Message ID of the query, in a response to a store. */
static void mix_up(struct script_peer *peer)
{
    accept_and_read(peer, 3);
    peer_answer_with(peer, &(struct peer_command){.message_id = 2});
    peer_expect_end(peer);
}

static void refuse_verification(struct script_peer *peer)
{
    peer_read_request(peer);
    peer_send_accept(peer, &(struct peer_accept){.refused = 1, .result = 3, .window = 8});
    for (unsigned i = 0; i < 6; i++) {
        peer_read_message(peer);
        peer_answer(peer, 0);
    }
    peer_serve(peer);
}

static const struct row {
    const char *what;
    void (*script)(struct script_peer *peer);
    const char *log;
    enum dicomnet_association_end_kind kind;
    int error, echo_error;
    unsigned answered;
} rows[] = {
    {"all at once, answered backwards", answer_backwards, "osssssdddddqeSQX", DICOMNET_ASSOCIATION_RELEASED, 0, 0, 5},
    {"silence", script_accept_and_stay, "oSqQeX", DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_DIMSE,
     DICOMNET_ERROR_TIMEOUT_DIMSE, 0},
    {"FIN", close_unanswered, "osssssdddddSqQeX", DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED,
     DICOMNET_ERROR_PEER_CLOSED, 0},
    {"a response of the wrong kind", mix_up, "osssssdddddSqQeX", DICOMNET_ASSOCIATION_ABORTED_BY_US,
     DICOMNET_ERROR_RESPONSE_MISMATCH, DICOMNET_ERROR_RESPONSE_MISMATCH, 0},
    {"no Verification", refuse_verification, "oesssssqdddddSQX", DICOMNET_ASSOCIATION_RELEASED, 0,
     DICOMNET_ERROR_NO_CONTEXT, 5},
    {"rejected", script_reject_for_good, "SQeX", DICOMNET_ASSOCIATION_REJECTED, DICOMNET_ERROR_REJECTED,
     DICOMNET_ERROR_REJECTED, 0},
};

Test(exchange, every_peer, .timeout = FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct shared shared = {.len = 3000};
        begin(&shared);
        struct script_peer *peer = script_peer_listen(row->script, NULL);
        open_exchange(&shared, peer->port, 8, &exchange_handler);
        join_all(&shared);
        end(&shared, peer, row->what);
        cr_expect_str_eq(shared.log, row->log, "%s: %s", row->what, shared.log);
        cr_expect_eq(shared.end.kind, row->kind, "%s: %s", row->what, dicomnet_error_text(shared.end.error));
        cr_expect_eq(shared.end.error, row->error, "%s: %s", row->what, dicomnet_error_text(shared.end.error));
        cr_expect_eq(shared.echo_result.error, row->echo_error, "%s: %s", row->what,
                     dicomnet_error_text(shared.echo_result.error));
        cr_expect_eq(shared.answered, row->answered, "%s", row->what);
    }
}

/* ---- what a caller can err in ---- */

static void expect_bad_stores(struct dicomnet_storage_user *user)
{
    static const char too_long[] = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25";
    struct dicomnet_data_source unreadable = {.len = 2};
    struct numbers_source numbers;
    const struct dicomnet_store good = {.context_id = CONTEXT_STORE,
                                        .class_uid = FIXTURE_CLASS,
                                        .instance_uid = "1.2",
                                        .source = numbers_source_init(&numbers, 2)};
    struct dicomnet_store bad[] = {good, good, good, good, good, good};
    bad[0].class_uid = NULL;
    bad[1].instance_uid = NULL;
    bad[2].source = NULL;
    bad[3].source = &unreadable;
    bad[4].instance_uid = too_long;
    bad[5].originator_ae = "SEVENTEEN LETTERS";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(dicomnet_storage_user_prepare(user, &bad[i]), -EINVAL, "store %zu", i);
        cr_expect_eq(dicomnet_storage_user_store(user, &bad[i]), -EINVAL, "store %zu", i);
    }
    cr_expect_eq(dicomnet_storage_user_store(user, NULL), -EINVAL);
}

static void on_ready_for_bad(struct dicomnet_storage_user *user, void *context)
{
    if (dicomnet_storage_user_can_store(user))
        expect_bad_stores(user);
    dicomnet_storage_user_release(user);
}

static void on_query_opened_for_bad(struct dicomnet_query_user *user, void *context)
{
    struct shared *shared = context;
    const struct dicomnet_query good = {.model = DICOMNET_QUERY_STUDY_ROOT, .identifier = &shared->keys};
    struct dicomnet_query bad[] = {good, good, good, good, good, good};
    bad[0].identifier = NULL;
    bad[1].model = (enum dicomnet_query_model)3;
    bad[2].service = (enum dicomnet_query_service)3;
    bad[3].service = bad[4].service = bad[5].service = DICOMNET_QUERY_MOVE;
    bad[4].move_destination = "";
    bad[5].move_destination = "SEVENTEEN LETTERS";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(dicomnet_query_user_begin(user, &bad[i]), -EINVAL, "query %zu", i);
    cr_expect_eq(dicomnet_query_user_begin(user, NULL), -EINVAL);
    dicomnet_query_user_release(user);
}

static void expect_bad_opens(struct shared *shared)
{
    const struct dicomnet_storage_user_handler no_done = {.closed = on_storage_closed};
    const struct dicomnet_query_user_handler no_ended = {.closed = on_query_closed};
    const struct dicomnet_storage_sink no_end = {.begin = on_instance, .bytes = on_instance_bytes};
    const struct dicomnet_query_user_options bad[] = {
        {.size = sizeof bad[0], .handler = NULL},
        {.size = sizeof bad[0], .handler = &no_ended},
        {.size = sizeof bad[0], .handler = &query_handler, .sink = &no_end}};
    struct dicomnet_association_options options = fixture_options(1);
    struct uv_loop_s *loop = &shared->fixture.loop;
    cr_expect_eq(dicomnet_exchange_open(&shared->exchange, NULL, &options, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_exchange_open(&shared->exchange, loop, NULL, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_storage_user_open(&shared->storage, loop, &options, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_storage_user_open(&shared->storage, loop, &options, &no_done, NULL), -EINVAL);
    cr_expect_eq(dicomnet_storage_user_open(&shared->storage, loop, NULL, &storage_handler, NULL), -EINVAL);
    cr_expect_eq(dicomnet_storage_user_join(&shared->storage, NULL, &storage_handler, NULL), -EINVAL);
    cr_expect_eq(dicomnet_verification_echo(&shared->echo, loop, &options, NULL, NULL), -EINVAL);
    cr_expect_eq(dicomnet_verification_echo(&shared->echo, loop, NULL, on_echo, NULL), -EINVAL);
    cr_expect_eq(dicomnet_verification_join(&shared->echo, NULL, on_echo, NULL), -EINVAL);
    cr_expect_eq(dicomnet_query_user_open(&shared->queries, loop, &options, NULL), -EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(dicomnet_query_user_open(&shared->queries, loop, &options, &bad[i]), -EINVAL, "%zu", i);
    options.proposal_count = 0;
    cr_expect_eq(dicomnet_exchange_open(&shared->exchange, loop, &options, NULL, NULL), -EINVAL);
    struct dicomnet_storage_provider *storage_provider = NULL;
    struct dicomnet_query_provider *query_provider = NULL;
    struct dicomnet_storage_provider_options stored = DICOMNET_STORAGE_PROVIDER_OPTIONS_INIT;
    struct dicomnet_query_provider_options queried = DICOMNET_QUERY_PROVIDER_OPTIONS_INIT;
    cr_expect_eq(dicomnet_storage_provider_create(&storage_provider, loop, &stored), -EINVAL);
    stored.sink = &no_end;
    cr_expect_eq(dicomnet_storage_provider_create(&storage_provider, loop, &stored), -EINVAL);
    cr_expect_eq(dicomnet_query_provider_create(&query_provider, loop, &queried), -EINVAL);
    stored.size = queried.size = 0;
    cr_expect_eq(dicomnet_storage_provider_create(&storage_provider, loop, &stored), DICOMNET_ERROR_OPTIONS_SIZE);
    cr_expect_eq(dicomnet_query_provider_create(&query_provider, loop, &queried), DICOMNET_ERROR_OPTIONS_SIZE);
    cr_expect_str_empty(dicomnet_query_class_uid(DICOMNET_QUERY_STUDY_ROOT, (enum dicomnet_query_service)3));
}

Test(exchange, what_callers_err_in)
{
    static const struct dicomnet_storage_user_handler bad_stores = {
        .done = on_done, .ready = on_ready_for_bad, .closed = on_storage_closed};
    static const struct dicomnet_query_user_handler bad_queries = {
        .opened = on_query_opened_for_bad, .match = on_match, .ended = on_query_ended, .closed = on_query_closed};
    struct shared shared = {0};
    begin(&shared);
    expect_bad_opens(&shared);
    struct script_peer *peer = script_peer_listen(script_serve, NULL);
    open_exchange(&shared, peer->port, 0, &exchange_handler);
    cr_assert_eq(dicomnet_storage_user_join(&shared.storage, shared.exchange, &bad_stores, &shared), 0);
    const struct dicomnet_query_user_options options = {
        .size = sizeof(struct dicomnet_query_user_options), .handler = &bad_queries, .context = &shared};
    cr_assert_eq(dicomnet_query_user_join(&shared.queries, shared.exchange, &options), 0);
    end(&shared, peer, "what callers err in");
    cr_expect_str_eq(shared.log, "oSQX", "nothing was begun: %s", shared.log);
}

/* A message that is no request takes the place of what was prepared, too. */
Test(exchange, a_cancel_between_preparing_and_storing, .timeout = FIXTURE_TIMEOUT_S)
{
    struct shared shared = {.len = 3000, .cancel = true};
    begin(&shared);
    struct script_peer *peer = script_peer_listen(answer_stores_first, NULL);
    open_exchange(&shared, peer->port, 8, &exchange_handler);
    join_all(&shared);
    end(&shared, peer, "a cancel");
    cr_expect_eq(shared.answered, 5);
    cr_expect_eq(shared.query.status, DICOMNET_STATUS_CANCEL);
    cr_expect_eq(shared.end.kind, DICOMNET_ASSOCIATION_RELEASED, "%s", dicomnet_error_text(shared.end.error));
}

/* Nobody has joined: the association is there until the opener lets go. */
static void on_opened_alone(struct dicomnet_exchange *exchange, void *context)
{
    struct shared *shared = context;
    note(shared, 'o');
    cr_expect_eq(dicomnet_association_context_count(dicomnet_exchange_association(exchange)), 4);
    dicomnet_exchange_release(exchange);
    dicomnet_exchange_release(exchange);
    cr_expect_eq(dicomnet_storage_user_join(&shared->storage, exchange, &storage_handler, shared),
                 DICOMNET_ERROR_NOT_OPEN);
}

Test(exchange, alone)
{
    static const struct dicomnet_exchange_handler alone = {.opened = on_opened_alone, .closed = on_exchange_closed};
    struct shared shared = {0};
    begin(&shared);
    struct script_peer *peer = script_peer_listen(script_serve, NULL);
    open_exchange(&shared, peer->port, 0, &alone);
    end(&shared, peer, "alone");
    cr_expect_str_eq(shared.log, "oX");
    cr_expect_eq(shared.end.kind, DICOMNET_ASSOCIATION_RELEASED);
}
