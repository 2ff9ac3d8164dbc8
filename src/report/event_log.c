/*
 * event_log - see event_log.h.
 *
 * A line is written by hand into one buffer, without printf: there is one for each store, and building a tree of values
 * for each would cost more than the store. A line is flushed whole unless it alone is longer than the buffer.
 */
#include "report/event_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number_text.h"
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
    char session[64]; /* what stands between an event and its worker: the session, and both keys */
    size_t session_len;
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
    int len = snprintf(log->session, sizeof log->session, "\",\"session\":\"%s\",\"worker\":", session_id);
    assert(len > 0 && (size_t)len < sizeof log->session);
    log->session_len = (size_t)len;
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

/* More than the buffer has room for: what is in it goes out first. */
static void put_in_parts(struct event_log *log, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room = BUFFER_SIZE - log->len, part = len < room ? len : room;
        memcpy(log->buffer + log->len, bytes, part);
        log->len += part;
        bytes += part;
        len -= part;
        if (log->len == BUFFER_SIZE)
            event_log_flush(log);
    }
}

static inline void put_bytes(struct event_log *log, const char *bytes, size_t len)
{
    if (len > BUFFER_SIZE - log->len) {
        put_in_parts(log, bytes, len);
        return;
    }
    memcpy(log->buffer + log->len, bytes, len);
    log->len += len;
}

/* Of a literal the compiler knows the length. */
#define PUT(log, literal) put_bytes((log), (literal), sizeof(literal) - 1)

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

/* True if eight bytes are all plain. Each term has the high bit of a byte set that is not, and maybe of those above. */
static bool are_plain(const char *bytes)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t quote = word ^ '"' * ones, backslash = word ^ '\\' * ones;
    return ((word | (word - 0x20 * ones) | (quote - ones) | (backslash - ones)) & high) == 0;
}

/* How many of the `len` bytes are plain, from the first on. */
static size_t plain_len(const char *bytes, size_t len)
{
    size_t plain = 0;
    while (len - plain >= sizeof(uint64_t) && are_plain(bytes + plain))
        plain += sizeof(uint64_t);
    while (plain < len && is_plain((unsigned char)bytes[plain]))
        plain++;
    return plain;
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
        if (byte < sizeof short_names && short_names[byte] != '\0')
            put_bytes(log, (const char[]){'\\', short_names[byte]}, 2);
        else
            put_bytes(log, (const char[]){'\\', 'u', '0', '0', "01"[byte / 16], "0123456789abcdef"[byte % 16]}, 6);
        return 1;
    }
    uint32_t character;
    size_t len = text_decode_utf8(string, &character);
    if (len == 0) {
        PUT(log, "\xef\xbf\xbd");
        return 1;
    }
    put_bytes(log, string, len);
    return len;
}

static void put_string(struct event_log *log, const char *string)
{
    size_t len = strlen(string);
    PUT(log, "\"");
    for (size_t done = 0;;) {
        size_t plain = plain_len(string + done, len - done);
        put_bytes(log, string + done, plain);
        done += plain;
        if (done == len)
            break;
        done += put_special(log, string + done);
    }
    PUT(log, "\"");
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
        if (key[0] == keys[i][0] && key[1] == keys[i][1] && strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static void put_field(struct event_log *log, const struct dicomnet_log_field *field)
{
    if (is_first_key(field->key))
        PUT(log, ",\"field_");
    else
        PUT(log, ",\"");
    put(log, field->key);
    PUT(log, "\":");
    if (field->text != NULL) {
        put_string(log, field->text);
    } else if (field->number >= 0 && field->number <= 0xFFFF && strcmp(field->key, "status") == 0) {
        char status[NUMBER_STATUS_SIZE];
        number_format_status((uint16_t)field->number, status);
        put_string(log, status);
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
    PUT(log, "{\"time\":\"");
    put_time(log, time_us);
    PUT(log, "\",\"level\":\"");
    put(log, dicomnet_log_level_name(record->log.level));
    PUT(log, "\",\"event\":\"");
    put(log, event_name(record->log.event));
    put_bytes(log, log->session, log->session_len);
    put_number(log, record->worker > 0 ? (uint64_t)record->worker : 0, false);
    PUT(log, ",\"association\":");
    put_number(log, record->association, false);
    PUT(log, ",\"study\":");
    if (record->study != NULL)
        put_string(log, record->study);
    else
        PUT(log, "null");
    for (size_t i = 0; i < record->log.field_count; i++)
        put_field(log, &record->log.fields[i]);
    PUT(log, "}\n");

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
