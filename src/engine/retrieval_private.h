/*
 * retrieval_private - what the parts of a retrieval share: retrieval.c (phases, loop, signals), retrieval_list.c (what
 * there is), retrieval_ask.c (having it sent).
 */
#ifndef ENGINE_RETRIEVAL_PRIVATE_H
#define ENGINE_RETRIEVAL_PRIVATE_H

#include <uv.h>

#include "base/table.h"
#include "engine/interrupt.h"
#include "engine/receiver.h"
#include "engine/retrieval.h"

/* Instances that are named in one request: some 6 KB of UIDs. Fewer after a round in which nothing came. */
enum { RETRIEVAL_BATCH_MAX = 100 };

enum retrieval_state { INSTANCE_WANTED, INSTANCE_PRESENT, INSTANCE_STORED };

struct retrieval_class {
    struct table_node node;
    uint64_t wanted; /* instances of it that are */
    char uid[UID_SIZE];
};

struct retrieval_instance {
    struct table_node node;          /* by uid */
    struct retrieval_instance *next; /* of its series */
    struct retrieval_series *series;
    struct retrieval_class *class; /* NULL = the peer did not say */
    enum retrieval_state state;
    uint16_t refused_status;
    char *refused_comment; /* owned; NULL = none */
    char uid[];
};

/* Where an entity stands: the unique keys of its level and of those above. "" below its level, or where not needed. */
struct retrieval_place {
    char patient_id[65];
    char study_uid[65];
    char series_uid[65];
};

struct retrieval_series {
    struct retrieval_series *next; /* of its target */
    struct retrieval_place place;
    struct retrieval_instance *first, **end;
};

/* An entity of the keys' level; of the image level, the series of instances that match. */
struct retrieval_target {
    struct retrieval_target *next;
    enum query_level level;
    struct retrieval_place place;
    struct retrieval_series *first, **end;
    struct retrieval_series *last; /* NULL = none */
};

/* A C-FIND that is still to be made. */
struct retrieval_step {
    struct retrieval_step *next;
    enum query_level level;
    struct retrieval_place place;
    struct retrieval_target *target; /* NULL: the first, with the keys of the options */
};

/* What the peer has. */
struct retrieval_list {
    struct table instances;
    struct table classes;
    uint64_t unknown_class; /* instances that are wanted and have none */
    struct retrieval_target *first, **end;
    struct retrieval_target *recent;          /* of the image level: the one of the last match */
    struct retrieval_step *step, **last_step; /* the first is under way */
    struct identifier keys;                   /* of the step under way */
    struct query query;
    int error; /* no memory in a callback */
};

/* The request under way, and where the next one begins. */
struct retrieval_ask {
    struct retrieval_target *target; /* to be looked at next */
    struct retrieval_series *series; /* NULL = enter the target */
    struct retrieval_instance *instance;
    struct identifier keys;
    struct query query;
    enum query_level level;
    struct retrieval_place place;
    struct retrieval_target *whole; /* asked for as a whole; NULL = the batch */
    struct retrieval_instance *batch[RETRIEVAL_BATCH_MAX];
    size_t batch_count, batch_max;
    bool never_whole;
    uint64_t wanted;
    uint64_t begun_us; /* wall clock, */
    uint64_t asked_us; /* and monotonic */
};

struct retrieval {
    const struct retrieval_options *options;
    const struct retrieval_observer *observer;
    struct logger logger;
    uv_loop_t loop;
    struct interrupt interrupt;
    uv_timer_t ticker; /* progress, and the response timeout of a C-MOVE */
    uv_timer_t waiter; /* until the next round */
    enum retrieval_phase phase;
    struct retrieval_result result;
    struct retrieval_list list;
    struct retrieval_ask ask;
    struct allowed *allowed;   /* who may send to it; NULL = anybody */
    struct receiver *receiver; /* NULL = instances go to a third party */
    void *guest;               /* of the receiver, with a C-GET */
    struct query_user *user;   /* NULL between associations */
    const char *study_uid;     /* for the log; NULL = none */
    bool opened;               /* `user` was */
    bool under_way;            /* a query of it is */
    bool failed;               /* this association ended before its work did */
    bool settling;             /* waiting for what may still come after the last answer */
    unsigned signal_count;
    unsigned attempt;                   /* rounds in a row in which nothing came */
    unsigned fruitless;                 /* of these, those in which the peer answered all the same */
    char failure_text[256];             /* of the last request that did not end with success; "" = none */
    char end_text[256];                 /* how the last association ended, if it failed */
    uint64_t stored_before;             /* this round */
    uint64_t begun_us, asking_begun_us; /* monotonic */
    uint64_t heard_us;                  /* an answer or an instance: what the response timeout counts from */
};

/* Give up: no more rounds. The first text stays. */
void retrieval_stop(struct retrieval *retrieval, const char *text);

/* "C-FIND failed: status A900 (...): comment" */
void retrieval_describe_query(const struct query *query, char *ret_text, size_t size);
void retrieval_log_query_ended(struct retrieval *retrieval, const struct query *query);

/* ---- retrieval_list.c ---- */

void retrieval_list_init(struct retrieval *retrieval);
void retrieval_list_fini(struct retrieval *retrieval);

/* Forget everything and begin anew. 0 or -ENOMEM. */
int retrieval_list_begin(struct retrieval *retrieval) MUST_CHECK;

/* Begin the next C-FIND. 1 = begun, 0 = there is none left, else a negative error. */
int retrieval_list_next(struct retrieval *retrieval) MUST_CHECK;
void retrieval_list_match(struct retrieval *retrieval, const struct identifier *match);

/* A C-FIND of the list was answered. False if the peer cannot be used (retrieval_stop was called). */
bool retrieval_list_ended(struct retrieval *retrieval);

/* Change an instance's state, and what is counted of it. */
void retrieval_list_set_state(struct retrieval *retrieval, struct retrieval_instance *instance,
                              enum retrieval_state state);

/* Every instance that is still wanted, to the observer and the log. */
void retrieval_list_tell_missing(struct retrieval *retrieval);

/* ---- retrieval_ask.c ---- */

/* Begin a round: at the first target. */
void retrieval_ask_rewind(struct retrieval *retrieval);

/* Begin the next C-MOVE or C-GET of this round: as retrieval_list_next. */
int retrieval_ask_next(struct retrieval *retrieval) MUST_CHECK;

/* It ended, answered or not. `failed` as in query_user_handler.ended. */
void retrieval_ask_ended(struct retrieval *retrieval, const struct identifier *failed);

/* Contexts to propose; an array to be freed. NULL if out of memory. */
struct association_proposal *retrieval_ask_proposals(const struct retrieval *retrieval, size_t *ret_count);

/*
 * For receiver_observer.store_asked: only what is on the list is wanted, and not before it has been asked for. What a
 * stranger sends does not get a file here.
 */
uint16_t retrieval_ask_wants(void *user, struct receiver_visit *visit, const struct dimse_command *request,
                             char ret_comment[65]);

/* For receiver_observer.store_answered. Returns 0. */
int retrieval_ask_arrived(void *user, struct receiver_visit *visit, const struct receiver_answer *answer);

#endif
