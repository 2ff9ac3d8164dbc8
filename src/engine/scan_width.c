/* scan_width - see scan_width.h. */
#include "engine/scan_width.h"

enum {
    WINDOW_US = 10 * 1000,      /* a window is at least so long, */
    WINDOW_MAX_US = 500 * 1000, /* and at most, if anything was done in it; and each scanner has made */
    STEPS_EACH = 2,             /* this number of steps */
    STEPS_A_WAIT = 4,           /* if fewer than one step in this number waits, the storage is fast */
    FACTOR_FIRST = 4,
    FACTOR_LAST = 2,
    GAIN_PERCENT = 15, /* each further width of those before a step up must bring so much of what that one did */
    KEPT_PERCENT = 95, /* after a step down so much must still be done */
    SLOWER = 2,        /* a step down is tried when a wait takes this many times as long */
    HOLD_FIRST_US = 2 * 1000 * 1000,
    HOLD_MAX_US = 30 * 1000 * 1000
};

/* What a window says. */
struct measure {
    unsigned useful;  /* scanners that would keep the CPUs busy */
    uint64_t wait_ns; /* of a scanner's time for each wait; 0 = it did not wait */
    bool all_at_work; /* it had work for nearly all scanners */
};

static unsigned within(const struct scan_width *width, uint64_t count)
{
    return count < width->least ? width->least : count > width->most ? width->most : (unsigned)count;
}

void scan_width_begin(struct scan_width *width, unsigned least, unsigned most, unsigned cores, uint64_t now_us)
{
    *width = (struct scan_width){.least = least,
                                 .most = most,
                                 .cores = cores > 0 ? cores : 1,
                                 .width = least,
                                 .since_us = now_us,
                                 .factor = FACTOR_FIRST};
}

void scan_width_limit(struct scan_width *width, unsigned most)
{
    most = most > 0 ? most : 1;
    if (most >= width->most)
        return;
    width->most = most;
    width->least = width->least < most ? width->least : most;
    width->width = width->width < most ? width->width : most;
    width->before = 0;
}

static void set_width(struct scan_width *width, unsigned to)
{
    width->settling = to != width->width;
    width->width = to;
}

static void hold(struct scan_width *width, uint64_t now_us)
{
    width->hold_us = width->hold_us == 0                ? HOLD_FIRST_US
                     : width->hold_us < HOLD_MAX_US / 2 ? 2 * width->hold_us
                                                        : HOLD_MAX_US;
    width->held_until_us = now_us + width->hold_us;
}

static struct measure measure(const struct scan_width *width, const struct scan_work *work, uint64_t now_us)
{
    uint64_t steps = work->steps - width->last.steps, wall_us = work->wall_us - width->last.wall_us;
    uint64_t cpu_us = work->cpu_us - width->last.cpu_us, waits = work->waits - width->last.waits;
    struct measure measure = {.useful = width->least};
    measure.all_at_work = wall_us * 4 >= (now_us - width->since_us) * width->width * 3;
    if (waits * STEPS_A_WAIT < steps || waits == 0)
        return measure;
    measure.wait_ns = wall_us * 1000 / waits;
    measure.useful = within(width, width->cores * wall_us / (cpu_us > 0 ? cpu_us : 1));
    return measure;
}

/* Is more done at this width, by so much that it is worth it; or, if it is narrower, still as much? */
static bool is_better(const struct scan_width *width, uint64_t wait_ns)
{
    uint64_t now = width->width * width->before_ns, before = width->before * wait_ns; /* ratio of what is done */
    if (width->width < width->before)
        return now * 100 >= before * KEPT_PERCENT;
    uint64_t wanted = 100 + GAIN_PERCENT * (uint64_t)(width->width - width->before) / width->before;
    return now * 100 >= before * wanted;
}

static void end_trial(struct scan_width *width, const struct measure *measure, uint64_t now_us)
{
    bool up = width->width > width->before;
    if (is_better(width, measure->wait_ns)) {
        width->chosen_ns = measure->wait_ns;
        if (up)
            width->hold_us = 0;
        else
            hold(width, now_us); /* the way back up would lead to what was just left */
    } else {
        set_width(width, width->before);
        if (up && width->factor == FACTOR_FIRST)
            width->factor = FACTOR_LAST;
        else
            hold(width, now_us);
    }
    width->before = 0;
}

static void begin_trial(struct scan_width *width, const struct measure *measure, unsigned to)
{
    width->before = width->width;
    width->before_ns = measure->wait_ns;
    set_width(width, to);
}

/* Fewer do, now and in the window before: the storage has become fast. */
static bool narrow(struct scan_width *width, const struct measure *measure)
{
    bool calm = measure->useful * 2 <= width->width;
    bool twice = calm && width->calm;
    width->calm = calm;
    if (!twice)
        return false;
    width->before = 0;
    width->chosen_ns = 0;
    width->factor = FACTOR_FIRST;
    width->calm = false;
    set_width(width, measure->useful);
    return true;
}

static void judge_window(struct scan_width *width, const struct measure *measure, uint64_t now_us)
{
    if (narrow(width, measure) || measure->wait_ns == 0)
        return;
    if (width->before > 0) {
        if (measure->all_at_work || width->width < width->before)
            end_trial(width, measure, now_us);
        return;
    }
    if (width->chosen_ns == 0 || measure->wait_ns < width->chosen_ns)
        width->chosen_ns = measure->wait_ns;
    if (!measure->all_at_work || now_us < width->held_until_us)
        return;
    if (measure->wait_ns >= SLOWER * width->chosen_ns && width->width / 2 >= width->least)
        begin_trial(width, measure, width->width / 2);
    else if (measure->useful > width->width)
        begin_trial(width, measure,
                    within(width, width->width * width->factor < measure->useful ? width->width * width->factor
                                                                                 : measure->useful));
}

unsigned scan_width_judge(struct scan_width *width, const struct scan_work *work, unsigned stuck, uint64_t now_us)
{
    uint64_t steps = work->steps - width->last.steps, passed_us = now_us - width->since_us;
    bool whole = passed_us >= WINDOW_US && steps >= (uint64_t)STEPS_EACH * width->width;
    if (width->least < width->most && (whole || (passed_us >= WINDOW_MAX_US && steps > 0))) {
        struct measure measured = measure(width, work, now_us);
        if (!width->settling)
            judge_window(width, &measured, now_us);
        else
            width->settling = false;
        width->last = *work;
        width->since_us = now_us;
    }
    if (width->least == width->most)
        return width->width;
    return within(width, (uint64_t)width->width + stuck);
}
