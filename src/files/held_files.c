/* held_files - see held_files.h. */
#include "files/held_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "files/read_at.h"
#include "files/slowness.h"

struct held_files {
    atomic_uint holders; /* who made it, and every held_file in it */
    unsigned files_max;
    size_t bytes_max;
    atomic_uint files;
    atomic_size_t bytes;
    struct slowness slowness;
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

void held_files_destroy(struct held_files *pool)
{
    if (pool != NULL)
        leave(pool);
}

void held_files_note_time(struct held_files *pool, uint64_t took_us)
{
    slowness_note(&pool->slowness, took_us);
}

/* Count one more file; false if the pool is full. */
static bool enter(struct held_files *pool)
{
    if (atomic_fetch_add_explicit(&pool->files, 1, memory_order_relaxed) >= pool->files_max) {
        atomic_fetch_sub_explicit(&pool->files, 1, memory_order_relaxed);
        return false;
    }
    atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
    return true;
}

static bool take_bytes(struct held_files *pool, size_t len)
{
    if (atomic_fetch_add_explicit(&pool->bytes, len, memory_order_relaxed) + len <= pool->bytes_max)
        return true;
    atomic_fetch_sub_explicit(&pool->bytes, len, memory_order_relaxed);
    return false;
}

static void give_bytes_back(struct held_files *pool, size_t len)
{
    atomic_fetch_sub_explicit(&pool->bytes, len, memory_order_relaxed);
}

/* ---- a file ---- */

static int64_t nanoseconds(int64_t seconds, int64_t rest)
{
    return seconds * 1000000000 + rest;
}

static void drop_hold(struct instance_hold *hold)
{
    held_file_drop((struct held_file *)hold);
}

struct held_file *held_file_create(int fd, const struct stat *status)
{
    struct held_file *held = (struct held_file *)malloc(sizeof *held);
    if (held == NULL)
        return NULL;
    *held = (struct held_file){.hold.drop = drop_hold,
                               .fd = fd,
                               .ctime_ns = nanoseconds(status->st_ctim.tv_sec, status->st_ctim.tv_nsec),
                               .fresh = true};
    atomic_init(&held->references, 1);
    return held;
}

int held_file_read(struct held_file *held, size_t len)
{
    held->bytes = (uint8_t *)malloc(len);
    if (held->bytes == NULL)
        return -ENOMEM;
    ssize_t got = read_at(held->fd, held->bytes, len, 0);
    if (got >= 0) {
        held->len = (size_t)got;
        return 0;
    }
    free(held->bytes);
    held->bytes = NULL;
    return (int)got;
}

/* The bytes are counted as long as it has them. */
static void read_small(struct held_file *held, size_t size)
{
    struct held_files *pool = held->pool;
    if (size == 0 || size > HELD_FILE_SMALL || !slowness_is_slow(&pool->slowness) || !take_bytes(pool, size))
        return;
    int error = held_file_read(held, size);
    size_t kept = error == 0 ? held->len : 0;
    if (kept < size)
        give_bytes_back(pool, size - kept);
}

struct held_file *held_files_keep(struct held_files *pool, int fd, const struct stat *status)
{
    if (pool == NULL || !enter(pool))
        return NULL;
    struct held_file *held = held_file_create(fd, status);
    if (held == NULL) {
        atomic_fetch_sub_explicit(&pool->files, 1, memory_order_relaxed);
        leave(pool);
        return NULL;
    }
    held->pool = pool;
    held->fresh = false;
    read_small(held, (size_t)status->st_size);
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
    if (held->pool != NULL) {
        give_bytes_back(held->pool, held->len);
        atomic_fetch_sub_explicit(&held->pool->files, 1, memory_order_relaxed);
        leave(held->pool);
    }
    free(held->bytes);
    free(held);
}

/* ---- is it still the same? ---- */

static bool is_as_seen(const struct statx *status, const struct file_facts *facts)
{
    return S_ISREG(status->stx_mode) && status->stx_size == facts->size_bytes &&
           nanoseconds(status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec) == facts->mtime_ns;
}

int held_file_check(const struct held_file *held, const struct file_facts *facts)
{
    struct statx status;
    int sync = held->fresh ? AT_STATX_SYNC_AS_STAT : AT_STATX_FORCE_SYNC;
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
