/*
 * inventory - what is known of each patient, study, series and instance that is wanted: how much there is, what of it
 * is here, and what is not accounted for.
 *
 *   target   what the keys name or match: a patient, a study or a series; of the image level, the series it is in
 *    part    the target itself, and each study and series within it that the peer has listed
 *     instance
 *
 * It knows no peer, file or clock: the list of the peer (listing.h), its answers (asking.h) and what arrives
 * (arrivals.h) are written into it. Its counts always hold: listed = present + stored + missing.
 */
#ifndef FETCH_INVENTORY_H
#define FETCH_INVENTORY_H

#include "base/table.h"
#include "dicomnet/query_retrieve.h"
#include "dicomnet/uid.h"
#include "fetch/retrieval.h"

enum inventory_state {
    INSTANCE_WANTED,  /* it is not here; at the end: it is missing */
    INSTANCE_PRESENT, /* the output folder had it before */
    INSTANCE_STORED   /* it came, or a third party got it, as the peer says */
};

struct inventory_class {
    struct table_node node;
    uint64_t wanted; /* instances of it that are INSTANCE_WANTED */
    char uid[DICOMNET_UID_SIZE];
};

struct inventory_instance {
    struct table_node node;          /* by uid */
    struct inventory_instance *next; /* of its part */
    struct inventory_part *part;     /* that it counts for */
    struct inventory_class *class;   /* NULL = the peer did not say */
    enum inventory_state state;
    bool spoiled; /* what lies under its name is not it, and makes room for it */
    uint16_t refused_status;
    char *refused_comment; /* owned; NULL = none */
    char uid[];
};

/* A unique key's value: a Patient ID (VR LO: at most 64 characters) or a UID. */
enum { KEY_SIZE = 65 };

/* Where an entity stands: the unique keys of its level and of those above. "" below its level, or where not needed. */
struct inventory_place {
    char patient_id[KEY_SIZE];
    char study_uid[DICOMNET_UID_SIZE];
    char series_uid[DICOMNET_UID_SIZE];
};

/*
 * A patient, study or series, and what is known of how much it holds. Its instances are those that no part below it
 * has: of a series all that are listed; of a study or a patient only what came, or failed, without having been listed.
 *
 * It is `open` if its list cannot be complete: its C-FIND brought nothing or failed, a match had no usable key, or the
 * peer counts more than it lists. Then it is asked for as a whole, what comes for it is taken, and what the peer has
 * spoken of and nobody has seen is `unnamed`: missing, without a name.
 */
struct inventory_part {
    struct table_node node;      /* by key */
    struct inventory_part *next; /* of its target */
    struct inventory_target *target;
    struct inventory_part *within;   /* the study or patient that it is in; NULL = the target's own */
    enum dicomnet_query_level level; /* not DICOMNET_QUERY_LEVEL_IMAGE */
    struct inventory_place place;
    struct inventory_instance *first, **end;
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

struct inventory_target {
    struct inventory_target *next;
    enum dicomnet_query_level level;     /* of the keys */
    struct inventory_part *first, **end; /* the first is the entity itself */
};

struct inventory {
    struct table instances; /* by UID */
    struct table classes;   /* by UID */
    struct table parts;     /* by level and place */
    struct inventory_target *first, **end;
    uint64_t unknown_class; /* instances that are wanted and have no class */
    uint64_t unnamed;       /* of all parts */
    uint64_t taken;         /* matches that came, and instances without having been listed: against max_matches */
    struct retrieval_counts counts;
};

void inventory_init(struct inventory *inventory);
void inventory_fini(struct inventory *inventory);

/* A new target, which has no part yet. NULL if out of memory. */
struct inventory_target *inventory_add_target(struct inventory *inventory, enum dicomnet_query_level level);

/* The part of this level and place, or NULL. */
struct inventory_part *inventory_find_part(const struct inventory *inventory, enum dicomnet_query_level level,
                                           const struct inventory_place *place);

/* A new part of the target, whose level and place is not there yet. NULL if out of memory. */
struct inventory_part *inventory_add_part(struct inventory *inventory, struct inventory_target *target,
                                          struct inventory_part *within, enum dicomnet_query_level level,
                                          const struct inventory_place *place);

/* True if the part is `whole` or within it. */
bool inventory_is_within(const struct inventory_part *part, const struct inventory_part *whole);

/* How many of the part's own instances are wanted. */
uint64_t inventory_count_wanted(const struct inventory_part *part);

/* Count anew what of a part is unnamed. To be called after any change of its members. */
void inventory_settle(struct inventory *inventory, struct inventory_part *part);

/* The list is made: open what it cannot have whole. */
void inventory_close(struct inventory *inventory);

/* A new instance of the part. Its UID is not there yet; class_uid "" = not known. NULL if out of memory. */
struct inventory_instance *inventory_add_instance(struct inventory *inventory, struct inventory_part *part,
                                                  const char *uid, const char *class_uid, enum inventory_state state);
struct inventory_instance *inventory_find_instance(const struct inventory *inventory, const char *uid);

/* Change an instance's state, and what is counted of it: the one place that does. */
void inventory_set_state(struct inventory *inventory, struct inventory_instance *instance, enum inventory_state state);

/* Note why it is missing. `comment` may be NULL. */
void inventory_note(struct inventory_instance *instance, uint16_t status, const char *comment);

/* It came with another part before, and counts for this one from now on. */
void inventory_move(struct inventory *inventory, struct inventory_instance *instance, struct inventory_part *part);

/* The peer sent `count` to a third party beyond what is listed. To be followed by inventory_settle. */
void inventory_set_sent(struct inventory *inventory, struct inventory_part *part, uint64_t count);

/* The peer said that it had sent `count` of a part that is missing otherwise. They count until they are taken back. */
void inventory_credit(struct inventory *inventory, struct inventory_part *part, uint64_t count);
void inventory_take_credits_back(struct inventory *inventory);

#endif
