/* held_files - see held_files.h. */
#include "files/held_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/read_at.h"
#include "files/slowness.h"

enum { LOOK_MS = 3000 }; /* what was asked is known for so long: NFS itself asks no sooner */

struct held_files {
    atomic_uint holders; /* who made it or shares it, and every held_file in it */
    unsigned files_max;
    size_t bytes_max;
    atomic_uint files;
    atomic_size_t bytes;
    struct slowness slowness;
    _Atomic uint64_t device; /* of the last file, and whether one so far was remote */
    atomic_bool remote;
    _Atomic uint64_t opened, opening_us; /* what was noted: how many, and how long they took together */
};

/* ---- the pool ---- */

struct held_files *held_files_create(unsigned files_max, size_t bytes_max)
{
    struct held_files *pool = (struct held_files *)calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->files_max = files_max;
    pool->bytes_max = bytes_max;
    atomic_init(&pool->holders, 1);
    return pool;
}

static void leave(struct held_files *pool)
{
    if (atomic_fetch_sub_explicit(&pool->holders, 1, memory_order_acq_rel) == 1)
        free(pool);
}

struct held_files *held_files_share(struct held_files *pool)
{
    if (pool != NULL)
        atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
    return pool;
}

void held_files_destroy(struct held_files *pool)
{
    if (pool != NULL)
        leave(pool);
}

void held_files_note_time(struct held_files *pool, uint64_t took_us)
{
    slowness_note(&pool->slowness, took_us);
    atomic_fetch_add_explicit(&pool->opened, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->opening_us, took_us, memory_order_relaxed);
}

bool held_files_are_slow(const struct held_files *pool)
{
    return slowness_is_slow(&pool->slowness);
}

uint64_t held_files_mean_us(const struct held_files *pool)
{
    uint64_t opened = atomic_load_explicit(&pool->opened, memory_order_relaxed);
    return opened > 0 ? atomic_load_explicit(&pool->opening_us, memory_order_relaxed) / opened : 0;
}

bool held_files_are_remote(const struct held_files *pool)
{
    return atomic_load_explicit(&pool->remote, memory_order_relaxed);
}

/* What statfs(2) says of file systems that may wait for somebody else. */
static bool is_remote(int fd)
{
    static const uint32_t remote[] = {0x00006969, 0x0000517b, 0xff534d42, 0xfe534d42,  /* NFS, SMB, CIFS, SMB2 */
                                      0x65735546, 0x00c36400, 0x0bd00bd0, 0x47504653,  /* FUSE, Ceph, Lustre, GPFS */
                                      0x01021997, 0x5346414f, 0x73757245, 0x19830326}; /* 9P, AFS, Coda, BeeGFS */
    struct statfs system;
    if (fstatfs(fd, &system) != 0)
        return false;
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
        if ((uint32_t)system.f_type == remote[i])
            return true;
    return false;
}

static void look_at_device(struct held_files *pool, int fd, const struct stat *status)
{
    if (atomic_load_explicit(&pool->device, memory_order_relaxed) == status->st_dev)
        return;
    atomic_store_explicit(&pool->device, status->st_dev, memory_order_relaxed);
    if (is_remote(fd))
        atomic_store_explicit(&pool->remote, true, memory_order_relaxed);
}

bool held_files_reserve_file(struct held_files *pool)
{
    if (atomic_fetch_add_explicit(&pool->files, 1, memory_order_relaxed) >= pool->files_max) {
        atomic_fetch_sub_explicit(&pool->files, 1, memory_order_relaxed);
        return false;
    }
    atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
    return true;
}

void held_files_give_file_back(struct held_files *pool)
{
    atomic_fetch_sub_explicit(&pool->files, 1, memory_order_relaxed);
    leave(pool);
}

bool held_files_reserve(struct held_files *pool, size_t len)
{
    if (atomic_fetch_add_explicit(&pool->bytes, len, memory_order_relaxed) + len <= pool->bytes_max)
        return true;
    held_files_give_back(pool, len);
    return false;
}

void held_files_give_back(struct held_files *pool, size_t len)
{
    atomic_fetch_sub_explicit(&pool->bytes, len, memory_order_relaxed);
}

/* ---- a file ---- */

