/*
 * retrieval - one run of dicom-mover: lists what matches (C-FIND), has it sent (C-MOVE, C-GET), and asks again for what
 * did not come.
 *
 * Listing walks from the level of the keys down to single instances, as a strict provider wants it (PS3.4 C.4.1.3.1.1):
 * the entities that match, then their series, then the instances of each. So it is known what has to come, and of which
 * SOP classes. What the output folder has already, whole, is not asked for. An entity of which nothing is there is
 * asked for as a whole, any other by lists of its instances; and by shorter ones whenever the peer answered and nothing
 * came, as one instance that it cannot send may hold up the others.
 *
 * What a peer does not list, or not with keys by which it can be asked for, is asked for with what it is in. Then it is
 * held against the numbers that the peer gives, Number of Study or Series Related Instances and sub-operations: what is
 * short of them is missing, though it has no name.
 *
 * It is one thread and one loop: the association that asks, and the receiver to which a C-MOVE comes. For each instance
 * that is listed it holds a block of some 150 bytes, so their number is limited.
 */
#ifndef FETCH_RETRIEVAL_H
#define FETCH_RETRIEVAL_H

#include "dicomnet/query_retrieve.h"
#include "instance/event.h"

enum { RETRIEVAL_TEXT_SIZE = 720 };

struct peer_words;

struct retrieval_options {
    /* Of the peer. All pointers here, and in this, are borrowed until the retrieval has ended. */
    struct dicomnet_association_parameters association;
    const struct peer_words *peer_words; /* for texts of how an association ended; NULL = they name no option */
    uint16_t priority;
    enum dicomnet_query_model model;
    enum dicomnet_query_level level;
    const struct dicomnet_identifier *keys;  /* level and unique keys among them */
    bool no_find;                            /* list nothing: ask for what the keys name. See retrieval_names_all */
    bool get;                                /* C-GET instead of C-MOVE */
    char move_destination[DICOMNET_AE_SIZE]; /* C-MOVE to a third party: nothing comes here, and output_dir is NULL */
    const char *output_dir;
    bool sync;
    uint32_t mode;                     /* permissions of what comes: struct part10_folder */
    const char *receive_address;       /* to listen on, for a C-MOVE to this process */
    uint16_t receive_port;             /* 0 = any free one */
    struct dicomnet_tls *receive_tls;  /* borrowed; NULL = it comes in clear */
    char receive_ae[DICOMNET_AE_SIZE]; /* the move destination then: who calls another AE title is rejected */
    const char *const *allow_from;     /* see serve/allowed.h: who may send to us; none = anybody */
    size_t allow_from_count;
    unsigned retry;       /* further rounds for what is missing, or for a peer that does not answer, in a row in which
                             nothing came; 0 = none at all */
    uint64_t max_matches; /* more that the peer lists, or sends unlisted, end the retrieval; 0 = no limit */
    uint32_t stall_ms;    /* a request in which nothing new comes for so long is aborted; 0 = never */
    enum dicomnet_log_level log_level;
};

struct retrieval;
struct uv_loop_s;

/*
 * True if the keys name what is wanted: the unique key of their level has one value or several, and each one above it
 * has one, none with a wildcard. Needed for no_find.
 */
bool retrieval_names_all(const struct retrieval_options *options);

struct retrieval_counts {
    uint64_t matches; /* entities of the keys' level */
    uint64_t series;
    uint64_t listed;   /* instances. listed = present + stored + missing */
    uint64_t present;  /* were in the output folder before */
    uint64_t stored;   /* came; with a third party: were sent, as the peer says */
    uint64_t missing;  /* not yet, and in the end not at all */
    uint64_t unnamed;  /* of `missing`: the peer counts them, and nobody knows their names */
    uint64_t replaced; /* a file of that name was there, cut or of other content: not counted as present */
    uint64_t refused;  /* arrivals that could not be kept */
    uint64_t unlisted; /* came though nobody asked for them, and were refused; not among `refused` */
    uint64_t bytes;    /* of data sets that came */
};

