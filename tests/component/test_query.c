/*
 * C-FIND, C-MOVE and C-GET: our user side against our provider side, on one loop.
 *
 * The provider answers `wanted` numbered matches, counts or instances; what the user makes of them is looked at.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "provider.h"

enum { PROPOSALS_MAX = 8 };

struct both {
    struct fixture fixture;

    /* the provider: what it is to do, and what it saw */
    struct provider provider;
    uint16_t begin_status, final_status;
    unsigned wanted, given; /* responses */
    bool stop_when_cancelled;
    bool answer_later; /* from a timer, not from `ready` */
    uv_timer_t later;
    uv_prepare_t turn; /* of the loop */
    unsigned given_before, most_in_a_turn;
    unsigned begun, asked, cancelled, ended, provider_closed;
    unsigned in_the_way; /* calls that were refused with DICOMNET_ERROR_BUSY, as they should be */
    struct dicomnet_query_request *request;
    struct dicomnet_identifier match;
    char asked_name[65], destination[DICOMNET_AE_SIZE];
    struct dicomnet_store store;
    struct numbers_source numbers;
    bool no_keys, empty_matches;
    bool no_roles;       /* the user proposes none */
    unsigned unreadable; /* so many instances, the first, cannot be read */
    unsigned stored, store_failed;
    struct dicomnet_query_finish finish;
    struct dicomnet_query_counts final_counts;

    /* the user */
    struct dicomnet_query_user *user;
    struct dicomnet_query query;
    struct dicomnet_identifier keys;
    unsigned queries; /* how many are to be made, one after another */
    unsigned matches, cancel_at, progress, query_ended;
    char last_uid[DICOMNET_UID_SIZE];
    char failed_list[200];
    unsigned user_closed;
    int begin_error;
    struct dicomnet_association_end end;
    uint64_t instances, instance_bytes;
    uint16_t sink_status;
};

/* ---- the provider ---- */

static uint16_t on_begin(void *context, struct dicomnet_query_request *request, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct both *both = context;
    both->begun++;
    cr_assert_eq(dicomnet_association_context(request->association, 0)->roles, DICOMNET_ASSOCIATION_ROLE_PROVIDER);
    both->given = 0;
    both->request = request;
    dicomnet_identifier_get_text(request->identifier, DICOMNET_TAG_PATIENT_NAME, both->asked_name,
                                 sizeof both->asked_name);
    strcpy(both->destination, request->move_destination);
    if (both->begin_status != DICOMNET_STATUS_PENDING)
        strcpy(ret_comment, "not today");
    return both->begin_status;
}

static void finish(struct both *both, uint16_t status)
{
    dicomnet_query_request_finish(both->request, status, &both->finish);
}

static void give(struct both *both)
{
    struct dicomnet_query_request *request = both->request;
    char uid[DICOMNET_UID_SIZE];
    if (request->cancelled && both->stop_when_cancelled) {
        finish(both, DICOMNET_STATUS_CANCEL);
        return;
    }
    if (both->given == both->wanted) {
        finish(both, both->final_status);
        return;
    }
    both->given++;
    if (request->service == DICOMNET_QUERY_FIND) {
        snprintf(uid, sizeof uid, "1.2.%u", both->given);
        if (!both->empty_matches)
            cr_assert_eq(dicomnet_identifier_set_text(&both->match, DICOMNET_TAG_STUDY_INSTANCE_UID, uid), 0);
        cr_assert_eq(dicomnet_query_request_match(request, &both->match, DICOMNET_STATUS_PENDING), 0);
        if (!both->answer_later) /* ... in which case it has left already */
            both->in_the_way +=
                dicomnet_query_request_match(request, &both->match, DICOMNET_STATUS_PENDING) == DICOMNET_ERROR_BUSY;
    } else if (request->service == DICOMNET_QUERY_MOVE) {
        struct dicomnet_query_counts counts = {.remaining = (uint16_t)(both->wanted - both->given),
                                               .completed = (uint16_t)both->given};
        dicomnet_query_request_progress(request, &counts);
    } else {
        const struct dicomnet_association_context *context =
            dicomnet_query_request_find_context(request, FIXTURE_CLASS, FIXTURE_SYNTAX);
        cr_assert_eq(context == NULL, both->no_roles);
        if (both->no_roles) {
            cr_assert_eq(dicomnet_query_request_store(request, &(struct dicomnet_store){.context_id = 3}),
                         DICOMNET_ERROR_NO_CONTEXT);
            finish(both, DICOMNET_STATUS_UNABLE_TO_PERFORM);
            return;
        }
        both->store = (struct dicomnet_store){.context_id = context->id,
                                              .class_uid = FIXTURE_CLASS,
                                              .instance_uid = "1.2.3.4",
                                              .source = numbers_source_init(&both->numbers, 100000)};
        if (both->given <= both->unreadable)
            both->numbers.ends_at = 0;
        cr_assert_eq(dicomnet_query_request_store(request, &both->store), 0);
        both->in_the_way += dicomnet_query_request_store(request, &both->store) == DICOMNET_ERROR_BUSY;
        dicomnet_query_request_progress(request, &both->final_counts); /* no reason to ask for the next already */
    }
}

