/*
 * What is asked of the system for a connection, as the sockets of either side have it; how long a P-DATA we send is;
 * and an acceptor that listens at several addresses.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dicomnet/acceptor.h"
#include "fixture.h"
#include "net/address.h"

enum { DESCRIPTORS_MAX = 200 };

/* What the system says of a socket. */
struct seen {
    int keepalive, idle_s, traffic_class, send_buffer, receive_buffer;
};

struct run {
    struct dicomnet_acceptor *acceptor;
    unsigned opened, accepted;
    struct seen own, theirs;
    uint32_t own_max_pdu, their_max_pdu;
    char peer[80]; /* as the acceptor sees it */
    struct dicomnet_association_end end;
};

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* The connected socket of this process whose own port, or whose peer's, is the acceptor's. */
static struct seen look(uint16_t port, bool accepted)
{
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        union address own, peer;
        socklen_t own_len = sizeof own, peer_len = sizeof peer;
        if (getsockname(fd, &own.any, &own_len) != 0 || getpeername(fd, &peer.any, &peer_len) != 0 ||
            (own.any.sa_family != AF_INET && own.any.sa_family != AF_INET6) ||
            address_port(accepted ? &own : &peer) != port)
            continue;
        bool v6 = own.any.sa_family == AF_INET6;
        return (struct seen){option_of(fd, SOL_SOCKET, SO_KEEPALIVE), option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
                             option_of(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS),
                             option_of(fd, SOL_SOCKET, SO_SNDBUF), option_of(fd, SOL_SOCKET, SO_RCVBUF)};
    }
    cr_assert_fail("no such socket");
    return (struct seen){0};
}

static void on_accepted_opened(struct dicomnet_association *association, void *user)
{
    struct run *run = user;
    run->accepted++;
    run->theirs = look(dicomnet_acceptor_port(run->acceptor), true);
    run->their_max_pdu = dicomnet_association_peer_max_pdu(association);
    snprintf(run->peer, sizeof run->peer, "%s", dicomnet_association_peer(association));
}

static void on_accepted_closed(struct dicomnet_association *association, void *user,
                               const struct dicomnet_association_end *end)
{
}

static const struct dicomnet_association_handler accepted_handler = {.opened = on_accepted_opened,
                                                                     .closed = on_accepted_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    *ret_user = user;
    return &accepted_handler;
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected};

static void on_opened(struct dicomnet_association *association, void *user)
{
    struct run *run = user;
    run->opened++;
    run->own = look(dicomnet_acceptor_port(run->acceptor), false);
    run->own_max_pdu = dicomnet_association_peer_max_pdu(association);
    dicomnet_association_release(association);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct run *run = user;
    run->end = *end;
    dicomnet_acceptor_close(run->acceptor);
}

static const struct dicomnet_association_handler handler = {.opened = on_opened, .closed = on_closed};

/* One association from open to released, at this address of the acceptor. */
static struct run run_once(const struct dicomnet_acceptor_options *listens, const char *host,
                           const struct dicomnet_association_options *asks)
{
    struct fixture fixture;
    struct run run = {0};
    struct dicomnet_association *association;
    fixture_begin(&fixture);
    int error = dicomnet_acceptor_open(&run.acceptor, &fixture.loop, listens, &acceptor_handler, &run);
    cr_assert_eq(error, 0, "%s: %s", host, dicomnet_error_text(error));
    struct dicomnet_association_options options = *asks;
    options.parameters.host = host;
    options.parameters.port = dicomnet_acceptor_port(run.acceptor);
    cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &handler, &run), 0);
    fixture_run(&fixture);
    fixture_end(&fixture);
    return run;
}

static struct dicomnet_acceptor_options listening_at(const char *address)
{
    struct dicomnet_acceptor_options options = DICOMNET_ACCEPTOR_OPTIONS_INIT;
    options.bind_address = address;
    options.association.timeouts = dicomnet_association_default_timeouts;
    return options;
}

Test(line, is_as_it_was_asked_for, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct dicomnet_association_line lines[] = {
        {0},
        {.keepalive_s = 77, .traffic_class = 184, .buffer_bytes = 40000},
        {.keepalive_s = DICOMNET_ASSOCIATION_KEEPALIVE_OFF, .traffic_class = 8},
        {.keepalive_s = DICOMNET_ASSOCIATION_KEEPALIVE_MAX_S}};
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2 * sizeof lines / sizeof lines[0]; i++) {
        const struct dicomnet_association_line *line = &lines[i / 2];
        struct dicomnet_acceptor_options listens = listening_at(hosts[i % 2]);
        struct dicomnet_association_options asks = fixture_options(1);
        listens.association.line = asks.parameters.line = *line;
        struct run run = run_once(&listens, hosts[i % 2], &asks);
        cr_assert(run.opened == 1 && run.accepted == 1, "row %zu: %s", i, dicomnet_error_text(run.end.error));
        const struct seen *both[] = {&run.own, &run.theirs};
        for (size_t k = 0; k < 2; k++) {
            bool on = line->keepalive_s != DICOMNET_ASSOCIATION_KEEPALIVE_OFF;
            int idle_s = line->keepalive_s == 0 ? DICOMNET_ASSOCIATION_KEEPALIVE_DEFAULT_S : (int)line->keepalive_s;
            cr_expect_eq(both[k]->keepalive, on, "row %zu, side %zu", i, k);
            cr_expect(!on || both[k]->idle_s == idle_s, "row %zu, side %zu: %d s", i, k, both[k]->idle_s);
            cr_expect_eq(both[k]->traffic_class, (int)line->traffic_class, "row %zu, side %zu: %d", i, k,
                         both[k]->traffic_class);
            if (line->buffer_bytes == 0)
                continue;
            /* Linux doubles what is asked for, to have room for its own. */
            cr_expect_eq(both[k]->send_buffer, 2 * (int)line->buffer_bytes, "row %zu, side %zu: %d", i, k,
                         both[k]->send_buffer);
            cr_expect_eq(both[k]->receive_buffer, 2 * (int)line->buffer_bytes, "row %zu, side %zu: %d", i, k,
                         both[k]->receive_buffer);
        }
    }
}

