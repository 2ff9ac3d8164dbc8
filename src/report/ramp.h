/*
 * ramp - what came of the same job with other numbers of threads, one session each: a table, the knee, and a document.
 *
 * The knee is the smallest number of threads whose instances a second are within a tenth of the best. A step in which
 * anything failed or was not sent does not count, neither as the best nor as the knee. docs/ramp.schema.json is the
 * document's form.
 */
#ifndef REPORT_RAMP_H
#define REPORT_RAMP_H

#include <stdint.h>
#include <stdio.h>

#include "dicomnet/error.h"
#include "report/report_files.h"

struct session_result;

enum { RAMP_STEPS_MAX = 16 };

struct ramp_step {
    char session_id[REPORT_SESSION_ID_SIZE];
    unsigned threads;
    int exit_code;                           /* of that session; 0: it counts */
    uint64_t peak_workers;                   /* with an open association at one time */
    uint64_t stored, not_stored;             /* acknowledged; failed, in doubt or pending */
    double instances_per_s, megabytes_per_s; /* of the transfer phase */
    double p50_ms, p99_ms;                   /* response times */
    double busy_share;                       /* of all workers, 0 to 1 */
};

struct ramp {
    size_t count;
    struct ramp_step steps[RAMP_STEPS_MAX];
};

/* Add the step of a session that has ended; there is room for RAMP_STEPS_MAX. */
const struct ramp_step *ramp_add(struct ramp *ramp, const char *session_id, unsigned threads, int exit_code,
                                 const struct session_result *result);

/* The step at the knee, NULL if no step counts. */
const struct ramp_step *ramp_find_knee(const struct ramp *ramp);

/* The table: its heading, one row, and the line about the knee. */
void ramp_print_heading(FILE *out);
void ramp_print_step(const struct ramp_step *step, FILE *out);
void ramp_print_knee(const struct ramp *ramp, FILE *out);

/* The document. 0 or a negative errno. */
int ramp_print_json(const struct ramp *ramp, int exit_code, FILE *out) DICOMNET_MUST_CHECK;

#endif
