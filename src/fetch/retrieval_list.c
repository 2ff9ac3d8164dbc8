/*
 * retrieval_list - what the peer has of what is wanted: C-FINDs from the level of the keys down to instances.
 *
 * Steps wait in a list, and each match of one above the image level appends the step below it. A step that brings
 * nothing, fails, or at which the peer hangs up opens its part: what it holds will be asked for as a whole. Whatever a
 * peer lists again counts once, and is looked into once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fetch/retrieval_private.h"

/* Steps in a row at which the peer hung up, before the others of their level are not made any more. */
enum { LOSSES_MAX = 3 };

#define NUMBER_OF_PATIENT_RELATED_INSTANCES 0x00201204u

/* ---- made and forgotten ---- */

void retrieval_list_init(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    dicomnet_identifier_init(&list->keys);
    list->last_step = &list->step;
    retrieval_parts_init(list);
}

static void forget_step(struct retrieval_list *list)
{
    struct retrieval_step *step = list->step;
    list->step = step->next;
    if (list->step == NULL)
        list->last_step = &list->step;
    free(step);
}

void retrieval_list_fini(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    while (list->step != NULL)
        forget_step(list);
    retrieval_parts_forget(list);
    dicomnet_identifier_fini(&list->keys);
}

static int add_step(struct retrieval_list *list, enum dicomnet_query_level level, const struct retrieval_place *place,
                    struct retrieval_part *part)
{
    struct retrieval_step *step = calloc(1, sizeof *step);
    if (step == NULL)
        return -ENOMEM;
    step->level = level;
    step->part = part;
    step->place = *place;
    *list->last_step = step;
    list->last_step = &step->next;
    return 0;
}

/* ---- what the keys name ---- */

/* The value of that number, of a key that names entities: no wildcard, not too long. False if there is none. */
static bool take_named(const struct dicomnet_identifier *keys, uint32_t tag, size_t number, char ret_key[65])
{
    struct dicomnet_element element;
    struct dicomnet_span value;
    if (!dicomnet_identifier_find(keys, tag, &element) || !dicomnet_element_get_value(&element, number, &value) ||
        value.len == 0 || value.len >= 65 || memchr(value.data, '*', value.len) != NULL ||
        memchr(value.data, '?', value.len) != NULL)
        return false;
    memcpy(ret_key, value.data, value.len);
    ret_key[value.len] = '\0';
    return true;
}

/* A key that names one entity. */
static bool take_single(const struct dicomnet_identifier *keys, uint32_t tag, char ret_key[65])
{
    char second[65];
    if (take_named(keys, tag, 0, ret_key) && !take_named(keys, tag, 1, second))
        return true;
    ret_key[0] = '\0';
    return false;
}

bool retrieval_names_all(const struct retrieval_options *options)
{
    enum dicomnet_query_level first =
        options->model == DICOMNET_QUERY_STUDY_ROOT ? DICOMNET_QUERY_LEVEL_STUDY : DICOMNET_QUERY_LEVEL_PATIENT;
    char key[65];
    for (enum dicomnet_query_level level = first; level < options->level; level++)
        if (!take_single(options->keys, dicomnet_query_level_key(level), key))
            return false;
    return take_named(options->keys, dicomnet_query_level_key(options->level), 0, key);
}

/* A key below the level says nothing: peers do not look at it. */
static struct retrieval_place place_of_keys(const struct retrieval *retrieval)
{
    const struct dicomnet_identifier *keys = retrieval->options->keys;
    enum dicomnet_query_level level = retrieval->options->level;
    struct retrieval_place place = {0};
    take_single(keys, DICOMNET_TAG_PATIENT_ID, place.patient_id);
    if (level >= DICOMNET_QUERY_LEVEL_STUDY)
        take_single(keys, DICOMNET_TAG_STUDY_INSTANCE_UID, place.study_uid);
    if (level >= DICOMNET_QUERY_LEVEL_SERIES)
        take_single(keys, DICOMNET_TAG_SERIES_INSTANCE_UID, place.series_uid);
    return place;
}

