/* session_loop - see session_loop.h. */
#include "programs/session_loop.h"

#include <assert.h>

#include "engine/session.h"

static void on_signal(void *user, int number)
{
    struct session_loop *loop = user;
    if (loop->session == NULL)
        loop->interrupted = true;
    else if (++loop->signals == 1)
        session_stop(loop->session, interrupt_text(number), "a second Ctrl-C aborts them");
    else
        session_stop_now(loop->session, interrupt_text(number));
}

static void on_ended(void *user)
{
    ((struct session_loop *)user)->session = NULL;
}

int session_loop_open(struct session_loop *loop)
{
    if (loop->is_open)
        return 0;
    int error = uv_loop_init(&loop->loop);
    if (error != 0)
        return error;
    loop->is_open = true;
    error = interrupt_listen(&loop->interrupt, &loop->loop, on_signal, loop);
    interrupt_unref(&loop->interrupt);
    if (error != 0)
        session_loop_close(loop);
    return error;
}

int session_loop_run(struct session_loop *loop, const struct session_options *options,
                     const struct session_observer *observer, struct session_result *ret_result)
{
    int error = session_loop_open(loop);
    if (error != 0)
        return error;
    loop->signals = 0;
    error = session_start(&loop->session, &loop->loop, options, observer, ret_result, on_ended, loop);
    uv_run(&loop->loop, UV_RUN_DEFAULT); /* after an error: until what was begun is closed */
    assert(loop->session == NULL);
    return error;
}

bool session_loop_is_interrupted(struct session_loop *loop)
{
    uv_run(&loop->loop, UV_RUN_NOWAIT);
    return loop->interrupted;
}

void session_loop_close(struct session_loop *loop)
{
    if (!loop->is_open)
        return;
    interrupt_close(&loop->interrupt);
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    int error = uv_loop_close(&loop->loop);
    assert(error == 0);
    (void)error;
    loop->is_open = false;
}
