/*
 * inventory - see inventory.h.
 *
 * The counts always hold: listed = present + stored + missing.
 */
#include "fetch/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- made and forgotten ---- */

void inventory_init(struct inventory *inventory)
{
    *inventory = (struct inventory){0};
    inventory->end = &inventory->first;
}

static void free_part(struct inventory_part *part)
{
    for (struct inventory_instance *instance = part->first, *next; instance != NULL; instance = next) {
        next = instance->next;
        free(instance->refused_comment);
        free(instance);
    }
    free(part);
}

void inventory_fini(struct inventory *inventory)
{
    size_t cursor = 0;
    for (struct table_node *node; (node = table_pop(&inventory->classes, &cursor)) != NULL;)
        free(node); /* it is the first member */
    table_fini(&inventory->classes);
    table_fini(&inventory->instances);
    table_fini(&inventory->parts);
    for (struct inventory_target *target = inventory->first, *next; target != NULL; target = next) {
        next = target->next;
        for (struct inventory_part *part = target->first, *next_part; part != NULL; part = next_part) {
            next_part = part->next;
            free_part(part);
        }
        free(target);
    }
    inventory->first = NULL;
    inventory->end = &inventory->first;
}

struct inventory_target *inventory_add_target(struct inventory *inventory, enum dicomnet_query_level level)
{
    struct inventory_target *target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    target->level = level;
    target->end = &target->first;
    *inventory->end = target;
    inventory->end = &target->next;
    return target;
}

/* The key of a patient is its ID; of a study its UID, without the patient; of a series the UIDs of study and series. */
enum { PART_KEY_SIZE = 2 * KEY_SIZE + 2 };

static void make_key(enum dicomnet_query_level level, const struct inventory_place *place, char ret_key[PART_KEY_SIZE])
{
    if (level == DICOMNET_QUERY_LEVEL_PATIENT)
        snprintf(ret_key, PART_KEY_SIZE, "P%s", place->patient_id);
    else
        snprintf(ret_key, PART_KEY_SIZE, "%s\\%s", place->study_uid,
                 level == DICOMNET_QUERY_LEVEL_SERIES ? place->series_uid : "");
}

struct inventory_part *inventory_find_part(const struct inventory *inventory, enum dicomnet_query_level level,
                                           const struct inventory_place *place)
{
    char key[PART_KEY_SIZE];
    make_key(level, place, key);
    return (struct inventory_part *)table_find(&inventory->parts, key); /* the first member */
}

struct inventory_part *inventory_add_part(struct inventory *inventory, struct inventory_target *target,
                                          struct inventory_part *within, enum dicomnet_query_level level,
                                          const struct inventory_place *place)
{
    char key[PART_KEY_SIZE];
    make_key(level, place, key);
    struct inventory_part *part = calloc(1, sizeof *part + strlen(key) + 1);
    if (part == NULL)
        return NULL;
    memcpy(part->key, key, strlen(key) + 1);
    if (table_add(&inventory->parts, &part->node, part->key) != 0) {
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
    inventory->counts.series += level == DICOMNET_QUERY_LEVEL_SERIES;
    return part;
}

bool inventory_is_within(const struct inventory_part *part, const struct inventory_part *whole)
{
    for (; part != NULL; part = part->within)
        if (part == whole)
            return true;
    return false;
}

/* ---- what is not accounted for ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t count_unnamed(const struct inventory_part *part)
{
    uint64_t expected = larger(part->has_said ? part->said : 0, part->reported);
    uint64_t seen = part->below + part->known + part->sent_unnamed;
    if (!part->open)
        return 0;
    if (expected > seen)
        return expected - seen;
    /* If the peer has not said how much there is, only a success that brought something shows that nothing is left. */
    bool told = part->cut ? part->has_said && part->said > 0 : expected > 0;
    return told || (part->answered && seen > 0) ? 0 : 1;
}

void inventory_settle(struct inventory *inventory, struct inventory_part *part)
{
    struct retrieval_counts *counts = &inventory->counts;
    uint64_t unnamed = count_unnamed(part);
    uint64_t change = unnamed - part->unnamed; /* wraps around, and back, if there are fewer */
    part->unnamed = unnamed;
    inventory->unnamed += change;
    counts->unnamed += change;
    counts->listed += change;
    counts->missing += change;
}

static void open_if_short(struct inventory *inventory, struct inventory_part *part, uint64_t covered)
{
    part->open |= part->nameless > 0 || (part->has_said && part->said > covered);
    part->reported = larger(part->reported, part->below + part->known + part->unnamed_below + part->nameless);
    inventory_settle(inventory, part);
}

/* What it holds is a matter of the part that it is in, which is asked for as a whole. */
static void close_part(struct inventory *inventory, struct inventory_part *part)
{
    part->open = false;
    inventory_settle(inventory, part);
}

