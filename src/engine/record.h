/*
 * record - the seam between a session and what outlives it: how files ended in earlier sessions is asked of it, how
 * they end in this one is told to it, and where several sessions share one record, it says who has which study.
 *
 * A question is a struct of the asker's, which stays where it is and is not touched until it is answered. A function
 * answers at once by returning RECORD_NOW; or it returns RECORD_LATER and calls `answered` later, from the loop of the
 * session and never from within the call. So a file costs no turn of the loop, and a database on another machine holds
 * nobody up. Questions may be under way at the same time and be answered in any order. Each is answered once, in a time
 * that the implementation bounds: what cannot be had is answered with a problem. The session ends when all are.
 *
 * A problem is a text for people, valid until `answered` has returned (until the next call, if it was answered at
 * once); NULL = there is none. The first problem stops the session: no further store begins, and the text says why.
 *
 * Used on the session's thread only. Implementations: ledger/ledger.h.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct file_facts;
struct instance;

enum record_when {
    RECORD_NOW,  /* the question is answered: `answered` is not called */
    RECORD_LATER /* `answered` will be called */
};

enum { RECORD_BATCH_MAX = 256 };

struct record_answer {
    struct instance *instance; /* NULL = nothing is known that matters; else the asker's to destroy */
    bool refused; /* recall_files: an earlier session ended the file, unchanged since, as failed because the peer had no
                     room for it. There is no `instance` then: it is to be sent again */
};

/* A batch of files to be recalled. */
struct record_recall {
    struct list_node node; /* the record's, while it is not answered */
    size_t count;
    const struct file_facts *files[RECORD_BATCH_MAX];
    struct record_answer answers[RECORD_BATCH_MAX]; /* all zero when it is asked */
    const char *problem;                            /* if set, answers may be missing */
    void (*answered)(struct record_recall *recall);
};

struct record_flush {
    struct list_node node; /* the record's, while it is not answered */
    const char *problem;   /* what was kept is not all there */
    void (*answered)(struct record_flush *flush);
};

enum record_claim_answer {
    CLAIM_OURS,    /* it may be sent, until it is released */
    CLAIM_LATER,   /* another session has it: ask again after again_ms */
    CLAIM_NOT_OURS /* another session sends it, or has: nothing of it is sent by this one */
};

struct record_claim {
    struct list_node node; /* the record's, while it is not answered */
    const char *study_uid; /* of the study; of instances without one, their SOP Class UID */
    enum record_claim_answer answer;
    uint32_t again_ms;
    const char *problem; /* if set, the answer does not count */
    void (*answered)(struct record_claim *claim);
};

struct record {
    void *user;
    const char *path; /* where it is kept, for reports; borrowed */
    /*
     * Asked of files before they are opened, by path, device, inode, size and time of the last change, all known. Of
     * each whose outcome stands: an instance with that outcome, `outcome.earlier` set; the file is not looked at.
     * NULL: there is nothing to recall.
     */
    enum record_when (*recall_files)(void *user, struct record_recall *recall);
    /*
     * Asked of files that were scanned and could be sent. Of each whose SOP Instance UID an earlier session stored from
     * another path: a copy of the facts of that file, which is still there and unchanged; the session compares the two.
     * If it is the very same file under a new name, the copy has the new path, and its outcome stands. NULL: never.
     */
    enum record_when (*recall_twins)(void *user, struct record_recall *recall);
    /* An instance has its final outcome; not of those that were recalled. What is needed of it is copied. */
    void (*keep)(void *user, const struct instance *instance);
    /* What was kept before is to be made durable. At most one is under way. */
    enum record_when (*flush)(void *user, struct record_flush *flush);
    /* Asked before a study is given to a worker. NULL: all are ours, and none is released. */
    enum record_when (*claim)(void *user, struct record_claim *claim);
    /* A worker has done with a study that was ours. More of it may be found, and claimed again. */
    void (*release)(void *user, const char *study_uid);
};

#endif
