/* log - see dicomnet/log.h and base/log.h. */
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static const char *const event_names[] = {
#define X(name, text, meaning) [name] = (text),
    DICOMNET_LOG_EVENTS(X)
#undef X
};

const char *dicomnet_log_level_name(enum dicomnet_log_level level)
{
    return level_names[level];
}

int dicomnet_log_level_find(const char *name)
{
    static const struct {
        const char *name;
        enum dicomnet_log_level level;
    } names[] = {{"error", DICOMNET_LOG_ERROR}, {"critical", DICOMNET_LOG_ERROR}, {"fatal", DICOMNET_LOG_ERROR},
                 {"warn", DICOMNET_LOG_WARN},   {"warning", DICOMNET_LOG_WARN},   {"info", DICOMNET_LOG_INFO},
                 {"debug", DICOMNET_LOG_DEBUG}, {"trace", DICOMNET_LOG_DEBUG}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return (int)names[i].level;
    return -1;
}

const char *dicomnet_log_event_name(int event)
{
    return event >= 0 && event < DICOMNET_LOG_EVENT_COUNT ? event_names[event] : "unknown";
}

void dicomnet_logger_write(const struct dicomnet_logger *logger, enum dicomnet_log_level level, int event,
                           const struct dicomnet_log_field *fields, size_t field_count)
{
    if (!dicomnet_logger_wants(logger, level))
        return;
    struct dicomnet_log_record record = {.level = level, .event = event, .field_count = field_count, .fields = fields};
    logger->write(logger->user, &record);
}

size_t log_fields_size(const struct dicomnet_log_record *record)
{
    size_t size = record->field_count * sizeof *record->fields;
    for (size_t i = 0; i < record->field_count; i++)
        size += record->fields[i].text != NULL ? strlen(record->fields[i].text) + 1 : 0;
    return size;
}

char *log_fields_copy(struct dicomnet_log_record *record, void *room)
{
    struct dicomnet_log_field *fields = room;
    char *text = (char *)(fields + record->field_count);
    for (size_t i = 0; i < record->field_count; i++) {
        fields[i] = record->fields[i];
        if (fields[i].text != NULL) {
            fields[i].text = text;
            text = stpcpy(text, record->fields[i].text) + 1;
        }
    }
    record->fields = fields;
    return text;
}

struct dicomnet_log_record *dicomnet_log_record_copy(const struct dicomnet_log_record *record)
{
    struct dicomnet_log_record *copy = malloc(sizeof *copy + log_fields_size(record));
    if (copy == NULL)
        return NULL;
    *copy = *record;
    log_fields_copy(copy, copy + 1);
    return copy;
}
