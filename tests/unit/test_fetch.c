/* A retrieval's parts, each alone: its states, its rounds, its inventory, and what it asks for. No peer, no file. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "fetch/asking.h"
#include "fetch/inventory.h"
#include "fetch/retrieval_state.h"
#include "fetch/rounds.h"

/* ---- states ---- */

Test(fetch_state, from_each_but_the_last_the_end_can_be_reached)
{
    for (int from = 0; from < RETRIEVAL_STATE_COUNT; from++) {
        unsigned reached = 1u << from;
        for (int i = 0; i < RETRIEVAL_STATE_COUNT; i++)
            for (int state = 0; state < RETRIEVAL_STATE_COUNT; state++)
                for (int next = 0; next < RETRIEVAL_STATE_COUNT; next++)
                    if ((reached & 1u << state) != 0 && retrieval_state_may_follow(state, next))
                        reached |= 1u << next;
        cr_expect((reached & 1u << RETRIEVAL_STATE_DONE) != 0, "from %s", retrieval_state_name(from));
        cr_expect(!retrieval_state_may_follow(RETRIEVAL_STATE_DONE, from), "%s after done", retrieval_state_name(from));
    }
}

/* A query ends before its association does. */
Test(fetch_state, a_query_is_not_left_under_way)
{
    static const enum retrieval_state after[] = {RETRIEVAL_STATE_QUERYING, RETRIEVAL_STATE_LINGERING,
                                                 RETRIEVAL_STATE_CLOSING};
    unsigned allowed = 0;
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        allowed |= 1u << after[i];
    for (int next = 0; next < RETRIEVAL_STATE_COUNT; next++)
        cr_expect_eq(retrieval_state_may_follow(RETRIEVAL_STATE_QUERYING, next), (allowed & 1u << next) != 0, "%s",
                     retrieval_state_name(next));
}

Test(fetch_state, what_people_are_told_of_it)
{
    cr_expect_eq(retrieval_state_phase(RETRIEVAL_STATE_PAUSED, RETRIEVAL_STAGE_LISTING), RETRIEVAL_LISTING);
    cr_expect_eq(retrieval_state_phase(RETRIEVAL_STATE_PAUSED, RETRIEVAL_STAGE_ASKING), RETRIEVAL_WAITING);
    cr_expect_eq(retrieval_state_phase(RETRIEVAL_STATE_SETTLING, RETRIEVAL_STAGE_ASKING), RETRIEVAL_WAITING);
    cr_expect_eq(retrieval_state_phase(RETRIEVAL_STATE_LINGERING, RETRIEVAL_STAGE_ASKING), RETRIEVAL_ASKING);
    cr_expect_eq(retrieval_state_phase(RETRIEVAL_STATE_DONE, RETRIEVAL_STAGE_LISTING), RETRIEVAL_DONE);
}

/* ---- rounds ---- */

Test(fetch_rounds, as_many_retries_as_are_wanted)
{
    struct rounds rounds = {0};
    const struct rounds_facts nothing = {.failed = true};
    for (unsigned i = 1; i <= 3; i++) {
        int64_t delay_ms = rounds_next(&rounds, &nothing, 3, 0);
        cr_expect(delay_ms >= (900 << (i - 1)) && delay_ms <= (1100 << (i - 1)), "%lld after %u", (long long)delay_ms,
                  i);
    }
    cr_expect_eq(rounds_next(&rounds, &nothing, 3, 0), ROUNDS_NO_MORE);
    cr_expect_eq(rounds.fruitless, 0, "the peer did not answer");
}

Test(fetch_rounds, progress_begins_anew)
{
    struct rounds rounds = {0};
    const struct rounds_facts answered = {.failed = false}, progress = {.progress = true};
    cr_expect_gt(rounds_next(&rounds, &answered, 1, 0), 0);
    cr_expect_eq(rounds.fruitless, 1);
    cr_expect_eq(rounds_next(&rounds, &progress, 1, 0), 0, "at once");
    cr_expect_eq(rounds.attempt, 0);
    cr_expect_eq(rounds.fruitless, 0);
    cr_expect_gt(rounds_next(&rounds, &answered, 1, 0), 0);
}

