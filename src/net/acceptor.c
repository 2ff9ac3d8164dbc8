/* acceptor - see dicomnet/acceptor.h. */
#include "dicomnet/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/list.h"
#include "base/sized.h"
#include "net/address.h"
#include "net/arguments.h"
#include "net/faults.h"
#include "net/line.h"

enum { BACKLOG = 512, LOOKS = 4 /* times that idle associations are looked for in one idle_ms */, LOOK_MS_MAX = 1000 };

struct dicomnet_acceptor {
    uv_tcp_t listeners[DICOMNET_ACCEPTOR_ADDRESSES_MAX];
    unsigned listener_count;
    uv_timer_t look;       /* for associations that are idle */
    unsigned handles_open; /* of these */
    struct dicomnet_acceptor_options options;
    const struct dicomnet_acceptor_handler *handler;
    void *user;
    struct list visitors; /* connections that are not gone, the oldest first */
    unsigned visitor_count;
    unsigned admitted_count; /* of them, those that take a place of max_associations */
    struct acceptor_faults faults;
    unsigned rejected_count; /* so far, because of faults.reject_first */
    uint16_t port;
};

/* A connection, and the association that was made of it. */
struct visitor {
    struct list_node node;
    struct dicomnet_acceptor *acceptor;
    struct dicomnet_association *association;
    bool requested; /* its A-ASSOCIATE-RQ has come */
};

