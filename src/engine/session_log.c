/*
 * session_log - how an instance ended, or why it is sent again, as a record of the log. On the main thread. See
 * session_private.h.
 */
#include <stdio.h>

#include "base/number_text.h"
#include "engine/session_private.h"
#include "instance/event.h"
#include "instance/instance.h"
#include "instance/outcome.h"
#include "wire/syntax.h"

void session_log_outcome(struct session *session, const struct instance *instance)
{
    static const struct {
        enum dicomnet_log_level level;
        int event;
    } kinds[OUTCOME_STATE_COUNT] = {[OUTCOME_PENDING] = {DICOMNET_LOG_DEBUG, EVENT_FILE_PENDING},
                                    [OUTCOME_IN_DOUBT] = {DICOMNET_LOG_WARN, EVENT_STORE_IN_DOUBT},
                                    [OUTCOME_STORED] = {DICOMNET_LOG_INFO, EVENT_STORE_STORED},
                                    [OUTCOME_WARNED] = {DICOMNET_LOG_WARN, EVENT_STORE_WARNED},
                                    [OUTCOME_FAILED] = {DICOMNET_LOG_ERROR, EVENT_STORE_FAILED},
                                    [OUTCOME_SKIPPED] = {DICOMNET_LOG_INFO, EVENT_FILE_SKIPPED}};
    const struct outcome *outcome = &instance->outcome;
    enum dicomnet_log_level level = outcome->earlier ? DICOMNET_LOG_DEBUG : kinds[outcome->state].level;
    bool flawed = (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED) && outcome_has_flaws(outcome);
    if (flawed && level > DICOMNET_LOG_WARN)
        level = DICOMNET_LOG_WARN;
    int event = outcome->earlier ? EVENT_FILE_KNOWN : kinds[outcome->state].event;
    if (!dicomnet_logger_wants(&session->logger, level))
        return;
    if (outcome->state == OUTCOME_FAILED && outcome->attempts == 0 && !outcome->earlier)
        event = EVENT_FILE_FAILED;
    char text[INSTANCE_TEXT_SIZE], flaws[200], status[NUMBER_STATUS_SIZE], converted[200];
    text[0] = flaws[0] = status[0] = converted[0] = '\0';
    const char *sent_syntax = outcome->sent_syntax != NULL ? outcome->sent_syntax : "";
    if (outcome->state != OUTCOME_STORED)
        instance_describe(instance, text, sizeof text);
    if (flawed)
        outcome_describe_flaws(outcome, flaws, sizeof flaws);
    if (outcome->has_status)
        number_format_status(outcome->status, status);
    if (outcome_is_converted(outcome))
        snprintf(converted, sizeof converted, "%s to %s", syntax_name(instance->file.syntax_uid),
                 syntax_name(sent_syntax));
    const struct dicomnet_log_field fields[] = {LOG_TEXT("path", instance->file.path),
                                                LOG_TEXT("instance", instance->file.instance_uid),
                                                LOG_TEXT("state", outcome_state_name(outcome->state)),
                                                LOG_TEXT("reason", outcome_reason_name(outcome->reason)),
                                                LOG_TEXT("status", status),
                                                LOG_TEXT("comment", outcome->comment),
                                                LOG_TEXT("text", text),
                                                LOG_TEXT("warning", flaws),
                                                LOG_TEXT("sent_syntax", sent_syntax),
                                                LOG_TEXT("converted", converted),
                                                LOG_NUMBER("bytes", instance_wire_len(instance)),
                                                LOG_NUMBER("attempts", outcome->attempts),
                                                LOG_NUMBER("message_id", instance->delivery.message_id),
                                                LOG_NUMBER("read_us", outcome->read_us),
                                                LOG_NUMBER("write_us", outcome->write_us),
                                                LOG_NUMBER("wait_us", outcome->wait_us)};
    /* Empty fields are left out: nearly all records have the same ones empty. */
    struct dicomnet_log_field said[sizeof fields / sizeof fields[0]];
    size_t said_count = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].text == NULL || fields[i].text[0] != '\0')
            said[said_count++] = fields[i];
    const struct event_record record = {.log = {.level = level,
                                                .event = event,
                                                .time_us = outcome->earlier ? 0 : outcome->ended_us,
                                                .field_count = said_count,
                                                .fields = said},
                                        .worker = instance->delivery.worker,
                                        .association = instance->delivery.association,
                                        .study = instance->file.study_uid[0] != '\0' ? instance->file.study_uid : NULL};
    session_log_record(session, &record);
}

void session_log_again(struct session *session, const struct instance *instance)
{
    const struct outcome *outcome = &instance->outcome;
    char text[160];
    if (!dicomnet_logger_wants(&session->logger, DICOMNET_LOG_WARN))
        return;
    outcome_describe(outcome, text, sizeof text);
    const struct dicomnet_log_field fields[] = {LOG_TEXT("path", instance->file.path),
                                                LOG_TEXT("instance", instance->file.instance_uid),
                                                LOG_TEXT("reason", outcome_reason_name(outcome->reason)),
                                                LOG_TEXT("text", text), LOG_NUMBER("attempt", outcome->attempts)};
    const struct event_record record = {.log = {.level = DICOMNET_LOG_WARN,
                                                .event = EVENT_STORE_RETRIED,
                                                .field_count = sizeof fields / sizeof fields[0],
                                                .fields = fields},
                                        .worker = instance->delivery.worker,
                                        .association = instance->delivery.association,
                                        .study = instance->file.study_uid[0] != '\0' ? instance->file.study_uid : NULL};
    session_log_record(session, &record);
}
