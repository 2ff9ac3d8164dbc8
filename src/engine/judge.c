/* judge - see judge.h. */
#include "engine/judge.h"

#include <errno.h>

#include "dicomnet/error.h"
#include "engine/losses.h"
#include "files/source.h"
#include "instance/status_rule.h"

static struct judgement final(enum outcome_state state, enum outcome_reason reason, int error)
{
    return (struct judgement){.course = COURSE_FINAL, .state = state, .reason = reason, .error = error};
}

static unsigned further_attempts(enum status_rule_again again, unsigned retry)
{
    return again == AGAIN_OFTEN ? retry : again == AGAIN_ONCE && retry > 0 ? 1 : 0;
}

struct judgement judge_answer(const struct judge_answer *facts)
{
    const struct status_rule_verdict verdict =
        facts->has_status ? status_rule_judge_status(facts->status) : status_rule_judge_no_status();
    if (verdict.state != OUTCOME_FAILED && facts->source_changed)
        return final(OUTCOME_FAILED, REASON_CHANGED, DICOMNET_ERROR_SOURCE_CHANGED);
    if (verdict.state != OUTCOME_FAILED)
        return final(verdict.state, verdict.state == OUTCOME_WARNED ? REASON_STATUS : REASON_NONE, 0);
    if (verdict.again == AGAIN_LATER && facts->retry > 0)
        return (struct judgement){.course = COURSE_ASK, .state = OUTCOME_PENDING, .reason = REASON_STATUS};
    if (facts->attempts > further_attempts(verdict.again, facts->retry))
        return final(OUTCOME_FAILED, REASON_STATUS, 0);
    return (struct judgement){.course = COURSE_AGAIN,
                              .state = OUTCOME_PENDING,
                              .reason = REASON_STATUS,
                              .new_association = verdict.new_association};
}

/* It was tried as often as allowed. With one attempt, a loss is no proof that the instance is to blame. */
static struct judgement end_of_attempts(const struct judge_loss *facts)
{
    if (facts->retry > 0)
        return final(OUTCOME_FAILED, facts->silent ? REASON_NO_RESPONSE : REASON_POISON, facts->error);
    if (facts->in_doubt)
        return final(OUTCOME_IN_DOUBT, facts->silent ? REASON_NO_RESPONSE : REASON_CONNECTION, facts->error);
    return final(OUTCOME_FAILED, REASON_NO_RESPONSE, facts->error);
}

struct judgement judge_loss(const struct judge_loss *facts)
{
    enum outcome_state state = facts->in_doubt ? OUTCOME_IN_DOUBT : OUTCOME_PENDING;
    if (facts->source_failed && facts->error == -ECANCELED) /* its file was not waited for: see readers.h */
        return final(state, REASON_INTERRUPTED, facts->error);
    if (facts->source_failed)
        return final(OUTCOME_FAILED, source_failure_reason(facts->error), facts->error);
    if (facts->stopping)
        return final(state, REASON_INTERRUPTED, facts->error);
    struct judgement judgement = {.state = state, .reason = REASON_CONNECTION, .error = facts->error};
    if (facts->ended_here && facts->retry > 0) {
        judgement.course = COURSE_AGAIN;
        return judgement;
    }
    switch (losses_judge_instance(facts->lost, facts->silent, facts->alone, facts->retry)) {
    case LOSS_FINAL:
        return end_of_attempts(facts);
    case LOSS_ASIDE:
        judgement.course = COURSE_ASIDE;
        break;
    case LOSS_AGAIN:
        judgement.course = COURSE_AGAIN;
        break;
    }
    return judgement;
}