enum retrieval_phase {
    RETRIEVAL_LISTING, /* what there is */
    RETRIEVAL_ASKING,  /* for what is missing */
    RETRIEVAL_WAITING, /* after a round, for what may still come or for the next round */
    RETRIEVAL_DONE
};

struct retrieval_progress {
    enum retrieval_phase phase;
    struct retrieval_counts counts;
    struct dicomnet_query_counts request; /* as the peer counts, of the request under way */
    uint64_t elapsed_us;                  /* since the beginning */
    uint64_t asking_us;                   /* since the first request; 0 = none yet */
};

/* A C-MOVE or C-GET that has ended. */
struct retrieval_request {
    enum dicomnet_query_level level;
    const char *study_uid;  /* "" if it is for a patient */
    const char *series_uid; /* "" if it is for more */
    uint64_t instances;     /* that were wanted */
    unsigned round;         /* from 1 */
    uint64_t begun_us;      /* wall clock */
    uint64_t duration_us;
    const struct dicomnet_query *query; /* as it ended */
};

/* An instance that did not come, or several of a series or study without names: then instance_uid is "". */
struct retrieval_missing {
    const char *study_uid, *series_uid, *instance_uid;
    uint64_t count;        /* 1 if it has a name */
    const char *class_uid; /* "" if the peer did not say */
    uint16_t status;       /* it came, and was refused with this; 0 = it did not come */
    const char *comment;
};

enum retrieval_verdict {
    RETRIEVAL_COMPLETE,    /* everything was asked for, as often as the options say */
    RETRIEVAL_INTERRUPTED, /* by retrieval_stop: `stop_text` */
    RETRIEVAL_STOPPED      /* the peer cannot be used: `stop_text` */
};

struct retrieval_result {
    enum retrieval_verdict verdict;
    char stop_text[RETRIEVAL_TEXT_SIZE];
    struct retrieval_counts counts;
    uint64_t begun_us, ended_us; /* wall clock: for people; what lies between is duration_us */
    uint64_t duration_us, list_us, asking_us;
    unsigned rounds;
    uint16_t receive_port; /* 0 = it did not listen */
};

/* 0 everything is there, 1 nothing is (or nothing matched), 2 some is missing, 130 interrupted. */
int retrieval_exit_code(const struct retrieval_result *result);

/* What it tells; any may be NULL. Pointers are valid for the call. */
struct retrieval_observer {
    void *user;
    void (*log)(void *user, const struct event_record *record);
    void (*request_ended)(void *user, const struct retrieval_request *request);
    void (*missing)(void *user, const struct retrieval_missing *missing); /* at the end */
    void (*progress)(void *user, const struct retrieval_progress *now);   /* twice a second, and at the end */
};

/*
 * Begin on this loop. Opens the output folder and the port; the rest comes as the loop turns. Returns 0, or a negative
 * error if it could not begin; what it is about is in `ret_problem` then ("" = no memory), and `ended` is not called,
 * but the loop has to turn until what was opened is closed.
 *
 * `ended` is called once, last, with the observer's `user` and what became of it; the retrieval is freed when it
 * returns. `options` and `observer` are borrowed until then.
 */
int retrieval_start(struct retrieval **ret_retrieval, struct uv_loop_s *loop, const struct retrieval_options *options,
                    const struct retrieval_observer *observer,
                    void (*ended)(void *user, const struct retrieval_result *result), char *ret_problem,
                    size_t problem_size) DICOMNET_MUST_CHECK;

/*
 * End it soon: `text` says why, and is the result's stop_text; `hint` tells a person how this can be called a second
 * time ("a second Ctrl-C aborts at once"). The peer is asked to stop what it does, and gets as long for that as for any
 * answer; the second time it is not waited for any more. `ended` comes on a later turn of the loop. Not to be called
 * from the observer's callbacks.
 */
void retrieval_stop(struct retrieval *retrieval, const char *text, const char *hint);

#endif
