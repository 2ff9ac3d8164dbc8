/*
 * log - how the library says what happens: one record for each event, to a logger the application gives.
 *
 * The library never prints. A `struct logger` is a callback, a level and a user pointer; a NULL logger is silence. A
 * record is only built if the level asks for it, and lives until the callback returns: what outlives that is copied.
 * Records carry paths and UIDs, never names of patients.
 */
#ifndef DICOMNET_LOG_H
#define DICOMNET_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/*
 * The closed list of events: enumerator, name in the log, what it says. A reader of the event log can rely on this
 * list; a new event is a new line here.
 */
#define LOG_EVENTS(X)                                                                                                  \
    X(LOG_SESSION_STARTED, "session.started", "a session began")                                                       \
    X(LOG_SESSION_ENDED, "session.ended", "a session ended")                                                           \
    X(LOG_SESSION_INTERRUPTED, "session.interrupted", "a signal or a fatal answer stops the session")                  \
    X(LOG_SESSION_PAUSED, "session.paused", "all workers pause: the peer is out of resources")                         \
    X(LOG_SESSION_RESUMED, "session.resumed",                                                                          \
      "all workers go on, as its text says: the peer stores again, or it is the files")                                \
    X(LOG_SESSION_NOTE, "session.note", "something a user should know that is no error")                               \
    X(LOG_SCAN_STARTED, "scan.started", "the search for files began")                                                  \
    X(LOG_SCAN_ENDED, "scan.ended", "every path was looked at")                                                        \
    X(LOG_FILE_SKIPPED, "file.skipped", "a file that will not be sent")                                                \
    X(LOG_FILE_KNOWN, "file.known", "an earlier session's outcome stands: not opened")                                 \
    X(LOG_FILE_FAILED, "file.failed", "a file that cannot be sent")                                                    \
    X(LOG_FILE_PENDING, "file.pending", "not sent, by a dry run or as the session ended before")                       \
    X(LOG_STUDY_STARTED, "study.started", "a worker was given a study")                                                \
    X(LOG_STUDY_ENDED, "study.ended", "a worker is done with a study")                                                 \
    X(LOG_ASSOCIATION_REQUESTED, "association.requested", "an A-ASSOCIATE-RQ, sent or received")                       \
    X(LOG_ASSOCIATION_PROPOSED, "association.proposed", "one presentation context of an A-ASSOCIATE-RQ")               \
    X(LOG_ASSOCIATION_ACCEPTED, "association.accepted", "an A-ASSOCIATE-AC, sent or received")                         \
    X(LOG_ASSOCIATION_EXTENDED, "association.extended", "an item of extended negotiation")                             \
    X(LOG_ASSOCIATION_FLAW, "association.flaw",                                                                        \
      "the peer's A-ASSOCIATE is not as the standard wants it, and was taken")                                         \
    X(LOG_ASSOCIATION_OPENED, "association.opened", "an association is open")                                          \
    X(LOG_ASSOCIATION_CONTEXT, "association.context", "one presentation context")                                      \
    X(LOG_ASSOCIATION_REJECTED, "association.rejected", "an A-ASSOCIATE-RJ")                                           \
    X(LOG_ASSOCIATION_RELEASED, "association.released", "the association ended in good order")                         \
    X(LOG_ASSOCIATION_ABORTED, "association.aborted", "an A-ABORT, sent or received")                                  \
    X(LOG_ASSOCIATION_LOST, "association.lost", "the association ended otherwise")                                     \
    X(LOG_ASSOCIATION_RETRY, "association.retry", "a new association will be tried")                                   \
    X(LOG_DIMSE_SENT, "dimse.sent", "a command set went out")                                                          \
    X(LOG_DIMSE_RECEIVED, "dimse.received", "a command set came in")                                                   \
    X(LOG_STORE_STORED, "store.stored", "the peer acknowledged an instance")                                           \
    X(LOG_STORE_WARNED, "store.warned", "stored, with a warning status")                                               \
    X(LOG_STORE_FAILED, "store.failed", "an instance failed for good")                                                 \
    X(LOG_STORE_IN_DOUBT, "store.in_doubt",                                                                            \
      "an instance was sent whole and not answered: the peer may have it or not")                                      \
    X(LOG_STORE_RETRIED, "store.retried", "an instance will be sent again")                                            \
    X(LOG_RECEIVER_LISTENING, "receiver.listening", "a receiver is ready")                                             \
    X(LOG_RECEIVER_STORED, "receiver.stored", "a receiver kept an instance")                                           \
    X(LOG_RECEIVER_REFUSED, "receiver.refused", "a receiver answered a failure")                                       \
    X(LOG_QUERY_STARTED, "query.started", "a C-FIND, C-MOVE or C-GET goes out")                                        \
    X(LOG_QUERY_ENDED, "query.ended", "it was answered or lost")                                                       \
    X(LOG_RETRIEVAL_LISTED, "retrieval.listed", "what the peer has")                                                   \
    X(LOG_RETRIEVAL_STORED, "retrieval.stored", "an instance came and is kept")                                        \
    X(LOG_RETRIEVAL_SPOILED, "retrieval.spoiled", "what lies under its name is cut, or not it: it is asked for again") \
    X(LOG_RETRIEVAL_UNLISTED, "retrieval.unlisted", "an instance came that nobody asked for, and was refused")         \
    X(LOG_RETRIEVAL_RETRIED, "retrieval.retried", "what is missing is asked for again")                                \
    X(LOG_RETRIEVAL_MISSING, "retrieval.missing", "what did not come")