static void on_later(uv_timer_t *timer)
{
    give(timer->data);
}

static void on_turn(uv_prepare_t *turn)
{
    struct both *both = turn->data;
    unsigned given = both->given - both->given_before;
    if (given > both->most_in_a_turn && both->given > both->given_before)
        both->most_in_a_turn = given;
    both->given_before = both->given;
}

static void on_ready(void *context, struct dicomnet_query_request *request)
{
    struct both *both = context;
    both->asked++;
    if (both->answer_later)
        uv_timer_start(&both->later, on_later, 1, 0);
    else
        give(both);
}

static void on_cancelled(void *context, struct dicomnet_query_request *request)
{
    ((struct both *)context)->cancelled++;
}

static void on_stored(void *context, struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    struct both *both = context;
    both->stored++;
    both->store_failed += !store->answered || store->status != DICOMNET_STATUS_SUCCESS;
    struct dicomnet_query_counts counts = {.remaining = (uint16_t)(both->wanted - both->given),
                                           .completed = (uint16_t)(both->stored - both->store_failed),
                                           .failed = (uint16_t)both->store_failed};
    both->final_counts = counts;
    dicomnet_query_request_progress(request, &counts);
}

static void on_request_ended(void *context, struct dicomnet_query_request *request)
{
    struct both *both = context;
    both->ended++;
    both->request = NULL;
    uv_timer_stop(&both->later);
}

static void on_provider_closed(void *context, const struct dicomnet_association_end *end)
{
    struct both *both = context;
    both->provider_closed++;
    dicomnet_acceptor_close(both->provider.acceptor);
    uv_close((uv_handle_t *)&both->later, NULL);
    uv_close((uv_handle_t *)&both->turn, NULL);
}

static const struct dicomnet_query_provider_handler provider_handler = {.begin = on_begin,
                                                                        .ready = on_ready,
                                                                        .cancelled = on_cancelled,
                                                                        .stored = on_stored,
                                                                        .ended = on_request_ended,
                                                                        .closed = on_provider_closed};

/* ---- the user ---- */

static void begin_query(struct both *both)
{
    both->queries--;
    both->begin_error = dicomnet_query_user_begin(both->user, &both->query);
    if (both->begin_error != 0)
        dicomnet_query_user_release(both->user);
    else
        cr_assert_eq(dicomnet_query_user_begin(both->user, &both->query), DICOMNET_ERROR_BUSY);
}

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    struct both *both = context;
    const struct dicomnet_association *association = dicomnet_query_user_association(user);
    cr_assert_eq(dicomnet_association_context(association, 0)->roles, DICOMNET_ASSOCIATION_ROLE_USER);
    cr_assert_eq(dicomnet_association_context(association, 1)->roles,
                 both->no_roles ? DICOMNET_ASSOCIATION_ROLE_USER : DICOMNET_ASSOCIATION_ROLE_PROVIDER);
    begin_query(context);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    struct both *both = context;
    both->matches++;
    dicomnet_identifier_get_text(match, DICOMNET_TAG_STUDY_INSTANCE_UID, both->last_uid, sizeof both->last_uid);
    if (both->matches == both->cancel_at)
        dicomnet_query_user_cancel(user);
}

