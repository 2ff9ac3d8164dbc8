/*
 * progress_data - what the console remembers: shared by progress.c and progress_finish.c, and private to these two.
 */
#ifndef REPORT_PROGRESS_DATA_H
#define REPORT_PROGRESS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/progress.h"
#include "report/text.h"

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
    uint64_t failure_count;
    size_t failures_kept;
    struct progress_failure failures[PROGRESS_FAILURES_MAX];
    size_t sample_count; /* all there were; the last PROGRESS_SAMPLES are kept */
    struct progress_sample samples[PROGRESS_SAMPLES];
};

/* Begin text in `scratch` that goes above the live line; put_lines writes it and shows the line again. */
struct text *progress_begin_lines(struct progress *progress);
void progress_put_lines(struct progress *progress);

#endif
