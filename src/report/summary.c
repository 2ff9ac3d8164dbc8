/*
 * summary - see summary.h. This file collects; summary_json.c writes.
 *
 * Studies are found by an open-addressing hash of their UID: indices into one array, so that growing moves no study
 * twice and the document lists them in the order they came.
 */
#include "report/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "instance/instance.h"
#include "report/summary_data.h"

enum { FIRST_SLOTS = 256 };

int summary_create(struct summary **ret_summary, const char *session_id, const struct session_options *options,
                   const char *given, bool loopback, const struct forecast *forecast)
{
    struct summary *summary = calloc(1, sizeof *summary);
    char *id = strdup(session_id);
    if (summary == NULL || id == NULL) {
        free(summary);
        free(id);
        return -ENOMEM;
    }
    summary->session_id = id;
    summary->options = options;
    summary->given = given;
    summary->loopback = loopback;
    summary->forecast = forecast;
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        summary->files[state].end = &summary->files[state].first;
    *ret_summary = summary;
    return 0;
}

void summary_destroy(struct summary *summary)
{
    if (summary == NULL)
        return;
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++) {
        for (struct summary_file *file = summary->files[state].first, *next; file != NULL; file = next) {
            next = file->next;
            free(file);
        }
    }
    for (size_t i = 0; i < summary->study_count; i++)
        free(summary->studies[i].uid);
    free(summary->studies);
    free(summary->slots);
    pair_counts_fini(&summary->conversions);
    free(summary->associations);
    free(summary->session_id);
    free(summary);
}

