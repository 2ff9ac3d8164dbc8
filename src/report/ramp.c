/* ramp - see ramp.h. */
#include "report/ramp.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "engine/session.h"

static const double near_the_best = 0.9;

const struct ramp_step *ramp_add(struct ramp *ramp, const char *session_id, unsigned threads, int exit_code,
                                 const struct session_result *result)
{
    assert(ramp->count < RAMP_STEPS_MAX);
    const uint64_t *by_state = result->totals.by_state;
    double seconds = (double)result->transfer_us / 1e6;
    uint64_t store_us = 0;
    for (unsigned i = 0; i < result->worker_count; i++)
        store_us += result->workers[i].store_us;
    struct ramp_step *step = &ramp->steps[ramp->count++];
    *step = (struct ramp_step){
        .threads = threads,
        .exit_code = exit_code,
        .peak_workers = result->peak_workers,
        .stored = by_state[OUTCOME_STORED] + by_state[OUTCOME_WARNED],
        .not_stored = by_state[OUTCOME_FAILED] + by_state[OUTCOME_IN_DOUBT] + by_state[OUTCOME_PENDING],
        .p50_ms = (double)histogram_percentile(&result->response, 0.5) / 1e3,
        .p99_ms = (double)histogram_percentile(&result->response, 0.99) / 1e3,
        .busy_share = result->worker_us > store_us ? (double)store_us / (double)result->worker_us : store_us > 0};
    snprintf(step->session_id, sizeof step->session_id, "%s", session_id);
    if (seconds > 0) {
        step->instances_per_s = (double)step->stored / seconds;
        step->megabytes_per_s = (double)result->totals.bytes_stored / 1e6 / seconds;
    }
    return step;
}

const struct ramp_step *ramp_find_knee(const struct ramp *ramp)
{
    const struct ramp_step *knee = NULL;
    double best = 0;
    for (size_t i = 0; i < ramp->count; i++)
        if (ramp->steps[i].exit_code == 0 && ramp->steps[i].instances_per_s > best)
            best = ramp->steps[i].instances_per_s;
    for (size_t i = 0; i < ramp->count; i++) {
        const struct ramp_step *step = &ramp->steps[i];
        if (step->exit_code == 0 && step->instances_per_s >= near_the_best * best &&
            (knee == NULL || step->threads < knee->threads))
            knee = step;
    }
    return knee;
}

/* ---- for people ---- */

void ramp_print_heading(FILE *out)
{
    fprintf(out, "  threads  instances/s      MB/s  median ms    p99 ms    busy\n");
}

void ramp_print_step(const struct ramp_step *step, FILE *out)
{
    fprintf(out, "  %7u  %11.1f  %8.1f  %9.1f  %8.1f  %4.0f %%", step->threads, step->instances_per_s,
            step->megabytes_per_s, step->p50_ms, step->p99_ms, 100 * step->busy_share);
    if (step->exit_code != 0)
        fprintf(out, "   does not count: %llu not stored", (unsigned long long)step->not_stored);
    else if (step->peak_workers < step->threads)
        fprintf(out, "   never more than %llu at work", (unsigned long long)step->peak_workers);
    fputc('\n', out);
}

void ramp_print_knee(const struct ramp *ramp, FILE *out)
{
    const struct ramp_step *knee = ramp_find_knee(ramp);
    if (knee == NULL)
        fprintf(out, "  no knee: there is no step in which all was stored\n");
    else
        fprintf(out, "  knee at %u thread%s: the fewest within 10 %% of the best throughput\n", knee->threads,
                knee->threads == 1 ? "" : "s");
}

/* ---- for programs ---- */

static json_t *rounded(double value)
{
    return json_real(round(value * 1e3) / 1e3);
}

static json_t *step_json(const struct ramp_step *step)
{
    return json_pack("{s:s, s:i, s:i, s:b, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "session", step->session_id,
                     "threads", (int)step->threads, "exit_code", step->exit_code, "counts", step->exit_code == 0,
                     "stored", (json_int_t)step->stored, "not_stored", (json_int_t)step->not_stored, "peak_workers",
                     (json_int_t)step->peak_workers, "instances_per_s", rounded(step->instances_per_s),
                     "megabytes_per_s", rounded(step->megabytes_per_s), "p50_ms", rounded(step->p50_ms), "p99_ms",
                     rounded(step->p99_ms), "busy_share", rounded(step->busy_share));
}

int ramp_print_json(const struct ramp *ramp, int exit_code, FILE *out)
{
    const struct ramp_step *knee = ramp_find_knee(ramp);
    json_t *steps = json_array();
    for (size_t i = 0; i < ramp->count; i++)
        json_array_append_new(steps, step_json(&ramp->steps[i]));
    json_t *document = json_pack("{s:s, s:{s:s, s:s}, s:i, s:o, s:o}", "schema_version", "1.0", "program", "name",
                                 "dicom-sender", "version", PROGRAM_VERSION, "exit_code", exit_code, "knee",
                                 knee != NULL ? json_integer(knee->threads) : json_null(), "ramp", steps);
    if (document == NULL)
        return -ENOMEM;
    int error = json_dumpf(document, out, JSON_REAL_PRECISION(12) | JSON_INDENT(2)) == 0 ? 0 : -EIO;
    json_decref(document);
    if (fputc('\n', out) == EOF || fflush(out) != 0)
        error = errno > 0 ? -errno : -EIO;
    return error;
}
