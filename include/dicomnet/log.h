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

#ifdef __cplusplus
extern "C" {
#endif

enum dicomnet_log_level { DICOMNET_LOG_ERROR, DICOMNET_LOG_WARN, DICOMNET_LOG_INFO, DICOMNET_LOG_DEBUG };

/*
 * The closed list of the library's events: enumerator, name, what it says. A reader of records can rely on this list; a
 * new event is a new line at its end.
 */
#define DICOMNET_LOG_EVENTS(X)                                                                                         \
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
    X(DICOMNET_LOG_DIMSE_SENT, "dimse.sent", "a command set went out")                                                 \
    X(DICOMNET_LOG_DIMSE_RECEIVED, "dimse.received", "a command set came in")

enum dicomnet_log_event {
#define DICOMNET_X_(name, text, meaning) name,
    DICOMNET_LOG_EVENTS(DICOMNET_X_)
#undef DICOMNET_X_
        DICOMNET_LOG_EVENT_COUNT
};

/* An application that passes records of its own through a logger numbers its events from here on. */
enum { DICOMNET_LOG_EVENT_OWN = 1000 };

const char *dicomnet_log_level_name(enum dicomnet_log_level level);

/*
 * The level of a name, whatever its case: "error", "warn", "info", "debug"; also what other tools call them: "fatal",
 * "critical", "warning", "trace". -1 if there is none such.
 */
int dicomnet_log_level_find(const char *name);

/* The name of an event of the library ("association.opened"), or "unknown". Static. */
const char *dicomnet_log_event_name(int event);

/* One field: text if `text` is not NULL, else a number. Keys are static strings; texts are borrowed. */
struct dicomnet_log_field {
    const char *key;
    const char *text;
    int64_t number;
};

enum { DICOMNET_LOG_FIELDS_MAX = 24 };

struct dicomnet_log_record {
    enum dicomnet_log_level level;
    int event;        /* enum dicomnet_log_event, or one of the application's own */
    uint64_t time_us; /* microseconds since the Unix epoch; 0 = the receiver of the record fills it in */
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
void dicomnet_logger_write(const struct dicomnet_logger *logger, enum dicomnet_log_level level, int event,
                           const struct dicomnet_log_field *fields, size_t field_count);

/* One heap block with the record, its fields and all their texts; free() it. NULL if out of memory. */
struct dicomnet_log_record *dicomnet_log_record_copy(const struct dicomnet_log_record *record);

#ifdef __cplusplus
}
#endif

#endif