/* The slot that holds `uid`, or the free one where it belongs. */
static size_t find_slot(const struct summary *summary, const char *uid)
{
    size_t mask = summary->slot_count - 1;
    size_t slot = hash_text(uid) & mask;
    while (summary->slots[slot] != 0 && strcmp(summary->studies[summary->slots[slot] - 1].uid, uid) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

/* Room for one more study, in the table (at most half full) and in the array. */
static bool grow_studies(struct summary *summary)
{
    if (summary->study_count * 2 < summary->slot_count)
        return true;
    size_t slot_count = summary->slot_count > 0 ? summary->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    struct summary_study *studies = realloc(summary->studies, slot_count / 2 * sizeof *studies);
    if (studies != NULL)
        summary->studies = studies;
    if (slots == NULL || studies == NULL) {
        free(slots);
        return false;
    }
    free(summary->slots);
    summary->slots = slots;
    summary->slot_count = slot_count;
    for (size_t i = 0; i < summary->study_count; i++)
        slots[find_slot(summary, summary->studies[i].uid)] = (uint32_t)i + 1;
    return true;
}

/* The study with this UID, new if need be; NULL if out of memory, or if there are too many to be listed. */
static struct summary_study *find_study(struct summary *summary, const char *uid)
{
    if (!grow_studies(summary))
        return NULL;
    size_t slot = find_slot(summary, uid);
    if (summary->slots[slot] != 0)
        return &summary->studies[summary->slots[slot] - 1];
    if (summary->study_count == SUMMARY_LISTED_MAX) {
        summary->studies_left_out = true;
        return NULL;
    }
    char *copy = strdup(uid);
    if (copy == NULL)
        return NULL;
    struct summary_study *study = &summary->studies[summary->study_count++];
    *study = (struct summary_study){.uid = copy};
    summary->slots[slot] = (uint32_t)summary->study_count;
    return study;
}

static bool add_to_study(struct summary *summary, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    struct summary_study *study = find_study(summary, instance->file.study_uid);
    if (study == NULL)
        return summary->studies_left_out;
    study->by_state[outcome->state]++;
    if (outcome->earlier)
        return true;
    if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED)
        study->bytes_stored += instance_wire_len(instance);
    if (outcome->attempts == 0 || outcome->ended_us == 0)
        return true;
    uint64_t begun_us = outcome->ended_us - outcome->write_us - outcome->wait_us;
    if (study->first_us == 0 || begun_us < study->first_us)
        study->first_us = begun_us;
    if (outcome->ended_us > study->last_us)
        study->last_us = outcome->ended_us;
    return true;
}

static bool add_file(struct summary *summary, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    struct summary_files *files = &summary->files[outcome->state];
    bool bounded = summary->options->record != NULL || (summary->options->dry_run && outcome->state == OUTCOME_PENDING);
    if (bounded && files->count == SUMMARY_LISTED_MAX) {
        summary->files_left_out[outcome->state] = true;
        return true;
    }
    const char *strings[SUMMARY_STRING_COUNT] = {
        [SUMMARY_PATH] = instance->file.path,
        [SUMMARY_STUDY] = instance->file.study_uid,
        [SUMMARY_INSTANCE] = instance->file.instance_uid,
        [SUMMARY_COMMENT] = outcome->comment,
        [SUMMARY_FACT] = instance->fact,
        [SUMMARY_SENT_SYNTAX] = outcome->sent_syntax,
    };
    size_t lengths[SUMMARY_STRING_COUNT], size = 0;
    for (int i = 0; i < SUMMARY_STRING_COUNT; i++)
        size += lengths[i] = strings[i] != NULL ? strlen(strings[i]) + 1 : 1;
    struct summary_file *file = malloc(sizeof *file + size);
    if (file == NULL)
        return false;
    *file = (struct summary_file){
        .size_bytes = instance->file.size_bytes,
        .offset = outcome->offset,
        .detail = outcome->detail,
        .association = instance->delivery.association,
        .error = outcome->error,
        .attempts = outcome->attempts,
        .status = outcome->status,
        .reason = (uint16_t)outcome->reason,
        .has_status = outcome->has_status,
        .earlier = outcome->earlier,
    };
    char *at = file->strings;
    for (int i = 0; i < SUMMARY_STRING_COUNT; i++) {
        memcpy(at, strings[i] != NULL ? strings[i] : "", lengths[i]);
        at += lengths[i];
    }
    *files->end = file;
    files->end = &file->next;
    files->count++;
    return true;
}

void summary_add_instance(struct summary *summary, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    bool stored = outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED;
    summary->by_state[outcome->state]++;
    summary->leading_zero_uids += outcome->leading_zero_uid;
    summary->bad_study_uids += outcome->bad_study_uid;
    summary->bad_series_uids += outcome->bad_series_uid;
    summary->unknown_vrs += outcome->unknown_vr;
    summary->zero_tails += outcome->zero_tail;
    summary->meta_differs += outcome->meta_differs;
    summary->lacks_memory |= conversions_add(&summary->conversions, instance) != 0;
    if (stored && !outcome->earlier)
        summary->bytes_stored += instance_wire_len(instance);
    /* A file without a Study Instance UID belongs to no study, unless the options let it be sent. */
    bool has_study = instance->file.study_uid != NULL && instance->file.study_uid[0] != '\0';
    if (instance->file.study_uid != NULL && (has_study || stored || outcome->attempts > 0))
        summary->lacks_memory |= !add_to_study(summary, instance);
    if (outcome->state != OUTCOME_STORED)
        summary->lacks_memory |= !add_file(summary, instance);
}

void summary_add_association(struct summary *summary, const struct association_figures *figures)
{
    if (summary->association_count == SUMMARY_LISTED_MAX) {
        summary->associations_left_out = true;
        return;
    }
    if (summary->association_count == summary->association_room) {
        size_t room = summary->association_room > 0 ? summary->association_room * 2 : 16;
        struct association_figures *more = realloc(summary->associations, room * sizeof *more);
        if (more == NULL) {
            summary->lacks_memory = true;
            return;
        }
        summary->associations = more;
        summary->association_room = room;
    }
    summary->associations[summary->association_count++] = *figures;
}
