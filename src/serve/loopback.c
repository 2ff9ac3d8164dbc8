/* loopback - see loopback.h. */
#include "serve/loopback.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "serve/receiver.h"

struct loopback {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t stop; /* the one handle the other thread touches */
    struct receiver *receiver;
};

static void on_stop(uv_async_t *async)
{
    struct loopback *loopback = async->data;
    uv_close((uv_handle_t *)async, NULL);
    receiver_close(loopback->receiver, NULL, NULL);
}

static void run(void *argument)
{
    struct loopback *loopback = argument;
    uv_run(&loopback->loop, UV_RUN_DEFAULT);
}

static int open_all(struct loopback *loopback)
{
    struct receiver_options options = {
        .acceptor = {.size = sizeof(struct dicomnet_acceptor_options),
                     .bind_address = "127.0.0.1",
                     .association = {.timeouts = dicomnet_association_default_timeouts}}};
    int error = uv_async_init(&loopback->loop, &loopback->stop, on_stop);
    if (error != 0)
        return error;
    loopback->stop.data = loopback;
    error = receiver_open(&loopback->receiver, &loopback->loop, &options, NULL, 0);
    if (error == 0) {
        error = uv_thread_create(&loopback->thread, run, loopback);
        if (error != 0)
            receiver_close(loopback->receiver, NULL, NULL);
    }
    if (error != 0)
        uv_close((uv_handle_t *)&loopback->stop, NULL);
    return error;
}

int loopback_start(struct loopback **ret_loopback, uint16_t *ret_port)
{
    struct loopback *loopback = calloc(1, sizeof *loopback);
    if (loopback == NULL)
        return -ENOMEM;
    int error = uv_loop_init(&loopback->loop);
    if (error != 0) {
        free(loopback);
        return error;
    }
    error = open_all(loopback);
    if (error != 0) {
        uv_run(&loopback->loop, UV_RUN_DEFAULT);
        uv_loop_close(&loopback->loop);
        free(loopback);
        return error;
    }
    *ret_loopback = loopback;
    *ret_port = receiver_port(loopback->receiver);
    return 0;
}

void loopback_stop(struct loopback *loopback)
{
    if (loopback == NULL)
        return;
    uv_async_send(&loopback->stop);
    uv_thread_join(&loopback->thread);
    int error = uv_loop_close(&loopback->loop);
    assert(error == 0);
    (void)error;
    free(loopback);
}
