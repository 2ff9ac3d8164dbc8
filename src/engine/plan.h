/*
 * plan - which study goes next, and with which presentation contexts. On the main thread.
 *
 * Instances come one by one, so sending can begin before the scan has ended. The study with the most bytes waiting goes
 * first. A study belongs to one worker at a time: what turns up of it meanwhile waits for that same worker.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "engine/breaker.h"
#include "engine/proposal.h"
#include "engine/study.h"
#include "engine/uid_set.h"

struct instance;

/*
 * A piece of work: instances of one study for one worker. It is made by plan_next, travels to the worker and comes home
 * empty; plan_finish frees it.
 *
 * An association for it is asked for every way (study.h) of every instance of it, and, as far as there is room, for the
 * ways of other studies, so that it can be kept for them. First come the pairs in which something lies, then those that
 * things only become; in each kind those that are needed lead.
 */
struct work {
    struct mail mail;
    struct study *study;               /* for the plan alone: a worker does not look into it */
    char study_uid[DICOMNET_UID_SIZE]; /* "" if its instances are of no study, but of one class */
    struct list instances;
    uint64_t instance_count;
    uint64_t bytes;
    struct proposal proposal; /* its pairs are alive as long as the plan */
    size_t needed_count;      /* how many of them its instances need; the others are what is known to come next */
    uint64_t stored, failed;  /* filled in by the worker, for the log */
};

struct plan {
    struct study_table table;
    struct study **heap; /* studies with something waiting and no worker, most bytes first */
    size_t heap_count;
    size_t heap_size;
    uint64_t waiting_count; /* instances waiting, of all studies */
    uint64_t waiting_bytes;
    struct uid_set studies; /* all there ever were; studies.count of them */
    uint64_t total_count;   /* instances ever added */
    size_t take_chain;      /* how far plan_take_waiting has come */
};

/* All zero is an empty plan too: with a policy of which instances go out as they lie only. What it names is borrowed.
 */
void plan_init(struct plan *plan, const struct fallback_policy *policy);

/* Destroys the instances still waiting. */
void plan_fini(struct plan *plan);

/* Add an instance; it belongs to the plan until it is handed out. 0; -ENOMEM; or DICOMNET_ERROR_NO_CONTEXT if it may go
 * out in no transfer syntax at all. With an error it is still the caller's. */
int plan_add(struct plan *plan, struct instance *instance) DICOMNET_MUST_CHECK;

/* Count an instance that is not to be kept, as a dry run does. As plan_add, but it stays the caller's. */
int plan_count(struct plan *plan, struct instance *instance) DICOMNET_MUST_CHECK;

/* Take back an instance that was handed out and not sent. 0 or -ENOMEM (it is still the caller's then). */
int plan_return(struct plan *plan, struct instance *instance) DICOMNET_MUST_CHECK;

/* True if plan_next has something. */
bool plan_has_next(const struct plan *plan);

/* Work for worker number `worker`: of the study with the most bytes waiting. NULL if there is none, or no memory. */
struct work *plan_next(struct plan *plan, int worker);

/*
 * Work of one instance for worker number `worker`, to see whether the peer stores it: one that it has not refused yet,
 * if there is any, of a study of which it has refused none in this `row` of refusals, if there is any. Another `turn`
 * tries another place. NULL as above.
 */
struct work *plan_next_probe(struct plan *plan, int worker, uint64_t row, unsigned turn);

/* An instance, which is not waiting, was refused for lack of room in this row of refusals. */
void plan_mark_refused(struct plan *plan, const struct instance *instance, uint64_t row);

/* What is waiting, as seen in this row of refusals. */
enum breaker_rest plan_what_is_left(const struct plan *plan, uint64_t row);

/* True if `is_so` is true of every instance that is waiting and was not refused yet. It may change their trials. None
 * is asked behind the first for which it is false. */
bool plan_check_untried(const struct plan *plan, bool (*is_so)(void *user, struct instance *instance), void *user);

/*
 * The work came home (its list is empty); it is freed. If more of its study was found meanwhile and `stay` is set,
 * that is the next work for the same worker: it is returned. Otherwise NULL, and the study is free for any worker.
 */
struct work *plan_finish(struct plan *plan, struct work *work, bool stay);

/* Take out any waiting instance, NULL if there is none: for the end of a session that was stopped:
 * nothing is added or handed out once it has been called. */
struct instance *plan_take_waiting(struct plan *plan);

#endif
