/*
 * session_crew - the workers as the session sees them: started when there is work for them, given studies, told to
 * stop, and what they say about themselves. On the main thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/session_private.h"
#include "instance/event.h"
#include "instance/instance.h"

/* ---- starting, and giving work ---- */

/* A worker needs some descriptors: its loop, its mailbox, a socket, a file. Better fewer workers than failing ones. */
static unsigned limit_by_descriptors(struct session *session, unsigned threads)
{
    enum { FOR_ONE_WORKER = 8, FOR_THE_REST = 64 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return threads;
    rlim_t wanted = (rlim_t)threads * FOR_ONE_WORKER + FOR_THE_REST;
    if (limit.rlim_cur < wanted && limit.rlim_max > limit.rlim_cur) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return threads;
    unsigned possible = limit.rlim_cur > FOR_THE_REST + FOR_ONE_WORKER
                            ? (unsigned)((limit.rlim_cur - FOR_THE_REST) / FOR_ONE_WORKER)
                            : 1;
    SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
                LOG_TEXT("text", "fewer threads are used: the limit of open files (ulimit -n) allows no more"),
                LOG_NUMBER("threads", possible));
    return possible;
}

void session_set_worker_options(struct session *session)
{
    const struct session_options *options = session->options;
    channel_dimse_peer_init(&session->scp, &options->association, options->priority);
    if (options->loopback)
        session->scp.association.host = "127.0.0.1"; /* its port is known once it listens */
    session->worker_options =
        (struct worker_options){.peer = &session->scp.peer,
                                .association_limit = options->association_limit,
                                .retry = options->retry,
                                .log_level = options->log_level,
                                .threads = options->threads,
                                .sources.synthetic = options->synthetic != NULL ? &session->synthetic.options : NULL,
                                .home = &session->inbox,
                                .idle_clock = &session->idle_clock};
    session->crew_max = limit_by_descriptors(session, options->threads);
    session->crew_allowed = session->crew_max;
    if (options->threads_auto) {
        pace_init(&session->pace, session->crew_max);
        session->crew_allowed = session->pace.allowed;
        session->result->threads_chosen = session->pace.base;
    }
}

static struct crew *start_worker(struct session *session)
{
    struct crew *crew = &session->crew[session->crew_count];
    int error = worker_start(&crew->worker, (int)session->crew_count + 1, &session->worker_options);
    if (error == 0) {
        session->crew_count++;
        session->result->worker_count = session->crew_count;
        session->crew_left++;
        session_teach(session, crew);
        return crew;
    }
    session->crew_max = session->crew_count;
    if (session->crew_count == 0)
        session_stop(session, SESSION_STOPPED, dicomnet_error_text(error));
    else
        SESSION_LOG(session, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
                    LOG_TEXT("text", "no more threads could be started"), LOG_NUMBER("threads", session->crew_count),
                    LOG_NUMBER("error", error));
    return NULL;
}

/* Rather one whose association is open. */
static struct crew *find_free(struct session *session)
{
    struct crew *found = NULL;
    for (unsigned i = 0; i < session->crew_count; i++) {
        struct crew *crew = &session->crew[i];
        bool free = crew->worker != NULL && crew->work == NULL && !crew->backs_off && !crew->stopping;
        if (free && (found == NULL || (crew->open && !found->open)))
            found = crew;
    }
    if (found != NULL)
        return found;
    return session->crew_count < session->crew_max ? start_worker(session) : NULL;
}

void session_post_to_worker(struct crew *crew, enum worker_mail kind)
{
    struct mail *mail = memory_allocate(sizeof *mail);
    if (mail == NULL)
        abort(); /* a worker that cannot be told to stop would leave the session hanging */
    mail->kind = (int)kind;
    worker_post(crew->worker, mail);
}

static void give(struct crew *crew, struct work *work)
{
    crew->work = work;
    crew->resting = crew->releasing = false;
    work->mail.kind = MAIL_WORK;
    worker_post(crew->worker, &work->mail);
}

unsigned session_count_open(const struct session *session)
{
    unsigned count = 0;
    for (unsigned i = 0; i < session->crew_count; i++)
        count += session->crew[i].open;
    return count;
}

enum time_kind session_why_idle(const struct session *session)
{
    bool looking = session->phase == PHASE_LOOKING;
    bool rejected = session->crew_allowed < session->crew_max && !session->options->threads_auto;
    if (session->phase >= PHASE_STOPPING)
        return TIME_IDLE;
    if (session->phase == PHASE_VERIFYING)
        return TIME_WAITING;
    if (session->breaker.state != BREAKER_FLOWING)
        return TIME_PAUSED;
    if (looking || (intake_brings_more(session->intake) && !plan_has_next(&session->plan)))
        return TIME_SCANNING;
    bool resting =
        (!list_is_empty(&session->refused) && session->plan.waiting_count == 0) || session_suspects_rest(session);
    return resting || (rejected && plan_has_next(&session->plan)) ? TIME_PAUSED : TIME_IDLE;
}

