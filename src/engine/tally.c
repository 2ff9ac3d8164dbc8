/* tally - see tally.h. */
#include "engine/tally.h"

#include "engine/session.h"
#include "engine/worker.h"
#include "instance/instance.h"

void tally_instance(struct session_result *result, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    if (!outcome->has_status || outcome->wait_us + outcome->write_us == 0)
        return;
    histogram_add(&result->response, outcome->read_us + outcome->write_us + outcome->wait_us);
    histogram_add(&result->read, outcome->read_us);
    histogram_add(&result->write, outcome->write_us);
    histogram_add(&result->wait, outcome->wait_us);
    struct worker_figures *worker = &result->workers[instance->delivery.worker - 1];
    worker->read_us += outcome->read_us;
    worker->write_us += outcome->write_us;
    worker->wait_us += outcome->wait_us;
}

void tally_opened(struct session_result *result, const struct worker_notice *notice, unsigned open)
{
    if (open > result->peak_workers)
        result->peak_workers = open;
    histogram_add(&result->connect, notice->figures.connect_us);
    histogram_add(&result->negotiate, notice->figures.negotiate_us);
}

void tally_ended(struct session_result *result, const struct worker_notice *notice)
{
    const struct association_figures *figures = &notice->figures;
    struct worker_figures *worker = &result->workers[notice->worker - 1];
    worker->associations++;
    worker->store_us += figures->store_us;
    worker->stored += figures->stored;
    worker->failed += figures->failed;
    worker->bytes += figures->bytes;
}

void tally_stopped(struct session_result *result, const struct worker_notice *notice)
{
    struct worker_figures *worker = &result->workers[notice->worker - 1];
    for (int kind = 0; kind < TIME_KINDS; kind++) {
        worker->time_us[kind] += notice->time_us[kind];
        worker->there_us += notice->time_us[kind];
        result->time_us[kind] += notice->time_us[kind];
        result->worker_us += notice->time_us[kind];
    }
}
