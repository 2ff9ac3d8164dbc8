/* Tests of ledger/rules.h, as tables: what stands from earlier sessions. */
#include <criterion/criterion.h>

#include "instance/instance.h"
#include "ledger/rules.h"

enum { OPTION_RETRY = 1, OPTION_RAW = 2, OPTION_INCOMPLETE = 4, OPTION_SYNTAXES = 8, OPTION_ALL = 15 };

/* What is judged in each way with these options, for each setting of on_conflict; '-' again, 's' stands, 'b' stands by
 * another. */
struct row {
    enum outcome_state state;
    enum outcome_reason reason;
    unsigned options;
    char verdicts[4]; /* CONFLICT_FAIL, CONFLICT_FIRST, CONFLICT_ALL */
};

static char verdict_of(const struct row *row, enum intake_conflict on_conflict)
{
    static const char letters[] = {[RULES_AGAIN] = '-', [RULES_STANDS] = 's', [RULES_STANDS_BY_ANOTHER] = 'b'};
    const struct rules_options options = {.retry_failed = (row->options & OPTION_RETRY) != 0,
                                          .accept_raw = (row->options & OPTION_RAW) != 0,
                                          .allow_incomplete = (row->options & OPTION_INCOMPLETE) != 0,
                                          .other_syntaxes = (row->options & OPTION_SYNTAXES) != 0,
                                          .on_conflict = on_conflict};
    const struct outcome outcome = {.state = row->state, .reason = row->reason};
    return letters[rules_judge(&options, &outcome)];
}

