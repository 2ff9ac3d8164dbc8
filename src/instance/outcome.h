/*
 * outcome - how one instance ended. Every path the session looks at has exactly one.
 */
#ifndef INSTANCE_OUTCOME_H
#define INSTANCE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/sizes.h"

enum outcome_state {
    OUTCOME_PENDING,  /* not sent yet */
    OUTCOME_IN_DOUBT, /* its last byte went out and no matching response came */
    OUTCOME_STORED,
    OUTCOME_WARNED, /* stored, with a warning status */
    OUTCOME_FAILED,
    OUTCOME_SKIPPED
};
enum { OUTCOME_STATE_COUNT = OUTCOME_SKIPPED + 1 };

/* The closed list of reasons: enumerator, its name in logs and reports, what it says to a person. */
#define OUTCOME_REASONS(X)                                                                                             \
    X(REASON_NONE, "none", "")                                                                                         \
    /* skipped */                                                                                                      \
    X(REASON_NOT_DICOM, "not-dicom", "not a DICOM file")                                                               \
    X(REASON_DICOMDIR, "dicomdir", "a DICOMDIR, not an instance")                                                      \
    X(REASON_NOT_A_FILE, "not-a-file", "not a regular file")                                                           \
    X(REASON_DUPLICATE, "duplicate", "the same instance, byte for byte, as another file")                              \
    /* failed before sending */                                                                                        \
    X(REASON_UNREADABLE, "unreadable", "the system cannot read it")                                                    \
    X(REASON_MISSING, "missing", "no such file or folder")                                                             \
    X(REASON_VANISHED, "vanished", "gone since it was scanned")                                                        \
    X(REASON_ONLY_FOLDERS, "only-folders", "holds folders and no files: --recursive (-r) goes into them")              \
    X(REASON_NO_META, "no-meta", "a data set without preamble or file meta information: --accept-raw sends it")        \
    X(REASON_NO_TRANSFER_SYNTAX, "no-transfer-syntax",                                                                 \
      "its file meta information names no transfer syntax: --accept-raw sends it")                                     \
    X(REASON_NESTING, "nesting", "sequences nested deeper than 64")                                                    \
    X(REASON_TRUNCATED, "truncated", "the file ends inside an element")                                                \
    X(REASON_TRAILING_DATA, "trailing-data", "bytes after the last element")                                           \
    X(REASON_SYNTAX_MISMATCH, "syntax-mismatch", "not encoded as the transfer syntax it declares")                     \
    X(REASON_BAD_DELIMITER, "bad-delimiter", "an item or sequence delimiter is missing, or stands where none belongs") \
    X(REASON_ODD_LENGTH, "odd-length", "the data set has an odd length")                                               \
    X(REASON_NO_STUDY_UID, "no-study-uid", "no Study Instance UID")                                                    \
    X(REASON_NO_INSTANCE_UID, "no-instance-uid", "no SOP Instance UID in the data set")                                \
    X(REASON_NO_CLASS_UID, "no-class-uid", "no SOP Class UID in the data set")                                         \
    X(REASON_BAD_UID, "bad-uid", "a UID that is not 1 to 64 digits and single dots")                                   \
    X(REASON_UID_CONFLICT, "uid-conflict", "the same SOP Instance UID as another file, with different bytes")          \
    /* failed while sending */                                                                                         \
    X(REASON_CHANGED, "changed", "changed while it was being sent")                                                    \
    X(REASON_UNSUPPORTED, "unsupported", "the peer does not take its class in its transfer syntax")                    \
    X(REASON_UNDECODABLE, "undecodable", "it cannot be converted to a transfer syntax that the peer takes")            \
    X(REASON_STATUS, "status", "the peer did not answer with success")                                                 \
    X(REASON_POISON, "poison", "the peer ended the association each time this instance was sent")                      \
    X(REASON_NO_RESPONSE, "no-response", "the peer gave no response to it, each time it was sent")                     \
    X(REASON_CONNECTION, "connection", "no association could be kept with the peer")                                   \
    /* pending at the end */                                                                                           \
    X(REASON_INTERRUPTED, "interrupted", "the session was stopped before it ended")                                    \
    X(REASON_OUT_OF_MEMORY, "out-of-memory", "no memory for it")

