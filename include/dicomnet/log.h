/*
 * log - how the library says what happens: one record for each event, to a logger the application gives.
 *
 * The library never prints. A `struct dicomnet_logger` is a callback, a level and a user pointer; a NULL logger is
 * silence. A record is only built if the level asks for it, and lives until the callback returns: what outlives that is
 * copied. Records carry paths and UIDs, never names of patients.
 */
#ifndef DICOMNET_LOG_H
#define DICOMNET_LOG_H

#include <stddef.h>
#include <stdint.h>

enum dicomnet_log_level {
    DICOMNET_LOG_ERROR,
    DICOMNET_LOG_WARN,
    DICOMNET_LOG_INFO,
    DICOMNET_LOG_DEBUG,
    DICOMNET_LOG_TRACE
};

/*
 * The closed list of events: enumerator, name in the log, what it says. A reader of the event log can rely on this
 * list; a new event is a new line here.
 */
#define DICOMNET_LOG_EVENTS(X)                                                                                         \
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
    X(DICOMNET_LOG_ASSOCIATION_REQUESTED, "association.requested", "an A-ASSOCIATE-RQ, sent or received")              \
    X(DICOMNET_LOG_ASSOCIATION_PROPOSED, "association.proposed", "one presentation context of an A-ASSOCIATE-RQ")      \
    X(DICOMNET_LOG_ASSOCIATION_ACCEPTED, "association.accepted", "an A-ASSOCIATE-AC, sent or received")                \
    X(DICOMNET_LOG_ASSOCIATION_EXTENDED, "association.extended", "an item of extended negotiation")                    \
    X(DICOMNET_LOG_ASSOCIATION_FLAW, "association.flaw",                                                               \
      "the peer's A-ASSOCIATE is not as the standard wants it, and was taken")                                         \
    X(DICOMNET_LOG_ASSOCIATION_OPENED, "association.opened", "an association is open")                                 \
    X(DICOMNET_LOG_ASSOCIATION_CONTEXT, "association.context", "one presentation context")                             \
    X(DICOMNET_LOG_ASSOCIATION_REJECTED, "association.rejected", "an A-ASSOCIATE-RJ")                                  \
    X(DICOMNET_LOG_ASSOCIATION_RELEASED, "association.released", "the association ended in good order")                \
    X(DICOMNET_LOG_ASSOCIATION_ABORTED, "association.aborted", "an A-ABORT, sent or received")                         \
    X(DICOMNET_LOG_ASSOCIATION_LOST, "association.lost", "the association ended otherwise")                            \
    X(EVENT_ASSOCIATION_RETRY, "association.retry", "a new association will be tried")                                 \
    X(DICOMNET_LOG_DIMSE_SENT, "dimse.sent", "a command set went out")                                                 \
    X(DICOMNET_LOG_DIMSE_RECEIVED, "dimse.received", "a command set came in")                                          \
    X(EVENT_STORE_STORED, "store.stored", "the peer acknowledged an instance")                                         \
    X(EVENT_STORE_WARNED, "store.warned", "stored, with a warning status")                                             \
    X(EVENT_STORE_FAILED, "store.failed", "an instance failed for good")                                               \
    X(EVENT_STORE_IN_DOUBT, "store.in_doubt",                                                                          \
      "an instance was sent whole and not answered: the peer may have it or not")                                      \
    X(EVENT_STORE_RETRIED, "store.retried", "an instance will be sent again")                                          \
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

enum dicomnet_log_event {
#define X(name, text, meaning) name,
    DICOMNET_LOG_EVENTS(X)
#undef X
        DICOMNET_LOG_EVENT_COUNT
};

const char *dicomnet_log_level_name(enum dicomnet_log_level level);

/* The level of a name ("error", "warn", "warning", "info", "debug", "trace", "critical", "fatal"); -1 if there is none
 * such. */
int dicomnet_log_level_find(const char *name);

const char *dicomnet_log_event_name(enum dicomnet_log_event event);

/* One field: text if `text` is not NULL, else a number. Keys are static strings; texts are borrowed. */
struct dicomnet_log_field {
    const char *key;
    const char *text;
    int64_t number;
};

enum { DICOMNET_LOG_FIELDS_MAX = 24 };

struct dicomnet_log_record {
    enum dicomnet_log_level level;
    enum dicomnet_log_event event;
    uint64_t time_us;     /* microseconds since the Unix epoch, 0 = the receiver of the record fills it in */
    int worker;           /* number of the worker it comes from, from 1; 0 = the main thread */
    uint64_t association; /* number of the association within the session; 0 = none */
    const char *study;    /* Study Instance UID, or NULL */
    size_t field_count;
    const struct dicomnet_log_field *fields;
};

struct dicomnet_logger {
    void (*write)(void *user, const struct dicomnet_log_record *record);
    void *user;
    enum dicomnet_log_level level;
};

/* True if `logger` wants records of this level. NULL wants none. */
static inline int dicomnet_logger_wants(const struct dicomnet_logger *logger, enum dicomnet_log_level level)
{
    return logger != NULL && logger->write != NULL && level <= logger->level;
}

/* Pass a record on with these fields, if the logger wants it. `fields` may be NULL if `field_count` is 0. */
void dicomnet_logger_write(const struct dicomnet_logger *logger, enum dicomnet_log_level level,
                           enum dicomnet_log_event event, const struct dicomnet_log_field *fields, size_t field_count);

/* One heap block with the record, its fields and all their texts; free() it. NULL if out of memory. */
struct dicomnet_log_record *dicomnet_log_record_copy(const struct dicomnet_log_record *record);

#endif
