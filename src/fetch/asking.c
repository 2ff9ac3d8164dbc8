/*
 * asking - see asking.h.
 *
 * What comes to this process counts when it is kept. What goes to a third party counts as the peer says: its list of
 * failed instances, or a success without failures. Where it says less than that, nothing counts; but of a request that
 * was cancelled or broke off, what it said it had sent does.
 */
#include "fetch/asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fetch/words.h"

void asking_init(struct asking *asking, struct run *run, struct inventory *inventory)
{
    *asking = (struct asking){.run = run, .inventory = inventory};
    dicomnet_identifier_init(&asking->keys);
}

void asking_fini(struct asking *asking)
{
    dicomnet_identifier_fini(&asking->keys);
}

/* ---- the next request ---- */

void asking_begin_round(struct asking *asking, unsigned fruitless)
{
    /* An instance that the peer cannot send may keep what is asked for with it from coming: less at a time then. */
    unsigned shift = 3 * fruitless;
    size_t batch_max = shift < 8 ? ASKING_BATCH_MAX >> shift : 0;
    asking->round++;
    asking->batch_max = batch_max > 0 ? batch_max : 1;
    asking->never_whole = fruitless > 0;
    asking->target = asking->inventory->first;
    asking->cursor = NULL;
    inventory_take_credits_back(asking->inventory);
}

static uint64_t count_wanted(const struct inventory_part *part, bool *ret_all)
{
    uint64_t wanted = inventory_count_wanted(part);
    *ret_all = wanted == part->known;
    return wanted + (part->out_of_reach ? 0 : part->unnamed);
}

/* Of the part and of all that is in it. *ret_all: it is all wanted, and all listed. */
static uint64_t count_wanted_within(const struct inventory_part *whole, bool *ret_all)
{
    uint64_t wanted = 0;
    *ret_all = true;
    for (const struct inventory_part *part = whole->target->first; part != NULL; part = part->next) {
        bool all;
        if (!inventory_is_within(part, whole))
            continue;
        wanted += count_wanted(part, &all);
        *ret_all = *ret_all && all && part->unnamed == 0;
    }
    return wanted;
}

/* Gather wanted instances of the series, from where the last batch ended. False if there are none left. */
static bool gather_batch(struct asking *asking)
{
    asking->batch_count = 0;
    for (; asking->instance != NULL && asking->batch_count < asking->batch_max;
         asking->instance = asking->instance->next)
        if (asking->instance->state == INSTANCE_WANTED)
            asking->batch[asking->batch_count++] = asking->instance;
    return asking->batch_count > 0;
}

/* The next request is for the whole part, or for the batch, which is of it. Returns true: there is one. */
static bool ask_for(struct asking *asking, struct inventory_part *part, bool whole)
{
    bool all;
    asking->place = part->place;
    asking->level = whole ? part->level : DICOMNET_QUERY_LEVEL_IMAGE;
    asking->part = whole ? part : NULL;
    asking->wanted = whole ? count_wanted_within(part, &all) : asking->batch_count;
    if (whole)
        part->asked_round = asking->round;
    return true;
}

/* True if it can be asked for only as a whole: what it lacks has no name, or is in no series that is known. */
static bool needs_whole(const struct inventory_part *part)
{
    bool all;
    if (part->out_of_reach)
        return false;
    return part->unnamed > 0 || (part->level != DICOMNET_QUERY_LEVEL_SERIES && count_wanted(part, &all) > 0);
}

/* True if the part, or one that it is within, was asked for as a whole in this round. */
static bool is_covered(const struct inventory_part *part, unsigned round)
{
    for (; part != NULL; part = part->within)
        if (part->asked_round == round)
            return true;
    return false;
}

/* The next request of the target's part under the cursor. False if there is none. */
static bool find_in_part(struct asking *asking)
{
    struct inventory_part *part = asking->cursor;
    bool covered = is_covered(part, asking->round);
    bool all;
    if (needs_whole(part) && !covered)
        return ask_for(asking, part, true);
    if (part->level == DICOMNET_QUERY_LEVEL_SERIES && asking->target->level != DICOMNET_QUERY_LEVEL_IMAGE && !covered &&
        !asking->never_whole && count_wanted(part, &all) > 0 && all)
        return ask_for(asking, part, true);
    if (part->level != DICOMNET_QUERY_LEVEL_SERIES || (covered && !asking->never_whole) || !gather_batch(asking))
        return false;
    return ask_for(asking, part, false);
}

