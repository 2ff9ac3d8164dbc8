/*
 * contexts - what is proposed to a peer: the information model and, for a C-GET, the storage classes of what is wanted.
 */
#ifndef FETCH_CONTEXTS_H
#define FETCH_CONTEXTS_H

#include "dicomnet/association.h"
#include "fetch/inventory.h"

/*
 * Contexts to propose for this service; an array to be freed. NULL if out of memory. `attempt`: how many rounds in a
 * row brought nothing; of a C-GET for classes that nobody knows, other ones are proposed each time.
 */
struct dicomnet_association_proposal *contexts_propose(enum dicomnet_query_model model,
                                                       enum dicomnet_query_service service,
                                                       const struct inventory *inventory, unsigned attempt,
                                                       size_t *ret_count);

#endif
