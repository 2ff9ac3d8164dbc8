/*
 * dry_run - what dicom-sender prints of a session that sends nothing (--dry-run, --probe): its studies and files, and
 * what would become of them. On standard output, or on standard error if the former is for --json.
 */
#ifndef PROGRAMS_DRY_RUN_H
#define PROGRAMS_DRY_RUN_H

#include "report/forecast.h"

struct dicomnet_logger;
struct fallback_policy;
struct instance;
struct options;
struct planned_study;
struct probed_pair;
struct session_result;

struct dry_run {
    const struct options *options; /* borrowed */
    struct forecast forecast;
};

void dry_run_init(struct dry_run *dry_run, const struct options *options, const struct fallback_policy *policy);
void dry_run_fini(struct dry_run *dry_run);

/* For session_observer.study_planned. */
void dry_run_show_study(const struct dry_run *dry_run, const struct planned_study *study);

/* For session_observer.instance_ended: those that would be sent are counted, and listed if that is asked for. 0 or
 * -ENOMEM. */
int dry_run_add_instance(struct dry_run *dry_run, const struct instance *instance) DICOMNET_MUST_CHECK;

/* For session_observer.pair_probed: it is logged, and counts for the forecast. 0 or -ENOMEM. */
int dry_run_add_answer(struct dry_run *dry_run, const struct dicomnet_logger *logger,
                       const struct probed_pair *pair) DICOMNET_MUST_CHECK;

/* 0: all that was found could be sent; 2: some of it; 1: nothing of it, or it is not known. 130: interrupted. */
int dry_run_exit_code(const struct dry_run *dry_run, const struct session_result *result);

/* All is told: what would become of it, as a table. */
void dry_run_show_forecast(const struct dry_run *dry_run);

#endif
