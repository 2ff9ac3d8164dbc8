/*
 * peer_link - the association on which a retrieval asks its peer, one after the other: how it is opened, when it is
 * given up, and what its end means.
 *
 * Which query comes next, and what follows its end, is not known here.
 */
#ifndef FETCH_PEER_LINK_H
#define FETCH_PEER_LINK_H

#include "fetch/arrivals.h"
#include "fetch/run.h"
#include "services/peer_text.h"

struct peer_link {
    struct run *run;
    struct arrivals *arrivals;
    struct dicomnet_query_user *user; /* NULL = there is no association */
    uint64_t stopping_us;             /* monotonic: when the peer was first asked to stop; 0 = it was not */

    /* Of the last association, when it has ended: */
    bool failed;                   /* before its query or retrieval had ended */
    bool is_permanent;             /* another one would end in the same way */
    char end_text[PEER_TEXT_SIZE]; /* how it ended, for people */
};

/* What an association is for. */
struct peer_link_purpose {
    enum dicomnet_query_service service;
    unsigned attempt; /* of contexts_propose */
    const struct dicomnet_query_user_handler *handler;
    void *context; /* of the handler */
};

/* Both are borrowed as long as it is used; there is nothing to be freed. */
void peer_link_init(struct peer_link *link, struct run *run, struct arrivals *arrivals);

/* Open the next association. 0, or a negative error: then there is none. */
int peer_link_open(struct peer_link *link, struct uv_loop_s *loop,
                   const struct peer_link_purpose *purpose) DICOMNET_MUST_CHECK;

/* True if instances of this service come to this process on other associations (C-MOVE). */
bool peer_link_waits_for_arrivals(const struct peer_link *link, enum dicomnet_query_service service);

/* Ask the peer to stop the query under way, if there is one: it gets as long for that as for any answer. */
void peer_link_cancel(struct peer_link *link, bool querying);

/*
 * Abort the association if a timeout has passed: of an answer to a cancel; and with a query under way, of anything new,
 * and, if its instances come on other associations (`waits`), of anything at all, which the association does not see.
 */
void peer_link_check_timeouts(struct peer_link *link, bool querying, bool waits);

/* For query_user_handler.closed: note how it ended. `opened`: it had been established. */
void peer_link_closed(struct peer_link *link, const struct dicomnet_association_end *end, bool opened);

#endif
