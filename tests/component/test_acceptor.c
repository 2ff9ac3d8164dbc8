/*
 * The acceptor's side: acceptor, association as acceptor, and the storage provider, against users that follow a script.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "dicomnet/acceptor.h"
#include "dicomnet/storage.h"
#include "fixture.h"
#include "services/storage_faults.h"

enum { CLIENTS_MAX = 8 };

#define INSTANCE "1.2.3.4"

/* A server on the fixture's loop: an acceptor whose associations end in a sink that counts. */
struct server {
    struct fixture fixture;
    struct dicomnet_acceptor *acceptor;
    uint16_t port;
    uint16_t begin_status, end_status; /* what the sink answers */
    const char *comment;
    uint32_t response_delay_ms;
    unsigned connected, closed;
    unsigned begun, ended, cancelled;
    uint64_t len;
    uint32_t hash;
    char instance_uid[DICOMNET_UID_SIZE], called_ae[DICOMNET_AE_SIZE], calling_ae[DICOMNET_AE_SIZE];
    uint16_t window;
    struct dicomnet_association_end end; /* of the association that ended last */
    unsigned close_after;                /* associations: then the acceptor is closed */
    struct dicomnet_association *association;
};

static uint16_t sink_begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                           const struct dicomnet_dimse_command *request)
{
    struct server *server = context;
    server->begun++;
    server->len = server->hash = 0;
    server->window = dicomnet_association_window(association);
    strcpy(server->instance_uid, request->instance_uid);
    strcpy(server->called_ae, dicomnet_association_called_ae(association));
    strcpy(server->calling_ae, dicomnet_association_calling_ae(association));
    return server->begin_status;
}

static void sink_bytes(void *context, struct dicomnet_span bytes)
{
    struct server *server = context;
    server->len += bytes.len;
    server->hash = script_hash(server->hash, bytes.data, bytes.len);
}

static uint16_t sink_end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct server *server = context;
    server->ended++;
    if (server->comment != NULL)
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%s", server->comment);
    return server->end_status;
}

static void sink_cancel(void *context)
{
    ((struct server *)context)->cancelled++;
}

static void sink_closed(void *context, const struct dicomnet_association_end *end)
{
    struct server *server = context;
    server->closed++;
    server->end = *end;
    if (server->closed == server->close_after)
        dicomnet_acceptor_close(server->acceptor);
}

static const struct dicomnet_storage_sink sink = {
    .begin = sink_begin, .bytes = sink_bytes, .end = sink_end, .cancel = sink_cancel, .closed = sink_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    struct server *server = user;
    const struct dicomnet_storage_provider_options options = {
        .size = sizeof(struct dicomnet_storage_provider_options), .sink = &sink, .context = server};
    server->connected++;
    struct dicomnet_storage_provider *provider;
    cr_assert_eq(dicomnet_storage_provider_create(&provider, &server->fixture.loop, &options), 0);
    storage_provider_delay_responses(provider, server->response_delay_ms);
    *ret_user = provider;
    return &dicomnet_storage_provider_handler;
}

static void on_accepted(void *user, void *association_user, struct dicomnet_association *association)
{
    struct server *server = user;
    server->association = association;
    cr_assert_not_null(association);
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected, .accepted = on_accepted};

static struct dicomnet_acceptor_options server_options(void)
{
    return (struct dicomnet_acceptor_options){
        .size = sizeof(struct dicomnet_acceptor_options),
        .bind_address = "127.0.0.1",
        .association = {.ae = "TESTED",
                        .window = 4,
                        .max_pdu_len = 30000,
                        .timeouts = {.acse_ms = 500, .network_ms = 500, .release_ms = 500}}};
}

/* Let `count` clients play at once; the server must be left by all of them, and its loop come to its end. */
static uint64_t serve(struct server *server, const struct dicomnet_acceptor_options *options,
                      void (*script)(struct script_peer *peer), unsigned count, const char *what)
{
    struct script_peer *clients[CLIENTS_MAX];
    fixture_begin(&server->fixture);
    cr_assert_eq(dicomnet_acceptor_open(&server->acceptor, &server->fixture.loop, options, &acceptor_handler, server),
                 0);
    server->port = dicomnet_acceptor_port(server->acceptor);
    cr_assert_neq(server->port, 0);
    server->close_after = count;
    for (unsigned i = 0; i < count; i++)
        cr_assert_not_null(clients[i] = script_peer_connect(server->port, script, (void *)(uintptr_t)i));
    uint64_t ms = fixture_run(&server->fixture);
    cr_expect_eq(server->connected, count, "%s", what);
    cr_expect_eq(server->closed, count, "%s: closed %u times", what, server->closed);
    for (unsigned i = 0; i < count; i++)
        fixture_end_peer(clients[i], what);
    fixture_end(&server->fixture);
    return ms;
}