static char *key_at(struct retrieval_place *place, enum dicomnet_query_level level)
{
    return level == DICOMNET_QUERY_LEVEL_PATIENT ? place->patient_id
           : level == DICOMNET_QUERY_LEVEL_STUDY ? place->study_uid
                                                 : place->series_uid;
}

/* The target that is this entity: found, or new. NULL if out of memory. */
static struct retrieval_part *find_or_add_target(struct retrieval *retrieval, enum dicomnet_query_level level,
                                                 const struct retrieval_place *place, bool *ret_new)
{
    enum dicomnet_query_level part_level = level == DICOMNET_QUERY_LEVEL_IMAGE ? DICOMNET_QUERY_LEVEL_SERIES : level;
    struct retrieval_part *part = retrieval_part_find(&retrieval->list, part_level, place);
    *ret_new = part == NULL;
    if (part != NULL)
        return part;
    struct retrieval_target *target = retrieval_target_add(&retrieval->list, level);
    return target != NULL ? retrieval_part_add(retrieval, target, NULL, part_level, place) : NULL;
}

static int add_instance(struct retrieval *retrieval, struct retrieval_part *part, const char *uid,
                        const char *class_uid)
{
    bool spoiled;
    if (retrieval_instance_find(retrieval, uid) != NULL)
        return 0;
    enum retrieval_state state = retrieval_look_for(retrieval, uid, class_uid, &spoiled);
    struct retrieval_instance *instance = retrieval_instance_add(retrieval, part, uid, class_uid, state);
    if (instance == NULL)
        return -ENOMEM;
    instance->spoiled = spoiled;
    retrieval->result.counts.replaced += spoiled;
    retrieval->result.counts.matches += part->target->level == DICOMNET_QUERY_LEVEL_IMAGE;
    retrieval_moved(retrieval);
    return 0;
}

/* Instances of one series, by their UIDs. */
static int add_named_instances(struct retrieval *retrieval, const struct retrieval_place *place)
{
    bool new;
    struct retrieval_part *part = find_or_add_target(retrieval, DICOMNET_QUERY_LEVEL_IMAGE, place, &new);
    char uid[65];
    int error = part != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && take_named(retrieval->options->keys, DICOMNET_TAG_SOP_INSTANCE_UID, i, uid); i++)
        error = add_instance(retrieval, part, uid, "");
    return error;
}

/* What the keys name is all there is to go by: each entity is asked for as a whole. */
static int add_named(struct retrieval *retrieval)
{
    enum dicomnet_query_level level = retrieval->options->level;
    struct retrieval_place place = place_of_keys(retrieval);
    bool new;
    if (level == DICOMNET_QUERY_LEVEL_IMAGE)
        return add_named_instances(retrieval, &place);
    for (size_t i = 0; take_named(retrieval->options->keys, dicomnet_query_level_key(level), i, key_at(&place, level));
         i++) {
        struct retrieval_part *part = find_or_add_target(retrieval, level, &place, &new);
        if (part == NULL)
            return -ENOMEM;
        part->open = true;
        retrieval->result.counts.matches += new;
    }
    return 0;
}

bool retrieval_list_do_without(struct retrieval *retrieval, const char *why)
{
    struct retrieval_list *list = &retrieval->list;
    if (list->step == NULL || list->step->part != NULL || !retrieval_names_all(retrieval->options))
        return false;
    LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "it cannot be listed what there is; what the keys name is asked for as a whole"),
        LOG_TEXT("reason", why));
    list->error = add_named(retrieval);
    retrieval->study_uid = NULL; /* it is the step's */
    forget_step(list);
    return true;
}

int retrieval_list_begin(struct retrieval *retrieval)
{
    const struct retrieval_options *options = retrieval->options;
    struct retrieval_place place = place_of_keys(retrieval);
    return options->no_find ? add_named(retrieval) : add_step(&retrieval->list, options->level, &place, NULL);
}

/* ---- asking ---- */

