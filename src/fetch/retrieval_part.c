/*
 * retrieval_part - what is known of each patient, study, series and instance, and what of them is not accounted for.
 *
 * The counts always hold: listed = present + stored + missing. Whoever changes a part calls retrieval_part_settle.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fetch/retrieval_private.h"

/* ---- made and forgotten ---- */

void retrieval_parts_init(struct retrieval_list *list)
{
    list->end = &list->first;
}

static void free_part(struct retrieval_part *part)
{
    for (struct retrieval_instance *instance = part->first, *next; instance != NULL; instance = next) {
        next = instance->next;
        free(instance->refused_comment);
        free(instance);
    }
    free(part);
}

void retrieval_parts_forget(struct retrieval_list *list)
{
    size_t cursor = 0;
    for (struct table_node *node; (node = table_pop(&list->classes, &cursor)) != NULL;)
        free(node); /* it is the first member */
    table_fini(&list->classes);
    table_fini(&list->instances);
    table_fini(&list->parts);
    for (struct retrieval_target *target = list->first, *next; target != NULL; target = next) {
        next = target->next;
        for (struct retrieval_part *part = target->first, *next_part; part != NULL; part = next_part) {
            next_part = part->next;
            free_part(part);
        }
        free(target);
    }
    list->first = NULL;
    list->end = &list->first;
}

struct retrieval_target *retrieval_target_add(struct retrieval_list *list, enum dicomnet_query_level level)
{
    struct retrieval_target *target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    target->level = level;
    target->end = &target->first;
    *list->end = target;
    list->end = &target->next;
    return target;
}

/* A patient by its ID; a study by its UID, whoever's it is; a series by both UIDs. */
enum { PART_KEY_SIZE = 2 * 65 + 2 };

static void make_key(enum dicomnet_query_level level, const struct retrieval_place *place, char ret_key[PART_KEY_SIZE])
{
    if (level == DICOMNET_QUERY_LEVEL_PATIENT)
        snprintf(ret_key, PART_KEY_SIZE, "P%s", place->patient_id);
    else
        snprintf(ret_key, PART_KEY_SIZE, "%s\\%s", place->study_uid,
                 level == DICOMNET_QUERY_LEVEL_SERIES ? place->series_uid : "");
}

struct retrieval_part *retrieval_part_find(const struct retrieval_list *list, enum dicomnet_query_level level,
                                           const struct retrieval_place *place)
{
    char key[PART_KEY_SIZE];
    make_key(level, place, key);
    return (struct retrieval_part *)table_find(&list->parts, key); /* the first member */
}

struct retrieval_part *retrieval_part_add(struct retrieval *retrieval, struct retrieval_target *target,
                                          struct retrieval_part *within, enum dicomnet_query_level level,
                                          const struct retrieval_place *place)
{
    char key[PART_KEY_SIZE];
    make_key(level, place, key);
    struct retrieval_part *part = calloc(1, sizeof *part + strlen(key) + 1);
    if (part == NULL)
        return NULL;
    memcpy(part->key, key, strlen(key) + 1);
    if (table_add(&retrieval->list.parts, &part->node, part->key) != 0) {
        free(part);
        return NULL;
    }
    part->target = target;
    part->within = within;
    part->level = level;
    part->place = *place;
    part->end = &part->first;
    *target->end = part;
    target->end = &part->next;
    retrieval->result.counts.series += level == DICOMNET_QUERY_LEVEL_SERIES;
    return part;
}

/* ---- what is not accounted for ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t count_unnamed(const struct retrieval_part *part)
{
    uint64_t expected = larger(part->has_said ? part->said : 0, part->reported);
    uint64_t seen = part->below + part->known + part->sent_unnamed;
    if (!part->open)
        return 0;
    if (expected > seen)
        return expected - seen;
    /* Where nothing says how much there is, it takes a success that brought something. */
    bool told = part->cut ? part->has_said && part->said > 0 : expected > 0;
    return told || (part->answered && seen > 0) ? 0 : 1;
}

void retrieval_part_settle(struct retrieval *retrieval, struct retrieval_part *part)
{
    struct retrieval_counts *counts = &retrieval->result.counts;
    uint64_t unnamed = count_unnamed(part);
    uint64_t change = unnamed - part->unnamed; /* wraps around, and back, if there are fewer */
    part->unnamed = unnamed;
    retrieval->list.unnamed += change;
    counts->unnamed += change;
    counts->listed += change;
    counts->missing += change;
}

