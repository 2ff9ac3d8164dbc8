/*
 * log - what writes and copies log records. See dicomnet/log.h.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "dicomnet/log.h"

#define LOG_TEXT(key_, text_)     ((struct dicomnet_log_field){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((struct dicomnet_log_field){.key = (key_), .number = (int64_t)(number_)})

/* dicomnet_logger_write with the fields listed: LOG(logger, DICOMNET_LOG_INFO, EVENT_SESSION_NOTE, LOG_TEXT("text",
 * "...")). */
#define LOG(logger, level, event, ...)                                                                                 \
    do {                                                                                                               \
        if (dicomnet_logger_wants((logger), (level))) {                                                                \
            const struct dicomnet_log_field log_fields_[] = {__VA_ARGS__};                                             \
            dicomnet_logger_write((logger), (level), (event), log_fields_,                                             \
                                  sizeof log_fields_ / sizeof log_fields_[0]);                                         \
        }                                                                                                              \
    } while (0)

/* Bytes that the fields of a record and their texts take. */
size_t log_fields_size(const struct dicomnet_log_record *record);

/*
 * Move a record's fields to `room`, which is aligned and has log_fields_size bytes: it owns copies of them then.
 * Returns the first byte behind them.
 */
char *log_fields_copy(struct dicomnet_log_record *record, void *room);

#endif
