/*
 * readers - threads that open and read files for workers before their turn has come (lookahead.h).
 *
 * All workers of a session share them. A thread is started when something is to be read and no other is free; storage
 * that is fast never asks for one. A thread that has had nothing to do for a while ends.
 *
 * A worker waits for a reading as long as a reading may take, or until all is stopped. What hangs longer is left
 * behind: it is no more the worker's, its thread is replaced by another, and what it has in its hands (path, file,
 * memory) is its own, and freed when storage answers after all, or never. So storage that hangs holds one instance for
 * a time, and nothing else; and it does not keep the program from its end.
 *
 * Called on the threads of workers, but for making and ending it. One lock is behind it, which nobody holds while
 * something is read.
 */
#ifndef ENGINE_READERS_H
#define ENGINE_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dicomnet/error.h"

struct held_file;
struct instance;
struct reading;
struct readers;

enum {
    READERS_MAX = 64,           /* threads that do not hang */
    READERS_HANGING_MAX = 256,  /* threads that hang */
    READERS_FIRST = 1024 * 1024 /* bytes of a file that are read before its turn */
};

/* Starts no thread yet. At most so many files are opened, and bytes read, that are not sent. NULL if out of memory. */
struct readers *readers_create(unsigned files_max, size_t bytes_max);

/*
 * Nobody waits any more, from now on: every wait that is under way and every later one ends with -ECANCELED. Pieces,
 * of stores that are under way, are waited for all the same, if it is not `now`. NULL is fine.
 */
void readers_stop(struct readers *readers, bool now);

/* No reading is anybody's. Waits for the threads for a moment; those that hang are left behind. NULL is fine. */
void readers_destroy(struct readers *readers);

/*
 * Have a file read: opened unless it is held, its storage asked about it, and its first READERS_FIRST bytes read unless
 * they are there. What is held of it is the reading's from now on. NULL if there is no room for its bytes or no memory;
 * then nothing happened.
 */
struct reading *readers_ask(struct readers *readers, struct instance *instance);

/* How many bytes of memory it takes. */
size_t reading_size(const struct reading *reading);

/*
 * Wait for it, for at most `timeout_ms` (0 = for ever), and free it. 0: *ret_held is the caller's, or NULL if it is
 * better opened where it is needed (too many files are open, or no memory). -ETIMEDOUT: it hangs and is left behind.
 * -ECANCELED: readers_stop. Or the negative errno of opening or reading it; *ret_held may then be set all the same.
 * *ret_took_us is how long the reading took, without the time in which it waited for a thread; 0 = not known.
 */
int readers_finish(struct readers *readers, struct reading *reading, uint32_t timeout_ms, struct held_file **ret_held,
                   uint64_t *ret_took_us) DICOMNET_MUST_CHECK;

/*
 * Have a piece of a file read, which is shared. NULL as above. Wait for it as above, but through a first readers_stop:
 * the number of bytes, which are the reading's; it is not freed.
 */
struct reading *readers_ask_piece(struct readers *readers, struct held_file *held, uint64_t offset, size_t len);
ssize_t readers_wait_piece(struct readers *readers, struct reading *reading, uint32_t timeout_ms,
                           const uint8_t **ret_bytes);

/* It is not wanted any more, and freed. */
void readers_forget(struct readers *readers, struct reading *reading);

#endif
