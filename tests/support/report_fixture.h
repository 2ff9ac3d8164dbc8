/*
 * report_fixture - instances and figures as an observer gets them, for the tests of reports.
 */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/session.h"
#include "instance/instance.h"

enum { FIXTURE_BEGUN_S = 1795250000 };

/* An instance of `len` data set bytes in a state; its strings are borrowed. */
static inline struct instance fixture_instance(const char *path, const char *study_uid, const char *instance_uid,
                                               uint64_t len, enum outcome_state state, enum outcome_reason reason)
{
    bool sent = state == OUTCOME_STORED || state == OUTCOME_WARNED;
    return (struct instance){
        .file = {.path = path,
                 .size_bytes = len + 200,
                 .data_offset = 200,
                 .data_len = len,
                 .study_uid = study_uid,
                 .series_uid = "",
                 .instance_uid = instance_uid,
                 .class_uid = "1.2.840.10008.5.1.4.1.1.2",
                 .syntax_uid = "1.2.840.10008.1.2.1"},
        .outcome = {.state = state,
                    .reason = reason,
                    .has_status = sent,
                    .attempts = sent,
                    .ended_us = FIXTURE_BEGUN_S * 1000000ull + 5000000,
                    .write_us = sent ? 1000 : 0,
                    .wait_us = sent ? 20000 : 0},
        .delivery = {.worker = sent, .association = sent},
    };
}

/* Count it as the session would. */
static inline void fixture_count(struct session_totals *totals, const struct instance *instance)
{
    totals->files++;
    totals->by_state[instance->outcome.state]++;
    if (instance->outcome.state == OUTCOME_STORED || instance->outcome.state == OUTCOME_WARNED)
        totals->bytes_stored += instance_wire_len(instance);
    if (instance->outcome.state != OUTCOME_SKIPPED)
        totals->bytes_found += instance_wire_len(instance);
}

/* A new folder below /tmp, to be removed by fixture_remove_folder. */
static inline char *fixture_make_folder(void)
{
    char *folder = strdup("/tmp/dicom-report-XXXXXX");
    return mkdtemp(folder);
}

static inline void fixture_remove_folder(char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
    free(folder);
}

/* The whole file as a string, to be freed; NULL if it cannot be read. */
static inline char *fixture_read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', file) < 0)
        text[0] = '\0';
    fclose(file);
    return text;
}

#endif
