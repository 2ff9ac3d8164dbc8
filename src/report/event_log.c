/*
 * event_log - see event_log.h.
 *
 * A line is written by hand into one buffer: with small instances there are several for each store, and building a tree
 * of values for each would cost more than the store. A line is flushed whole unless it alone is longer than the buffer.
 */
#include "report/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "report/report_files.h"

enum {
    BUFFER_SIZE = 256 * 1024,
    LINE_ROOM = 16 * 1024, /* a record begins with at least this much free */
    FLUSH_INTERVAL_US = 1000000
};

struct event_log {
    int fd;    /* -1 once it is ended */
    int error; /* the first there was; nothing is written after it */
    char *path;
    char session[64];
    uint64_t flushed_us;
    uint64_t second; /* the one that second_text shows */
    char second_text[CLOCK_TEXT_SIZE];
    size_t len;
    char buffer[BUFFER_SIZE];
};

int event_log_open(struct event_log **ret_log, const char *dir, const char *name, const char *session_id)
{
    int error = report_make_folder(dir);
    if (error < 0)
        return error;
    struct event_log *log = malloc(sizeof *log);
    char *path = report_path(dir, name, session_id, ".log");
    if (log == NULL || path == NULL) {
        free(log);
        free(path);
        return -ENOMEM;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
        error = -errno;
        free(log);
        free(path);
        return error;
    }
    log->fd = fd;
    log->error = 0;
    log->path = path;
    snprintf(log->session, sizeof log->session, "%s", session_id);
    log->flushed_us = clock_wall_us();
    log->second = UINT64_MAX;
    log->len = 0;
    *ret_log = log;
    return 0;
}

const char *event_log_path(const struct event_log *log)
{
    return log->path;
}

int event_log_flush(struct event_log *log)
{
    for (size_t done = 0; log->error == 0 && done < log->len;) {
        ssize_t written = write(log->fd, log->buffer + done, log->len - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            log->error = -errno;
    }
    log->len = 0;
    return log->error;
}

static void put_bytes(struct event_log *log, const char *bytes, size_t len)
{
    while (len > BUFFER_SIZE - log->len) {
        size_t part = BUFFER_SIZE - log->len;
        memcpy(log->buffer + log->len, bytes, part);
        log->len += part;
        bytes += part;
        len -= part;
        event_log_flush(log);
    }
    memcpy(log->buffer + log->len, bytes, len);
    log->len += len;
}

static void put(struct event_log *log, const char *string)
{
    put_bytes(log, string, strlen(string));
}

static void put_number(struct event_log *log, uint64_t number, bool negative)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    if (negative)
        digits[--at] = '-';
    put_bytes(log, digits + at, sizeof digits - at);
}

/* True for what stands in a JSON string as it is, one byte a character. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* What `string` begins with that is not plain. Returns the bytes taken. */
static size_t put_special(struct event_log *log, const char *string)
{
    unsigned char byte = (unsigned char)*string;
    if (byte == '"' || byte == '\\') {
        put_bytes(log, (const char[]){'\\', (char)byte}, 2);
        return 1;
    }
    if (byte < 0x20) {
        static const char short_names[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
        char escape[8] = {'\\', byte < sizeof short_names ? short_names[byte] : '\0'};
        if (escape[1] == '\0')
            snprintf(escape, sizeof escape, "\\u%04x", byte);
        put(log, escape);
        return 1;
    }
    uint32_t character;
    size_t len = text_decode_utf8(string, &character);
    if (len == 0) {
        put(log, "\xef\xbf\xbd");
        return 1;
    }
    put_bytes(log, string, len);
    return len;
}

static void put_string(struct event_log *log, const char *string)
{
    put_bytes(log, "\"", 1);
    while (*string != '\0') {
        size_t len = 0;
        while (is_plain((unsigned char)string[len]))
            len++;
        put_bytes(log, string, len);
        string += len;
        if (*string != '\0')
            string += put_special(log, string);
    }
    put_bytes(log, "\"", 1);
}

static void put_time(struct event_log *log, uint64_t time_us)
{
    if (time_us / 1000000 != log->second) {
        log->second = time_us / 1000000;
        clock_format(log->second * 1000000, log->second_text);
    }
    put_bytes(log, log->second_text, sizeof "2026-03-01T12:00:00." - 1);
    char micros[] = "000000Z";
    uint64_t rest = time_us % 1000000;
    for (int i = 5; i >= 0; i--, rest /= 10)
        micros[i] = (char)('0' + rest % 10);
    put_bytes(log, micros, sizeof micros - 1);
}

static bool is_first_key(const char *key)
{
    static const char *const keys[] = {"time", "level", "event", "session", "worker", "association", "study"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (key[0] == keys[i][0] && strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static void put_field(struct event_log *log, const struct dicomnet_log_field *field)
{
    put(log, is_first_key(field->key) ? ",\"field_" : ",\"");
    put(log, field->key);
    put_bytes(log, "\":", 2);
    if (field->text != NULL) {
        put_string(log, field->text);
    } else if (strcmp(field->key, "status") == 0 && field->number >= 0 && field->number <= 0xFFFF) {
        char status[12];
        snprintf(status, sizeof status, "\"0x%04X\"", (unsigned)field->number);
        put(log, status);
    } else {
        bool negative = field->number < 0;
        put_number(log, negative ? -(uint64_t)field->number : (uint64_t)field->number, negative);
    }
}

void event_log_write(struct event_log *log, const struct event_record *record)
{
    if (log->error < 0 || log->fd < 0)
        return;
    if (BUFFER_SIZE - log->len < LINE_ROOM)
        event_log_flush(log);
    uint64_t time_us = record->log.time_us > 0 ? record->log.time_us : clock_wall_us();
    put(log, "{\"time\":\"");
    put_time(log, time_us);
    put(log, "\",\"level\":\"");
    put(log, dicomnet_log_level_name(record->log.level));
    put(log, "\",\"event\":\"");
    put(log, event_name(record->log.event));
    put(log, "\",\"session\":");
    put_string(log, log->session);
    put(log, ",\"worker\":");
    put_number(log, record->worker > 0 ? (uint64_t)record->worker : 0, false);
    put(log, ",\"association\":");
    put_number(log, record->association, false);
    put(log, ",\"study\":");
    if (record->study != NULL)
        put_string(log, record->study);
    else
        put(log, "null");
    for (size_t i = 0; i < record->log.field_count; i++)
        put_field(log, &record->log.fields[i]);
    put_bytes(log, "}\n", 2);

    /* Records come with their own times, which can lie a little before the last: then it is simply not due yet. A long
     * way back is a wall clock that was set. */
    bool due = time_us > log->flushed_us + FLUSH_INTERVAL_US || time_us + FLUSH_INTERVAL_US < log->flushed_us;
    if (record->log.level == DICOMNET_LOG_ERROR || due) {
        event_log_flush(log);
        log->flushed_us = time_us;
    }
}

int event_log_end(struct event_log *log)
{
    event_log_flush(log);
    if (log->fd >= 0 && close(log->fd) != 0 && log->error == 0)
        log->error = -errno;
    log->fd = -1;
    return log->error;
}

int event_log_close(struct event_log *log)
{
    if (log == NULL)
        return 0;
    int error = event_log_end(log);
    free(log->path);
    free(log);
    return error;
}
