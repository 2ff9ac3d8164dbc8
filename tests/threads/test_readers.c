/*
 * Workers have files read by the threads they share: each gets its own bytes, what is bounded is bounded, what nobody
 * wants any more is freed, and no wait outlives the word to stop. What hangs: tests/faults/test_slow_storage.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "engine/readers.h"
#include "expect.h"
#include "files/held_files.h"
#include "instance/instance.h"

enum { FILES = 40, WORKERS = 4, ROUNDS = 300, AHEAD = 6 };

static char folder[] = "/tmp/readers-XXXXXX";
static char paths[FILES][64];
static struct stat statuses[FILES];

static size_t size_of(unsigned number)
{
    return number % 7 == 0 ? READERS_FIRST + 1000 : 1 + number * 777;
}

static void make_files(void)
{
    REQUIRE(mkdtemp(folder) != NULL, "%s", strerror(errno));
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%u", folder, i);
        FILE *file = fopen(paths[i], "w");
        REQUIRE(file != NULL, "%s", strerror(errno));
        for (size_t at = 0; at < size_of(i); at++)
            fputc((int)(i + at % 251), file);
        fclose(file);
        REQUIRE(stat(paths[i], &statuses[i]) == 0, "%s", strerror(errno));
    }
}

static void remove_files(void)
{
    for (unsigned i = 0; i < FILES; i++)
        unlink(paths[i]);
    rmdir(folder);
}

static struct instance *make_instance(unsigned number)
{
    struct file_facts facts = {.path = paths[number],
                               .size_bytes = size_of(number),
                               .mtime_ns = (int64_t)statuses[number].st_mtim.tv_sec * 1000000000 +
                                           statuses[number].st_mtim.tv_nsec};
    struct instance *instance = instance_create(&facts);
    REQUIRE(instance != NULL, "memory");
    return instance;
}

static void check_bytes(const struct held_file *held, unsigned number)
{
    size_t len = size_of(number) < READERS_FIRST ? size_of(number) : READERS_FIRST;
    EXPECT(held->len == len, "%zu bytes of %zu", held->len, len);
    for (size_t at = 0; at < held->len; at += 101)
        EXPECT(held->bytes[at] == (uint8_t)(number + at % 251), "file %u at %zu", number, at);
}

/* ---- several workers ---- */

struct worker {
    uv_thread_t thread;
    struct readers *readers;
    struct held_files *scan;
    unsigned index, refused;
};

/* Some are held by the scan already, some are not wanted when their turn comes. */
static void work(void *argument)
{
    struct worker *worker = argument;
    struct instance *instances[AHEAD] = {NULL};
    struct reading *readings[AHEAD] = {NULL};
    unsigned numbers[AHEAD];
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned place = round % AHEAD;
        if (readings[place] != NULL && round % 5 == 0) {
            readers_forget(worker->readers, readings[place]);
        } else if (readings[place] != NULL) {
            struct held_file *held;
            uint64_t took_us;
            int error = readers_finish(worker->readers, readings[place], 10000, &held, &took_us);
            EXPECT(error == 0 && held != NULL, "%d", error);
            if (held != NULL) {
                check_bytes(held, numbers[place]);
                EXPECT(held_file_check(held, &instances[place]->file) == 0, "it is what it was");
            }
            held_file_drop(held);
        }
        instance_destroy(instances[place]);
        numbers[place] = (round * 7 + worker->index * 3) % FILES;
        instances[place] = make_instance(numbers[place]);
        if (round % 3 == 0) {
            int fd = open(paths[numbers[place]], O_RDONLY | O_CLOEXEC);
            struct held_file *held = held_files_keep(worker->scan, fd, &statuses[numbers[place]]);
            if (held != NULL)
                instances[place]->hold = &held->hold;
            else
                close(fd);
        }
        readings[place] = readers_ask(worker->readers, instances[place]);
        worker->refused += readings[place] == NULL;
    }
    for (unsigned place = 0; place < AHEAD; place++) {
        if (readings[place] != NULL)
            readers_forget(worker->readers, readings[place]);
        instance_destroy(instances[place]);
    }
}

