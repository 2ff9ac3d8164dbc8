/* interrupt - see interrupt.h. */
#include "programs/interrupt.h"

#include <stdbool.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
_Static_assert(sizeof numbers / sizeof numbers[0] == INTERRUPT_SIGNALS, "a place for each");

const char *interrupt_text(int number)
{
    return number == SIGTERM  ? "terminated (SIGTERM)"
           : number == SIGHUP ? "the terminal or the session was closed (SIGHUP)"
                              : "interrupted (SIGINT)";
}

/* Who starts a program with nohup wants it to go on. */
static bool is_wanted(int number)
{
    struct sigaction action;
    return number != SIGHUP || sigaction(number, NULL, &action) != 0 || action.sa_handler != SIG_IGN;
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct interrupt *interrupt = signal->data;
    interrupt->told(interrupt->user, number);
}

int interrupt_listen(struct interrupt *interrupt, uv_loop_t *loop, void (*told)(void *user, int signal), void *user)
{
    *interrupt = (struct interrupt){.told = told, .user = user};
    for (size_t i = 0; i < INTERRUPT_SIGNALS; i++) {
        if (!is_wanted(numbers[i]))
            continue;
        uv_signal_t *signal = &interrupt->signals[interrupt->open_count];
        int error = uv_signal_init(loop, signal);
        if (error != 0)
            return error;
        interrupt->open_count++;
        signal->data = interrupt;
        error = uv_signal_start(signal, on_signal, numbers[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

void interrupt_unref(struct interrupt *interrupt)
{
    for (size_t i = 0; i < interrupt->open_count; i++)
        uv_unref((uv_handle_t *)&interrupt->signals[i]);
}

static volatile sig_atomic_t *noted; /* where interrupt_note wants a signal noted; NULL: nowhere */

/* Handles a signal while no loop listens. It has no more to do: that a handler ran interrupts the call that blocks. */
static void on_unheard(int number)
{
    (void)number;
    if (noted != NULL)
        *noted = 1;
}

void interrupt_note(volatile sig_atomic_t *ret_noted)
{
    const struct sigaction unheard = {.sa_handler = on_unheard};
    noted = ret_noted;
    for (size_t i = 0; i < INTERRUPT_SIGNALS; i++)
        if (is_wanted(numbers[i]))
            sigaction(numbers[i], &unheard, NULL);
}

/* When the last handle of a signal closes, libuv restores the default action, which ends the process. The signals are
 * blocked until our own handler is in its place. */
void interrupt_close(struct interrupt *interrupt)
{
    const struct sigaction unheard = {.sa_handler = on_unheard};
    sigset_t ours, before;
    sigemptyset(&ours);
    for (size_t i = 0; i < INTERRUPT_SIGNALS; i++)
        sigaddset(&ours, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    for (size_t i = 0; i < interrupt->open_count; i++) {
        uv_close((uv_handle_t *)&interrupt->signals[i], NULL);
        sigaction(numbers[i], &unheard, NULL);
    }
    interrupt->open_count = 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
