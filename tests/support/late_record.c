/* late_record - see late_record.h. */
#include "late_record.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "instance/instance.h"

enum { HELD_MS = 5000 }; /* for the first answer, if no second question comes */

enum kind { RECALL_FILES, RECALL_TWINS, FLUSH, CLAIM };

struct question {
    uv_timer_t timer;
    struct late_record *late;
    enum kind kind;
    unsigned number; /* from 1 */
    unsigned kept;   /* flush: outcomes kept before it */
    union {
        struct record_recall *recall;
        struct record_flush *flush;
        struct record_claim *claim;
    } what;
};

unsigned late_record_number(const char *path)
{
    const char *slash = strrchr(path, '/');
    unsigned number = (unsigned)strtoul(slash != NULL ? slash + 1 : path, NULL, 10);
    return number < LATE_RECORD_FILES ? number : 0;
}

/* ---- answers ---- */

static void answer_files(struct late_record *late, struct record_recall *recall)
{
    for (size_t i = 0; i < recall->count; i++) {
        unsigned number = late_record_number(recall->files[i]->path);
        late->answered[number] = true;
        if (late->known_each == 0 || number % late->known_each != 0 || recall->problem != NULL)
            continue;
        recall->answers[i].instance = instance_create(recall->files[i]);
        if (recall->answers[i].instance == NULL)
            abort();
        recall->answers[i].instance->outcome.state = OUTCOME_STORED;
        recall->answers[i].instance->outcome.earlier = true;
    }
}

static void answer_claim(struct late_record *late, struct record_claim *claim)
{
    claim->again_ms = 5;
    if (claim->problem != NULL) {
        claim->answer = CLAIM_NOT_OURS;
    } else if (late->claims_later > 0) {
        late->claims_later--;
        claim->answer = CLAIM_LATER;
    } else {
        late->claimed++;
        bool ours = late->not_ours_each == 0 || late->claimed % late->not_ours_each != 0;
        claim->answer = ours ? CLAIM_OURS : CLAIM_NOT_OURS;
        late->released += !ours;
    }
}

static void free_question(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_time(uv_timer_t *timer)
{
    struct question *question = timer->data;
    struct late_record *late = question->late;
    const char *problem = question->number == late->fails_at ? LATE_RECORD_PROBLEM : NULL;
    late->under_way--;
    late->overtaken += question->number < late->last_answered;
    late->last_answered = question->number;
    if (late->held == question)
        late->held = NULL;
    else if (late->held != NULL)
        uv_timer_start(&late->held->timer, on_time, 0, 0);
    uv_close((uv_handle_t *)timer, free_question);
    switch (question->kind) {
    case RECALL_FILES:
        question->what.recall->problem = problem;
        answer_files(late, question->what.recall);
        question->what.recall->answered(question->what.recall);
        return;
    case RECALL_TWINS:
        question->what.recall->problem = problem;
        question->what.recall->answered(question->what.recall);
        return;
    case FLUSH:
        late->kept_unflushed -= question->kept;
        question->what.flush->problem = problem;
        question->what.flush->answered(question->what.flush);
        return;
    case CLAIM:
        question->what.claim->problem = problem;
        answer_claim(late, question->what.claim);
        question->what.claim->answered(question->what.claim);
        return;
    }
}

/* ---- questions ---- */

static struct question *ask(struct late_record *late, enum kind kind)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL || uv_timer_init(late->loop, &question->timer) != 0)
        abort();
    question->timer.data = question;
    question->late = late;
    question->kind = kind;
    question->number = ++late->questions;
    late->random = late->random * 1103515245u + 12345u;
    uint64_t delay_ms = late->slowest_ms > 0 ? (late->random >> 16) % (late->slowest_ms + 1) : 0;
    if (late->hold_first && question->number == 1) {
        late->held = question;
        delay_ms = HELD_MS;
    }
    if (uv_timer_start(&question->timer, on_time, delay_ms, 0) != 0)
        abort();
    if (++late->under_way > late->most)
        late->most = late->under_way;
    return question;
}

static enum record_when recall_files(void *user, struct record_recall *recall)
{
    struct late_record *late = user;
    for (size_t i = 0; i < recall->count; i++)
        late->asked[late_record_number(recall->files[i]->path)] = true;
    ask(late, RECALL_FILES)->what.recall = recall;
    return RECORD_LATER;
}

static enum record_when recall_twins(void *user, struct record_recall *recall)
{
    ask(user, RECALL_TWINS)->what.recall = recall;
    return RECORD_LATER;
}

static void keep(void *user, const struct instance *instance)
{
    struct late_record *late = user;
    late->kept[late_record_number(instance->file.path)]++;
    late->kept_unflushed++;
}

static enum record_when flush(void *user, struct record_flush *flush)
{
    struct late_record *late = user;
    struct question *question = ask(late, FLUSH);
    question->what.flush = flush;
    question->kept = late->kept_unflushed;
    return RECORD_LATER;
}

static enum record_when claim(void *user, struct record_claim *claim)
{
    ask(user, CLAIM)->what.claim = claim;
    return RECORD_LATER;
}

static void release(void *user, const char *study_uid)
{
    ((struct late_record *)user)->released++;
}

void late_record_init(struct late_record *late, struct uv_loop_s *loop)
{
    late->loop = loop;
    late->record = (struct record){.user = late,
                                   .path = "late",
                                   .recall_files = recall_files,
                                   .recall_twins = recall_twins,
                                   .keep = keep,
                                   .flush = flush,
                                   .claim = claim,
                                   .release = release};
}
