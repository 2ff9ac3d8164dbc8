/* outline - see outline.h. Sorting the entries by study brings together what belongs together. */
#include "engine/outline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/pdu.h"
#include "engine/study.h"
#include "engine/uid_set.h"
#include "files/seen.h"
#include "instance/instance.h"

int outline_add(struct outline *outline, const struct instance *instance, uint32_t place)
{
    if (outline->count == outline->size) {
        size_t size = outline->size > 0 ? 2 * outline->size : 1024;
        struct outline_entry *grown = realloc(outline->entries, size * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        outline->entries = grown;
        outline->size = size;
    }
    outline->entries[outline->count++] =
        (struct outline_entry){.study = uid_set_hash(study_key_of(instance)), .place = place};
    return 0;
}

void outline_fini(struct outline *outline)
{
    free(outline->entries);
    *outline = (struct outline){0};
}

/* ---- studies: runs of entries ---- */

struct run {
    uint64_t bytes;
    uint32_t first, count;
};

static int compare_entries(const void *left, const void *right)
{
    const struct outline_entry *a = left, *b = right;
    if (a->study != b->study)
        return a->study < b->study ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Most bytes first; then what was found first. */
static int compare_runs(const void *left, const void *right)
{
    const struct run *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static size_t count_runs(const struct outline *outline)
{
    size_t count = 0;
    for (size_t i = 0; i < outline->count; i++)
        count += i == 0 || outline->entries[i].study != outline->entries[i - 1].study;
    return count;
}

/* The runs of the sorted entries. 0, or the first error of a record: its bytes are not counted. */
static int make_runs(const struct outline *outline, const struct seen *seen, struct run *runs)
{
    struct instance *instance;
    int first_error = 0;
    for (size_t i = 0; i < outline->count; i++) {
        bool begins = i == 0 || outline->entries[i].study != outline->entries[i - 1].study;
        if (begins)
            *runs++ = (struct run){.first = (uint32_t)i};
        int error = seen_read(seen, outline->entries[i].place, &instance);
        runs[-1].count++;
        if (error == 0)
            runs[-1].bytes += instance_wire_len(instance);
        if (error == 0)
            instance_destroy(instance);
        else if (first_error == 0)
            first_error = error;
    }
    return first_error;
}

/* ---- telling one ---- */

/* As much of a study as goes over one association. */
struct piece {
    char study_uid[DICOMNET_UID_SIZE];
    uint64_t instances, bytes;
    size_t context_count;
    struct planned_context contexts[DICOMNET_PDU_CONTEXTS_MAX];
    char class_uids[DICOMNET_PDU_CONTEXTS_MAX][DICOMNET_UID_SIZE],
        syntax_uids[DICOMNET_PDU_CONTEXTS_MAX][DICOMNET_UID_SIZE];
};

/* False if its context is one too many. */
static bool add_to_piece(struct piece *piece, const struct instance *instance)
{
    size_t i = 0;
    while (i < piece->context_count && (strcmp(piece->class_uids[i], instance->file.class_uid) != 0 ||
                                        strcmp(piece->syntax_uids[i], instance->file.syntax_uid) != 0))
        i++;
    if (i == DICOMNET_PDU_CONTEXTS_MAX)
        return false;
    if (i == piece->context_count) {
        piece->context_count++;
        snprintf(piece->class_uids[i], DICOMNET_UID_SIZE, "%s", instance->file.class_uid);
        snprintf(piece->syntax_uids[i], DICOMNET_UID_SIZE, "%s", instance->file.syntax_uid);
        piece->contexts[i] = (struct planned_context){piece->class_uids[i], piece->syntax_uids[i]};
    }
    snprintf(piece->study_uid, sizeof piece->study_uid, "%s", instance->file.study_uid);
    piece->instances++;
    piece->bytes += instance_wire_len(instance);
    return true;
}

/* Gather a piece from the entries before `end`. Returns where it ends. */
static const struct outline_entry *gather(struct piece *piece, const struct seen *seen,
                                          const struct outline_entry *entry, const struct outline_entry *end)
{
    piece->instances = piece->bytes = piece->context_count = 0;
    for (; entry < end; entry++) {
        struct instance *instance;
        if (seen_read(seen, entry->place, &instance) != 0)
            continue;
        bool added = add_to_piece(piece, instance);
        instance_destroy(instance);
        if (!added)
            break;
    }
    return entry;
}

int outline_tell(struct outline *outline, const struct seen *seen,
                 void (*study)(void *user, const struct planned_study *study),
                 void (*instance)(void *user, struct instance *instance), void *user)
{
    if (outline->count == 0)
        return 0;
    qsort(outline->entries, outline->count, sizeof *outline->entries, compare_entries);
    size_t run_count = count_runs(outline);
    struct run *runs = calloc(run_count, sizeof *runs);
    struct piece *piece = calloc(1, sizeof *piece);
    int error = runs != NULL && piece != NULL ? make_runs(outline, seen, runs) : -ENOMEM;
    bool possible = runs != NULL && piece != NULL;
    if (possible)
        qsort(runs, run_count, sizeof *runs, compare_runs);
    for (size_t i = 0; possible && i < run_count; i++) {
        const struct outline_entry *entry = outline->entries + runs[i].first, *end = entry + runs[i].count;
        while (entry < end) {
            const struct outline_entry *piece_end = gather(piece, seen, entry, end);
            const struct planned_study planned = {.study_uid = piece->study_uid,
                                                  .instances = piece->instances,
                                                  .bytes = piece->bytes,
                                                  .context_count = piece->context_count,
                                                  .contexts = piece->contexts};
            if (study != NULL && piece->instances > 0)
                study(user, &planned);
            for (; entry < piece_end; entry++) {
                struct instance *read;
                if (seen_read(seen, entry->place, &read) == 0)
                    instance(user, read);
            }
        }
    }
    free(piece);
    free(runs);
    outline_fini(outline);
    return error;
}
