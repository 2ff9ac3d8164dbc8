/*
 * store - a C-STORE request of ours, shared by those who send some: storage_user and the provider of C-GET.
 */
#ifndef SERVICES_STORE_H
#define SERVICES_STORE_H

#include "dicomnet/storage.h"

/* Forget how it ended last time, and give it this Message ID. */
void store_reset(struct dicomnet_store *store, uint16_t message_id);

/* 0, or -EINVAL if what the caller has to fill in is missing, or longer than the request has room for. */
int store_check(const struct dicomnet_store *store);

/* Its C-STORE-RQ. */
struct dicomnet_dimse_command store_request(const struct dicomnet_store *store);

/*
 * True if this response on this context is the answer to that store (NULL: to none), which has none yet. If it is the
 * only one under way (`alone`), another context of the same class will do. A response may name no instance.
 */
bool store_matches(const struct dicomnet_store *store, const struct dicomnet_association *association, bool alone,
                   uint8_t context_id, const struct dicomnet_dimse_command *response);

/* The last byte of its request was taken, at that time. */
void store_take_sent(struct dicomnet_store *store, const struct dicomnet_association *association, uint64_t sent_us);

/* Keep what the response says. */
void store_take_response(struct dicomnet_store *store, uint8_t context_id,
                         const struct dicomnet_dimse_command *response);

/* It is over, answered at `now_us`. */
void store_finish(struct dicomnet_store *store, uint64_t sent_us, uint64_t now_us);

#endif
