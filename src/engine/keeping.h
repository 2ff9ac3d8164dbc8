/*
 * keeping - a session tells its record (record.h) how instances ended: each as it ends, and once a turn of the loop
 * that all of them are to be made durable, one such request at a time. On the session's thread.
 *
 *              add                     flush                      answered
 *   SETTLED ---------> some are kept -----------> flush under way ---------> SETTLED, or some were kept meanwhile
 */
#ifndef ENGINE_KEEPING_H
#define ENGINE_KEEPING_H

#include <stdbool.h>

#include "engine/record.h"

struct keeping {
    const struct record *record; /* NULL = nothing outlives the session: then nothing happens here */
    void (*answered)(void *user, const char *problem);
    void *user;
    bool dirty;    /* something was kept since the last flush began */
    bool flushing; /* one is under way */
    struct record_flush flush;
};

/* `answered` is called when a flush has ended, from within keeping_flush if the record answers at once: with NULL, or
 * with what went wrong (record.h). */
void keeping_init(struct keeping *keeping, const struct record *record,
                  void (*answered)(void *user, const char *problem), void *user);

/* An instance has its final outcome. */
void keeping_add(struct keeping *keeping, const struct instance *instance);

/* Begin a flush, if there is something to be flushed and none is under way. */
void keeping_flush(struct keeping *keeping);

/* Nothing is left to be flushed, and no flush is under way. */
bool keeping_is_settled(const struct keeping *keeping);

#endif
