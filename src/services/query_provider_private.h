/*
 * query_provider_private - the inside of a query_provider, shared by the files it is written in:
 *   query_provider.c  what the peer sends, and what is sent when
 *   query_answer.c    what the application says: query_request_...
 */
#ifndef SERVICES_QUERY_PROVIDER_PRIVATE_H
#define SERVICES_QUERY_PROVIDER_PRIVATE_H

#include <uv.h>

#include "dicomnet/data_source.h"
#include "dicomnet/query_retrieve.h"
#include "services/operations.h"
#include "services/store_intake.h"

/* A response that waits to be sent, with its data set. */
struct outgoing {
    bool waiting;
    bool has_data_set;
    struct dicomnet_dimse_command command;
    uint8_t *bytes; /* owned */
    size_t size, len;
    struct dicomnet_memory_source source;
};

enum provider_state {
    IDLE,      /* no request */
    GATHERING, /* its identifier is coming */
    GATHERED,  /* it is whole; the last request's answer has not left yet */
    SERVING,   /* the application has it */
    FINISHING  /* the final answer waits to be sent */
};

struct dicomnet_query_provider {
    struct dicomnet_association *association;
    struct dicomnet_query_provider_options options;
    uv_idle_t turn; /* until the loop has had its turn */
    unsigned handles_open;
    bool in_pump; /* pump is on the stack: it goes on by itself */
    unsigned asked_in_a_row;
    uint64_t asked_since_us;

    enum provider_state state;
    struct dicomnet_query_request request;
    struct dicomnet_dimse_command command; /* of the request */
    uint8_t context_id;
    bool served;     /* the application has it: `ended` is owed */
    bool ready_owed; /* the application is to be asked */
    bool too_long;   /* the identifier */
    uint8_t *bytes;  /* the identifier as it comes; owned */
    size_t size, len;
    struct dicomnet_identifier identifier;

    enum { LEAVING_NOTHING, LEAVING_RESPONSE, LEAVING_PENDING, LEAVING_STORE } leaving;
    struct outgoing match, final;
    bool progress_waiting;
    struct dicomnet_query_counts progress;

    struct dicomnet_store *store; /* the sub-operation under way, a C-STORE; borrowed */
    struct operation operation;   /* its */
    struct operations operations; /* has no other */
    struct store_intake intake;
};

/* Send what can be sent; ask the application when nothing waits. To be called whenever something has changed. */
void query_provider_pump(struct dicomnet_query_provider *provider);

/* The final answer of the request under way. `comment` may be NULL. */
void query_provider_put_final(struct dicomnet_query_provider *provider, uint16_t status, const char *comment);

void query_provider_put_counts(struct dicomnet_dimse_command *command, const struct dicomnet_query_counts *counts,
                               bool with_remaining);

#endif
