/*
 * Associations over TLS, both sides of them on one loop: what goes through, what is told when it does not, and a line
 * that is cut at any byte.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "dicomnet/acceptor.h"
#include "dicomnet/storage.h"
#include "dicomnet/tls.h"
#include "fixture.h"

enum { STORES_MAX = 16, CUTS = 3000, CHUNK = 64 * 1024 };

/* ---- certificates ---- */

static char folder[CERTIFICATE_PATH_SIZE];
static struct identity *root, *identity;
static const char *root_file, *own_file, *own_key;

static void begin(void)
{
    certificates_begin(folder);
    root = identity_make(&(struct identity_spec){.name = "Root", .authority = true});
    identity =
        identity_make(&(struct identity_spec){.name = "pacs", .issuer = root, .alternative_names = "IP:127.0.0.1"});
    root_file = identity_write_certificate(root, folder, "root.pem", NULL);
    own_file = identity_write_certificate(identity, folder, "own.pem", NULL);
    own_key = identity_write_key(identity, folder, "own.key", NULL);
}

static void end(void)
{
    identity_free(root);
    identity_free(identity);
    certificates_end(folder);
}

TestSuite(tls_association, .init = begin, .fini = end, .timeout = 400);

static struct dicomnet_tls *make_server(enum dicomnet_tls_client client)
{
    return certificates_use((struct dicomnet_tls_options){.server = true,
                                                          .certificate = own_file,
                                                          .key = own_key,
                                                          .client = client,
                                                          .ca = client != DICOMNET_TLS_CLIENT_ANY ? root_file : NULL});
}

/* ---- a relay that is cut ---- */

struct relay {
    uv_tcp_t listener, sides[2]; /* the requestor's, the acceptor's */
    uv_connect_t connect;
    unsigned connected;         /* sides */
    uint64_t passed, cut_after; /* bytes, both ways together; 0 = is not cut */
    bool cut;
    char bytes[CHUNK];
};

static void cut_relay(struct relay *relay)
{
    if (relay->cut)
        return;
    relay->cut = true;
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&relay->sides[i], NULL);
    uv_close((uv_handle_t *)&relay->listener, NULL);
}

static void give_relay_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct relay *relay = handle->data;
    *ret_buffer = uv_buf_init(relay->bytes, sizeof relay->bytes);
}

static void pass_on(uv_stream_t *from, ssize_t len, const uv_buf_t *buffer)
{
    struct relay *relay = from->data;
    uv_stream_t *to = (uv_stream_t *)(from == (uv_stream_t *)&relay->sides[0] ? &relay->sides[1] : &relay->sides[0]);
    uint64_t left = relay->cut_after > 0 ? relay->cut_after - relay->passed : UINT64_MAX;
    if (len > 0) {
        uv_buf_t passed = uv_buf_init(buffer->base, (unsigned)((uint64_t)len < left ? (uint64_t)len : left));
        relay->passed += passed.len;
        if (uv_try_write(to, &passed, 1) == (int)passed.len && passed.len < left)
            return;
    }
    if (len != 0)
        cut_relay(relay);
}

static void begin_to_pass(struct relay *relay)
{
    if (++relay->connected < 2)
        return;
    for (int i = 0; i < 2; i++)
        uv_read_start((uv_stream_t *)&relay->sides[i], give_relay_room, pass_on);
}

static void on_relay_connected(uv_connect_t *connect, int status)
{
    struct relay *relay = connect->data;
    cr_assert_eq(status, 0);
    begin_to_pass(relay);
}

static void on_relay_connection(uv_stream_t *listener, int status)
{
    struct relay *relay = listener->data;
    cr_assert_eq(status, 0);
    cr_assert_eq(uv_accept(listener, (uv_stream_t *)&relay->sides[0]), 0);
    begin_to_pass(relay);
}

