/*
 * retrieval_ask - having sent what is wanted: one C-MOVE or C-GET after the other, and what became of each.
 *
 * What comes to this process counts when it is kept. What goes to a third party counts as the peer says: its list of
 * failed instances, or a success without failures. Where it says less than that, nothing counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/policy.h"
#include "engine/retrieval_private.h"

enum { CONTEXTS_MAX = PDU_CONTEXTS_MAX - 1 };

/* ---- the next request ---- */

void retrieval_ask_rewind(struct retrieval *retrieval)
{
    /* An instance that the peer cannot send may keep what is asked for with it from coming: less at a time then. */
    unsigned shift = 3 * retrieval->fruitless;
    size_t batch_max = shift < 8 ? RETRIEVAL_BATCH_MAX >> shift : 0;
    retrieval->ask.batch_max = batch_max > 0 ? batch_max : 1;
    retrieval->ask.never_whole = retrieval->fruitless > 0;
    retrieval->ask.target = retrieval->list.first;
    retrieval->ask.series = NULL;
}

static uint64_t count_wanted(const struct retrieval_target *target, bool *ret_all)
{
    uint64_t wanted = 0;
    *ret_all = true;
    for (const struct retrieval_series *series = target->first; series != NULL; series = series->next) {
        for (const struct retrieval_instance *instance = series->first; instance != NULL; instance = instance->next) {
            wanted += instance->state == INSTANCE_WANTED;
            *ret_all = *ret_all && instance->state == INSTANCE_WANTED;
        }
    }
    return wanted;
}

/* Gather wanted instances of one series, from where the last batch ended. False if there are none left of the target.
 */
static bool gather_batch(struct retrieval_ask *ask)
{
    ask->batch_count = 0;
    while (ask->series != NULL) {
        for (; ask->instance != NULL && ask->batch_count < ask->batch_max; ask->instance = ask->instance->next)
            if (ask->instance->state == INSTANCE_WANTED)
                ask->batch[ask->batch_count++] = ask->instance;
        ask->place = ask->series->place;
        if (ask->batch_count > 0)
            return true;
        ask->series = ask->series->next;
        ask->instance = ask->series != NULL ? ask->series->first : NULL;
    }
    return false;
}

/* Find what is to be asked for next. False at the end of the round. */
static bool find_next(struct retrieval_ask *ask)
{
    for (; ask->target != NULL; ask->target = ask->target->next, ask->series = NULL) {
        struct retrieval_target *target = ask->target;
        if (ask->series == NULL) {
            bool all;
            ask->wanted = count_wanted(target, &all);
            if (ask->wanted == 0)
                continue;
            if (all && target->level != QUERY_LEVEL_IMAGE && !ask->never_whole) {
                ask->whole = target;
                ask->level = target->level;
                ask->place = target->place;
                ask->target = target->next;
                return true;
            }
            ask->series = target->first;
            ask->instance = ask->series->first;
        }
        if (gather_batch(ask)) {
            ask->whole = NULL;
            ask->level = QUERY_LEVEL_IMAGE;
            ask->wanted = ask->batch_count;
            return true;
        }
    }
    return false;
}

/* The UIDs of the batch, separated by backslashes. NULL if out of memory. */
static char *join_batch(const struct retrieval_ask *ask)
{
    char *text = malloc(ask->batch_count * (UID_SIZE + 1) + 1);
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
    struct identifier *keys = &ask->keys;
    identifier_clear(keys);
    int error = identifier_set_text(keys, TAG_QUERY_RETRIEVE_LEVEL, query_level_name(ask->level));
    if (error == 0 && retrieval->options->model == QUERY_PATIENT_ROOT)
        error = identifier_set_text(keys, TAG_PATIENT_ID, ask->place.patient_id);
    if (error == 0 && ask->level >= QUERY_LEVEL_STUDY)
        error = identifier_set_text(keys, TAG_STUDY_INSTANCE_UID, ask->place.study_uid);
    if (error == 0 && ask->level >= QUERY_LEVEL_SERIES)
        error = identifier_set_text(keys, TAG_SERIES_INSTANCE_UID, ask->place.series_uid);
    if (error == 0 && ask->level == QUERY_LEVEL_IMAGE) {
        char *uids = join_batch(ask);
        error = uids != NULL ? identifier_set_text(keys, TAG_SOP_INSTANCE_UID, uids) : -ENOMEM;
        free(uids);
    }
    return error;
}

