/*
 * operations - the requests of ours that are under way on one association: their Message IDs (PS3.7 9.1), which of them
 * a response answers, and how long a response may take.
 *
 *   OPERATION_NONE -> OPERATION_WAITING -> OPERATION_LEAVING -> OPERATION_SENT -> OPERATION_NONE
 *
 * Both sides need it: an exchange for its services, and the provider of C-GET for its C-STOREs. On the association's
 * loop. An operation is part of whoever asks; nothing is allocated here.
 */
#ifndef SERVICES_OPERATIONS_H
#define SERVICES_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "dicomnet/association.h"

enum operation_state {
    OPERATION_NONE,    /* it has not been asked for, or is over */
    OPERATION_WAITING, /* its request may not begin yet: another message or operation comes first */
    OPERATION_LEAVING, /* its request is on its way out; a response may come already */
    OPERATION_SENT     /* the last byte of its request was taken: the response is awaited */
};

/* All zero before it is first used. */
struct operation {
    struct list_node node;   /* of operations.waiting or operations.under_way */
    struct service *service; /* of an exchange, whose operation it is; NULL without an exchange */
    enum operation_state state;
    uint16_t message_id;
    uint16_t field;   /* of the request: enum dicomnet_dimse_field */
    uint64_t sent_us; /* when it became OPERATION_SENT */
};

struct operations {
    struct dicomnet_association *association; /* borrowed; set by the owner before anything begins */
    uv_timer_t timer;                         /* the owner closes it and has its `data` */
    uint32_t timeout_ms;                      /* for a response; 0 = for ever */
    bool late;             /* an answer was late when the timer ran out last: it counts if it still is */
    uint64_t heard_us;     /* when the peer last answered anything: it gets on with the other operations too */
    struct list waiting;   /* OPERATION_WAITING, in the order in which they were asked for */
    struct list under_way; /* OPERATION_LEAVING and OPERATION_SENT, in the order in which they began */
    unsigned count;        /* of under_way */
    uint16_t last_message_id;
};

void operations_init(struct operations *operations, uv_loop_t *loop, uint32_t timeout_ms);

/* 1 to 65,535, then 1 again; the Message ID of an operation that waits or is under way is passed over. */
uint16_t operations_next_message_id(struct operations *operations);

/* It waits for its turn. Its Message ID and field are set. */
void operations_wait(struct operations *operations, struct operation *operation);

/* Its request begins to go out. Its Message ID and field are set. */
void operations_begin(struct operations *operations, struct operation *operation);

/* The last byte of its request was taken. */
void operations_note_sent(struct operations *operations, struct operation *operation);

/* The peer is at work: the time that a response may take begins anew. */
void operations_note_heard(struct operations *operations);

/* The operation under way that this response answers, by Message ID and Command Field; NULL if there is none. */
struct operation *operations_find(const struct operations *operations, const struct dicomnet_dimse_command *response);

/* The first operation of this service that is under way; NULL if none is. */
struct operation *operations_first_of(const struct operations *operations, const struct service *service);

/* It is over, whatever its state was. */
void operations_end(struct operations *operations, struct operation *operation);

#endif
