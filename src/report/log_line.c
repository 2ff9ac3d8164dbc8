/* log_line - see log_line.h. */
#include "report/log_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "instance/event.h"

static void put_field_value(struct text *text, const struct dicomnet_log_field *field)
{
    if (field->text == NULL && strcmp(field->key, "status") == 0) {
        text_printf(text, "0x%04" PRIX64, field->number);
    } else if (field->text == NULL) {
        text_printf(text, "%" PRId64, field->number);
    } else if (*field->text == '\0' || strpbrk(field->text, " =\"") != NULL) {
        text_put(text, "\"");
        text_put_visible(text, field->text);
        text_put(text, "\"");
    } else {
        text_put_visible(text, field->text);
    }
}

void log_line_render(struct text *text, const struct event_record *record)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(record->log.time_us > 0 ? record->log.time_us : clock_wall_us(), time);
    text_printf(text, "%.12s %-5s %s", time + sizeof "2026-03-01T" - 1, dicomnet_log_level_name(record->log.level),
                event_name(record->log.event));
    if (record->worker > 0)
        text_printf(text, " w%d", record->worker);
    if (record->association > 0)
        text_printf(text, " a%" PRIu64, record->association);
    if (record->study != NULL) {
        text_put(text, " study=");
        text_put_visible(text, record->study);
    }
    for (size_t i = 0; i < record->log.field_count; i++) {
        text_printf(text, " %s=", record->log.fields[i].key);
        put_field_value(text, &record->log.fields[i]);
    }
}
