/* peer_link - see peer_link.h. */
#include "fetch/peer_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fetch/contexts.h"
#include "services/peer_text.h"

void peer_link_init(struct peer_link *link, struct run *run, struct arrivals *arrivals)
{
    *link = (struct peer_link){.run = run, .arrivals = arrivals};
}

bool peer_link_waits_for_arrivals(const struct peer_link *link, enum dicomnet_query_service service)
{
    return service == DICOMNET_QUERY_MOVE && run_comes_here(link->run);
}

int peer_link_open(struct peer_link *link, struct uv_loop_s *loop, const struct peer_link_purpose *purpose)
{
    const struct retrieval_options *options = link->run->options;
    struct dicomnet_association_options association = {.size = sizeof(struct dicomnet_association_options),
                                                       .parameters = options->association,
                                                       .logger = &link->run->logger};
    struct dicomnet_query_user_options user = {
        .size = sizeof(struct dicomnet_query_user_options), .handler = purpose->handler, .context = purpose->context};
    struct dicomnet_association_proposal *proposals = contexts_propose(
        options->model, purpose->service, link->arrivals->inventory, purpose->attempt, &association.proposal_count);
    int error = proposals == NULL ? -ENOMEM : 0;
    link->failed = false;
    association.proposals = proposals;
    if (peer_link_waits_for_arrivals(link, purpose->service))
        association.parameters.timeouts.dimse_ms = 0; /* see peer_link_check_timeouts */
    if (error == 0 && purpose->service == DICOMNET_QUERY_GET)
        error = arrivals_enter(link->arrivals, &user);
    if (error == 0)
        error = dicomnet_query_user_open(&link->user, loop, &association, &user);
    free(proposals);
    if (error != 0)
        arrivals_leave(link->arrivals);
    return error;
}

void peer_link_cancel(struct peer_link *link, bool querying)
{
    if (link->stopping_us == 0)
        link->stopping_us = clock_monotonic_us();
    if (querying)
        dicomnet_query_user_cancel(link->user);
}

static bool is_due(uint64_t since_us, uint32_t ms)
{
    return since_us > 0 && ms > 0 && clock_monotonic_us() - since_us >= (uint64_t)ms * 1000;
}

void peer_link_check_timeouts(struct peer_link *link, bool querying, bool waits)
{
    const struct run *run = link->run;
    uint32_t dimse_ms = run->options->association.timeouts.dimse_ms;
    if (link->user == NULL)
        return;
    if (is_due(link->stopping_us, dimse_ms) || (querying && waits && is_due(run->heard_us, dimse_ms)))
        dicomnet_query_user_abort(link->user, DICOMNET_ERROR_TIMEOUT_DIMSE);
    else if (querying && is_due(run->moved_us, run->options->stall_ms))
        dicomnet_query_user_abort(link->user, DICOMNET_ERROR_STALLED);
}

static bool is_permanent(const struct dicomnet_association_end *end)
{
    return (end->kind == DICOMNET_ASSOCIATION_REJECTED && end->reject.result == 1) ||
           end->error == DICOMNET_ERROR_HOST_UNKNOWN || dicomnet_error_is_foreign(end->error) ||
           dicomnet_error_is_tls_setup(end->error) || end->error == DICOMNET_ERROR_IDENTITY_UNCONFIRMED;
}

void peer_link_closed(struct peer_link *link, const struct dicomnet_association_end *end, bool opened)
{
    link->user = NULL;
    link->failed |= !opened || end->kind != DICOMNET_ASSOCIATION_RELEASED;
    link->is_permanent = is_permanent(end);
    arrivals_leave(link->arrivals);
    peer_describe_end(end, &link->run->options->association, link->run->options->peer_words, link->end_text,
                      sizeof link->end_text);
}
