/*
 * rounds - whether it is tried again, and after what time: facts in, verdict out.
 */
#ifndef FETCH_ROUNDS_H
#define FETCH_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct rounds {
    unsigned attempt;   /* tries in a row in which nothing came */
    unsigned fruitless; /* of these, those in which the peer answered all the same */
};

/* How a try ended: a round, or an association for the list. */
struct rounds_facts {
    bool progress; /* something came in it */
    bool failed;   /* its association ended before its query or retrieval did */
    bool is_list;  /* it was for the list: if it made progress, the next one counts as no retry */
};

enum { ROUNDS_NO_MORE = -1 };

/*
 * Returns the milliseconds until the next try, or ROUNDS_NO_MORE: `retry` tries in a row without progress are made
 * after a first one. `random` spreads the time a little.
 */
int64_t rounds_next(struct rounds *rounds, const struct rounds_facts *facts, unsigned retry, uint32_t random);

#endif
