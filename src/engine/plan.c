/*
 * plan - see plan.h.
 *
 * The heap is an ordinary binary max-heap over waiting_bytes; a study knows its place in it (heap_index, from 1), so
 * that it can rise when more of it is found.
 */
#include "engine/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/instance.h"

void plan_init(struct plan *plan, const struct fallback_policy *policy)
{
    *plan = (struct plan){.table.policy = *policy};
}

/* ---- the heap; places count from 1 ---- */

static void put_at(struct plan *plan, size_t place, struct study *study)
{
    plan->heap[place - 1] = study;
    study->heap_index = place;
}

static void rise(struct plan *plan, struct study *study)
{
    size_t place = study->heap_index;
    while (place > 1 && plan->heap[place / 2 - 1]->waiting_bytes < study->waiting_bytes) {
        put_at(plan, place, plan->heap[place / 2 - 1]);
        place /= 2;
    }
    put_at(plan, place, study);
}

static void sink(struct plan *plan, struct study *study)
{
    size_t place = study->heap_index;
    for (size_t child = 2 * place; child <= plan->heap_count; child = 2 * place) {
        if (child < plan->heap_count && plan->heap[child]->waiting_bytes > plan->heap[child - 1]->waiting_bytes)
            child++;
        if (plan->heap[child - 1]->waiting_bytes <= study->waiting_bytes)
            break;
        put_at(plan, place, plan->heap[child - 1]);
        place = child;
    }
    put_at(plan, place, study);
}

static int heap_insert(struct plan *plan, struct study *study)
{
    if (plan->heap_count == plan->heap_size) {
        size_t size = plan->heap_size > 0 ? 2 * plan->heap_size : 64;
        struct study **grown = realloc(plan->heap, size * sizeof(struct study *));
        if (grown == NULL)
            return -ENOMEM;
        plan->heap = grown;
        plan->heap_size = size;
    }
    plan->heap_count++;
    put_at(plan, plan->heap_count, study);
    rise(plan, study);
    return 0;
}

static struct study *heap_take(struct plan *plan, size_t place)
{
    struct study *taken = plan->heap[place - 1];
    struct study *last = plan->heap[--plan->heap_count];
    taken->heap_index = 0;
    if (last != taken) {
        put_at(plan, place, last);
        rise(plan, last);
        sink(plan, last);
    }
    return taken;
}

/* ---- instances in ---- */

int plan_return(struct plan *plan, struct instance *instance)
{
    struct study *study;
    int error = study_table_add(&plan->table, instance, &study);
    if (error != 0)
        return error;
    plan->waiting_count++;
    plan->waiting_bytes += instance_wire_len(instance);
    if (study->heap_index != 0)
        rise(plan, study);
    else if (study->worker == 0)
        error = heap_insert(plan, study);
    if (error != 0) { /* it waits in its study, unseen by plan_next: take it out again */
        list_remove(&instance->mail.node);
        study->waiting_count--;
        study->waiting_bytes -= instance_wire_len(instance);
        plan->waiting_count--;
        plan->waiting_bytes -= instance_wire_len(instance);
        study_table_drop_if_empty(&plan->table, study);
    }
    return error;
}

int plan_count(struct plan *plan, struct instance *instance)
{
    int error = study_table_note(&plan->table, instance);
    if (error != 0)
        return error;
    int added = uid_set_add(&plan->studies, study_key_of(instance));
    if (added < 0)
        return added;
    plan->total_count++;
    return 0;
}

int plan_add(struct plan *plan, struct instance *instance)
{
    int error = plan_count(plan, instance);
    if (error != 0)
        return error;
    error = plan_return(plan, instance);
    plan->total_count -= error != 0;
    return error;
}

/* ---- work out ---- */

bool plan_has_next(const struct plan *plan)
{
    return plan->heap_count > 0;
}

/* Move what is waiting in the study into the work, `most` at most and as long as the contexts do not become too many.
 */
static void fill_work(struct plan *plan, struct work *work, struct study *study, uint64_t most)
{
    const struct context_pair *last = NULL;
    struct list_node *next;
    for (struct list_node *node = list_first(&study->waiting); node != NULL && work->instance_count < most;
         node = next) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        next = list_next(&study->waiting, node);
        if (instance->pair != last && !proposal_add_ways(&work->proposal, instance->pair))
            continue;
        last = instance->pair;
        list_remove(node);
        list_append(&work->instances, node);
        work->instance_count++;
        work->bytes += instance_wire_len(instance);
    }
    work->needed_count = work->proposal.count;
    study->waiting_count -= work->instance_count;
    study->waiting_bytes -= work->bytes;
    plan->waiting_count -= work->instance_count;
    plan->waiting_bytes -= work->bytes;
}

/* What is waiting of a study that is in no heap, as work for this worker. NULL if there is no memory. */
static struct work *make_work(struct plan *plan, struct study *study, int worker, uint64_t most)
{
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return NULL;
    study->worker = worker;
    work->study = study;
    snprintf(work->study_uid, sizeof work->study_uid, "%s", study->is_class ? "" : study->uid);
    list_init(&work->instances);
    fill_work(plan, work, study, most);
    proposal_fill(&work->proposal, plan->table.pair_list, plan->table.pair_count);
    proposal_order(&work->proposal);
    return work;
}

