/*
 * exchange - the inside of an exchange (dicomnet/exchange.h), for the services that join it: storage_user.c,
 * query_user.c, verification.c.
 *
 * A service embeds a `struct service` and says in a `struct service_class` what it wants to be told. Everything happens
 * on the association's loop.
 */
#ifndef SERVICES_EXCHANGE_H
#define SERVICES_EXCHANGE_H

#include "dicomnet/exchange.h"
#include "services/operations.h"

struct service;

/* All but `closed` may be NULL; `request` and `request_data` come together. */
struct service_class {
    /* The association is established. Not called for a service that joins later. */
    void (*opened)(struct service *service);

    /*
     * Do one thing that waits to be done and is no operation's beginning: send a response, say. True if something was
     * done: then it is asked again, before any operation that waits begins.
     */
    bool (*step)(struct service *service);

    /* The turn of an operation that waits (exchange_enqueue) has come: exchange_begin it, or exchange_end it. */
    void (*begin)(struct service *service, struct operation *operation);

    /* A request may perhaps be prepared or begun without waiting. */
    void (*ready)(struct service *service);

    /* The last byte of the operation's request was taken. */
    void (*sent)(struct service *service, struct operation *operation);

    /*
     * A response to the operation has come: its Message ID and Command Field are right, all else is for the service to
     * check. Returns 0, or the error to abort the association with. exchange_end after the final one.
     */
    int (*response)(struct service *service, struct operation *operation, uint8_t context_id,
                    const struct dicomnet_dimse_command *response);

    /* Bytes of that response's data set, unless the operation has ended. */
    void (*data)(struct service *service, struct operation *operation, struct dicomnet_span bytes, bool last);

    /* A request of the peer, or a C-CANCEL; then bytes of its data set. */
    void (*request)(struct service *service, uint8_t context_id, const struct dicomnet_dimse_command *request);
    void (*request_data)(struct service *service, const struct dicomnet_dimse_command *request,
                         struct dicomnet_span bytes, bool last);

    /* The association ended: exchange_end what has not ended. The service is off the exchange and frees itself. */
    void (*closed)(struct service *service, const struct dicomnet_association_end *end);
};

struct service {
    struct list_node node; /* of exchange.services */
    const struct service_class *class;
    struct dicomnet_exchange *exchange; /* valid until `closed` returns */
    bool holds;                         /* the association is not released before it lets go */
    bool told_opened;                   /* `opened` was called, or is not to be */
};

/*
 *   EXCHANGE_OPENING -> EXCHANGE_OPEN -> EXCHANGE_ENDED
 *           '------------------------------^
 */
enum exchange_state {
    EXCHANGE_OPENING, /* services can join, and wait */
    EXCHANGE_OPEN,    /* the association is established; it may be on its way to its end */
    EXCHANGE_ENDED    /* nothing can be asked for any more */
};

struct dicomnet_exchange {
    enum exchange_state state;
    struct dicomnet_association *association;
    const struct dicomnet_exchange_handler *handler; /* NULL: one service has it for itself */
    void *context;
    struct list services; /* in the order in which they joined */
    unsigned holds;       /* services that hold the association, and the opener if `opener_holds` */
    bool opener_holds;
    bool in_pump; /* exchange_pump is on the stack: it goes on by itself */
    struct operations operations;
    struct operation *sending;   /* whose request is on its way out; NULL: none, or a message that is no request */
    struct operation *answering; /* whose response is coming: its data set follows */
    uint64_t preparation;        /* the number of the request that the association has framed and not sent */
};

/*
 * Open an exchange that this service has for itself: it is released when the service lets go. As
 * dicomnet_exchange_open; after an error the service is as it was.
 */
int exchange_open_for(struct service *service, const struct service_class *class, struct uv_loop_s *loop,
                      const struct dicomnet_association_options *options) DICOMNET_MUST_CHECK;

/* Join one that others share. 0; -EINVAL if it is NULL; DICOMNET_ERROR_NOT_OPEN if it has ended or was let go by all.
 */
int exchange_join(struct dicomnet_exchange *exchange, struct service *service,
                  const struct service_class *class) DICOMNET_MUST_CHECK;

/* The service needs the association no longer. */
void exchange_let_go(struct service *service);

/* It takes no more part before the association has ended. `closed` does not come. */
void exchange_leave(struct service *service);

/* The first accepted context of this class in this transfer syntax (NULL: in any), or NULL. */
const struct dicomnet_association_context *exchange_find_context(const struct dicomnet_exchange *exchange,
                                                                 const char *class_uid, const char *syntax_uid);

/* True if an operation may begin now, ahead of none that waits. */
bool exchange_can_begin(const struct dicomnet_exchange *exchange);

/* `begin` is called when its turn comes, perhaps before this returns. Message ID and field of the operation are set. */
void exchange_enqueue(struct service *service, struct operation *operation);

/*
 * Its request goes out; `sent` may come before this returns. Returns as dicomnet_association_send; after an error the
 * operation is over. Message ID and field of the operation are set.
 */
int exchange_begin(struct service *service, struct operation *operation, uint8_t context_id,
                   const struct dicomnet_dimse_command *request,
                   struct dicomnet_data_source *source) DICOMNET_MUST_CHECK;

/*
 * The same in two steps. What is prepared has the number *ret_preparation, and is what exchange_begin_prepared sends as
 * long as exchange->preparation has that number: whatever else is sent or prepared makes it another.
 */
int exchange_prepare(struct dicomnet_exchange *exchange, uint8_t context_id,
                     const struct dicomnet_dimse_command *request, struct dicomnet_data_source *source,
                     uint64_t *ret_preparation) DICOMNET_MUST_CHECK;
int exchange_begin_prepared(struct service *service, struct operation *operation) DICOMNET_MUST_CHECK;

/* The operation is over. Nothing happens if it was already. */
void exchange_end(struct service *service, struct operation *operation);

/* Do what can be done. To be called when a service has got something to do other than by a callback. */
void exchange_pump(struct dicomnet_exchange *exchange);

#endif