static uint32_t count_tag(enum dicomnet_query_level level)
{
    return level == DICOMNET_QUERY_LEVEL_PATIENT ? NUMBER_OF_PATIENT_RELATED_INSTANCES
           : level == DICOMNET_QUERY_LEVEL_STUDY ? DICOMNET_TAG_NUMBER_OF_STUDY_RELATED_INSTANCES
                                                 : DICOMNET_TAG_NUMBER_OF_SERIES_RELATED_INSTANCES;
}

/* What is to be told of the level: how many instances there are, or what they are. */
static int want_facts(struct dicomnet_identifier *keys, enum dicomnet_query_level level)
{
    uint32_t tag = level == DICOMNET_QUERY_LEVEL_IMAGE ? DICOMNET_TAG_SOP_CLASS_UID : count_tag(level);
    return dicomnet_identifier_find(keys, tag, NULL) ? 0 : dicomnet_identifier_set_text(keys, tag, "");
}

/* The keys of a step: of the first, those of the options; below, what it is within. */
static int fill_in_keys(struct retrieval *retrieval, const struct retrieval_step *step)
{
    struct dicomnet_identifier *keys = &retrieval->list.keys;
    int error;
    if (step->part == NULL) {
        error = dicomnet_identifier_copy(keys, retrieval->options->keys);
        return error != 0 ? error : want_facts(keys, step->level);
    }
    dicomnet_identifier_clear(keys);
    error =
        dicomnet_identifier_set_text(keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, dicomnet_query_level_name(step->level));
    if (error == 0 && retrieval->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_PATIENT_ID, step->place.patient_id);
    if (error == 0)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_STUDY_INSTANCE_UID,
                                             step->level > DICOMNET_QUERY_LEVEL_STUDY ? step->place.study_uid : "");
    if (error == 0 && step->level >= DICOMNET_QUERY_LEVEL_SERIES)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_SERIES_INSTANCE_UID,
                                             step->level > DICOMNET_QUERY_LEVEL_SERIES ? step->place.series_uid : "");
    if (error == 0 && step->level == DICOMNET_QUERY_LEVEL_IMAGE)
        error = dicomnet_identifier_set_text(keys, DICOMNET_TAG_SOP_INSTANCE_UID, "");
    return error != 0 ? error : want_facts(keys, step->level);
}

int retrieval_list_next(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    struct retrieval_step *step = list->step;
    if (step == NULL)
        return 0;
    int error = fill_in_keys(retrieval, step);
    if (error != 0)
        return error;
    step->matches = 0;
    retrieval->study_uid = step->place.study_uid[0] != '\0' ? step->place.study_uid : NULL;
    list->query = (struct dicomnet_query){.service = DICOMNET_QUERY_FIND,
                                          .model = retrieval->options->model,
                                          .priority = retrieval->options->priority,
                                          .identifier = &list->keys};
    LOG(&retrieval->logger, DICOMNET_LOG_DEBUG, EVENT_QUERY_STARTED, LOG_TEXT("service", "C-FIND"),
        LOG_TEXT("level", dicomnet_query_level_name(step->level)));
    retrieval_moved(retrieval);
    error = dicomnet_query_user_begin(retrieval->user, &list->query);
    return error == 0 ? 1 : error;
}

/* ---- matches ---- */

/*
 * The first value of an element; what the match does not say is as it was asked. False if there is none that can be
 * asked with: it is empty, too long, would be a wildcard, or is several, as no entity has.
 */
static bool take_key(const struct dicomnet_identifier *match, uint32_t tag, char key[65])
{
    struct dicomnet_element element;
    struct dicomnet_span value;
    if (!dicomnet_identifier_find(match, tag, &element) || !dicomnet_element_get_value(&element, 0, &value) ||
        value.len == 0)
        return key[0] != '\0';
    if (dicomnet_element_value_count(&element) > 1 || value.len >= 65 || memchr(value.data, '*', value.len) != NULL ||
        memchr(value.data, '?', value.len) != NULL) {
        key[0] = '\0';
        return false;
    }
    memcpy(key, value.data, value.len);
    key[value.len] = '\0';
    return true;
}

