/* slow_output - see slow_output.h. */
#include "programs/slow_output.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

enum { BUFFER_SIZE = 64 * 1024 };

/* A second signal interrupts the poll: the first one is left for the loop, and not looked for again. */
static bool wait_for_reader(struct slow_output *output)
{
    while (!output->given_up) {
        struct pollfd fds[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                               {.fd = output->asked ? -1 : uv_backend_fd(&output->signals), .events = POLLIN}};
        uint64_t now_us = clock_monotonic_us();
        int left_ms = !output->asked                 ? -1
                      : now_us >= output->give_up_us ? 0
                                                     : (int)((output->give_up_us - now_us + 999) / 1000);
        int ready = poll(fds, sizeof fds / sizeof fds[0], left_ms);
        if (ready > 0 && fds[0].revents != 0)
            return true;
        if (ready > 0) {
            output->asked = true;
            output->give_up_us = clock_monotonic_us() + (uint64_t)output->patience_ms * 1000;
        } else if (ready == 0 || errno != EINTR) {
            output->given_up = true;
        } else {
            output->given_up = output->asked;
        }
    }
    return false;
}

/* What poll calls writable takes PIPE_BUF bytes without blocking, and no more is sure. */
static ssize_t write_all(void *cookie, const char *bytes, size_t len)
{
    struct slow_output *output = cookie;
    size_t done = 0;
    while (done < len && wait_for_reader(output)) {
        size_t size = len - done < PIPE_BUF ? len - done : PIPE_BUF;
        ssize_t written = write(STDOUT_FILENO, bytes + done, size);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return (ssize_t)done;
        done += written > 0 ? (size_t)written : 0;
    }
    if (done < len)
        errno = EINTR;
    return (ssize_t)done;
}

int slow_output_open(struct slow_output *output, uint32_t patience_ms, void (*told)(void *user, int signal), void *user)
{
    static char buffer[BUFFER_SIZE];
    *output = (struct slow_output){.patience_ms = patience_ms};
    int error = uv_loop_init(&output->signals);
    if (error != 0)
        return error;
    error = interrupt_listen(&output->interrupt, &output->signals, told, user);
    if (error == 0) {
        output->file = fopencookie(output, "w", (cookie_io_functions_t){.write = write_all});
        error = output->file == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        slow_output_close(output);
        return error;
    }
    setvbuf(output->file, buffer, _IOFBF, sizeof buffer);
    uv_run(&output->signals, UV_RUN_NOWAIT); /* only a loop that has run has what it waits for in its descriptor */
    return 0;
}

static void on_signals(uv_poll_t *poll, int status, int events)
{
    struct slow_output *output = poll->data;
    (void)status;
    (void)events;
    uv_run(&output->signals, UV_RUN_NOWAIT);
}

int slow_output_watch(struct slow_output *output, uv_loop_t *loop)
{
    int error = uv_poll_init(loop, &output->poll, uv_backend_fd(&output->signals));
    if (error != 0)
        return error;
    output->poll.data = output;
    return uv_poll_start(&output->poll, UV_READABLE, on_signals);
}

void slow_output_unwatch(struct slow_output *output)
{
    uv_close((uv_handle_t *)&output->poll, NULL);
}

void slow_output_close(struct slow_output *output)
{
    if (output->file != NULL)
        fclose(output->file);
    output->file = NULL;
    interrupt_close(&output->interrupt);
    uv_run(&output->signals, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&output->signals);
    assert(closed == 0);
    (void)closed;
}
