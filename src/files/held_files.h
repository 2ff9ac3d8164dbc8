/*
 * held_files - what is kept of files between one that looked at them and one that sends them: the open descriptor, and
 * the bytes that were read already. So a file is opened once, and a small one read once, however far its storage is.
 *
 * The scan keeps (scan.h), the instance carries (struct instance_hold), the source of its data uses it (file_source.h).
 * A pool bounds how much is kept at a time. What is found first is kept longest: when the pool is full, what comes next
 * is closed at once, as if there were none, and is opened again when its turn comes. Bytes are only kept while storage
 * is slow (slowness.h): a local disk has them in memory as well.
 *
 * Whether a file is still what the scan saw is asked of the descriptor, and of its path if something happened to its
 * name: see held_file_check.
 *
 * All functions may be called from any thread. What they share is counted with C11 atomics; there is no lock. What is
 * in a held_file is written by the thread that makes it, before anybody else has it, and then constant.
 */
#ifndef FILES_HELD_FILES_H
#define FILES_HELD_FILES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/instance.h"

struct held_files;
struct stat;

enum { HELD_FILE_SMALL = 64 * 1024 }; /* the scan keeps the bytes of files up to this size */

/* A pool of so many descriptors and bytes at most. NULL if out of memory. */
struct held_files *held_files_create(unsigned files_max, size_t bytes_max);

/* The same pool, to be destroyed once more. NULL is fine. */
struct held_files *held_files_share(struct held_files *pool);

/* Of this owner nothing more is kept in it. What is still held may be dropped later. NULL is fine. */
void held_files_destroy(struct held_files *pool);

/* A file was opened, which took so long. */
void held_files_note_time(struct held_files *pool, uint64_t took_us);

/* True if opening files takes long; and how long, in microseconds, on average over all; 0 = none was opened. */
bool held_files_are_slow(const struct held_files *pool);
uint64_t held_files_mean_us(const struct held_files *pool);

/* True if a file that was kept, or was to be, lies on a file system behind a network or a process (NFS, SMB, FUSE). */
bool held_files_are_remote(const struct held_files *pool);

/* A file that is held; shared by those who have a reference to it. */
struct held_file {
    struct instance_hold hold; /* its `drop` gives up one reference */
    atomic_uint references;
    struct held_files *pool; /* that counts it */
    int fd;                  /* owned */
    int64_t ctime_ns;        /* as it was when the file was looked at first */
    uint64_t looked_ms;      /* monotonic: when its storage was asked about it last */
    uint8_t *bytes;          /* owned: the first `len` bytes of the file; NULL = none */
    size_t len;
    struct held_files *bytes_pool; /* that counts them; NULL = none */
    size_t bytes_counted;
};

/*
 * Keep this regular file, which has just been looked at. While storage is slow a small one is read as a whole; if that
 * fails it has no bytes. The caller has the one reference, and with it the descriptor. NULL: it is not kept, as the
 * pool is full, or NULL; the descriptor is still the caller's.
 */
struct held_file *held_files_keep(struct held_files *pool, int fd, const struct stat *status);

/*
 * Room in the pool for one file, and for so many bytes of one; false if there is none. It is given back here, or
 * belongs to the file that is given it (held_file_create, held_file_read).
 */
bool held_files_reserve_file(struct held_files *pool);
void held_files_give_file_back(struct held_files *pool);
bool held_files_reserve(struct held_files *pool, size_t len);
void held_files_give_back(struct held_files *pool, size_t len);

/* As held_files_keep, with room in `pool` that was reserved, and nothing is read. NULL: out of memory. */
struct held_file *held_file_create(struct held_files *pool, int fd, const struct stat *status);

/*
 * Read the first `len` bytes of the file, or as many as there are: what it had is replaced. They were reserved in
 * `pool`. 0 or a negative errno; then it has none. Only before somebody else has it.
 */
int held_file_read(struct held_file *held, struct held_files *pool, size_t len);

/* Ask its storage about it, so that held_file_check need not within the next three seconds: while it is fresh. */
void held_file_look(struct held_file *held);
bool held_file_is_fresh(const struct held_file *held);

/* One more reference. */
struct held_file *held_file_share(struct held_file *held);

/* Give up a reference; with the last one the file is closed. NULL is fine. */
void held_file_drop(struct held_file *held);

/* What an instance carries; NULL if nothing is held of it. */
static inline struct held_file *held_file_of(const struct instance *instance)
{
    return (struct held_file *)instance->hold;
}

/*
 * Is it still the file that these facts were read from? 0; DICOMNET_ERROR_SOURCE_CHANGED; or a negative errno, -ENOENT
 * if its path names nothing any more.
 *
 * Its size and modification time must be the same. A file that is deleted, or replaced by another one under its name,
 * lives on while it is open, unchanged but for its own change of status (ctime): if that is another one than before,
 * the path is looked at. What it names then has to have that size and modification time as well, as if it were opened
 * only now. A folder above it that gets another name goes unnoticed: the bytes are those that were looked at.
 *
 * On network file systems the server is asked, and not what is remembered of its earlier answers; unless it was asked
 * within the last three seconds.
 */
int held_file_check(const struct held_file *held, const struct file_facts *facts);

#endif
