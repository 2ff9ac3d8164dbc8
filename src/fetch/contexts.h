/*
 * contexts - what is proposed to a peer: the information model and, for a C-GET, the storage classes of what is wanted.
 */
#ifndef FETCH_CONTEXTS_H
#define FETCH_CONTEXTS_H

#include "dicomnet/association.h"
#include "fetch/inventory.h"

/*
 * Contexts to propose for this service; an array to be freed, whose classes are borrowed of the inventory. NULL if out
 * of memory. `attempt`: how many rounds in a row brought nothing. Each time a C-GET proposes other classes if nobody
 * knows which are wanted, or puts other transfer syntaxes into contexts of their own.
 */
struct dicomnet_association_proposal *contexts_propose(enum dicomnet_query_model model,
                                                       enum dicomnet_query_service service,
                                                       const struct inventory *inventory, unsigned attempt,
                                                       size_t *ret_count);

#endif
