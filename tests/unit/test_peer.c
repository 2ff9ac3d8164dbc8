/* What the session learns about its peer from associations and answers, and when it gives it up. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/dimse.h"
#include "engine/peer.h"
#include "engine/study.h"
#include "instance/outcome.h"
#include "instance/status_rule.h"

#define SECOND_US UINT64_C(1000000)
#define NOW_US    (5000 * SECOND_US)

static struct peer peer;
static const struct dicomnet_association_parameters pacs = {
    .host = "pacs", .port = 104, .called_ae = "PACS", .calling_ae = "SENDER"};

static const struct dicomnet_association_end refused = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED,
                                                        .error = -ECONNREFUSED};
static const struct dicomnet_association_end unknown_host = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED,
                                                             .error = DICOMNET_ERROR_HOST_UNKNOWN};
static const struct dicomnet_association_end rejected_for_good = {.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                                  .reject = {.result = 1, .source = 1, .reason = 7}};
static const struct dicomnet_association_end rejected_for_now = {.kind = DICOMNET_ASSOCIATION_REJECTED,
                                                                 .reject = {.result = 2, .source = 3, .reason = 2}};
static const struct dicomnet_association_end aborted = {.kind = DICOMNET_ASSOCIATION_ABORTED_BY_PEER};
static const struct dicomnet_association_end lost = {.kind = DICOMNET_ASSOCIATION_LOST, .error = -ECONNRESET};
static const struct dicomnet_association_end released = {.kind = DICOMNET_ASSOCIATION_RELEASED};

static void reset_with(unsigned retry, uint64_t give_up_ms)
{
    peer_init(&peer, &(struct peer_options){.association = &pacs, .retry = retry, .give_up_ms = give_up_ms});
}

static void reset(void)
{
    reset_with(2, 0);
}

/* An association of a worker that had work. */
static struct peer_verdict end_at(struct peer_ending ending, uint64_t now_us)
{
    ending.had_work = true;
    ending.failing_since_us = NOW_US;
    return peer_learn_ended(&peer, &ending, now_us);
}

/* One that could not be opened, for the `failures`-th time in a row since NOW_US. */
static struct peer_verdict fail(int worker, const struct dicomnet_association_end *end, unsigned failures)
{
    return end_at((struct peer_ending){.worker = worker, .end = end, .backs_off = true, .failures = failures},
                  NOW_US + failures);
}

/* An open one that ended after so many answers. */
static struct peer_verdict end_after(int worker, const struct dicomnet_association_end *end, uint64_t answered)
{
    return end_at(
        (struct peer_ending){.worker = worker, .end = end, .opened = true, .answered = answered, .lost = answered == 0},
        NOW_US);
}

static struct peer_verdict answer(uint16_t status, const struct context_pair *pair)
{
    const struct status_rule_verdict policy = status_rule_judge_status(status);
    const struct outcome outcome = {.state = policy.state, .has_status = true, .status = status, .attempts = 1};
    return peer_learn_outcome(&peer, &outcome, pair);
}

TestSuite(peer, .init = reset);

/* ---- it cannot be reached ---- */

Test(peer, that_was_never_there_has_as_many_tries_as_allowed)
{
    cr_expect_null(fail(1, &refused, 1).give_up);
    cr_expect_null(fail(1, &refused, 2).give_up);
    cr_expect_null(peer_look(&peer, NOW_US + 3600 * SECOND_US).give_up, "the tries decide, not the time");
    const char *why = fail(1, &refused, 3).give_up;
    cr_assert_not_null(why);
    cr_expect(strstr(why, "pacs:104") != NULL, "%s", why);
}

Test(peer, that_was_there_once_is_waited_for)
{
    cr_expect(peer_learn_opened(&peer, 1, true).wake, "others need not wait for their next try");
    for (unsigned failures = 1; failures < 50; failures++)
        cr_expect_null(fail(1, &refused, failures).give_up);
    cr_expect_null(peer_look(&peer, NOW_US + PEER_GIVE_UP_MS * 1000ull - 1).give_up);
    const char *why = peer_look(&peer, NOW_US + PEER_GIVE_UP_MS * 1000ull).give_up;
    cr_assert_not_null(why);
    cr_expect(strncmp(why, "given up after 600 s: ", 22) == 0, "%s", why);
    peer_learn_opened(&peer, 1, true);
    cr_expect_null(peer_look(&peer, NOW_US + PEER_GIVE_UP_MS * 1000ull).give_up, "it is back");
}