bool session_anyone_works(const struct session *session)
{
    for (unsigned i = 0; i < session->crew_count; i++)
        if (session->crew[i].work != NULL)
            return true;
    return false;
}

/* Workers that have work, or would have it if they could open an association. Who was turned away leaves its place to
 * others. */
static unsigned count_busy(const struct session *session)
{
    unsigned count = 0;
    for (unsigned i = 0; i < session->crew_count; i++) {
        const struct crew *crew = &session->crew[i];
        count += crew->work != NULL || (crew->backs_off && !crew->turned_away);
    }
    return count;
}

/* One store, to see whether the peer has room; another place each time, as it may be the instances' own matter. */
static void hand_out_probe(struct session *session)
{
    struct breaker *breaker = &session->breaker;
    if (!breaker_may_probe(breaker, clock_monotonic_us() / 1000) || session_anyone_works(session) ||
        !plan_has_next(&session->plan))
        return;
    struct crew *crew = find_free(session);
    if (crew == NULL)
        return;
    struct work *work =
        plan_next_probe(&session->plan, (int)(crew - session->crew) + 1, breaker->row_number, breaker->tries);
    if (work != NULL) {
        breaker_probe(breaker);
        give(crew, work);
    } else {
        session_stop(session, SESSION_STOPPED, dicomnet_error_text(-ENOMEM));
    }
}

void session_hand_out(struct session *session)
{
    if (session->breaker.state != BREAKER_FLOWING) {
        hand_out_probe(session);
        return;
    }
    while (plan_has_next(&session->plan) && count_busy(session) < session->crew_allowed) {
        struct crew *crew = find_free(session);
        struct work *work = crew != NULL ? plan_next(&session->plan, (int)(crew - session->crew) + 1) : NULL;
        if (work == NULL) {
            if (crew != NULL && !session_anyone_works(session))
                session_stop(session, SESSION_STOPPED, dicomnet_error_text(-ENOMEM));
            return;
        }
        give(crew, work);
    }
}

/* More workers are at the peer than allowed: those without work release their associations. */
static void rest_idle(struct session *session)
{
    unsigned there = count_busy(session);
    for (unsigned i = 0; i < session->crew_count; i++) {
        struct crew *crew = &session->crew[i];
        if (!crew->open || crew->work != NULL || crew->backs_off || crew->resting || crew->stopping)
            continue;
        if (++there > session->crew_allowed) {
            crew->resting = true;
            session_post_to_worker(crew, MAIL_REST);
        }
    }
}

void session_take_work_back(struct session *session, struct work *work)
{
    struct crew *crew = &session->crew[work->study->worker - 1];
    crew->work = NULL;
    crew->idle_us = clock_monotonic_us();
    bool stay = session->phase == PHASE_SENDING && session->breaker.state == BREAKER_FLOWING && !crew->backs_off &&
                !crew->stopping && count_busy(session) < session->crew_allowed;
    struct work *next = plan_finish(&session->plan, work, stay);
    if (next != NULL)
        give(crew, next);
    else
        rest_idle(session);
}

void session_allow_workers(struct session *session, unsigned count)
{
    session->crew_allowed = count < 1 ? 1 : count < session->crew_max ? count : session->crew_max;
    rest_idle(session);
}

/* ---- as many as are worth it ---- */

static unsigned count_storing(const struct session *session)
{
    unsigned count = 0;
    for (unsigned i = 0; i < session->crew_count; i++)
        count += session->crew[i].work != NULL && session->crew[i].open;
    return count;
}

static void apply_pace(struct session *session, unsigned allowed, const char *why)
{
    session->result->threads_chosen = session->pace.base;
    session->result->threads_settled = session->pace.settled;
    if (allowed == session->crew_allowed)
        return;
    SESSION_LOG(session, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", why), LOG_NUMBER("threads", allowed),
                LOG_NUMBER("instances_per_s", (uint64_t)session->pace.rate.instances),
                LOG_NUMBER("bytes_per_s", (uint64_t)session->pace.rate.bytes));
    session_allow_workers(session, allowed);
    session_hand_out(session);
}

void session_pace_crew(struct session *session)
{
    const struct session_totals *totals = &session->progress.totals;
    if (!session->options->threads_auto || session->phase != PHASE_SENDING)
        return;
    const struct pace_sample sample = {.time_us = clock_monotonic_us(),
                                       .instances = totals->by_state[OUTCOME_STORED] + totals->by_state[OUTCOME_WARNED],
                                       .bytes = totals->bytes_stored,
                                       .workers = count_storing(session)};
    apply_pace(session, pace_measure(&session->pace, &sample), "another number of threads, by what was stored lately");
}

