/*
 * listing - what the peer has of what is wanted: C-FINDs from the level of the keys down to instances, one after the
 * other, and what becomes of the inventory by their matches.
 *
 * It prepares queries and reads matches; the association is retrieval.c's.
 */
#ifndef FETCH_LISTING_H
#define FETCH_LISTING_H

#include "fetch/arrivals.h"
#include "fetch/inventory.h"
#include "fetch/run.h"

/* A C-FIND that is still to be made. */
struct listing_step {
    struct listing_step *next;
    enum dicomnet_query_level level;
    struct inventory_place place;
    struct inventory_part *part; /* in which it looks; NULL: the first, with the keys of the options */
    uint64_t matches;            /* that came */
    unsigned losses;             /* associations that ended at it */
};

struct listing {
    struct run *run;
    struct inventory *inventory;
    struct arrivals *arrivals;              /* which instances are there already */
    struct listing_step *step, **last_step; /* the first is under way; NULL = all is listed */
    uint64_t steps_ended;
    unsigned losses;                 /* steps in a row that were given up */
    struct dicomnet_identifier keys; /* of the step under way */
    struct dicomnet_query query;
    int error; /* no memory for a match; 0 = none */
};

/* All are borrowed until listing_fini. */
void listing_init(struct listing *listing, struct run *run, struct inventory *inventory, struct arrivals *arrivals);
void listing_fini(struct listing *listing);

/* Begin with the keys: with what they name, if nobody is to be asked, else with the first C-FIND. 0 or -ENOMEM. */
int listing_begin(struct listing *listing) DICOMNET_MUST_CHECK;

/* The next C-FIND, to be begun. 1 with *ret_query (the listing's), 0 = there is none left, else a negative error. */
int listing_next(struct listing *listing, struct dicomnet_query **ret_query) DICOMNET_MUST_CHECK;

/* A match of it. Without memory `error` is set; of too many the retrieval is given up. */
void listing_match(struct listing *listing, const struct dicomnet_identifier *match);

/* It was answered. If the peer cannot be used, the retrieval is given up. */
void listing_ended(struct listing *listing);

/* The association ended at it. It may be given up: what it was about is asked for as a whole then. */
void listing_lost(struct listing *listing);

/* There is no C-FIND at this peer: go by the keys. False if they do not name what is wanted. */
bool listing_do_without(struct listing *listing, const char *why);

#endif
