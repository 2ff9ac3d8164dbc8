/*
 * store_intake - the C-STORE and C-ECHO requests that come on an association, whoever opened it: instances go to a
 * sink, responses wait their turn in a ring.
 *
 * Part of a provider, or of the user of a C-GET, which passes on what the association tells and sends when it can.
 */
#ifndef SERVICES_STORE_INTAKE_H
#define SERVICES_STORE_INTAKE_H

#include "dicomnet/storage.h"

enum { STORE_INTAKE_RESPONSES_MAX = DICOMNET_STORAGE_WINDOW_MAX + 8 };

struct store_intake {
    struct dicomnet_association *association; /* set by the owner when it is open */
    const struct dicomnet_storage_sink *sink; /* NULL: C-STOREs are answered 0122 */
    void *context;
    uint32_t response_delay_ms;
    bool in_message;             /* the data set of a request is coming: it goes to the sink, or is dropped */
    uint16_t refused_status;     /* what the current request will be answered with; 0 = what the sink says */
    const char *refused_comment; /* static; NULL = none */
    uint8_t context_id;          /* of the current message */
    unsigned first, count;       /* of the responses in the ring */
    unsigned size;               /* of the ring: it grows to what was needed at one time, and stays */
    struct store_response {
        uint64_t due_us;
        uint8_t context_id;
        struct dicomnet_dimse_command command;
    } * responses; /* owned; NULL until the first is to be sent */
};

/*
 * A request has come that is not the owner's business: C-STORE and C-ECHO are served, others answered 0211. A C-STORE
 * of another class than its presentation context's is answered 0122.
 */
void store_intake_command(struct store_intake *intake, uint8_t context_id,
                          const struct dicomnet_dimse_command *request);

/*
 * Answer a request with this status once its data set, if it has one, has come and been dropped. `comment` is static;
 * NULL = none.
 */
void store_intake_refuse(struct store_intake *intake, uint8_t context_id, const struct dicomnet_dimse_command *request,
                         uint16_t status, const char *comment);

/* True if the request has a Message ID, without which it cannot be answered. If not, the association is aborted. */
bool store_intake_is_answerable(struct store_intake *intake, const struct dicomnet_dimse_command *request);

/* Bytes of the data set of a request given to one of the above. */
void store_intake_data(struct store_intake *intake, const struct dicomnet_dimse_command *request,
                       struct dicomnet_span bytes, bool last);

/* Put a response into the ring. A peer that has more of them waiting than the ring holds is aborted. */
void store_intake_respond(struct store_intake *intake, uint8_t context_id,
                          const struct dicomnet_dimse_command *response, uint32_t delay_ms);

/*
 * Send the first response if it is due. True if it went; else *ret_wait_us is the time until it is due, 0 if there is
 * nothing to wait for but the association.
 */
bool store_intake_send(struct store_intake *intake, uint64_t *ret_wait_us);

/* True if this sink can be used: it is NULL, or has all that is not optional. */
bool store_intake_can_use(const struct dicomnet_storage_sink *sink);

/* The association ended: an instance that is not complete is forgotten, and so are the responses. */
void store_intake_end(struct store_intake *intake);

#endif
