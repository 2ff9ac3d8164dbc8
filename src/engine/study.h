/*
 * study - instances grouped by Study Instance UID, and the presentation contexts each group needs.
 *
 * Instances without a Study Instance UID (objects that belong to no patient, and what options let pass) are grouped by
 * SOP class: such a group is a study in all but name.
 *
 * A table of studies grows instance by instance, and holds only studies with something that waits or that a worker has:
 * what is done is forgotten, so that memory does not grow with the number of studies. Class and syntax UIDs are kept
 * once: an instance's pair of (SOP class, transfer syntax as stored) is a `struct context_pair` that lives as long as
 * the table, and so is each pair in which it may go out converted. What of it other threads read never changes once an
 * instance with that pair has been handed to them, so its address may be, too.
 */
#ifndef ENGINE_STUDY_H
#define ENGINE_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/table.h"
#include "dicomnet/error.h"
#include "dicomnet/uid.h"
#include "instance/fallback.h"

struct instance;

struct context_pair {
    struct table_node node; /* keyed by "class syntax" */
    char class_uid[DICOMNET_UID_SIZE];
    char syntax_uid[DICOMNET_UID_SIZE];
    char key[2 * DICOMNET_UID_SIZE];
    /* In which pairs of this class an instance with this one may go out, the best first; not empty. Itself is the first
     * of them, if it may be proposed at all. None in a pair in which nothing lies: things only become it. */
    size_t way_count;
    const struct context_pair *ways[FALLBACK_MAX];

    bool is_found; /* this and the next are for the table alone: something lies so, */
    uint64_t instance_count, bytes;
};

struct study {
    struct table_node node;      /* of the table, by uid */
    char uid[DICOMNET_UID_SIZE]; /* of a group by class: the SOP Class UID */
    bool is_class;
    struct list waiting; /* instances that nobody works on yet */
    uint64_t waiting_count;
    uint64_t waiting_bytes;
    uint64_t refused_row; /* the row of refusals (engine/breaker.h) in which one of it was refused last; 0 = none */
    bool has_stored;      /* some of it was stored in this session */
    int worker;           /* number of the worker it belongs to, 0 = none */
    size_t heap_index;    /* in the plan's heap + 1, 0 = not in it */
};

struct study_table {
    struct fallback_policy policy; /* what it names is borrowed */
    struct table studies;
    struct study *last; /* that was asked for, or NULL */
    struct table pairs;
    size_t pair_count;
    size_t pair_size;
    struct context_pair **pair_list; /* in which something lies, in the order they were found */
    struct context_pair *last_pair;  /* of the last instance: the next one's is most likely the same */
};

/* All zero is an empty table, of instances that go out as they lie or not at all. Instances still waiting in it are
 * destroyed. */
void study_table_fini(struct study_table *table);

/*
 * Note the pair of an instance, in instance->pair, and count it there. 0, -ENOMEM, or DICOMNET_ERROR_NO_CONTEXT if it
 * may go out in no transfer syntax at all.
 */
int study_table_note(struct study_table *table, struct instance *instance) DICOMNET_MUST_CHECK;

/*
 * Add an instance that can be sent, whose pair was noted: it goes to the end of its study's waiting list and belongs to
 * the study. The study is made if it is new. 0 with *ret_study, or -ENOMEM (the instance stays the caller's).
 */
int study_table_add(struct study_table *table, struct instance *instance, struct study **ret_study) DICOMNET_MUST_CHECK;

/* The study of an instance that was added; NULL if it has been forgotten since (study_table_drop_if_empty). */
struct study *study_table_find(const struct study_table *table, const struct instance *instance);

/* The UID that an instance is grouped by: its study's, or its class's if it has none. Borrowed from it. */
const char *study_key_of(const struct instance *instance);

/* Forget a study that no worker has, of which nothing waits and nothing was refused, else do nothing; it is in no heap.
 * NULL is fine. */
void study_table_drop_if_empty(struct study_table *table, struct study *study);

#endif