Test(peer, is_given_up_after_the_time_that_was_asked_for)
{
    reset_with(2, 3000);
    for (unsigned failures = 1; failures < 50; failures++)
        cr_expect_null(fail(1, &refused, failures).give_up, "also if it was never there");
    cr_expect_null(peer_look(&peer, NOW_US + 3 * SECOND_US - 1).give_up);
    const char *why = peer_look(&peer, NOW_US + 3 * SECOND_US).give_up;
    cr_assert_not_null(why);
    cr_expect(strncmp(why, "given up after 3 s: ", 20) == 0, "%s", why);
}

Test(peer, without_retry_one_failure_ends_it)
{
    reset_with(0, 0);
    peer_learn_opened(&peer, 1, true);
    cr_expect_not_null(fail(1, &refused, 1).give_up, "also if it was there");
    reset_with(0, 0);
    struct peer_verdict verdict = fail(1, &rejected_for_now, 1);
    cr_expect(verdict.give_up != NULL && verdict.turned_away);
}

/* While one association works, that others cannot be opened is no reason. */
Test(peer, is_there_as_long_as_one_association_is)
{
    const struct peer_ending ending = {.worker = 2,
                                       .end = &refused,
                                       .backs_off = true,
                                       .failures = 9,
                                       .failing_since_us = NOW_US,
                                       .others_open = true};
    cr_expect_null(peer_learn_ended(&peer, &ending, NOW_US).give_up);
    cr_expect_eq(peer.trouble_since_us, 0);
    cr_expect_null(peer_look(&peer, UINT64_MAX / 2).give_up);
}

/* An answer that came since the failures began shows that it is there: it was another worker's. */
Test(peer, that_has_answered_meanwhile_is_not_given_up)
{
    peer_note_answer(&peer, NOW_US + 1);
    peer_note_answer(&peer, NOW_US - 1);
    cr_expect_null(fail(1, &refused, 9).give_up);
    reset();
    peer_note_answer(&peer, NOW_US);
    cr_expect_not_null(fail(1, &refused, 9).give_up, "it answered before that");
}

/* All workers lose their associations at the same time, and none of them can open another. */
Test(peer, goes_away_under_all_workers_at_once)
{
    for (int worker = 1; worker <= 8; worker++)
        peer_learn_opened(&peer, worker, true);
    for (int worker = 1; worker <= 8; worker++)
        cr_expect_eq(end_after(worker, &lost, 5).store_max, 0, "one each is no rule");
    for (int worker = 1; worker <= 8; worker++)
        cr_expect_null(fail(worker, &refused, 1).give_up);
    for (int worker = 1; worker <= 8; worker++)
        peer_learn_opened(&peer, worker, true);
    for (int worker = 1; worker <= 8; worker++)
        cr_expect_eq(end_after(worker, &lost, 5).store_max, 0, "it was away in between: it had to end them");
    cr_expect_eq(end_after(3, &lost, 5).store_max, 5, "now it does so on purpose");
}

Test(peer, trouble_begins_with_the_first_failure_and_keeps_the_last_cause)
{
    peer_learn_opened(&peer, 1, true);
    fail(1, &refused, 1);
    peer_note_no_room(&peer, NOW_US + SECOND_US);
    cr_expect_eq(peer.trouble_since_us, NOW_US);
    const char *why = peer_look(&peer, NOW_US + PEER_GIVE_UP_MS * 1000ull).give_up;
    cr_assert_not_null(why);
    cr_expect(strstr(why, "out of resources") != NULL, "%s", why);
    peer_learn_opened(&peer, 2, false);
    cr_expect_eq(peer.trouble_since_us, NOW_US, "an association does not show that there is room");
    peer_note_room(&peer);
    cr_expect_null(peer_look(&peer, UINT64_MAX / 2).give_up);
}

