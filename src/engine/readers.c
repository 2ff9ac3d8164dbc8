/*
 * readers - see readers.h.
 *
 *            ask            a thread takes it         it is read
 *   (none) -------> QUEUED -------------------> RUNNING ----------> DONE --finish, forget--> freed
 *                      |                           |
 *                      | forget                    | forget, or finish that waited too long
 *                      v                           v
 *                    freed                       LEFT ----------> freed by its thread
 *                                                      it is read
 */
#include "engine/readers.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/list.h"
#include "files/held_files.h"
#include "files/read_at.h"

enum reading_state {
    READING_QUEUED,  /* no thread has it yet */
    READING_RUNNING, /* a thread has it: all but `state` and `done` is the thread's */
    READING_DONE,    /* it waits for who asked for it */
    READING_LEFT     /* a thread has it, and nobody wants it */
};

static const unsigned successors[] = {
    [READING_QUEUED] = 1u << READING_RUNNING,
    [READING_RUNNING] = 1u << READING_DONE | 1u << READING_LEFT,
    [READING_DONE] = 0,
    [READING_LEFT] = 0,
};

struct reading {
    struct list_node node;  /* of the queue */
    struct list_node waits; /* of those that somebody waits for */
    enum reading_state state;
    uv_cond_t done;
    struct held_file *held; /* owned; NULL = it is to be opened */
    struct held_files *pool;
    bool opens; /* a file is reserved in the pool, to be opened */
    size_t len; /* bytes to read, reserved in the pool; 0 = none */
    size_t size;
    bool is_piece;
    uint64_t offset; /* of a piece, */
    uint8_t *bytes;  /* owned: what was read of it, */
    size_t got;      /* and how much */
    int error;
    uint64_t took_us;
    char path[];
};

struct readers {
    uv_mutex_t mutex;
    uv_cond_t wanted; /* something is queued, or it ends */
    uv_cond_t ended;  /* a thread has */
    struct list queue, waited;
    unsigned queued;
    unsigned threads, idle; /* all, and those of them with nothing to do */
    unsigned left;          /* readings that are READING_LEFT */
    unsigned holders;       /* the owner and all threads: the last frees it */
    bool stopped, stopped_now, ending;
    struct held_files *pool; /* counts the bytes */
};

/* The one place where the state changes; with the lock. */
static void enter(struct reading *reading, enum reading_state state)
{
    assert((successors[reading->state] & 1u << state) != 0);
    reading->state = state;
}

/* ---- one reading ---- */

static struct reading *make_reading(const char *path, struct held_files *pool)
{
    size_t path_size = strlen(path) + 1;
    struct reading *reading = calloc(1, sizeof *reading + path_size);
    if (reading == NULL)
        return NULL;
    if (uv_cond_init(&reading->done) != 0) {
        free(reading);
        return NULL;
    }
    memcpy(reading->path, path, path_size);
    reading->pool = pool;
    return reading;
}

static void free_reading(struct reading *reading)
{
    if (reading->len > 0)
        held_files_give_back(reading->pool, reading->len);
    if (reading->opens)
        held_files_give_file_back(reading->pool);
    free(reading->bytes);
    held_file_drop(reading->held);
    uv_cond_destroy(&reading->done);
    free(reading);
}

/* Open it. What it is now is for its source to judge. */
static int open_file(struct reading *reading, struct stat *ret_status)
{
    int fd = open(reading->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, ret_status) != 0 ? -errno : 0;
    if (error == 0 && (reading->held = held_file_create(reading->pool, fd, ret_status)) == NULL)
        error = -ENOMEM;
    if (error != 0 && fd >= 0)
        close(fd);
    reading->opens = error != 0;
    return error;
}

static void read_piece(struct reading *reading)
{
    reading->bytes = malloc(reading->size);
    ssize_t got =
        reading->bytes != NULL ? read_at(reading->held->fd, reading->bytes, reading->size, reading->offset) : -ENOMEM;
    reading->error = got < 0 ? (int)got : 0;
    reading->got = got < 0 ? 0 : (size_t)got;
}

static void read_file(struct reading *reading)
{
    uint64_t begun_us = clock_monotonic_us();
    struct stat status = {.st_mode = S_IFREG};
    if (reading->held != NULL)
        held_file_look(reading->held);
    else
        reading->error = open_file(reading, &status);
    if (reading->error == 0 && reading->len > 0 && S_ISREG(status.st_mode)) {
        reading->error = held_file_read(reading->held, reading->pool, reading->len);
        reading->len = 0; /* its bytes belong to the file */
    }
    if (reading->error == -EMFILE || reading->error == -ENFILE || reading->error == -ENOMEM)
        reading->error = 0;
    reading->took_us = clock_monotonic_us() - begun_us;
}

