/* tcp - see tcp.h. */
#include "net/tcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "dicomnet/association.h"

enum {
    KEEPALIVE_DELAY_S = 30,
    AWAKE_US = 50,
    AWAKE_IN_VAIN_MAX = 10, /* 2^10 writes then go by until it is tried again */
    FIRST_WRITE_LEN = 12    /* of two: the headers of PDU and PDV */
};

static int connect_to_next(struct tcp *tcp);
static void give_up_address(struct tcp *tcp, int error);

static void rearm_quickack(struct tcp *tcp)
{
#ifdef TCP_QUICKACK
    uv_os_fd_t fd;
    int on = 1;
    if (uv_fileno((const uv_handle_t *)&tcp->handle, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)tcp;
#endif
}

static void set_peer(struct tcp *tcp, const struct sockaddr *address)
{
    char name[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        uv_ip6_name(in6, name, sizeof name);
        snprintf(tcp->peer, sizeof tcp->peer, "[%s]:%u", name, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        uv_ip4_name(in, name, sizeof name);
        snprintf(tcp->peer, sizeof tcp->peer, "%s:%u", name, ntohs(in->sin_port));
    }
}

/* ---- staying awake ---- */

/* While an idle handle is active the loop looks for what has come, and does not sleep. */
static void on_awake(uv_idle_t *idle)
{
    struct tcp *tcp = idle->data;
    if (clock_monotonic_us() < tcp->awake_until_us) {
        (void)sched_yield(); /* the peer may want this very processor */
        return;
    }
    uv_idle_stop(idle);
    tcp->awake_in_vain += tcp->awake_in_vain < AWAKE_IN_VAIN_MAX;
    tcp->sleeps = 1U << tcp->awake_in_vain;
}

static void stay_awake(struct tcp *tcp)
{
    if (tcp->sleeps > 0) {
        tcp->sleeps--;
        return;
    }
    tcp->awake_until_us = clock_monotonic_us() + AWAKE_US;
    uv_idle_start(&tcp->awake, on_awake);
}

static void something_came(struct tcp *tcp)
{
    if (!uv_is_active((const uv_handle_t *)&tcp->awake))
        return;
    tcp->awake_in_vain -= tcp->awake_in_vain > 0;
    uv_idle_stop(&tcp->awake);
}

/* ---- reading ---- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct tcp *tcp = handle->data;
    size_t size = 0;
    uint8_t *room = tcp->handler->room(tcp->user, &size);
    *ret_buffer = uv_buf_init((char *)room, (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct tcp *tcp = stream->data;
    if (tcp->closing)
        return;
    if (len == 0) { /* behind a read that filled its room */
        rearm_quickack(tcp);
        return;
    }
    if (len < 0) {
        uv_read_stop(stream);
        tcp->handler->ended(tcp->user, len == UV_EOF ? DICOMNET_ERROR_PEER_CLOSED : (int)len);
        return;
    }
    something_came(tcp);
    tcp->wrote = false;
    bool more = (size_t)len == buffer->len; /* is there, it seems */
    bool cut = tcp->handler->received(tcp->user, (size_t)len);
    if (tcp->closing || more)
        return;
    tcp->peer_cuts = tcp->peer_cuts || cut;
    if (cut || !tcp->wrote)
        rearm_quickack(tcp);
}

static int start_stream(struct tcp *tcp)
{
    (void)uv_tcp_nodelay(&tcp->handle, 1);
    (void)uv_tcp_keepalive(&tcp->handle, 1, KEEPALIVE_DELAY_S);
    rearm_quickack(tcp);
    return uv_read_start((uv_stream_t *)&tcp->handle, give_room, on_read);
}

/* ---- connecting ---- */

static void free_addresses(struct tcp *tcp)
{
    if (tcp->addresses != NULL)
        uv_freeaddrinfo(tcp->addresses);
    tcp->addresses = tcp->next_address = NULL;
}

static void finish_connect(struct tcp *tcp, int error)
{
    free_addresses(tcp);
    if (error == 0)
        error = start_stream(tcp);
    tcp->handler->connected(tcp->user, error);
}

