/* tcp - see tcp.h. */
#include "net/tcp.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/line.h"

enum {
    AWAKE_US = 50,
    AWAKE_IN_VAIN_MAX = 10, /* 2^10 writes then go by until it is tried again */
    FIRST_WRITE_LEN = 12    /* of two: the headers of PDU and PDV */
};

static void rearm_quickack(struct tcp *tcp)
{
#ifdef TCP_QUICKACK
    uv_os_fd_t fd;
    int on = 1;
    if (uv_fileno((const uv_handle_t *)tcp->stream, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)tcp;
#endif
}

/* ---- staying awake, giving turns ---- */

static void note_write(struct tcp *tcp);

/* Idle handles are called before the loop looks for what has come: it has done so between two of these calls. (It calls
 * back for a write that went through at once without looking in between, up to nine times.) */
static void give_turn(struct tcp *tcp)
{
    (void)sched_yield();
    if (--tcp->turns_owed > 0)
        return;
    uv_idle_stop(&tcp->awake);
    note_write(tcp);
    tcp->handler->written(tcp->user, 0);
}

/* While an idle handle is active the loop looks for what has come, and does not sleep. */
static void on_awake(uv_idle_t *idle)
{
    struct tcp *tcp = idle->data;
    if (tcp->turns_owed > 0) {
        give_turn(tcp);
        return;
    }
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
    if (tcp->turns_owed > 0 || !uv_is_active((const uv_handle_t *)&tcp->awake))
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
    (void)uv_tcp_nodelay(tcp->stream, 1);
    line_keep_alive(tcp->stream, &tcp->line);
    rearm_quickack(tcp);
    return uv_read_start((uv_stream_t *)tcp->stream, give_room, on_read);
}

/* ---- connecting ---- */

static void count_closed(struct tcp *tcp)
{
    if (--tcp->closes_owed == 0)
        tcp->handler->closed(tcp->user);
}

static void on_handle_closed(uv_handle_t *handle)
{
    count_closed(handle->data);
}

static void on_dial_closed(void *user)
{
    count_closed(user);
}

static void on_dialled(void *user, int error, uv_tcp_t *stream, const union address *peer)
{
    struct tcp *tcp = user;
    tcp->stream = stream;
    if (error == 0) {
        stream->data = tcp;
        address_text(peer, tcp->peer, sizeof tcp->peer);
        error = start_stream(tcp);
    }
    tcp->handler->connected(tcp->user, error);
}

static const struct dial_handler dial_handler = {.done = on_dialled, .closed = on_dial_closed};

static void begin(struct tcp *tcp, uv_loop_t *loop, const struct dicomnet_association_line *line,
                  const struct stream_handler *handler, void *user)
{
    *tcp = (struct tcp){.line = *line, .handler = handler, .user = user, .closes_owed = 1};
    uv_idle_init(loop, &tcp->awake);
    tcp->awake.data = tcp;
}

int tcp_connect(struct tcp *tcp, uv_loop_t *loop, const struct dicomnet_association_parameters *parameters,
                const struct stream_handler *handler, void *user)
{
    begin(tcp, loop, &parameters->line, handler, user);
    snprintf(tcp->peer, sizeof tcp->peer, "%.60s:%u", parameters->host, parameters->port);
    int error = dial_begin(&tcp->dial, loop, parameters, &dial_handler, tcp);
    tcp->closes_owed += tcp->dial != NULL;
    return error;
}

bool tcp_is_looking_up(const struct tcp *tcp)
{
    return tcp->dial != NULL && dial_is_looking_up(tcp->dial);
}

int tcp_accept(struct tcp *tcp, uv_stream_t *listener, const struct dicomnet_association_line *line,
               const struct stream_handler *handler, void *user)
{
    begin(tcp, listener->loop, line, handler, user);
    int error = uv_tcp_init(listener->loop, &tcp->accepted);
    assert(error == 0); /* without flags it makes no system call */
    tcp->stream = &tcp->accepted;
    tcp->accepted.data = tcp;
    tcp->closes_owed++;
    error = uv_accept(listener, (uv_stream_t *)tcp->stream);
    if (error != 0)
        return error;
    union address address;
    int len = sizeof address;
    if (uv_tcp_getpeername(tcp->stream, &address.any, &len) == 0)
        address_text(&address, tcp->peer, sizeof tcp->peer);
    return start_stream(tcp);
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
    (void)uv_tcp_nodelay(tcp->stream, 0);
    tcp->two_writes = true;
}

/* Write what the system takes now. Returns how many bytes, or an error. */
static int try_write(struct tcp *tcp, const uv_buf_t *buffer)
{
    uv_stream_t *stream = (uv_stream_t *)tcp->stream;
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
    int taken = try_write(tcp, &buffer);
    if (taken == (int)len && yield) {
        tcp->turns_owed = 2;
        uv_idle_start(&tcp->awake, on_awake);
        return 1;
    }
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
    int error = uv_write(&tcp->write, (uv_stream_t *)tcp->stream, &buffer, 1, on_written);
    return error != 0 ? error : 1;
}

size_t tcp_unwritten(const struct tcp *tcp)
{
    return tcp->stream != NULL && !tcp->closing ? uv_stream_get_write_queue_size((const uv_stream_t *)tcp->stream) : 0;
}

void tcp_shutdown(struct tcp *tcp)
{
    uv_os_fd_t fd;
    if (tcp->stream != NULL && uv_fileno((const uv_handle_t *)tcp->stream, &fd) == 0)
        (void)shutdown(fd, SHUT_WR);
}

/* ---- closing ---- */

void tcp_stop(struct tcp *tcp)
{
    (void)uv_read_stop((uv_stream_t *)tcp->stream);
}

void tcp_close(struct tcp *tcp)
{
    if (tcp->closing)
        return;
    tcp->closing = true;
    uv_close((uv_handle_t *)&tcp->awake, on_handle_closed);
    if (tcp->dial != NULL)
        dial_close(tcp->dial); /* and the connection that came of it */
    else if (tcp->stream != NULL)
        uv_close((uv_handle_t *)tcp->stream, on_handle_closed);
    tcp->dial = NULL;
}