Test(fetch_rounds, without_retries_only_a_list_goes_on)
{
    struct rounds rounds = {0};
    const struct rounds_facts round = {.progress = true}, list = {.progress = true, .is_list = true};
    cr_expect_eq(rounds_next(&rounds, &round, 0, 0), ROUNDS_NO_MORE);
    cr_expect_eq(rounds_next(&rounds, &list, 0, 0), 0);
}

/* ---- inventory ---- */

static struct inventory inventory;
static struct inventory_part *study, *series;

static void count_is_right(void)
{
    const struct retrieval_counts *counts = &inventory.counts;
    cr_assert_eq(counts->listed, counts->present + counts->stored + counts->missing);
}

/* A study of one series with three instances, one of which is there. */
static void make_study(void)
{
    struct inventory_place place = {.study_uid = "1.2"};
    inventory_init(&inventory);
    struct inventory_target *target = inventory_add_target(&inventory, DICOMNET_QUERY_LEVEL_STUDY);
    study = inventory_add_part(&inventory, target, NULL, DICOMNET_QUERY_LEVEL_STUDY, &place);
    strcpy(place.series_uid, "1.2.3");
    series = inventory_add_part(&inventory, target, study, DICOMNET_QUERY_LEVEL_SERIES, &place);
    cr_assert(inventory_add_instance(&inventory, series, "1.2.3.1", "1.9", INSTANCE_WANTED) != NULL);
    cr_assert(inventory_add_instance(&inventory, series, "1.2.3.2", "1.9", INSTANCE_WANTED) != NULL);
    cr_assert(inventory_add_instance(&inventory, series, "1.2.3.3", "", INSTANCE_PRESENT) != NULL);
    count_is_right();
}

Test(fetch_inventory, states_are_counted)
{
    make_study();
    cr_expect_eq(inventory_find_part(&inventory, DICOMNET_QUERY_LEVEL_SERIES, &series->place), series);
    cr_expect_eq(inventory.counts.missing, 2);
    inventory_set_state(&inventory, inventory_find_instance(&inventory, "1.2.3.1"), INSTANCE_STORED);
    count_is_right();
    cr_expect_eq(inventory.counts.missing, 1);
    cr_expect_eq(inventory.counts.stored, 1);
    cr_expect_eq(inventory.counts.present, 1);
    cr_expect_eq(inventory_count_wanted(series), 1);
    inventory_fini(&inventory);
}

/* The peer says that the study has five: two of them nobody has named. */
Test(fetch_inventory, what_a_study_is_short_of_is_unnamed)
{
    make_study();
    study->has_said = true;
    study->said = 5;
    inventory_close(&inventory);
    count_is_right();
    cr_expect(study->open);
    cr_expect_eq(inventory.counts.unnamed, 2);
    cr_expect_eq(inventory.counts.missing, 4);
    /* One of them comes. */
    cr_assert(inventory_add_instance(&inventory, study, "1.2.4.1", "1.9", INSTANCE_STORED) != NULL);
    inventory_settle(&inventory, study);
    count_is_right();
    cr_expect_eq(inventory.counts.unnamed, 1);
    cr_expect_eq(inventory.counts.listed, 5);
    inventory_fini(&inventory);
}

Test(fetch_inventory, a_study_that_is_all_listed_stays_closed)
{
    make_study();
    study->has_said = series->has_said = true;
    study->said = series->said = 3;
    inventory_close(&inventory);
    cr_expect(!study->open && !series->open);
    cr_expect_eq(inventory.counts.unnamed, 0);
    inventory_fini(&inventory);
}

/* What a third party got, nobody knows which: it is not missing, until it is asked for again. */
Test(fetch_inventory, credits_are_taken_back)
{
    make_study();
    inventory_credit(&inventory, series, 1);
    count_is_right();
    cr_expect_eq(inventory.counts.missing, 1);
    inventory_take_credits_back(&inventory);
    count_is_right();
    cr_expect_eq(inventory.counts.missing, 2);
    cr_expect_eq(inventory.counts.stored, 0);
    inventory_fini(&inventory);
}

