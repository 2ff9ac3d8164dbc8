/*
 * provider - an archive that a test plays: an acceptor on a free port of 127.0.0.1, every association of which is
 * served by a query provider with the test's handler and, if it has one, its sink.
 */
#ifndef COMPONENT_PROVIDER_H
#define COMPONENT_PROVIDER_H

#include <uv.h>

#include "dicomnet/acceptor.h"
#include "dicomnet/query_retrieve.h"

struct provider {
    uv_loop_t *loop;
    struct dicomnet_query_provider_options options;
    struct dicomnet_acceptor *acceptor; /* close it when no more associations are to come */
    unsigned connections;
};

/* `options` is copied; its `size` is set here. */
void provider_open(struct provider *provider, uv_loop_t *loop, const struct dicomnet_query_provider_options *options,
                   const struct dicomnet_association_timeouts *timeouts);

#endif