/* ---- the threads ---- */

/* With the lock, which is given up. */
static void leave(struct readers *readers)
{
    bool last = --readers->holders == 0;
    uv_mutex_unlock(&readers->mutex);
    if (!last)
        return;
    uv_cond_destroy(&readers->wanted);
    uv_cond_destroy(&readers->ended);
    uv_mutex_destroy(&readers->mutex);
    held_files_destroy(readers->pool);
    free(readers);
}

/* The next reading, now or in a while; NULL: none came, or it ends. With the lock. */
static struct reading *take_next(struct readers *readers)
{
    enum { IDLE_S = 2 };
    struct list_node *node;
    while ((node = list_pop(&readers->queue)) == NULL && !readers->ending) {
        readers->idle++;
        int waited = uv_cond_timedwait(&readers->wanted, &readers->mutex, IDLE_S * (uint64_t)1000000000);
        readers->idle--;
        if (waited == UV_ETIMEDOUT && list_is_empty(&readers->queue))
            break;
    }
    readers->queued -= node != NULL;
    return node != NULL ? list_entry(node, struct reading, node) : NULL;
}

static void *run(void *argument)
{
    struct readers *readers = argument;
    struct reading *reading;
    uv_mutex_lock(&readers->mutex);
    while ((reading = take_next(readers)) != NULL) {
        enter(reading, READING_RUNNING);
        uv_mutex_unlock(&readers->mutex);
        if (reading->is_piece) /* here it may hang */
            read_piece(reading);
        else
            read_file(reading);
        uv_mutex_lock(&readers->mutex);
        if (reading->state != READING_LEFT) {
            enter(reading, READING_DONE);
            uv_cond_signal(&reading->done);
            continue;
        }
        uv_mutex_unlock(&readers->mutex);
        free_reading(reading);
        uv_mutex_lock(&readers->mutex);
        readers->left--;
    }
    readers->threads--;
    uv_cond_signal(&readers->ended);
    leave(readers);
    return NULL;
}

/* One more, if that is allowed: nobody waits for its end. With the lock. */
static void start_thread(struct readers *readers)
{
    enum { STACK_SIZE = 512 * 1024 };
    pthread_attr_t attributes;
    pthread_t thread;
    if (readers->threads >= READERS_MAX + readers->left || readers->left > READERS_HANGING_MAX ||
        pthread_attr_init(&attributes) != 0)
        return;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&thread, &attributes, run, readers) == 0) {
        readers->threads++;
        readers->holders++;
    }
    pthread_attr_destroy(&attributes);
}

/* ---- beginning and end ---- */

struct readers *readers_create(unsigned files_max, size_t bytes_max)
{
    struct readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL)
        return NULL;
    readers->pool = held_files_create(files_max, bytes_max);
    readers->holders = 1;
    list_init(&readers->queue);
    list_init(&readers->waited);
    if (readers->pool != NULL && uv_mutex_init(&readers->mutex) == 0) {
        if (uv_cond_init(&readers->wanted) == 0) {
            if (uv_cond_init(&readers->ended) == 0)
                return readers;
            uv_cond_destroy(&readers->wanted);
        }
        uv_mutex_destroy(&readers->mutex);
    }
    held_files_destroy(readers->pool);
    free(readers);
    return NULL;
}

void readers_stop(struct readers *readers, bool now)
{
    if (readers == NULL)
        return;
    uv_mutex_lock(&readers->mutex);
    readers->stopped = true;
    readers->stopped_now = readers->stopped_now || now;
    for (struct list_node *node = list_first(&readers->waited); node != NULL; node = list_next(&readers->waited, node))
        uv_cond_signal(&list_entry(node, struct reading, waits)->done);
    uv_mutex_unlock(&readers->mutex);
}

void readers_destroy(struct readers *readers)
{
    enum { MOMENT_MS = 500 };
    if (readers == NULL)
        return;
    uint64_t until_us = clock_monotonic_us() + MOMENT_MS * 1000, now_us;
    uv_mutex_lock(&readers->mutex);
    assert(list_is_empty(&readers->queue));
    readers->ending = true;
    uv_cond_broadcast(&readers->wanted);
    while (readers->threads > 0 && (now_us = clock_monotonic_us()) < until_us)
        (void)uv_cond_timedwait(&readers->ended, &readers->mutex, (until_us - now_us) * 1000);
    leave(readers);
}