/* ---- it says no ---- */

Test(peer, that_rejects_for_good_is_given_up_at_once)
{
    cr_expect_not_null(fail(1, &rejected_for_good, 1).give_up);
    reset();
    peer_learn_opened(&peer, 1, true);
    struct peer_verdict verdict = fail(2, &rejected_for_good, 1);
    cr_expect(verdict.give_up != NULL && !verdict.turned_away, "whatever it did before");
}

Test(peer, whose_name_server_does_not_answer_is_tried_again)
{
    const int errors[] = {DICOMNET_ERROR_TIMEOUT_LOOKUP, DICOMNET_ERROR_LOOKUP_FAILED};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        const struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = errors[i]};
        reset();
        cr_expect_null(fail(1, &end, 1).give_up, "%s", dicomnet_error_text(errors[i]));
        cr_expect_null(fail(1, &end, 2).give_up);
        const char *why = fail(1, &end, 3).give_up;
        cr_assert_not_null(why);
        cr_expect(strstr(why, "'pacs'") != NULL, "%s", why);
    }
}

Test(peer, with_an_unknown_name_is_given_up_if_it_never_opened)
{
    cr_expect_not_null(fail(1, &unknown_host, 1).give_up);
    reset();
    peer_learn_opened(&peer, 1, true);
    cr_expect_null(fail(1, &unknown_host, 1).give_up, "the name service fails");
}

/* What answers is no DICOM peer: unless another worker still waits to hear. */
Test(peer, that_speaks_something_else_is_given_up)
{
    const struct dicomnet_association_end http = {.kind = DICOMNET_ASSOCIATION_ABORTED_BY_US,
                                                  .error = DICOMNET_ERROR_PEER_SPEAKS_HTTP};
    struct peer_ending ending = {
        .worker = 1, .end = &http, .backs_off = true, .failures = 1, .failing_since_us = NOW_US, .others_ask = true};
    cr_expect_null(peer_learn_ended(&peer, &ending, NOW_US).give_up);
    ending.others_ask = false;
    cr_expect_not_null(peer_learn_ended(&peer, &ending, NOW_US).give_up);
    reset();
    peer_learn_opened(&peer, 2, true);
    cr_expect_null(peer_learn_ended(&peer, &ending, NOW_US).give_up, "it did speak DICOM");
}

/* What TLS is told is how the two are set up, until it has worked once. */
Test(peer, that_does_not_agree_on_tls_is_given_up)
{
    const struct dicomnet_association_end name = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED,
                                                  .error = DICOMNET_ERROR_TLS_NAME},
                                          wanted = {.kind = DICOMNET_ASSOCIATION_LOST,
                                                    .error = DICOMNET_ERROR_TLS_CERTIFICATE_WANTED},
                                          closed = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED,
                                                    .error = DICOMNET_ERROR_TLS_CLOSED};
    cr_expect_not_null(fail(1, &name, 1).give_up);
    reset();
    cr_expect_not_null(fail(1, &wanted, 1).give_up);
    reset();
    cr_expect_null(fail(1, &closed, 1).give_up, "it may be starting");
    reset();
    peer_learn_opened(&peer, 1, true);
    cr_expect_null(fail(1, &name, 1).give_up, "it worked before");
}

Test(peer, that_turns_away_is_there)
{
    for (unsigned failures = 1; failures < 50; failures++) {
        struct peer_verdict verdict = fail(1, &rejected_for_now, failures);
        cr_expect(verdict.turned_away && verdict.give_up == NULL);
    }
    cr_expect(peer.was_there);
    cr_expect_not_null(peer_look(&peer, NOW_US + PEER_GIVE_UP_MS * 1000ull).give_up, "but not for ever");
    cr_expect(!fail(1, &refused, 1).turned_away);
    cr_expect(!end_after(1, &released, 3).turned_away);
}

/* ---- how many stores it bears ---- */

