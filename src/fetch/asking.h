/*
 * asking - having sent what is wanted, in rounds: one C-MOVE or C-GET after the other, and what becomes of the
 * inventory by the peer's answers.
 *
 * It prepares queries and judges answers; the association is retrieval.c's.
 */
#ifndef FETCH_ASKING_H
#define FETCH_ASKING_H

#include "fetch/inventory.h"
#include "fetch/run.h"

/* Instances that are named in one request: some 6 KB of UIDs. Fewer after a round in which nothing came. */
enum { ASKING_BATCH_MAX = 100 };

struct asking {
    struct run *run;
    struct inventory *inventory;
    unsigned round; /* from 1; 0 = nothing has been asked for yet */

    /* Where the next request begins. */
    struct inventory_target *target; /* to be looked at next */
    struct inventory_part *cursor;   /* NULL = enter the target */
    struct inventory_instance *instance;

    /* The request under way, or the last one. */
    struct dicomnet_identifier keys;
    struct dicomnet_query query;
    enum dicomnet_query_level level;
    struct inventory_place place;
    struct inventory_part *part; /* asked for as a whole; NULL = the batch */
    struct inventory_instance *batch[ASKING_BATCH_MAX];
    size_t batch_count, batch_max;
    bool never_whole;
    uint64_t wanted;
    uint64_t done_max; /* the most sub-operations that were done, as the peer counted */
    uint64_t strays;   /* arrivals that nobody asked for */
    uint64_t begun_us; /* wall clock, */
    uint64_t asked_us; /* and monotonic */

    char failure_text[256]; /* of the last request that did not end with success; "" = none */
};

/* Both are borrowed until asking_fini. */
void asking_init(struct asking *asking, struct run *run, struct inventory *inventory);
void asking_fini(struct asking *asking);

/*
 * Begin a round, at the first target. `fruitless`: how many rounds in a row were answered and brought nothing; the
 * more, the less is asked for in one request.
 */
void asking_begin_round(struct asking *asking, unsigned fruitless);

/* The next request of this round, to be begun. 1 with *ret_query (the asking's), 0 = there is none, or an error. */
int asking_next(struct asking *asking, struct dicomnet_query **ret_query) DICOMNET_MUST_CHECK;

/* The peer said how far it is. */
void asking_progress(struct asking *asking);

/*
 * True if what was asked for as a whole is to come to this process on associations of its own, and the peer says that
 * it sent some, while not all that there is has come.
 */
bool asking_is_short(const struct asking *asking);

/* It ended, answered or not. `failed` as in query_user_handler.ended. What cannot get better is given up. */
void asking_ended(struct asking *asking, const struct dicomnet_identifier *failed);

#endif