int retrieval_ask_next(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    struct retrieval_ask *ask = &retrieval->ask;
    if (!find_next(ask))
        return 0;
    int error = fill_in_keys(retrieval);
    if (error != 0)
        return error;
    bool elsewhere = options->move_destination[0] != '\0';
    ask->query = (struct query){.service = options->get ? QUERY_GET : QUERY_MOVE,
                                .model = options->model,
                                .priority = options->priority,
                                .identifier = &ask->keys,
                                .move_destination = elsewhere ? options->move_destination : options->receive_ae};
    ask->begun_us = clock_wall_us();
    ask->asked_us = clock_monotonic_us();
    retrieval->study_uid = ask->place.study_uid[0] != '\0' ? ask->place.study_uid : NULL;
    LOG(&retrieval->logger, LOG_INFO, LOG_QUERY_STARTED, LOG_TEXT("service", options->get ? "C-GET" : "C-MOVE"),
        LOG_TEXT("level", query_level_name(ask->level)), LOG_NUMBER("instances", ask->wanted));
    error = query_user_begin(retrieval->user, &ask->query);
    return error == 0 ? 1 : error;
}

/* ---- what comes ---- */

static void take_note(struct retrieval_instance *instance, uint16_t status, const char *comment)
{
    free(instance->refused_comment);
    instance->refused_status = status;
    instance->refused_comment = strdup(comment != NULL ? comment : "");
}

uint16_t retrieval_ask_wants(void *user, struct receiver_visit *visit, const struct dimse_command *request,
                             char ret_comment[65])
{
    struct retrieval *retrieval = user;
    bool asking = retrieval->phase == RETRIEVAL_ASKING || retrieval->phase == RETRIEVAL_WAITING;
    if (asking && table_find(&retrieval->list.instances, request->instance_uid) != NULL)
        return STATUS_SUCCESS;
    retrieval->result.counts.unlisted++;
    LOG(&retrieval->logger, LOG_WARN, LOG_RETRIEVAL_UNLISTED, LOG_TEXT("instance", request->instance_uid),
        LOG_TEXT("peer", association_peer(visit->association)),
        LOG_TEXT("calling_ae", association_calling_ae(visit->association)));
    snprintf(ret_comment, 65, "nobody asked for this instance");
    return STATUS_NOT_AUTHORISED;
}

int retrieval_ask_arrived(void *user, struct receiver_visit *visit, const struct receiver_answer *answer)
{
    struct retrieval *retrieval = user;
    struct retrieval_counts *counts = &retrieval->result.counts;
    const struct dimse_command *response = answer->response;
    struct table_node *node = table_find(&retrieval->list.instances, response->instance_uid);
    struct retrieval_instance *instance = (struct retrieval_instance *)node; /* it is the first member */
    (void)visit;
    retrieval->heard_us = clock_monotonic_us();
    if (response->status == STATUS_NOT_AUTHORISED)
        return 0; /* retrieval_ask_wants has counted it */
    if (policy_judge_status(response->status).state == OUTCOME_FAILED) {
        counts->refused++;
        if (instance != NULL && instance->state == INSTANCE_WANTED)
            take_note(instance, response->status, response->error_comment);
        return 0;
    }
    counts->bytes += answer->bytes;
    if (instance != NULL && instance->state == INSTANCE_WANTED)
        retrieval_list_set_state(retrieval, instance, INSTANCE_STORED);
    LOG(&retrieval->logger, LOG_INFO, LOG_RETRIEVAL_STORED, LOG_TEXT("instance", response->instance_uid),
        LOG_NUMBER("bytes", answer->bytes));
    return 0;
}

/* ---- what the peer says ---- */

static void mark_sent(struct retrieval *retrieval, struct retrieval_instance *instance)
{
    if (instance->state == INSTANCE_WANTED)
        retrieval_list_set_state(retrieval, instance, INSTANCE_STORED);
}

/* Everything the request was for. */
static void mark_all_sent(struct retrieval *retrieval)
{
    struct retrieval_ask *ask = &retrieval->ask;
    for (size_t i = 0; ask->whole == NULL && i < ask->batch_count; i++)
        mark_sent(retrieval, ask->batch[i]);
    if (ask->whole == NULL)
        return;
    for (struct retrieval_series *series = ask->whole->first; series != NULL; series = series->next)
        for (struct retrieval_instance *instance = series->first; instance != NULL; instance = instance->next)
            mark_sent(retrieval, instance);
}