/* From the series up: what is unnamed of a part is asked for with that part, so the part above is not short of it. */
static void close_target(struct inventory *inventory, struct inventory_target *target)
{
    for (int level = DICOMNET_QUERY_LEVEL_SERIES; level >= DICOMNET_QUERY_LEVEL_PATIENT; level--) {
        for (struct inventory_part *part = target->first; part != NULL; part = part->next) {
            if ((int)part->level != level)
                continue;
            open_if_short(inventory, part, part->below + part->known + part->unnamed_below);
            for (struct inventory_part *above = part->within; above != NULL; above = above->within)
                above->below += part->known;
            if (part->within != NULL)
                part->within->unnamed_below += part->open ? part->unnamed : part->unnamed_below;
        }
    }
    for (struct inventory_part *part = target->first; part != NULL; part = part->next)
        for (const struct inventory_part *above = part->within; above != NULL && part->open; above = above->within)
            if (above->open)
                close_part(inventory, part);
}

void inventory_close(struct inventory *inventory)
{
    for (struct inventory_target *target = inventory->first; target != NULL; target = target->next)
        close_target(inventory, target);
}

/* ---- what a third party was sent ---- */

void inventory_set_sent(struct inventory *inventory, struct inventory_part *part, uint64_t count)
{
    uint64_t change = count - part->sent_unnamed; /* wraps around, and back, if there are fewer */
    part->sent_unnamed = count;
    inventory->counts.stored += change;
    inventory->counts.listed += change;
}

void inventory_credit(struct inventory *inventory, struct inventory_part *part, uint64_t count)
{
    part->credited += count;
    inventory->counts.stored += count;
    inventory->counts.missing -= count;
}

void inventory_take_credits_back(struct inventory *inventory)
{
    for (struct inventory_target *target = inventory->first; target != NULL; target = target->next) {
        for (struct inventory_part *part = target->first; part != NULL; part = part->next) {
            inventory->counts.stored -= part->credited;
            inventory->counts.missing += part->credited;
            part->credited = 0;
        }
    }
}

/* ---- instances ---- */

/* The class with this UID, new if need be; NULL if out of memory. */
static struct inventory_class *find_class(struct inventory *inventory, const char *uid)
{
    struct inventory_class *class =
        (struct inventory_class *)table_find(&inventory->classes, uid); /* the first member */
    if (class != NULL)
        return class;
    class = calloc(1, sizeof *class);
    if (class == NULL)
        return NULL;
    memcpy(class->uid, uid, strlen(uid) + 1);
    if (table_add(&inventory->classes, &class->node, class->uid) == 0)
        return class;
    free(class);
    return NULL;
}

static uint64_t *counter_of(struct retrieval_counts *counts, enum inventory_state state)
{
    return state == INSTANCE_WANTED ? &counts->missing : state == INSTANCE_PRESENT ? &counts->present : &counts->stored;
}

/* Count it in, or out. */
static void count(struct inventory *inventory, const struct inventory_instance *instance, int by)
{
    *counter_of(&inventory->counts, instance->state) += (uint64_t)by;
    if (instance->state == INSTANCE_WANTED && instance->class != NULL)
        instance->class->wanted += (uint64_t)by;
    else if (instance->state == INSTANCE_WANTED)
        inventory->unknown_class += (uint64_t)by;
}

void inventory_set_state(struct inventory *inventory, struct inventory_instance *instance, enum inventory_state state)
{
    count(inventory, instance, -1);
    instance->state = state;
    count(inventory, instance, 1);
}

struct inventory_instance *inventory_find_instance(const struct inventory *inventory, const char *uid)
{
    return (struct inventory_instance *)table_find(&inventory->instances, uid); /* the first member */
}

struct inventory_instance *inventory_add_instance(struct inventory *inventory, struct inventory_part *part,
                                                  const char *uid, const char *class_uid, enum inventory_state state)
{
    struct inventory_instance *instance = calloc(1, sizeof *instance + strlen(uid) + 1);
    if (instance == NULL)
        return NULL;
    memcpy(instance->uid, uid, strlen(uid) + 1);
    instance->part = part;
    instance->state = state;
    instance->class = class_uid[0] != '\0' ? find_class(inventory, class_uid) : NULL;
    if (table_add(&inventory->instances, &instance->node, instance->uid) != 0) {
        free(instance);
        return NULL;
    }
    *part->end = instance;
    part->end = &instance->next;
    part->known++;
    inventory->counts.listed++;
    count(inventory, instance, 1);
    return instance;
}

uint64_t inventory_count_wanted(const struct inventory_part *part)
{
    uint64_t wanted = 0;
    for (const struct inventory_instance *instance = part->first; instance != NULL; instance = instance->next)
        wanted += instance->state == INSTANCE_WANTED;
    return wanted;
}

void inventory_move(struct inventory *inventory, struct inventory_instance *instance, struct inventory_part *part)
{
    struct inventory_part *before = instance->part;
    before->known--;
    part->known++;
    instance->part = part;
    inventory_settle(inventory, before);
    inventory_settle(inventory, part);
}

void inventory_note(struct inventory_instance *instance, uint16_t status, const char *comment)
{
    free(instance->refused_comment);
    instance->refused_status = status;
    instance->refused_comment = strdup(comment != NULL ? comment : "");
}