/* One client, and the options that a server has here. */
static uint64_t serve_one(struct server *server, void (*script)(struct script_peer *peer), const char *what)
{
    struct dicomnet_acceptor_options options = server_options();
    return serve(server, &options, script, 1, what);
}

/* ---- what a user sends ---- */

static const struct peer_request two_contexts = {
    .called_ae = "TESTED", .context_count = 2, .classes = {FIXTURE_CLASS, DICOMNET_UID_VERIFICATION}};

static const struct peer_command store_rq = {.context_id = 1,
                                             .field = 0x0001,
                                             .message_id = 9,
                                             .class_uid = FIXTURE_CLASS,
                                             .instance_uid = INSTANCE,
                                             .has_data = true};

static void make_numbers(uint8_t *bytes, uint64_t len)
{
    struct numbers_source numbers;
    struct dicomnet_data_source *source = numbers_source_init(&numbers, len);
    const struct iovec gap = {.iov_base = bytes, .iov_len = len};
    (void)source->read(source, 0, &gap, 1);
}

/* A data set in PDUs of at most `piece` bytes of data. */
static void send_data(struct script_peer *peer, uint64_t len, size_t piece)
{
    uint8_t *bytes = malloc(len);
    make_numbers(bytes, len);
    for (uint64_t done = 0; done < len;) {
        size_t part = len - done < piece ? (size_t)(len - done) : piece;
        if (!peer_send_pdv(peer, 1, done + part == len ? 2 : 0, bytes + done, part))
            break;
        done += part;
    }
    free(bytes);
}

static void expect_response(struct script_peer *peer, uint16_t field, uint16_t status)
{
    if (!peer_read_message(peer))
        peer_fail(peer, "no response: PDU type %u", peer->pdu_type);
    else if (peer->message.field != field || peer->message.status != status || !peer->message.has_status)
        peer_fail(peer, "response %04X with status %04X", peer->message.field, peer->message.status);
}

static void expect_refused(struct script_peer *peer, uint8_t result, uint8_t source, uint8_t reason)
{
    if (peer_expect(peer, PEER_RJ) && (peer->pdu[1] != result || peer->pdu[2] != source || peer->pdu[3] != reason))
        peer_fail(peer, "rejected with %u %u %u", peer->pdu[1], peer->pdu[2], peer->pdu[3]);
}

/* ---- in good order ---- */

enum { DATA_LEN = 123456 };

static void store_and_release(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    if (peer->max_len != 30000 || peer->context_count != 2 || peer->contexts[0].result != 0 || peer->window != 0)
        peer_fail(peer, "the AC is wrong");
    peer_send_command(peer, &store_rq);
    send_data(peer, DATA_LEN, 20000);
    expect_response(peer, 0x8001, 0);
    if (peer->message.message_id_responded != 9 || strcmp(peer->message.instance_uid, INSTANCE) != 0 ||
        strcmp(peer->message.class_uid, FIXTURE_CLASS) != 0 || peer->message.context_id != 1 || peer->message.pdus != 1)
        peer_fail(peer, "the response is wrong");
    peer_send_command(peer,
                      &(struct peer_command){
                          .context_id = 3, .field = 0x0030, .message_id = 10, .class_uid = DICOMNET_UID_VERIFICATION});
    expect_response(peer, 0x8030, 0);
    peer_release(peer);
}

static void store_byte_by_byte(struct script_peer *peer)
{
    peer->byte_by_byte = true;
    peer_open(peer, &two_contexts);
    peer_send_command(peer, &store_rq);
    send_data(peer, 3000, 200);
    expect_response(peer, 0x8001, 0);
    peer_release(peer);
}