static void report_closed_if_all_is(struct tcp *tcp)
{
    if (tcp->looking_up || tcp->handle_open || tcp->awake_open)
        return;
    free_addresses(tcp);
    tcp->handler->closed(tcp->user);
}

static void on_closed(uv_handle_t *handle)
{
    struct tcp *tcp = handle->data;
    tcp->handle_open = false;
    report_closed_if_all_is(tcp);
}

static void on_awake_closed(uv_handle_t *handle)
{
    struct tcp *tcp = handle->data;
    tcp->awake_open = false;
    report_closed_if_all_is(tcp);
}

static void begin(struct tcp *tcp, uv_loop_t *loop, const struct stream_handler *handler, void *user)
{
    *tcp = (struct tcp){.handler = handler, .user = user, .awake_open = true};
    uv_idle_init(loop, &tcp->awake);
    tcp->awake.data = tcp;
}

static int open_socket(struct tcp *tcp, uv_loop_t *loop)
{
    int error = uv_tcp_init(loop, &tcp->handle);
    tcp->handle_open = error == 0;
    tcp->handle.data = tcp;
    return error;
}

static void on_address_closed(uv_handle_t *handle)
{
    struct tcp *tcp = handle->data;
    if (tcp->closing) {
        on_closed(handle);
        return;
    }
    int error = open_socket(tcp, handle->loop);
    if (error == 0)
        error = connect_to_next(tcp);
    if (error != 0)
        give_up_address(tcp, error);
}

/* An address did not work: a socket that failed to connect is of no further use. */
static void give_up_address(struct tcp *tcp, int error)
{
    if (tcp->next_address == NULL) {
        finish_connect(tcp, error);
        return;
    }
    uv_close((uv_handle_t *)&tcp->handle, on_address_closed);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct tcp *tcp = connect->data;
    if (tcp->closing || status == UV_ECANCELED)
        return;
    if (status < 0)
        give_up_address(tcp, status);
    else
        finish_connect(tcp, 0);
}

static int connect_to_next(struct tcp *tcp)
{
    const struct addrinfo *address = tcp->next_address;
    tcp->next_address = address->ai_next;
    set_peer(tcp, address->ai_addr);
    tcp->connect.data = tcp;
    if (tcp->local.any.sa_family != AF_UNSPEC) {
        int error = tcp->local.any.sa_family != address->ai_family ? UV_EAFNOSUPPORT
                                                                   : uv_tcp_bind(&tcp->handle, &tcp->local.any, 0);
        if (error != 0)
            return error;
    }
    return uv_tcp_connect(&tcp->connect, &tcp->handle, address->ai_addr, on_connect);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct tcp *tcp = lookup->data;
    tcp->looking_up = false;
    tcp->addresses = tcp->next_address = addresses;
    if (tcp->closing) {
        report_closed_if_all_is(tcp);
        return;
    }
    if (status < 0) {
        bool unknown = status == UV_EAI_NONAME || status == UV_EAI_NODATA;
        finish_connect(tcp, unknown ? DICOMNET_ERROR_HOST_UNKNOWN : DICOMNET_ERROR_LOOKUP_FAILED);
        return;
    }
    int error = connect_to_next(tcp);
    if (error != 0)
        give_up_address(tcp, error);
}

int tcp_parse_address(const char *text, uint16_t port, union tcp_address *ret_address)
{
    int error = uv_ip4_addr(text, port, &ret_address->in);
    return error == 0 ? 0 : uv_ip6_addr(text, port, &ret_address->in6);
}

int tcp_connect(struct tcp *tcp, uv_loop_t *loop, const struct dicomnet_association_parameters *parameters,
                const struct stream_handler *handler, void *user)
{
    begin(tcp, loop, handler, user);
    tcp->lookup.data = tcp;
    snprintf(tcp->peer, sizeof tcp->peer, "%.50s:%u", parameters->host, parameters->port);

    char service[8];
    snprintf(service, sizeof service, "%u", parameters->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = open_socket(tcp, loop);
    assert(error == 0); /* without flags it makes no system call */
    if (parameters->bind_address != NULL)
        error = tcp_parse_address(parameters->bind_address, 0, &tcp->local);
    if (error == 0)
        error = uv_getaddrinfo(loop, &tcp->lookup, on_lookup, parameters->host, service, &hints);
    tcp->looking_up = error == 0;
    return error;
}

int tcp_accept(struct tcp *tcp, uv_stream_t *listener, const struct stream_handler *handler, void *user)
{
    begin(tcp, listener->loop, handler, user);
    int error = open_socket(tcp, listener->loop);
    assert(error == 0); /* without flags it makes no system call */
    error = uv_accept(listener, (uv_stream_t *)&tcp->handle);
    if (error != 0)
        return error;
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getpeername(&tcp->handle, (struct sockaddr *)&address, &len) == 0)
        set_peer(tcp, (const struct sockaddr *)&address);
    return start_stream(tcp);
}