/* How many instances the peer says there are. False if it does not. */
static bool take_count(const struct dicomnet_identifier *match, enum dicomnet_query_level level, uint64_t *ret_count)
{
    char text[65] = "", *end;
    if (!take_key(match, count_tag(level), text))
        return false;
    *ret_count = strtoull(text, &end, 10);
    return *end == '\0' && text[0] != '-' && text[0] != '+' && *ret_count <= INT32_MAX; /* an IS is no larger */
}

static struct retrieval_place place_of_match(const struct retrieval *retrieval, const struct retrieval_step *step,
                                             const struct dicomnet_identifier *match, bool *ret_whole)
{
    struct retrieval_place place = step->place;
    bool whole = true;
    if (retrieval->options->model == DICOMNET_QUERY_PATIENT_ROOT)
        whole = take_key(match, DICOMNET_TAG_PATIENT_ID, place.patient_id);
    if (step->level >= DICOMNET_QUERY_LEVEL_STUDY)
        whole = take_key(match, DICOMNET_TAG_STUDY_INSTANCE_UID, place.study_uid) && whole;
    if (step->level >= DICOMNET_QUERY_LEVEL_SERIES)
        whole = take_key(match, DICOMNET_TAG_SERIES_INSTANCE_UID, place.series_uid) && whole;
    *ret_whole = whole;
    return place;
}

/* A match that cannot be asked for: what it is in can, if it is within what is wanted. */
static int take_nameless(struct retrieval *retrieval, const struct retrieval_step *step,
                         const struct retrieval_place *place, const struct dicomnet_identifier *match)
{
    struct retrieval_part *part = step->part;
    uint64_t count = 1;
    bool new;
    LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", part != NULL ? "a match without a usable unique key of its level is left out: what it is in "
                                        "is asked for as a whole"
                                      : "a match without a usable unique key of its level is left out: it cannot be "
                                        "asked for"),
        LOG_TEXT("level", dicomnet_query_level_name(step->level)));
    if (part == NULL) {
        part = find_or_add_target(retrieval, step->level, place, &new);
        if (part == NULL)
            return -ENOMEM;
        part->out_of_reach = part->open = true;
        retrieval->result.counts.matches++;
    }
    if (step->level != DICOMNET_QUERY_LEVEL_IMAGE && (!take_count(match, step->level, &count) || count == 0))
        count = 1;
    part->nameless += count;
    return 0;
}

/* A match of the image level. Without a part of its own it belongs to its series. */
static int take_instance(struct retrieval *retrieval, const struct retrieval_step *step,
                         const struct retrieval_place *place, const struct dicomnet_identifier *match)
{
    struct retrieval_part *part = step->part;
    struct dicomnet_element element;
    char uid[65], class_uid[65] = "";
    bool new;
    if (!dicomnet_identifier_find(match, DICOMNET_TAG_SOP_INSTANCE_UID, &element) ||
        dicomnet_element_value_count(&element) == 0)
        return take_nameless(retrieval, step, place, match);
    if (!take_key(match, DICOMNET_TAG_SOP_CLASS_UID, class_uid) ||
        !dicomnet_uid_is_well_formed(class_uid, strlen(class_uid)))
        class_uid[0] = '\0';
    if (part == NULL)
        part = find_or_add_target(retrieval, DICOMNET_QUERY_LEVEL_IMAGE, place, &new);
    int error = part != NULL ? 0 : -ENOMEM;
    /* It should be one; what is named beside it is wanted as well. */
    for (size_t i = 0; error == 0 && i < dicomnet_element_value_count(&element); i++)
        error = take_named(match, DICOMNET_TAG_SOP_INSTANCE_UID, i, uid) ? add_instance(retrieval, part, uid, class_uid)
                                                                         : take_nameless(retrieval, step, place, match);
    return error;
}