static void free_if_unused(struct dicomnet_acceptor *acceptor)
{
    if (acceptor->handles_open == 0 && acceptor->visitor_count == 0)
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

/* ---- associations come and go ---- */

static bool admit(void *admission)
{
    struct visitor *visitor = admission;
    struct dicomnet_acceptor *acceptor = visitor->acceptor;
    const struct dicomnet_acceptor_options *options = &acceptor->options;
    visitor->requested = true;
    if (acceptor->rejected_count < acceptor->faults.reject_first) {
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
    struct visitor *visitor = admission;
    visitor->acceptor->admitted_count--;
}

static void forget(struct visitor *visitor)
{
    list_remove(&visitor->node);
    visitor->acceptor->visitor_count--;
    free(visitor);
}

static void gone(void *admission)
{
    struct visitor *visitor = admission;
    struct dicomnet_acceptor *acceptor = visitor->acceptor;
    forget(visitor);
    free_if_unused(acceptor);
}

/*
 * There are as many connections as may be. The oldest of those that have not even asked for an association makes room,
 * so that connections that say nothing do not keep everybody else out. False if all have asked.
 */
static bool make_room(struct dicomnet_acceptor *acceptor)
{
    for (struct list_node *node = list_first(&acceptor->visitors); node != NULL;
         node = list_next(&acceptor->visitors, node)) {
        struct visitor *visitor = list_entry(node, struct visitor, node);
        if (visitor->requested)
            continue;
        visitor->requested = true; /* so that it is not chosen again: it closes later */
        dicomnet_association_abort(visitor->association, DICOMNET_ERROR_TIMEOUT_ACSE);
        return true;
    }
    return false;
}

static bool may_connect(struct dicomnet_acceptor *acceptor)
{
    unsigned most = acceptor->options.max_connections;
    return most == 0 || acceptor->visitor_count < most || make_room(acceptor);
}

static struct dicomnet_association *make_association(struct dicomnet_acceptor *acceptor, uv_stream_t *listener,
                                                     const struct dicomnet_association_handler *handler,
                                                     void *association_user)
{
    struct dicomnet_association_accept_options options = acceptor->options.association;
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return NULL;
    visitor->acceptor = acceptor;
    list_append(&acceptor->visitors, &visitor->node);
    acceptor->visitor_count++;
    options.admit = admit;
    options.leave = leave;
    options.gone = gone;
    options.admission = visitor;
    if (dicomnet_association_accept(&visitor->association, listener, &options, handler, association_user) == 0) {
        if (acceptor->faults.two_writes)
            association_use_two_writes(visitor->association);
        return visitor->association;
    }
    forget(visitor);
    return NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct dicomnet_acceptor *acceptor = listener->data;
    if (status < 0)
        return; /* that connection is gone; the next one comes by itself */
    void *association_user = NULL;
    const struct dicomnet_association_handler *handler =
        may_connect(acceptor) ? acceptor->handler->connected(acceptor->user, &association_user) : NULL;
    if (handler == NULL) {
        drop_connection(listener);
        return;
    }
    struct dicomnet_association *association = make_association(acceptor, listener, handler, association_user);
    if (association == NULL)
        drop_connection(listener);
    if (acceptor->handler->accepted != NULL)
        acceptor->handler->accepted(acceptor->user, association_user, association);
}

/* ---- associations that are idle ---- */

static void on_look(uv_timer_t *timer)
{
    struct dicomnet_acceptor *acceptor = timer->data;
    for (struct list_node *node = list_first(&acceptor->visitors); node != NULL;
         node = list_next(&acceptor->visitors, node)) {
        struct dicomnet_association *association = list_entry(node, struct visitor, node)->association;
        if (dicomnet_association_idle_ms(association) >= acceptor->options.idle_ms)
            dicomnet_association_abort(association, DICOMNET_ERROR_TIMEOUT_IDLE);
    }
}

static void look_for_idle(struct dicomnet_acceptor *acceptor)
{
    uint64_t period_ms = acceptor->options.idle_ms / LOOKS;
    if (acceptor->options.idle_ms == 0)
        return;
    period_ms = period_ms < 1 ? 1 : period_ms > LOOK_MS_MAX ? LOOK_MS_MAX : period_ms;
    uv_timer_start(&acceptor->look, on_look, period_ms, period_ms);
}

/* ---- the whole ---- */

/* "::" takes IPv4 as well, unless that has an address of its own. */
static unsigned bind_flags(const union address *addresses, size_t count, const union address *own)
{
    if (own->any.sa_family != AF_INET6 || !address_is_any(own))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (addresses[i].any.sa_family == AF_INET)
            return UV_TCP_IPV6ONLY;
    return 0;
}

/* The first listener decides which port it is. */
static int listen_at(struct dicomnet_acceptor *acceptor, union address *address, unsigned flags)
{
    uv_tcp_t *listener = &acceptor->listeners[acceptor->listener_count];
    int len = sizeof *address;
    uv_tcp_init(acceptor->look.loop, listener); /* without flags it makes no system call */
    listener->data = acceptor;
    acceptor->listener_count++;
    acceptor->handles_open++;
    address_set_port(address, acceptor->port);
    int error = uv_tcp_bind(listener, &address->any, flags);
    if (error == 0 && line_asks(&acceptor->options.association.line))
        error = line_prepare(listener, &acceptor->options.association.line);
    if (error == 0)
        error = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
    if (error == 0)
        error = uv_tcp_getsockname(listener, &address->any, &len);
    if (error == 0)
        acceptor->port = address_port(address);
    return error;
}

static int bind_and_listen(struct dicomnet_acceptor *acceptor)
{
    const struct dicomnet_acceptor_options *options = &acceptor->options;
    union address addresses[DICOMNET_ACCEPTOR_ADDRESSES_MAX];
    size_t count = options->more_address_count + 1;
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = address_parse(i == 0 ? options->bind_address : options->more_addresses[i - 1], 0, &addresses[i]);
    acceptor->port = options->port;
    for (size_t i = 0; i < count && error == 0; i++)
        error = listen_at(acceptor, &addresses[i], bind_flags(addresses, count, &addresses[i]));
    return error;
}

static void on_closed(uv_handle_t *handle)
{
    struct dicomnet_acceptor *acceptor = handle->data;
    acceptor->handles_open--;
    free_if_unused(acceptor);
}

int dicomnet_acceptor_open(struct dicomnet_acceptor **ret_acceptor, struct uv_loop_s *loop,
                           const struct dicomnet_acceptor_options *options,
                           const struct dicomnet_acceptor_handler *handler, void *user)
{
    struct dicomnet_acceptor_options own;
    int error = SIZED_TAKE(&own, association.timeouts, options);
    if (error == 0 && (ret_acceptor == NULL || loop == NULL || handler == NULL || handler->connected == NULL ||
                       own.bind_address == NULL || own.more_address_count >= DICOMNET_ACCEPTOR_ADDRESSES_MAX))
        error = -EINVAL;
    own.association.size = sizeof own.association;
    if (error == 0)
        error = arguments_check_accept_options(&own.association);
    if (error != 0)
        return error;
    struct dicomnet_acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (acceptor == NULL)
        return -ENOMEM;
    acceptor->options = own;
    acceptor->handler = handler;
    acceptor->user = user;
    list_init(&acceptor->visitors);
    uv_timer_init(loop, &acceptor->look);
    acceptor->look.data = acceptor;
    acceptor->handles_open = 1;
    error = bind_and_listen(acceptor);
    if (error != 0) {
        dicomnet_acceptor_close(acceptor);
        return error;
    }
    look_for_idle(acceptor);
    *ret_acceptor = acceptor;
    return 0;
}

void acceptor_set_faults(struct dicomnet_acceptor *acceptor, const struct acceptor_faults *faults)
{
    acceptor->faults = *faults;
}

uint16_t dicomnet_acceptor_port(const struct dicomnet_acceptor *acceptor)
{
    return acceptor->port;
}

void dicomnet_acceptor_close(struct dicomnet_acceptor *acceptor)
{
    for (unsigned i = 0; i < acceptor->listener_count; i++)
        uv_close((uv_handle_t *)&acceptor->listeners[i], on_closed);
    uv_close((uv_handle_t *)&acceptor->look, on_closed);
    for (struct list_node *node = list_first(&acceptor->visitors); node != NULL;
         node = list_next(&acceptor->visitors, node))
        dicomnet_association_abort(list_entry(node, struct visitor, node)->association, DICOMNET_ERROR_ABORTED_LOCALLY);
}