static void open_if_short(struct retrieval *retrieval, struct retrieval_part *part, uint64_t covered)
{
    part->open |= part->nameless > 0 || (part->has_said && part->said > covered);
    part->reported = larger(part->reported, part->below + part->known + part->unnamed_below + part->nameless);
    retrieval_part_settle(retrieval, part);
}

/* What it holds is a matter of the part that it is in, which is asked for as a whole. */
static void close_part(struct retrieval *retrieval, struct retrieval_part *part)
{
    part->open = false;
    retrieval_part_settle(retrieval, part);
}

/* From the series up. What is unnamed of a part below is accounted for: it is asked for. */
static void close_target(struct retrieval *retrieval, struct retrieval_target *target)
{
    for (int level = DICOMNET_QUERY_LEVEL_SERIES; level >= DICOMNET_QUERY_LEVEL_PATIENT; level--) {
        for (struct retrieval_part *part = target->first; part != NULL; part = part->next) {
            if ((int)part->level != level)
                continue;
            open_if_short(retrieval, part, part->below + part->known + part->unnamed_below);
            for (struct retrieval_part *above = part->within; above != NULL; above = above->within)
                above->below += part->known;
            if (part->within != NULL)
                part->within->unnamed_below += part->open ? part->unnamed : part->unnamed_below;
        }
    }
    for (struct retrieval_part *part = target->first; part != NULL; part = part->next)
        for (const struct retrieval_part *above = part->within; above != NULL && part->open; above = above->within)
            if (above->open)
                close_part(retrieval, part);
}

void retrieval_parts_close(struct retrieval *retrieval)
{
    for (struct retrieval_target *target = retrieval->list.first; target != NULL; target = target->next)
        close_target(retrieval, target);
}

/* ---- what a third party was sent ---- */

void retrieval_part_set_sent(struct retrieval *retrieval, struct retrieval_part *part, uint64_t count)
{
    uint64_t change = count - part->sent_unnamed; /* wraps around, and back, if there are fewer */
    part->sent_unnamed = count;
    retrieval->result.counts.stored += change;
    retrieval->result.counts.listed += change;
}

void retrieval_part_credit(struct retrieval *retrieval, struct retrieval_part *part, uint64_t count)
{
    part->credited += count;
    retrieval->result.counts.stored += count;
    retrieval->result.counts.missing -= count;
}

void retrieval_parts_take_credits_back(struct retrieval *retrieval)
{
    for (struct retrieval_target *target = retrieval->list.first; target != NULL; target = target->next) {
        for (struct retrieval_part *part = target->first; part != NULL; part = part->next) {
            retrieval->result.counts.stored -= part->credited;
            retrieval->result.counts.missing += part->credited;
            part->credited = 0;
        }
    }
}

/* ---- instances ---- */

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

void retrieval_instance_set_state(struct retrieval *retrieval, struct retrieval_instance *instance,
                                  enum retrieval_state state)
{
    count(retrieval, instance, -1);
    instance->state = state;
    count(retrieval, instance, 1);
}

struct retrieval_instance *retrieval_instance_find(const struct retrieval *retrieval, const char *uid)
{
    return (struct retrieval_instance *)table_find(&retrieval->list.instances, uid); /* the first member */
}

struct retrieval_instance *retrieval_instance_add(struct retrieval *retrieval, struct retrieval_part *part,
                                                  const char *uid, const char *class_uid, enum retrieval_state state)
{
    struct retrieval_list *list = &retrieval->list;
    struct retrieval_instance *instance = calloc(1, sizeof *instance + strlen(uid) + 1);
    if (instance == NULL)
        return NULL;
    memcpy(instance->uid, uid, strlen(uid) + 1);
    instance->part = part;
    instance->state = state;
    instance->class = class_uid[0] != '\0' ? find_class(list, class_uid) : NULL;
    if (table_add(&list->instances, &instance->node, instance->uid) != 0) {
        free(instance);
        return NULL;
    }
    *part->end = instance;
    part->end = &instance->next;
    part->known++;
    retrieval->result.counts.listed++;
    count(retrieval, instance, 1);
    return instance;
}

void retrieval_instance_note(struct retrieval_instance *instance, uint16_t status, const char *comment)
{
    free(instance->refused_comment);
    instance->refused_status = status;
    instance->refused_comment = strdup(comment != NULL ? comment : "");
}

/* ---- at the end ---- */

