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

/* A response that waits to be sent, and its data set if it has one. */
struct outgoing {
    bool waiting;
    bool has_data_set;
    struct dicomnet_dimse_command command;
    uint8_t *bytes; /* owned */
    size_t size, len;
    struct dicomnet_memory_source source;
};

/*
 *   IDLE -> GATHERING -> GATHERED -> SERVING -> FINISHING -> IDLE
 *               |            |                    ^
 *               '------------'--------------------'  the request is answered without the application
 *
 * and back to IDLE from everywhere when the association ends.
 */
enum provider_state {
    IDLE,      /* there is no request */
    GATHERING, /* a request has come, its identifier is coming */
    GATHERED,  /* the identifier is whole; the association has not taken everything sent before yet */
    SERVING,   /* the application has the request and answers it */
    FINISHING  /* the final response waits to be sent */
};

struct dicomnet_query_provider {
    struct dicomnet_association *association;
    struct dicomnet_query_provider_options options;
    uv_idle_t turn; /* runs while the application is not asked, so that the loop can serve others */
    unsigned handles_open;
    bool in_pump; /* pump is on the stack: it goes on by itself */
    unsigned asked_in_a_row;
    uint64_t asked_since_us;

    enum provider_state state;
    struct dicomnet_query_request request;
    struct dicomnet_dimse_command command; /* of the request */
    uint8_t context_id;
    bool served;     /* the application has taken it: `ended` has still to be called */
    bool ready_owed; /* `ready` has still to be called */
    bool too_long;   /* the identifier is: the rest of it is dropped */
    uint8_t *bytes;  /* the identifier as it comes; owned */
    size_t size, len;
    struct dicomnet_identifier identifier;

    enum { LEAVING_NOTHING, LEAVING_RESPONSE, LEAVING_PENDING, LEAVING_STORE } leaving;
    struct outgoing match, final;
    bool progress_waiting;
    struct dicomnet_query_counts progress;

    struct dicomnet_store *store; /* the sub-operation under way, a C-STORE; borrowed */
    struct operation operation;   /* of `store` */
    struct operations operations; /* `operation` is the only one */
    struct store_intake intake;
};

/*
 * Send what waits, as long as the association takes it; when nothing waits, ask the application for more. To be called
 * whenever something has changed.
 */
void query_provider_pump(struct dicomnet_query_provider *provider);

/* The final answer of the request under way. `comment` may be NULL. */
void query_provider_put_final(struct dicomnet_query_provider *provider, uint16_t status, const char *comment);

void query_provider_put_counts(struct dicomnet_dimse_command *command, const struct dicomnet_query_counts *counts,
                               bool with_remaining);

#endif
