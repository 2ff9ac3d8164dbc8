/* acceptor - see dicomnet/acceptor.h. */
#include "dicomnet/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

enum { BACKLOG = 512 };

struct acceptor {
    uv_tcp_t tcp;
    struct acceptor_options options;
    const struct acceptor_handler *handler;
    void *user;
    unsigned open_count;     /* associations made and not gone */
    unsigned admitted_count; /* of them, those that take a place of max_associations */
    unsigned rejected_count; /* for the sake of reject_first */
    bool closing;
    uint16_t port;
};

static void free_if_unused(struct acceptor *acceptor)
{
    if (acceptor->closing && acceptor->open_count == 0)
        free(acceptor);
}

/* A connection nobody wants must still be accepted to be closed. */

static void free_unwanted(uv_handle_t *handle)
{
    free(handle);
}

static void drop_connection(uv_stream_t *listener)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    if (tcp == NULL)
        return;
    uv_tcp_init(listener->loop, tcp);
    (void)uv_accept(listener, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, free_unwanted);
}

static bool admit(void *admission)
{
    struct acceptor *acceptor = admission;
    const struct acceptor_options *options = &acceptor->options;
    if (acceptor->rejected_count < options->reject_first) {
        acceptor->rejected_count++;
        return false;
    }
    if (options->max_associations > 0 && acceptor->admitted_count >= options->max_associations)
        return false;
    acceptor->admitted_count++;
    return true;
}

static void leave(void *admission)
{
    struct acceptor *acceptor = admission;
    acceptor->admitted_count--;
}

static void gone(void *admission)
{
    struct acceptor *acceptor = admission;
    acceptor->open_count--;
    free_if_unused(acceptor);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct acceptor *acceptor = listener->data;
    if (status < 0)
        return; /* that connection is gone; the next one comes by itself */
    void *association_user = NULL;
    const struct association_handler *handler = acceptor->handler->connected(acceptor->user, &association_user);
    if (handler == NULL) {
        drop_connection(listener);
        return;
    }
    struct association_accept_options options = acceptor->options.association;
    options.admit = admit;
    options.leave = leave;
    options.gone = gone;
    options.admission = acceptor;
    struct association *association = NULL;
    if (association_accept(&association, listener, &options, handler, association_user) == 0)
        acceptor->open_count++;
    else
        drop_connection(listener);
    if (acceptor->handler->accepted != NULL)
        acceptor->handler->accepted(acceptor->user, association_user, association);
}

static int bind_and_listen(struct acceptor *acceptor)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    const char *host = acceptor->options.bind_address;
    int error = uv_ip4_addr(host, acceptor->options.port, (struct sockaddr_in *)&address);
    if (error != 0)
        error = uv_ip6_addr(host, acceptor->options.port, (struct sockaddr_in6 *)&address);
    if (error == 0)
        error = uv_tcp_bind(&acceptor->tcp, (const struct sockaddr *)&address, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&acceptor->tcp, BACKLOG, on_connection);
    if (error == 0)
        error = uv_tcp_getsockname(&acceptor->tcp, (struct sockaddr *)&address, &len);
    if (error == 0) {
        acceptor->port = address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                                       : ntohs(((struct sockaddr_in *)&address)->sin_port);
    }
    return error;
}

static void on_closed(uv_handle_t *handle)
{
    struct acceptor *acceptor = handle->data;
    acceptor->closing = true;
    free_if_unused(acceptor);
}

int acceptor_open(struct acceptor **ret_acceptor, struct uv_loop_s *loop, const struct acceptor_options *options,
                  const struct acceptor_handler *handler, void *user)
{
    struct acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (acceptor == NULL)
        return -ENOMEM;
    acceptor->options = *options;
    acceptor->handler = handler;
    acceptor->user = user;
    uv_tcp_init(loop, &acceptor->tcp);
    acceptor->tcp.data = acceptor;
    int error = bind_and_listen(acceptor);
    if (error != 0) {
        acceptor_close(acceptor);
        return error;
    }
    *ret_acceptor = acceptor;
    return 0;
}

uint16_t acceptor_port(const struct acceptor *acceptor)
{
    return acceptor->port;
}

void acceptor_close(struct acceptor *acceptor)
{
    uv_close((uv_handle_t *)&acceptor->tcp, on_closed);
}
