/*
 * figures - what associations and workers carry and what it took: passed from the workers to whoever counts and
 * reports.
 */
#ifndef ENGINE_FIGURES_H
#define ENGINE_FIGURES_H

#include <stdint.h>

#include "dicomnet/association.h"
#include "engine/time_kind.h"

enum { SESSION_THREADS_MAX = 256 }; /* workers of a session */

/* How much one association may carry, before it is released and another opened; 0 = no such limit. */
struct session_limit {
    uint64_t stores;
    uint64_t bytes; /* of data sets */
    uint64_t ms;
};

/* What one association did; handed to observer.association_ended. */
struct association_figures {
    uint64_t number; /* within the session, from 1 */
    int worker;
    uint64_t begun_us, ended_us;       /* wall clock */
    uint64_t connect_us, negotiate_us; /* durations; 0 if it did not get so far */
    uint64_t store_us;                 /* time with a store under way; with several, once */
    uint64_t stored, failed;           /* answered stores: acknowledged (warnings too), and failed */
    uint64_t bytes;                    /* data set bytes acknowledged */
    unsigned contexts_proposed, contexts_accepted;
    uint32_t peer_max_pdu;
    struct dicomnet_association_end end;
};

/* What the scan did. */
struct scan_figures {
    unsigned scanners;   /* the most that were at work at the same time */
    uint64_t busy_us;    /* time of all scanners at work, added up: more than the scan took if it was wide */
    uint64_t storage_us; /* of it waiting for the storage */
};

/* What one worker did. */
struct worker_figures {
    uint64_t time_us[TIME_KINDS];                 /* what its time went into */
    uint64_t there_us;                            /* the sum of it: from the session's begin, rests left out */
    uint64_t store_us;                            /* of it with a store under way */
    uint64_t read_us, write_us, wait_us;          /* of answered stores, added up: more than store_us if they overlap */
    uint64_t associations, stored, failed, bytes; /* as in association_figures */
};

#endif
