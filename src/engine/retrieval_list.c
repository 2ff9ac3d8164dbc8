/*
 * retrieval_list - what the peer has of what is wanted: C-FINDs from the level of the keys down to instances.
 *
 * Steps wait in a list, and each match of one above the image level appends the step below it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/retrieval_private.h"

/* ---- made and forgotten ---- */

void retrieval_list_init(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    identifier_init(&list->keys);
    list->end = &list->first;
    list->last_step = &list->step;
}

static void free_series(struct retrieval_series *series)
{
    for (struct retrieval_instance *instance = series->first, *next; instance != NULL; instance = next) {
        next = instance->next;
        free(instance->refused_comment);
        free(instance);
    }
    free(series);
}

static void forget_targets(struct retrieval_list *list)
{
    for (struct retrieval_target *target = list->first, *next; target != NULL; target = next) {
        next = target->next;
        for (struct retrieval_series *series = target->first, *next_series; series != NULL; series = next_series) {
            next_series = series->next;
            free_series(series);
        }
        free(target);
    }
    list->first = list->recent = NULL;
    list->end = &list->first;
}

static void forget_step(struct retrieval_list *list)
{
    struct retrieval_step *step = list->step;
    list->step = step->next;
    if (list->step == NULL)
        list->last_step = &list->step;
    free(step);
}

static void forget(struct retrieval_list *list)
{
    size_t cursor = 0;
    while (list->step != NULL)
        forget_step(list);
    for (struct table_node *node; (node = table_pop(&list->classes, &cursor)) != NULL;)
        free(node); /* it is the first member */
    table_fini(&list->classes);
    table_fini(&list->instances);
    list->classes = list->instances = (struct table){0};
    forget_targets(list);
    list->unknown_class = 0;
    list->error = 0;
}

void retrieval_list_fini(struct retrieval *retrieval)
{
    forget(&retrieval->list);
    identifier_fini(&retrieval->list.keys);
}

static int add_step(struct retrieval_list *list, enum query_level level, const struct retrieval_place *place,
                    struct retrieval_target *target)
{
    struct retrieval_step *step = calloc(1, sizeof *step);
    if (step == NULL)
        return -ENOMEM;
    step->level = level;
    step->target = target;
    step->place = *place;
    *list->last_step = step;
    list->last_step = &step->next;
    return 0;
}

/* A key that names one entity, which a provider that answers without it means all the same. */
static void take_single_key(const struct identifier *keys, uint32_t tag, char key[65])
{
    char text[65];
    struct element element;
    if (identifier_find(keys, tag, &element) && element.value.len < sizeof text &&
        identifier_get_text(keys, tag, text, sizeof text) && strpbrk(text, "\\*?") == NULL)
        memcpy(key, text, sizeof text);
}

int retrieval_list_begin(struct retrieval *retrieval)
{
    const struct identifier *keys = retrieval->options->keys;
    struct retrieval_place place = {0};
    forget(&retrieval->list);
    retrieval->result.counts = (struct retrieval_counts){0};
    take_single_key(keys, TAG_PATIENT_ID, place.patient_id);
    take_single_key(keys, TAG_STUDY_INSTANCE_UID, place.study_uid);
    take_single_key(keys, TAG_SERIES_INSTANCE_UID, place.series_uid);
    return add_step(&retrieval->list, retrieval->options->level, &place, NULL);
}

/* ---- asking ---- */

/* The keys of a step below the first: what it is within, and what is to be told. */
static int fill_in_keys(struct retrieval *retrieval, const struct retrieval_step *step)
{
    struct identifier *keys = &retrieval->list.keys;
    if (step->target == NULL) {
        int error = identifier_copy(keys, retrieval->options->keys);
        if (error == 0 && step->level == QUERY_LEVEL_IMAGE)
            error = identifier_set_text(keys, TAG_SOP_CLASS_UID, "");
        return error;
    }
    identifier_clear(keys);
    int error = identifier_set_text(keys, TAG_QUERY_RETRIEVE_LEVEL, query_level_name(step->level));
    if (error == 0 && retrieval->options->model == QUERY_PATIENT_ROOT)
        error = identifier_set_text(keys, TAG_PATIENT_ID, step->place.patient_id);
    if (error == 0)
        error = identifier_set_text(keys, TAG_STUDY_INSTANCE_UID, step->place.study_uid);
    if (error == 0 && step->level >= QUERY_LEVEL_SERIES)
        error = identifier_set_text(keys, TAG_SERIES_INSTANCE_UID, step->place.series_uid);
    if (error == 0 && step->level == QUERY_LEVEL_IMAGE)
        error = identifier_set_text(keys, TAG_SOP_INSTANCE_UID, "");
    if (error == 0 && step->level == QUERY_LEVEL_IMAGE)
        error = identifier_set_text(keys, TAG_SOP_CLASS_UID, "");
    return error;
}

