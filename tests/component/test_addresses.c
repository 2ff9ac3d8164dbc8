/*
 * A host of several addresses: they are tried in turn, the next one a moment after the one before or as soon as that
 * has failed, and the first that answers is the one. All of 127.0.0.0/8 is this machine.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "net/address.h"
#include "net/address_race.h"
#include "scripts.h"

enum { ADDRESSES_MAX = 5, FILLERS = 3, LONG_MS = 15 * 1000 };

#define PEER     "127.0.0.1"
#define DEAF     "127.0.0.2" /* listens, and its queue is full: what is more is not answered */
#define NOBODY   "127.0.0.3"
#define NOBODY_6 "::1"

/* ---- what stands in for the C library ---- */

static const char *const *addresses_of_host;

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret_list)
{
    static union address places[ADDRESSES_MAX];
    static struct addrinfo list[ADDRESSES_MAX];
    for (size_t i = 0; i < ADDRESSES_MAX && addresses_of_host[i] != NULL; i++) {
        cr_assert_eq(address_parse(addresses_of_host[i], (uint16_t)atoi(service), &places[i]), 0);
        list[i] = (struct addrinfo){.ai_family = places[i].any.sa_family,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addr = &places[i].any,
                                    .ai_addrlen = sizeof places[i]};
        if (i > 0)
            list[i - 1].ai_next = &list[i];
    }
    *ret_list = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *list) {}

/* ---- the deaf one ---- */

struct deaf {
    int listener, fillers[FILLERS];
};

static void deaf_listen(struct deaf *deaf, uint16_t port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    cr_assert_eq(inet_pton(AF_INET, DEAF, &place.sin_addr), 1);
    deaf->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(deaf->listener, (struct sockaddr *)&place, sizeof place), 0);
    cr_assert_eq(listen(deaf->listener, 0), 0);
    for (size_t i = 0; i < FILLERS; i++) {
        deaf->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(deaf->fillers[i], (struct sockaddr *)&place, sizeof place);
    }
}

static void deaf_close(struct deaf *deaf)
{
    for (size_t i = 0; i < FILLERS; i++)
        close(deaf->fillers[i]);
    close(deaf->listener);
}

/* ---- the cases ---- */

struct record {
    unsigned opened, closed;
    struct dicomnet_association_end end;
};

static void on_opened(struct dicomnet_association *association, void *user)
{
    ((struct record *)user)->opened++;
    dicomnet_association_release(association);
}

static void on_closed(struct dicomnet_association *association, void *user, const struct dicomnet_association_end *end)
{
    struct record *record = user;
    record->closed++;
    record->end = *end;
}

static const struct dicomnet_association_handler handler = {.opened = on_opened, .closed = on_closed};

Test(addresses, are_tried_in_turn, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        const char *addresses[ADDRESSES_MAX];
        unsigned deaf_before; /* the one that answers: a moment each */
        int error;            /* if none does */
    } rows[] = {{{PEER, NOBODY}, 0, 0},
                {{NOBODY, PEER}, 0, 0},
                {{NOBODY_6, NOBODY, NOBODY_6, PEER}, 0, 0},
                {{DEAF, PEER}, 1, 0},
                {{PEER, DEAF}, 0, 0},
                {{DEAF, NOBODY, DEAF, DEAF, PEER}, 2, 0},
                {{NOBODY, NOBODY}, 0, -ECONNREFUSED},
                {{NOBODY_6, NOBODY, NOBODY}, 0, -ECONNREFUSED},
                {{DEAF, NOBODY}, 0, DICOMNET_ERROR_TIMEOUT_CONNECT},
                {{NOBODY, DEAF}, 0, DICOMNET_ERROR_TIMEOUT_CONNECT},
                {{DEAF, DEAF, DEAF}, 0, DICOMNET_ERROR_TIMEOUT_CONNECT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        struct record record = {0};
        struct dicomnet_association *association;
        struct deaf deaf;
        struct script_peer *peer = fixture_begin_with_peer(&fixture, script_serve, NULL);
        deaf_listen(&deaf, peer->port);
        addresses_of_host = rows[i].addresses;
        struct dicomnet_association_options options = fixture_options(peer->port);
        bool answers = rows[i].error == 0;
        options.parameters.host = "host.example";
        if (answers)
            options.parameters.timeouts.connect_ms = LONG_MS;
        cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &handler, &record), 0);
        uint64_t ms = fixture_run(&fixture); /* and nothing of those that did not win is left open */
        deaf_close(&deaf);
        fixture_end_peer(peer, "addresses");
        fixture_end(&fixture);

        cr_expect_eq(record.closed, 1, "row %zu", i);
        cr_expect_eq(record.opened, answers, "row %zu", i);
        cr_expect_eq(record.end.kind, answers ? DICOMNET_ASSOCIATION_RELEASED : DICOMNET_ASSOCIATION_NOT_CONNECTED,
                     "row %zu: %d", i, record.end.kind);
        cr_expect_eq(record.end.error, rows[i].error, "row %zu: %s", i, dicomnet_error_text(record.end.error));
        uint64_t least_ms = rows[i].deaf_before * ADDRESS_RACE_STAGGER_MS;
        if (rows[i].error == DICOMNET_ERROR_TIMEOUT_CONNECT)
            least_ms = options.parameters.timeouts.connect_ms;
        cr_expect(ms + 50 >= least_ms && ms < LONG_MS, "row %zu: %u ms", i, (unsigned)ms);
    }
}

/* From an address of ours the host's of the other family are passed over. */
Test(addresses, of_the_other_family, .timeout = FIXTURE_TIMEOUT_S)
{
    static const struct {
        const char *own, *addresses[ADDRESSES_MAX];
        int error;
    } rows[] = {{"127.0.0.9", {NOBODY_6, PEER}, 0},
                {"127.0.0.9", {NOBODY_6}, -EAFNOSUPPORT},
                {"192.0.2.1", {PEER, NOBODY_6}, -EADDRNOTAVAIL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        struct record record = {0};
        struct dicomnet_association *association;
        struct script_peer *peer = fixture_begin_with_peer(&fixture, script_serve, NULL);
        addresses_of_host = rows[i].addresses;
        struct dicomnet_association_options options = fixture_options(peer->port);
        options.parameters.host = "host.example";
        options.parameters.bind_address = rows[i].own;
        options.parameters.timeouts.connect_ms = LONG_MS;
        cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &handler, &record), 0);
        fixture_run(&fixture);
        fixture_end_peer(peer, "addresses");
        fixture_end(&fixture);
        cr_expect_eq(record.opened, rows[i].error == 0, "row %zu", i);
        cr_expect_eq(record.end.error, rows[i].error, "row %zu: %s", i, dicomnet_error_text(record.end.error));
    }
}
