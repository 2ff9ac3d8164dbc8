/* transport - see transport.h. */
#include "net/transport.h"

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

static int connect_to_next(struct transport *transport);
static void give_up_address(struct transport *transport, int error);

static void rearm_quickack(struct transport *transport)
{
#ifdef TCP_QUICKACK
    uv_os_fd_t fd;
    int on = 1;
    if (uv_fileno((const uv_handle_t *)&transport->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)transport;
#endif
}

static void set_peer(struct transport *transport, const struct sockaddr *address)
{
    char name[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        uv_ip6_name(in6, name, sizeof name);
        snprintf(transport->peer, sizeof transport->peer, "[%s]:%u", name, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        uv_ip4_name(in, name, sizeof name);
        snprintf(transport->peer, sizeof transport->peer, "%s:%u", name, ntohs(in->sin_port));
    }
}

/* ---- staying awake ---- */

/* While an idle handle is active the loop looks for what has come, and does not sleep. */
static void on_awake(uv_idle_t *idle)
{
    struct transport *transport = idle->data;
    if (clock_monotonic_us() < transport->awake_until_us) {
        (void)sched_yield(); /* the peer may want this very processor */
        return;
    }
    uv_idle_stop(idle);
    transport->awake_in_vain += transport->awake_in_vain < AWAKE_IN_VAIN_MAX;
    transport->sleeps = 1U << transport->awake_in_vain;
}

static void stay_awake(struct transport *transport)
{
    if (transport->sleeps > 0) {
        transport->sleeps--;
        return;
    }
    transport->awake_until_us = clock_monotonic_us() + AWAKE_US;
    uv_idle_start(&transport->awake, on_awake);
}

static void something_came(struct transport *transport)
{
    if (!uv_is_active((const uv_handle_t *)&transport->awake))
        return;
    transport->awake_in_vain -= transport->awake_in_vain > 0;
    uv_idle_stop(&transport->awake);
}

/* ---- reading ---- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct transport *transport = handle->data;
    size_t size = 0;
    uint8_t *room = transport->handler->room(transport->user, &size);
    *ret_buffer = uv_buf_init((char *)room, (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct transport *transport = stream->data;
    if (transport->closing)
        return;
    if (len == 0) { /* behind a read that filled its room */
        rearm_quickack(transport);
        return;
    }
    if (len < 0) {
        uv_read_stop(stream);
        transport->handler->ended(transport->user, len == UV_EOF ? DICOMNET_ERROR_PEER_CLOSED : (int)len);
        return;
    }
    something_came(transport);
    transport->wrote = false;
    bool more = (size_t)len == buffer->len; /* is there, it seems */
    bool cut = transport->handler->received(transport->user, (size_t)len);
    if (transport->closing || more)
        return;
    transport->peer_cuts = transport->peer_cuts || cut;
    if (cut || !transport->wrote)
        rearm_quickack(transport);
}

static int start_stream(struct transport *transport)
{
    (void)uv_tcp_nodelay(&transport->tcp, 1);
    (void)uv_tcp_keepalive(&transport->tcp, 1, KEEPALIVE_DELAY_S);
    rearm_quickack(transport);
    return uv_read_start((uv_stream_t *)&transport->tcp, give_room, on_read);
}

/* ---- connecting ---- */

static void free_addresses(struct transport *transport)
{
    if (transport->addresses != NULL)
        uv_freeaddrinfo(transport->addresses);
    transport->addresses = transport->next_address = NULL;
}

static void finish_connect(struct transport *transport, int error)
{
    free_addresses(transport);
    if (error == 0)
        error = start_stream(transport);
    transport->handler->connected(transport->user, error);
}

static void report_closed_if_all_is(struct transport *transport)
{
    if (transport->looking_up || transport->tcp_open || transport->awake_open)
        return;
    free_addresses(transport);
    transport->handler->closed(transport->user);
}

