/* fake_net - see fake_net.h. */
#include "fake_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "net/resolver.h"

enum { NARROW_BYTES = 4 * 1024, START_S = 1000, YIELD_NS = 25 * 1000 };

static struct {
    uint64_t now_ns;
    bool refused, narrow;
    int peer; /* made by a connect and not taken yet, or -1 */
    struct resolver {
        struct resolver *next;
        const struct resolver_handler *handler;
        void *user;
        bool answered, closed;
    } * resolvers;
    struct {
        uv_stream_t *stream;
        uv_connection_cb connected;
        int waiting; /* the near end of the connection to be accepted, or -1 */
    } listener;
} net;

/* ---- what stands in for libc and libuv ---- */

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
        return (int)syscall(SYS_clock_gettime, id, ret_time);
    ret_time->tv_sec = START_S + (time_t)(net.now_ns / 1000000000);
    ret_time->tv_nsec = (long)(net.now_ns % 1000000000);
    return 0;
}

int sched_yield(void)
{
    net.now_ns += YIELD_NS;
    return 0;
}

/* Both ends of a connection; the far one is returned. */
static int make_pair(int *ret_near)
{
    int pair[2], size = NARROW_BYTES;
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    if (net.narrow)
        FUZZ_CHECK(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    *ret_near = pair[0];
    return pair[1];
}

/* All of net/resolver.h, which has no thread here. */
int resolver_begin(struct resolver **ret_resolver, struct uv_loop_s *loop, const char *host, uint16_t port,
                   const struct resolver_handler *handler, void *user)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    FUZZ_CHECK(resolver != NULL);
    *resolver = (struct resolver){.next = net.resolvers, .handler = handler, .user = user};
    net.resolvers = *ret_resolver = resolver;
    return 0;
}

void resolver_close(struct resolver *resolver)
{
    resolver->closed = true;
}

void freeaddrinfo(struct addrinfo *addresses) {}

static struct {
    uv_connect_t *request;
    uv_connect_cb done;
} connecting;

int uv_tcp_connect(uv_connect_t *request, uv_tcp_t *tcp, const struct sockaddr *address, uv_connect_cb done)
{
    request->handle = (uv_stream_t *)tcp;
    connecting.request = request;
    connecting.done = done;
    return 0;
}

static int fill_address(struct sockaddr *address, int *len)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(104), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(address, &in, sizeof in);
    *len = sizeof in;
    return 0;
}

int uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *address, int *len)
{
    return fill_address(address, len);
}

int uv_tcp_getsockname(const uv_tcp_t *tcp, struct sockaddr *address, int *len)
{
    return fill_address(address, len);
}

int uv_tcp_bind(uv_tcp_t *tcp, const struct sockaddr *address, unsigned flags)
{
    return 0;
}

int uv_listen(uv_stream_t *stream, int backlog, uv_connection_cb connected)
{
    net.listener.stream = stream;
    net.listener.connected = connected;
    return 0;
}

int uv_accept(uv_stream_t *server, uv_stream_t *client)
{
    int error = uv_tcp_open((uv_tcp_t *)client, net.listener.waiting);
    if (error == 0)
        net.listener.waiting = -1;
    return error;
}

/* ---- the clock and the loop ---- */

void fake_net_begin(bool refused, bool narrow)
{
    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    memset(&net, 0, sizeof net);
    memset(&connecting, 0, sizeof connecting);
    net.refused = refused;
    net.narrow = narrow;
    net.peer = net.listener.waiting = -1;
}

static void answer_lookup(struct resolver *resolver)
{
    static struct sockaddr_in in = {.sin_family = AF_INET};
    static struct addrinfo address = {.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&in, .ai_addrlen = sizeof in};
    if (resolver->answered || resolver->closed)
        return;
    resolver->answered = true;
    resolver->handler->resolved(resolver->user, 0, &address);
}

static void answer_lookups(void)
{
    for (struct resolver *resolver = net.resolvers; resolver != NULL; resolver = resolver->next)
        answer_lookup(resolver);
    for (struct resolver **place = &net.resolvers; *place != NULL;) {
        struct resolver *resolver = *place;
        if (!resolver->closed) {
            place = &resolver->next;
            continue;
        }
        *place = resolver->next;
        resolver->handler->closed(resolver->user);
        free(resolver);
    }
}

static void answer_connect(void)
{
    uv_connect_t *request = connecting.request;
    if (request == NULL)
        return;
    connecting.request = NULL;
    int near, error = net.refused ? UV_ECONNREFUSED : 0;
    if (error == 0) {
        net.peer = make_pair(&near);
        error = uv_tcp_open((uv_tcp_t *)request->handle, near);
        FUZZ_CHECK(error == 0);
    }
    connecting.done(request, error);
}

void fake_net_turn(struct uv_loop_s *loop)
{
    answer_lookups();
    answer_connect();
    (void)uv_run(loop, UV_RUN_NOWAIT);
}

bool fake_net_advance(struct uv_loop_s *loop, uint64_t limit_ms)
{
    int left_ms = uv_loop_alive(loop) ? uv_backend_timeout(loop) : -1;
    if (left_ms > 0)
        net.now_ns += (uint64_t)1000000 * ((uint64_t)left_ms < limit_ms ? (uint64_t)left_ms : limit_ms);
    fake_net_turn(loop);
    return left_ms >= 0;
}

uint64_t fake_net_now_ms(void)
{
    return net.now_ns / 1000000;
}

int fake_net_take_peer(void)
{
    int fd = net.peer;
    net.peer = -1;
    return fd;
}

int fake_net_dial(void)
{
    int far = make_pair(&net.listener.waiting);
    net.listener.connected(net.listener.stream, 0);
    if (net.listener.waiting >= 0) /* not accepted */
        close(net.listener.waiting);
    net.listener.waiting = -1;
    return far;
}

void fake_net_end_loop(struct uv_loop_s *loop)
{
    fake_net_turn(loop);
    FUZZ_CHECK(uv_loop_close(loop) == 0);
    if (net.peer >= 0)
        close(net.peer);
}

/* ---- the far end of a connection ---- */

size_t far_end_drain(struct far_end *far_end)
{
    uint8_t bytes[16 * 1024];
    size_t total = 0;
    while (far_end->fd >= 0) {
        ssize_t len = read(far_end->fd, bytes, sizeof bytes);
        if (len <= 0)
            break;
        size_t kept = (size_t)len < far_end->size - far_end->len ? (size_t)len : far_end->size - far_end->len;
        memcpy(far_end->received + far_end->len, bytes, kept);
        far_end->len += kept;
        far_end->total += (size_t)len;
        total += (size_t)len;
    }
    return total;
}

size_t far_end_send(struct far_end *far_end, struct fuzz_input bytes)
{
    if (far_end->fd < 0 || bytes.len == 0)
        return 0;
    ssize_t len = send(far_end->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    return len > 0 ? (size_t)len : 0;
}

void far_end_close(struct far_end *far_end)
{
    if (far_end->fd >= 0)
        close(far_end->fd);
    far_end->fd = -1;
}
