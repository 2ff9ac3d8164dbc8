/* rules - see rules.h. */
#include "ledger/rules.h"

#include "instance/instance.h"

bool rules_same_file(const struct file_facts *then, const struct file_facts *now)
{
    return then->inode != 0 && then->device == now->device && then->inode == now->inode &&
           then->size_bytes == now->size_bytes && then->mtime_ns == now->mtime_ns;
}

/* What --accept-raw sends. */
static bool is_undeclared(enum outcome_reason reason)
{
    return reason == REASON_NO_META || reason == REASON_NO_TRANSFER_SYNTAX;
}

/* What --allow-incomplete sends. */
static bool is_incomplete(enum outcome_reason reason)
{
    return reason == REASON_NO_STUDY_UID || reason == REASON_BAD_UID;
}

/* A failure stands if it was for good, and this session would not treat the file otherwise. */
static bool failure_stands(const struct rules_options *options, const struct outcome *outcome)
{
    if (is_incomplete(outcome->reason) && options->allow_incomplete)
        return false;
    if (is_undeclared(outcome->reason) && options->accept_raw)
        return false;
    if (outcome->reason == REASON_UID_CONFLICT && options->on_conflict != CONFLICT_FAIL)
        return false;
    if (outcome->reason == REASON_UNSUPPORTED && options->other_syntaxes)
        return false;
    return outcome_is_final_failure(outcome) && !options->retry_failed;
}

static enum rules_verdict judge_skipped(const struct rules_options *options, const struct outcome *outcome)
{
    /* Earlier versions skipped these; each is DICOM that was not sent. */
    if (is_undeclared(outcome->reason) || outcome->reason == REASON_NESTING)
        return RULES_AGAIN;
    if (outcome->reason == REASON_UID_CONFLICT)
        return options->on_conflict != CONFLICT_ALL ? RULES_STANDS : RULES_AGAIN;
    /* A duplicate of what failed, or of what is no longer there, may be the only copy. */
    return outcome->reason == REASON_DUPLICATE ? RULES_STANDS_BY_ANOTHER : RULES_STANDS;
}

enum rules_verdict rules_judge(const struct rules_options *options, const struct outcome *outcome)
{
    switch (outcome->state) {
    case OUTCOME_STORED:
    case OUTCOME_WARNED:
        return RULES_STANDS;
    case OUTCOME_FAILED:
        return failure_stands(options, outcome) ? RULES_STANDS : RULES_AGAIN;
    case OUTCOME_SKIPPED:
        return judge_skipped(options, outcome);
    default:
        return RULES_AGAIN;
    }
}

bool rules_was_refused(const struct outcome *outcome)
{
    return outcome->state == OUTCOME_FAILED && outcome->reason == REASON_STATUS && outcome_says_no_room(outcome);
}

enum rules_twin rules_judge_twin(const struct file_facts *stored, const struct file_facts *found,
                                 const struct file_facts *there)
{
    if (rules_same_file(stored, found))
        return RULES_TWIN_RENAMED;
    return rules_same_file(stored, there) ? RULES_TWIN_OTHER : RULES_TWIN_NONE;
}
