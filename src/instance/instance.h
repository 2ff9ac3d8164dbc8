/*
 * instance - one path that was looked at: what its header says, and how it ended.
 *
 * There is an instance for every path, also for those that will never be sent: its outcome says why. One heap block
 * holds the struct and all its strings. It belongs to one thread at a time and travels by its mail.
 */
#ifndef INSTANCE_INSTANCE_H
#define INSTANCE_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "instance/outcome.h"

/* Where the bytes of an instance's data set come from: files/source.h opens each kind. */
enum source_kind {
    SOURCE_FILE,     /* from its path, byte for byte */
    SOURCE_SYNTHETIC /* from numbers: there is no file */
};

/* What is known of a file. Strings in here are borrowed when it is filled in, owned once it is in an instance. */
struct file_facts {
    const char *path; /* as it was given or found; bytes of the file system, any encoding */
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t device;
    uint64_t inode;
    uint64_t data_offset; /* where the data set begins: after the file meta information */
    uint64_t data_len;    /* its length in the file */
    bool pad;             /* add one NUL: odd deflated data (PS3.5 A.5) */
    enum source_kind source;
    uint64_t study_number; /* SOURCE_SYNTHETIC: it is instance `number` of study `study_number`, both from 0 */
    uint64_t number;
    const char *study_uid; /* "" where unknown, or where it has none; all are well-formed UIDs otherwise */
    const char *series_uid;
    const char *instance_uid;
    const char *class_uid;
    const char *syntax_uid;
};

/* What the engine remembers of an instance's attempts, to tell whose fault it was that they failed. */
struct instance_trials {
    unsigned lost;          /* associations that ended while it was in flight: see engine/losses.h */
    unsigned excused;       /* those that ended on this side, for the sake of another: they are no attempts of it */
    bool aside;             /* it is sent alone over an association of its own, when nothing else is to be sent */
    bool refused_earlier;   /* an earlier session ended it as failed because the peer had no room for it */
    unsigned refused;       /* times that the peer had no room for it while it had some for others, */
    uint64_t refused_row;   /* and in which row of refusals that was last: see engine/breaker.h */
    uint64_t rest_until_ms; /* monotonic; it is not sent again before */
};

/* By which way the sending job sent it last. All zero: it was not sent, or by an earlier session. */
struct instance_delivery {
    uint64_t association; /* number of the association within the session, from 1 */
    uint64_t answered_us; /* monotonic: when the peer's last answer came; 0 = never */
    int worker;           /* number of the worker, from 1 */
    uint16_t message_id;  /* of the C-STORE */
};

/* What is kept of its file until it is sent, by whoever opened it: files/held_files.h. */
struct instance_hold {
    void (*drop)(struct instance_hold *hold); /* the instance needs it no more */
};

struct context_pair;

struct instance {
    struct mail mail;
    struct file_facts file;
    const struct context_pair *pair; /* the engine's: in which contexts it may go out; NULL = it was not planned */
    struct outcome outcome;
    struct instance_hold *hold; /* owned; NULL = nothing is kept of its file */
    char *fact;                 /* owned: what the outcome's reason is about, for people; NULL = it speaks for itself */
    struct instance_trials trials;
    struct instance_delivery delivery;
};

/* Copy the facts and their strings (NULL strings become ""). NULL if out of memory. */
struct instance *instance_create(const struct file_facts *facts);

/* Free it; NULL is fine. It is on no list. */
void instance_destroy(struct instance *instance);

/* What is kept of its file is dropped, if anything is. */
void instance_drop_hold(struct instance *instance);

enum {
    INSTANCE_FACT_SIZE = 768, /* of a fact, with its NUL: what does not fit is cut */
    INSTANCE_TEXT_SIZE = 1024 /* holds every text of instance_describe */
};

/*
 * Note the fact behind its outcome: the class and syntax that the peer does not take, the file that it conflicts with.
 * One line; it takes the place of an earlier one. Without memory it is left out.
 */
void instance_note(struct instance *instance, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* outcome_describe of its outcome, and the fact: "the same SOP Instance UID as another file, with different bytes: ..."
 */
void instance_describe(const struct instance *instance, char *ret_text, size_t size);

/* Set how it ended: state, reason, and the error behind it or 0. The rest of its outcome stays as it is. */
static inline void instance_set_end(struct instance *instance, enum outcome_state state, enum outcome_reason reason,
                                    int error)
{
    instance->outcome.state = state;
    instance->outcome.reason = reason;
    instance->outcome.error = error;
}

/* Bytes that go over the wire as its data set. */
static inline uint64_t instance_wire_len(const struct instance *instance)
{
    return instance->file.data_len + (instance->file.pad ? 1 : 0);
}

#endif
