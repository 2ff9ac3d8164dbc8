/* claims - see claims.h. */
#include "engine/claims.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "instance/instance.h"

struct claim {
    struct list_node node; /* of `later` */
    struct record_claim question;
    struct claims *claims;
    struct work *work; /* owned while it is asked for, and while it waits */
    uint64_t again_ms; /* monotonic; when to ask again */
};

void claims_init(struct claims *claims, const struct record *record, struct plan *plan,
                 const struct claims_handler *handler, void *user)
{
    *claims = (struct claims){.record = record, .plan = plan, .handler = handler, .user = user};
    list_init(&claims->later);
}

static void end_instance(struct claims *claims, struct instance *instance, enum outcome_state state,
                         enum outcome_reason reason, int error)
{
    instance_set_end(instance, state, reason, error);
    claims->handler->ended(claims->user, instance);
}

/* ---- what becomes of a work that is not given ---- */

static void put_back(struct claims *claims, struct work *work)
{
    struct list_node *node;
    while ((node = list_pop(&work->instances)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        int error = plan_return(claims->plan, instance);
        if (error != 0)
            end_instance(claims, instance, OUTCOME_FAILED, REASON_OUT_OF_MEMORY, error);
    }
    (void)plan_finish(claims->plan, work, false);
}

static void end_work(struct claims *claims, struct work *work)
{
    struct list_node *node;
    while ((node = list_pop(&work->instances)) != NULL) {
        struct instance *instance = list_entry(node, struct instance, mail.node);
        instance_note(instance, "its study is another session's, with which this one shares its ledger");
        end_instance(claims, instance, OUTCOME_PENDING, REASON_NONE, 0);
    }
    (void)plan_finish(claims->plan, work, false);
}

/* The list is kept in the order of the times. */
static void wait_for(struct claims *claims, struct claim *claim)
{
    struct list_node *place = claims->later.head.prev;
    claim->again_ms = clock_monotonic_us() / 1000 + claim->question.again_ms;
    while (place != &claims->later.head && list_entry(place, struct claim, node)->again_ms > claim->again_ms)
        place = place->prev;
    list_insert_after(place, &claim->node);
}

static void release(struct claims *claims, const char *study_key)
{
    claims->record->release(claims->record->user, study_key);
}

/* Act on an answer. True if the work is to be given; else it has been taken care of. */
static bool act(struct claim *claim)
{
    struct claims *claims = claim->claims;
    struct work *work = claim->work;
    bool given = false;
    if (claim->question.problem != NULL) {
        claims->handler->record_failed(claims->user, claim->question.problem);
        put_back(claims, work);
    } else if (claim->question.answer == CLAIM_NOT_OURS) {
        end_work(claims, work);
    } else if (claims->stopped) {
        if (claim->question.answer == CLAIM_OURS)
            release(claims, claim->question.study_uid);
        put_back(claims, work);
    } else if (claim->question.answer == CLAIM_LATER) {
        wait_for(claims, claim);
        return false;
    } else {
        given = true;
    }
    free(claim);
    return given;
}

static void on_answered(struct record_claim *question)
{
    struct claim *claim = list_entry(question, struct claim, question);
    struct claims *claims = claim->claims;
    struct work *work = claim->work;
    int worker = work->study->worker;
    bool given = act(claim);
    claims->asked--;
    claims->handler->answered(claims->user, worker, given ? work : NULL);
}

enum claims_answer claims_ask(struct claims *claims, struct work *work)
{
    if (claims->record == NULL || claims->record->claim == NULL)
        return CLAIMS_GIVE;
    struct claim *claim = calloc(1, sizeof *claim);
    if (claim == NULL) {
        claims->handler->record_failed(claims->user, dicomnet_error_text(-ENOMEM));
        put_back(claims, work);
        return CLAIMS_NONE;
    }
    *claim = (struct claim){
        .question = {.study_uid = work->study->uid, .answered = on_answered}, .claims = claims, .work = work};
    claims->asked++;
    if (claims->record->claim(claims->record->user, &claim->question) == RECORD_LATER)
        return CLAIMS_WAIT;
    bool given = act(claim);
    claims->asked--;
    return given ? CLAIMS_GIVE : CLAIMS_NONE;
}

void claims_give_back(struct claims *claims, struct work *work)
{
    claims_release(claims, work->study->uid);
    put_back(claims, work);
}

void claims_release(struct claims *claims, const char *study_key)
{
    if (claims->record != NULL && claims->record->claim != NULL)
        release(claims, study_key);
}

/* ---- later ---- */

bool claims_retry(struct claims *claims, uint64_t now_ms)
{
    struct list_node *node;
    bool any = false;
    while ((node = list_first(&claims->later)) != NULL) {
        struct claim *claim = list_entry(node, struct claim, node);
        if (claim->again_ms > now_ms && !claims->stopped)
            break;
        list_remove(node);
        put_back(claims, claim->work);
        free(claim);
        any = true;
    }
    return any;
}

void claims_stop(struct claims *claims)
{
    claims->stopped = true;
    (void)claims_retry(claims, 0);
}

bool claims_is_idle(const struct claims *claims)
{
    return claims->asked == 0 && list_is_empty(&claims->later);
}
