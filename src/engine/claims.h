/*
 * claims - where several sessions share a record (record.h), it is asked before a study goes to its worker whether it
 * is this session's to send. On the session's thread.
 *
 *   claims_ask --+-- ours ---------------------> its worker; claims_release when that has done with it
 *                +-- later: another session has it now --(again_ms)--> back in the plan, to be asked again
 *                +-- not ours -----------------> its instances end as pending
 *                +-- the record has a problem -> back in the plan; the session is to stop
 *
 * A record without `claim` gives every study at once and is never asked.
 */
#ifndef ENGINE_CLAIMS_H
#define ENGINE_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct instance;
struct plan;
struct record;
struct work;

struct claims_handler {
    /* The late answer to CLAIMS_WAIT: the work is this worker's; or, if NULL, there is none for it. */
    void (*answered)(void *user, int worker, struct work *work);
    /* An instance of a study that is not ours has its outcome. It is the receiver's now. */
    void (*ended)(void *user, struct instance *instance);
    /* The record cannot be asked: nothing more is to be sent. */
    void (*record_failed)(void *user, const char *problem);
};

struct claims {
    const struct record *record; /* NULL = nobody is asked */
    struct plan *plan;
    const struct claims_handler *handler;
    void *user;
    unsigned asked;    /* questions under way, and answers that are acted on */
    struct list later; /* struct claim: studies that another session has now, by when to ask again */
    bool stopped;
};

/* All is borrowed. */
void claims_init(struct claims *claims, const struct record *record, struct plan *plan,
                 const struct claims_handler *handler, void *user);

enum claims_answer {
    CLAIMS_GIVE, /* it is ours: give it to its worker */
    CLAIMS_WAIT, /* handler.answered will say: until then the worker is not free */
    CLAIMS_NONE  /* it has been taken care of: the worker is free */
};

/* Ask for the study of a work that the plan has just made (plan_next). handler.ended and handler.record_failed may come
 * from within. */
enum claims_answer claims_ask(struct claims *claims, struct work *work);

/* The worker has done with a study that was ours; `study_key` is what it is grouped by (study_key_of). */
void claims_release(struct claims *claims, const char *study_key);

/* A work that is ours cannot be given after all: its study is released, and it goes back into the plan. */
void claims_give_back(struct claims *claims, struct work *work);

/* What another session had, and is to be asked for again by now, goes back into the plan. True if there was any. */
bool claims_retry(struct claims *claims, uint64_t now_ms);

/* Ask for nothing more: what waits goes back into the plan, and so does what is answered from now on. */
void claims_stop(struct claims *claims);

/* No question is under way, and nothing waits to be asked for again. */
bool claims_is_idle(const struct claims *claims);

#endif