int retrieval_list_next(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    const struct retrieval_step *step = list->step;
    if (step == NULL)
        return 0;
    int error = fill_in_keys(retrieval, step);
    if (error != 0)
        return error;
    retrieval->study_uid = step->place.study_uid[0] != '\0' ? step->place.study_uid : NULL;
    list->query = (struct query){.service = QUERY_FIND,
                                 .model = retrieval->options->model,
                                 .priority = retrieval->options->priority,
                                 .identifier = &list->keys};
    LOG(&retrieval->logger, LOG_DEBUG, LOG_QUERY_STARTED, LOG_TEXT("service", "C-FIND"),
        LOG_TEXT("level", query_level_name(step->level)));
    error = query_user_begin(retrieval->user, &list->query);
    return error == 0 ? 1 : error;
}

/* ---- matches ---- */

/* The first value of an element; what the match does not say is as it was asked. False if it is empty or too long. */
static bool take_key(const struct identifier *match, uint32_t tag, char key[65])
{
    struct element element;
    struct span value;
    if (!identifier_find(match, tag, &element) || !element_get_value(&element, 0, &value) || value.len == 0)
        return key[0] != '\0';
    if (value.len >= 65)
        return false;
    memcpy(key, value.data, value.len);
    key[value.len] = '\0';
    return true;
}

static struct retrieval_target *add_target(struct retrieval_list *list, enum query_level level,
                                           const struct retrieval_place *place)
{
    struct retrieval_target *target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    target->level = level;
    target->place = *place;
    target->end = &target->first;
    *list->end = target;
    list->end = &target->next;
    return target;
}

static bool is_same_series(const struct retrieval_place *a, const struct retrieval_place *b)
{
    return strcmp(a->series_uid, b->series_uid) == 0 && strcmp(a->study_uid, b->study_uid) == 0;
}

/* The target's series of this place. Its instances come one after the other, so it is the last one or new. */
static struct retrieval_series *find_series(struct retrieval *retrieval, struct retrieval_target *target,
                                            const struct retrieval_place *place)
{
    if (target->last != NULL && is_same_series(&target->last->place, place))
        return target->last;
    struct retrieval_series *series = calloc(1, sizeof *series);
    if (series == NULL)
        return NULL;
    series->place = *place;
    series->end = &series->first;
    *target->end = series;
    target->end = &series->next;
    target->last = series;
    retrieval->result.counts.series++;
    return series;
}

/* The class with this UID, new if need be; NULL if out of memory. */
static struct retrieval_class *find_class(struct retrieval_list *list, const char *uid)
{
    struct retrieval_class *class = (struct retrieval_class *)table_find(&list->classes, uid); /* the first member */
    if (class != NULL)
        return class;
    class = calloc(1, sizeof *class);
    if (class == NULL)
        return NULL;
    memcpy(class->uid, uid, strlen(uid) + 1);
    if (table_add(&list->classes, &class->node, class->uid) == 0)
        return class;
    free(class);
    return NULL;
}

static uint64_t *counter_of(struct retrieval_counts *counts, enum retrieval_state state)
{
    return state == INSTANCE_WANTED ? &counts->missing : state == INSTANCE_PRESENT ? &counts->present : &counts->stored;
}

/* Count it in, or out. */
static void count(struct retrieval *retrieval, const struct retrieval_instance *instance, int by)
{
    *counter_of(&retrieval->result.counts, instance->state) += (uint64_t)by;
    if (instance->state == INSTANCE_WANTED && instance->class != NULL)
        instance->class->wanted += (uint64_t)by;
    else if (instance->state == INSTANCE_WANTED)
        retrieval->list.unknown_class += (uint64_t)by;
}

void retrieval_list_set_state(struct retrieval *retrieval, struct retrieval_instance *instance,
                              enum retrieval_state state)
{
    count(retrieval, instance, -1);
    instance->state = state;
    count(retrieval, instance, 1);
}

static int add_instance(struct retrieval *retrieval, struct retrieval_target *target,
                        const struct retrieval_place *place, const char *uid, const char *class_uid)
{
    struct retrieval_list *list = &retrieval->list;
    if (table_find(&list->instances, uid) != NULL)
        return 0;
    struct retrieval_series *series = find_series(retrieval, target, place);
    struct retrieval_instance *instance = calloc(1, sizeof *instance + strlen(uid) + 1);
    if (series == NULL || instance == NULL) {
        free(instance);
        return -ENOMEM;
    }
    memcpy(instance->uid, uid, strlen(uid) + 1);
    instance->series = series;
    instance->class = class_uid[0] != '\0' ? find_class(list, class_uid) : NULL;
    if (table_add(&list->instances, &instance->node, instance->uid) != 0) {
        free(instance);
        return -ENOMEM;
    }
    *series->end = instance;
    series->end = &instance->next;
    retrieval->result.counts.listed++;
    if (retrieval->receiver != NULL && receiver_has(retrieval->receiver, uid))
        instance->state = INSTANCE_PRESENT;
    count(retrieval, instance, 1);
    return 0;
}

