/*
 * Look-ups on threads of their own: many at a time, answered, left before the answer, and left at the very moment it
 * comes. The system's look-up is replaced by one that takes as long as its host's name says: "sleep-MS".
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <uv.h>

#include "dicomnet/association.h"
#include "expect.h"
#include "net/resolver.h"

enum { WORKERS = 8, ROUNDS = 200, HANGING_MS = 60 * 1000 };

static atomic_int lists; /* that were given out and not freed */

/* ---- what stands in for the C library ---- */

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret_list)
{
    if (strncmp(name, "sleep-", 6) != 0)
        return strcmp(name, "unknown") == 0 ? EAI_NONAME : EAI_AGAIN;
    usleep((useconds_t)atoi(name + 6) * 1000);
    struct {
        struct addrinfo info;
        struct sockaddr_in in;
    } *list = calloc(1, sizeof *list);
    list->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(service))};
    list->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    list->info =
        (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&list->in, .ai_addrlen = sizeof list->in};
    atomic_fetch_add(&lists, 1);
    *ret_list = &list->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    atomic_fetch_sub(&lists, 1);
    free(list);
}

/* ---- one look-up ---- */

struct look_up {
    struct resolver *resolver;
    uv_timer_t patience;
    unsigned resolved, closed;
    int error;
    uint16_t port;
};

static void on_resolved(void *user, int error, struct addrinfo *addresses)
{
    struct look_up *look_up = user;
    look_up->resolved++;
    look_up->error = error;
    if (error == 0) {
        struct sockaddr_in in;
        memcpy(&in, addresses->ai_addr, sizeof in);
        look_up->port = ntohs(in.sin_port);
        freeaddrinfo(addresses);
    }
    uv_close((uv_handle_t *)&look_up->patience, NULL);
    resolver_close(look_up->resolver);
}

static void on_closed(void *user)
{
    ((struct look_up *)user)->closed++;
}

static const struct resolver_handler handler = {.resolved = on_resolved, .closed = on_closed};

static void on_patience_over(uv_timer_t *timer)
{
    struct look_up *look_up = timer->data;
    uv_close((uv_handle_t *)timer, NULL);
    resolver_close(look_up->resolver);
}

static void begin(struct look_up *look_up, uv_loop_t *loop, const char *host, unsigned patience_ms)
{
    *look_up = (struct look_up){0};
    REQUIRE(resolver_begin(&look_up->resolver, loop, host, 104, &handler, look_up) == 0, "%s", host);
    uv_timer_init(loop, &look_up->patience);
    look_up->patience.data = look_up;
    uv_timer_start(&look_up->patience, on_patience_over, patience_ms, 0);
}

static void end_loop(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    REQUIRE(uv_loop_close(loop) == 0, "a loop keeps something open");
}

/* ---- the cases ---- */

static void answers(void)
{
    static const struct {
        const char *host;
        int error;
    } rows[] = {{"sleep-0", 0},
                {"sleep-20", 0},
                {"unknown", DICOMNET_ERROR_HOST_UNKNOWN},
                {"busy", DICOMNET_ERROR_LOOKUP_FAILED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uv_loop_t loop;
        struct look_up look_up;
        uv_loop_init(&loop);
        begin(&look_up, &loop, rows[i].host, HANGING_MS);
        end_loop(&loop);
        EXPECT(look_up.resolved == 1 && look_up.closed == 1, "%s", rows[i].host);
        EXPECT(look_up.error == rows[i].error, "%s: %d", rows[i].host, look_up.error);
        EXPECT(look_up.error != 0 || look_up.port == 104, "%s: port %u", rows[i].host, look_up.port);
    }
}

/* It is left when its answer comes, a little before, a little after. */
static void left_at_any_moment(void)
{
    unsigned answered = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uv_loop_t loop;
        struct look_up look_up;
        uv_loop_init(&loop);
        begin(&look_up, &loop, "sleep-2", (unsigned)i % 5);
        end_loop(&loop);
        EXPECT(look_up.closed == 1 && look_up.resolved <= 1, "round %d", i);
        answered += look_up.resolved;
    }
    EXPECT(answered > 0 && answered < ROUNDS, "%u of %d were answered", answered, ROUNDS);
}