/* Take back those on the list: they failed. */
static void mark_failed(struct retrieval *retrieval, const struct element *uids)
{
    struct span value;
    for (size_t i = 0; element_get_value(uids, i, &value); i++) {
        char uid[UID_SIZE];
        span_copy_trimmed(value, uid, sizeof uid);
        struct retrieval_instance *instance =
            (struct retrieval_instance *)table_find(&retrieval->list.instances, uid); /* the first member */
        if (instance == NULL || instance->state != INSTANCE_STORED)
            continue;
        retrieval_list_set_state(retrieval, instance, INSTANCE_WANTED);
        take_note(instance, 0, "the peer could not send it");
    }
}

/* A third party was sent to: `failed` is the list of what failed there. */
static void judge_by_answer(struct retrieval *retrieval, const struct identifier *failed)
{
    const struct query *query = &retrieval->ask.query;
    struct element uids = {0};
    bool done = query->answered && (query->status == STATUS_SUCCESS || query->status == STATUS_SUB_OPERATIONS_WARNING);
    bool named = failed != NULL && identifier_find(failed, TAG_FAILED_SOP_INSTANCE_UID_LIST, &uids);
    uint64_t failures = query->has_counts ? query->counts.failed : 0;
    uint64_t sent = (uint64_t)query->counts.completed + query->counts.warning;
    if (!done || (failures > 0 && (!named || element_value_count(&uids) < failures)))
        return;
    /* A success that sent less than was listed leaves open what was not. The counts end at 65,535. */
    if (query->has_counts && sent < UINT16_MAX && sent + failures < retrieval->ask.wanted)
        return;
    mark_all_sent(retrieval);
    if (named && failures > 0)
        mark_failed(retrieval, &uids);
}

/* What cannot get better by asking again. */
static bool is_fatal(const struct query *query)
{
    return query->answered && (query->status == STATUS_DESTINATION_UNKNOWN ||
                               query->status == STATUS_CLASS_NOT_SUPPORTED || query->status == STATUS_NOT_AUTHORISED);
}

/* With what to do, where we are the destination that the peer does not know. */
static void stop(struct retrieval *retrieval)
{
    char text[sizeof retrieval->result.stop_text];
    bool of_ours = retrieval->ask.query.status == STATUS_DESTINATION_UNKNOWN && retrieval->receiver != NULL;
    snprintf(text, sizeof text, "%s%s", retrieval->failure_text,
             of_ours ? "; tell the peer this AE title with our address and --receive-port, or use --get" : "");
    retrieval_stop(retrieval, text);
}

void retrieval_ask_ended(struct retrieval *retrieval, const struct identifier *failed)
{
    struct retrieval_ask *ask = &retrieval->ask;
    const struct retrieval_request request = {.level = ask->level,
                                              .study_uid = ask->place.study_uid,
                                              .series_uid =
                                                  ask->level >= QUERY_LEVEL_SERIES ? ask->place.series_uid : "",
                                              .instances = ask->wanted,
                                              .round = retrieval->result.rounds,
                                              .begun_us = ask->begun_us,
                                              .duration_us = clock_monotonic_us() - ask->asked_us,
                                              .query = &ask->query};
    if (retrieval->receiver == NULL)
        judge_by_answer(retrieval, failed);
    retrieval_log_query_ended(retrieval, &ask->query);
    if (retrieval->observer->request_ended != NULL)
        retrieval->observer->request_ended(retrieval->observer->user, &request);
    if (!ask->query.answered || ask->query.status != STATUS_SUCCESS)
        retrieval_describe_query(&ask->query, retrieval->failure_text, sizeof retrieval->failure_text);
    if (is_fatal(&ask->query))
        stop(retrieval);
}

/* ---- contexts ---- */

/* What an instance may lie in at the peer other than Explicit VR Little Endian, the commonest first. */
static const char *const other_syntaxes[] = {
    UID_IMPLICIT_VR_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.4.70", /* JPEG Lossless SV1 */
    "1.2.840.10008.1.2.4.90", /* JPEG 2000 Lossless */
    "1.2.840.10008.1.2.4.91", /* JPEG 2000 */
    "1.2.840.10008.1.2.4.50", /* JPEG Baseline */
    "1.2.840.10008.1.2.4.51", /* JPEG Extended */
    "1.2.840.10008.1.2.4.57", /* JPEG Lossless */
    "1.2.840.10008.1.2.4.80", /* JPEG-LS Lossless */
    "1.2.840.10008.1.2.4.81", /* JPEG-LS Near-lossless */
    "1.2.840.10008.1.2.5",    /* RLE Lossless */
    UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    UID_EXPLICIT_VR_BIG_ENDIAN,
    "1.2.840.10008.1.2.4.100", /* MPEG-2 */
    "1.2.840.10008.1.2.4.102", /* MPEG-4 */
    "1.2.840.10008.1.2.4.103"  /* MPEG-4, Blu-ray */
};

