/* crew - see crew.h. */
#include "engine/crew.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "engine/claims.h"
#include "engine/gate.h"
#include "engine/plan.h"
#include "instance/event.h"

/* ---- starting ---- */

/* A worker needs some descriptors: its loop, its mailbox, a socket, a file. Better fewer workers than failing ones. */
static unsigned limit_by_descriptors(const struct dicomnet_logger *logger, unsigned threads)
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
    LOG(logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "fewer threads are used: the limit of open files (ulimit -n) allows no more"),
        LOG_NUMBER("threads", possible));
    return possible;
}

void crew_init(struct crew *crew, const struct crew_options *options)
{
    *crew = (struct crew){.options = *options};
    crew->max = limit_by_descriptors(options->logger, options->worker.threads);
    crew->allowed = crew->max;
    if (options->threads_auto) {
        pace_init(&crew->pace, crew->max);
        crew->allowed = crew->pace.allowed;
    }
}

static struct hand *hand_of(struct crew *crew, int worker)
{
    assert(worker >= 1 && worker <= (int)crew->count);
    return &crew->hands[worker - 1];
}

/* Its worker has work. */
static bool works(const struct hand *hand)
{
    return hand->work != NULL && !hand->claims;
}

static int number_of(const struct crew *crew, const struct hand *hand)
{
    return (int)(hand - crew->hands) + 1;
}

/* ---- what they are told ---- */

static void post(struct hand *hand, enum worker_mail kind)
{
    struct mail *mail = memory_allocate(sizeof *mail);
    if (mail == NULL)
        abort(); /* a worker that cannot be told to stop would leave the session hanging */
    mail->kind = (int)kind;
    worker_post(hand->worker, mail);
}

static void post_lesson(struct hand *hand, uint64_t store_max, const struct context_pair *unsupported)
{
    struct worker_lesson *lesson = malloc(sizeof *lesson);
    if (lesson == NULL)
        return; /* it will learn by itself */
    *lesson = (struct worker_lesson){.mail.kind = MAIL_LESSON, .store_max = store_max, .unsupported = unsupported};
    worker_post(hand->worker, &lesson->mail);
}

void crew_teach(struct crew *crew, uint64_t store_max, const struct context_pair *unsupported)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->hands[i].worker != NULL)
            post_lesson(&crew->hands[i], store_max, unsupported);
}

static void teach_all_lessons(const struct lessons *lessons, struct hand *hand)
{
    if (lessons->store_max > 0)
        post_lesson(hand, lessons->store_max, NULL);
    for (size_t i = 0; i < lessons->unsupported_count; i++)
        post_lesson(hand, 0, lessons->unsupported[i]);
}

void crew_wake(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];
        if (hand->worker != NULL && hand->backs_off && !hand->turned_away && !hand->stopping)
            post(hand, MAIL_WAKE);
    }
}

void crew_hold(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (works(&crew->hands[i]) && !crew->hands[i].stopping)
            post(&crew->hands[i], MAIL_GIVE_BACK);
}

void crew_answer_refusal(struct crew *crew, int worker, bool go_on)
{
    post(hand_of(crew, worker), go_on ? MAIL_GO_ON : MAIL_GIVE_BACK);
}

/* ---- how they are ---- */

unsigned crew_count_open(const struct crew *crew)
{
    unsigned count = 0;
    for (unsigned i = 0; i < crew->count; i++)
        count += crew->hands[i].open;
    return count;
}

bool crew_has_work(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->hands[i].work != NULL)
            return true;
    return false;
}

bool crew_hand_has_work(const struct crew *crew, int worker)
{
    return works(&crew->hands[worker - 1]);
}

bool crew_asks(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (works(&crew->hands[i]) && !crew->hands[i].backs_off)
            return true;
    return false;
}

/* Hands that have work, or would have it if they could open an association. Who was turned away leaves its place to
 * others. */
static unsigned count_busy(const struct crew *crew)
{
    unsigned count = 0;
    for (unsigned i = 0; i < crew->count; i++) {
        const struct hand *hand = &crew->hands[i];
        count += hand->work != NULL || (hand->backs_off && !hand->turned_away);
    }
    return count;
}

static unsigned count_storing(const struct crew *crew)
{
    unsigned count = 0;
    for (unsigned i = 0; i < crew->count; i++)
        count += works(&crew->hands[i]) && crew->hands[i].open;
    return count;
}

bool crew_is_curbed(const struct crew *crew)
{
    return crew->allowed < crew->max && !crew->options.threads_auto;
}

bool crew_is_connecting(const struct crew *crew, uint64_t now_us, unsigned *ret_tries, uint64_t *ret_next_us)
{
    uint64_t next_us = UINT64_MAX;
    unsigned tries = 0;
    for (unsigned i = 0; i < crew->count; i++) {
        const struct hand *hand = &crew->hands[i];
        if (hand->open)
            return false;
        if (hand->worker == NULL || (!works(hand) && !hand->backs_off))
            continue;
        tries = hand->failures + 1 > tries ? hand->failures + 1 : tries;
        next_us = hand->retry_us < next_us ? hand->retry_us : next_us;
    }
    if (tries == 0)
        return false;
    *ret_tries = tries;
    *ret_next_us = next_us > now_us ? next_us - now_us : 0;
    return true;
}