/* Eight workers, each with a loop, whose name server does not answer: all end when they want to. */
static void hang_once(void *argument)
{
    struct look_up *look_up = argument;
    uv_loop_t loop;
    uv_loop_init(&loop);
    begin(look_up, &loop, "sleep-60000", 50);
    end_loop(&loop);
}

static void workers_do_not_wait(void)
{
    uv_thread_t threads[WORKERS];
    struct look_up look_ups[WORKERS];
    uint64_t begun_ns = uv_hrtime();
    for (int i = 0; i < WORKERS; i++)
        REQUIRE(uv_thread_create(&threads[i], hang_once, &look_ups[i]) == 0, "no thread");
    for (int i = 0; i < WORKERS; i++) {
        uv_thread_join(&threads[i]);
        EXPECT(look_ups[i].closed == 1 && look_ups[i].resolved == 0, "worker %d", i);
    }
    EXPECT((uv_hrtime() - begun_ns) / 1000000 < HANGING_MS / 2, "they waited for the look-up");
}

/* An association over a name that hangs ends with its connect timeout, or when it is aborted; and the loop with it. */
struct visit {
    unsigned closed;
    struct dicomnet_association_end end;
};

static void on_association_closed(struct dicomnet_association *association, void *user,
                                  const struct dicomnet_association_end *end)
{
    struct visit *visit = user;
    (void)association;
    visit->closed++;
    visit->end = *end;
}

static const struct dicomnet_association_handler association_handler = {.closed = on_association_closed};

static void associations_do_not_wait(bool aborts)
{
    static const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = "1.2.840.10008.1.1", .syntax_count = 1, .syntaxes = {"1.2.840.10008.1.2"}};
    uv_loop_t loop;
    struct visit visit = {0};
    struct dicomnet_association *association;
    struct dicomnet_association_options options = DICOMNET_ASSOCIATION_OPTIONS_INIT;
    options.parameters = (struct dicomnet_association_parameters){.host = "sleep-60000",
                                                                  .port = 104,
                                                                  .called_ae = "PEER",
                                                                  .calling_ae = "TEST",
                                                                  .timeouts = {.connect_ms = aborts ? 0 : 100}};
    options.proposals = &proposal;
    options.proposal_count = 1;
    uv_loop_init(&loop);
    REQUIRE(dicomnet_association_open(&association, &loop, &options, &association_handler, &visit) == 0, "open");
    if (aborts)
        dicomnet_association_abort(association, DICOMNET_ERROR_ABORTED_LOCALLY);
    end_loop(&loop);
    EXPECT(visit.closed == 1, "it closed %u times", visit.closed);
    EXPECT(visit.end.error == (aborts ? DICOMNET_ERROR_ABORTED_LOCALLY : DICOMNET_ERROR_TIMEOUT_LOOKUP), "%s",
           dicomnet_error_text(visit.end.error));
}

/* Look-ups that were left count until they end: beyond the limit none begins, and that is said. */
static void has_a_limit(void)
{
    uv_loop_t loop;
    struct resolver *resolver;
    struct look_up look_up = {0};
    unsigned begun = 0;
    int error = 0;
    uv_loop_init(&loop);
    while (begun <= RESOLVER_THREADS_MAX &&
           (error = resolver_begin(&resolver, &loop, "sleep-60000", 104, &handler, &look_up)) == 0) {
        resolver_close(resolver);
        begun++;
    }
    end_loop(&loop);
    EXPECT(error == UV_EAGAIN, "%d", error);
    EXPECT(begun >= 64 && look_up.closed == begun && look_up.resolved == 0, "%u begun, %u closed", begun,
           look_up.closed);
}

int main(void)
{
    expect_begin(100);
    answers();
    left_at_any_moment();
    for (int i = 0; i < 100 && atomic_load(&lists) > 0; i++)
        usleep(20 * 1000);
    EXPECT(atomic_load(&lists) == 0, "%d answers were not freed", atomic_load(&lists));
    workers_do_not_wait();
    associations_do_not_wait(false);
    associations_do_not_wait(true);
    has_a_limit();
    return expect_end();
}