Test(acceptor, stores, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {0};
    struct dicomnet_acceptor_options options = server_options();
    serve(&server, &options, store_and_release, 1, "store");
    cr_expect_eq(server.begun, 1);
    cr_expect_eq(server.ended, 1);
    cr_expect_eq(server.cancelled, 0);
    cr_expect_eq(server.len, DATA_LEN);
    cr_expect_eq(server.hash, numbers_hash(DATA_LEN));
    cr_expect_str_eq(server.instance_uid, INSTANCE);
    cr_expect_str_eq(server.called_ae, "TESTED");
    cr_expect_str_eq(server.calling_ae, "SCRIPT");
    cr_expect_eq(server.end.kind, DICOMNET_ASSOCIATION_RELEASED);

    struct server slow = {0};
    serve(&slow, &options, store_byte_by_byte, 1, "byte by byte");
    cr_expect_eq(slow.len, 3000);
    cr_expect_eq(slow.hash, numbers_hash(3000));

    struct server many = {0};
    serve(&many, &options, store_and_release, CLIENTS_MAX, "many at once");
    cr_expect_eq(many.ended, CLIENTS_MAX);
}

/* ---- a provider with memory of its own, and nobody who wants to know how it ended ---- */

static struct {
    struct dicomnet_acceptor *acceptor;
    unsigned ended, closed, mixed_up;
} simple;

struct simple_guest {
    uint64_t len;
    char last[100]; /* its end is that of the memory */
};

static uint16_t simple_begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                             const struct dicomnet_dimse_command *request)
{
    struct simple_guest *guest = context;
    simple.mixed_up += guest->len != 0 || guest->last[99] != 0;
    guest->last[99] = 1;
    return DICOMNET_STATUS_SUCCESS;
}

static void simple_bytes(void *context, struct dicomnet_span bytes)
{
    ((struct simple_guest *)context)->len += bytes.len;
}

static uint16_t simple_end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    simple.mixed_up += ((struct simple_guest *)context)->len != DATA_LEN;
    simple.ended++;
    return DICOMNET_STATUS_SUCCESS;
}

static void simple_closed(void *context, const struct dicomnet_association_end *end)
{
    simple.mixed_up += end->kind != DICOMNET_ASSOCIATION_RELEASED;
    if (++simple.closed == CLIENTS_MAX)
        dicomnet_acceptor_close(simple.acceptor); /* while the last of them is still there */
}

static const struct dicomnet_association_handler *on_simple_connected(void *loop, void **ret_user)
{
    static const struct dicomnet_storage_sink simple_sink = {
        .begin = simple_begin, .bytes = simple_bytes, .end = simple_end, .closed = simple_closed};
    const struct dicomnet_storage_provider_options options = {.size = sizeof(struct dicomnet_storage_provider_options),
                                                              .sink = &simple_sink,
                                                              .context_size = sizeof(struct simple_guest)};
    struct dicomnet_storage_provider *provider;
    if (dicomnet_storage_provider_create(&provider, loop, &options) != 0)
        return NULL;
    *ret_user = provider;
    return &dicomnet_storage_provider_handler;
}

Test(acceptor, contexts_of_the_providers_own, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct dicomnet_acceptor_handler handler = {.connected = on_simple_connected};
    const struct dicomnet_acceptor_options options = server_options();
    struct script_peer *clients[CLIENTS_MAX];
    struct fixture fixture;
    fixture_begin(&fixture);
    cr_assert_eq(dicomnet_acceptor_open(&simple.acceptor, &fixture.loop, &options, &handler, &fixture.loop), 0);
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        cr_assert_not_null(clients[i] =
                               script_peer_connect(dicomnet_acceptor_port(simple.acceptor), store_and_release, NULL));
    fixture_run(&fixture);
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        fixture_end_peer(clients[i], "own contexts");
    fixture_end(&fixture);
    cr_expect_eq(simple.ended, CLIENTS_MAX);
    cr_expect_eq(simple.mixed_up, 0);
}

/* ---- refusals ---- */

static void store_expecting_a900(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    for (int i = 0; i < 2; i++) { /* the association goes on */
        peer_send_command(peer, &store_rq);
        send_data(peer, 50000, 10000);
        expect_response(peer, 0x8001, 0xA900);
        if (strcmp(peer->message.comment, "different") != 0)
            peer_fail(peer, "the comment is '%s'", peer->message.comment);
    }
    peer_release(peer);
}