enum log_event {
#define X(name, text, meaning) name,
    LOG_EVENTS(X)
#undef X
        LOG_EVENT_COUNT
};

const char *log_level_name(enum log_level level);

/* The level of a name ("error", "warn", "warning", "info", "debug", "trace", "critical", "fatal"); -1 if there is none
 * such. */
int log_level_find(const char *name);

const char *log_event_name(enum log_event event);

/* One field: text if `text` is not NULL, else a number. Keys are static strings; texts are borrowed. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key_, text_)     ((struct log_field){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((struct log_field){.key = (key_), .number = (int64_t)(number_)})

enum { LOG_FIELDS_MAX = 24 };

struct log_record {
    enum log_level level;
    enum log_event event;
    uint64_t time_us;     /* microseconds since the Unix epoch, 0 = the receiver of the record fills it in */
    int worker;           /* number of the worker it comes from, from 1; 0 = the main thread */
    uint64_t association; /* number of the association within the session; 0 = none */
    const char *study;    /* Study Instance UID, or NULL */
    size_t field_count;
    const struct log_field *fields;
};

struct logger {
    void (*write)(void *user, const struct log_record *record);
    void *user;
    enum log_level level;
};

/* True if `logger` wants records of this level. NULL wants none. */
static inline int logger_wants(const struct logger *logger, enum log_level level)
{
    return logger != NULL && logger->write != NULL && level <= logger->level;
}

/* Pass a record on with these fields, if the logger wants it. `fields` may be NULL if `field_count` is 0. */
void logger_write(const struct logger *logger, enum log_level level, enum log_event event,
                  const struct log_field *fields, size_t field_count);

/* logger_write with the fields listed: LOG(logger, LOG_INFO, LOG_SESSION_NOTE, LOG_TEXT("text", "...")). */
#define LOG(logger, level, event, ...)                                                                                 \
    do {                                                                                                               \
        if (logger_wants((logger), (level))) {                                                                         \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                                      \
            logger_write((logger), (level), (event), log_fields_, sizeof log_fields_ / sizeof log_fields_[0]);         \
        }                                                                                                              \
    } while (0)

/* One heap block with the record, its fields and all their texts; free() it. NULL if out of memory. */
struct log_record *log_record_copy(const struct log_record *record);

#endif
