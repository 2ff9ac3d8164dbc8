/*
 * progress_data - what the console remembers: shared by progress*.c, and private to them.
 */
#ifndef REPORT_PROGRESS_DATA_H
#define REPORT_PROGRESS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "instance/outcome.h"
#include "report/conversions.h"
#include "report/progress.h"

#define COLOUR_BOLD   "\x1b[1m"
#define COLOUR_DIM    "\x1b[2m"
#define COLOUR_RED    "\x1b[31m"
#define COLOUR_YELLOW "\x1b[33m"
#define COLOUR_OFF    "\x1b[0m"

enum { PROGRESS_GROUPS_MAX = 10, PROGRESS_EXAMPLES_MAX = 3, PROGRESS_CAUSES_MAX = 64, PROGRESS_SAMPLES = 16 };

/* Files of which the same is to be said at the end. Texts are owned. */
struct progress_group {
    char *reason; /* any bytes */
    uint64_t count;
    size_t examples_kept;
    char *examples[PROGRESS_EXAMPLES_MAX]; /* as they are shown */
};
struct progress_groups {
    uint64_t total;
    uint64_t elsewhere; /* of reasons for which there was no group left */
    size_t count;
    struct progress_group groups[PROGRESS_GROUPS_MAX];
};

/* A trouble that records have told of. */
struct progress_cause {
    uint64_t hash; /* console_line_cause */
    uint64_t count, said_count;
    uint64_t said_us; /* time of the record that was said last */
    char *text;       /* owned; as it is shown */
};

/* What is said of groups. */
struct progress_words {
    const char *heading;
    const char *colour;
    const char *noun;         /* of one: "file" */
    const char *summary_path; /* where all are; NULL = nowhere */
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
    enum progress_kind kind;
    bool line_shown;                /* the live line stands on the terminal */
    struct text line;               /* the live line as it was drawn last */
    struct text scratch;            /* what is written at once */
    uint64_t plain_us;              /* elapsed time of the last plain line */
    uint64_t bytes_ended;           /* data set bytes of instances that could be sent and have ended */
    uint64_t flaw_count;            /* instances that were sent in spite of a flaw */
    struct pair_counts conversions; /* see conversions.h */
    struct progress_groups failures;
    struct progress_groups skipped_dicom; /* skipped, though they are DICOM */
    uint64_t skipped[REASON_COUNT];
    size_t cause_count;
    struct progress_cause causes[PROGRESS_CAUSES_MAX];
    size_t sample_count; /* all there were; the last PROGRESS_SAMPLES are kept */
    struct progress_sample samples[PROGRESS_SAMPLES];
};

/* The code, or "" where there is no colour. */
const char *progress_colour(const struct progress *progress, const char *code);

/* A file, as any bytes, in the group of this reason; `own` is what is to be said of it alone, or "". */
void progress_add_to_group(struct progress_groups *groups, const char *path, const char *reason, const char *own);

/* An instance that failed or is in doubt; one that was skipped. */
void progress_keep_failure(struct progress *progress, const struct instance *instance);
void progress_keep_skipped(struct progress *progress, const struct instance *instance);

/* Each group with its number and its examples under a heading; nothing if there are none. */
void progress_put_groups(struct text *text, const struct progress *progress, const struct progress_groups *groups,
                         const struct progress_words *words);
void progress_forget_groups(struct progress_groups *groups);

/* The troubles that came more than once, and how often. */
void progress_put_causes(struct text *text, const struct progress *progress);
void progress_forget_causes(struct progress *progress);

/* The begin of a row: label and a number, which has this colour if it is not 0 (NULL = none). Its line goes on. */
void progress_put_count(struct text *text, const struct progress *progress, const char *label, uint64_t count,
                        const char *code);

/* The row that says what `instances` in `us` microseconds, not 0, come to. `bytes` NULL: they are not known. */
void progress_put_throughput(struct text *text, const uint64_t *bytes, uint64_t instances, uint64_t us);

/* Below an empty line a row for each path that is not NULL. */
void progress_put_paths(struct text *text, const char *summary_path, const char *log_path, const char *ledger_path);

/* Begin text in `scratch` that goes above the live line; put_lines writes it and shows the line again. */
struct text *progress_begin_lines(struct progress *progress);
void progress_put_lines(struct progress *progress);

#endif
