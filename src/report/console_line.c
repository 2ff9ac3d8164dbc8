/* console_line - see console_line.h. */
#include "report/console_line.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "instance/event.h"
#include "report/format.h"
#include "report/log_line.h"

static const struct dicomnet_log_field *find(const struct event_record *record, const char *key)
{
    for (size_t i = 0; i < record->log.field_count; i++)
        if (strcmp(record->log.fields[i].key, key) == 0)
            return &record->log.fields[i];
    return NULL;
}

static const char *text_of(const struct event_record *record, const char *key)
{
    const struct dicomnet_log_field *field = find(record, key);
    return field != NULL && field->text != NULL ? field->text : "";
}

static uint64_t number_of(const struct event_record *record, const char *key)
{
    const struct dicomnet_log_field *field = find(record, key);
    return field != NULL && field->text == NULL ? (uint64_t)field->number : 0;
}

void console_line_put_count(struct text *text, uint64_t count, const char *noun)
{
    text_printf(text, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

/* The value of a field, with what goes before and behind it; nothing if it is empty. */
static void put_field(struct text *text, const char *before, const char *value, const char *behind)
{
    if (*value == '\0')
        return;
    text_put(text, before);
    text_put_visible(text, value);
    text_put(text, behind);
}

static void put_time(struct text *text, const char *before, const struct event_record *record, const char *key)
{
    char duration[FORMAT_SIZE];
    format_duration(duration, number_of(record, key) * 1000);
    text_printf(text, "%s%s", before, duration);
}

static void put_text(struct text *text, const struct event_record *record)
{
    text_put_visible(text, text_of(record, "text"));
}

/* What else the record has: " (stores 25)". */
static void put_others(struct text *text, const struct event_record *record)
{
    const char *before = " (";
    for (size_t i = 0; i < record->log.field_count; i++) {
        const struct dicomnet_log_field *field = &record->log.fields[i];
        if (strcmp(field->key, "text") == 0)
            continue;
        text_printf(text, "%s%s ", before, field->key);
        if (field->text != NULL)
            text_put_visible(text, field->text);
        else
            text_printf(text, "%" PRId64, field->number);
        before = ", ";
    }
    text_put(text, *before == ',' ? ")" : "");
}

static void say_file(struct text *text, const struct event_record *record)
{
    const char *why = text_of(record, "text");
    text_put_visible(text, text_of(record, "path"));
    put_field(text, ": ", *why != '\0' ? why : text_of(record, "reason"), "");
}

static void say_refused(struct text *text, const struct event_record *record)
{
    put_field(text, "", text_of(record, "instance"), " ");
    text_printf(text, "was refused with status %04" PRIX64, number_of(record, "status"));
    put_field(text, ": ", text_of(record, "text"), "");
}

static void say_query(struct text *text, const struct event_record *record)
{
    put_field(text, "", text_of(record, "service"), " ended: ");
    put_text(text, record);
    put_field(text, " (status ", strcmp(text_of(record, "status"), "none") != 0 ? text_of(record, "status") : "", ")");
    put_field(text, ", '", text_of(record, "comment"), "'");
}

/* What a retrieval does, step by step. */
static bool say_retrieval(struct text *text, const struct event_record *record)
{
    char bytes[FORMAT_SIZE];
    switch (record->log.event) {
    case EVENT_QUERY_STARTED:
        put_field(text, "", text_of(record, "service"), " begins");
        if (number_of(record, "instances") > 0) {
            text_put(text, ": ");
            console_line_put_count(text, number_of(record, "instances"), "instance");
            text_put(text, number_of(record, "instances") == 1 ? " is wanted" : " are wanted");
        }
        put_field(text, ", at level ", text_of(record, "level"), "");
        return true;
    case EVENT_RETRIEVAL_LISTED:
        text_put(text, "the peer has ");
        console_line_put_count(text, number_of(record, "instances"), "instance");
        text_printf(text, " in %" PRIu64 " series; %" PRIu64 " %s here already", number_of(record, "series"),
                    number_of(record, "present"), number_of(record, "present") == 1 ? "is" : "are");
        return true;
    case EVENT_RETRIEVAL_STORED:
        format_bytes(bytes, (double)number_of(record, "bytes"));
        put_field(text, "stored ", text_of(record, "instance"), "");
        text_printf(text, " (%s)", bytes);
        return true;
    case EVENT_RETRIEVAL_RETRIED:
        console_line_put_count(text, number_of(record, "missing"), "instance");
        text_put(text, number_of(record, "missing") == 1 ? " is missing" : " are missing");
        put_time(text, ": asked for again in ", record, "delay_ms");
        return true;
    case EVENT_QUERY_ENDED:
        say_query(text, record);
        return true;
    default:
        return false;
    }
}

void console_line_say(struct text *text, const struct event_record *record)
{
    if (say_retrieval(text, record))
        return;
    switch (record->log.event) {
    case DICOMNET_LOG_ASSOCIATION_LOST:
    case DICOMNET_LOG_ASSOCIATION_REJECTED:
    case DICOMNET_LOG_ASSOCIATION_ABORTED:
        put_field(text, "association with ", text_of(record, "peer"), ": ");
        put_text(text, record);
        break;
    case EVENT_ASSOCIATION_RETRY:
    case EVENT_SESSION_PAUSED:
        put_text(text, record);
        put_time(text, "; next try in ", record, "delay_ms");
        break;
    case EVENT_SESSION_RESUMED:
        put_text(text, record);
        put_time(text, ", after ", record, "paused_ms");
        break;
    case EVENT_STORE_RETRIED:
        say_file(text, record);
        text_put(text, "; it is sent again");
        break;
    case EVENT_FILE_FAILED:
    case EVENT_FILE_SKIPPED:
        say_file(text, record);
        break;
    case EVENT_RECEIVER_REFUSED:
        say_refused(text, record);
        break;
    case EVENT_SESSION_NOTE:
    case EVENT_SESSION_INTERRUPTED:
        put_text(text, record);
        put_others(text, record);
        break;
    default:
        text_put(text, event_name(record->log.event));
        put_field(text, ": ", text_of(record, "text"), "");
        put_others(text, record);
        break;
    }
}

void console_line_say_cause(struct text *text, const struct event_record *record)
{
    switch (record->log.event) {
    case EVENT_STORE_RETRIED:
        text_put(text, "instances were sent again: ");
        put_text(text, record);
        break;
    case EVENT_SESSION_PAUSED:
    case EVENT_SESSION_RESUMED:
        put_text(text, record);
        break;
    case EVENT_RETRIEVAL_RETRIED:
        text_put(text, "what was missing was asked for again");
        break;
    case EVENT_RECEIVER_REFUSED:
        text_printf(text, "instances were refused with status %04" PRIX64, number_of(record, "status"));
        put_field(text, ": ", text_of(record, "text"), "");
        break;
    default:
        console_line_say(text, record);
        break;
    }
}

void console_line_render(struct text *text, const struct event_record *record)
{
    static const char *const words[] = {[DICOMNET_LOG_ERROR] = "error: ", [DICOMNET_LOG_WARN] = "warning: "};
    uint64_t wall_us = record->log.time_us > 0 ? record->log.time_us : clock_wall_us();
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm local = {0};
    localtime_r(&seconds, &local);
    text_printf(text, "%02d:%02d:%02d %s", local.tm_hour, local.tm_min, local.tm_sec,
                record->log.level <= DICOMNET_LOG_WARN ? words[record->log.level] : "");
    console_line_say(text, record);
}

/* FNV-1a. Digits are left out, so that troubles that differ only in a UID or a count are the same trouble. */
static uint64_t mix(uint64_t hash, const char *string)
{
    for (; *string != '\0'; string++)
        if (!isdigit((unsigned char)*string) && *string != '.')
            hash = (hash ^ (unsigned char)*string) * 0x100000001b3u;
    return hash;
}

uint64_t console_line_cause(const struct event_record *record)
{
    uint64_t hash = 0xcbf29ce484222325u + (uint64_t)record->log.event;
    static const char *const keys[] = {"reason", "status", "text"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        hash = mix(hash, text_of(record, keys[i]));
    return hash ^ number_of(record, "status");
}
