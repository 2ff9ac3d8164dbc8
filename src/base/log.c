/* log - see dicomnet/log.h. */
#include "dicomnet/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

static const char *const event_names[] = {
#define X(name, text, meaning) [name] = (text),
    LOG_EVENTS(X)
#undef X
};

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

int log_level_find(const char *name)
{
    static const struct {
        const char *name;
        enum log_level level;
    } names[] = {{"error", LOG_ERROR},  {"critical", LOG_ERROR}, {"fatal", LOG_ERROR}, {"warn", LOG_WARN},
                 {"warning", LOG_WARN}, {"info", LOG_INFO},      {"debug", LOG_DEBUG}, {"trace", LOG_TRACE}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return (int)names[i].level;
    return -1;
}

const char *log_event_name(enum log_event event)
{
    return event_names[event];
}

void logger_write(const struct logger *logger, enum log_level level, enum log_event event,
                  const struct log_field *fields, size_t field_count)
{
    if (!logger_wants(logger, level))
        return;
    struct log_record record = {.level = level, .event = event, .field_count = field_count, .fields = fields};
    logger->write(logger->user, &record);
}

struct log_record *log_record_copy(const struct log_record *record)
{
    size_t size = sizeof *record + record->field_count * sizeof *record->fields;
    for (size_t i = 0; i < record->field_count; i++)
        size += record->fields[i].text != NULL ? strlen(record->fields[i].text) + 1 : 0;
    size += record->study != NULL ? strlen(record->study) + 1 : 0;

    struct log_record *copy = malloc(size);
    if (copy == NULL)
        return NULL;
    struct log_field *fields = (struct log_field *)(copy + 1);
    char *text = (char *)(fields + record->field_count);
    *copy = *record;
    copy->fields = fields;
    for (size_t i = 0; i < record->field_count; i++) {
        fields[i] = record->fields[i];
        if (fields[i].text != NULL) {
            fields[i].text = text;
            text = stpcpy(text, record->fields[i].text) + 1;
        }
    }
    if (record->study != NULL) {
        copy->study = text;
        strcpy(text, record->study);
    }
    return copy;
}
