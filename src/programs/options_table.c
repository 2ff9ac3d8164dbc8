/*
 * options_table - the options of all programs: each stands here, in its row, and nowhere else.
 *
 * How to add one:
 *
 *   1. A field in the struct that its value belongs to (option_groups.h), with its unit in the name. For a session or a
 *      retrieval that is its own struct (session_options, retrieval_options): nothing is to be copied then.
 *   2. A row below the others of its heading, in the file of rows that has the heading (option_rows_*.h, or below).
 *      What a row can say is in options_table.h: what it takes, from where to where, what it is at first, what it
 *      excludes, what it needs. `.secret = true` for a password or the like.
 *   3. A test of what it does, and a line in docs/manual/ if the help is not enough.
 *
 * The help, the reader, the suggestions and the checks follow from the row; no program has code of its own for it. What
 * depends on the value of another option, and not on its being given, goes into option_rules.c. A program that says
 * the same word about something else has a row of its own (--output-dir, --verbose).
 */
#include "programs/options_table.h"

#include "dicomnet/storage.h"
#include "dicomnet/tls.h"
#include "dicomnet/uid.h"
#include "engine/scan_width.h"
#include "programs/option_choices.h"
#include "programs/option_groups.h"
#include "programs/option_row.h"

const struct option_row option_rows[] = {
#include "programs/option_rows_asking.h"

#include "programs/option_rows_sending.h"

#include "programs/option_rows_serving.h"

#include "programs/option_rows_network.h"

    /* ---- what it says ---- */
    OPTION(.name = "log-dir", .programs = SENDER | MOVER, .heading = "Output", .takes = OPTION_TEXT, .value = "DIR",
           .field = FIELD(options, log_dir), .initial = "logs", .help = "the folder for the event log and the summary"),
    OPTION(.name = "json", .programs = FINDER, .heading = "Output", .field = FIELD(options, json),
           .conflicts_with = {{.name = "csv"}}, .help = "matches as an array in the DICOM JSON Model"),
    OPTION(.name = "csv", .programs = FINDER, .heading = "Output", .field = FIELD(options, csv),
           .help = "matches as CSV"),
    OPTION(.name = "json", .programs = SENDER | MOVER, .heading = "Output", .field = FIELD(options, json),
           .help = "the summary as JSON on standard output, and nothing else there"),
    OPTION(.name = "no-progress", .programs = SENDER | MOVER, .heading = "Output", .field = FIELD(options, no_progress),
           .help = "no progress line"),
    OPTION(.name = "json", .programs = REPORT, .heading = "Output", .field = FIELD(options, json),
           .conflicts_with = {{.name = "csv"}}, .help = "as one JSON document"),
    OPTION(.name = "csv", .programs = REPORT, .heading = "Output", .field = FIELD(options, csv),
           .help = "a line for each file, comma-separated"),
    OPTION(.name = "quiet", .letter = 'q', .programs = ALL, .heading = "Output", .field = FIELD(options, quiet),
           .conflicts_with = {{.name = "verbose"}, {.name = "debug"}}, .help = "only errors"),
    OPTION(.name = "verbose", .letter = 'v', .programs = SENDER, .heading = "Output", .field = FIELD(options, verbose),
           .help = "a line for each file"),
    OPTION(.name = "verbose", .letter = 'v', .programs = MOVER, .heading = "Output", .field = FIELD(options, verbose),
           .help = "a line for each request and instance"),
    OPTION(.name = "verbose", .letter = 'v', .programs = SERVER | ECHO | FINDER, .heading = "Output",
           .field = FIELD(options, verbose), .help = "a line for each association"),
    OPTION(.name = "debug", .letter = 'd', .programs = ALL, .heading = "Output", .field = FIELD(options, debug),
           .help = "also associations in detail: contexts, PDU sizes, DIMSE messages"),
    OPTION(.name = "log-level", .also = "-ll", .programs = SENDER | MOVER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what the log holds (info; debug with -d); without -q, -v, -d also what is said"),
    OPTION(.name = "log-level", .also = "-ll", .programs = SERVER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what is said: error with -q, info with -v, debug with -d, else warn"),
    OPTION(.name = "log-level", .also = "-ll", .programs = ECHO | FINDER, .heading = "Output", .takes = OPTION_CHOICE,
           .value = "error|warn|info|debug", .choices = option_log_levels, .field = FIELD(options, log_level),
           .help = "what is said: info with -v, debug with -d, else error"),
    OPTION(.name = "help", .letter = 'h', .programs = ALL | REPORT, .heading = "Output", .field = FIELD(options, help),
           .help = "this text"),
    OPTION(.name = "version", .letter = 'V', .programs = ALL | REPORT, .heading = "Output",
           .field = FIELD(options, version), .help = "the version of the program and of its libraries"),
};

const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= OPTIONS_ROWS_MAX,
               "struct options has a flag for each row");
