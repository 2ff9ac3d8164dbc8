/*
 * retrieval_ask - having sent what is wanted: one C-MOVE or C-GET after the other, and what became of each.
 *
 * What comes to this process counts when it is kept. What goes to a third party counts as the peer says: its list of
 * failed instances, or a success without failures. Where it says less than that, nothing counts; but of a request that
 * was cancelled or broke off, what it said it had sent does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fetch/retrieval_private.h"

/* ---- the next request ---- */

void retrieval_ask_rewind(struct retrieval *retrieval)
{
    /* An instance that the peer cannot send may keep what is asked for with it from coming: less at a time then. */
    unsigned shift = 3 * retrieval->fruitless;
    size_t batch_max = shift < 8 ? RETRIEVAL_BATCH_MAX >> shift : 0;
    retrieval->ask.batch_max = batch_max > 0 ? batch_max : 1;
    retrieval->ask.never_whole = retrieval->fruitless > 0;
    retrieval->ask.target = retrieval->list.first;
    retrieval->ask.cursor = NULL;
    retrieval_parts_take_credits_back(retrieval);
}

static uint64_t count_wanted(const struct retrieval_part *part, bool *ret_all)
{
    uint64_t wanted = 0;
    for (const struct retrieval_instance *instance = part->first; instance != NULL; instance = instance->next)
        wanted += instance->state == INSTANCE_WANTED;
    *ret_all = wanted == part->known;
    return wanted + (part->out_of_reach ? 0 : part->unnamed);
}

static bool is_within(const struct retrieval_part *part, const struct retrieval_part *whole)
{
    for (; part != NULL; part = part->within)
        if (part == whole)
            return true;
    return false;
}

/* Of the part and of all that is in it. *ret_all: it is all wanted, and all listed. */
static uint64_t count_wanted_within(const struct retrieval_part *whole, bool *ret_all)
{
    uint64_t wanted = 0;
    *ret_all = true;
    for (const struct retrieval_part *part = whole->target->first; part != NULL; part = part->next) {
        bool all;
        if (!is_within(part, whole))
            continue;
        wanted += count_wanted(part, &all);
        *ret_all = *ret_all && all && part->unnamed == 0;
    }
    return wanted;
}

/* Gather wanted instances of the series, from where the last batch ended. False if there are none left. */
static bool gather_batch(struct retrieval_ask *ask)
{
    ask->batch_count = 0;
    for (; ask->instance != NULL && ask->batch_count < ask->batch_max; ask->instance = ask->instance->next)
        if (ask->instance->state == INSTANCE_WANTED)
            ask->batch[ask->batch_count++] = ask->instance;
    return ask->batch_count > 0;
}

/* A request for the whole part, or for what of it is in the batch. True, for who asks what is next. */
static bool ask_for(struct retrieval_ask *ask, struct retrieval_part *part, bool whole, unsigned round)
{
    bool all;
    ask->place = part->place;
    ask->level = whole ? part->level : DICOMNET_QUERY_LEVEL_IMAGE;
    ask->part = whole ? part : NULL;
    ask->wanted = whole ? count_wanted_within(part, &all) : ask->batch_count;
    if (whole)
        part->asked_round = round;
    return true;
}

/* Only as a whole can it be asked for: what it lacks has no name, or stands in no series that is known. */
static bool needs_whole(const struct retrieval_part *part)
{
    bool all;
    if (part->out_of_reach)
        return false;
    return part->unnamed > 0 || (part->level != DICOMNET_QUERY_LEVEL_SERIES && count_wanted(part, &all) > 0);
}

/* It was asked for in this round, with what it is in. */
static bool is_covered(const struct retrieval_part *part, unsigned round)
{
    for (; part != NULL; part = part->within)
        if (part->asked_round == round)
            return true;
    return false;
}

/* The next request of the target's part under the cursor. False if there is none. */
static bool find_in_part(struct retrieval_ask *ask, unsigned round)
{
    struct retrieval_part *part = ask->cursor;
    bool covered = is_covered(part, round);
    bool all;
    if (needs_whole(part) && !covered)
        return ask_for(ask, part, true, round);
    if (part->level == DICOMNET_QUERY_LEVEL_SERIES && ask->target->level != DICOMNET_QUERY_LEVEL_IMAGE && !covered &&
        !ask->never_whole && count_wanted(part, &all) > 0 && all)
        return ask_for(ask, part, true, round);
    if (part->level != DICOMNET_QUERY_LEVEL_SERIES || (covered && !ask->never_whole) || !gather_batch(ask))
        return false;
    return ask_for(ask, part, false, round);
}

