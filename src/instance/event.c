/* event - see event.h. */
#include "instance/event.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define X(name, text, meaning) [name - DICOMNET_LOG_EVENT_OWN] = (text),
    EVENTS(X)
#undef X
};

const char *event_name(int event)
{
    return event >= DICOMNET_LOG_EVENT_OWN && event < EVENT_END ? names[event - DICOMNET_LOG_EVENT_OWN]
                                                                : dicomnet_log_event_name(event);
}

struct event_record *event_record_copy(const struct event_record *record)
{
    size_t study_size = record->study != NULL ? strlen(record->study) + 1 : 0;
    struct event_record *copy = malloc(sizeof *copy + log_fields_size(&record->log) + study_size);
    if (copy == NULL)
        return NULL;
    *copy = *record;
    char *behind = log_fields_copy(&copy->log, copy + 1);
    if (record->study != NULL)
        copy->study = memcpy(behind, record->study, study_size);
    return copy;
}