static void store_expecting_a700(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    for (int i = 0; i < 2; i++) {
        peer_send_command(peer, &store_rq);
        send_data(peer, 50000, 10000);
        expect_response(peer, 0x8001, 0xA700);
    }
    peer_release(peer);
}

static void odd_requests(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    struct peer_command command = store_rq;
    command.has_data = false; /* a C-STORE without a data set */
    peer_send_command(peer, &command);
    expect_response(peer, 0x8001, 0xC000);
    command.field = 0x0020; /* C-FIND with an identifier: drained, then refused */
    command.has_data = true;
    peer_send_command(peer, &command);
    send_data(peer, 5000, 1000);
    expect_response(peer, 0x8020, 0x0211);
    command.field = 0x0FFF; /* C-CANCEL: nobody answers */
    command.has_data = false;
    peer_send_command(peer, &command);
    command.field = 0x0030;
    peer_send_command(peer, &command);
    expect_response(peer, 0x8030, 0);
    command.field = 0x8001; /* a response nobody asked for */
    peer_send_command(peer, &command);
    peer_expect(peer, PEER_ABORT);
}

Test(acceptor, refuses, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server at_end = {.end_status = 0xA900, .comment = "different"};
    serve_one(&at_end, store_expecting_a900, "refused at the end");
    cr_expect_eq(at_end.ended, 2);
    struct server at_begin = {.begin_status = 0xA700};
    serve_one(&at_begin, store_expecting_a700, "refused at the beginning");
    cr_expect_eq(at_begin.begun, 2);
    cr_expect_eq(at_begin.ended, 0);
    cr_expect_eq(at_begin.len, 0);
    struct server odd = {0};
    serve_one(&odd, odd_requests, "odd requests");
    cr_expect_eq(odd.begun, 0);
    cr_expect_eq(odd.end.error, DICOMNET_ERROR_DIMSE_UNEXPECTED);
}

/* ---- A-ASSOCIATE-RJ ---- */

static void call_wrong_ae(struct script_peer *peer)
{
    struct peer_request request = two_contexts;
    request.called_ae = "OTHER";
    peer_send_request(peer, &request);
    expect_refused(peer, 1, 1, 7);
}

static void wrong_application_context(struct script_peer *peer)
{
    struct peer_request request = two_contexts;
    request.application_context = "1.2.840.10008.3.1.1.2";
    peer_send_request(peer, &request);
    expect_refused(peer, 1, 1, 2);
}

static void wrong_version(struct script_peer *peer)
{
    struct peer_request request = two_contexts;
    request.protocol_version = 2;
    peer_send_request(peer, &request);
    expect_refused(peer, 1, 2, 2);
}

/* The first three stay open until the last has been rejected. */
static unsigned rejected_count;

static void one_too_many(struct script_peer *peer)
{
    peer_send_request(peer, &two_contexts);
    if (!peer_read_pdu(peer)) {
        peer_fail(peer, "no answer");
    } else if (peer->pdu_type == PEER_RJ) {
        if (peer->pdu[1] != 2 || peer->pdu[2] != 3 || peer->pdu[3] != 2)
            peer_fail(peer, "rejected with %u %u %u", peer->pdu[1], peer->pdu[2], peer->pdu[3]);
        __atomic_add_fetch(&rejected_count, 1, __ATOMIC_ACQ_REL);
        peer_expect_end(peer);
    } else {
        for (int i = 0; i < 500 && __atomic_load_n(&rejected_count, __ATOMIC_ACQUIRE) < 5; i++)
            peer_sleep(10);
        peer_release(peer);
    }
}

Test(acceptor, rejects, .timeout = FIXTURE_TIMEOUT_S)
{
    struct dicomnet_acceptor_options options = server_options();
    struct server server = {0};
    options.association.check_called_ae = true;
    serve(&server, &options, call_wrong_ae, 1, "wrong AE");
    cr_expect_eq(server.end.kind, DICOMNET_ASSOCIATION_REJECTED);
    cr_expect_eq(server.end.reject.reason, 7);
    serve(&(struct server){0}, &options, store_and_release, 1, "right AE");
    serve(&(struct server){0}, &options, wrong_application_context, 1, "application context");
    serve(&(struct server){0}, &options, wrong_version, 1, "version");
    options.association.check_called_ae = false;
    serve(&(struct server){0}, &options, store_and_release, 1, "any AE");
}