/* Find what is to be asked for next. False at the end of the round. */
static bool find_next(struct asking *asking)
{
    for (; asking->target != NULL; asking->target = asking->target->next, asking->cursor = NULL) {
        struct inventory_part *first = asking->target->first;
        if (asking->cursor == NULL) {
            bool all;
            uint64_t wanted = first != NULL ? count_wanted_within(first, &all) : 0;
            if (wanted == 0)
                continue;
            asking->cursor = first;
            asking->instance = first->first;
            if (all && asking->target->level != DICOMNET_QUERY_LEVEL_IMAGE && !asking->never_whole &&
                !first->out_of_reach)
                return ask_for(asking, first, true);
        }
        while (asking->cursor != NULL) {
            if (find_in_part(asking))
                return true;
            asking->cursor = asking->cursor->next;
            asking->instance = asking->cursor != NULL ? asking->cursor->first : NULL;
        }
    }
    return false;
}

/* The UIDs of the batch, separated by backslashes. NULL if out of memory. */
static char *join_batch(const struct asking *asking)
{
    char *text = malloc(asking->batch_count * (DICOMNET_UID_SIZE + 1) + 1);
    size_t len = 0;
    for (size_t i = 0; text != NULL && i < asking->batch_count; i++) {
        size_t uid_len = strlen(asking->batch[i]->uid);
        if (i > 0)
            text[len++] = '\\';
        memcpy(text + len, asking->batch[i]->uid, uid_len + 1);
        len += uid_len;
    }
    return text;
}

/* Unique keys only (PS3.4 C.4.2.2.1). */
static int fill_in_keys(struct asking *asking)
{
    struct dicomnet_identifier *keys = &asking->keys;
    dicomnet_identifier_clear(keys);
    int error =
        dicomnet_identifier_set_text(keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, dicomnet_query_level_name(asking->level));
    if (error == 0 && asking->run->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_PATIENT_ID, asking->place.patient_id);
    if (error == 0 && asking->level >= DICOMNET_QUERY_LEVEL_STUDY)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_STUDY_INSTANCE_UID, asking->place.study_uid);
    if (error == 0 && asking->level >= DICOMNET_QUERY_LEVEL_SERIES)
        error = dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_SERIES_INSTANCE_UID, asking->place.series_uid);
    if (error == 0 && asking->level == DICOMNET_QUERY_LEVEL_IMAGE) {
        char *uids = join_batch(asking);
        error =
            uids != NULL ? dicomnet_identifier_set_text_as_it_is(keys, DICOMNET_TAG_SOP_INSTANCE_UID, uids) : -ENOMEM;
        free(uids);
    }
    return error;
}

int asking_next(struct asking *asking, struct dicomnet_query **ret_query)
{
    const struct retrieval_options *options = asking->run->options;
    if (!find_next(asking))
        return 0;
    int error = fill_in_keys(asking);
    if (error != 0)
        return error;
    bool elsewhere = options->move_destination[0] != '\0';
    asking->query =
        (struct dicomnet_query){.service = options->get ? DICOMNET_QUERY_GET : DICOMNET_QUERY_MOVE,
                                .model = options->model,
                                .priority = options->priority,
                                .identifier = &asking->keys,
                                .move_destination = elsewhere ? options->move_destination : options->receive_ae};
    asking->begun_us = clock_wall_us();
    asking->asked_us = clock_monotonic_us();
    asking->done_max = asking->strays = 0;
    run_moved(asking->run);
    run_set_study(asking->run, asking->place.study_uid);
    LOG(&asking->run->logger, DICOMNET_LOG_INFO, EVENT_QUERY_STARTED,
        LOG_TEXT("service", options->get ? "C-GET" : "C-MOVE"),
        LOG_TEXT("level", dicomnet_query_level_name(asking->level)), LOG_NUMBER("instances", asking->wanted));
    *ret_query = &asking->query;
    return 1;
}

/* ---- what the peer says ---- */