enum outcome_reason {
#define X(name, text, meaning) name,
    OUTCOME_REASONS(X)
#undef X
        REASON_COUNT
};

struct outcome {
    enum outcome_state state;
    enum outcome_reason reason;
    bool has_status;
    uint16_t status;         /* the last DIMSE status the peer gave, if has_status (an answer may have had none) */
    bool leading_zero_uid;   /* a warning: a UID component has a leading zero */
    bool bad_study_uid;      /* a warning: the Study Instance UID is there, but is no UID (--allow-incomplete) */
    bool bad_series_uid;     /* a warning: the same of the Series Instance UID */
    bool unknown_vr;         /* a warning: an element's VR is none of the standard's */
    bool zero_tail;          /* a warning: zeros behind the last element, which are not sent unless deflated */
    bool uid_missing;        /* a warning: the peer's response named no SOP Instance UID */
    bool context_other;      /* a warning: it came on another presentation context of the same class */
    bool meta_differs;       /* a warning: the file meta information's UIDs differ from the data set's */
    bool earlier;            /* an earlier session with the same ledger did this; the file was not opened now */
    int error;               /* negative error code behind the reason, or 0 */
    unsigned attempts;       /* times it was handed to an association */
    uint64_t ended_us;       /* wall clock of the end; 0 = not ended */
    uint64_t read_us;        /* last attempt: what reading the file took */
    uint64_t write_us;       /* last attempt: from the first byte handed over to the last one taken, but for read_us */
    uint64_t wait_us;        /* last attempt: from the last byte taken to the response */
    uint64_t offset;         /* where in the file it went wrong (truncated, syntax-mismatch, bad-uid), else 0 */
    const char *sent_syntax; /* UID of the transfer syntax it was converted to and last sent in; lives as long as the
                                session; NULL = it was sent as it lies, or not at all */
    const char *detail;      /* static: what exactly the reason is about, for people; or NULL */
    char comment[DICOMNET_COMMENT_SIZE]; /* the peer's Error Comment (0000,0902), "" if none */
};

/* True if the peer has it in another transfer syntax than it lies in. */
static inline bool outcome_is_converted(const struct outcome *outcome)
{
    return (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED) && outcome->sent_syntax != NULL;
}

/* "pending", "in_doubt", "stored", "warned", "failed", "skipped" */
const char *outcome_state_name(enum outcome_state state);
const char *outcome_reason_name(enum outcome_reason reason);
const char *outcome_reason_text(enum outcome_reason reason);

/* The state or reason with this name; OUTCOME_PENDING or REASON_NONE if there is none such. */
enum outcome_state outcome_state_find(const char *name);
enum outcome_reason outcome_reason_find(const char *name);

/*
 * True if it failed for good: because of what the file holds, or by the peer's answer to it. What failed because of the
 * system or the network (unreadable, not decoded, no association, no response), or as the peer had no room (status A7xx
 * or 0213), may succeed another day without any change to it.
 */
bool outcome_is_final_failure(const struct outcome *outcome);

/* True if its last word was that the peer had no room for it: status A7xx or 0213. */
bool outcome_says_no_room(const struct outcome *outcome);

/*
 * One line for a person, of at most `size` bytes: reason text, then what is known of status, comment, error and offset:
 * "the peer did not answer with success: A700 (out of resources), 'disk full'". Never empty for failed or skipped.
 */
void outcome_describe(const struct outcome *outcome, char *ret_text, size_t size);

/* What is wrong with a file that is sent all the same. One line as outcome_describe; "" if nothing is. */
void outcome_describe_flaws(const struct outcome *outcome, char *ret_text, size_t size);
bool outcome_has_flaws(const struct outcome *outcome);

#endif
