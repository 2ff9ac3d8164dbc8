/*
 * event - what the programs log: the library's events and their own, each with where in a session it happened.
 *
 * The library says what happens on an association (dicomnet/log.h). A record of a session says beside it which worker
 * it comes from, which association it is about, and which study. The main thread is worker 0.
 */
#ifndef INSTANCE_EVENT_H
#define INSTANCE_EVENT_H

#include <stdint.h>

#include "base/log.h"

/*
 * The closed list of the programs' own events: enumerator, name in the log, what it says. With the library's, these are
 * all that an event log has; a new event is a new line here.
 */
#define EVENTS(X)                                                                                                      \
    X(EVENT_SESSION_STARTED, "session.started", "a session began")                                                     \
    X(EVENT_SESSION_ENDED, "session.ended", "a session ended")                                                         \
    X(EVENT_SESSION_INTERRUPTED, "session.interrupted", "a signal or a fatal answer stops the session")                \
    X(EVENT_SESSION_PAUSED, "session.paused", "all workers pause: the peer is out of resources")                       \
    X(EVENT_SESSION_RESUMED, "session.resumed",                                                                        \
      "all workers go on, as its text says: the peer stores again, or it is the files")                                \
    X(EVENT_SESSION_NOTE, "session.note", "something a user should know that is no error")                             \
    X(EVENT_SCAN_STARTED, "scan.started", "the search for files began")                                                \
    X(EVENT_SCAN_ENDED, "scan.ended", "every path was looked at")                                                      \
    X(EVENT_FILE_SKIPPED, "file.skipped", "a file that will not be sent")                                              \
    X(EVENT_FILE_KNOWN, "file.known", "an earlier session's outcome stands: not opened")                               \
    X(EVENT_FILE_FAILED, "file.failed", "a file that cannot be sent")                                                  \
    X(EVENT_FILE_PENDING, "file.pending", "not sent, by a dry run or as the session ended before")                     \
    X(EVENT_STUDY_STARTED, "study.started", "a worker was given a study")                                              \
    X(EVENT_STUDY_ENDED, "study.ended", "a worker is done with a study")                                               \
    X(EVENT_ASSOCIATION_RETRY, "association.retry", "a new association will be tried")                                 \
    X(EVENT_STORE_STORED, "store.stored", "the peer acknowledged an instance")                                         \
    X(EVENT_STORE_WARNED, "store.warned", "stored, with a warning status")                                             \
    X(EVENT_STORE_FAILED, "store.failed", "an instance failed for good")                                               \
    X(EVENT_STORE_IN_DOUBT, "store.in_doubt",                                                                          \
      "an instance was sent whole and not answered: the peer may have it or not")                                      \
    X(EVENT_STORE_RETRIED, "store.retried", "an instance will be sent again")                                          \
    X(EVENT_PROBE_ANSWERED, "probe.answered", "in which transfer syntax, if in any, the peer would take a class")      \
    X(EVENT_RECEIVER_LISTENING, "receiver.listening", "a receiver is ready")                                           \
    X(EVENT_RECEIVER_STORED, "receiver.stored", "a receiver kept an instance")                                         \
    X(EVENT_RECEIVER_REFUSED, "receiver.refused", "a receiver answered a failure")                                     \
    X(EVENT_QUERY_STARTED, "query.started", "a C-FIND, C-MOVE or C-GET goes out")                                      \
    X(EVENT_QUERY_ENDED, "query.ended", "it was answered or lost")                                                     \
    X(EVENT_RETRIEVAL_LISTED, "retrieval.listed", "what the peer has")                                                 \
    X(EVENT_RETRIEVAL_STORED, "retrieval.stored", "an instance came and is kept")                                      \
    X(EVENT_RETRIEVAL_SPOILED, "retrieval.spoiled",                                                                    \
      "what lies under its name is cut, or not it: it is asked for again")                                             \
    X(EVENT_RETRIEVAL_UNLISTED, "retrieval.unlisted", "an instance came that nobody asked for, and was refused")       \
    X(EVENT_RETRIEVAL_RETRIED, "retrieval.retried", "what is missing is asked for again")                              \
    X(EVENT_RETRIEVAL_MISSING, "retrieval.missing", "what did not come")

enum event {
    EVENT_BEFORE_FIRST = DICOMNET_LOG_EVENT_OWN - 1,
#define X(name, text, meaning) name,
    EVENTS(X)
#undef X
        EVENT_END
};

/* The name of an event, the programs' own or the library's ("store.stored", "association.opened"). Static. */
const char *event_name(int event);

struct event_record {
    struct dicomnet_log_record log;
    int worker;           /* number of the worker it comes from, from 1; 0 = the main thread */
    uint64_t association; /* number of the association within the session; 0 = none */
    const char *study;    /* Study Instance UID, or NULL */
};

/* One heap block with the record, its fields and all their texts; free() it. NULL if out of memory. */
struct event_record *event_record_copy(const struct event_record *record);

#endif
