/* interrupt - see interrupt.h. */
#include "engine/interrupt.h"

#include <signal.h>

static const int numbers[] = {SIGINT, SIGTERM};
enum { COUNT = sizeof numbers / sizeof numbers[0] };

static void on_signal(uv_signal_t *signal, int number)
{
    struct interrupt *interrupt = signal->data;
    interrupt->told(interrupt->user, number);
}

int interrupt_listen(struct interrupt *interrupt, uv_loop_t *loop, void (*told)(void *user, int signal), void *user)
{
    *interrupt = (struct interrupt){.told = told, .user = user};
    for (size_t i = 0; i < COUNT; i++) {
        int error = uv_signal_init(loop, &interrupt->signals[i]);
        if (error != 0)
            return error;
        interrupt->open_count++;
        interrupt->signals[i].data = interrupt;
        error = uv_signal_start(&interrupt->signals[i], on_signal, numbers[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

/* It has no effect but that of a signal: it interrupts what blocks. */
static void on_late_signal(int number)
{
    (void)number;
}

/* libuv gives the signal back to what the system does with it, which is to kill: not for a moment. */
void interrupt_close(struct interrupt *interrupt)
{
    const struct sigaction late = {.sa_handler = on_late_signal};
    sigset_t ours, before;
    sigemptyset(&ours);
    for (size_t i = 0; i < COUNT; i++)
        sigaddset(&ours, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    for (size_t i = 0; i < interrupt->open_count; i++) {
        uv_close((uv_handle_t *)&interrupt->signals[i], NULL);
        sigaction(numbers[i], &late, NULL);
    }
    interrupt->open_count = 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
