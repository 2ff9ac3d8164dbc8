/* dial - see dial.h. */
#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "dicomnet/association.h"
#include "net/address_race.h"
#include "net/line.h"
#include "net/resolver.h"

/* An address, and the socket that is to connect to it. */
struct attempt {
    uv_tcp_t stream; /* the first: a handle is its attempt */
    uv_connect_t connect;
    union address address;
    struct dial *dial;
    bool open; /* `stream` is, and not being closed */
};

struct dial {
    uv_loop_t *loop;
    struct resolver *resolver; /* NULL: it was an address, or the resolver is closed or being closed */
    uv_timer_t stagger;
    struct attempt *attempts; /* owned; in the order in which they are made; NULL while the addresses are not known */
    struct address_race race;
    union address local; /* to connect from; none: the system chooses */
    struct dicomnet_association_line line;
    uint32_t timeout_ms;
    unsigned closes_owed; /* of resolver, timer and attempts */
    bool is_done, closing;
    const struct dial_handler *handler;
    void *user;
};

static void go_on(struct dial *dial);

/* ---- closing ---- */

static void count_closed(struct dial *dial)
{
    assert(dial->closes_owed > 0);
    if (--dial->closes_owed > 0 || !dial->closing)
        return;
    dial->handler->closed(dial->user);
    free(dial->attempts);
    free(dial);
}

static void on_stagger_closed(uv_handle_t *handle)
{
    count_closed(handle->data);
}

static void on_attempt_closed(uv_handle_t *handle)
{
    count_closed(((struct attempt *)handle)->dial);
}

static void on_resolver_closed(void *user)
{
    count_closed(user);
}

static void close_attempt(struct attempt *attempt)
{
    if (!attempt->open)
        return;
    attempt->open = false;
    uv_close((uv_handle_t *)&attempt->stream, on_attempt_closed);
}

static void close_attempts_but(struct dial *dial, const struct attempt *kept)
{
    for (unsigned i = 0; i < dial->race.started; i++)
        if (&dial->attempts[i] != kept)
            close_attempt(&dial->attempts[i]);
}

static void close_resolver(struct dial *dial)
{
    if (dial->resolver != NULL)
        resolver_close(dial->resolver);
    dial->resolver = NULL;
}

void dial_close(struct dial *dial)
{
    assert(!dial->closing);
    dial->closing = true;
    close_resolver(dial);
    close_attempts_but(dial, NULL);
    uv_close((uv_handle_t *)&dial->stagger, on_stagger_closed);
}

/* ---- trying ---- */

static void finish(struct dial *dial, int error, struct attempt *winner)
{
    dial->is_done = true;
    uv_timer_stop(&dial->stagger);
    close_attempts_but(dial, winner);
    dial->handler->done(dial->user, error, winner != NULL ? &winner->stream : NULL,
                        winner != NULL ? &winner->address : NULL);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct attempt *attempt = connect->data;
    struct dial *dial = attempt->dial;
    if (!attempt->open || dial->is_done)
        return; /* being closed */
    if (status == 0) {
        finish(dial, 0, attempt);
        return;
    }
    close_attempt(attempt);
    address_race_failed(&dial->race, status);
    go_on(dial);
}

static int connect_from(const struct dial *dial, struct attempt *attempt)
{
    bool asks = line_asks(&dial->line);
    int error = uv_tcp_init_ex(dial->loop, &attempt->stream, asks ? attempt->address.any.sa_family : AF_UNSPEC);
    if (error != 0)
        return error; /* there is no socket, and no handle */
    attempt->open = true;
    attempt->connect.data = attempt;
    if (asks && (error = line_prepare(&attempt->stream, &dial->line)) != 0)
        return error;
    if (dial->local.any.sa_family != AF_UNSPEC)
        error = uv_tcp_bind(&attempt->stream, &dial->local.any, 0);
    return error != 0 ? error : uv_tcp_connect(&attempt->connect, &attempt->stream, &attempt->address.any, on_connect);
}

static void start_next(struct dial *dial)
{
    struct attempt *attempt = &dial->attempts[dial->race.started];
    address_race_started(&dial->race, uv_now(dial->loop));
    int error = connect_from(dial, attempt);
    dial->closes_owed += attempt->open;
    if (error == 0)
        return;
    close_attempt(attempt);
    address_race_failed(&dial->race, error);
}

