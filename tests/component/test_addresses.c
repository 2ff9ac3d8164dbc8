/*
 * A host of several addresses: they are tried in turn, each has the whole connect timeout, and the first that answers
 * is the one. All of 127.0.0.0/8 is this machine.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "scripts.h"

enum { ADDRESSES_MAX = 2, FILLERS = 3 };

#define PEER   "127.0.0.1"
#define DEAF   "127.0.0.2" /* listens, and its queue is full: what is more is not answered */
#define NOBODY "127.0.0.3"

/* ---- what stands in for the C library ---- */

static const char *const *addresses_of_host;

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret_list)
{
    static struct sockaddr_in places[ADDRESSES_MAX];
    static struct addrinfo list[ADDRESSES_MAX];
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        places[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(service))};
        cr_assert_eq(inet_pton(AF_INET, addresses_of_host[i], &places[i].sin_addr), 1);
        list[i] = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addr = (struct sockaddr *)&places[i],
                                    .ai_addrlen = sizeof places[i],
                                    .ai_next = i + 1 < ADDRESSES_MAX ? &list[i + 1] : NULL};
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
        enum dicomnet_association_end_kind kind;
        int error;
        unsigned timeouts; /* that pass before it ends */
    } rows[] = {{{PEER, NOBODY}, DICOMNET_ASSOCIATION_RELEASED, 0, 0},
                {{NOBODY, PEER}, DICOMNET_ASSOCIATION_RELEASED, 0, 0},
                {{DEAF, PEER}, DICOMNET_ASSOCIATION_RELEASED, 0, 1},
                {{NOBODY, NOBODY}, DICOMNET_ASSOCIATION_NOT_CONNECTED, -ECONNREFUSED, 0},
                {{DEAF, NOBODY}, DICOMNET_ASSOCIATION_NOT_CONNECTED, -ECONNREFUSED, 1},
                {{NOBODY, DEAF}, DICOMNET_ASSOCIATION_NOT_CONNECTED, DICOMNET_ERROR_TIMEOUT_CONNECT, 1},
                {{DEAF, DEAF}, DICOMNET_ASSOCIATION_NOT_CONNECTED, DICOMNET_ERROR_TIMEOUT_CONNECT, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        struct record record = {0};
        struct dicomnet_association *association;
        struct deaf deaf;
        struct script_peer *peer = fixture_begin_with_peer(&fixture, script_serve, NULL);
        deaf_listen(&deaf, peer->port);
        addresses_of_host = rows[i].addresses;
        struct dicomnet_association_options options = fixture_options(peer->port);
        options.parameters.host = "host.example";
        cr_assert_eq(dicomnet_association_open(&association, &fixture.loop, &options, &handler, &record), 0);
        uint64_t ms = fixture_run(&fixture);
        deaf_close(&deaf);
        fixture_end_peer(peer, "addresses");
        fixture_end(&fixture);

        cr_expect_eq(record.closed, 1, "row %zu", i);
        cr_expect_eq(record.opened, rows[i].kind == DICOMNET_ASSOCIATION_RELEASED, "row %zu", i);
        cr_expect_eq(record.end.kind, rows[i].kind, "row %zu: %d", i, record.end.kind);
        cr_expect_eq(record.end.error, rows[i].error, "row %zu: %s", i, dicomnet_error_text(record.end.error));
        uint64_t least_ms = (uint64_t)rows[i].timeouts * options.parameters.timeouts.connect_ms;
        cr_expect(ms + 50 >= least_ms && ms < least_ms + 2000, "row %zu: %u ms", i, (unsigned)ms);
    }
}