enum { OTHER_COUNT = sizeof other_syntaxes / sizeof other_syntaxes[0] };

struct proposals {
    struct association_proposal *array;
    size_t count;
};

static struct association_proposal *add_proposal(struct proposals *proposals, const char *class_uid, uint8_t roles)
{
    struct association_proposal *proposal = &proposals->array[proposals->count++];
    *proposal =
        (struct association_proposal){.abstract_syntax = class_uid,
                                      .syntax_count = 2,
                                      .syntaxes = {UID_EXPLICIT_VR_LITTLE_ENDIAN, UID_IMPLICIT_VR_LITTLE_ENDIAN},
                                      .roles = roles};
    return proposal;
}

/*
 * A class, in one context with both plain syntaxes, or in several with one syntax each, so that the peer sends an
 * instance as it lies there. Not if there is no room.
 */
static void add_class(struct proposals *proposals, const char *class_uid, size_t contexts)
{
    if (proposals->count + contexts > PDU_CONTEXTS_MAX)
        return;
    struct association_proposal *first = add_proposal(proposals, class_uid, ASSOCIATION_ROLE_PROVIDER);
    first->syntax_count = contexts > 1 ? 1 : 2;
    for (size_t i = 0; i + 1 < contexts; i++) {
        struct association_proposal *proposal = add_proposal(proposals, class_uid, ASSOCIATION_ROLE_PROVIDER);
        proposal->syntax_count = 1;
        proposal->syntaxes[0] = other_syntaxes[i];
    }
}

static bool class_is_there(const struct proposals *proposals, const char *class_uid)
{
    for (size_t i = 0; i < proposals->count; i++)
        if (strcmp(proposals->array[i].abstract_syntax, class_uid) == 0)
            return true;
    return false;
}

/* Count the classes that are wanted or, given proposals, add each in so many contexts. */
static size_t walk_classes(const struct table *classes, struct proposals *proposals, size_t contexts)
{
    size_t count = 0;
    for (size_t i = 0; i < classes->chain_count; i++) {
        for (struct table_node *node = classes->chains[i]; node != NULL; node = node->next) {
            const struct retrieval_class *class = (const struct retrieval_class *)node; /* its first member */
            if (class->wanted > 0 && proposals != NULL)
                add_class(proposals, class->uid, contexts);
            count += class->wanted > 0;
        }
    }
    return count;
}

/*
 * The classes that are wanted share the room, so that few of them are offered in every syntax. If some are not known,
 * the common ones are offered too: all of them in the plain syntaxes and, when that brought nothing, a few in every
 * one.
 */
static void add_classes(const struct retrieval *retrieval, struct proposals *proposals)
{
    const struct table *classes = &retrieval->list.classes;
    size_t count = walk_classes(classes, NULL, 0);
    bool unknown = retrieval->list.unknown_class > 0;
    size_t room = count > 0 ? CONTEXTS_MAX / count : 1;
    size_t contexts = room > OTHER_COUNT ? OTHER_COUNT + 1 : room > 0 ? room : 1;
    if (unknown)
        contexts = retrieval->attempt == 0 ? 1 : OTHER_COUNT + 1;
    walk_classes(classes, proposals, contexts);
    for (size_t i = 0; unknown && i < UID_COMMON_STORAGE_COUNT; i++)
        if (!class_is_there(proposals, uid_common_storage[i]))
            add_class(proposals, uid_common_storage[i], contexts);
}

struct association_proposal *retrieval_ask_proposals(const struct retrieval *retrieval, size_t *ret_count)
{
    const struct retrieval_options *options = retrieval->options;
    struct proposals proposals = {.array = calloc(PDU_CONTEXTS_MAX, sizeof *proposals.array)};
    if (proposals.array == NULL)
        return NULL;
    enum query_service service = retrieval->phase == RETRIEVAL_LISTING ? QUERY_FIND
                                 : options->get                        ? QUERY_GET
                                                                       : QUERY_MOVE;
    add_proposal(&proposals, query_class_uid(options->model, service), 0);
    if (service == QUERY_GET)
        add_classes(retrieval, &proposals);
    *ret_count = proposals.count;
    return proposals.array;
}