static void on_progress(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query)
{
    struct both *both = context;
    both->progress++;
    cr_assert(query->has_counts);
    if (both->progress == both->cancel_at)
        dicomnet_query_user_cancel(user);
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    struct both *both = context;
    both->query_ended++;
    if (failed != NULL)
        dicomnet_identifier_get_text(failed, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, both->failed_list,
                                     sizeof both->failed_list);
    if (both->queries > 0)
        begin_query(both);
    else
        dicomnet_query_user_release(user);
}

static void on_user_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct both *both = context;
    both->user_closed++;
    both->end = *end;
}

static const struct dicomnet_query_user_handler user_handler = {
    .opened = on_opened, .match = on_match, .progress = on_progress, .ended = on_ended, .closed = on_user_closed};

static uint16_t sink_begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                           const struct dicomnet_dimse_command *request)
{
    struct both *both = context;
    cr_assert_str_eq(request->instance_uid, "1.2.3.4");
    both->instances++;
    return DICOMNET_STATUS_SUCCESS;
}

static void sink_bytes(void *context, struct dicomnet_span bytes)
{
    ((struct both *)context)->instance_bytes += bytes.len;
}

static uint16_t sink_end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    return ((struct both *)context)->sink_status;
}

static void sink_cancel(void *context) {}

static const struct dicomnet_storage_sink sink = {
    .begin = sink_begin, .bytes = sink_bytes, .end = sink_end, .cancel = sink_cancel};

/* ---- both ---- */

static void begin(struct both *both, enum dicomnet_query_service service)
{
    if (both->begin_status == 0)
        both->begin_status = DICOMNET_STATUS_PENDING;
    if (both->queries == 0)
        both->queries = 1;
    both->query = (struct dicomnet_query){
        .service = service, .model = DICOMNET_QUERY_STUDY_ROOT, .identifier = &both->keys, .state = both};
    if (service == DICOMNET_QUERY_MOVE)
        both->query.move_destination = "ELSEWHERE";
    both->finish.counts = service == DICOMNET_QUERY_FIND ? NULL : &both->final_counts;
    dicomnet_identifier_init(&both->keys);
    dicomnet_identifier_init(&both->match);
    if (!both->no_keys) {
        cr_assert_eq(dicomnet_identifier_set_text(&both->keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "STUDY"), 0);
        cr_assert_eq(dicomnet_identifier_set_text(&both->keys, DICOMNET_TAG_PATIENT_NAME, "DOE^*"), 0);
        cr_assert_eq(dicomnet_identifier_set_text(&both->keys, DICOMNET_TAG_STUDY_INSTANCE_UID, ""), 0);
    }
    fixture_begin(&both->fixture);
}

/* One association from the first query to its release. `both` has what is asked of either side, and else nothing. */
static void run(struct both *both, enum dicomnet_query_service service)
{
    const struct dicomnet_query_provider_options provided = {
        .handler = &provider_handler, .context = both, .dimse_ms = 5000};
    begin(both, service);
    provider_open(&both->provider, &both->fixture.loop, &provided, &dicomnet_association_default_timeouts);
    uv_timer_init(&both->fixture.loop, &both->later);
    uv_prepare_init(&both->fixture.loop, &both->turn);
    both->later.data = both->turn.data = both;
    uv_prepare_start(&both->turn, on_turn);
    uv_unref((uv_handle_t *)&both->turn);
    const struct dicomnet_association_proposal proposals[] = {
        {.abstract_syntax = dicomnet_query_class_uid(both->query.model, both->query.service),
         .syntax_count = 2,
         .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}},
        {.abstract_syntax = FIXTURE_CLASS,
         .syntax_count = 1,
         .syntaxes = {FIXTURE_SYNTAX},
         .roles = both->no_roles ? 0 : DICOMNET_ASSOCIATION_ROLE_PROVIDER}};
    struct dicomnet_association_options options = fixture_options(dicomnet_acceptor_port(both->provider.acceptor));
    options.proposals = proposals;
    options.proposal_count = 2;
    const struct dicomnet_query_user_options user_options = {.size = sizeof(struct dicomnet_query_user_options),
                                                             .handler = &user_handler,
                                                             .context = both,
                                                             .sink = &sink,
                                                             .sink_context = both};
    cr_assert_eq(dicomnet_query_user_open(&both->user, &both->fixture.loop, &options, &user_options), 0);
    fixture_run(&both->fixture);
    fixture_end(&both->fixture);
    cr_assert_eq(both->user_closed, 1);
    cr_assert_eq(both->provider_closed, 1);
    cr_assert_eq(both->end.kind, DICOMNET_ASSOCIATION_RELEASED, "%s", dicomnet_error_text(both->end.error));
    dicomnet_identifier_fini(&both->keys);
    dicomnet_identifier_fini(&both->match);
}

