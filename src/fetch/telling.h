/*
 * telling - what a retrieval tells its observer of itself: how far it is while it runs; when it has ended, each
 * instance that is missing, or how many of a study or series without names, and the result.
 */
#ifndef FETCH_TELLING_H
#define FETCH_TELLING_H

#include "fetch/asking.h"
#include "fetch/inventory.h"
#include "fetch/run.h"

struct telling {
    struct run *run;
    const struct inventory *inventory;
    const struct asking *asking;
    uint64_t begun_wall_us;
    uint64_t begun_us;        /* monotonic, */
    uint64_t asking_begun_us; /* as well; 0 = not yet */
    uint64_t list_us;         /* how long the list took; 0 = it is not made */
};

/* Its time begins. All are borrowed. */
void telling_init(struct telling *telling, struct run *run, const struct inventory *inventory,
                  const struct asking *asking);

/* How far it is. `has_request`: what the peer counts of the request under way is a part of that. */
void telling_progress(const struct telling *telling, enum retrieval_phase phase, bool has_request);

/* The list is made. */
void telling_listed(struct telling *telling);

/* Something is asked for, now or before. */
void telling_asking_begins(struct telling *telling);

/* It has ended: tell the last progress and all that is missing, and fill in the result. */
void telling_end(const struct telling *telling, uint16_t receive_port, struct retrieval_result *ret_result);

#endif
