/*
 * ask_record - single questions to a record that answers at once, for tests.
 */
#ifndef SUPPORT_ASK_RECORD_H
#define SUPPORT_ASK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/record.h"
#include "instance/instance.h"

static inline struct record_answer ask_record(const struct record *record, const struct file_facts *file,
                                              enum record_when (*function)(void *user, struct record_recall *recall))
{
    struct record_recall recall = {.count = 1, .files = {file}};
    if (function != NULL && function(record->user, &recall) != RECORD_NOW)
        abort();
    return recall.answers[0];
}

/* The outcome that stands, or NULL. */
static inline struct instance *ask_file(const struct record *record, const struct file_facts *file)
{
    return ask_record(record, file, record->recall_files).instance;
}

/* True if an earlier session ended it for lack of room. */
static inline bool ask_refusal(const struct record *record, const struct file_facts *file)
{
    struct record_answer answer = ask_record(record, file, record->recall_files);
    instance_destroy(answer.instance);
    return answer.refused;
}

static inline struct instance *ask_twin(const struct record *record, const struct file_facts *file)
{
    return ask_record(record, file, record->recall_twins).instance;
}

/* NULL, or what went wrong. */
static inline const char *ask_flush(const struct record *record)
{
    struct record_flush flush = {.problem = NULL};
    if (record->flush(record->user, &flush) != RECORD_NOW)
        abort();
    return flush.problem;
}

#endif