/* Find what is to be asked for next. False at the end of the round. */
static bool find_next(struct retrieval_ask *ask, unsigned round)
{
    for (; ask->target != NULL; ask->target = ask->target->next, ask->cursor = NULL) {
        struct retrieval_part *first = ask->target->first;
        if (ask->cursor == NULL) {
            bool all;
            uint64_t wanted = first != NULL ? count_wanted_within(first, &all) : 0;
            if (wanted == 0)
                continue;
            ask->cursor = first;
            ask->instance = first->first;
            if (all && ask->target->level != DICOMNET_QUERY_LEVEL_IMAGE && !ask->never_whole && !first->out_of_reach)
                return ask_for(ask, first, true, round);
        }
        while (ask->cursor != NULL) {
            if (find_in_part(ask, round))
                return true;
            ask->cursor = ask->cursor->next;
            ask->instance = ask->cursor != NULL ? ask->cursor->first : NULL;
        }
    }
    return false;
}

/* The UIDs of the batch, separated by backslashes. NULL if out of memory. */
static char *join_batch(const struct retrieval_ask *ask)
{
    char *text = malloc(ask->batch_count * (DICOMNET_UID_SIZE + 1) + 1);
    size_t len = 0;
    for (size_t i = 0; text != NULL && i < ask->batch_count; i++) {
        size_t uid_len = strlen(ask->batch[i]->uid);
        if (i > 0)
            text[len++] = '\\';
        memcpy(text + len, ask->batch[i]->uid, uid_len + 1);
        len += uid_len;
    }
    return text;
}

/* Unique keys only (PS3.4 C.4.2.2.1). */
static int fill_in_keys(struct retrieval *retrieval)
{
    struct retrieval_ask *ask = &retrieval->ask;
    struct dicomnet_identifier *keys = &ask->keys;
    dicomnet_identifier_clear(keys);
    int error =
        dicomnet_identifier_set_text(keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, dicomnet_query_level_name(ask->level));
    if (error == 0 && retrieval->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_PATIENT_ID, ask->place.patient_id);
    if (error == 0 && ask->level >= DICOMNET_QUERY_LEVEL_STUDY)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_STUDY_INSTANCE_UID, ask->place.study_uid);
    if (error == 0 && ask->level >= DICOMNET_QUERY_LEVEL_SERIES)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_SERIES_INSTANCE_UID, ask->place.series_uid);
    if (error == 0 && ask->level == DICOMNET_QUERY_LEVEL_IMAGE) {
        char *uids = join_batch(ask);
        error = uids != NULL ? dicomnet_identifier_set_text(keys, DICOMNET_TAG_SOP_INSTANCE_UID, uids) : -ENOMEM;
        free(uids);
    }
    return error;
}

int retrieval_ask_next(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    struct retrieval_ask *ask = &retrieval->ask;
    if (!find_next(ask, retrieval->result.rounds))
        return 0;
    int error = fill_in_keys(retrieval);
    if (error != 0)
        return error;
    bool elsewhere = options->move_destination[0] != '\0';
    ask->query =
        (struct dicomnet_query){.service = options->get ? DICOMNET_QUERY_GET : DICOMNET_QUERY_MOVE,
                                .model = options->model,
                                .priority = options->priority,
                                .identifier = &ask->keys,
                                .move_destination = elsewhere ? options->move_destination : options->receive_ae};
    ask->begun_us = clock_wall_us();
    ask->asked_us = clock_monotonic_us();
    ask->done_max = ask->strays = 0;
    retrieval_moved(retrieval);
    retrieval->study_uid = ask->place.study_uid[0] != '\0' ? ask->place.study_uid : NULL;
    LOG(&retrieval->logger, DICOMNET_LOG_INFO, EVENT_QUERY_STARTED,
        LOG_TEXT("service", options->get ? "C-GET" : "C-MOVE"),
        LOG_TEXT("level", dicomnet_query_level_name(ask->level)), LOG_NUMBER("instances", ask->wanted));
    error = dicomnet_query_user_begin(retrieval->user, &ask->query);
    return error == 0 ? 1 : error;
}

/* ---- what the peer says ---- */

