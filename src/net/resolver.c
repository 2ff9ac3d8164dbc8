/* resolver - see resolver.h. */
#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum { STACK_SIZE = 512 * 1024 /* getaddrinfo and what it loads (NSS modules) */ };

/*
 * What the thread and the resolver share. It belongs to the thread once it was left, and else to the resolver, once
 * the answer is there: that is decided under the lock.
 */
struct question {
    pthread_mutex_t lock;
    bool answered;    /* `code` and `addresses` are set, and `wake` was called */
    bool left;        /* nobody waits: `wake` must not be touched any more */
    uv_async_t *wake; /* the resolver's */
    int code;         /* as of getaddrinfo */
    struct addrinfo *addresses;
    char service[8];
    char host[]; /* as long as it is */
};

struct resolver {
    uv_async_t wake;
    struct question *question; /* NULL once it was answered, or left */
    const struct resolver_handler *handler;
    void *user;
};

static atomic_uint threads; /* that are looking something up, in this process */

static void free_question(struct question *question)
{
    if (question->addresses != NULL)
        freeaddrinfo(question->addresses);
    pthread_mutex_destroy(&question->lock);
    free(question);
}

/* ---- on its thread ---- */

static void *look_up(void *argument)
{
    struct question *question = argument;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(question->host, question->service, &hints, &addresses);
    atomic_fetch_sub(&threads, 1);

    pthread_mutex_lock(&question->lock);
    bool left = question->left;
    question->answered = true;
    question->code = code;
    question->addresses = code == 0 ? addresses : NULL;
    if (!left)
        (void)uv_async_send(question->wake);
    pthread_mutex_unlock(&question->lock);
    if (left)
        free_question(question);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(struct question *question)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (atomic_fetch_add(&threads, 1) >= RESOLVER_THREADS_MAX) {
        atomic_fetch_sub(&threads, 1);
        return -EAGAIN;
    }
    sigfillset(&all);
    pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, look_up, question);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0)
        atomic_fetch_sub(&threads, 1);
    return -error;
}

/* ---- on the loop's ---- */

static void on_closed(uv_handle_t *handle)
{
    struct resolver *resolver = handle->data;
    if (resolver->handler != NULL)
        resolver->handler->closed(resolver->user);
    free(resolver);
}

/* Look whether the answer is there. If not, and it is being left, the thread keeps the question. */
static bool take_answer(struct question *question, bool leave)
{
    pthread_mutex_lock(&question->lock);
    bool answered = question->answered;
    question->left = leave && !answered;
    pthread_mutex_unlock(&question->lock);
    return answered;
}

static void on_wake(uv_async_t *wake)
{
    struct resolver *resolver = wake->data;
    struct question *question = resolver->question;
    if (question == NULL || !take_answer(question, false))
        return;
    struct addrinfo *addresses = question->addresses;
    int code = question->code;
    bool unknown = code == EAI_NONAME || code == EAI_NODATA;
    question->addresses = NULL;
    resolver->question = NULL;
    free_question(question);
    resolver->handler->resolved(resolver->user,
                                code == 0 ? 0
                                : unknown ? DICOMNET_ERROR_HOST_UNKNOWN
                                          : DICOMNET_ERROR_LOOKUP_FAILED,
                                addresses);
}

static struct question *make_question(const char *host, uint16_t port, uv_async_t *wake)
{
    size_t size = strlen(host) + 1;
    struct question *question = calloc(1, sizeof *question + size);
    if (question == NULL)
        return NULL;
    memcpy(question->host, host, size);
    snprintf(question->service, sizeof question->service, "%u", port);
    pthread_mutex_init(&question->lock, NULL);
    question->wake = wake;
    return question;
}

int resolver_begin(struct resolver **ret_resolver, struct uv_loop_s *loop, const char *host, uint16_t port,
                   const struct resolver_handler *handler, void *user)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return -ENOMEM;
    int error = uv_async_init(loop, &resolver->wake, on_wake);
    if (error != 0) {
        free(resolver);
        return error;
    }
    resolver->wake.data = resolver;
    resolver->user = user;
    struct question *question = make_question(host, port, &resolver->wake);
    error = question != NULL ? start_thread(question) : -ENOMEM;
    if (error != 0) {
        if (question != NULL)
            free_question(question);
        uv_close((uv_handle_t *)&resolver->wake, on_closed); /* in silence: it has no handler yet */
        return error;
    }
    resolver->question = question;
    resolver->handler = handler;
    *ret_resolver = resolver;
    return 0;
}

void resolver_close(struct resolver *resolver)
{
    struct question *question = resolver->question;
    resolver->question = NULL;
    if (question != NULL && take_answer(question, true))
        free_question(question);
    uv_close((uv_handle_t *)&resolver->wake, on_closed);
}