/* The target of the image level for this series, or NULL: mostly that of the last match. */
static struct retrieval_target *find_target_of_series(const struct retrieval_list *list,
                                                      const struct retrieval_place *place)
{
    struct retrieval_target *target = list->recent;
    if (target != NULL && is_same_series(&target->place, place))
        return target;
    for (target = list->first; target != NULL && !is_same_series(&target->place, place); target = target->next) {
    }
    return target;
}

/* A match of the image level. Without a target of its own it belongs to that of its series. */
static int take_instance(struct retrieval *retrieval, const struct retrieval_step *step,
                         const struct retrieval_place *place, const struct identifier *match)
{
    struct retrieval_list *list = &retrieval->list;
    struct retrieval_target *target = step->target;
    char uid[65] = "", class_uid[65] = "";
    if (!take_key(match, TAG_SOP_INSTANCE_UID, uid))
        return -EBADMSG;
    if (!take_key(match, TAG_SOP_CLASS_UID, class_uid) || !uid_is_well_formed(class_uid, strlen(class_uid)))
        class_uid[0] = '\0';
    if (target == NULL) {
        retrieval->result.counts.matches++;
        target = find_target_of_series(list, place);
        if (target == NULL)
            target = add_target(list, QUERY_LEVEL_IMAGE, place);
        list->recent = target;
    }
    return target != NULL ? add_instance(retrieval, target, place, uid, class_uid) : -ENOMEM;
}

static int take_match(struct retrieval *retrieval, const struct identifier *match)
{
    struct retrieval_list *list = &retrieval->list;
    const struct retrieval_step *step = list->step;
    struct retrieval_place place = step->place;
    bool whole = true;
    if (retrieval->options->model == QUERY_PATIENT_ROOT)
        whole = take_key(match, TAG_PATIENT_ID, place.patient_id);
    if (step->level >= QUERY_LEVEL_STUDY)
        whole = take_key(match, TAG_STUDY_INSTANCE_UID, place.study_uid) && whole;
    if (step->level >= QUERY_LEVEL_SERIES)
        whole = take_key(match, TAG_SERIES_INSTANCE_UID, place.series_uid) && whole;
    if (!whole)
        return -EBADMSG;
    if (step->level == QUERY_LEVEL_IMAGE)
        return take_instance(retrieval, step, &place, match);
    struct retrieval_target *target = step->target;
    if (target == NULL) {
        target = add_target(list, step->level, &place);
        retrieval->result.counts.matches++;
    }
    return target != NULL ? add_step(list, (enum query_level)(step->level + 1), &place, target) : -ENOMEM;
}

void retrieval_list_match(struct retrieval *retrieval, const struct identifier *match)
{
    int error = take_match(retrieval, match);
    if (error == -EBADMSG)
        LOG(&retrieval->logger, LOG_WARN, LOG_SESSION_NOTE,
            LOG_TEXT("text", "a match without the unique keys of its level is left out"),
            LOG_TEXT("level", query_level_name(retrieval->list.step->level)));
    else if (error != 0)
        retrieval->list.error = error;
}

bool retrieval_list_ended(struct retrieval *retrieval)
{
    struct retrieval_list *list = &retrieval->list;
    char text[256];
    if (list->error != 0) {
        retrieval_stop(retrieval, error_text(list->error));
        return false;
    }
    if (list->query.status != STATUS_SUCCESS) {
        retrieval_describe_query(&list->query, text, sizeof text);
        retrieval_stop(retrieval, text);
        return false;
    }
    forget_step(list);
    return true;
}

/* ---- at the end ---- */

static void tell_one_missing(struct retrieval *retrieval, const struct retrieval_instance *instance)
{
    const struct retrieval_place *place = &instance->series->place;
    const struct retrieval_missing missing = {.study_uid = place->study_uid,
                                              .series_uid = place->series_uid,
                                              .instance_uid = instance->uid,
                                              .class_uid = instance->class != NULL ? instance->class->uid : "",
                                              .status = instance->refused_status,
                                              .comment = instance->refused_comment != NULL ? instance->refused_comment
                                                                                           : retrieval->failure_text};
    retrieval->study_uid = missing.study_uid;
    LOG(&retrieval->logger, LOG_INFO, LOG_RETRIEVAL_MISSING, LOG_TEXT("series", missing.series_uid),
        LOG_TEXT("instance", missing.instance_uid), LOG_TEXT("text", missing.comment));
    if (retrieval->observer->missing != NULL)
        retrieval->observer->missing(retrieval->observer->user, &missing);
    retrieval->study_uid = NULL;
}

void retrieval_list_tell_missing(struct retrieval *retrieval)
{
    for (struct retrieval_target *target = retrieval->list.first; target != NULL; target = target->next)
        for (struct retrieval_series *series = target->first; series != NULL; series = series->next)
            for (struct retrieval_instance *instance = series->first; instance != NULL; instance = instance->next)
                if (instance->state == INSTANCE_WANTED)
                    tell_one_missing(retrieval, instance);
}
