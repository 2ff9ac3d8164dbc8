/*
 * status_rule - what a C-STORE status means for the instance (PS3.4 B.2.3, PS3.7 Annex C), and how long to wait before
 * another try.
 */
#ifndef INSTANCE_STATUS_RULE_H
#define INSTANCE_STATUS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/outcome.h"

enum { STATUS_RULE_UNAUTHORISED_MAX = 3 }; /* answers 0124 in a row, over all workers: the peer refuses every store */

enum status_rule_again {
    AGAIN_NEVER,
    AGAIN_ONCE,  /* one more attempt, on a new association */
    AGAIN_OFTEN, /* as often as --retry says, each on a new association */
    AGAIN_LATER  /* the peer is out of resources, for this instance or for all: see breaker.h */
};

struct status_rule_verdict {
    enum outcome_state state;     /* OUTCOME_STORED, OUTCOME_WARNED or OUTCOME_FAILED */
    enum status_rule_again again; /* for OUTCOME_FAILED */
    bool new_association;         /* the next attempt wants one */
};

struct status_rule_verdict status_rule_judge_status(uint16_t status);

/* Of a response without a status: as for one that the standard does not know. */
struct status_rule_verdict status_rule_judge_no_status(void);

/* True if the peer says that it is out of resources (A7xx, 0213): it may be too much for it at the moment. */
bool status_rule_says_busy(uint16_t status);

/* Backoff before attempt `attempt` (2 = the first repetition): 1, 2, 4 ... 60 s, give or take a tenth by `random`. */
uint32_t status_rule_backoff_ms(unsigned attempt, uint32_t random);

#endif