bool tcp_skip_address(struct tcp *tcp)
{
    bool connecting = !tcp->looking_up && !tcp->closing && tcp->next_address != NULL &&
                      !uv_is_closing((const uv_handle_t *)&tcp->handle);
    if (connecting)
        uv_close((uv_handle_t *)&tcp->handle, on_address_closed);
    return connecting;
}

/* ---- writing ---- */

static void note_write(struct tcp *tcp)
{
    tcp->wrote = true;
    stay_awake(tcp);
    if (tcp->peer_cuts)
        rearm_quickack(tcp);
}

static void on_written(uv_write_t *write, int status)
{
    struct tcp *tcp = write->data;
    if (tcp->closing)
        return;
    note_write(tcp);
    tcp->handler->written(tcp->user, status);
}

void tcp_use_two_writes(struct tcp *tcp)
{
    (void)uv_tcp_nodelay(&tcp->handle, 0);
    tcp->two_writes = true;
}

/* Write what the system takes now. Returns how many bytes, or an error. */
static int try_write(struct tcp *tcp, const uv_buf_t *buffer)
{
    uv_stream_t *stream = (uv_stream_t *)&tcp->handle;
    if (!tcp->two_writes || buffer->len <= FIRST_WRITE_LEN)
        return uv_try_write(stream, buffer, 1);
    uv_buf_t first = {.base = buffer->base, .len = FIRST_WRITE_LEN};
    int taken = uv_try_write(stream, &first, 1);
    if (taken < FIRST_WRITE_LEN)
        return taken;
    uv_buf_t rest = {.base = buffer->base + FIRST_WRITE_LEN, .len = buffer->len - FIRST_WRITE_LEN};
    int more = uv_try_write(stream, &rest, 1);
    return more > 0 ? taken + more : taken;
}

int tcp_write(struct tcp *tcp, const uint8_t *bytes, size_t len, bool yield)
{
    uv_buf_t buffer = {.base = (char *)(uintptr_t)bytes, .len = len};
    int taken = yield ? 0 : try_write(tcp, &buffer);
    if (taken == (int)len) {
        note_write(tcp);
        return 0;
    }
    if (taken < 0 && taken != UV_EAGAIN)
        return taken;
    if (taken > 0) {
        buffer.base += taken;
        buffer.len -= (size_t)taken;
    }
    tcp->write.data = tcp;
    int error = uv_write(&tcp->write, (uv_stream_t *)&tcp->handle, &buffer, 1, on_written);
    return error != 0 ? error : 1;
}

size_t tcp_unwritten(const struct tcp *tcp)
{
    return tcp->handle_open ? uv_stream_get_write_queue_size((const uv_stream_t *)&tcp->handle) : 0;
}

void tcp_shutdown(struct tcp *tcp)
{
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)&tcp->handle, &fd) == 0)
        (void)shutdown(fd, SHUT_WR);
}

/* ---- closing ---- */

void tcp_stop(struct tcp *tcp)
{
    (void)uv_read_stop((uv_stream_t *)&tcp->handle);
}

void tcp_close(struct tcp *tcp)
{
    if (tcp->closing)
        return;
    tcp->closing = true;
    uv_close((uv_handle_t *)&tcp->awake, on_awake_closed);
    if (tcp->looking_up)
        (void)uv_cancel((uv_req_t *)&tcp->lookup); /* on_lookup comes in either case */
    if (!uv_is_closing((const uv_handle_t *)&tcp->handle))
        uv_close((uv_handle_t *)&tcp->handle, on_closed); /* else on_address_closed sees that we are closing */
}
