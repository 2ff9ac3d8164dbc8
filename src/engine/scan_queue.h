/*
 * scan_queue - what waits for a scanner: folders to be read, paths to be looked at, files to be looked into; and how
 * much of it there may be. It has no lock and no thread: the pool (scan_pool.h) calls it under its own.
 *
 *   given, DICOMDIRs --+--> looks --+--> (the loop asks the record) --> scans --> the loop
 *   folders ---------- | ----^      +------- nothing to ask ------------^
 *      ^               +-- told by the folder's entry what they are ----^
 *      +---------------- folders ---+
 *
 * Paths travel in pieces, so small that a thousand files of one folder are work for all scanners, and so large that a
 * piece costs little beside its files. Folders are a stack, so that a tree is searched depth first and what waits is
 * little; a folder that has more names than there is room for stays open below its own folders (folder.h).
 */
#ifndef ENGINE_SCAN_QUEUE_H
#define ENGINE_SCAN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "dicomnet/error.h"
#include "files/discover.h"
#include "files/find.h"
#include "files/identity_set.h"

struct folder;
struct given;

enum {
    SCAN_PIECE_MAX = 16,    /* paths of a piece */
    SCAN_PIECES_OUT = 128,  /* pieces that a scanner has begun with, and the loop has not released */
    SCAN_NAMES_MAX = 32768, /* paths and folders that wait: beyond that a folder is read SCAN_NAMES_LEAST at a time */
    SCAN_NAMES_LEAST = 1024
};

/* Paths that go their way together. */
struct scan_piece {
    struct list_node node; /* of whoever has it */
    size_t count;
    struct find finds[SCAN_PIECE_MAX];
    bool refused[SCAN_PIECE_MAX]; /* of each: see record_answer */
    bool scanned;                 /* its instances are there */
    struct list instances;
};

/* Its instances have been taken out of it. NULL is fine. */
void scan_piece_destroy(struct scan_piece *piece);

enum scan_job_kind {
    SCAN_JOB_NONE,
    SCAN_JOB_GIVEN,  /* take more of what was given; one at a time */
    SCAN_JOB_FOLDER, /* read `folder`, at most `names` of it */
    SCAN_JOB_LOOK,   /* look at the paths of `piece` */
    SCAN_JOB_SCAN    /* look into the files of `piece` */
};

struct scan_job {
    enum scan_job_kind kind;
    struct folder *folder;
    size_t names;
    struct scan_piece *piece;
};

struct scan_queue {
    struct discover_options options;
    bool asks; /* a record is asked of files before they are looked into: all are looked at first */
    bool once; /* what is given from now on counts once */
    struct given *given;
    bool given_taken, given_ended;
    bool dropped;          /* nothing more is taken in */
    struct list dicomdirs; /* struct named_files: read, and kept until the end, as finds refer to them */
    struct list folders;   /* the next one first */
    struct list looks, scans;
    struct scan_piece *filling[2]; /* not full yet: of looks, of scans; or NULL */
    size_t pieces;                 /* in looks and scans */
    size_t names;                  /* that wait or are reserved */
    unsigned taken;                /* jobs under way */
    unsigned out;                  /* see SCAN_PIECES_OUT */
    struct identity_set seen;
};

/* Begin. The options are borrowed. 0, or a negative error: of given_create. */
int scan_queue_init(struct scan_queue *queue, const struct discover_options *options, bool asks) DICOMNET_MUST_CHECK;
void scan_queue_fini(struct scan_queue *queue);

/* The next job for one of `scanners`; what it holds is the caller's until scan_queue_finish. 0 or -ENOMEM. */
int scan_queue_take(struct scan_queue *queue, unsigned scanners, struct scan_job *ret_job) DICOMNET_MUST_CHECK;

/*
 * What a job found. Folders go to `folders` if that is not NULL, for scan_queue_finish. What the find owns is the
 * queue's. 0 or -ENOMEM.
 */
int scan_queue_put(struct scan_queue *queue, struct find *find, struct list *folders) DICOMNET_MUST_CHECK;

/*
 * A job is done. A folder that is still open, and the folders found in it, wait again; the piece of a look goes on to
 * be scanned, if it is not returned (asks, or nothing is left of it) for the loop, to which that of a scan goes too.
 * *ret_piece is NULL if nothing is to be given to the loop. 0 or -ENOMEM.
 */
int scan_queue_finish(struct scan_queue *queue, const struct scan_job *job, struct list *folders,
                      struct scan_piece **ret_piece) DICOMNET_MUST_CHECK;

/* The record was asked of it: it is to be scanned. */
void scan_queue_add(struct scan_queue *queue, struct scan_piece *piece);

/* The loop has done with a piece, which is destroyed. */
void scan_queue_release(struct scan_queue *queue, struct scan_piece *piece);

/* Forget all that waits, and whatever comes from now on but scanned pieces. */
void scan_queue_drop(struct scan_queue *queue);

/* Jobs that could be taken now, about. */
size_t scan_queue_waiting(const struct scan_queue *queue);

/* Nothing waits, no job is under way, no piece is out. */
bool scan_queue_is_done(const struct scan_queue *queue);

#endif
