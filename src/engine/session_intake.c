/*
 * session_intake - what the session makes of what its intake tells: counts, records of the log, the way on. See
 * session_private.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "engine/readers.h"
#include "engine/session_private.h"
#include "files/held_files.h"

/* ---- events ---- */

static void on_found(void *user)
{
    struct session_totals *totals = &((struct session *)user)->progress.totals;
    totals->files++;
    totals->by_state[OUTCOME_PENDING]++;
}

static void on_planned(void *user, uint64_t size_bytes)
{
    struct session *session = user;
    session->progress.totals.bytes_found += size_bytes;
    session->progress.totals.studies = session->plan.studies.count;
}

static void on_ended(void *user, struct instance *instance)
{
    session_end_instance(user, instance);
}

static void on_record_failed(void *user, const char *problem)
{
    session_note_record_problem(user, problem);
}

static void on_go_on(void *user)
{
    session_go_on(user);
}

static void note_idle_threads(struct session *session)
{
    const struct session_options *options = session->options;
    char text[128];
    if (session->plan.studies.count >= options->threads || options->threads_auto || options->dry_run)
        return;
    snprintf(text, sizeof text, "fewer studies (%llu) than threads (%u): the other threads have nothing to do",
             (unsigned long long)session->plan.studies.count, options->threads);
    SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", text));
}

static void on_scan_ended(void *user, int error)
{
    struct session *session = user;
    const struct session_totals *totals = &session->progress.totals;
    session->result->scan_us = clock_monotonic_us() - session->begun_us;
    if (session->held != NULL && held_files_are_slow(session->held))
        session->result->slow_open_us = held_files_mean_us(session->held);
    if (session->intake != NULL)
        session->result->scan = intake_figures(session->intake);
    SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SCAN_ENDED, LOG_NUMBER("files", totals->files),
                LOG_NUMBER("instances", session->plan.total_count), LOG_NUMBER("studies", session->plan.studies.count),
                LOG_NUMBER("skipped", totals->by_state[OUTCOME_SKIPPED]),
                LOG_NUMBER("failed", totals->by_state[OUTCOME_FAILED]),
                LOG_NUMBER("duration_us", session->result->scan_us),
                LOG_NUMBER("scanners", session->result->scan.scanners),
                LOG_NUMBER("storage_us", session->result->scan.storage_us), LOG_NUMBER("error", error));
    if (error != 0 && error != -ECANCELED)
        session_stop_for(session, SESSION_STOPPED, "the scan could not go on: not every file was looked at");
    note_idle_threads(session);
    session_go_on(session);
}

static const struct intake_handler handler = {.found = on_found,
                                              .planned = on_planned,
                                              .record_failed = on_record_failed,
                                              .ended = on_ended,
                                              .go_on = on_go_on,
                                              .scan_ended = on_scan_ended};

/* ---- begin and end ---- */

/* How much may be found, or made, and wait to be sent; 0 = anything. */
static uint64_t found_max(const struct session_options *options)
{
    uint64_t most = options->found_max > 0 ? options->found_max : SESSION_FOUND_MAX;
    if (options->scan_first || options->dry_run)
        return 0;
    if (options->synthetic == NULL)
        return most;
    /* Not much more is made than is about to be sent, as time may be limited; the plan wants whole studies. */
    uint64_t about_to_be_sent = (options->threads + 1) * options->synthetic->instances;
    return about_to_be_sent < most ? about_to_be_sent : most;
}

/* Descriptors that may be opened ahead of their need: those of workers, scanners and all else are left free. */
static unsigned spare_descriptors(const struct session *session)
{
    enum { FOR_ONE_WORKER = 16, FOR_THE_REST = 256, WORTH = 16 };
    struct rlimit limit;
    rlim_t needed = (rlim_t)session->crew.max * FOR_ONE_WORKER + FOR_THE_REST;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed + WORTH)
        return 0;
    return limit.rlim_cur - needed < UINT_MAX ? (unsigned)(limit.rlim_cur - needed) : UINT_MAX;
}

static unsigned smaller(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

/* The scan keeps files and, while storage is slow, the bytes of small ones; the workers' lookaheads read others. */
void session_make_ready_to_read(struct session *session)
{
    enum { KEPT_MAX = 8 * 1024, KEPT_BYTES_MAX = 32 * 1024 * 1024 };
    enum { AHEAD_MAX = 1024, AHEAD_BYTES_MAX = 64 * 1024 * 1024 };
    const struct session_options *options = session->options;
    unsigned spare = spare_descriptors(session);
    if (options->dry_run || options->synthetic != NULL)
        return;
    session->held = held_files_create(smaller(spare / 2, KEPT_MAX), KEPT_BYTES_MAX);
    if (spare == 0)
        return;
    session->readers = readers_create(smaller(spare / 4, AHEAD_MAX), AHEAD_BYTES_MAX);
    session->crew.options.worker.lookahead =
        (struct lookahead_options){.readers = session->readers,
                                   .scan = session->held,
                                   .bytes_max = AHEAD_BYTES_MAX / session->crew.max,
                                   .timeout_ms = options->association.timeouts.network_ms};
}

int session_start_scan(struct session *session)
{
    const struct session_options *options = session->options;
    if (options->synthetic != NULL) {
        session->synthetic = *options->synthetic;
        session->synthetic.options.seed = synthetic_seed();
    }
    session->scan = options->scan;
    session->scan.held = session->held;
    const struct intake_options intake = {.discover = &options->discover,
                                          .scan = &session->scan,
                                          .scanners = options->scan_threads,
                                          .record = options->record,
                                          .synthetic = options->synthetic != NULL ? &session->synthetic : NULL,
                                          .repeat = options->repeat > 0 ? options->repeat : 1,
                                          .endless = options->repeat == 0 && options->duration_ms > 0,
                                          .outline = options->dry_run,
                                          .on_conflict = options->on_conflict,
                                          .words = options->peer_words,
                                          .found_max = found_max(options)};
    int error = intake_start(&session->intake, session->loop, &intake, &session->plan, &handler, session);
    if (error == 0 && options->synthetic == NULL)
        SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SCAN_STARTED,
                    LOG_NUMBER("inputs", options->discover.input_count));
    if (error == 0)
        session_go_on(session);
    return error;
}

bool session_is_scanning(const struct session *session)
{
    return session->intake != NULL && intake_is_busy(session->intake);
}

void session_end_of_time(struct session *session)
{
    session->time_is_up = true;
    intake_stop(session->intake);
    claims_stop(&session->claims);
    if (session->phase < PHASE_STOPPING) {
        session_enter(session, PHASE_STOPPING);
        crew_stop(&session->crew, false);
    }
    session_go_on(session);
}
