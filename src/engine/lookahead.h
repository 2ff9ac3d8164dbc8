/*
 * lookahead - the files of a worker's work that are read before their turn (readers.h), as many as read_ahead.h says.
 *
 * On the worker's thread. While storage is fast there are none, and a file is opened when its turn has come.
 */
#ifndef ENGINE_LOOKAHEAD_H
#define ENGINE_LOOKAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/error.h"
#include "engine/read_ahead.h"
#include "files/piece_reader.h"

struct held_files;
struct instance;
struct list;
struct reading;
struct readers;

/* What the lookaheads of a session share. */
struct lookahead_options {
    struct readers *readers;       /* NULL = nothing is read ahead */
    const struct held_files *scan; /* what the scan says of its storage; NULL = nothing */
    size_t bytes_max;              /* that are read ahead for one worker */
    uint32_t timeout_ms;           /* a reading that takes longer hangs; 0 = none does */
};

struct lookahead {
    struct piece_reader pieces;              /* for sources of large files */
    const struct lookahead_options *options; /* borrowed */
    struct read_ahead pace;
    enum {
        TURN_READ,      /* its file was read ahead, and that was measured */
        TURN_THERE,     /* nothing has to be asked of its storage */
        TURN_HELD,      /* it is open */
        TURN_CLOSED     /* it has to be opened */
    } turn;             /* of the instance that was taken last */
    unsigned depth;     /* as it is now; 0 = nothing is read ahead */
    uint64_t asked_us;  /* monotonic: when lookahead_ask was called last, */
    uint64_t waited_us; /* and how long files have been waited for since */
    size_t bytes;
    unsigned count;
    struct {
        struct instance *instance; /* borrowed from the list that it waits in */
        struct reading *reading;   /* owned */
        bool was_open;             /* when it was asked for */
    } list[READ_AHEAD_DEPTH_MAX];  /* in the order of their turns */
};

void lookahead_init(struct lookahead *lookahead, const struct lookahead_options *options);

/* One more store is made ready: have the first files of this list of instances read, the next one's too. */
void lookahead_ask(struct lookahead *lookahead, const struct list *instances);

/*
 * The turn of this instance has come: wait for its file, if it is being read. It then holds what was read. 0, also if
 * it is not: then it is opened as if there were nothing ahead. An error of opening or reading it, as source_open;
 * -ETIMEDOUT if its storage did not answer in time (that is noted in it), or -ECANCELED if nobody is to wait any more.
 */
int lookahead_take(struct lookahead *lookahead, struct instance *instance) DICOMNET_MUST_CHECK;

/* The instance that was taken last is open, and its first bytes, so many, are read: that took so long. */
void lookahead_note_open(struct lookahead *lookahead, uint64_t took_us, uint64_t bytes);

/* What reads pieces of a large file ahead; NULL while storage is fast. */
static inline struct piece_reader *lookahead_pieces(struct lookahead *lookahead)
{
    return lookahead->depth > 0 ? &lookahead->pieces : NULL;
}

/* This instance is not sent by this worker now; and none is. */
void lookahead_forget(struct lookahead *lookahead, const struct instance *instance);
void lookahead_forget_all(struct lookahead *lookahead);

#endif
