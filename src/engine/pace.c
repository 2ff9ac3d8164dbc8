/* pace - see pace.h. */
#include "engine/pace.h"

enum {
    PERIOD_MIN_US = 500 * 1000,
    PERIOD_MAX_US = 20 * 1000 * 1000,
    GRACE_US = 3 * 1000 * 1000, /* after a change, for associations to open; those that have not by then have no work */
    STORES_MIN = 8,             /* in a period, for each worker */
    HOLD_MIN = 8,               /* periods */
    HOLD_MAX = 128,
    SLOW_PERIODS = 2
};

/* Bounds for growth(), which is a product of two ratios, that of instances and that of bytes: hence the squares. */
static const double faster = 1.1 * 1.1, as_fast = 0.9 * 0.9, much_slower = 0.7 * 0.7;

static double growth(const struct pace_rate *from, const struct pace_rate *to)
{
    double bytes = from->bytes > 0 ? to->bytes / from->bytes : 1;
    return from->instances > 0 ? to->instances / from->instances * bytes : 0;
}

static void allow(struct pace *pace, enum pace_state state, unsigned workers)
{
    pace->state = state;
    pace->allowed = workers < 1 ? 1 : workers < pace->max ? workers : pace->max;
    pace->measuring = false;
    pace->changed_us = 0;
    pace->slow_periods = 0;
}

void pace_init(struct pace *pace, unsigned max)
{
    *pace = (struct pace){.max = max < PACE_MAX ? max : PACE_MAX, .base = 1, .hold_next = HOLD_MIN};
    allow(pace, PACE_BASELINE, 1);
}

/* ---- what to do next ---- */

static void hold(struct pace *pace)
{
    pace->settled = true;
    pace->hold = pace->hold_next;
    allow(pace, PACE_HOLDING, pace->base);
}

/* Twice as many until that was too many, then a quarter more. */
static void raise(struct pace *pace)
{
    unsigned quarter = pace->base / 4 > 0 ? pace->base / 4 : 1;
    if (pace->base == pace->max)
        hold(pace);
    else
        allow(pace, PACE_RAISED, pace->base + (pace->settled ? quarter : pace->base));
}

static void keep(struct pace *pace, const struct pace_rate *rate)
{
    pace->base = pace->allowed;
    pace->rate = *rate;
}

static void judge_raised(struct pace *pace, const struct pace_rate *rate)
{
    if (growth(&pace->rate, rate) > faster) {
        keep(pace, rate);
        pace->hold_next = HOLD_MIN;
        raise(pace);
    } else {
        hold(pace);
        pace->hold_next = 2 * pace->hold_next < HOLD_MAX ? 2 * pace->hold_next : HOLD_MAX;
    }
}

static void judge_holding(struct pace *pace, const struct pace_rate *rate)
{
    if (pace->rate.instances <= 0) {
        pace->rate = *rate;
        return;
    }
    bool slow = growth(&pace->rate, rate) < much_slower;
    pace->slow_periods = slow ? pace->slow_periods + 1 : 0;
    if (pace->slow_periods == SLOW_PERIODS) {
        pace->rate = *rate; /* the new rate: what fewer workers do is compared with it */
        if (pace->base > 1)
            allow(pace, PACE_LOWERED, pace->base / 2);
    } else if (!slow) {
        /* Slow changes are the peer's affair, and not those of the number of workers. */
        pace->rate.instances += (rate->instances - pace->rate.instances) / 4;
        pace->rate.bytes += (rate->bytes - pace->rate.bytes) / 4;
        if (pace->hold > 0 && --pace->hold == 0)
            raise(pace);
    }
}

static void judge(struct pace *pace, const struct pace_rate *rate)
{
    switch (pace->state) {
    case PACE_BASELINE:
        keep(pace, rate);
        if (pace->settled)
            hold(pace);
        else
            raise(pace);
        break;
    case PACE_RAISED:
        judge_raised(pace, rate);
        break;
    case PACE_LOWERED:
        if (growth(&pace->rate, rate) > as_fast)
            keep(pace, rate);
        hold(pace);
        break;
    case PACE_HOLDING:
        judge_holding(pace, rate);
        break;
    }
}

/* ---- what happens ---- */

/* Not all who are allowed are at work: there is too little of it, or the associations are not open yet. */
static void wait_for_workers(struct pace *pace, const struct pace_sample *sample)
{
    pace->measuring = false;
    if (pace->state == PACE_RAISED && sample->time_us - pace->changed_us > GRACE_US) {
        pace->hold = pace->hold_next;
        allow(pace, PACE_HOLDING, pace->base);
    }
}

unsigned pace_measure(struct pace *pace, const struct pace_sample *sample)
{
    if (pace->changed_us == 0)
        pace->changed_us = sample->time_us;
    /* More than allowed are still at their last study: what they do says nothing. */
    if (sample->workers != pace->allowed) {
        wait_for_workers(pace, sample);
        return pace->allowed;
    }
    if (!pace->measuring) {
        pace->measuring = true;
        pace->begun = *sample;
        return pace->allowed;
    }
    uint64_t time_us = sample->time_us - pace->begun.time_us;
    uint64_t instances = sample->instances - pace->begun.instances;
    bool enough = instances >= (uint64_t)STORES_MIN * pace->allowed || time_us >= PERIOD_MAX_US;
    if (time_us < PERIOD_MIN_US || !enough)
        return pace->allowed;
    double seconds = (double)time_us / 1e6;
    const struct pace_rate rate = {(double)instances / seconds, (double)(sample->bytes - pace->begun.bytes) / seconds};
    pace->begun = *sample;
    judge(pace, &rate);
    return pace->allowed;
}

unsigned pace_back_off(struct pace *pace, bool rejected, unsigned workers)
{
    /* That was answered already, and what the answer leads to is not measured yet. */
    bool again = pace->state == PACE_BASELINE && pace->settled;
    unsigned fewer = workers < pace->allowed ? workers : pace->allowed;
    if (again && (!rejected || fewer == pace->allowed))
        return pace->allowed;
    if (!rejected)
        fewer /= 2;
    else if (fewer == pace->allowed)
        fewer--;
    pace->settled = true;
    pace->hold_next = HOLD_MAX;
    pace->base = fewer < 1 ? 1 : fewer;
    allow(pace, PACE_BASELINE, fewer);
    return pace->allowed;
}
