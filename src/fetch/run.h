/*
 * run - what all parts of a retrieval are given: what is asked for, whom to tell, when the peer was heard of last, and
 * whether the retrieval goes on at all.
 *
 * It knows none of the parts. They write into it what has happened; retrieval.c, which holds them, reads it.
 */
#ifndef FETCH_RUN_H
#define FETCH_RUN_H

#include "base/log.h"
#include "fetch/retrieval.h"

struct run {
    const struct retrieval_options *options;   /* borrowed */
    const struct retrieval_observer *observer; /* borrowed */
    struct dicomnet_logger logger;             /* adds the study to each record that names none */
    char study_uid[DICOMNET_UID_SIZE];         /* that the query under way is about; "" = none */
    enum retrieval_verdict verdict;            /* RETRIEVAL_COMPLETE as long as it goes on */
    char stop_text[RETRIEVAL_TEXT_SIZE];       /* why it does not go on */
    uint64_t heard_us; /* monotonic: the last answer or bytes of an instance. The response timeout counts from it */
    uint64_t moved_us; /* monotonic: the last thing that was new. The stall timeout counts from it */
};

void run_init(struct run *run, const struct retrieval_options *options, const struct retrieval_observer *observer);

/* True if the instances come to this process; false if they go to a third party. */
bool run_comes_here(const struct run *run);

/* The study of the records to come; "" = none. It is copied. */
void run_set_study(struct run *run, const char *study_uid);

/* Something came from the peer, and: something new did. */
void run_heard(struct run *run);
void run_moved(struct run *run);

/* True if it was given up or interrupted: nothing more is asked for. */
bool run_is_over(const struct run *run);

/* The peer cannot be used: it is given up, with a record of why. Only the first reason counts. */
void run_give_up(struct run *run, const char *text);

#endif
