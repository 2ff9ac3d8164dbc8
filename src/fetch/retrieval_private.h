/*
 * retrieval_private - what the parts of a retrieval share: retrieval.c (phases, loop, signals), retrieval_list.c (what
 * there is), retrieval_part.c (what is known of each entity, and what of it is not accounted for), retrieval_ask.c
 * (having it sent), retrieval_arrive.c (what comes, and what is there already), retrieval_contexts.c.
 */
#ifndef FETCH_RETRIEVAL_PRIVATE_H
#define FETCH_RETRIEVAL_PRIVATE_H

#include <uv.h>

#include "base/table.h"
#include "engine/interrupt.h"
#include "fetch/retrieval.h"
#include "files/arrival.h"
#include "serve/receiver.h"

/* Instances that are named in one request: some 6 KB of UIDs. Fewer after a round in which nothing came. */
enum { RETRIEVAL_BATCH_MAX = 100 };

enum retrieval_state { INSTANCE_WANTED, INSTANCE_PRESENT, INSTANCE_STORED };

struct retrieval_class {
    struct table_node node;
    uint64_t wanted; /* instances of it that are */
    char uid[DICOMNET_UID_SIZE];
};

struct retrieval_instance {
    struct table_node node;          /* by uid */
    struct retrieval_instance *next; /* of its part */
    struct retrieval_part *part;     /* that it counts for */
    struct retrieval_class *class;   /* NULL = the peer did not say */
    enum retrieval_state state;
    bool spoiled; /* what lies under its name is not it, and makes room for it */
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

/*
 * A patient, study or series, and what is known of how much it holds. Its instances are those that nothing below it
 * has: of a series all that are listed; of a study or a patient only what came, or failed, without having been listed.
 *
 * It is `open` if its list cannot be complete: its C-FIND brought nothing or failed, a match had no usable key, or the
 * peer counts more than it lists. Then it is asked for as a whole, what comes for it is taken, and what the peer has
 * spoken of and nobody has seen is `unnamed`: missing, without a name.
 */
struct retrieval_part {
    struct table_node node;      /* by key */
    struct retrieval_part *next; /* of its target */
    struct retrieval_target *target;
    struct retrieval_part *within;   /* the study or patient that it is in; NULL = the target's own */
    enum dicomnet_query_level level; /* not DICOMNET_QUERY_LEVEL_IMAGE */
    struct retrieval_place place;
    struct retrieval_instance *first, **end;
    bool has_said, open;
    bool cut;               /* its list did not come to a good end, and nothing has said since how much there is */
    bool answered;          /* asked for as a whole, and the peer said that this went well */
    bool out_of_reach;      /* there is no key by which it could be asked for */
    unsigned asked_round;   /* the last in which it was asked for as a whole; 0 = none */
    uint64_t known;         /* its instances */
    uint64_t below;         /* those of the parts within it, when the list had been made */
    uint64_t said;          /* Number of Study (Patient, Series) Related Instances, if has_said */
    uint64_t nameless;      /* instances, at least, behind matches without a usable key */
    uint64_t unnamed_below; /* of the parts within it, when the list had been made */
    uint64_t reported;      /* the most that the peer has spoken of otherwise: matches, sub-operations */
    uint64_t unnamed;       /* counted as listed and missing */
    uint64_t sent_unnamed;  /* to a third party, of what is not listed: counted as listed and stored */
    uint64_t credited;      /* sent to a third party, as the peer says, but not which: counted as stored, not missing */
    char key[];
};

/* An entity of the keys' level; of the image level, the series of instances that match. */
struct retrieval_target {
    struct retrieval_target *next;
    enum dicomnet_query_level level;
    struct retrieval_part *first, **end; /* the first is the entity itself */
};

/* A C-FIND that is still to be made. */
struct retrieval_step {
    struct retrieval_step *next;
    enum dicomnet_query_level level;
    struct retrieval_place place;
    struct retrieval_part *part; /* in which it looks; NULL: the first, with the keys of the options */
    uint64_t matches;            /* that came */
    unsigned losses;             /* associations that ended at it */
};

/* What the peer has. */
struct retrieval_list {
    struct table instances;
    struct table classes;
    struct table parts;
    uint64_t unknown_class; /* instances that are wanted and have none */
    uint64_t unnamed;       /* of all parts */
    uint64_t match_total;   /* matches that came, and what came without having been listed: against max_matches */
    uint64_t steps_ended;
    unsigned losses; /* steps in a row that were given up */
    struct retrieval_target *first, **end;
    struct retrieval_step *step, **last_step; /* the first is under way */
    struct dicomnet_identifier keys;          /* of the step under way */
    struct dicomnet_query query;
    int error; /* no memory in a callback */
};

/* The request under way, and where the next one begins. */
struct retrieval_ask {
    struct retrieval_target *target; /* to be looked at next */
    struct retrieval_part *cursor;   /* NULL = enter the target */
    struct retrieval_instance *instance;
    struct dicomnet_identifier keys;
    struct dicomnet_query query;
    enum dicomnet_query_level level;
    struct retrieval_place place;
    struct retrieval_part *part; /* asked for as a whole; NULL = the batch */
    struct retrieval_instance *batch[RETRIEVAL_BATCH_MAX];
    size_t batch_count, batch_max;
    bool never_whole;
    uint64_t wanted;
    uint64_t done_max; /* the most sub-operations that were done, as the peer counted */
    uint64_t strays;   /* arrivals of this request that nobody asked for */
    uint64_t begun_us; /* wall clock, */
    uint64_t asked_us; /* and monotonic */
};

struct retrieval {
    const struct retrieval_options *options;
    const struct retrieval_observer *observer;
    struct dicomnet_logger logger;
    uv_loop_t loop;
    struct interrupt interrupt;
    uv_timer_t ticker; /* progress, and the response timeout of a C-MOVE */
    uv_timer_t waiter; /* until the next round */
    enum retrieval_phase phase;
    struct retrieval_result result;
    struct retrieval_list list;
    struct retrieval_ask ask;
    struct allowed *allowed;          /* who may send to it; NULL = anybody */
    struct arrival_check *check;      /* looks at what is there already */
    struct receiver *receiver;        /* NULL = instances go to a third party */
    void *guest;                      /* of the receiver, with a C-GET */
    struct dicomnet_query_user *user; /* NULL between associations */
    const char *study_uid;            /* for the log; NULL = none */
    bool opened;                      /* `user` was */
    bool under_way;                   /* a query of it is */
    bool failed;                      /* this association ended before its work did */
    bool settling;                    /* waiting for what may still come after the last answer */
    bool lingering; /* a C-MOVE was answered, and less has come than the peer says: so long there is no next one */
    unsigned signal_count;
    unsigned attempt;                   /* rounds in a row in which nothing came */
    unsigned fruitless;                 /* of these, those in which the peer answered all the same */
    char failure_text[256];             /* of the last request that did not end with success; "" = none */
    char end_text[256];                 /* how the last association ended, if it failed */
    uint64_t stored_before;             /* this round */
    uint64_t begun_us, asking_begun_us; /* monotonic */
    uint64_t heard_us;                  /* an answer or an instance: what the response timeout counts from */
    uint64_t moved_us;                  /* something new: what the stall timeout counts from */
    uint64_t stopping_us;               /* when the peer was asked to stop; 0 = it was not */
    uint64_t steps_before;              /* this association */
};

/* Give up: no more rounds. The first text stays. */
void retrieval_stop(struct retrieval *retrieval, const char *text);

/* Something new has come, or is coming. */
void retrieval_moved(struct retrieval *retrieval);

/* ---- retrieval_words.c ---- */

/* "C-FIND failed: status A900 (...): comment" */
void retrieval_describe_query(const struct dicomnet_query *query, char *ret_text, size_t size);
void retrieval_log_query_ended(struct retrieval *retrieval, const struct dicomnet_query *query);

/* ---- retrieval_part.c: what is known of each entity ---- */

void retrieval_parts_init(struct retrieval_list *list);
void retrieval_parts_forget(struct retrieval_list *list);

struct retrieval_target *retrieval_target_add(struct retrieval_list *list, enum dicomnet_query_level level);

/* The part of this level and place, or NULL. */
struct retrieval_part *retrieval_part_find(const struct retrieval_list *list, enum dicomnet_query_level level,
                                           const struct retrieval_place *place);

/* A new one, which is not in the list yet; `target` is its owner. NULL if out of memory. */
struct retrieval_part *retrieval_part_add(struct retrieval *retrieval, struct retrieval_target *target,
                                          struct retrieval_part *within, enum dicomnet_query_level level,
                                          const struct retrieval_place *place);

/* Count anew what of a part is unnamed, after any change of it. */
void retrieval_part_settle(struct retrieval *retrieval, struct retrieval_part *part);

/* The list is made: open what it cannot have whole. */
void retrieval_parts_close(struct retrieval *retrieval);

/* An instance of this UID, new in the part. NULL if out of memory. */
struct retrieval_instance *retrieval_instance_add(struct retrieval *retrieval, struct retrieval_part *part,
                                                  const char *uid, const char *class_uid, enum retrieval_state state);
struct retrieval_instance *retrieval_instance_find(const struct retrieval *retrieval, const char *uid);

/* Change an instance's state, and what is counted of it. */
void retrieval_instance_set_state(struct retrieval *retrieval, struct retrieval_instance *instance,
                                  enum retrieval_state state);

/* Note why it is missing. `comment` may be NULL. */
void retrieval_instance_note(struct retrieval_instance *instance, uint16_t status, const char *comment);

/* So many were sent to a third party beyond what is listed. To be followed by retrieval_part_settle. */
void retrieval_part_set_sent(struct retrieval *retrieval, struct retrieval_part *part, uint64_t count);

/* What the peer said it had sent, of a part that is missing otherwise: so many. */
void retrieval_part_credit(struct retrieval *retrieval, struct retrieval_part *part, uint64_t count);
void retrieval_parts_take_credits_back(struct retrieval *retrieval);

/* Everything that is missing, to the observer and the log. */
void retrieval_parts_tell_missing(struct retrieval *retrieval);

/* ---- retrieval_list.c ---- */

void retrieval_list_init(struct retrieval *retrieval);
void retrieval_list_fini(struct retrieval *retrieval);

/* Begin with the keys: with what they name, if nobody is to be asked, else with the first C-FIND. 0 or -ENOMEM. */
int retrieval_list_begin(struct retrieval *retrieval) DICOMNET_MUST_CHECK;

/* Begin the next C-FIND. 1 = begun, 0 = there is none left, else a negative error. */
int retrieval_list_next(struct retrieval *retrieval) DICOMNET_MUST_CHECK;
void retrieval_list_match(struct retrieval *retrieval, const struct dicomnet_identifier *match);

/* A C-FIND of the list was answered. It may be that the peer cannot be used: retrieval_stop was called then. */
void retrieval_list_ended(struct retrieval *retrieval);

/* The association ended at a C-FIND, which may be given up then: what it was about is asked for as a whole. */
void retrieval_list_lost(struct retrieval *retrieval);

/* There is no C-FIND at this peer: go by the keys. False if they do not name what is wanted. */
bool retrieval_list_do_without(struct retrieval *retrieval, const char *why);

/* ---- retrieval_ask.c ---- */

/* Begin a round: at the first target. */
void retrieval_ask_rewind(struct retrieval *retrieval);

/* Begin the next C-MOVE or C-GET of this round: as retrieval_list_next. */
int retrieval_ask_next(struct retrieval *retrieval) DICOMNET_MUST_CHECK;

/* The peer said how far it is. */
void retrieval_ask_progress(struct retrieval *retrieval);

/* What was asked for as a whole is to come to this process by itself, and the peer says that more was sent than came.
 */
bool retrieval_ask_is_short(const struct retrieval *retrieval);

/* It ended, answered or not. `failed` as in query_user_handler.ended. */
void retrieval_ask_ended(struct retrieval *retrieval, const struct dicomnet_identifier *failed);

/* ---- retrieval_contexts.c ---- */

/* Contexts to propose; an array to be freed. NULL if out of memory. */
struct dicomnet_association_proposal *retrieval_proposals(const struct retrieval *retrieval, size_t *ret_count);

/* ---- retrieval_arrive.c ---- */

/* Open the output folder and, for a C-MOVE to here, the port. 0 or a negative error, and the result's stop_text. */
int retrieval_open_receiver(struct retrieval *retrieval) DICOMNET_MUST_CHECK;

/* What the output folder has of it: INSTANCE_PRESENT if it is whole and that very instance. */
enum retrieval_state retrieval_look_for(struct retrieval *retrieval, const char *uid, const char *class_uid,
                                        bool *ret_spoiled);

/*
 * For receiver_observer.store_asked: only what is on the list is wanted, or may be of an open part that is being asked
 * for, and not before it has been asked for. What a stranger sends does not get a file here.
 */
uint16_t retrieval_ask_wants(void *user, struct receiver_visit *visit, const struct dicomnet_dimse_command *request,
                             char ret_comment[65]);

/* For receiver_observer.store_replaces: what lies under its name was found not to be it. */
bool retrieval_ask_replaces(void *user, const char *instance_uid);

/* For receiver_observer.store_bytes. */
void retrieval_ask_bytes(void *user, struct receiver_visit *visit, struct dicomnet_span bytes);

/* For receiver_observer.store_answered. Returns 0. */
int retrieval_ask_arrived(void *user, struct receiver_visit *visit, const struct receiver_answer *answer);

#endif