static void on_stagger(uv_timer_t *timer)
{
    go_on(timer->data);
}

/* Do what the race says until it is to be waited. */
static void go_on(struct dial *dial)
{
    uint32_t wait_ms;
    enum address_race_step step;
    while ((step = address_race_next(&dial->race, uv_now(dial->loop), &wait_ms)) == ADDRESS_RACE_START)
        start_next(dial);
    if (step == ADDRESS_RACE_OVER)
        finish(dial, dial->race.error != 0 ? dial->race.error : UV_EAFNOSUPPORT, NULL);
    else if (wait_ms > 0)
        uv_timer_start(&dial->stagger, on_stagger, wait_ms, 0);
    else
        uv_timer_stop(&dial->stagger);
}

/* ---- addresses ---- */

static int make_attempts(struct dial *dial, const union address *addresses, size_t count)
{
    int families[ADDRESS_RACE_MAX] = {0};
    size_t order[ADDRESS_RACE_MAX];
    for (size_t i = 0; i < count; i++)
        families[i] = addresses[i].any.sa_family;
    dial->attempts = calloc(count > 0 ? count : 1, sizeof *dial->attempts);
    if (dial->attempts == NULL)
        return -ENOMEM;
    address_race_order(families, count, order);
    address_race_init(&dial->race, count, dial->timeout_ms);
    for (size_t i = 0; i < count; i++) {
        dial->attempts[i].dial = dial;
        dial->attempts[i].address = addresses[order[i]];
    }
    return 0;
}

/* One of the other family cannot be reached from our own address. */
static bool is_reachable(const struct dial *dial, int family)
{
    int own = dial->local.any.sa_family;
    return (family == AF_INET || family == AF_INET6) && (own == AF_UNSPEC || own == family);
}

static void on_resolved(void *user, int error, struct addrinfo *list)
{
    struct dial *dial = user;
    union address addresses[ADDRESS_RACE_MAX];
    size_t count = 0;
    for (const struct addrinfo *one = list; one != NULL && count < ADDRESS_RACE_MAX; one = one->ai_next)
        if (is_reachable(dial, one->ai_family))
            address_copy(&addresses[count++], one->ai_addr);
    if (list != NULL)
        freeaddrinfo(list);
    close_resolver(dial);
    if (error == 0)
        error = make_attempts(dial, addresses, count);
    if (error != 0)
        finish(dial, error, NULL);
    else
        go_on(dial);
}

static const struct resolver_handler resolver_handler = {.resolved = on_resolved, .closed = on_resolver_closed};

/* An address needs no look-up. It is tried on the loop's next turn: nothing is told from within dial_begin. */
static int begin_with_address(struct dial *dial, const union address *address)
{
    int error = make_attempts(dial, address, is_reachable(dial, address->any.sa_family) ? 1 : 0);
    return error != 0 ? error : uv_timer_start(&dial->stagger, on_stagger, 0, 0);
}

int dial_begin(struct dial **ret_dial, uv_loop_t *loop, const struct dicomnet_association_parameters *parameters,
               const struct dial_handler *handler, void *user)
{
    union address address, local = {.any = {.sa_family = AF_UNSPEC}};
    *ret_dial = NULL;
    if (parameters->bind_address != NULL && address_parse(parameters->bind_address, 0, &local) != 0)
        return UV_EINVAL;
    struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL)
        return -ENOMEM;
    dial->loop = loop;
    dial->local = local;
    dial->line = parameters->line;
    dial->timeout_ms = parameters->timeouts.connect_ms;
    dial->handler = handler;
    dial->user = user;
    uv_timer_init(loop, &dial->stagger);
    dial->stagger.data = dial;
    dial->closes_owed = 1;
    *ret_dial = dial;
    if (address_parse(parameters->host, parameters->port, &address) == 0)
        return begin_with_address(dial, &address);
    int error = resolver_begin(&dial->resolver, loop, parameters->host, parameters->port, &resolver_handler, dial);
    dial->closes_owed += error == 0;
    return error;
}

bool dial_is_looking_up(const struct dial *dial)
{
    return dial->attempts == NULL && !dial->is_done;
}
