/*
 * exchange - one association (requestor) that several services share: a C-ECHO, then C-FINDs, and the C-STOREs that
 * follow from them.
 *
 * A service either opens an association of its own (dicomnet_storage_user_open, dicomnet_query_user_open,
 * dicomnet_verification_echo) or joins an exchange (..._join). Then it does what it does alone, and the exchange:
 *
 *   - gives out the Message IDs, and brings each response to the service whose request it answers; a response that
 *     answers none aborts the association;
 *   - lets no more operations be outstanding than were agreed (PS3.7 D.3.3.3): one, unless `window` was proposed. A
 *     query or a C-ECHO that has to wait goes out as soon as it may, before any store that has not begun;
 *   - aborts the association when a response does not come within timeouts.dimse_ms;
 *   - brings the peer's requests (the C-STOREs of a C-GET) to the query_user that joined first. Without one, a request
 *     aborts the association.
 *
 *   dicomnet_exchange_open -> ..._join, ..._join -> opened (of all) -> ... -> closed (of all, the exchange's last)
 *
 * The association is released when the last of those who hold it lets go: each service holds it until its own release
 * (a C-ECHO until it has ended), the exchange until dicomnet_exchange_release.
 */
#ifndef DICOMNET_EXCHANGE_H
#define DICOMNET_EXCHANGE_H

#include "association.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_exchange;

/* Either may be NULL, and so may the handler. */
struct dicomnet_exchange_handler {
    /* The association is established. Services that have joined are told next, in the order in which they joined. */
    void (*opened)(struct dicomnet_exchange *exchange, void *context);

    /* The association ended, and so did the services; the exchange is freed when this returns. Exactly once, last. */
    void (*closed)(struct dicomnet_exchange *exchange, void *context, const struct dicomnet_association_end *end);
};

/*
 * As dicomnet_association_open; -EINVAL also if loop or options is NULL. `options` proposes what all of the services
 * need; a `window` above DICOMNET_STORAGE_WINDOW_MAX is cut. Services may join from now until `closed`.
 */
int dicomnet_exchange_open(struct dicomnet_exchange **ret_exchange, struct uv_loop_s *loop,
                           const struct dicomnet_association_options *options,
                           const struct dicomnet_exchange_handler *handler, void *context) DICOMNET_MUST_CHECK;

/* Its association, for what was negotiated. Valid until `closed` returns. */
struct dicomnet_association *dicomnet_exchange_association(const struct dicomnet_exchange *exchange);

/* No other service will join. The association is released when all that have joined have let go. */
void dicomnet_exchange_release(struct dicomnet_exchange *exchange);

/* Abort now: every operation under way ends without an answer. */
void dicomnet_exchange_abort(struct dicomnet_exchange *exchange, int error);

#ifdef __cplusplus
}
#endif

#endif