static uint16_t relay_begin(struct relay *relay, uv_loop_t *loop, uint16_t port)
{
    struct sockaddr_in address;
    int len = sizeof address;
    uv_tcp_t *all[] = {&relay->listener, &relay->sides[0], &relay->sides[1]};
    for (int i = 0; i < 3; i++) {
        uv_tcp_init(loop, all[i]);
        all[i]->data = relay;
    }
    relay->connect.data = relay;
    uv_ip4_addr("127.0.0.1", port, &address);
    cr_assert_eq(uv_tcp_connect(&relay->connect, &relay->sides[1], (struct sockaddr *)&address, on_relay_connected), 0);
    uv_ip4_addr("127.0.0.1", 0, &address);
    cr_assert_eq(uv_tcp_bind(&relay->listener, (struct sockaddr *)&address, 0), 0);
    cr_assert_eq(uv_listen((uv_stream_t *)&relay->listener, 1, on_relay_connection), 0);
    cr_assert_eq(uv_tcp_getsockname(&relay->listener, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

/* ---- both sides ---- */

struct talk {
    struct fixture fixture;
    struct dicomnet_acceptor *acceptor;
    struct dicomnet_tls *to, *from; /* NULL: in clear */
    struct relay *relay;            /* NULL: none */
    uint16_t window;
    unsigned wanted;
    uint64_t len; /* of each instance */

    struct dicomnet_store stores[STORES_MAX];
    struct numbers_source sources[STORES_MAX];
    unsigned begun, done, stored, opened, closed;
    struct dicomnet_association_end end, server_end; /* as each side saw it */
    char tls_text[80], server_tls_text[80];

    unsigned kept; /* by the server, whole */
    uint64_t kept_len;
    uint32_t kept_hash;
    unsigned server_closed;
};

static void copy_text(char *ret_text, size_t size, const struct dicomnet_association *association)
{
    const char *text = dicomnet_association_tls_text(association);
    snprintf(ret_text, size, "%s", text != NULL ? text : "clear");
}

static void finish(struct talk *talk)
{
    if (talk->closed == 0 || talk->server_closed == 0)
        return;
    dicomnet_acceptor_close(talk->acceptor);
    if (talk->relay != NULL)
        cut_relay(talk->relay);
}

/* ---- the acceptor's side ---- */

static uint16_t sink_begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                           const struct dicomnet_dimse_command *request)
{
    (void)context_id;
    (void)request;
    struct talk *talk = context;
    copy_text(talk->server_tls_text, sizeof talk->server_tls_text, association);
    talk->kept_len = talk->kept_hash = 0;
    return 0;
}

static void sink_bytes(void *context, struct dicomnet_span bytes)
{
    struct talk *talk = context;
    talk->kept_len += bytes.len;
    talk->kept_hash = script_hash(talk->kept_hash, bytes.data, bytes.len);
}

static uint16_t sink_end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    (void)ret_comment;
    struct talk *talk = context;
    talk->kept++;
    cr_expect_eq(talk->kept_len, talk->len);
    return 0;
}

static void sink_closed(void *context, const struct dicomnet_association_end *server_end)
{
    struct talk *talk = context;
    talk->server_closed++;
    talk->server_end = *server_end;
    finish(talk);
}

static const struct dicomnet_storage_sink sink = {
    .begin = sink_begin, .bytes = sink_bytes, .end = sink_end, .closed = sink_closed};

static const struct dicomnet_association_handler *on_connection(void *user, void **ret_user)
{
    struct talk *talk = user;
    const struct dicomnet_storage_provider_options options = {
        .size = sizeof(struct dicomnet_storage_provider_options), .sink = &sink, .context = talk};
    struct dicomnet_storage_provider *provider;
    cr_assert_eq(dicomnet_storage_provider_create(&provider, &talk->fixture.loop, &options), 0);
    *ret_user = provider;
    return &dicomnet_storage_provider_handler;
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connection};

/* ---- the requestor's side ---- */

static void on_opened(struct dicomnet_storage_user *user, void *context)
{
    struct talk *talk = context;
    talk->opened++;
    copy_text(talk->tls_text, sizeof talk->tls_text, dicomnet_storage_user_association(user));
}

static void on_ready(struct dicomnet_storage_user *user, void *context)
{
    struct talk *talk = context;
    while (talk->begun < talk->wanted && dicomnet_storage_user_can_store(user)) {
        unsigned i = talk->begun++;
        talk->stores[i] = (struct dicomnet_store){.context_id = 1,
                                                  .class_uid = FIXTURE_CLASS,
                                                  .instance_uid = "1.2.3",
                                                  .source = numbers_source_init(&talk->sources[i], talk->len)};
        cr_assert_eq(dicomnet_storage_user_store(user, &talk->stores[i]), 0);
    }
}

static void on_done(struct dicomnet_storage_user *user, void *context, struct dicomnet_store *store)
{
    struct talk *talk = context;
    talk->done++;
    talk->stored += store->answered && store->status == 0;
    cr_expect_leq(talk->stored, talk->kept, "stored, and not kept");
    if (talk->done == talk->wanted)
        dicomnet_storage_user_release(user);
}

static void on_closed(struct dicomnet_storage_user *user, void *context, const struct dicomnet_association_end *how)
{
    (void)user;
    struct talk *talk = context;
    talk->closed++;
    talk->end = *how;
    finish(talk);
}

static const struct dicomnet_storage_user_handler user_handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

static void play(struct talk *talk)
{
    struct dicomnet_storage_user *user;
    const struct dicomnet_acceptor_options acceptor_options = {
        .size = sizeof acceptor_options,
        .bind_address = "127.0.0.1",
        .association = {.ae = "TESTED",
                        .window = 4,
                        .tls = talk->from,
                        .timeouts = {.acse_ms = 3000, .network_ms = 3000, .release_ms = 3000}}};
    fixture_begin(&talk->fixture);
    cr_assert_eq(
        dicomnet_acceptor_open(&talk->acceptor, &talk->fixture.loop, &acceptor_options, &acceptor_handler, talk), 0);
    uint16_t port = dicomnet_acceptor_port(talk->acceptor);
    struct dicomnet_association_options options =
        fixture_options(talk->relay != NULL ? relay_begin(talk->relay, &talk->fixture.loop, port) : port);
    options.parameters.window = talk->window;
    options.parameters.tls = talk->to;
    options.parameters.timeouts = dicomnet_association_default_timeouts;
    cr_assert_eq(dicomnet_storage_user_open(&user, &talk->fixture.loop, &options, &user_handler, talk), 0);
    fixture_run(&talk->fixture);
    fixture_end(&talk->fixture);
    cr_expect_eq(talk->closed, 1);
    cr_expect_eq(talk->server_closed, 1);
    cr_expect_eq(talk->done, talk->begun);
    dicomnet_tls_destroy(talk->to);
    dicomnet_tls_destroy(talk->from);
}

/* ---- tests ---- */

Test(tls_association, stores_whole_instances)
{
    const uint64_t lens[] = {10, 16384, 200001, 5000000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        for (uint16_t window = 1; window <= 4; window += 3) {
            struct talk talk = {.to = certificates_use((struct dicomnet_tls_options){.ca = root_file}),
                                .from = make_server(DICOMNET_TLS_CLIENT_ANY),
                                .window = window,
                                .wanted = 5,
                                .len = lens[i]};
            play(&talk);
            cr_expect_eq(talk.stored, 5);
            cr_expect_eq(talk.kept_hash, numbers_hash(lens[i]));
            cr_expect_eq(talk.end.kind, DICOMNET_ASSOCIATION_RELEASED);
            cr_expect_eq(talk.server_end.kind, DICOMNET_ASSOCIATION_RELEASED);
            cr_expect_str_eq(talk.tls_text, "TLSv1.3 TLS_AES_128_GCM_SHA256");
            cr_expect_str_eq(talk.server_tls_text, talk.tls_text);
        }
    }
}

Test(tls_association, knows_clear_text_by_its_absence)
{
    struct talk talk = {.wanted = 1, .len = 10};
    play(&talk);
    cr_expect_eq(talk.stored, 1);
    cr_expect_str_eq(talk.tls_text, "clear");
}

static void expect_end(const char *what, struct talk *talk, enum dicomnet_association_end_kind kind, int error,
                       int server_error)
{
    talk->wanted = 1;
    play(talk);
    cr_expect_eq(talk->stored, 0, "%s", what);
    cr_expect_eq(talk->end.kind, kind, "%s: kind %d", what, talk->end.kind);
    cr_expect_eq(talk->end.error, error, "%s: %s", what, dicomnet_error_text(talk->end.error));
    cr_expect_eq(talk->server_end.error, server_error, "%s: %s", what, dicomnet_error_text(talk->server_end.error));
}

Test(tls_association, tells_why_there_is_none)
{
    struct talk name = {
        .to = certificates_use((struct dicomnet_tls_options){.ca = root_file, .server_name = "elsewhere"}),
        .from = make_server(DICOMNET_TLS_CLIENT_ANY)};
    expect_end("name", &name, DICOMNET_ASSOCIATION_NOT_CONNECTED, DICOMNET_ERROR_TLS_NAME,
               DICOMNET_ERROR_TLS_CERTIFICATE_REFUSED);
    cr_expect_str_eq(name.end.detail, "'127.0.0.1'");
    struct talk wanted = {.to = certificates_use((struct dicomnet_tls_options){.ca = root_file}),
                          .from = make_server(DICOMNET_TLS_CLIENT_REQUIRE)};
    expect_end("certificate", &wanted, DICOMNET_ASSOCIATION_LOST, DICOMNET_ERROR_TLS_CERTIFICATE_WANTED,
               DICOMNET_ERROR_TLS_NO_CERTIFICATE);
    struct talk clear = {.from = make_server(DICOMNET_TLS_CLIENT_ANY)};
    expect_end("in clear to TLS", &clear, DICOMNET_ASSOCIATION_ABORTED_BY_US, DICOMNET_ERROR_PEER_SPEAKS_TLS,
               DICOMNET_ERROR_PEER_SPEAKS_CLEAR);
    struct talk other = {.to = certificates_use((struct dicomnet_tls_options){.ca = root_file})};
    expect_end("TLS to clear", &other, DICOMNET_ASSOCIATION_NOT_CONNECTED, DICOMNET_ERROR_PEER_SPEAKS_CLEAR,
               DICOMNET_ERROR_PEER_SPEAKS_TLS);
}

static void say_nothing(struct script_peer *peer)
{
    uint8_t byte;
    while (peer_read(peer, &byte, 1))
        ;
}

Test(tls_association, waits_for_a_handshake_as_long_as_for_a_connection)
{
    struct talk talk = {.to = certificates_use((struct dicomnet_tls_options){.ca = root_file}), .wanted = 1};
    struct dicomnet_storage_user *user;
    fixture_begin(&talk.fixture);
    struct script_peer *peer = script_peer_listen(say_nothing, NULL);
    struct dicomnet_association_options options = fixture_options(peer->port);
    options.parameters.tls = talk.to;
    cr_assert_eq(dicomnet_storage_user_open(&user, &talk.fixture.loop, &options, &user_handler, &talk), 0);
    uint64_t ms = fixture_run(&talk.fixture);
    fixture_end_peer(peer, "silent");
    fixture_end(&talk.fixture);
    dicomnet_tls_destroy(talk.to);
    cr_expect_eq(talk.closed, 1);
    cr_expect_eq(talk.end.kind, DICOMNET_ASSOCIATION_NOT_CONNECTED);
    cr_expect_eq(talk.end.error, DICOMNET_ERROR_TIMEOUT_TLS);
    cr_expect(ms >= 550 && ms < 3000, "%u ms", (unsigned)ms);
}

/* Whatever byte is the last that gets through: what counts as stored was kept, and both sides know that it ended. */
Test(tls_association, cut_anywhere_stores_nothing_that_was_not_kept)
{
    static struct relay relay;
    unsigned opened = 0, stored = 0, released = 0;
    for (uint64_t cut = 1; cut <= CUTS; cut++) {
        memset(&relay, 0, sizeof relay);
        relay.cut_after = cut;
        struct talk talk = {.to = certificates_use((struct dicomnet_tls_options){.ca = root_file}),
                            .from = make_server(DICOMNET_TLS_CLIENT_ANY),
                            .relay = &relay,
                            .wanted = 1,
                            .len = 100};
        play(&talk);
        opened += talk.opened;
        stored += talk.stored;
        released += talk.end.kind == DICOMNET_ASSOCIATION_RELEASED;
        cr_assert(talk.stored <= talk.kept && talk.opened + (talk.end.kind != DICOMNET_ASSOCIATION_RELEASED) > 0,
                  "cut after %u", (unsigned)cut);
    }
    cr_expect(opened > 0 && opened < CUTS && stored > 0 && stored < opened && released < stored,
              "%u opened, %u stored, %u released: the cuts are not where they should be", opened, stored, released);
}