Test(peer, that_ends_associations_after_as_many_stores_does_so_on_purpose)
{
    peer_learn_opened(&peer, 1, true);
    peer_learn_opened(&peer, 2, true);
    cr_expect_eq(end_after(1, &aborted, 100).store_max, 0);
    cr_expect_eq(end_after(2, &aborted, 100).store_max, 0, "another worker's association");
    cr_expect_eq(end_after(1, &lost, 100).store_max, 100);
    cr_expect_eq(peer.lessons.store_max, 100);
    cr_expect_eq(end_after(2, &aborted, 100).store_max, 0, "that is known");
    cr_expect_eq(end_after(1, &aborted, 120).store_max, 0);
    cr_expect_eq(end_after(1, &aborted, 120).store_max, 0, "more is no news");
    cr_expect_eq(end_after(1, &aborted, 7).store_max, 0);
    cr_expect_eq(end_after(1, &aborted, 7).store_max, 7, "less is");
}

Test(peer, how_associations_end_otherwise_says_nothing_of_its_limit)
{
    const struct dicomnet_association_end by_us = {.kind = DICOMNET_ASSOCIATION_ABORTED_BY_US};
    peer_learn_opened(&peer, 1, true);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(end_after(1, &released, 10).store_max, 0);
        cr_expect_eq(end_after(1, &by_us, 10).store_max, 0);
        cr_expect_eq(end_after(1, &aborted, 0).store_max, 0, "nothing was answered");
    }
    cr_expect_eq(end_after(1, &aborted, 10).store_max, 0);
    cr_expect_eq(end_after(1, &released, 10).store_max, 0);
    cr_expect_eq(end_after(1, &aborted, 10).store_max, 0, "not in turn");
    struct peer_ending idle = {.worker = 1, .end = &aborted, .opened = true, .answered = 10};
    cr_expect_eq(peer_learn_ended(&peer, &idle, NOW_US).store_max, 0, "it had nothing to do");
}

/* ---- associations that end under a store ---- */

static struct peer_verdict lose(bool aside, uint64_t now_us)
{
    const struct peer_ending ending = {
        .worker = 1, .end = &aborted, .opened = true, .had_work = true, .lost = true, .aside = aside};
    return peer_learn_ended(&peer, &ending, now_us);
}

/* It takes associations and has never answered a store: given up once some were tried alone, and that took a while. */
Test(peer, that_never_answers_is_given_up_after_some_were_tried_alone)
{
    const uint64_t alone_us = NOW_US + 100 * SECOND_US;
    for (unsigned i = 0; i < 30; i++)
        cr_expect_null(lose(false, NOW_US + i * SECOND_US).give_up, "it may be the files: none was alone");
    for (unsigned i = 0; i < LOSSES_ALONE; i++)
        cr_expect_null(lose(true, alone_us + i).give_up);
    const char *why = lose(true, alone_us + LOSSES_ALONE_MS * UINT64_C(1000)).give_up;
    cr_assert_not_null(why);
    cr_expect(strstr(why, "answers no store on them: 36 in a row") != NULL, "%s", why);
}

/* One answer, whatever it is, shows that it is the files: however many of them there are. */
Test(peer, that_answers_others_is_not_to_blame)
{
    answer(DICOMNET_STATUS_SUCCESS, NULL);
    for (unsigned i = 0; i < LOSSES_ROW - 1; i++)
        cr_expect_null(lose(true, NOW_US + i * 10 * SECOND_US).give_up);
    answer(0xA900, NULL);
    for (unsigned i = 0; i < LOSSES_ROW - 1; i++)
        cr_expect_null(lose(true, NOW_US + i * 10 * SECOND_US).give_up);
    cr_expect_not_null(lose(true, NOW_US + 10000 * SECOND_US).give_up, "but not for ever");
    end_after(1, &aborted, 1);
    cr_expect_null(lose(true, NOW_US + 20000 * SECOND_US).give_up, "it has answered again");
}