static int64_t nanoseconds(int64_t seconds, int64_t rest)
{
    return seconds * 1000000000 + rest;
}

/* Of a monotonic clock that is good to some milliseconds, and quick. */
static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void drop_hold(struct instance_hold *hold)
{
    held_file_drop((struct held_file *)hold);
}

struct held_file *held_file_create(struct held_files *pool, int fd, const struct stat *status)
{
    struct held_file *held = (struct held_file *)malloc(sizeof *held);
    if (held == NULL)
        return NULL;
    *held = (struct held_file){.hold.drop = drop_hold,
                               .pool = pool,
                               .fd = fd,
                               .ctime_ns = nanoseconds(status->st_ctim.tv_sec, status->st_ctim.tv_nsec),
                               .looked_ms = now_ms()};
    atomic_init(&held->references, 1);
    return held;
}

static void drop_bytes(struct held_file *held)
{
    free(held->bytes);
    held->bytes = NULL;
    held->len = 0;
    if (held->bytes_pool == NULL)
        return;
    held_files_give_back(held->bytes_pool, held->bytes_counted);
    leave(held->bytes_pool);
    held->bytes_pool = NULL;
}

int held_file_read(struct held_file *held, struct held_files *pool, size_t len)
{
    drop_bytes(held);
    atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
    held->bytes_pool = pool;
    held->bytes_counted = len;
    held->bytes = (uint8_t *)malloc(len);
    ssize_t got = held->bytes != NULL ? read_at(held->fd, held->bytes, len, 0) : -ENOMEM;
    if (got < 0)
        drop_bytes(held);
    else
        held->len = (size_t)got;
    return got < 0 ? (int)got : 0;
}

struct held_file *held_files_keep(struct held_files *pool, int fd, const struct stat *status)
{
    size_t size = (size_t)status->st_size;
    if (pool == NULL)
        return NULL;
    look_at_device(pool, fd, status);
    if (!held_files_reserve_file(pool))
        return NULL;
    struct held_file *held = held_file_create(pool, fd, status);
    if (held == NULL) {
        held_files_give_file_back(pool);
        return NULL;
    }
    if (size > 0 && size <= HELD_FILE_SMALL && slowness_is_slow(&pool->slowness) && held_files_reserve(pool, size))
        (void)held_file_read(held, pool, size);
    return held;
}

struct held_file *held_file_share(struct held_file *held)
{
    atomic_fetch_add_explicit(&held->references, 1, memory_order_relaxed);
    return held;
}

void held_file_drop(struct held_file *held)
{
    if (held == NULL || atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel) > 1)
        return;
    close(held->fd);
    drop_bytes(held);
    held_files_give_file_back(held->pool);
    free(held);
}

/* ---- is it still the same? ---- */

static bool is_as_seen(const struct statx *status, const struct file_facts *facts)
{
    return S_ISREG(status->stx_mode) && status->stx_size == facts->size_bytes &&
           nanoseconds(status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec) == facts->mtime_ns;
}

bool held_file_is_fresh(const struct held_file *held)
{
    return now_ms() - held->looked_ms < LOOK_MS;
}

void held_file_look(struct held_file *held)
{
    struct statx status;
    if (statx(held->fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) == 0)
        held->looked_ms = now_ms();
}

int held_file_check(const struct held_file *held, const struct file_facts *facts)
{
    struct statx status;
    int sync = held_file_is_fresh(held) ? AT_STATX_SYNC_AS_STAT : AT_STATX_FORCE_SYNC;
    if (statx(held->fd, "", AT_EMPTY_PATH | sync, STATX_BASIC_STATS, &status) != 0)
        return -errno;
    if (!is_as_seen(&status, facts))
        return DICOMNET_ERROR_SOURCE_CHANGED;
    if (status.stx_nlink > 0 && nanoseconds(status.stx_ctime.tv_sec, status.stx_ctime.tv_nsec) == held->ctime_ns)
        return 0;
    /* It has another owner, mode or name, or its name is another file's by now. */
    if (statx(AT_FDCWD, facts->path, sync, STATX_BASIC_STATS, &status) != 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    return is_as_seen(&status, facts) ? 0 : DICOMNET_ERROR_SOURCE_CHANGED;
}