Test(acceptor, most_associations, .timeout = FIXTURE_TIMEOUT_S)
{
    struct dicomnet_acceptor_options options = server_options();
    options.max_associations = 3;
    serve(&(struct server){0}, &options, one_too_many, CLIENTS_MAX, "too many");
    cr_expect_eq(rejected_count, CLIENTS_MAX - 3);
}

static void contexts_nobody_wants(struct script_peer *peer)
{
    peer_open(peer, &(struct peer_request){.context_count = 3,
                                           .classes = {"1.2.840.10008.5.1.4.1.2.2.1", FIXTURE_CLASS, "1.2.3.4.5"}});
    if (peer->context_count != 3 || peer->contexts[0].result != 3 || peer->contexts[1].result != 0 ||
        peer->contexts[2].result != 0)
        peer_fail(peer, "results %u %u %u", peer->contexts[0].result, peer->contexts[1].result,
                  peer->contexts[2].result);
    struct peer_command command = store_rq; /* on the refused one */
    peer_send_command(peer, &command);
    peer_expect(peer, PEER_ABORT);
}

Test(acceptor, contexts, .timeout = FIXTURE_TIMEOUT_S)
{
    struct server server = {0};
    serve_one(&server, contexts_nobody_wants, "contexts");
    cr_expect_eq(server.begun, 0);
    cr_expect_eq(server.end.error, DICOMNET_ERROR_NO_CONTEXT);
}

/* ---- requests that are not as the standard wants them ---- */

/* The next item of this type in a PDU that begins with 68 fixed bytes, from `at` on; `len` if there is none. */
static size_t find_item(const uint8_t *bytes, size_t len, size_t at, uint8_t type)
{
    while (at < len && bytes[at] != type)
        at += 4 + (size_t)(bytes[at + 2] << 8 | bytes[at + 3]);
    return at < len ? at : len;
}

static size_t without_item(uint8_t *bytes, size_t len, uint8_t type)
{
    size_t at = find_item(bytes, len, 68, type);
    if (at == len)
        return len;
    size_t item_len = 4 + (size_t)(bytes[at + 2] << 8 | bytes[at + 3]);
    memmove(bytes + at, bytes + at + item_len, len - at - item_len);
    return len - item_len;
}

/* Send that RQ; in the AC the first context with this ID must have that result. */
static void open_with(struct script_peer *peer, const uint8_t *bytes, size_t len, uint8_t id, uint8_t result)
{
    peer_send_pdu(peer, PEER_RQ, bytes, len);
    if (!peer_expect(peer, PEER_AC))
        return;
    size_t at = find_item(peer->pdu, peer->pdu_len, 68, 0x21);
    while (at < peer->pdu_len && peer->pdu[at + 4] != id)
        at = find_item(peer->pdu, peer->pdu_len, at + 4 + peer->pdu[at + 3], 0x21);
    if (at >= peer->pdu_len)
        peer_fail(peer, "context %u is not answered", id);
    else if (peer->pdu[at + 6] != result)
        peer_fail(peer, "context %u: result %u", id, peer->pdu[at + 6]);
}

static void store_on(struct script_peer *peer, uint8_t id)
{
    struct peer_command command = store_rq;
    command.context_id = id;
    peer_send_command(peer, &command);
    peer_send_pdv(peer, id, 2, "0123456789", 10);
    expect_response(peer, 0x8001, 0);
    peer_release(peer);
}

static void even_context_id(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    bytes[find_item(bytes, len, 68, 0x20) + 4] = 2;
    open_with(peer, bytes, len, 2, 0);
    store_on(peer, 2);
}

static void context_id_twice(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    size_t first = find_item(bytes, len, 68, 0x20);
    bytes[find_item(bytes, len, first + 4 + bytes[first + 3], 0x20) + 4] = 1;
    open_with(peer, bytes, len, 1, 0);
    store_on(peer, 1);
}

static void no_application_context(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    open_with(peer, bytes, without_item(bytes, len, 0x10), 1, 0);
    store_on(peer, 1);
}

static void no_user_information(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    open_with(peer, bytes, without_item(bytes, len, 0x50), 1, 0);
    store_on(peer, 1);
}