Test(peer, losses_count_for_as_long_as_was_asked_for)
{
    reset_with(2, 60 * 1000);
    answer(DICOMNET_STATUS_SUCCESS, NULL);
    for (unsigned i = 0; i < LOSSES_ROW; i++)
        cr_expect_null(lose(true, NOW_US).give_up);
    cr_expect_null(lose(true, NOW_US + 60 * SECOND_US - 1000).give_up);
    cr_expect_not_null(lose(true, NOW_US + 60 * SECOND_US).give_up);
}

/* ---- what it answers ---- */

Test(peer, that_does_not_know_us_is_given_up)
{
    cr_expect_null(answer(DICOMNET_STATUS_NOT_AUTHORISED, NULL).give_up);
    cr_expect_null(answer(DICOMNET_STATUS_NOT_AUTHORISED, NULL).give_up);
    cr_expect_null(answer(DICOMNET_STATUS_SUCCESS, NULL).give_up);
    for (int i = 1; i < STATUS_RULE_UNAUTHORISED_MAX; i++)
        cr_expect_null(answer(DICOMNET_STATUS_NOT_AUTHORISED, NULL).give_up, "%d", i);
    cr_expect_not_null(answer(DICOMNET_STATUS_NOT_AUTHORISED, NULL).give_up);
    reset();
    cr_expect_not_null(peer_learn_unauthorised(&peer).give_up, "one worker heard it often enough");
}

Test(peer, classes_it_cannot_store_are_learnt_once)
{
    static const struct context_pair ct = {.class_uid = "1.2", .syntax_uid = "1.1"},
                                     ct_jpeg = {.class_uid = "1.2", .syntax_uid = "1.9"},
                                     mr = {.class_uid = "1.3", .syntax_uid = "1.1"};
    cr_expect_eq(answer(DICOMNET_STATUS_CLASS_NOT_SUPPORTED, &ct).unsupported, &ct);
    cr_expect_null(answer(DICOMNET_STATUS_CLASS_NOT_SUPPORTED, &ct).unsupported);
    cr_expect_null(answer(DICOMNET_STATUS_CLASS_NOT_SUPPORTED, &ct_jpeg).unsupported, "it is the class");
    cr_expect_eq(answer(DICOMNET_STATUS_CLASS_NOT_SUPPORTED, &mr).unsupported, &mr);
    cr_expect_eq(peer.lessons.unsupported_count, 2);
    const struct outcome not_sent = {.state = OUTCOME_FAILED, .has_status = true, .status = 0x0122};
    static const struct context_pair us = {.class_uid = "1.4"};
    cr_expect_null(peer_learn_outcome(&peer, &not_sent, &us).unsupported, "a sibling that was not sent is no answer");
}

Test(peer, no_more_classes_are_kept_than_an_association_has_contexts)
{
    static struct context_pair pairs[DICOMNET_PDU_CONTEXTS_MAX + 1];
    for (int i = 0; i <= DICOMNET_PDU_CONTEXTS_MAX; i++) {
        snprintf(pairs[i].class_uid, sizeof pairs[i].class_uid, "1.%d", i);
        const struct context_pair *learnt = answer(DICOMNET_STATUS_CLASS_NOT_SUPPORTED, &pairs[i]).unsupported;
        cr_expect_eq(learnt, i < DICOMNET_PDU_CONTEXTS_MAX ? &pairs[i] : NULL, "%d", i);
    }
}

Test(peer, oddities_of_its_answers_are_noted_once)
{
    struct outcome outcome = {.state = OUTCOME_STORED, .has_status = true, .attempts = 1, .uid_missing = true};
    struct peer_verdict verdict = peer_learn_outcome(&peer, &outcome, NULL);
    cr_expect(verdict.uid_missing && !verdict.context_other);
    outcome.context_other = true;
    verdict = peer_learn_outcome(&peer, &outcome, NULL);
    cr_expect(!verdict.uid_missing && verdict.context_other);
    verdict = peer_learn_outcome(&peer, &outcome, NULL);
    cr_expect(!verdict.uid_missing && !verdict.context_other);
    reset();
    outcome.state = OUTCOME_FAILED;
    verdict = peer_learn_outcome(&peer, &outcome, NULL);
    cr_expect(!verdict.uid_missing && !verdict.context_other, "only what was believed");
}
