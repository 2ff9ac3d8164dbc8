/*
 * progress_data - what the console remembers: shared by progress*.c, and private to them.
 */
#ifndef REPORT_PROGRESS_DATA_H
#define REPORT_PROGRESS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/progress.h"
#include "report/text.h"

#define COLOUR_BOLD   "\x1b[1m"
#define COLOUR_DIM    "\x1b[2m"
#define COLOUR_RED    "\x1b[31m"
#define COLOUR_YELLOW "\x1b[33m"
#define COLOUR_OFF    "\x1b[0m"

enum { PROGRESS_FAILURES_MAX = 10, PROGRESS_SAMPLES = 16 };

/* One of the first failures, for the words at the end. */
struct progress_failure {
    char *path; /* owned; as it is shown */
    char *text; /* owned; as it is shown */
};

/* How far it was at a time: the rates are those of the last few seconds. */
struct progress_sample {
    uint64_t elapsed_us;
    uint64_t bytes;
    uint64_t files;
};

struct progress {
    FILE *out;
    enum progress_detail detail;
    int console_level;
    bool terminal; /* colour and width are a terminal's */
    bool live;     /* a live line is wanted */
    bool plain;    /* lines now and then are wanted */
    bool colour;
    bool unicode;
    bool dry_run;
    bool line_shown;      /* the live line stands on the terminal */
    struct text line;     /* the live line as it was drawn last */
    struct text scratch;  /* what is written at once */
    uint64_t plain_us;    /* elapsed time of the last plain line */
    uint64_t bytes_ended; /* data set bytes of instances that could be sent and have ended */
    uint64_t flaw_count;  /* instances that were sent in spite of a flaw */
    uint64_t failure_count;
    size_t failures_kept;
    struct progress_failure failures[PROGRESS_FAILURES_MAX];
    size_t sample_count; /* all there were; the last PROGRESS_SAMPLES are kept */
    struct progress_sample samples[PROGRESS_SAMPLES];
};

/* The code, or "" where there is no colour. */
const char *progress_colour(const struct progress *progress, const char *code);

/*
 * The first failures under a heading, and where the others are; nothing if there are none. Those in a row that failed
 * for the same reason share its line.
 */
void progress_put_failures(struct text *text, const struct progress *progress, const char *heading,
                           const char *summary_path);

/* "  summary     logs/...", or nothing for NULL. */
void progress_put_path(struct text *text, const char *label, const char *path);

/* Begin text in `scratch` that goes above the live line; put_lines writes it and shows the line again. */
struct text *progress_begin_lines(struct progress *progress);
void progress_put_lines(struct progress *progress);

#endif