void retrieval_ask_progress(struct retrieval *retrieval)
{
    struct retrieval_ask *ask = &retrieval->ask;
    const struct dicomnet_query_counts *counts = &ask->query.counts;
    uint64_t done = (uint64_t)counts->completed + counts->failed + counts->warning;
    if (done <= ask->done_max)
        return;
    ask->done_max = done;
    retrieval_moved(retrieval);
}

static void mark_sent(struct retrieval *retrieval, struct retrieval_instance *instance)
{
    if (instance->state == INSTANCE_WANTED)
        retrieval_instance_set_state(retrieval, instance, INSTANCE_STORED);
}

/* Everything the request was for. */
static void mark_all_sent(struct retrieval *retrieval)
{
    struct retrieval_ask *ask = &retrieval->ask;
    for (size_t i = 0; ask->part == NULL && i < ask->batch_count; i++)
        mark_sent(retrieval, ask->batch[i]);
    if (ask->part == NULL)
        return;
    for (struct retrieval_part *part = ask->part->target->first; part != NULL; part = part->next)
        if (is_within(part, ask->part))
            for (struct retrieval_instance *instance = part->first; instance != NULL; instance = instance->next)
                mark_sent(retrieval, instance);
}

/* What the peer names as failed is missing, also if it had not listed it. */
static void mark_failed(struct retrieval *retrieval, const struct dicomnet_element *uids)
{
    struct retrieval_part *part = retrieval->ask.part;
    struct dicomnet_span value;
    for (size_t i = 0; dicomnet_element_get_value(uids, i, &value); i++) {
        char uid[DICOMNET_UID_SIZE];
        dicomnet_span_copy_trimmed(value, uid, sizeof uid);
        struct retrieval_instance *instance = retrieval_instance_find(retrieval, uid);
        if (instance == NULL && part != NULL && part->open && uid[0] != '\0')
            instance = retrieval_instance_add(retrieval, part, uid, "", INSTANCE_WANTED);
        if (instance == NULL || instance->state == INSTANCE_PRESENT)
            continue;
        if (retrieval->receiver == NULL && instance->state == INSTANCE_STORED)
            retrieval_instance_set_state(retrieval, instance, INSTANCE_WANTED);
        if (instance->state == INSTANCE_WANTED && instance->refused_status == 0)
            retrieval_instance_note(instance, 0, "the peer could not send it");
    }
}

/* How much there was to send, as the peer counts. */
static uint64_t count_all(const struct dicomnet_query *query)
{
    const struct dicomnet_query_counts *counts = &query->counts;
    return query->has_counts ? (uint64_t)counts->completed + counts->failed + counts->warning + counts->remaining : 0;
}

bool retrieval_ask_is_short(const struct retrieval *retrieval)
{
    const struct retrieval_ask *ask = &retrieval->ask;
    const struct dicomnet_query_counts *counts = &ask->query.counts;
    return retrieval->phase == RETRIEVAL_ASKING && retrieval->result.verdict == RETRIEVAL_COMPLETE &&
           retrieval->receiver != NULL && !retrieval->options->get && ask->part != NULL && ask->part->unnamed > 0 &&
           ask->query.has_counts && counts->completed + counts->warning > 0;
}

static bool went_well(const struct dicomnet_query *query)
{
    return query->answered &&
           (query->status == DICOMNET_STATUS_SUCCESS || query->status == DICOMNET_STATUS_SUB_OPERATIONS_WARNING);
}

/* A third party was sent to, and something went wrong: so much has gone there, whatever it was. */
static void credit(struct retrieval *retrieval)
{
    const struct retrieval_ask *ask = &retrieval->ask;
    uint64_t sent = (uint64_t)ask->query.counts.completed + ask->query.counts.warning;
    struct retrieval_part *part = ask->part != NULL ? ask->part : ask->batch[0]->part;
    if (ask->query.has_counts && !went_well(&ask->query))
        retrieval_part_credit(retrieval, part, sent < ask->wanted ? sent : ask->wanted);
}

