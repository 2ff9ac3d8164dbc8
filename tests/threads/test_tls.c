/*
 * One TLS for all threads: each has a loop, an acceptor and one association after another of its own, and they share
 * what the associations are made with, sessions that are resumed among it. Some are refused.
 */
#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "certificates.h"
#include "dicomnet/acceptor.h"
#include "dicomnet/storage.h"
#include "dicomnet/tls.h"
#include "dicomnet/verification.h"
#include "expect.h"

enum { THREADS = 6, ECHOES = 40, REFUSED_EVERY = 5 };

static struct dicomnet_tls *to, *from, *stranger; /* who trusts nobody */

struct side {
    uv_thread_t thread;
    uv_loop_t loop;
    struct dicomnet_acceptor *acceptor;
    struct dicomnet_association_options options;
    unsigned asked, answered, refused;
};

static uint16_t sink_begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                           const struct dicomnet_dimse_command *request)
{
    return 0;
}

static void sink_bytes(void *context, struct dicomnet_span bytes) {}

static uint16_t sink_end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    return 0;
}

static const struct dicomnet_storage_sink sink = {.begin = sink_begin, .bytes = sink_bytes, .end = sink_end};

static const struct dicomnet_association_handler *on_connection(void *user, void **ret_user)
{
    struct side *side = user;
    const struct dicomnet_storage_provider_options options = {
        .size = sizeof(struct dicomnet_storage_provider_options), .sink = &sink, .context = side};
    struct dicomnet_storage_provider *provider;
    REQUIRE(dicomnet_storage_provider_create(&provider, &side->loop, &options) == 0, "no provider");
    *ret_user = provider;
    return &dicomnet_storage_provider_handler;
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connection};

static void ask(struct side *side);

static void on_answer(void *user, const struct dicomnet_verification_result *result)
{
    struct side *side = user;
    side->answered += result->error == 0;
    side->refused += result->end.error == DICOMNET_ERROR_TLS_UNTRUSTED;
    if (side->asked < ECHOES)
        ask(side);
    else
        dicomnet_acceptor_close(side->acceptor);
}

static void ask(struct side *side)
{
    struct dicomnet_verification *verification;
    side->options.parameters.tls = side->asked % REFUSED_EVERY == 0 ? stranger : to;
    side->asked++;
    REQUIRE(dicomnet_verification_echo(&verification, &side->loop, &side->options, on_answer, side) == 0, "no echo");
}

static void run_side(void *user)
{
    struct side *side = user;
    const struct dicomnet_acceptor_options acceptor = {
        .size = sizeof acceptor,
        .bind_address = "127.0.0.1",
        .association = {.tls = from, .timeouts = dicomnet_association_default_timeouts}};
    REQUIRE(uv_loop_init(&side->loop) == 0, "no loop");
    REQUIRE(dicomnet_acceptor_open(&side->acceptor, &side->loop, &acceptor, &acceptor_handler, side) == 0,
            "no acceptor");
    side->options =
        (struct dicomnet_association_options){.size = sizeof side->options,
                                              .parameters = {.host = "127.0.0.1",
                                                             .port = dicomnet_acceptor_port(side->acceptor),
                                                             .called_ae = "SERVER",
                                                             .calling_ae = "CLIENT",
                                                             .timeouts = dicomnet_association_default_timeouts}};
    ask(side);
    uv_run(&side->loop, UV_RUN_DEFAULT);
    EXPECT(uv_loop_close(&side->loop) == 0, "the loop is not empty");
}

static struct dicomnet_tls *make(struct dicomnet_tls_options options)
{
    struct dicomnet_tls *tls;
    char why[DICOMNET_TLS_WHY_SIZE];
    options.size = sizeof options;
    REQUIRE(dicomnet_tls_create(&tls, &options, why) == 0, "%s", why);
    return tls;
}

int main(void)
{
    static struct side sides[THREADS];
    char folder[CERTIFICATE_PATH_SIZE];
    alarm(110);
    signal(SIGPIPE, SIG_IGN);
    certificates_begin(folder);
    struct identity *root = identity_make(&(struct identity_spec){.name = "Root", .authority = true});
    struct identity *own =
        identity_make(&(struct identity_spec){.name = "pacs", .issuer = root, .alternative_names = "IP:127.0.0.1"});
    const char *own_file = identity_write_certificate(own, folder, "own.pem", NULL);
    to = make((struct dicomnet_tls_options){.ca = identity_write_certificate(root, folder, "root.pem", NULL)});
    from = make((struct dicomnet_tls_options){
        .server = true, .certificate = own_file, .key = identity_write_key(own, folder, "own.key", NULL)});
    struct identity *other = identity_make(&(struct identity_spec){.name = "Other", .authority = true});
    stranger = make((struct dicomnet_tls_options){.ca = identity_write_certificate(other, folder, "other.pem", NULL)});
    for (int i = 0; i < THREADS; i++)
        REQUIRE(uv_thread_create(&sides[i].thread, run_side, &sides[i]) == 0, "no thread");
    for (int i = 0; i < THREADS; i++) {
        uv_thread_join(&sides[i].thread);
        EXPECT(sides[i].refused == ECHOES / REFUSED_EVERY, "%u", sides[i].refused);
        EXPECT(sides[i].answered == ECHOES - ECHOES / REFUSED_EVERY, "%u", sides[i].answered);
    }
    dicomnet_tls_destroy(to);
    dicomnet_tls_destroy(from);
    dicomnet_tls_destroy(stranger);
    identity_free(root);
    identity_free(own);
    identity_free(other);
    certificates_end(folder);
    return expect_failures > 0;
}
