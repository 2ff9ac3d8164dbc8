/*
 * retrieval_words - what is said of a query that has ended: to a person, and to the log.
 */
#include <stdio.h>

#include "fetch/retrieval_private.h"

static const char *service_name(enum query_service service)
{
    return service == QUERY_FIND ? "C-FIND" : service == QUERY_MOVE ? "C-MOVE" : "C-GET";
}

void retrieval_describe_query(const struct query *query, char *ret_text, size_t size)
{
    if (!query->answered)
        snprintf(ret_text, size, "%s: %s", service_name(query->service), error_text(query->error));
    else
        snprintf(ret_text, size, "%s: status %04X (%s)%s%s", service_name(query->service), query->status,
                 query_status_text(query->service, query->status), query->comment[0] != '\0' ? ": " : "",
                 query->comment);
}

void retrieval_log_query_ended(struct retrieval *retrieval, const struct query *query)
{
    bool good = query->answered && query->status == STATUS_SUCCESS;
    enum log_level level = !good ? LOG_WARN : query->service == QUERY_FIND ? LOG_DEBUG : LOG_INFO;
    char status[8] = "none";
    const char *text = query->answered ? query_status_text(query->service, query->status) : error_text(query->error);
    if (query->answered)
        snprintf(status, sizeof status, "0x%04X", query->status);
    LOG(&retrieval->logger, level, LOG_QUERY_ENDED, LOG_TEXT("service", service_name(query->service)),
        LOG_TEXT("status", status), LOG_TEXT("text", text), LOG_TEXT("comment", query->comment),
        LOG_NUMBER("matches", query->match_count), LOG_NUMBER("completed", query->counts.completed),
        LOG_NUMBER("failed", query->counts.failed), LOG_NUMBER("warning", query->counts.warning),
        LOG_NUMBER("remaining", query->counts.remaining));
    retrieval->study_uid = NULL;
}