/* ---- C-FIND ---- */

Test(query, find_streams_every_match_in_order)
{
    for (int later = 0; later < 2; later++) {
        struct both both = {.wanted = later ? 20 : 1000, .answer_later = later};
        run(&both, DICOMNET_QUERY_FIND);
        char last[65];
        snprintf(last, sizeof last, "1.2.%u", both.wanted);
        cr_assert_eq(both.matches, both.wanted);
        cr_assert_eq(both.query.match_count, both.wanted);
        cr_assert_eq(both.in_the_way, later ? 0 : both.wanted, "a second answer before the first has left was taken");
        cr_assert_str_eq(both.last_uid, last);
        cr_assert_str_eq(both.asked_name, "DOE^*");
        cr_assert(both.query.answered && both.query.error == 0);
        cr_assert_eq(both.query.status, DICOMNET_STATUS_SUCCESS);
        cr_assert_eq(both.begun, 1);
        cr_assert_eq(both.ended, 1);
        cr_assert_eq(both.query_ended, 1);
        cr_assert_leq(both.most_in_a_turn, 200, "the loop has others to serve");
    }
}

/* No key and no attribute: an empty data set on both ways. */
Test(query, empty_identifiers)
{
    struct both both = {.no_keys = true, .empty_matches = true, .wanted = 2};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert_eq(both.matches, 2);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUCCESS);
}

Test(query, find_without_a_match)
{
    struct both both = {0};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert_eq(both.matches, 0);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUCCESS);
}

Test(query, queries_follow_each_other_on_one_association)
{
    struct both both = {.wanted = 3, .queries = 50};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert_eq(both.begun, 50);
    cr_assert_eq(both.ended, 50);
    cr_assert_eq(both.query_ended, 50);
    cr_assert_eq(both.matches, 150);
    cr_assert_eq(both.query.message_id, 50);
    cr_assert_eq(both.query.match_count, 3);
}

Test(query, find_is_cancelled)
{
    struct both both = {.wanted = 1000 * 1000, .stop_when_cancelled = true, .cancel_at = 100};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert_eq(both.matches, 100, "no match comes after the cancel");
    cr_assert_lt(both.given, both.wanted);
    cr_assert_eq(both.cancelled, 1);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_CANCEL);
    cr_assert_eq(both.ended, 1);
}

Test(query, a_provider_may_be_done_before_the_cancel)
{
    struct both both = {.wanted = 3, .cancel_at = 3};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUCCESS);
    cr_assert_eq(both.query_ended, 1);
}

Test(query, a_failure_comes_with_what_the_peer_says)
{
    struct both both = {.begin_status = DICOMNET_STATUS_DATA_SET_MISMATCH};
    run(&both, DICOMNET_QUERY_FIND);
    cr_assert(both.query.answered);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_DATA_SET_MISMATCH);
    cr_assert_str_eq(both.query.comment, "not today");
    cr_assert_eq(both.asked, 0);
    cr_assert_eq(both.ended, 0, "what was never served does not end");
}

/* ---- C-MOVE ---- */