/* Without memory the study stays out of the heap: plan_take_waiting still finds what waits in it. It is gone if nothing
 * waits. */
static void free_study(struct plan *plan, struct study *study)
{
    study->worker = 0;
    if (study->waiting_count > 0)
        (void)heap_insert(plan, study);
    else
        study_table_drop_if_empty(&plan->table, study);
}

static struct work *take_work(struct plan *plan, size_t place, int worker, uint64_t most)
{
    struct study *study = heap_take(plan, place);
    struct work *work = make_work(plan, study, worker, most);
    if (work == NULL)
        free_study(plan, study);
    return work;
}

struct work *plan_next(struct plan *plan, int worker)
{
    return plan->heap_count > 0 ? take_work(plan, 1, worker, UINT64_MAX) : NULL;
}

/* ---- of a peer that refuses ---- */

/* An instance waiting in the study that was never refused, looked for from place number `from` on; NULL = none. */
static struct list_node *find_untried(const struct study *study, uint64_t from)
{
    struct list_node *found = NULL;
    uint64_t place = 0;
    for (struct list_node *node = list_first(&study->waiting); node != NULL; node = list_next(&study->waiting, node)) {
        bool untried = list_entry(node, struct instance, mail.node)->trials.refused_row == 0;
        found = untried ? node : found;
        if (place++ >= from && found != NULL)
            break;
    }
    return found;
}

/* The place in the heap of the study that is tried next. */
static size_t choose_probe(const struct plan *plan, uint64_t row, unsigned turn)
{
    size_t untried = 0;
    for (size_t i = 0; i < plan->heap_count; i++) {
        size_t place = 1 + (turn + i) % plan->heap_count;
        const struct study *study = plan->heap[place - 1];
        if ((study->refused_row == row && untried != 0) || find_untried(study, 0) == NULL)
            continue;
        if (study->refused_row != row)
            return place;
        untried = place;
    }
    return untried != 0 ? untried : 1 + turn % plan->heap_count;
}

/* The first is tried at the end of what waits, as far as can be from what was just refused; the next anywhere. */
struct work *plan_next_probe(struct plan *plan, int worker, uint64_t row, unsigned turn)
{
    if (plan->heap_count == 0)
        return NULL;
    size_t place = choose_probe(plan, row, turn);
    struct study *study = plan->heap[place - 1];
    uint64_t from = turn == 0 ? study->waiting_count : (uint64_t)(turn * 2654435761u) % study->waiting_count;
    struct list_node *node = find_untried(study, from);
    if (node != NULL) {
        list_remove(node);
        list_prepend(&study->waiting, node);
    }
    return take_work(plan, place, worker, 1);
}

void plan_mark_refused(struct plan *plan, const struct instance *instance, uint64_t row)
{
    struct study *study = study_table_find(&plan->table, instance);
    if (study != NULL)
        study->refused_row = row;
}

enum breaker_rest plan_what_is_left(const struct plan *plan, uint64_t row)
{
    enum breaker_rest rest = REST_REFUSED;
    for (size_t i = 0; i < plan->heap_count; i++) {
        const struct study *study = plan->heap[i];
        if (find_untried(study, 0) == NULL)
            continue;
        if (study->refused_row != row)
            return REST_OTHERS;
        if (rest == REST_REFUSED || study->has_stored)
            rest = study->has_stored ? REST_MIXED : REST_SIBLINGS;
    }
    return rest;
}

bool plan_check_untried(const struct plan *plan, bool (*is_so)(void *user, struct instance *instance), void *user)
{
    for (size_t i = 0; i < plan->heap_count; i++) {
        const struct study *study = plan->heap[i];
        for (struct list_node *node = list_first(&study->waiting); node != NULL;
             node = list_next(&study->waiting, node)) {
            struct instance *instance = list_entry(node, struct instance, mail.node);
            if (instance->trials.refused_row == 0 && !is_so(user, instance))
                return false;
        }
    }
    return true;
}

/* ---- work home ---- */

struct work *plan_finish(struct plan *plan, struct work *work, bool stay)
{
    struct study *study = work->study;
    study->has_stored = study->has_stored || work->stored > 0;
    struct work *next = stay && study->waiting_count > 0 ? make_work(plan, study, study->worker, UINT64_MAX) : NULL;
    if (next == NULL)
        free_study(plan, study);
    free(work);
    return next;
}

struct instance *plan_take_waiting(struct plan *plan)
{
    struct table *studies = &plan->table.studies;
    for (; plan->take_chain < studies->chain_count && plan->waiting_count > 0; plan->take_chain++) {
        for (struct table_node *node = studies->chains[plan->take_chain]; node != NULL; node = node->next) {
            struct study *study = list_entry(node, struct study, node);
            struct list_node *first = list_pop(&study->waiting);
            if (first == NULL)
                continue;
            struct instance *instance = list_entry(first, struct instance, mail.node);
            study->waiting_count--;
            study->waiting_bytes -= instance_wire_len(instance);
            plan->waiting_count--;
            plan->waiting_bytes -= instance_wire_len(instance);
            return instance;
        }
    }
    return NULL;
}

void plan_fini(struct plan *plan)
{
    study_table_fini(&plan->table);
    uid_set_fini(&plan->studies);
    free(plan->heap);
    *plan = (struct plan){0};
}
