/*
 * late_record - a record (engine/record.h) for tests that answers every question late, each after another time, so that
 * answers overtake each other; and one of them with a problem, if that is wanted. It remembers what it was asked and
 * told, by the number that a path ends in ("/folder/17.dcm" is 17).
 */
#ifndef SUPPORT_LATE_RECORD_H
#define SUPPORT_LATE_RECORD_H

#include <stdbool.h>

#include "engine/record.h"

enum { LATE_RECORD_FILES = 4096 };

struct question;
struct uv_loop_s;

struct late_record {
    struct record record;
    struct uv_loop_s *loop;
    unsigned slowest_ms;        /* an answer takes 0 to so long */
    unsigned known_each;        /* every so manieth file was stored by an earlier session; 0 = none */
    unsigned fails_at;          /* the so manieth question has a problem; 0 = none */
    unsigned claims_later;      /* so many claims are answered with CLAIM_LATER first */
    unsigned not_ours_each;     /* of the studies claimed, every so manieth is somebody else's; 0 = none */
    bool hold_first;            /* the first question is answered after the second, however slow the machine is */
    unsigned random, questions; /* so far */
    unsigned under_way, most;   /* questions at a time, and the most of them */
    unsigned overtaken;         /* answers that came before one to an earlier question */
    unsigned last_answered;
    unsigned claimed, released;                                 /* studies */
    unsigned kept_unflushed;                                    /* outcomes that no flush has answered for */
    bool asked[LATE_RECORD_FILES], answered[LATE_RECORD_FILES]; /* recall_files */
    unsigned kept[LATE_RECORD_FILES];
    struct question *held; /* the first question, while it is held back */
};

/* Fill in `record`, which answers on this loop. What is above `random` is the caller's to set. */
void late_record_init(struct late_record *late, struct uv_loop_s *loop);

/* The number that a path ends in. */
unsigned late_record_number(const char *path);

#define LATE_RECORD_PROBLEM "the database has gone away"

#endif
