/*
 * status-rules - what each status of a C-STORE response leads to, as instance/status_rule.h judges it.
 *
 * status-rules        prints the table of docs/reliability.md. Neighbours of which the rules and the standard say the
 *                     same make one row; what is judged as a status that nobody knows goes into the last rows.
 * status-rules each   prints a line for each of the 65,536 statuses, so that a test can hold the table against them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/status.h"
#include "instance/status_rule.h"

static bool is_same(struct status_rule_verdict a, struct status_rule_verdict b)
{
    return a.state == b.state && a.again == b.again && a.new_association == b.new_association;
}

static const char *outcome_words(struct status_rule_verdict verdict)
{
    switch (verdict.state) {
    case OUTCOME_STORED:
        return "`stored`";
    case OUTCOME_WARNED:
        return "`warned`";
    case OUTCOME_FAILED:
        return "`failed`";
    default:
        return "?";
    }
}

static const char *again_words(struct status_rule_verdict verdict)
{
    switch (verdict.again) {
    case AGAIN_NEVER:
        return "no";
    case AGAIN_ONCE:
        return verdict.new_association ? "once, on a new association" : "once";
    case AGAIN_OFTEN:
        return verdict.new_association ? "`--retry` times, each on a new association" : "`--retry` times";
    case AGAIN_LATER:
        return "later: [the peer has no room](#the-peer-has-no-room)";
    }
    return "?";
}

static void print_row(const char *statuses, const char *text, struct status_rule_verdict verdict)
{
    printf("| %s | %s | %s | %s |\n", statuses, text, outcome_words(verdict), again_words(verdict));
}

static void print_each(void)
{
    for (unsigned status = 0; status <= 0xFFFF; status++) {
        struct status_rule_verdict verdict = status_rule_judge_status((uint16_t)status);
        printf("%04X | %s | %s\n", status, outcome_words(verdict), again_words(verdict));
    }
}

static void print_table(void)
{
    struct status_rule_verdict unknown = status_rule_judge_no_status();
    printf("| status | what it says | outcome | sent again |\n|---|---|---|---|\n");
    for (unsigned first = 0, last; first <= 0xFFFF; first = last + 1) {
        struct status_rule_verdict verdict = status_rule_judge_status((uint16_t)first);
        const char *text = dicomnet_status_text((uint16_t)first);
        char statuses[16];
        for (last = first; last < 0xFFFF; last++)
            if (!is_same(status_rule_judge_status((uint16_t)(last + 1)), verdict) ||
                strcmp(dicomnet_status_text((uint16_t)(last + 1)), text) != 0)
                break;
        if (is_same(verdict, unknown) && strcmp(text, "unknown status") == 0)
            continue;
        if (first == last)
            snprintf(statuses, sizeof statuses, "%04X", first);
        else
            snprintf(statuses, sizeof statuses, "%04X-%04X", first, last);
        print_row(statuses, text, verdict);
    }
    print_row("any other", "nothing that the standard knows", unknown);
    print_row("none", "the response has no status", unknown);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "each") == 0)
        print_each();
    else
        print_table();
    return 0;
}