static void many_workers(void)
{
    struct readers *readers = readers_create(64, 4 * READERS_FIRST);
    struct held_files *scan = held_files_create(8, READERS_FIRST);
    struct worker workers[WORKERS];
    unsigned refused = 0;
    REQUIRE(readers != NULL && scan != NULL, "memory");
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.readers = readers, .scan = scan, .index = i};
        REQUIRE(uv_thread_create(&workers[i].thread, work, &workers[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        uv_thread_join(&workers[i].thread);
        refused += workers[i].refused;
    }
    EXPECT(refused < WORKERS * ROUNDS, "all were refused");
    readers_destroy(readers);
    held_files_destroy(scan);
}

/* ---- bounds ---- */

static void bounds(void)
{
    struct readers *readers = readers_create(2, 2000);
    struct instance *first = make_instance(1), *second = make_instance(2), *third = make_instance(3);
    struct held_file *held;
    uint64_t took_us;
    REQUIRE(readers != NULL, "memory");
    struct reading *one = readers_ask(readers, first);
    REQUIRE(one != NULL, "778 of 2000 bytes");
    EXPECT(readers_ask(readers, second) == NULL, "1555 more are too many");
    int error = readers_finish(readers, one, 0, &held, &took_us);
    EXPECT(error == 0 && held != NULL, "%d", error);
    EXPECT(readers_ask(readers, second) == NULL, "it is not sent yet");
    held_file_drop(held);
    one = readers_ask(readers, second);
    EXPECT(one != NULL, "now there is room");
    struct instance *fourth = make_instance(0);
    EXPECT(readers_ask(readers, fourth) == NULL, "not for a MiB");
    readers_forget(readers, one);
    instance_destroy(first);
    instance_destroy(second);
    instance_destroy(third);
    instance_destroy(fourth);
    readers_destroy(readers);
}

/* ---- files that are not there ---- */

static void missing(void)
{
    struct readers *readers = readers_create(8, READERS_FIRST);
    struct instance *instance = make_instance(1), *fifo = make_instance(2);
    struct held_file *held;
    uint64_t took_us;
    char moved[80];
    snprintf(moved, sizeof moved, "%s.moved", paths[1]);
    REQUIRE(readers != NULL && rename(paths[1], moved) == 0, "%s", strerror(errno));
    struct reading *reading = readers_ask(readers, instance);
    REQUIRE(reading != NULL, "room");
    int error = readers_finish(readers, reading, 0, &held, &took_us);
    EXPECT(error == -ENOENT && held == NULL, "%d", error);
    rename(moved, paths[1]);
    /* A FIFO in its place is opened without waiting, and not read. */
    rename(paths[2], moved);
    REQUIRE(mkfifo(paths[2], 0600) == 0, "%s", strerror(errno));
    reading = readers_ask(readers, fifo);
    REQUIRE(reading != NULL, "room");
    error = readers_finish(readers, reading, 0, &held, &took_us);
    EXPECT(error == 0 && held != NULL && held->len == 0, "%d", error);
    held_file_drop(held);
    unlink(paths[2]);
    rename(moved, paths[2]);
    instance_destroy(instance);
    instance_destroy(fifo);
    readers_destroy(readers);
}

/* ---- the word to stop ---- */

static void stop_soon(void *argument)
{
    usleep(2000);
    readers_stop(argument, false);
}

/* Who waits is woken, or is through by then; who comes later does not wait. */
static void stopping(void)
{
    for (unsigned round = 0; round < 20; round++) {
        struct readers *readers = readers_create(64, 64 * READERS_FIRST);
        struct instance *instances[30];
        struct reading *readings[30];
        uv_thread_t thread;
        REQUIRE(readers != NULL && uv_thread_create(&thread, stop_soon, readers) == 0, "a thread");
        for (unsigned i = 0; i < 30; i++) {
            instances[i] = make_instance(i);
            readings[i] = readers_ask(readers, instances[i]);
            REQUIRE(readings[i] != NULL, "room");
        }
        for (unsigned i = 0; i < 30; i++) {
            struct held_file *held;
            uint64_t took_us;
            int error = readers_finish(readers, readings[i], 0, &held, &took_us);
            EXPECT((error == 0 && held != NULL) || (error == -ECANCELED && held == NULL), "%d", error);
            held_file_drop(held);
            instance_destroy(instances[i]);
        }
        uv_thread_join(&thread);
        readers_destroy(readers);
    }
}

int main(void)
{
    expect_begin(100);
    make_files();
    many_workers();
    bounds();
    missing();
    stopping();
    remove_files();
    return expect_end();
}