static void tell_one(struct retrieval *retrieval, const struct retrieval_missing *missing)
{
    retrieval->study_uid = missing->study_uid[0] != '\0' ? missing->study_uid : NULL;
    LOG(&retrieval->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_MISSING, LOG_TEXT("series", missing->series_uid),
        LOG_TEXT("instance", missing->instance_uid), LOG_NUMBER("count", missing->count),
        LOG_TEXT("text", missing->comment));
    if (retrieval->observer->missing != NULL)
        retrieval->observer->missing(retrieval->observer->user, missing);
    retrieval->study_uid = NULL;
}

static void tell_instance(struct retrieval *retrieval, const struct retrieval_part *part,
                          const struct retrieval_instance *instance)
{
    const struct retrieval_missing missing = {.study_uid = part->place.study_uid,
                                              .series_uid = part->place.series_uid,
                                              .instance_uid = instance->uid,
                                              .count = 1,
                                              .class_uid = instance->class != NULL ? instance->class->uid : "",
                                              .status = instance->refused_status,
                                              .comment = instance->refused_comment != NULL ? instance->refused_comment
                                                                                           : retrieval->failure_text};
    tell_one(retrieval, &missing);
}

/* Instances of it that have no name. */
static void tell_part(struct retrieval *retrieval, const struct retrieval_part *part, uint64_t count,
                      const char *comment)
{
    const struct retrieval_missing missing = {.study_uid = part->place.study_uid,
                                              .series_uid = part->place.series_uid,
                                              .instance_uid = "",
                                              .count = count,
                                              .class_uid = "",
                                              .comment = comment};
    tell_one(retrieval, &missing);
}

static void tell_unnamed(struct retrieval *retrieval, const struct retrieval_part *part)
{
    uint64_t seen = part->below + part->known + part->sent_unnamed;
    char text[400];
    if (part->out_of_reach)
        snprintf(text, sizeof text, "the peer's answer has no key by which it could be asked for");
    else if (part->unnamed + seen > 1)
        snprintf(text, sizeof text, "of %llu instances that the peer speaks of, %llu are accounted for%s%s",
                 (unsigned long long)(part->unnamed + seen), (unsigned long long)seen,
                 retrieval->failure_text[0] != '\0' ? "; " : "", retrieval->failure_text);
    else
        snprintf(text, sizeof text, "the peer does not say what it holds, and nothing came%s%s",
                 retrieval->failure_text[0] != '\0' ? "; " : "", retrieval->failure_text);
    tell_part(retrieval, part, part->unnamed, text);
}

/* How many of its own instances are wanted. */
static uint64_t count_wanted(const struct retrieval_part *part)
{
    uint64_t wanted = 0;
    for (const struct retrieval_instance *instance = part->first; instance != NULL; instance = instance->next)
        wanted += instance->state == INSTANCE_WANTED;
    return wanted;
}

/* A third party has got some of them, and nobody knows which. */
static void tell_credited(struct retrieval *retrieval, const struct retrieval_part *part, uint64_t wanted)
{
    char text[400];
    snprintf(text, sizeof text, "of %llu instances the peer has sent %llu, and does not say which%s%s",
             (unsigned long long)wanted, (unsigned long long)part->credited,
             retrieval->failure_text[0] != '\0' ? "; " : "", retrieval->failure_text);
    if (wanted > part->credited)
        tell_part(retrieval, part, wanted - part->credited, text);
}

static void tell_target(struct retrieval *retrieval, const struct retrieval_target *target)
{
    uint64_t wanted = 0;
    for (const struct retrieval_part *part = target->first; part != NULL; part = part->next)
        wanted += count_wanted(part) + part->unnamed;
    if (target->first->level != DICOMNET_QUERY_LEVEL_SERIES && target->first->credited > 0) {
        tell_credited(retrieval, target->first, wanted);
        return;
    }
    for (const struct retrieval_part *part = target->first; part != NULL; part = part->next) {
        if (part->credited > 0) {
            tell_credited(retrieval, part, count_wanted(part) + part->unnamed);
            continue;
        }
        for (const struct retrieval_instance *instance = part->first; instance != NULL; instance = instance->next)
            if (instance->state == INSTANCE_WANTED)
                tell_instance(retrieval, part, instance);
        if (part->unnamed > 0)
            tell_unnamed(retrieval, part);
    }
}

void retrieval_parts_tell_missing(struct retrieval *retrieval)
{
    for (const struct retrieval_target *target = retrieval->list.first; target != NULL; target = target->next)
        tell_target(retrieval, target);
}