/* ---- for workers ---- */

static void queue(struct readers *readers, struct reading *reading)
{
    uv_mutex_lock(&readers->mutex);
    list_append(&readers->queue, &reading->node);
    if (++readers->queued > readers->idle)
        start_thread(readers);
    uv_cond_signal(&readers->wanted);
    uv_mutex_unlock(&readers->mutex);
}

struct reading *readers_ask(struct readers *readers, struct instance *instance)
{
    struct held_file *held = held_file_of(instance);
    uint64_t size = instance->file.size_bytes;
    size_t len = size < READERS_FIRST ? (size_t)size : READERS_FIRST;
    if (held != NULL && held->len >= len)
        len = 0;
    struct reading *reading = make_reading(instance->file.path, readers->pool);
    if (reading == NULL)
        return NULL;
    reading->opens = held == NULL && held_files_reserve_file(readers->pool);
    reading->len = reading->size = held_files_reserve(readers->pool, len) ? len : 0;
    if ((held == NULL && !reading->opens) || reading->len < len) {
        free_reading(reading);
        return NULL;
    }
    reading->held = held;
    instance->hold = NULL;
    queue(readers, reading);
    return reading;
}

struct reading *readers_ask_piece(struct readers *readers, struct held_file *held, uint64_t offset, size_t len)
{
    struct reading *reading = make_reading("", readers->pool);
    if (reading == NULL)
        return NULL;
    reading->len = reading->size = held_files_reserve(readers->pool, len) ? len : 0;
    if (reading->len < len) {
        free_reading(reading);
        return NULL;
    }
    reading->is_piece = true;
    reading->offset = offset;
    reading->held = held_file_share(held);
    queue(readers, reading);
    return reading;
}

size_t reading_size(const struct reading *reading)
{
    return reading->size;
}

/* With the lock, which is given up. It is freed, now or by its thread. */
static void forget(struct readers *readers, struct reading *reading)
{
    bool runs = reading->state == READING_RUNNING;
    if (runs) {
        enter(reading, READING_LEFT);
        readers->left++;
    } else if (reading->state == READING_QUEUED) {
        list_remove(&reading->node);
        readers->queued--;
    }
    uv_mutex_unlock(&readers->mutex);
    if (!runs)
        free_reading(reading);
}

void readers_forget(struct readers *readers, struct reading *reading)
{
    uv_mutex_lock(&readers->mutex);
    forget(readers, reading);
}

/* With the lock. 0 once it is done. */
static int wait_for(struct readers *readers, struct reading *reading, uint32_t timeout_ms)
{
    uint64_t begun_us = clock_monotonic_us();
    while (reading->state != READING_DONE) {
        uint64_t passed_ms = (clock_monotonic_us() - begun_us) / 1000;
        if (reading->is_piece ? readers->stopped_now : readers->stopped)
            return -ECANCELED;
        if (timeout_ms == 0)
            uv_cond_wait(&reading->done, &readers->mutex);
        else if (passed_ms < timeout_ms)
            (void)uv_cond_timedwait(&reading->done, &readers->mutex, (timeout_ms - passed_ms) * 1000000);
        else
            return -ETIMEDOUT;
    }
    return 0;
}

ssize_t readers_wait_piece(struct readers *readers, struct reading *reading, uint32_t timeout_ms,
                           const uint8_t **ret_bytes)
{
    uv_mutex_lock(&readers->mutex);
    list_append(&readers->waited, &reading->waits);
    int error = wait_for(readers, reading, timeout_ms);
    list_remove(&reading->waits);
    uv_mutex_unlock(&readers->mutex);
    if (error == 0)
        error = reading->error;
    *ret_bytes = reading->bytes;
    return error < 0 ? error : (ssize_t)reading->got;
}

int readers_finish(struct readers *readers, struct reading *reading, uint32_t timeout_ms, struct held_file **ret_held,
                   uint64_t *ret_took_us)
{
    *ret_held = NULL;
    *ret_took_us = 0;
    uv_mutex_lock(&readers->mutex);
    list_append(&readers->waited, &reading->waits);
    int error = wait_for(readers, reading, timeout_ms);
    list_remove(&reading->waits);
    if (error == 0) {
        error = reading->error;
        *ret_held = reading->held;
        *ret_took_us = reading->took_us;
        reading->held = NULL;
    }
    forget(readers, reading);
    return error;
}