void asking_progress(struct asking *asking)
{
    const struct dicomnet_query_counts *counts = &asking->query.counts;
    uint64_t done = (uint64_t)counts->completed + counts->failed + counts->warning;
    if (done <= asking->done_max)
        return;
    asking->done_max = done;
    run_moved(asking->run);
}

static void mark_sent(struct asking *asking, struct inventory_instance *instance)
{
    if (instance->state == INSTANCE_WANTED)
        inventory_set_state(asking->inventory, instance, INSTANCE_STORED);
}

/* All that the request was for has been sent. */
static void mark_all_sent(struct asking *asking)
{
    for (size_t i = 0; asking->part == NULL && i < asking->batch_count; i++)
        mark_sent(asking, asking->batch[i]);
    if (asking->part == NULL)
        return;
    for (struct inventory_part *part = asking->part->target->first; part != NULL; part = part->next)
        if (inventory_is_within(part, asking->part))
            for (struct inventory_instance *instance = part->first; instance != NULL; instance = instance->next)
                mark_sent(asking, instance);
}

/* What the peer names as failed is missing, also if it had not listed it. */
static void mark_failed(struct asking *asking, const struct dicomnet_element *uids)
{
    struct inventory_part *part = asking->part;
    struct dicomnet_span value;
    for (size_t i = 0; dicomnet_element_get_value(uids, i, &value); i++) {
        char uid[DICOMNET_UID_SIZE];
        dicomnet_span_copy_trimmed(value, uid, sizeof uid);
        struct inventory_instance *instance = inventory_find_instance(asking->inventory, uid);
        if (instance == NULL && part != NULL && part->open && uid[0] != '\0')
            instance = inventory_add_instance(asking->inventory, part, uid, "", INSTANCE_WANTED);
        if (instance == NULL || instance->state == INSTANCE_PRESENT)
            continue;
        if (!run_comes_here(asking->run) && instance->state == INSTANCE_STORED)
            inventory_set_state(asking->inventory, instance, INSTANCE_WANTED);
        if (instance->state == INSTANCE_WANTED && instance->refused_status == 0)
            inventory_note(instance, 0, "the peer could not send it");
    }
}

/* How much there was to send, as the peer counts. */
static uint64_t count_all(const struct dicomnet_query *query)
{
    const struct dicomnet_query_counts *counts = &query->counts;
    return query->has_counts ? (uint64_t)counts->completed + counts->failed + counts->warning + counts->remaining : 0;
}

bool asking_is_short(const struct asking *asking)
{
    const struct dicomnet_query_counts *counts = &asking->query.counts;
    return asking->round > 0 && !run_is_over(asking->run) && run_comes_here(asking->run) &&
           !asking->run->options->get && asking->part != NULL && asking->part->unnamed > 0 &&
           asking->query.has_counts && counts->completed + counts->warning > 0;
}

static bool went_well(const struct dicomnet_query *query)
{
    return query->answered &&
           (query->status == DICOMNET_STATUS_SUCCESS || query->status == DICOMNET_STATUS_SUB_OPERATIONS_WARNING);
}

/* A third party was sent to, and something went wrong: count what the peer says it sent, though not which. */
static void credit(struct asking *asking)
{
    uint64_t sent = (uint64_t)asking->query.counts.completed + asking->query.counts.warning;
    struct inventory_part *part = asking->part != NULL ? asking->part : asking->batch[0]->part;
    if (asking->query.has_counts && !went_well(&asking->query))
        inventory_credit(asking->inventory, part, sent < asking->wanted ? sent : asking->wanted);
}

/* A third party was sent to: `uids` is the list of what failed there. True if everything is accounted for. */
static bool judge_by_answer(struct asking *asking, const struct dicomnet_element *uids)
{
    const struct dicomnet_query *query = &asking->query;
    uint64_t failures = query->has_counts ? query->counts.failed : 0;
    uint64_t sent = (uint64_t)query->counts.completed + query->counts.warning;
    bool vague =
        query->status != DICOMNET_STATUS_SUCCESS && !query->has_counts && dicomnet_element_value_count(uids) == 0;
    if (!went_well(query) || vague || (failures > 0 && dicomnet_element_value_count(uids) < failures))
        return false;
    /* A success that sent less than was listed leaves open what was not. The counts end at 65,535. */
    uint64_t listed = asking->wanted - (asking->part != NULL ? asking->part->unnamed : 0);
    if (query->has_counts && sent < UINT16_MAX && sent + failures < listed)
        return false;
    mark_all_sent(asking);
    return true;
}

