/*
 * summary_data - what a summary has collected: shared by summary.c, which fills it in, and summary_json.c, which
 * writes it. Private to these two.
 */
#ifndef REPORT_SUMMARY_DATA_H
#define REPORT_SUMMARY_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/session.h"
#include "instance/outcome.h"
#include "report/conversions.h"

struct summary_study {
    char *uid; /* owned */
    uint64_t by_state[OUTCOME_STATE_COUNT];
    uint64_t bytes_stored;
    uint64_t first_us, last_us; /* wall clock: first store begun, last one ended; 0 = none */
};

enum {
    SUMMARY_PATH,
    SUMMARY_STUDY,
    SUMMARY_INSTANCE,
    SUMMARY_COMMENT,
    SUMMARY_FACT,
    SUMMARY_SENT_SYNTAX,
    SUMMARY_STRING_COUNT
};

/* A file that did not end as stored: one block, as there may be millions when a peer is down. */
struct summary_file {
    struct summary_file *next;
    uint64_t size_bytes;
    uint64_t offset;
    const char *detail; /* static, or NULL */
    uint64_t association;
    int32_t error;
    uint32_t attempts;
    uint16_t status;
    uint16_t reason; /* enum outcome_reason */
    bool has_status;
    bool earlier;
    char strings[]; /* SUMMARY_STRING_COUNT strings, one after the other */
};

/* Files of one state in the order they ended. */
struct summary_files {
    struct summary_file *first;
    struct summary_file **end;
    uint64_t count;
};

struct summary {
    char *session_id;                      /* owned */
    const struct session_options *options; /* borrowed */
    const char *given;                     /* borrowed */
    bool loopback;                         /* the peer is a receiver of this process */
    const struct forecast *forecast;       /* borrowed, or NULL */
    bool lacks_memory;                     /* something could not be kept */
    uint64_t by_state[OUTCOME_STATE_COUNT];
    uint64_t bytes_stored;
    uint64_t leading_zero_uids, bad_study_uids, bad_series_uids, meta_differs, unknown_vrs, zero_tails;
    struct pair_counts conversions; /* see conversions.h */
    struct summary_files files[OUTCOME_STATE_COUNT];
    struct summary_study *studies; /* in the order they came */
    size_t study_count;
    bool studies_left_out, associations_left_out;
    bool files_left_out[OUTCOME_STATE_COUNT];
    uint32_t *slots;   /* by hash: index into studies + 1; 0 = free */
    size_t slot_count; /* a power of two */
    struct association_figures *associations;
    size_t association_count, association_room;
};

#endif
