/* transport - see transport.h. */
#include "net/transport.h"

#include <assert.h>
#include <sys/types.h>

#include "dicomnet/association.h"
#include "net/tls.h"

/* ---- TLS: to the line ---- */

/* Write the output. As transport_write. */
static int write_output(struct transport *transport, bool yield)
{
    struct dicomnet_span output = tls_output(transport->tls);
    if (output.len == 0)
        return 0;
    int result = tcp_write(&transport->tcp, output.data, output.len, yield);
    transport->writing = result == 1;
    if (result == 1)
        tls_hold_output(transport->tls);
    else
        tls_output_taken(transport->tls);
    return result;
}

/* What TLS has to say by itself; unless a write is under way, behind which it then waits for the next. */
static int flush(struct transport *transport)
{
    int result = transport->writing ? 0 : write_output(transport, false);
    return result < 0 ? result : 0;
}

static void fail(struct transport *transport, int error)
{
    bool tells_of_connect = !transport->up && !transport->server;
    transport->over = true;
    (void)flush(transport); /* an alert, perhaps */
    tcp_stop(&transport->tcp);
    if (tells_of_connect)
        transport->handler->connected(transport->user, error);
    else
        transport->handler->ended(transport->user, error);
}

/* ---- TLS: from the line ---- */

/* True during the handshake. What is written last for it leaves together with what the owner writes first. */
static bool shake_hands(struct transport *transport)
{
    if (transport->writing)
        return false; /* the handshake's own: one write at a time */
    int result = tls_shake_hands(transport->tls);
    if (result < 0)
        fail(transport, result);
    if (result != 1)
        return false;
    transport->up = true;
    if (!transport->server)
        transport->handler->connected(transport->user, 0);
    return true;
}

/* Hand on what has come. True if it ends in the middle of a message. */
static bool deliver(struct transport *transport)
{
    bool cut = false;
    size_t size;
    ssize_t len;
    do {
        uint8_t *room = transport->handler->room(transport->user, &size);
        len = size > 0 ? tls_read(transport->tls, room, size) : UV_ENOBUFS;
        if (len < 0)
            fail(transport, (int)len);
        else if (len > 0)
            cut = transport->handler->received(transport->user, (size_t)len);
    } while (len > 0 && (size_t)len == size && !transport->over && !tcp_is_closing(&transport->tcp));
    return cut || tls_is_in_record(transport->tls);
}

static bool work(struct transport *transport)
{
    bool cut = false;
    if (!transport->up)
        (void)shake_hands(transport);
    if (transport->up && !transport->over && !tcp_is_closing(&transport->tcp))
        cut = deliver(transport);
    if (transport->over || tcp_is_closing(&transport->tcp))
        return false;
    int error = flush(transport);
    if (error != 0)
        fail(transport, tls_judge_end(transport->tls, error));
    return cut;
}

static void on_connected(void *user, int error)
{
    struct transport *transport = user;
    transport->has_tcp = error == 0;
    if (error == 0)
        (void)work(transport);
    else
        transport->handler->connected(transport->user, error);
}

static uint8_t *give_room(void *user, size_t *ret_size)
{
    struct transport *transport = user;
    return tls_room(transport->tls, ret_size);
}

static bool on_received(void *user, size_t len)
{
    struct transport *transport = user;
    if (transport->over)
        return false;
    tls_feed(transport->tls, len);
    return work(transport);
}

static void on_ended(void *user, int error)
{
    struct transport *transport = user;
    if (!transport->over)
        fail(transport, tls_judge_end(transport->tls, error));
}

/* What waited behind TLS's own is written. True if `written` is still to come. */
static bool write_waiting(struct transport *transport, int *ret_error)
{
    struct dicomnet_span waiting = transport->waiting;
    transport->waiting = (struct dicomnet_span){0};
    *ret_error = tls_write(transport->tls, waiting.data, waiting.len);
    int result = *ret_error == 0 ? write_output(transport, false) : 0;
    if (result < 0)
        *ret_error = result;
    return result == 1;
}