/* ---- work ---- */

static int start_hand(struct crew *crew, struct hand **ret_hand)
{
    struct hand *hand = &crew->hands[crew->count];
    int error = worker_start(&hand->worker, (int)crew->count + 1, &crew->options.worker);
    if (error == 0) {
        crew->count++;
        crew->left++;
        teach_all_lessons(crew->options.lessons, hand);
        *ret_hand = hand;
        return 0;
    }
    hand->worker = NULL;
    crew->max = crew->count;
    if (crew->count == 0)
        return error;
    LOG(crew->options.logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "no more threads could be started"), LOG_NUMBER("threads", crew->count),
        LOG_NUMBER("error", error));
    return 0;
}

/* Rather one whose association is open; *ret_hand = NULL if there is none. */
static int find_free(struct crew *crew, struct hand **ret_hand)
{
    struct hand *found = NULL;
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];
        bool is_free = hand->worker != NULL && hand->work == NULL && !hand->backs_off && !hand->stopping;
        if (is_free && (found == NULL || (hand->open && !found->open)))
            found = hand;
    }
    *ret_hand = found;
    return found == NULL && crew->count < crew->max ? start_hand(crew, ret_hand) : 0;
}

static void give(struct hand *hand, struct work *work)
{
    hand->work = work;
    hand->resting = hand->releasing = false;
    work->mail.kind = MAIL_WORK;
    worker_post(hand->worker, &work->mail);
}

static void give_claimed(struct hand *hand, struct gate *gate, struct work *work)
{
    if (hand->on_trial)
        gate_try(gate);
    hand->claims = false;
    give(hand, work);
}

/* Give the work, if its study is ours. */
static void claim(struct crew *crew, struct hand *hand, struct gate *gate, struct work *work, bool on_trial)
{
    hand->on_trial = on_trial;
    switch (crew->options.claims != NULL ? claims_ask(crew->options.claims, work) : CLAIMS_GIVE) {
    case CLAIMS_GIVE:
        give_claimed(hand, gate, work);
        break;
    case CLAIMS_WAIT:
        hand->work = work;
        hand->claims = true;
        break;
    case CLAIMS_NONE:
        break;
    }
}

void crew_note_claimed(struct crew *crew, struct gate *gate, int worker, struct work *work, uint64_t now_us)
{
    struct hand *hand = hand_of(crew, worker);
    enum gate_leave leave = gate_ask(gate, now_us / 1000);
    hand->work = NULL;
    hand->claims = false;
    hand->idle_us = now_us;
    if (work == NULL)
        return;
    hand->on_trial = hand->on_trial && leave == GATE_TRIAL;
    if (hand->stopping || (leave != GATE_OPEN && !hand->on_trial))
        claims_give_back(crew->options.claims, work);
    else
        give_claimed(hand, gate, work);
}

/* One store, to see whether the peer has room. Each try takes an instance of another study if there is one: the
 * refusals may be due to the instances, and not to the peer. */
static int hand_out_trial(struct crew *crew, struct plan *plan, struct gate *gate)
{
    struct hand *hand;
    if (crew_has_work(crew) || !plan_has_next(plan))
        return 0;
    int error = find_free(crew, &hand);
    if (hand == NULL)
        return error;
    struct work *work = plan_next_probe(plan, number_of(crew, hand), gate_row(gate), gate_tries(gate));
    if (work == NULL)
        return -ENOMEM;
    claim(crew, hand, gate, work, true);
    return 0;
}

int crew_hand_out(struct crew *crew, struct plan *plan, struct gate *gate, uint64_t now_us)
{
    enum gate_leave leave = gate_ask(gate, now_us / 1000);
    if (leave == GATE_TRIAL)
        return hand_out_trial(crew, plan, gate);
    while (leave == GATE_OPEN && plan_has_next(plan) && count_busy(crew) < crew->allowed) {
        struct hand *hand;
        int error = find_free(crew, &hand);
        if (hand == NULL)
            return error;
        struct work *work = plan_next(plan, number_of(crew, hand));
        if (work == NULL)
            return crew_has_work(crew) ? 0 : -ENOMEM;
        claim(crew, hand, gate, work, false);
        if (crew->options.claims != NULL && crew->options.claims->stopped)
            return 0; /* the record could not be asked */
    }
    return 0;
}

/* More hands are at the peer than allowed: those without work release their associations. */
static void rest_idle(struct crew *crew)
{
    unsigned there = count_busy(crew);
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];
        if (!hand->open || hand->work != NULL || hand->backs_off || hand->resting || hand->stopping)
            continue;
        if (++there > crew->allowed) {
            hand->resting = true;
            post(hand, MAIL_REST);
        }
    }
}