static void on_closed(uv_handle_t *handle)
{
    struct transport *transport = handle->data;
    transport->tcp_open = false;
    report_closed_if_all_is(transport);
}

static void on_awake_closed(uv_handle_t *handle)
{
    struct transport *transport = handle->data;
    transport->awake_open = false;
    report_closed_if_all_is(transport);
}

static void begin(struct transport *transport, uv_loop_t *loop, const struct transport_handler *handler, void *user)
{
    *transport = (struct transport){.handler = handler, .user = user, .awake_open = true};
    uv_idle_init(loop, &transport->awake);
    transport->awake.data = transport;
}

static int open_socket(struct transport *transport, uv_loop_t *loop)
{
    int error = uv_tcp_init(loop, &transport->tcp);
    transport->tcp_open = error == 0;
    transport->tcp.data = transport;
    return error;
}

static void on_address_closed(uv_handle_t *handle)
{
    struct transport *transport = handle->data;
    if (transport->closing) {
        on_closed(handle);
        return;
    }
    int error = open_socket(transport, handle->loop);
    if (error == 0)
        error = connect_to_next(transport);
    if (error != 0)
        give_up_address(transport, error);
}

/* An address did not work: a socket that failed to connect is of no further use. */
static void give_up_address(struct transport *transport, int error)
{
    if (transport->next_address == NULL) {
        finish_connect(transport, error);
        return;
    }
    uv_close((uv_handle_t *)&transport->tcp, on_address_closed);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct transport *transport = connect->data;
    if (transport->closing || status == UV_ECANCELED)
        return;
    if (status < 0)
        give_up_address(transport, status);
    else
        finish_connect(transport, 0);
}

static int connect_to_next(struct transport *transport)
{
    const struct addrinfo *address = transport->next_address;
    transport->next_address = address->ai_next;
    set_peer(transport, address->ai_addr);
    transport->connect.data = transport;
    if (transport->local.any.sa_family != AF_UNSPEC) {
        int error = transport->local.any.sa_family != address->ai_family
                        ? UV_EAFNOSUPPORT
                        : uv_tcp_bind(&transport->tcp, &transport->local.any, 0);
        if (error != 0)
            return error;
    }
    return uv_tcp_connect(&transport->connect, &transport->tcp, address->ai_addr, on_connect);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct transport *transport = lookup->data;
    transport->looking_up = false;
    transport->addresses = transport->next_address = addresses;
    if (transport->closing) {
        report_closed_if_all_is(transport);
        return;
    }
    if (status < 0) {
        bool unknown = status == UV_EAI_NONAME || status == UV_EAI_NODATA;
        finish_connect(transport, unknown ? DICOMNET_ERROR_HOST_UNKNOWN : DICOMNET_ERROR_LOOKUP_FAILED);
        return;
    }
    int error = connect_to_next(transport);
    if (error != 0)
        give_up_address(transport, error);
}

int transport_parse_address(const char *text, uint16_t port, union transport_address *ret_address)
{
    int error = uv_ip4_addr(text, port, &ret_address->in);
    return error == 0 ? 0 : uv_ip6_addr(text, port, &ret_address->in6);
}

int transport_connect(struct transport *transport, uv_loop_t *loop,
                      const struct dicomnet_association_parameters *parameters, const struct transport_handler *handler,
                      void *user)
{
    begin(transport, loop, handler, user);
    transport->lookup.data = transport;
    snprintf(transport->peer, sizeof transport->peer, "%.50s:%u", parameters->host, parameters->port);

    char service[8];
    snprintf(service, sizeof service, "%u", parameters->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = open_socket(transport, loop);
    assert(error == 0); /* without flags it makes no system call */
    if (parameters->bind_address != NULL)
        error = transport_parse_address(parameters->bind_address, 0, &transport->local);
    if (error == 0)
        error = uv_getaddrinfo(loop, &transport->lookup, on_lookup, parameters->host, service, &hints);
    transport->looking_up = error == 0;
    return error;
}

int transport_accept(struct transport *transport, uv_stream_t *listener, const struct transport_handler *handler,
                     void *user)
{
    begin(transport, listener->loop, handler, user);
    int error = open_socket(transport, listener->loop);
    assert(error == 0); /* without flags it makes no system call */
    error = uv_accept(listener, (uv_stream_t *)&transport->tcp);
    if (error != 0)
        return error;
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getpeername(&transport->tcp, (struct sockaddr *)&address, &len) == 0)
        set_peer(transport, (const struct sockaddr *)&address);
    return start_stream(transport);
}

