/* crew - see crew.h. */
#include "crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/instance.h"

#define INSIST(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static bool anyone_works(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->works[i] != NULL)
            return true;
    return false;
}

static void post(struct worker *worker, enum worker_mail kind)
{
    struct mail *mail = malloc(sizeof *mail);
    INSIST(mail != NULL);
    mail->kind = (int)kind;
    worker_post(worker, mail);
}

void crew_stop(struct crew *crew, bool now)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->workers[i] == NULL || (crew->stopping[i] && !now))
            continue;
        crew->stopping[i] = true;
        post(crew->workers[i], now ? MAIL_STOP_NOW : MAIL_STOP);
    }
}

static void hand_out(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count && plan_has_next(&crew->plan); i++) {
        if (crew->workers[i] == NULL || crew->works[i] != NULL || crew->stopping[i] || crew->backs_off[i])
            continue;
        crew->works[i] = plan_next(&crew->plan, (int)i + 1);
        INSIST(crew->works[i] != NULL);
        crew->works[i]->mail.kind = MAIL_WORK;
        worker_post(crew->workers[i], &crew->works[i]->mail);
    }
    if (crew->plan.waiting_count == 0 && !anyone_works(crew))
        crew_stop(crew, false);
}

static void take_instance(struct crew *crew, struct instance *instance)
{
    crew->instances++;
    crew->by_state[instance->outcome.state]++;
    if (instance->outcome.attempts > crew->most_attempts)
        crew->most_attempts = instance->outcome.attempts;
    if (crew->on_instance != NULL)
        crew->on_instance(crew, instance);
    instance_destroy(instance);
}

/* A session's judgement in short: it is always the instance's own matter, and it need not wait. */
static void take_refused(struct crew *crew, struct instance *instance)
{
    struct mail *mail = malloc(sizeof *mail);
    INSIST(mail != NULL);
    mail->kind = MAIL_GO_ON;
    worker_post(crew->workers[instance->outcome.worker - 1], mail);
    if (++instance->trials.refused <= crew->options.retry) {
        INSIST(plan_return(&crew->plan, instance) == 0);
        return;
    }
    instance->outcome.state = OUTCOME_FAILED;
    take_instance(crew, instance);
}

static void take_work(struct crew *crew, struct work *work)
{
    unsigned i = (unsigned)work->study->worker - 1;
    INSIST(crew->works[i] == work && list_is_empty(&work->instances));
    crew->works[i] = NULL;
    crew->works_done++;
    if (crew->rests)
        post(crew->workers[i], MAIL_REST);
    (void)plan_finish(&crew->plan, work, false);
}

static void take_notice(struct crew *crew, struct worker_notice *notice)
{
    unsigned i = (unsigned)notice->worker - 1;
    INSIST(i < crew->count && crew->workers[i] != NULL);
    switch ((enum session_mail)notice->mail.kind) {
    case MAIL_OPENED:
        crew->opened++;
        break;
    case MAIL_ENDED:
        crew->ended++;
        crew->backs_off[i] = notice->backs_off;
        crew->last_end = *notice;
        if (crew->on_ended != NULL)
            crew->on_ended(crew, notice);
        break;
    case MAIL_READY:
        crew->ready++;
        crew->backs_off[i] = false;
        break;
    case MAIL_BUSY:
        crew->busy++;
        break;
    case MAIL_REFUSED:
        crew->refused++;
        crew_stop(crew, false);
        break;
    case MAIL_STOPPED:
        INSIST(crew->stopping[i] && crew->works[i] == NULL);
        worker_join(crew->workers[i]);
        crew->workers[i] = NULL;
        crew->left--;
        break;
    default:
        INSIST(!"this is mail from a worker");
    }
    free(notice);
}

static void deliver(void *user, struct mail *mail)
{
    struct crew *crew = user;
    switch ((enum session_mail)mail->kind) {
    case MAIL_INSTANCE:
        take_instance(crew, list_entry(mail, struct instance, mail));
        break;
    case MAIL_INSTANCE_REFUSED:
        take_refused(crew, list_entry(mail, struct instance, mail));
        break;
    case MAIL_INSTANCE_LOST:
        INSIST(plan_return(&crew->plan, list_entry(mail, struct instance, mail)) == 0);
        break;
    case MAIL_INSTANCE_BACK:
        crew->given_back++;
        INSIST(plan_return(&crew->plan, list_entry(mail, struct instance, mail)) == 0);
        break;
    case MAIL_WORK_DONE:
        take_work(crew, list_entry(mail, struct work, mail));
        break;
    case MAIL_LOG:
        free(list_entry(mail, struct worker_log, mail)->record);
        free(list_entry(mail, struct worker_log, mail));
        return;
    default:
        take_notice(crew, list_entry(mail, struct worker_notice, mail));
        break;
    }
    hand_out(crew);
    if (crew->left == 0)
        uv_stop(&crew->loop);
}

void crew_init(struct crew *crew, uint16_t port)
{
    memset(crew, 0, sizeof *crew);
    INSIST(uv_loop_init(&crew->loop) == 0);
    INSIST(mailbox_open(&crew->home, &crew->loop, deliver, crew) == 0);
    crew->options = (struct worker_options){.host = "127.0.0.1",
                                            .port = port,
                                            .called_ae = "ANY-SCP",
                                            .calling_ae = "CREW",
                                            .timeouts = dicomnet_association_default_timeouts,
                                            .log_level = DICOMNET_LOG_DEBUG,
                                            .home = &crew->home};
}

void crew_run(struct crew *crew, unsigned count)
{
    struct instance *instance;
    crew->options.threads = crew->count = crew->left = count;
    for (unsigned i = 0; i < count; i++)
        INSIST(worker_start(&crew->workers[i], (int)i + 1, &crew->options) == 0);
    hand_out(crew);
    uv_run(&crew->loop, UV_RUN_DEFAULT);
    mailbox_close(&crew->home, NULL);
    uv_run(&crew->loop, UV_RUN_DEFAULT);
    while ((instance = plan_take_waiting(&crew->plan)) != NULL)
        take_instance(crew, instance);
    plan_fini(&crew->plan);
    INSIST(uv_loop_close(&crew->loop) == 0);
}
