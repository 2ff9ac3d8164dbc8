/*
 * progress_records - log records on the console: sentences, and one cause once. See progress.h.
 *
 * Sixty-four workers that find a peer's port closed have one thing to say, and say it at each try. The first time it is
 * a line; later it is counted, said again after ten minutes, and told at the end. What goes on meanwhile stands in the
 * live line. The log has every record.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/error.h"
#include "instance/event.h"
#include "report/console_line.h"
#include "report/log_line.h"
#include "report/progress_data.h"

enum { SAID_AGAIN_AFTER_US = 600 * 1000000 };

/* Records that say the same as a file's own line, or as its count. */
static bool is_about_a_file(int event)
{
    return event == EVENT_STORE_STORED || event == EVENT_STORE_WARNED || event == EVENT_STORE_FAILED ||
           event == EVENT_STORE_IN_DOUBT || event == EVENT_FILE_SKIPPED || event == EVENT_FILE_FAILED ||
           event == EVENT_FILE_PENDING;
}

/* What the live line or the words at the end say in their own way. */
static bool is_said_elsewhere(const struct event_record *record)
{
    bool is_our_own_doing = false; /* at the end of a session */
    for (size_t i = 0; i < record->log.field_count && record->log.event == DICOMNET_LOG_ASSOCIATION_ABORTED; i++)
        is_our_own_doing |=
            strcmp(record->log.fields[i].key, "text") == 0 &&
            strstr(record->log.fields[i].text, dicomnet_error_text(DICOMNET_ERROR_ABORTED_LOCALLY)) != NULL;
    return is_our_own_doing || record->log.event == EVENT_ASSOCIATION_RETRY ||
           (record->log.event == EVENT_SESSION_INTERRUPTED && record->log.level == DICOMNET_LOG_ERROR);
}

/* Who asks for more than warnings wants to see what the log has. */
static bool shows_records(const struct progress *progress)
{
    if (progress->console_level > 0)
        return progress->console_level > DICOMNET_LOG_WARN + 1;
    return progress->detail == PROGRESS_DEBUG;
}

static bool wants_record(const struct progress *progress, const struct event_record *record)
{
    if (is_about_a_file(record->log.event))
        return false;
    if (progress->console_level > 0)
        return (int)record->log.level < progress->console_level &&
               (shows_records(progress) || !is_said_elsewhere(record));
    switch (progress->detail) {
    case PROGRESS_QUIET:
        return record->log.level == DICOMNET_LOG_ERROR && !is_said_elsewhere(record);
    case PROGRESS_NORMAL:
        return record->log.level <= DICOMNET_LOG_WARN && !is_said_elsewhere(record);
    case PROGRESS_VERBOSE:
        return (record->log.level <= DICOMNET_LOG_WARN || record->log.event == EVENT_SESSION_NOTE) &&
               !is_said_elsewhere(record);
    case PROGRESS_DEBUG:
    default:
        return true;
    }
}

/* The cause that this record is of, new if need be. NULL if there are too many of them, or no memory. */
static struct progress_cause *find_cause(struct progress *progress, const struct event_record *record)
{
    uint64_t hash = console_line_cause(record);
    for (size_t i = 0; i < progress->cause_count; i++)
        if (progress->causes[i].hash == hash)
            return &progress->causes[i];
    struct text sentence = {0};
    console_line_say_cause(&sentence, record);
    if (progress->cause_count == PROGRESS_CAUSES_MAX || sentence.failed) {
        text_fini(&sentence);
        return NULL;
    }
    struct progress_cause *cause = &progress->causes[progress->cause_count++];
    *cause = (struct progress_cause){.hash = hash, .text = sentence.data};
    return cause;
}

/* True if it is to be said now; *ret_times is how often it came since it was said last. */
static bool is_news(struct progress *progress, const struct event_record *record, uint64_t *ret_times)
{
    *ret_times = 1;
    if (record->log.event == EVENT_SESSION_NOTE ||
        (record->log.event == EVENT_STORE_RETRIED && progress->detail == PROGRESS_VERBOSE))
        return true;
    struct progress_cause *cause = find_cause(progress, record);
    if (cause == NULL)
        return false;
    cause->count++;
    if (cause->said_count > 0 && record->log.time_us < cause->said_us + SAID_AGAIN_AFTER_US)
        return false;
    *ret_times = cause->count - cause->said_count;
    cause->said_count = cause->count;
    cause->said_us = record->log.time_us;
    return true;
}

void progress_log(struct progress *progress, const struct event_record *record)
{
    bool records = shows_records(progress);
    uint64_t times = 1;
    if (!wants_record(progress, record) || (!records && !is_news(progress, record, &times)))
        return;
    const char *colour = record->log.level == DICOMNET_LOG_ERROR   ? progress_colour(progress, COLOUR_RED)
                         : record->log.level == DICOMNET_LOG_WARN  ? progress_colour(progress, COLOUR_YELLOW)
                         : record->log.level >= DICOMNET_LOG_DEBUG ? progress_colour(progress, COLOUR_DIM)
                                                                   : "";
    struct text *text = progress_begin_lines(progress);
    text_put(text, colour);
    if (records)
        log_line_render(text, record);
    else
        console_line_render(text, record);
    if (times > 1)
        text_printf(text, " (%" PRIu64 " times since this was last said)", times);
    text_printf(text, "%s\n", *colour != '\0' ? COLOUR_OFF : "");
    progress_put_lines(progress);
}

void progress_put_causes(struct text *text, const struct progress *progress)
{
    bool any = false;
    for (size_t i = 0; i < progress->cause_count; i++) {
        const struct progress_cause *cause = &progress->causes[i];
        if (cause->count < 2)
            continue;
        if (!any)
            text_printf(text, "\n%smore than once%s\n", progress_colour(progress, COLOUR_YELLOW),
                        progress_colour(progress, COLOUR_OFF));
        any = true;
        text_printf(text, "  %" PRIu64 " times: %s\n", cause->count, cause->text);
    }
}

void progress_forget_causes(struct progress *progress)
{
    for (size_t i = 0; i < progress->cause_count; i++)
        free(progress->causes[i].text);
    progress->cause_count = 0;
}