static void on_written(void *user, int error)
{
    struct transport *transport = user;
    bool owes = transport->owes_written;
    transport->writing = false;
    tls_output_taken(transport->tls);
    if (error == 0 && transport->waiting.len > 0 && write_waiting(transport, &error))
        return;
    transport->owes_written = false;
    if (owes)
        transport->handler->written(transport->user, error);
    else if (!transport->over && error != 0)
        fail(transport, tls_judge_end(transport->tls, error));
    else if (!transport->over)
        (void)work(transport);
}

static void on_closed(void *user)
{
    struct transport *transport = user;
    tls_destroy(transport->tls);
    transport->tls = NULL;
    transport->handler->closed(transport->user);
}

static const struct stream_handler tls_handler = {.connected = on_connected,
                                                  .room = give_room,
                                                  .received = on_received,
                                                  .ended = on_ended,
                                                  .written = on_written,
                                                  .closed = on_closed};

/* ---- the connection ---- */

int transport_connect(struct transport *transport, uv_loop_t *loop,
                      const struct dicomnet_association_parameters *parameters, const struct stream_handler *handler,
                      void *user)
{
    *transport = (struct transport){.handler = handler, .user = user};
    if (parameters->tls == NULL)
        return tcp_connect(&transport->tcp, loop, parameters, handler, user);
    int error = tcp_connect(&transport->tcp, loop, parameters, &tls_handler, transport);
    return error != 0 ? error : tls_create(&transport->tls, parameters->tls, parameters->host, parameters->port);
}

int transport_accept(struct transport *transport, uv_stream_t *listener,
                     const struct dicomnet_association_accept_options *options, const struct stream_handler *handler,
                     void *user)
{
    *transport = (struct transport){.handler = handler, .user = user, .server = true, .has_tcp = true};
    if (options->tls == NULL)
        return tcp_accept(&transport->tcp, listener, &options->line, handler, user);
    int error = tcp_accept(&transport->tcp, listener, &options->line, &tls_handler, transport);
    return error != 0 ? error : tls_create(&transport->tls, options->tls, NULL, 0);
}

int transport_write(struct transport *transport, const uint8_t *bytes, size_t len, bool yield)
{
    if (transport->tls == NULL)
        return tcp_write(&transport->tcp, bytes, len, yield);
    assert(transport->up && !transport->owes_written && len > 0);
    if (transport->writing) {
        transport->waiting = (struct dicomnet_span){.data = bytes, .len = len};
        transport->owes_written = true;
        return 1;
    }
    int error = tls_write(transport->tls, bytes, len);
    if (error != 0)
        return error;
    int result = write_output(transport, yield);
    transport->owes_written = result == 1;
    return result < 0 ? tls_judge_end(transport->tls, result) : result;
}

void transport_use_two_writes(struct transport *transport)
{
    tcp_use_two_writes(&transport->tcp);
}

size_t transport_unwritten(const struct transport *transport)
{
    return tcp_unwritten(&transport->tcp) + transport->waiting.len;
}

/* The last word, if the line takes it now: the end of an association has been said by its own PDUs. */
static void say_end(struct transport *transport)
{
    if (transport->tls == NULL || transport->writing || transport->over)
        return;
    tls_end(transport->tls);
    (void)flush(transport);
}

void transport_shutdown(struct transport *transport)
{
    say_end(transport);
    tcp_shutdown(&transport->tcp);
}

void transport_close(struct transport *transport)
{
    if (tcp_is_closing(&transport->tcp))
        return;
    say_end(transport);
    tcp_close(&transport->tcp);
}

bool transport_is_shaking_hands(const struct transport *transport)
{
    return transport->tls != NULL && transport->has_tcp && !transport->up;
}

const char *transport_detail(const struct transport *transport)
{
    return transport->tls != NULL ? tls_detail(transport->tls) : "";
}

const struct tls *transport_tls(const struct transport *transport)
{
    return transport->up ? transport->tls : NULL;
}
