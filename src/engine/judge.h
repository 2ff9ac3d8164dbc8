/*
 * judge - what becomes of an instance when its store has ended: by the peer's answer, or by how its association ended.
 *
 * Pure: facts in, judgement out. status_rule.h says what a status means, losses.h what a lost association means; here
 * that meets the attempts that are allowed.
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/outcome.h"

enum judgement_course {
    COURSE_FINAL, /* it has ended, with this state, reason and error */
    COURSE_AGAIN, /* the worker sends it again */
    COURSE_ASIDE, /* it is sent alone over an association of its own, when nothing else is to be sent */
    COURSE_ASK    /* the peer had no room for it: the session, which sees all workers, says what to do */
};

struct judgement {
    enum judgement_course course;
    enum outcome_state state;
    enum outcome_reason reason;
    int error;
    bool new_association; /* COURSE_AGAIN: the next attempt wants another association */
};

/* A store that was answered. */
struct judge_answer {
    bool has_status;
    uint16_t status;
    bool source_changed; /* what was sent is not what the scan saw */
    unsigned attempts;   /* with this one, but for those that ended on this side */
    unsigned retry;      /* further ones that are allowed after the first */
};
struct judgement judge_answer(const struct judge_answer *facts);

/* A store that was not answered, as its association ended. */
struct judge_loss {
    int error;          /* why there is no answer */
    bool in_doubt;      /* the peer may have stored it */
    bool silent;        /* the peer said nothing in time */
    bool source_failed; /* its data source failed or was short: the association was ended on this side */
    bool ended_here;    /* it was ended on this side for another reason: it is not its loss */
    bool stopping;      /* nothing is to be sent any more */
    bool alone;         /* it was the only store of that association */
    unsigned lost;      /* associations that ended while it was under way, with this one */
    unsigned retry;     /* further attempts that are allowed after the first */
};
struct judgement judge_loss(const struct judge_loss *facts);

#endif
