/*
 * ledger_report - what `dicom-sender report` says of a ledger: the sessions, what became of the files, by reason and by
 * study, and which files. It only reads, from one moment's view, and may do so while a session writes.
 */
#ifndef REPORT_LEDGER_REPORT_H
#define REPORT_LEDGER_REPORT_H

#include <stdio.h>

#include "dicomnet/error.h"

enum ledger_format {
    LEDGER_TEXT, /* for people: studies that are complete are counted only */
    LEDGER_JSON, /* one document: everything but files, and those that are asked for */
    LEDGER_CSV   /* files only, with a line of column names: those that are asked for, or all */
};

struct ledger_report_options {
    const char *path;
    unsigned states; /* files to list: 1 << enum outcome_state, or-ed; 0 = none */
    enum ledger_format format;
};

/* Write the report to `out`. 0, or -1 with one line in `ret_message` of LEDGER_MESSAGE_SIZE bytes. */
int ledger_report(const struct ledger_report_options *options, FILE *out, char *ret_message) DICOMNET_MUST_CHECK;

#endif
