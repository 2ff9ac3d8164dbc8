/* dispatcher - see dispatcher.h. */
#include "dispatcher.h"

#include <stdlib.h>
#include <string.h>

#include "insist.h"
#include "instance/instance.h"

static bool anyone_works(const struct dispatcher *dispatcher)
{
    for (unsigned i = 0; i < dispatcher->count; i++)
        if (dispatcher->works[i] != NULL)
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

void dispatcher_stop(struct dispatcher *dispatcher, bool now)
{
    for (unsigned i = 0; i < dispatcher->count; i++) {
        if (dispatcher->workers[i] == NULL || (dispatcher->stopping[i] && !now))
            continue;
        dispatcher->stopping[i] = true;
        post(dispatcher->workers[i], now ? MAIL_STOP_NOW : MAIL_STOP);
    }
}

static void hand_out(struct dispatcher *dispatcher)
{
    for (unsigned i = 0; i < dispatcher->count && plan_has_next(&dispatcher->plan); i++) {
        if (dispatcher->workers[i] == NULL || dispatcher->works[i] != NULL || dispatcher->stopping[i] ||
            dispatcher->backs_off[i])
            continue;
        dispatcher->works[i] = plan_next(&dispatcher->plan, (int)i + 1);
        INSIST(dispatcher->works[i] != NULL);
        dispatcher->works[i]->mail.kind = MAIL_WORK;
        worker_post(dispatcher->workers[i], &dispatcher->works[i]->mail);
    }
    if (dispatcher->plan.waiting_count == 0 && !anyone_works(dispatcher))
        dispatcher_stop(dispatcher, false);
}

static void take_instance(struct dispatcher *dispatcher, struct instance *instance)
{
    dispatcher->instances++;
    dispatcher->by_state[instance->outcome.state]++;
    if (instance->outcome.attempts > dispatcher->most_attempts)
        dispatcher->most_attempts = instance->outcome.attempts;
    if (dispatcher->on_instance != NULL)
        dispatcher->on_instance(dispatcher, instance);
    instance_destroy(instance);
}

/* A session's judgement in short: it is always the instance's own matter, and it need not wait. */
static void take_refused(struct dispatcher *dispatcher, struct instance *instance)
{
    struct mail *mail = malloc(sizeof *mail);
    INSIST(mail != NULL);
    mail->kind = MAIL_GO_ON;
    worker_post(dispatcher->workers[instance->delivery.worker - 1], mail);
    if (++instance->trials.refused <= dispatcher->options.retry) {
        INSIST(plan_return(&dispatcher->plan, instance) == 0);
        return;
    }
    instance->outcome.state = OUTCOME_FAILED;
    take_instance(dispatcher, instance);
}

static void take_work(struct dispatcher *dispatcher, struct work *work)
{
    unsigned i = (unsigned)work->study->worker - 1;
    INSIST(dispatcher->works[i] == work && list_is_empty(&work->instances));
    dispatcher->works[i] = NULL;
    if (dispatcher->rests)
        post(dispatcher->workers[i], MAIL_REST);
    (void)plan_finish(&dispatcher->plan, work, false);
}

static void take_notice(struct dispatcher *dispatcher, struct worker_notice *notice)
{
    unsigned i = (unsigned)notice->worker - 1;
    INSIST(i < dispatcher->count && dispatcher->workers[i] != NULL);
    switch ((enum session_mail)notice->mail.kind) {
    case MAIL_ENDED:
        dispatcher->backs_off[i] = notice->backs_off;
        dispatcher->last_end = *notice;
        if (dispatcher->on_ended != NULL)
            dispatcher->on_ended(dispatcher, notice);
        break;
    case MAIL_READY:
        dispatcher->backs_off[i] = false;
        break;
    case MAIL_OPENED:
    case MAIL_BUSY:
        break;
    case MAIL_REFUSED:
        dispatcher_stop(dispatcher, false);
        break;
    case MAIL_STOPPED:
        INSIST(dispatcher->stopping[i] && dispatcher->works[i] == NULL);
        worker_join(dispatcher->workers[i]);
        dispatcher->workers[i] = NULL;
        dispatcher->left--;
        break;
    default:
        INSIST(!"this is mail from a worker");
    }
    free(notice);
}

static void deliver(void *user, struct mail *mail)
{
    struct dispatcher *dispatcher = user;
    struct instance *instance = list_entry(mail, struct instance, mail);
    struct worker_log *log = list_entry(mail, struct worker_log, mail);
    dispatcher->came[mail->kind]++;
    switch ((enum session_mail)mail->kind) {
    case MAIL_INSTANCE:
        take_instance(dispatcher, instance);
        break;
    case MAIL_INSTANCE_REFUSED:
        take_refused(dispatcher, instance);
        break;
    case MAIL_INSTANCE_LOST:
    case MAIL_INSTANCE_BACK:
        INSIST(plan_return(&dispatcher->plan, instance) == 0);
        break;
    case MAIL_WORK_DONE:
        take_work(dispatcher, list_entry(mail, struct work, mail));
        break;
    case MAIL_LOG:
        free(log->record);
        free(log);
        return;
    default:
        take_notice(dispatcher, list_entry(mail, struct worker_notice, mail));
        break;
    }
    hand_out(dispatcher);
    if (dispatcher->left == 0)
        uv_stop(&dispatcher->loop);
}

void dispatcher_init(struct dispatcher *dispatcher, uint16_t port)
{
    memset(dispatcher, 0, sizeof *dispatcher);
    INSIST(uv_loop_init(&dispatcher->loop) == 0);
    INSIST(mailbox_open(&dispatcher->home, &dispatcher->loop, deliver, dispatcher) == 0);
    const struct dicomnet_association_parameters association = {.host = "127.0.0.1",
                                                                .port = port,
                                                                .called_ae = "ANY-SCP",
                                                                .calling_ae = "DISPATCHER",
                                                                .timeouts = dicomnet_association_default_timeouts};
    channel_dimse_peer_init(&dispatcher->peer, &association, 0);
    dispatcher->options = (struct worker_options){
        .peer = &dispatcher->peer.peer, .log_level = DICOMNET_LOG_DEBUG, .home = &dispatcher->home};
}

void dispatcher_run(struct dispatcher *dispatcher, unsigned count)
{
    struct instance *instance;
    dispatcher->options.threads = dispatcher->count = dispatcher->left = count;
    for (unsigned i = 0; i < count; i++)
        INSIST(worker_start(&dispatcher->workers[i], (int)i + 1, &dispatcher->options) == 0);
    hand_out(dispatcher);
    uv_run(&dispatcher->loop, UV_RUN_DEFAULT);
    mailbox_close(&dispatcher->home, NULL);
    uv_run(&dispatcher->loop, UV_RUN_DEFAULT);
    while ((instance = plan_take_waiting(&dispatcher->plan)) != NULL)
        take_instance(dispatcher, instance);
    plan_fini(&dispatcher->plan);
    INSIST(uv_loop_close(&dispatcher->loop) == 0);
}
