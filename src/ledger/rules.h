/*
 * rules - what stands from earlier sessions: given how a file ended then, and what the file is now, must it be looked
 * at and sent again? Facts in, verdicts out: no database, no file, no clock.
 */
#ifndef LEDGER_RULES_H
#define LEDGER_RULES_H

#include <stdbool.h>

#include "engine/intake.h"
#include "instance/outcome.h"

struct file_facts;

/* What this session does otherwise than others may have. */
struct rules_options {
    bool retry_failed;                /* what failed for good is tried again */
    bool accept_raw;                  /* what has no meta header, or names no transfer syntax in it, is sent */
    bool allow_incomplete;            /* what lacks a study UID, or has one that is none, is sent */
    bool other_syntaxes;              /* what may be proposed, or converted, was chosen: what the peer refused in its
                                         syntax may go otherwise */
    enum intake_conflict on_conflict; /* what becomes of two data sets with one UID */
};

/*
 * True if `now` is the very file that `then` was, and nobody has written to it since: device, inode, size and time of
 * the last change are the same. An inode of 0 means that it is not known: then it is false.
 */
bool rules_same_file(const struct file_facts *then, const struct file_facts *now);

enum rules_verdict {
    RULES_AGAIN,             /* the file is looked at again */
    RULES_STANDS,            /* its outcome stands */
    RULES_STANDS_BY_ANOTHER, /* it stands if an instance with its SOP Instance UID is stored */
};

/* Of an outcome of an unchanged file. */
enum rules_verdict rules_judge(const struct rules_options *options, const struct outcome *outcome);

/* Of an outcome of an unchanged file: true if it failed because the peer had no room for it. That does not stand, but
 * it counts when it is to be told whether a peer that refuses everything is full. */
bool rules_was_refused(const struct outcome *outcome);

/* What the record of a stored instance means for a file with the same SOP Instance UID and another path. */
enum rules_twin {
    RULES_TWIN_NONE,    /* nothing: the file it was stored from is gone or has changed */
    RULES_TWIN_RENAMED, /* the very same file has another name now: its outcome stands */
    RULES_TWIN_OTHER    /* another file, which is unchanged: the two are to be compared */
};

/* `stored` is the file as it was stored; `found` the one that was found now; `there` what lies at the path of the
 * former now (its inode is 0 if nothing does). */
enum rules_twin rules_judge_twin(const struct file_facts *stored, const struct file_facts *found,
                                 const struct file_facts *there);

#endif
