/*
 * console_fixture - a console that writes to a file or to a pseudo-terminal of a given width, for the tests of
 * report/progress.h: what it wrote can be read, and instances and records are handed to it.
 */
#ifndef TESTS_CONSOLE_FIXTURE_H
#define TESTS_CONSOLE_FIXTURE_H

#include <criterion/criterion.h>
#include <poll.h>
#include <pty.h>

#include "instance/event.h"
#include "report/progress.h"
#include "report_fixture.h"

/* Where the console writes: a memory file, or a pseudo-terminal. */
static FILE *out;
static int terminal = -1;
static struct progress *progress;
static struct session_progress now;

static inline void tear_down(void)
{
    progress_destroy(progress);
    if (out != NULL)
        fclose(out);
    if (terminal >= 0)
        close(terminal);
}

static inline void begin(enum progress_detail detail)
{
    out = tmpfile();
    progress = progress_create(&(struct progress_options){.out = out, .detail = detail});
    cr_assert_not_null(progress);
}

static inline void begin_terminal(enum progress_detail detail, unsigned short columns)
{
    int inner;
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    cr_assert_eq(openpty(&terminal, &inner, NULL, NULL, &size), 0);
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C", 1);
    out = fdopen(inner, "w");
    progress = progress_create(&(struct progress_options){.out = out, .detail = detail});
    cr_assert_not_null(progress);
}

/* What was written since the last call; static. */
static inline const char *written(void)
{
    static char text[32768];
    static long offset;
    fflush(out);
    ssize_t len = 0;
    if (terminal >= 0) {
        /* The pseudo-terminal passes on in pieces, a little later. */
        struct pollfd waiting = {.fd = terminal, .events = POLLIN};
        while (poll(&waiting, 1, 100) == 1) {
            ssize_t part = read(terminal, text + len, sizeof text - 1 - (size_t)len);
            if (part <= 0)
                break;
            len += part;
        }
    } else {
        len = pread(fileno(out), text, sizeof text - 1, offset);
        offset += len > 0 ? len : 0;
    }
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static inline void end_instance(struct instance instance)
{
    fixture_count(&now.totals, &instance);
    progress_instance_ended(progress, &instance, &now);
}

static inline struct instance stored(const char *path)
{
    return fixture_instance(path, "1.2", "1.2.840.99", 512100, OUTCOME_STORED, REASON_NONE);
}

static inline struct instance failed(const char *path)
{
    struct instance instance = fixture_instance(path, "1.2", "1.2.840.98", 1000, OUTCOME_FAILED, REASON_STATUS);
    instance.outcome.has_status = true;
    instance.outcome.status = 0xA900;
    return instance;
}

static inline void log_record(enum dicomnet_log_level level, int event, const char *key, const char *text)
{
    struct dicomnet_log_field field = LOG_TEXT(key, text);
    progress_log(
        progress,
        &(struct event_record){
            .log = {.level = level, .event = event, .time_us = 1795256130123456, .field_count = 1, .fields = &field},
            .worker = 3,
            .association = 12});
}

#define EXPECT_CONTAINS(text, part) cr_expect(strstr((text), (part)) != NULL, "\"%s\" lacks \"%s\"", (text), (part))
#define EXPECT_LACKS(text, part)    cr_expect(strstr((text), (part)) == NULL, "\"%s\" has \"%s\"", (text), (part))

static inline struct session_result finished(void)
{
    struct session_result result = {.totals = now.totals,
                                    .begun_us = 1000000,
                                    .ended_us = 13300000,
                                    .duration_us = 12300000,
                                    .scan_us = 200000,
                                    .transfer_us = 10000000};
    histogram_add(&result.response, 21000);
    result.totals.studies = 1;
    return result;
}

static inline void at_half_time(void)
{
    now = (struct session_progress){.scan_ended = true, .elapsed_us = 5000000, .transfer_us = 4000000};
    now.totals = (struct session_totals){.files = 100,
                                         .bytes_found = 100000000,
                                         .bytes_stored = 50000000,
                                         .by_state = {[OUTCOME_STORED] = 50, [OUTCOME_PENDING] = 50}};
}

#endif