Test(line, no_pdu_is_longer_than_was_asked_for, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        uint32_t own, theirs_advertised, used;
    } rows[] = {{0, 0, 128 * 1024}, {4096, 0, 4096}, {20000, 16384, 16384}, {5000, 16384, 5000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dicomnet_acceptor_options listens = listening_at("127.0.0.1");
        struct dicomnet_association_options asks = fixture_options(1);
        asks.parameters.max_pdu_len = listens.association.max_pdu_len = rows[i].theirs_advertised;
        asks.parameters.max_send_pdu_len = listens.association.max_send_pdu_len = rows[i].own;
        struct run run = run_once(&listens, "127.0.0.1", &asks);
        cr_expect_eq(run.own_max_pdu, rows[i].used, "row %zu: %u", i, run.own_max_pdu);
        cr_expect_eq(run.their_max_pdu, rows[i].used, "row %zu: %u", i, run.their_max_pdu);
    }
}

Test(line, an_acceptor_listens_at_several_addresses, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        const char *address, *more[2];
        const char *host, *peer; /* whom it sees */
        int error;
    } rows[] = {{"127.0.0.1", {"127.0.0.2", "::1"}, "127.0.0.1", "127.0.0.1:", 0},
                {"127.0.0.1", {"127.0.0.2", "::1"}, "127.0.0.2", "127.0.0.1:", 0},
                {"127.0.0.1", {"127.0.0.2", "::1"}, "::1", "[::1]:", 0},
                {"127.0.0.1", {"127.0.0.2", "::1"}, "127.0.0.3", NULL, -ECONNREFUSED},
                {"0.0.0.0", {NULL}, "127.0.0.3", "127.0.0.1:", 0},
                {"0.0.0.0", {NULL}, "::1", NULL, -ECONNREFUSED},
                {"::", {NULL}, "::1", "[::1]:", 0},
                {"::", {NULL}, "127.0.0.3", "127.0.0.1:", 0},
                {"::", {"0.0.0.0"}, "::1", "[::1]:", 0},
                {"::", {"0.0.0.0"}, "127.0.0.3", "127.0.0.1:", 0},
                {"::", {"127.0.0.2"}, "127.0.0.2", "127.0.0.1:", 0},
                {"::", {"127.0.0.2"}, "127.0.0.3", NULL, -ECONNREFUSED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dicomnet_acceptor_options listens = listening_at(rows[i].address);
        struct dicomnet_association_options asks = fixture_options(1);
        listens.more_addresses = rows[i].more;
        listens.more_address_count = (rows[i].more[0] != NULL) + (rows[i].more[1] != NULL);
        struct run run = run_once(&listens, rows[i].host, &asks);
        cr_expect_eq(run.opened, rows[i].error == 0, "row %zu", i);
        cr_expect_eq(run.end.error, rows[i].error, "row %zu: %s", i, dicomnet_error_text(run.end.error));
        if (rows[i].peer != NULL)
            cr_expect_eq(strncmp(run.peer, rows[i].peer, strlen(rows[i].peer)), 0, "row %zu: %s", i, run.peer);
    }
}

Test(line, an_acceptor_listens_at_all_of_its_addresses_or_not_at_all)
{
    static const char *const no_address[] = {"127.0.0.1", "localhost"}, *const not_ours[] = {"192.0.2.1"},
                             *const twice[] = {"127.0.0.1"};
    const struct {
        const char *const *more;
        size_t count;
        int error;
    } rows[] = {{no_address, 2, -EINVAL},
                {not_ours, 1, -EADDRNOTAVAIL},
                {twice, 1, -EADDRINUSE},
                {not_ours, DICOMNET_ACCEPTOR_ADDRESSES_MAX, -EINVAL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        struct dicomnet_acceptor *acceptor;
        struct dicomnet_acceptor_options listens = listening_at("127.0.0.1");
        listens.more_addresses = rows[i].more;
        listens.more_address_count = rows[i].count;
        fixture_begin(&fixture);
        int error = dicomnet_acceptor_open(&acceptor, &fixture.loop, &listens, &acceptor_handler, NULL);
        cr_expect_eq(error, rows[i].error, "row %zu: %s", i, dicomnet_error_text(error));
        if (error == 0)
            dicomnet_acceptor_close(acceptor);
        fixture_run(&fixture);
        fixture_end(&fixture);
    }
}