void session_back_off(struct session *session, bool rejected)
{
    if (!session->options->threads_auto || session->phase != PHASE_SENDING)
        return;
    apply_pace(session, pace_back_off(&session->pace, rejected, count_storing(session)),
               rejected ? "fewer threads: the peer takes no more associations now"
                        : "fewer threads: the peer is out of resources");
}

/* ---- stopping ---- */

void session_stop_workers(struct session *session, bool now)
{
    for (unsigned i = 0; i < session->crew_count; i++) {
        struct crew *crew = &session->crew[i];
        if (crew->worker == NULL || (crew->stopping && !now))
            continue;
        crew->stopping = true;
        session_post_to_worker(crew, now ? MAIL_STOP_NOW : MAIL_STOP);
    }
}

/* While the scan finds more, a moment is waited for it. */
static void release_idle(struct session *session)
{
    enum { MOMENT_US = 100 * 1000 };
    bool more_to_come = intake_brings_more(session->intake);
    uint64_t now_us = clock_monotonic_us();
    for (unsigned i = 0; i < session->crew_count; i++) {
        struct crew *crew = &session->crew[i];
        bool idle = crew->open && crew->work == NULL && !crew->releasing && !crew->resting && !crew->stopping;
        if (!idle || (more_to_come && now_us - crew->idle_us < MOMENT_US))
            continue;
        crew->releasing = true;
        session_post_to_worker(crew, MAIL_RELEASE);
    }
}

void session_let_idle_go(struct session *session)
{
    release_idle(session);
    if (!session_is_scanning(session) && session->plan.waiting_count == 0 && list_is_empty(&session->refused) &&
        list_is_empty(&session->suspects) && !session_anyone_works(session))
        session_stop_workers(session, false);
}

/* ---- what they say ---- */

static struct crew *crew_of(struct session *session, const struct worker_notice *notice)
{
    return &session->crew[notice->worker - 1];
}

static void take_ended(struct session *session, struct worker_notice *notice)
{
    struct crew *crew = crew_of(session, notice);
    const struct association_figures *figures = &notice->figures;
    struct worker_figures *worker = &session->result->workers[notice->worker - 1];
    crew->open = crew->releasing = false;
    crew->backs_off = notice->backs_off;
    crew->failures = notice->failures;
    worker->associations++;
    worker->store_us += figures->store_us;
    worker->stored += figures->stored;
    worker->failed += figures->failed;
    worker->bytes += figures->bytes;
    if (session->observer->association_ended != NULL)
        session->observer->association_ended(session->observer->user, figures);
    session_learn_from_end(session, crew, notice);
}

static void take_opened(struct session *session, const struct worker_notice *notice)
{
    struct crew *crew = crew_of(session, notice);
    crew->open = true;
    crew->saw_absence = false;
    crew->failures = 0;
    unsigned open = session_count_open(session);
    if (open > session->result->peak_workers)
        session->result->peak_workers = open;
    session_learn_from_opening(session);
    histogram_add(&session->result->connect, notice->figures.connect_us);
    histogram_add(&session->result->negotiate, notice->figures.negotiate_us);
}

static void take_time(struct session *session, const struct worker_notice *notice)
{
    struct session_result *result = session->result;
    struct worker_figures *worker = &result->workers[notice->worker - 1];
    for (int kind = 0; kind < TIME_KINDS; kind++) {
        worker->time_us[kind] += notice->time_us[kind];
        worker->there_us += notice->time_us[kind];
        result->time_us[kind] += notice->time_us[kind];
        result->worker_us += notice->time_us[kind];
    }
}

static void take_stopped(struct session *session, const struct worker_notice *notice)
{
    struct crew *crew = crew_of(session, notice);
    worker_join(crew->worker);
    crew->worker = NULL;
    take_time(session, notice);
    crew->open = false;
    session->crew_left--;
}

void session_take_notice(struct session *session, enum session_mail kind, struct worker_notice *notice)
{
    switch (kind) {
    case MAIL_OPENED:
        take_opened(session, notice);
        break;
    case MAIL_ENDED:
        take_ended(session, notice);
        break;
    case MAIL_READY:
        crew_of(session, notice)->backs_off = crew_of(session, notice)->turned_away = false;
        break;
    case MAIL_BUSY:
        session_back_off(session, false);
        break;
    case MAIL_REFUSED:
        session_stop_unauthorised(session);
        break;
    case MAIL_STOPPED:
        take_stopped(session, notice);
        break;
    default:
        break;
    }
}
