/* words - see words.h. */
#include "fetch/words.h"

#include <stdio.h>

#include "base/number_text.h"

static const char *service_name(enum dicomnet_query_service service)
{
    return service == DICOMNET_QUERY_FIND ? "C-FIND" : service == DICOMNET_QUERY_MOVE ? "C-MOVE" : "C-GET";
}

void words_describe_query(const struct dicomnet_query *query, char *ret_text, size_t size)
{
    if (!query->answered)
        snprintf(ret_text, size, "%s: %s", service_name(query->service), dicomnet_error_text(query->error));
    else
        snprintf(ret_text, size, "%s: status %04X (%s)%s%s", service_name(query->service), query->status,
                 dicomnet_query_status_text(query->service, query->status), query->comment[0] != '\0' ? ": " : "",
                 query->comment);
}

void words_log_query_ended(struct run *run, const struct dicomnet_query *query)
{
    bool good = query->answered && query->status == DICOMNET_STATUS_SUCCESS;
    enum dicomnet_log_level level = !good                                   ? DICOMNET_LOG_WARN
                                    : query->service == DICOMNET_QUERY_FIND ? DICOMNET_LOG_DEBUG
                                                                            : DICOMNET_LOG_INFO;
    char status[NUMBER_STATUS_SIZE] = "none";
    const char *text =
        query->answered ? dicomnet_query_status_text(query->service, query->status) : dicomnet_error_text(query->error);
    if (query->answered)
        number_format_status(query->status, status);
    LOG(&run->logger, level, EVENT_QUERY_ENDED, LOG_TEXT("service", service_name(query->service)),
        LOG_TEXT("status", status), LOG_TEXT("text", text), LOG_TEXT("comment", query->comment),
        LOG_NUMBER("matches", query->match_count), LOG_NUMBER("completed", query->counts.completed),
        LOG_NUMBER("failed", query->counts.failed), LOG_NUMBER("warning", query->counts.warning),
        LOG_NUMBER("remaining", query->counts.remaining));
    run_set_study(run, "");
}