static int take_match(struct retrieval *retrieval, const struct dicomnet_identifier *match)
{
    struct retrieval_list *list = &retrieval->list;
    const struct retrieval_step *step = list->step;
    bool whole, new;
    struct retrieval_place place = place_of_match(retrieval, step, match, &whole);
    if (!whole)
        return take_nameless(retrieval, step, &place, match);
    if (step->level == DICOMNET_QUERY_LEVEL_IMAGE)
        return take_instance(retrieval, step, &place, match);
    if (retrieval_part_find(list, step->level, &place) != NULL)
        return 0; /* some peers answer once for each instance */
    struct retrieval_part *part =
        step->part == NULL ? find_or_add_target(retrieval, step->level, &place, &new)
                           : retrieval_part_add(retrieval, step->part->target, step->part, step->level, &place);
    if (part == NULL)
        return -ENOMEM;
    retrieval->result.counts.matches += step->part == NULL;
    part->has_said = take_count(match, step->level, &part->said);
    retrieval_moved(retrieval);
    return add_step(list, (enum dicomnet_query_level)(step->level + 1), &place, part);
}

void retrieval_list_match(struct retrieval *retrieval, const struct dicomnet_identifier *match)
{
    struct retrieval_list *list = &retrieval->list;
    uint64_t max = retrieval->options->max_matches;
    char text[160];
    list->step->matches++;
    list->match_total++;
    if (max > 0 && list->match_total > max) {
        snprintf(text, sizeof text,
                 "the peer lists more than %llu matches: narrow the keys, or allow more with --max-matches",
                 (unsigned long long)max);
        retrieval_stop(retrieval, text);
        return;
    }
    int error = take_match(retrieval, match);
    if (error != 0)
        list->error = error;
}

/* ---- how a step ended ---- */

static void open_part(struct retrieval *retrieval, struct retrieval_part *part, const char *why)
{
    retrieval->study_uid = part->place.study_uid[0] != '\0' ? part->place.study_uid : NULL;
    LOG(&retrieval->logger, DICOMNET_LOG_WARN, EVENT_SESSION_NOTE,
        LOG_TEXT("text", "the peer does not list what is in it: it is asked for as a whole"),
        LOG_TEXT("level", dicomnet_query_level_name(part->level)), LOG_TEXT("series", part->place.series_uid),
        LOG_TEXT("reason", why));
    part->open = part->cut = true;
    retrieval->study_uid = NULL;
}

/* The first, which says what is wanted at all. */
static void end_first(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    char text[256];
    if (list->query.status == DICOMNET_STATUS_SUCCESS) {
        forget_step(list);
        return;
    }
    retrieval_describe_query(&list->query, text, sizeof text);
    if (!retrieval_list_do_without(retrieval, text))
        retrieval_stop(retrieval, text);
}

void retrieval_list_ended(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    struct retrieval_step *step = list->step;
    char text[256];
    list->steps_ended++;
    list->losses = 0;
    if (step->part == NULL) {
        end_first(retrieval);
    } else {
        bool failed = list->query.status != DICOMNET_STATUS_SUCCESS;
        bool empty = step->matches == 0 && !(step->part->has_said && step->part->said == 0);
        retrieval_describe_query(&list->query, text, sizeof text);
        if (failed || empty)
            open_part(retrieval, step->part, failed ? text : "the list is empty");
        forget_step(list);
    }
    if (list->error != 0)
        retrieval_stop(retrieval, dicomnet_error_text(list->error));
}

void retrieval_list_lost(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    struct retrieval_step *step = list->step;
    unsigned tries = retrieval->options->retry > 0 ? 2 : 1;
    if (step == NULL || step->part == NULL || ++step->losses < tries)
        return;
    enum dicomnet_query_level level = step->level;
    bool all = ++list->losses >= LOSSES_MAX;
    list->steps_ended++;
    do {
        open_part(retrieval, list->step->part, "the association ended at it");
        forget_step(list);
    } while (all && list->step != NULL && list->step->level == level);
}
