/* study - see study.h. */
#include "engine/study.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/instance.h"

/* ---- pairs ---- */

/* The pair of this key, made if it is new; NULL = no memory. */
static struct context_pair *intern(struct study_table *table, const char *class_uid, const char *syntax_uid)
{
    char key[2 * DICOMNET_UID_SIZE];
    snprintf(key, sizeof key, "%s %s", class_uid, syntax_uid);
    struct table_node *node = table_find(&table->pairs, key);
    if (node != NULL)
        return list_entry(node, struct context_pair, node);
    struct context_pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return NULL;
    snprintf(pair->class_uid, sizeof pair->class_uid, "%s", class_uid);
    snprintf(pair->syntax_uid, sizeof pair->syntax_uid, "%s", syntax_uid);
    memcpy(pair->key, key, sizeof key);
    if (table_add(&table->pairs, &pair->node, pair->key) == 0)
        return pair;
    free(pair);
    return NULL;
}

static int append_found(struct study_table *table, struct context_pair *pair)
{
    if (table->pair_count == table->pair_size) {
        size_t size = table->pair_size > 0 ? 2 * table->pair_size : 4;
        struct context_pair **grown = realloc(table->pair_list, size * sizeof(struct context_pair *));
        if (grown == NULL)
            return -ENOMEM;
        table->pair_list = grown;
        table->pair_size = size;
    }
    table->pair_list[table->pair_count++] = pair;
    return 0;
}

/* An instance of this class lies in this syntax: find the ways in which such instances may go out. */
static int find_ways(struct study_table *table, struct context_pair *pair)
{
    const char *syntaxes[FALLBACK_MAX];
    size_t count = fallback_list(&table->policy, pair->syntax_uid, syntaxes);
    for (size_t i = 0; i < count; i++)
        if ((pair->ways[i] = intern(table, pair->class_uid, syntaxes[i])) == NULL)
            return -ENOMEM;
    int error = append_found(table, pair);
    if (error != 0)
        return error;
    pair->way_count = count;
    pair->is_found = true;
    return 0;
}

static bool pair_is_of(const struct context_pair *pair, const struct instance *instance)
{
    return strcmp(pair->class_uid, instance->file.class_uid) == 0 &&
           strcmp(pair->syntax_uid, instance->file.syntax_uid) == 0;
}

int study_table_note(struct study_table *table, struct instance *instance)
{
    struct context_pair *pair = table->last_pair;
    if (pair == NULL || !pair_is_of(pair, instance))
        pair = intern(table, instance->file.class_uid, instance->file.syntax_uid);
    int error = pair == NULL ? -ENOMEM : pair->is_found ? 0 : find_ways(table, pair);
    if (error != 0)
        return error;
    instance->pair = table->last_pair = pair;
    pair->instance_count++;
    pair->bytes += instance_wire_len(instance);
    return pair->way_count > 0 ? 0 : DICOMNET_ERROR_NO_CONTEXT;
}

/* ---- studies ---- */

/* No study and class have the same UID. */
static bool is_class(const struct instance *instance)
{
    return instance->file.study_uid[0] == '\0';
}

const char *study_key_of(const struct instance *instance)
{
    return is_class(instance) ? instance->file.class_uid : instance->file.study_uid;
}

struct study *study_table_find(const struct study_table *table, const struct instance *instance)
{
    struct table_node *node = table_find(&table->studies, study_key_of(instance));
    return node != NULL ? list_entry(node, struct study, node) : NULL;
}

static struct study *find_or_make_study(struct study_table *table, const struct instance *instance)
{
    /* Instances of a study mostly come one after the other. */
    struct study *known = table->last;
    if (known == NULL || strcmp(known->uid, study_key_of(instance)) != 0)
        known = study_table_find(table, instance);
    table->last = known;
    if (known != NULL)
        return known;
    struct study *study = calloc(1, sizeof *study);
    if (study == NULL)
        return NULL;
    snprintf(study->uid, sizeof study->uid, "%s", study_key_of(instance));
    study->is_class = is_class(instance);
    list_init(&study->waiting);
    if (table_add(&table->studies, &study->node, study->uid) != 0) {
        free(study);
        return NULL;
    }
    return study;
}

int study_table_add(struct study_table *table, struct instance *instance, struct study **ret_study)
{
    struct study *study = find_or_make_study(table, instance);
    assert(instance->pair != NULL);
    if (study == NULL)
        return -ENOMEM;
    list_append(&study->waiting, &instance->mail.node);
    study->waiting_count++;
    study->waiting_bytes += instance_wire_len(instance);
    *ret_study = study;
    return 0;
}

void study_table_drop_if_empty(struct study_table *table, struct study *study)
{
    if (study == NULL || study->worker != 0 || study->waiting_count > 0 || study->refused_row != 0)
        return;
    if (table->last == study)
        table->last = NULL;
    table_remove(&table->studies, &study->node);
    free(study);
}

void study_table_fini(struct study_table *table)
{
    struct table_node *node;
    size_t cursor = 0;
    while ((node = table_pop(&table->studies, &cursor)) != NULL) {
        struct study *study = list_entry(node, struct study, node);
        struct list_node *waiting;
        while ((waiting = list_pop(&study->waiting)) != NULL)
            instance_destroy(list_entry(waiting, struct instance, mail.node));
        free(study);
    }
    cursor = 0;
    while ((node = table_pop(&table->pairs, &cursor)) != NULL)
        free(list_entry(node, struct context_pair, node));
    table_fini(&table->studies);
    table_fini(&table->pairs);
    free(table->pair_list);
    *table = (struct study_table){0};
}
