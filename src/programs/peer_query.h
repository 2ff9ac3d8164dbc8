/*
 * peer_query - what dicom-finder and dicom-mover begin with: whom to ask, and for what.
 */
#ifndef PROGRAMS_PEER_QUERY_H
#define PROGRAMS_PEER_QUERY_H

#include "programs/destination.h"
#include "programs/query_keys.h"

struct peer_query {
    struct destination destination;
    struct query_keys keys;
};

/*
 * Find the destination and read the keys that the options name; `with_attributes` is that of query_keys_read. Returns
 * 0, or the exit code 1 after one line on standard error (destination_say). Either way peer_query_fini follows.
 */
int peer_query_read(struct peer_query *query, const struct options *common, const struct query_group *group,
                    bool with_attributes) DICOMNET_MUST_CHECK;

void peer_query_fini(struct peer_query *query);

#endif