Test(rules, which_outcomes_stand)
{
    static const struct row rows[] = {
        {OUTCOME_STORED, REASON_NONE, 0, "sss"},
        {OUTCOME_STORED, REASON_NONE, OPTION_ALL, "sss"},
        {OUTCOME_WARNED, REASON_STATUS, OPTION_ALL, "sss"},
        {OUTCOME_PENDING, REASON_INTERRUPTED, 0, "---"},
        {OUTCOME_IN_DOUBT, REASON_CONNECTION, 0, "---"},
        /* Failed for good, unless it is asked to try again. */
        {OUTCOME_FAILED, REASON_STATUS, 0, "sss"},
        {OUTCOME_FAILED, REASON_TRUNCATED, 0, "sss"},
        {OUTCOME_FAILED, REASON_TRUNCATED, OPTION_RETRY, "---"},
        {OUTCOME_FAILED, REASON_POISON, OPTION_RAW | OPTION_INCOMPLETE, "sss"},
        {OUTCOME_FAILED, REASON_UNSUPPORTED, OPTION_RAW | OPTION_INCOMPLETE, "sss"},
        {OUTCOME_FAILED, REASON_UNSUPPORTED, OPTION_SYNTAXES, "---"},
        {OUTCOME_FAILED, REASON_TRUNCATED, OPTION_SYNTAXES, "sss"},
        {OUTCOME_FAILED, REASON_UNDECODABLE, 0, "---"},
        /* Failed by what may be otherwise another day. */
        {OUTCOME_FAILED, REASON_UNREADABLE, 0, "---"},
        {OUTCOME_FAILED, REASON_VANISHED, 0, "---"},
        {OUTCOME_FAILED, REASON_CHANGED, 0, "---"},
        {OUTCOME_FAILED, REASON_NO_RESPONSE, 0, "---"},
        {OUTCOME_FAILED, REASON_CONNECTION, 0, "---"},
        {OUTCOME_FAILED, REASON_OUT_OF_MEMORY, 0, "---"},
        /* Failed as an option was not given that is given now. */
        {OUTCOME_FAILED, REASON_NO_META, OPTION_INCOMPLETE, "sss"},
        {OUTCOME_FAILED, REASON_NO_META, OPTION_RAW, "---"},
        {OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX, OPTION_INCOMPLETE, "sss"},
        {OUTCOME_FAILED, REASON_NO_TRANSFER_SYNTAX, OPTION_RAW, "---"},
        {OUTCOME_FAILED, REASON_NO_STUDY_UID, OPTION_RAW, "sss"},
        {OUTCOME_FAILED, REASON_NO_STUDY_UID, OPTION_INCOMPLETE, "---"},
        {OUTCOME_FAILED, REASON_BAD_UID, OPTION_RAW, "sss"},
        {OUTCOME_FAILED, REASON_BAD_UID, OPTION_INCOMPLETE, "---"},
        {OUTCOME_FAILED, REASON_UID_CONFLICT, 0, "s--"},
        {OUTCOME_FAILED, REASON_UID_CONFLICT, OPTION_RETRY, "---"},
        /* Skipped. */
        {OUTCOME_SKIPPED, REASON_NOT_DICOM, OPTION_ALL, "sss"},
        {OUTCOME_SKIPPED, REASON_DICOMDIR, OPTION_ALL, "sss"},
        {OUTCOME_SKIPPED, REASON_DUPLICATE, OPTION_ALL, "bbb"},
        {OUTCOME_SKIPPED, REASON_UID_CONFLICT, 0, "ss-"},
        {OUTCOME_SKIPPED, REASON_NO_META, 0, "---"},
        {OUTCOME_SKIPPED, REASON_NO_TRANSFER_SYNTAX, 0, "---"},
        {OUTCOME_SKIPPED, REASON_NESTING, 0, "---"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int conflict = CONFLICT_FAIL; conflict <= CONFLICT_ALL; conflict++)
            cr_expect_eq(verdict_of(&rows[i], (enum intake_conflict)conflict), rows[i].verdicts[conflict],
                         "%s, %s, options %u, on_conflict %d", outcome_state_name(rows[i].state),
                         outcome_reason_name(rows[i].reason), rows[i].options, conflict);
}

/* What the peer had no room for failed, but not for good; and nothing else counts as refused. */
Test(rules, no_room)
{
    static const struct {
        enum outcome_state state;
        enum outcome_reason reason;
        uint16_t status;
        enum rules_verdict verdict;
        bool refused;
    } rows[] = {{OUTCOME_FAILED, REASON_STATUS, 0xA700, RULES_AGAIN, true},
                {OUTCOME_FAILED, REASON_STATUS, 0xA7FF, RULES_AGAIN, true},
                {OUTCOME_FAILED, REASON_STATUS, 0x0213, RULES_AGAIN, true},
                {OUTCOME_FAILED, REASON_STATUS, 0xA900, RULES_STANDS, false},
                {OUTCOME_FAILED, REASON_STATUS, 0x0110, RULES_STANDS, false},
                {OUTCOME_FAILED, REASON_POISON, 0xA700, RULES_STANDS, false},
                {OUTCOME_PENDING, REASON_INTERRUPTED, 0xA700, RULES_AGAIN, false}};
    const struct rules_options options = {.on_conflict = CONFLICT_FAIL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outcome outcome = {
            .state = rows[i].state, .reason = rows[i].reason, .has_status = true, .status = rows[i].status};
        cr_expect_eq(rules_judge(&options, &outcome), rows[i].verdict, "row %zu", i);
        cr_expect_eq(rules_was_refused(&outcome), rows[i].refused, "row %zu", i);
    }
}

Test(rules, a_file_that_changed_is_another)
{
    const struct file_facts then = {.device = 1, .inode = 2, .size_bytes = 3, .mtime_ns = 4};
    cr_expect(rules_same_file(&then, &then));
    for (int i = 0; i < 4; i++) {
        struct file_facts now = then;
        now.device += i == 0;
        now.inode += i == 1;
        now.size_bytes += i == 2;
        now.mtime_ns += i == 3;
        cr_expect_not(rules_same_file(&then, &now), "%d", i);
    }
    const struct file_facts unknown = {.device = 1, .inode = 0, .size_bytes = 3, .mtime_ns = 4};
    cr_expect_not(rules_same_file(&unknown, &unknown), "what is not known is not the same");
    /* Where it lies does not count. */
    struct file_facts moved = then;
    moved.path = "/elsewhere";
    cr_expect(rules_same_file(&then, &moved));
}

Test(rules, twins)
{
    const struct file_facts stored = {.device = 1, .inode = 2, .size_bytes = 3, .mtime_ns = 4};
    const struct file_facts other = {.device = 1, .inode = 5, .size_bytes = 3, .mtime_ns = 4};
    const struct file_facts touched = {.device = 1, .inode = 2, .size_bytes = 3, .mtime_ns = 9};
    const struct file_facts nothing = {.inode = 0};
    cr_expect_eq(rules_judge_twin(&stored, &stored, &nothing), RULES_TWIN_RENAMED);
    cr_expect_eq(rules_judge_twin(&stored, &stored, &stored), RULES_TWIN_RENAMED, "a second link to it");
    cr_expect_eq(rules_judge_twin(&stored, &other, &stored), RULES_TWIN_OTHER);
    cr_expect_eq(rules_judge_twin(&stored, &other, &touched), RULES_TWIN_NONE);
    cr_expect_eq(rules_judge_twin(&stored, &other, &other), RULES_TWIN_NONE);
    cr_expect_eq(rules_judge_twin(&stored, &other, &nothing), RULES_TWIN_NONE);
    cr_expect_eq(rules_judge_twin(&nothing, &other, &nothing), RULES_TWIN_NONE);
}