/*
 * Of a part of which not everything is listed, sent to a third party: how many instances beyond the listed ones the
 * peer says it has sent; if it gives no counts, the number that it announced.
 */
static void count_sent_unnamed(struct asking *asking, struct inventory_part *part, const struct dicomnet_query *query)
{
    uint64_t sent = (uint64_t)query->counts.completed + query->counts.warning, seen = part->below + part->known;
    if (!query->has_counts)
        sent = part->has_said && part->said > 0 ? part->said : seen + 1;
    inventory_set_sent(asking->inventory, part, sent > seen ? sent - seen : 0);
}

/* The request was for a whole part: compare with what is known of it. */
static void judge_part(struct asking *asking, struct inventory_part *part, bool accounted)
{
    const struct dicomnet_query *query = &asking->query;
    uint64_t all = count_all(query), seen = part->below + part->known;
    bool succeeded = went_well(query) && query->counts.failed == 0;
    if (!part->open && went_well(query) && all > asking->wanted + asking->strays &&
        (run_comes_here(asking->run) || !succeeded)) {
        part->open = true; /* it holds more than it lists */
        part->reported = seen;
    }
    if (!part->open)
        return;
    /* A match of the image level that names nothing was nothing, if the peer says that it has sent all. */
    if (part->level == DICOMNET_QUERY_LEVEL_SERIES && succeeded && all > 0)
        part->reported = seen;
    if (all > part->reported)
        part->reported = all;
    if (all > 0)
        part->cut = false;
    part->answered |= succeeded;
    if (accounted && !run_comes_here(asking->run))
        count_sent_unnamed(asking, part, query);
    inventory_settle(asking->inventory, part);
}

static void judge(struct asking *asking, const struct dicomnet_identifier *failed)
{
    struct dicomnet_element uids = {0};
    if (failed != NULL && !dicomnet_identifier_find(failed, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, &uids))
        uids = (struct dicomnet_element){0};
    bool accounted = run_comes_here(asking->run) || judge_by_answer(asking, &uids);
    if (accounted)
        mark_failed(asking, &uids);
    else
        credit(asking);
    if (asking->part != NULL)
        judge_part(asking, asking->part, accounted);
}

/* True if asking again would bring the same answer. */
static bool is_fatal(const struct dicomnet_query *query)
{
    return query->answered &&
           (query->status == DICOMNET_STATUS_DESTINATION_UNKNOWN ||
            query->status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED || query->status == DICOMNET_STATUS_NOT_AUTHORISED);
}

/* The text says what to do if we are the destination that the peer does not know. */
static void give_up(struct asking *asking)
{
    char text[RETRIEVAL_TEXT_SIZE];
    bool of_ours = asking->query.status == DICOMNET_STATUS_DESTINATION_UNKNOWN && run_comes_here(asking->run);
    snprintf(text, sizeof text, "%s%s", asking->failure_text,
             of_ours ? "; tell the peer this AE title with our address and --receive-port, or use --get" : "");
    run_give_up(asking->run, text);
}

void asking_ended(struct asking *asking, const struct dicomnet_identifier *failed)
{
    const struct retrieval_request request = {
        .level = asking->level,
        .study_uid = asking->place.study_uid,
        .series_uid = asking->level >= DICOMNET_QUERY_LEVEL_SERIES ? asking->place.series_uid : "",
        .instances = asking->wanted,
        .round = asking->round,
        .begun_us = asking->begun_us,
        .duration_us = clock_monotonic_us() - asking->asked_us,
        .query = &asking->query};
    judge(asking, failed);
    words_log_query_ended(asking->run, &asking->query);
    if (asking->run->observer->request_ended != NULL)
        asking->run->observer->request_ended(asking->run->observer->user, &request);
    if (!asking->query.answered || asking->query.status != DICOMNET_STATUS_SUCCESS)
        words_describe_query(&asking->query, asking->failure_text, sizeof asking->failure_text);
    if (is_fatal(&asking->query))
        give_up(asking);
}