bool transport_skip_address(struct transport *transport)
{
    bool connecting = !transport->looking_up && !transport->closing && transport->next_address != NULL &&
                      !uv_is_closing((const uv_handle_t *)&transport->tcp);
    if (connecting)
        uv_close((uv_handle_t *)&transport->tcp, on_address_closed);
    return connecting;
}

/* ---- writing ---- */

static void note_write(struct transport *transport)
{
    transport->wrote = true;
    stay_awake(transport);
    if (transport->peer_cuts)
        rearm_quickack(transport);
}

static void on_written(uv_write_t *write, int status)
{
    struct transport *transport = write->data;
    if (transport->closing)
        return;
    note_write(transport);
    transport->handler->written(transport->user, status);
}

void transport_use_two_writes(struct transport *transport)
{
    (void)uv_tcp_nodelay(&transport->tcp, 0);
    transport->two_writes = true;
}

/* Write what the system takes now. Returns how many bytes, or an error. */
static int try_write(struct transport *transport, const uv_buf_t *buffer)
{
    uv_stream_t *stream = (uv_stream_t *)&transport->tcp;
    if (!transport->two_writes || buffer->len <= FIRST_WRITE_LEN)
        return uv_try_write(stream, buffer, 1);
    uv_buf_t first = {.base = buffer->base, .len = FIRST_WRITE_LEN};
    int taken = uv_try_write(stream, &first, 1);
    if (taken < FIRST_WRITE_LEN)
        return taken;
    uv_buf_t rest = {.base = buffer->base + FIRST_WRITE_LEN, .len = buffer->len - FIRST_WRITE_LEN};
    int more = uv_try_write(stream, &rest, 1);
    return more > 0 ? taken + more : taken;
}

int transport_write(struct transport *transport, const uint8_t *bytes, size_t len, bool yield)
{
    uv_buf_t buffer = {.base = (char *)(uintptr_t)bytes, .len = len};
    int taken = yield ? 0 : try_write(transport, &buffer);
    if (taken == (int)len) {
        note_write(transport);
        return 0;
    }
    if (taken < 0 && taken != UV_EAGAIN)
        return taken;
    if (taken > 0) {
        buffer.base += taken;
        buffer.len -= (size_t)taken;
    }
    transport->write.data = transport;
    int error = uv_write(&transport->write, (uv_stream_t *)&transport->tcp, &buffer, 1, on_written);
    return error != 0 ? error : 1;
}

size_t transport_unwritten(const struct transport *transport)
{
    return transport->tcp_open ? uv_stream_get_write_queue_size((const uv_stream_t *)&transport->tcp) : 0;
}

void transport_shutdown(struct transport *transport)
{
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)&transport->tcp, &fd) == 0)
        (void)shutdown(fd, SHUT_WR);
}

/* ---- closing ---- */

void transport_close(struct transport *transport)
{
    if (transport->closing)
        return;
    transport->closing = true;
    uv_close((uv_handle_t *)&transport->awake, on_awake_closed);
    if (transport->looking_up)
        (void)uv_cancel((uv_req_t *)&transport->lookup); /* on_lookup comes in either case */
    if (!uv_is_closing((const uv_handle_t *)&transport->tcp))
        uv_close((uv_handle_t *)&transport->tcp, on_closed); /* else on_address_closed sees that we are closing */
}