/* ---- asking ---- */

static struct run run;
static struct asking asking;
static unsigned requests_ended;
static struct dicomnet_query *query; /* the last that was to be asked */

static void on_request_ended(void *user, const struct retrieval_request *request)
{
    (void)user;
    requests_ended += request->instances > 0;
}

/* Of a third party, so that only the peer's answers count. */
static void ask_for_a_third_party(void)
{
    static const struct retrieval_options options = {
        .model = DICOMNET_QUERY_STUDY_ROOT, .level = DICOMNET_QUERY_LEVEL_STUDY, .move_destination = "OTHER"};
    static const struct retrieval_observer observer = {.request_ended = on_request_ended};
    make_study();
    study->has_said = series->has_said = true;
    study->said = series->said = 3;
    inventory_close(&inventory);
    run_init(&run, &options, &observer);
    asking_init(&asking, &run, &inventory);
    requests_ended = 0;
    asking_begin_round(&asking, 0);
}

static void end_asking(void)
{
    asking_fini(&asking);
    inventory_fini(&inventory);
}

TestSuite(fetch_asking, .init = ask_for_a_third_party, .fini = end_asking);

static void ask_next(void)
{
    cr_assert_eq(asking_next(&asking, &query), 1);
}

static unsigned instances_named(void)
{
    struct dicomnet_element element;
    cr_assert(dicomnet_identifier_find(query->identifier, DICOMNET_TAG_SOP_INSTANCE_UID, &element));
    return (unsigned)dicomnet_element_value_count(&element);
}

static void answer(uint16_t status, uint16_t completed, uint16_t failed)
{
    query->answered = true;
    query->status = status;
    query->has_counts = true;
    query->counts = (struct dicomnet_query_counts){.completed = completed, .failed = failed};
    asking_ended(&asking, NULL);
    count_is_right();
}

/* One of the series is there already, so that it is not asked for as a whole. */
Test(fetch_asking, only_what_is_wanted_is_named)
{
    ask_next();
    cr_expect_str_eq(query->move_destination, "OTHER");
    cr_expect_eq(instances_named(), 2);
    answer(DICOMNET_STATUS_SUCCESS, 2, 0);
    cr_expect_eq(inventory.counts.missing, 0);
    cr_expect_eq(inventory.counts.stored, 2);
    cr_expect_eq(requests_ended, 1);
    cr_expect_eq(asking_next(&asking, &query), 0, "there is nothing else");
}

/* A success that sent less than was asked for says nothing of which. */
Test(fetch_asking, a_success_that_sent_too_little_counts_for_nothing)
{
    ask_next();
    answer(DICOMNET_STATUS_SUCCESS, 1, 0);
    cr_expect_eq(inventory.counts.missing, 2);
}

Test(fetch_asking, of_what_was_cancelled_what_was_sent_counts)
{
    ask_next();
    answer(DICOMNET_STATUS_CANCEL, 1, 0);
    cr_expect_eq(inventory.counts.missing, 1);
    cr_expect(strstr(asking.failure_text, "FE00") != NULL, "%s", asking.failure_text);
    asking_begin_round(&asking, 0);
    cr_expect_eq(inventory.counts.missing, 2, "it is asked for again");
}

Test(fetch_asking, a_destination_that_the_peer_does_not_know_ends_it)
{
    ask_next();
    answer(DICOMNET_STATUS_DESTINATION_UNKNOWN, 0, 0);
    cr_expect(run_is_over(&run));
    cr_expect_eq(run.verdict, RETRIEVAL_STOPPED);
    cr_expect(strstr(run.stop_text, "A801") != NULL, "%s", run.stop_text);
}

/* Rounds that were answered and brought nothing: one instance may hold up the others. */
Test(fetch_asking, less_at_a_time_after_rounds_without_fruit)
{
    asking_begin_round(&asking, 3);
    for (int i = 0; i < 2; i++) {
        ask_next();
        cr_expect_eq(instances_named(), 1);
        answer(DICOMNET_STATUS_SUB_OPERATIONS_WARNING, 0, 1);
    }
    cr_expect_eq(asking_next(&asking, &query), 0);
}