/* A context of nothing, besides good ones: refused, and the others serve. */
static void empty_context(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    memcpy(bytes + len, "\x20\0\0\4\x0B\0\0", 8);
    open_with(peer, bytes, len + 8, 11, 3);
    store_on(peer, 1);
}

static void titles_padded_with_nuls(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    memcpy(bytes + 4, " TESTED \0 \0\0\0\0\0", 16);
    memset(bytes + 20, 0, 16);
    open_with(peer, bytes, len, 1, 0);
    store_on(peer, 1);
}

Test(acceptor, ugly_requests_are_served, .timeout = FIXTURE_TIMEOUT_S)
{
    static void (*const scripts[])(struct script_peer * peer) = {even_context_id,        context_id_twice,
                                                                 no_application_context, no_user_information,
                                                                 empty_context,          titles_padded_with_nuls};
    struct dicomnet_acceptor_options options = server_options();
    options.association.check_called_ae = true;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct server server = {0};
        serve(&server, &options, scripts[i], 1, "ugly request");
        cr_expect_eq(server.ended, 1, "script %zu", i);
        cr_expect_eq(server.len, 10, "script %zu", i);
        cr_expect_eq(server.end.kind, DICOMNET_ASSOCIATION_RELEASED, "script %zu", i);
    }
}

/* What stands behind a NUL belongs to a title: this is another than "TESTED". */
static void title_with_more_behind_a_nul(struct script_peer *peer)
{
    static uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    memcpy(bytes + 4, "TESTED\0OTHER    ", 16);
    peer_send_pdu(peer, PEER_RQ, bytes, len);
    expect_refused(peer, 1, 1, 7);
}

Test(acceptor, a_title_does_not_end_at_a_nul, .timeout = FIXTURE_TIMEOUT_S)
{
    struct dicomnet_acceptor_options options = server_options();
    options.association.check_called_ae = true;
    struct server server = {0};
    serve(&server, &options, title_with_more_behind_a_nul, 1, "title");
    cr_expect_eq(server.end.kind, DICOMNET_ASSOCIATION_REJECTED);
}

/* ---- users that stop half-way ---- */

static void says_nothing(struct script_peer *peer)
{
    peer_expect_end(peer);
}

static void half_a_request(struct script_peer *peer)
{
    static const uint8_t half[] = {PEER_RQ, 0, 0, 0, 0, 200, 0, 1};
    peer_send(peer, half, sizeof half);
    peer_expect_end(peer);
}

static void garbage(struct script_peer *peer)
{
    peer_send(peer, "GET / HTTP/1.1\r\n\r\n", 18);
    peer_expect_end(peer);
}

static void client_hello(struct script_peer *peer)
{
    peer_send(peer, "\x16\x03\x01\x02\0\1\0\1\xFC\x03\x03", 11);
    peer_expect_end(peer);
}

static void rq_too_long(struct script_peer *peer)
{
    static const uint8_t header[] = {PEER_RQ, 0, 0x7f, 0xff, 0xff, 0xff};
    peer_send(peer, header, sizeof header);
    peer_expect_end(peer);
}

static void rq_malformed(struct script_peer *peer)
{
    uint8_t bytes[PEER_PDU_MAX];
    size_t len = peer_build_request(&two_contexts, bytes);
    bytes[70] = 0xff;
    peer_send_pdu(peer, PEER_RQ, bytes, len);
    peer_expect(peer, PEER_ABORT);
    peer_expect_end(peer);
}

static void closes_at_once(struct script_peer *peer) {}

static void resets_at_once(struct script_peer *peer)
{
    peer_sleep(20);
    peer_reset(peer);
}

static void closes_after_rq(struct script_peer *peer)
{
    peer_send_request(peer, &two_contexts);
}

static void aborts_when_open(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_send_abort(peer, 0, 0);
    peer_expect_end(peer);
}

static void rq_twice(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_send_request(peer, &two_contexts);
    peer_expect(peer, PEER_ABORT);
}

static void begin_store(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_send_command(peer, &store_rq);
    peer_send_pdv(peer, 1, 0, "half of it", 10);
}

static void silent_in_store(struct script_peer *peer)
{
    begin_store(peer);
    peer_expect(peer, PEER_ABORT);
    peer_expect_end(peer);
}

