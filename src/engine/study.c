/* study - see study.h. */
#include "engine/study.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/instance.h"

static int append_pair(const struct context_pair ***list, size_t *count, size_t *size, const struct context_pair *pair)
{
    if (*count == *size) {
        size_t new_size = *size > 0 ? 2 * *size : 4;
        const struct context_pair **grown = realloc(*list, new_size * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        *list = grown;
        *size = new_size;
    }
    (*list)[(*count)++] = pair;
    return 0;
}

static bool pair_is_of(const struct context_pair *pair, const struct instance *instance)
{
    return strcmp(pair->class_uid, instance->file.class_uid) == 0 &&
           strcmp(pair->syntax_uid, instance->file.syntax_uid) == 0;
}

const struct context_pair *study_table_pair_of(struct study_table *table, const struct instance *instance)
{
    if (table->last_pair != NULL && pair_is_of(table->last_pair, instance))
        return table->last_pair;
    char key[2 * DICOMNET_UID_SIZE];
    snprintf(key, sizeof key, "%s %s", instance->file.class_uid, instance->file.syntax_uid);
    struct table_node *node = table_find(&table->pairs, key);
    if (node == NULL)
        return NULL;
    table->last_pair = list_entry(node, struct context_pair, node);
    return table->last_pair;
}

static const struct context_pair *find_or_make_pair(struct study_table *table, const struct instance *instance)
{
    const struct context_pair *known = study_table_pair_of(table, instance);
    if (known != NULL)
        return known;
    struct context_pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return NULL;
    snprintf(pair->class_uid, sizeof pair->class_uid, "%s", instance->file.class_uid);
    snprintf(pair->syntax_uid, sizeof pair->syntax_uid, "%s", instance->file.syntax_uid);
    snprintf(pair->key, sizeof pair->key, "%s %s", pair->class_uid, pair->syntax_uid);
    if (append_pair(&table->pair_list, &table->pair_count, &table->pair_size, pair) != 0) {
        free(pair);
        return NULL;
    }
    if (table_add(&table->pairs, &pair->node, pair->key) != 0) {
        table->pair_count--;
        free(pair);
        return NULL;
    }
    table->last_pair = pair;
    return pair;
}

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
    struct study *known = study_table_find(table, instance);
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
    const struct context_pair *pair = find_or_make_pair(table, instance);
    struct study *study = find_or_make_study(table, instance);
    if (pair == NULL || study == NULL) {
        study_table_drop_if_empty(table, study);
        return -ENOMEM;
    }
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
