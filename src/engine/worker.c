/*
 * worker - the thread and its inbox. What a worker does is in worker_machine.c.
 *
 * Everything here runs on the worker's own thread, but for worker_start, worker_post and worker_join.
 */
#include "engine/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "engine/worker_machine.h"

struct worker {
    uv_thread_t thread;
    uv_loop_t loop;
    struct mailbox inbox;
    struct mail exit_mail;
    struct worker_machine machine;
};

static void close_handles(struct worker *worker)
{
    worker_machine_close(&worker->machine);
    mailbox_close(&worker->inbox, NULL);
}

static void deliver(void *user, struct mail *mail)
{
    struct worker *worker = user;
    if (mail->kind == MAIL_EXIT)
        close_handles(worker);
    else
        worker_machine_take(&worker->machine, mail);
}

static void run(void *argument)
{
    struct worker *worker = argument;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* Its loop is there. What was opened is closed again if an error is returned. */
static int start_thread(struct worker *worker, int number, const struct worker_options *options)
{
    int error = mailbox_open(&worker->inbox, &worker->loop, deliver, worker);
    if (error != 0)
        return error;
    error = worker_machine_open(&worker->machine, &worker->loop, number, options);
    if (error != 0) {
        mailbox_close(&worker->inbox, NULL);
        return error;
    }
    error = uv_thread_create(&worker->thread, run, worker);
    if (error != 0)
        close_handles(worker);
    return error;
}

int worker_start(struct worker **ret_worker, int number, const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return -ENOMEM;
    int error = uv_loop_init(&worker->loop);
    if (error == 0) {
        error = start_thread(worker, number, options);
        if (error == 0) {
            *ret_worker = worker;
            return 0;
        }
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        uv_loop_close(&worker->loop);
    }
    free(worker);
    return error;
}

void worker_post(struct worker *worker, struct mail *mail)
{
    mailbox_post(&worker->inbox, mail);
}

void worker_join(struct worker *worker)
{
    worker->exit_mail.kind = MAIL_EXIT;
    worker_post(worker, &worker->exit_mail);
    uv_thread_join(&worker->thread);
    int error = uv_loop_close(&worker->loop);
    assert(error == 0);
    (void)error;
    free(worker);
}