static void silent_in_pdu(struct script_peer *peer)
{
    static const uint8_t half[] = {PEER_DATA, 0, 0, 0, 0, 100, 0, 0, 0, 96, 1, 0, 'x'};
    begin_store(peer);
    peer_send(peer, half, sizeof half);
    peer_expect(peer, PEER_ABORT);
}

/* One byte now and then: it moves, and the PDU never ends. */
static void trickles_in_pdu(struct script_peer *peer)
{
    static const uint8_t half[] = {PEER_DATA, 0, 0, 0, 0, 200, 0, 0, 0, 196, 1, 0, 'x'};
    begin_store(peer);
    peer_send(peer, half, sizeof half);
    for (unsigned i = 0; i < 100 && peer_send(peer, "y", 1); i++)
        peer_sleep(40);
    peer_expect_end(peer);
}

static void silent_in_header(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_send(peer, "\4\0\0", 3);
    peer_expect(peer, PEER_ABORT);
}

static void closes_in_store(struct script_peer *peer)
{
    begin_store(peer);
}

static void resets_in_store(struct script_peer *peer)
{
    begin_store(peer);
    peer_sleep(30);
    peer_reset(peer);
}

static void releases_in_store(struct script_peer *peer)
{
    begin_store(peer);
    peer_release(peer);
}

static void command_in_store(struct script_peer *peer)
{
    begin_store(peer);
    peer_send_command(peer, &store_rq);
    peer_expect(peer, PEER_ABORT);
}

static void does_not_close(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_release(peer);
    peer_expect_end(peer);
}

/* Asks and asks, and never reads an answer. */
static void never_reads(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    const struct peer_command echo = {
        .context_id = 3, .field = 0x0030, .message_id = 1, .class_uid = DICOMNET_UID_VERIFICATION};
    while (peer_send_command(peer, &echo))
        ;
}

static const struct half_way {
    const char *what;
    void (*script)(struct script_peer *peer);
    unsigned cancelled;
    enum dicomnet_association_end_kind kind;
    int error; /* 1: any but 0 */
} half_ways[] = {
    {"says nothing", says_nothing, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_ACSE},
    {"half a request", half_a_request, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_ACSE},
    {"garbage", garbage, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PEER_SPEAKS_HTTP},
    {"TLS", client_hello, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PEER_SPEAKS_TLS},
    {"a trickle in a PDU", trickles_in_pdu, 1, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"RQ too long", rq_too_long, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_TOO_LONG},
    {"RQ malformed", rq_malformed, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_MALFORMED},
    {"FIN at once", closes_at_once, 0, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_PEER_CLOSED},
    {"RST at once", resets_at_once, 0, DICOMNET_ASSOCIATION_LOST, UV_ECONNRESET},
    {"FIN after RQ", closes_after_rq, 0, DICOMNET_ASSOCIATION_LOST, 1},
    {"abort when open", aborts_when_open, 0, DICOMNET_ASSOCIATION_ABORTED_BY_PEER, DICOMNET_ERROR_ABORTED},
    {"RQ twice", rq_twice, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PDU_UNEXPECTED},
    {"silent in a store", silent_in_store, 1, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"silent in a PDU", silent_in_pdu, 1, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"silent in a header", silent_in_header, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_TIMEOUT_NETWORK},
    {"FIN in a store", closes_in_store, 1, DICOMNET_ASSOCIATION_LOST, 1},
    {"RST in a store", resets_in_store, 1, DICOMNET_ASSOCIATION_LOST, UV_ECONNRESET},
    {"release in a store", releases_in_store, 1, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"command in a store", command_in_store, 1, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_DIMSE_UNEXPECTED},
    {"does not close", does_not_close, 0, DICOMNET_ASSOCIATION_RELEASED, 0},
    {"never reads", never_reads, 0, DICOMNET_ASSOCIATION_ABORTED_BY_US, 1},
};