Test(query, move_tells_how_far_it_is)
{
    struct dicomnet_identifier failed;
    dicomnet_identifier_init(&failed);
    cr_assert_eq(dicomnet_identifier_set_text(&failed, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, "1.2.3\\1.2.4"), 0);
    struct both both = {.wanted = 10,
                        .final_status = DICOMNET_STATUS_SUB_OPERATIONS_WARNING,
                        .final_counts = {.remaining = 9, .completed = 7, .failed = 2, .warning = 1},
                        .finish = {.failed = &failed, .comment = "two are gone"}};
    run(&both, DICOMNET_QUERY_MOVE);
    dicomnet_identifier_fini(&failed);
    cr_assert_str_eq(both.destination, "ELSEWHERE");
    cr_assert_eq(both.progress, 10);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUB_OPERATIONS_WARNING);
    cr_assert_str_eq(both.query.comment, "two are gone");
    cr_assert_str_eq(both.failed_list, "1.2.3\\1.2.4");
    cr_assert_eq(both.query.counts.completed, 7);
    cr_assert_eq(both.query.counts.failed, 2);
    cr_assert_eq(both.query.counts.warning, 1);
    cr_assert_eq(both.query.counts.remaining, 0, "not in a final response, but for a cancelled one");
}

Test(query, move_is_cancelled)
{
    struct both both = {
        .wanted = 60000, .stop_when_cancelled = true, .cancel_at = 5, .final_counts = {.remaining = 9, .completed = 7}};
    run(&both, DICOMNET_QUERY_MOVE);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_CANCEL);
    cr_assert_eq(both.query.counts.remaining, 9);
    cr_assert_lt(both.given, both.wanted);
}

/* ---- C-GET ---- */

Test(query, get_stores_on_the_same_association)
{
    struct both both = {.wanted = 25};
    run(&both, DICOMNET_QUERY_GET);
    cr_assert_eq(both.instances, 25);
    cr_assert_eq(both.instance_bytes, 25 * 100000);
    cr_assert_eq(both.stored, 25);
    cr_assert_eq(both.store_failed, 0);
    cr_assert_eq(both.in_the_way, 25);
    cr_assert_geq(both.progress, 20);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUCCESS);
    cr_assert_eq(both.query.counts.completed, 25);
}

/* They have failed before anything of them went out: the others go on. */
Test(query, get_goes_on_after_instances_that_cannot_be_read)
{
    struct both both = {.wanted = 5, .unreadable = 2, .final_status = DICOMNET_STATUS_SUB_OPERATIONS_WARNING};
    run(&both, DICOMNET_QUERY_GET);
    cr_assert_eq(both.instances, 3);
    cr_assert_eq(both.stored, 5);
    cr_assert_eq(both.store_failed, 2);
    cr_assert_eq(both.query.counts.failed, 2);
    cr_assert_eq(both.query.counts.completed, 3);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_SUB_OPERATIONS_WARNING);
}

Test(query, get_is_told_what_the_sink_refuses)
{
    struct both both = {.wanted = 3,
                        .sink_status = DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES,
                        .final_status = DICOMNET_STATUS_UNABLE_TO_PERFORM};
    run(&both, DICOMNET_QUERY_GET);
    cr_assert_eq(both.stored, 3);
    cr_assert_eq(both.store_failed, 3);
    cr_assert_eq(both.query.counts.failed, 3);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_UNABLE_TO_PERFORM);
}

Test(query, get_is_cancelled)
{
    struct both both = {.wanted = 1000, .stop_when_cancelled = true, .cancel_at = 2};
    run(&both, DICOMNET_QUERY_GET);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_CANCEL);
    cr_assert_lt(both.instances, 1000);
    cr_assert_gt(both.query.counts.remaining, 0);
}

Test(query, get_needs_the_role_of_a_storage_provider)
{
    struct both both = {.wanted = 3, .no_roles = true};
    run(&both, DICOMNET_QUERY_GET);
    cr_assert_eq(both.instances, 0);
    cr_assert_eq(both.query.status, DICOMNET_STATUS_UNABLE_TO_PERFORM);
}