void crew_take_back(struct crew *crew, struct work *work, struct plan *plan, const struct gate *gate, bool sending,
                    uint64_t now_us)
{
    struct hand *hand = hand_of(crew, work->study->worker);
    hand->work = NULL;
    hand->idle_us = now_us;
    bool stay = sending && gate_ask(gate, now_us / 1000) == GATE_OPEN && !hand->backs_off && !hand->stopping &&
                count_busy(crew) < crew->allowed;
    char study_key[DICOMNET_UID_SIZE];
    strcpy(study_key, work->study->uid);
    struct work *next = plan_finish(plan, work, stay);
    if (next != NULL) {
        give(hand, next);
        return;
    }
    if (crew->options.claims != NULL)
        claims_release(crew->options.claims, study_key);
    rest_idle(crew);
}

/* ---- how many ---- */

void crew_allow(struct crew *crew, unsigned count)
{
    crew->allowed = count < 1 ? 1 : count < crew->max ? count : crew->max;
    rest_idle(crew);
}

static void apply_pace(struct crew *crew, unsigned allowed, const char *why)
{
    const struct pace_rate *rate = &crew->pace.rate;
    if (allowed == crew->allowed)
        return;
    LOG(crew->options.logger, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text", why),
        LOG_NUMBER("threads", allowed), LOG_NUMBER("instances_per_s", (uint64_t)rate->instances),
        LOG_NUMBER("bytes_per_s", (uint64_t)rate->bytes));
    crew_allow(crew, allowed);
}

void crew_measure(struct crew *crew, uint64_t instances, uint64_t bytes, uint64_t now_us)
{
    const struct pace_sample sample = {
        .time_us = now_us, .instances = instances, .bytes = bytes, .workers = count_storing(crew)};
    if (crew->options.threads_auto)
        apply_pace(crew, pace_measure(&crew->pace, &sample), "another number of threads, by what was stored lately");
}

void crew_back_off(struct crew *crew)
{
    if (crew->options.threads_auto)
        apply_pace(crew, pace_back_off(&crew->pace, false, count_storing(crew)),
                   "fewer threads: the peer is out of resources");
}

void crew_turned_away(struct crew *crew, bool sending, uint64_t now_ms)
{
    if (!crew->options.threads_auto) {
        unsigned open = crew_count_open(crew), fewer = crew->allowed - 1;
        growth_turned_away(&crew->growth, now_ms);
        crew_allow(crew, fewer > open ? fewer : open);
    } else if (sending) {
        apply_pace(crew, pace_back_off(&crew->pace, true, count_storing(crew)),
                   "fewer threads: the peer takes no more associations now");
    }
}

void crew_grow(struct crew *crew, uint64_t now_ms)
{
    if (crew->allowed >= crew->max)
        growth_stop(&crew->growth);
    else if (growth_may_grow(&crew->growth, now_ms))
        crew_allow(crew, crew->allowed + 1);
}

/* ---- the end ---- */

void crew_release_idle(struct crew *crew, bool more_to_come, uint64_t now_us)
{
    enum { MOMENT_US = 100 * 1000 };
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];
        bool idle = hand->open && hand->work == NULL && !hand->releasing && !hand->resting && !hand->stopping;
        if (!idle || (more_to_come && now_us - hand->idle_us < MOMENT_US))
            continue;
        hand->releasing = true;
        post(hand, MAIL_RELEASE);
    }
}

void crew_stop(struct crew *crew, bool now)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];
        if (hand->worker == NULL || (hand->stopping && !now))
            continue;
        hand->stopping = true;
        post(hand, now ? MAIL_STOP_NOW : MAIL_STOP);
    }
}

/* ---- what workers say of themselves ---- */

void crew_note_opened(struct crew *crew, const struct worker_notice *notice)
{
    struct hand *hand = hand_of(crew, notice->worker);
    hand->open = true;
    hand->failures = 0;
}

void crew_note_ended(struct crew *crew, const struct worker_notice *notice)
{
    struct hand *hand = hand_of(crew, notice->worker);
    hand->open = hand->releasing = false;
    hand->backs_off = notice->backs_off;
    hand->turned_away = peer_end_is_for_now(&notice->figures.end);
    hand->failures = notice->failures;
}

void crew_note_ready(struct crew *crew, const struct worker_notice *notice)
{
    struct hand *hand = hand_of(crew, notice->worker);
    hand->backs_off = hand->turned_away = false;
}

void crew_note_stopped(struct crew *crew, const struct worker_notice *notice)
{
    struct hand *hand = hand_of(crew, notice->worker);
    worker_join(hand->worker);
    hand->worker = NULL;
    hand->open = false;
    crew->left--;
}

void crew_note_retry(struct crew *crew, const struct event_record *record, uint64_t now_us)
{
    const struct dicomnet_log_record *log = &record->log;
    if (log->event != EVENT_ASSOCIATION_RETRY || record->worker < 1 || record->worker > (int)crew->count)
        return;
    for (size_t i = 0; i < log->field_count; i++)
        if (strcmp(log->fields[i].key, "delay_ms") == 0)
            hand_of(crew, record->worker)->retry_us = now_us + (uint64_t)log->fields[i].number * 1000;
}