/* A third party was sent to: `uids` is the list of what failed there. True if everything is accounted for. */
static bool judge_by_answer(struct retrieval *retrieval, const struct dicomnet_element *uids)
{
    const struct retrieval_ask *ask = &retrieval->ask;
    const struct dicomnet_query *query = &ask->query;
    uint64_t failures = query->has_counts ? query->counts.failed : 0;
    uint64_t sent = (uint64_t)query->counts.completed + query->counts.warning;
    bool vague =
        query->status != DICOMNET_STATUS_SUCCESS && !query->has_counts && dicomnet_element_value_count(uids) == 0;
    if (!went_well(query) || vague || (failures > 0 && dicomnet_element_value_count(uids) < failures))
        return false;
    /* A success that sent less than was listed leaves open what was not. The counts end at 65,535. */
    uint64_t listed = ask->wanted - (ask->part != NULL ? ask->part->unnamed : 0);
    if (query->has_counts && sent < UINT16_MAX && sent + failures < listed)
        return false;
    mark_all_sent(retrieval);
    return true;
}

/* What a third party got of an open part beyond what is listed. Without counts, as much as there is said to be. */
static void count_sent_unnamed(struct retrieval *retrieval, struct retrieval_part *part,
                               const struct dicomnet_query *query)
{
    uint64_t sent = (uint64_t)query->counts.completed + query->counts.warning, seen = part->below + part->known;
    if (!query->has_counts)
        sent = part->has_said && part->said > 0 ? part->said : seen + 1;
    retrieval_part_set_sent(retrieval, part, sent > seen ? sent - seen : 0);
}

/* The request was for a whole part: compare with what is known of it. */
static void judge_part(struct retrieval *retrieval, struct retrieval_part *part, bool accounted)
{
    const struct dicomnet_query *query = &retrieval->ask.query;
    uint64_t all = count_all(query), seen = part->below + part->known;
    bool succeeded = went_well(query) && query->counts.failed == 0;
    if (!part->open && went_well(query) && all > retrieval->ask.wanted + retrieval->ask.strays &&
        (retrieval->receiver != NULL || !succeeded)) {
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
    if (accounted && retrieval->receiver == NULL)
        count_sent_unnamed(retrieval, part, query);
    retrieval_part_settle(retrieval, part);
}

static void judge(struct retrieval *retrieval, const struct dicomnet_identifier *failed)
{
    struct retrieval_ask *ask = &retrieval->ask;
    struct dicomnet_element uids = {0};
    if (failed != NULL && !dicomnet_identifier_find(failed, DICOMNET_TAG_FAILED_SOP_INSTANCE_UID_LIST, &uids))
        uids = (struct dicomnet_element){0};
    bool accounted = retrieval->receiver != NULL || judge_by_answer(retrieval, &uids);
    if (accounted)
        mark_failed(retrieval, &uids);
    else
        credit(retrieval);
    if (ask->part != NULL)
        judge_part(retrieval, ask->part, accounted);
}

/* What cannot get better by asking again. */
static bool is_fatal(const struct dicomnet_query *query)
{
    return query->answered &&
           (query->status == DICOMNET_STATUS_DESTINATION_UNKNOWN ||
            query->status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED || query->status == DICOMNET_STATUS_NOT_AUTHORISED);
}

/* With what to do, where we are the destination that the peer does not know. */
static void stop(struct retrieval *retrieval)
{
    char text[sizeof retrieval->result.stop_text];
    bool of_ours = retrieval->ask.query.status == DICOMNET_STATUS_DESTINATION_UNKNOWN && retrieval->receiver != NULL;
    snprintf(text, sizeof text, "%s%s", retrieval->failure_text,
             of_ours ? "; tell the peer this AE title with our address and --receive-port, or use --get" : "");
    retrieval_stop(retrieval, text);
}

void retrieval_ask_ended(struct retrieval *retrieval, const struct dicomnet_identifier *failed)
{
    struct retrieval_ask *ask = &retrieval->ask;
    const struct retrieval_request request = {
        .level = ask->level,
        .study_uid = ask->place.study_uid,
        .series_uid = ask->level >= DICOMNET_QUERY_LEVEL_SERIES ? ask->place.series_uid : "",
        .instances = ask->wanted,
        .round = retrieval->result.rounds,
        .begun_us = ask->begun_us,
        .duration_us = clock_monotonic_us() - ask->asked_us,
        .query = &ask->query};
    judge(retrieval, failed);
    retrieval_log_query_ended(retrieval, &ask->query);
    if (retrieval->observer->request_ended != NULL)
        retrieval->observer->request_ended(retrieval->observer->user, &request);
    if (!ask->query.answered || ask->query.status != DICOMNET_STATUS_SUCCESS)
        retrieval_describe_query(&ask->query, retrieval->failure_text, sizeof retrieval->failure_text);
    if (is_fatal(&ask->query))
        stop(retrieval);
}