Test(acceptor, users_that_stop_half_way, .timeout = 4 * FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof half_ways / sizeof half_ways[0]; i++) {
        const struct half_way *row = &half_ways[i];
        struct server server = {0};
        uint64_t ms = serve_one(&server, row->script, row->what);
        cr_expect_eq(server.ended, 0, "%s", row->what);
        cr_expect_eq(server.cancelled, row->cancelled, "%s: cancelled %u times", row->what, server.cancelled);
        cr_expect_eq(server.begun, row->cancelled, "%s", row->what);
        cr_expect_eq(server.end.kind, row->kind, "%s: kind %d", row->what, server.end.kind);
        if (row->error == 1)
            cr_expect_neq(server.end.error, 0, "%s", row->what);
        else
            cr_expect_eq(server.end.error, row->error, "%s: %s", row->what, dicomnet_error_text(server.end.error));
        /* far below the timeouts by default */
        cr_expect_leq(ms, FIXTURE_PATIENCE_MS, "%s: took %u ms", row->what, (unsigned)ms);
    }
}

/* A user that stays silent between messages is left alone; a store that is longer than the timeout but moves, too. */
static void takes_its_time(struct script_peer *peer)
{
    peer_open(peer, &two_contexts);
    peer_sleep(600);
    peer_send_command(peer, &store_rq);
    for (int i = 0; i < 8; i++) {
        peer_sleep(100);
        peer_send_pdv(peer, 1, i == 7 ? 2 : 0, "ten bytes.", 10);
    }
    expect_response(peer, 0x8001, 0);
    peer_sleep(600);
    peer_release(peer);
}

static void many_at_once(struct script_peer *peer)
{
    struct peer_request request = two_contexts;
    request.window = 8;
    peer_open(peer, &request);
    if (peer->window != 4)
        peer_fail(peer, "the window granted is %u", peer->window);
    for (unsigned i = 1; i <= 4; i++) {
        struct peer_command command = store_rq;
        command.message_id = (uint16_t)i;
        peer_send_command(peer, &command);
        send_data(peer, 5000, 3000);
    }
    for (unsigned i = 1; i <= 4; i++) {
        expect_response(peer, 0x8001, 0);
        if (peer->message.message_id_responded != i)
            peer_fail(peer, "response to %u comes as number %u", peer->message.message_id_responded, i);
    }
    peer_release(peer);
}

static const struct whole_way {
    const char *what;
    void (*script)(struct script_peer *peer);
    uint32_t response_delay_ms;
    unsigned ended; /* stores */
    uint64_t len;   /* of the last */
    uint16_t window;
    uint64_t ms_min, ms_max; /* that it takes */
} whole_ways[] = {
    {"takes its time", takes_its_time, 0, 1, 80, 1, 2000, FIXTURE_PATIENCE_MS},
    {"window", many_at_once, 0, 4, 5000, 4, 0, FIXTURE_PATIENCE_MS},
    {"window, delayed", many_at_once, 150, 4, 5000, 4, 150, 1500},
};

Test(acceptor, users_that_go_the_whole_way, .timeout = 2 * FIXTURE_TIMEOUT_S)
{
    for (size_t i = 0; i < sizeof whole_ways / sizeof whole_ways[0]; i++) {
        const struct whole_way *row = &whole_ways[i];
        struct server server = {.response_delay_ms = row->response_delay_ms};
        uint64_t ms = serve_one(&server, row->script, row->what);
        cr_expect_eq(server.ended, row->ended, "%s", row->what);
        cr_expect_eq(server.len, row->len, "%s", row->what);
        cr_expect_eq(server.window, row->window, "%s", row->what);
        cr_expect_geq(ms, row->ms_min, "%s: took %u ms", row->what, (unsigned)ms);
        cr_expect_leq(ms, row->ms_max, "%s: took %u ms", row->what, (unsigned)ms);
    }
}

/* ---- the acceptor alone ---- */

Test(acceptor, port_in_use, .timeout = FIXTURE_TIMEOUT_S)
{
    struct fixture fixture;
    struct dicomnet_acceptor *first, *second;
    struct dicomnet_acceptor_options options = server_options();
    fixture_begin(&fixture);
    cr_assert_eq(dicomnet_acceptor_open(&first, &fixture.loop, &options, &acceptor_handler, NULL), 0);
    options.port = dicomnet_acceptor_port(first);
    cr_expect_eq(dicomnet_acceptor_open(&second, &fixture.loop, &options, &acceptor_handler, NULL), UV_EADDRINUSE);
    options.bind_address = "not an address";
    cr_expect_lt(dicomnet_acceptor_open(&second, &fixture.loop, &options, &acceptor_handler, NULL), 0);
    dicomnet_acceptor_close(first);
    fixture_run(&fixture);
    fixture_end(&fixture);
}
