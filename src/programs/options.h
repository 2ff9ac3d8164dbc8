/*
 * options - the command line of all programs: one table, from which arguments are read and `--help` is printed.
 *
 * getopt_long knows neither `-aet` nor `+sd` nor a range, so a small reader of our own walks the table instead. Nothing
 * is printed here but by options_print_help and options_print_version: what is wrong comes back as one line of text.
 *
 * What an argument may look like: `--name value`, `--name=value`, `-n value`, a number directly behind its letter
 * (`-t8`), short switches together (`-rv`), the spellings with one dash (`-aet value`) and with a plus (`+r`) that
 * people know from other tools (foreign_words.h), and `--`, after which there are only paths. If an option comes twice,
 * the last one counts. What begins with a dash or a plus and is none of these is an error.
 */
#ifndef PROGRAMS_OPTIONS_H
#define PROGRAMS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dicomnet/association.h"
#include "engine/session.h"
#include "files/synthetic.h"
#include "report/ramp.h"

enum program {
    PROGRAM_SENDER = 1 << 0,
    PROGRAM_RECEIVER = 1 << 1,
    PROGRAM_ECHO = 1 << 2,
    PROGRAM_FINDER = 1 << 3,
    PROGRAM_MOVER = 1 << 4,
    PROGRAM_REPORT = 1 << 5,
    PROGRAM_ARCHIVE = 1 << 6
};

enum { OPTIONS_ROWS_MAX = 128, OPTIONS_MESSAGE_SIZE = 1024 };

/* What was asked for. Texts are borrowed from argv; the arrays of inputs and keys are owned, see options_fini. */
/* The values of an option that may be repeated, in their order. Owned by struct options. */
struct option_list {
    const char **items;
    size_t count;
};

struct options {
    enum program program;

    /* where to: what the arguments say; destination_find makes one destination of it */
    const char *destination;      /* the positional one, or NULL */
    const char *destination_port; /* in a word of its own behind it, or NULL */
    const char *connect;          /* --connect: the same in one word */
    const char *host;
    uint32_t port; /* of the peer, or to listen on */
    char called_ae[DICOMNET_AE_SIZE];
    char calling_ae[DICOMNET_AE_SIZE];
    const char *peer;
    const char *config;
    bool loopback;

    /* what to send */
    const char **inputs; /* of the archive: its peers, AE=HOST:PORT */
    size_t input_count;
    bool recursive;
    const char *pattern;
    const char *files_from;
    bool nul_separated;
    bool follow_symlinks;
    bool accept_raw;
    bool allow_incomplete;

    /* how */
    uint32_t threads;  /* 0: auto */
    uint32_t priority; /* enum dicomnet_dimse_priority */
    bool verify;
    uint32_t retry;
    uint32_t give_up_ms; /* 0: not given */
    struct session_limit association_limit;
    const char *association_limit_text;
    uint32_t on_conflict; /* enum intake_conflict */
    bool strict;
    struct dicomnet_association_timeouts timeouts;
    uint32_t max_pdu_len;
    struct synthetic_spec synthetic; /* studies = 0: not given */
    const char *synthetic_text;
    const char *ramp_text; /* NULL: not given */
    size_t ramp_count;
    uint32_t ramp[RAMP_STEPS_MAX]; /* threads, step by step */
    uint32_t duration_ms;          /* 0: no limit */
    uint32_t synthetic_seed;       /* of instances that are written to files */
    bool scan_first;
    unsigned window;
    bool dry_run;
    uint32_t repeat;

    /* the ledger, and what `report` shows of it */
    const char *ledger;
    bool retry_failed;
    bool allow_other_destination;
    bool show_failed;
    bool show_warned;
    bool show_skipped;
    bool show_pending;
    bool csv;

    /* what to ask for */
    bool patient_root;
    uint32_t level;    /* enum dicomnet_query_level */
    const char **keys; /* KEY or KEY=VALUE, see query_keys */
    size_t key_count;
    const char *query_file;
    uint32_t limit;       /* matches; 0: all */
    uint32_t max_matches; /* more are an error; 0: no limit */

    /* retrieving */
    bool get;          /* C-GET instead of C-MOVE */
    bool no_find;      /* ask for what the keys name, and list nothing */
    bool all;          /* no key narrows it, and that is meant */
    uint32_t stall_ms; /* 0: never */
    char move_destination[DICOMNET_AE_SIZE];
    char receive_ae[DICOMNET_AE_SIZE];
    const char *receive_address; /* NULL: see --help */
    uint32_t receive_port;
    struct option_list allow_from; /* AE titles and hosts that may send to us; none given = all */
    bool receive_here;             /* said by a port to receive on */

    /* receiving */
    char own_ae[DICOMNET_AE_SIZE]; /* "" = take any called AE title */
    const char *bind_address;
    const char *output_dir;
    bool discard;
    bool sync;
    uint32_t mode; /* permissions; 0: not given */
    const char *access_log;
    uint32_t max_associations;
    uint32_t max_connections;
    uint32_t idle_ms;

    /* receiving: faults for tests, as in struct receiver_faults */
    uint32_t status;
    uint32_t response_delay_ms;
    const char *fail_every_text;
    uint32_t fail_every, fail_status; /* what it says */
    uint32_t abort_after;
    uint32_t stall_after;
    uint32_t reject_transient;
    bool two_writes;

    /* an archive */
    struct synthetic_population population; /* studies = 0: not given */
    const char *population_text;
    struct option_list import_dirs;
    const char *dicom_file; /* --dicom */
    bool reindex;
    uint32_t move_associations;

    /* what it says */
    const char *log_dir;
    bool json;
    bool no_progress;
    bool quiet;
    bool verbose;
    bool debug;
    uint32_t log_level; /* enum dicomnet_log_level: as given, else by -q, -v, -d; see option_rules.c */
    bool help;
    bool version;
    bool nothing_typed;

    char bind_parts[64];          /* what -b said, cut up: see foreign_options.c */
    bool given[OPTIONS_ROWS_MAX]; /* by row of the table; ask with options_given */

    /* The arguments behind the program's name, to be logged and kept: as typed, but for the values that are secret. */
    char **shown;
    size_t shown_count;
};

enum options_verdict {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG,
    OPTIONS_NOTHING /* nothing was typed, and the program does nothing then: say how it is used */
};

/*
 * Read the arguments of `program` (argv[0] is passed over). OPTIONS_WRONG: `ret_message` of OPTIONS_MESSAGE_SIZE bytes
 * says in one line, without the program's name, what is wrong and what is allowed. Call options_fini in any case.
 */
enum options_verdict options_parse(struct options *options, enum program program, int argc, char *const *argv,
                                   char *ret_message);
void options_fini(struct options *options);

/*
 * What all mains begin with: parse, and print help, version or the error. Returns true to go on; false to leave with
 * *ret_exit_code. Call options_fini in any case.
 */
bool options_begin(struct options *options, enum program program, int argc, char *const *argv, int *ret_exit_code);

/* True if the option with this long name (without dashes) was on the command line, in any spelling. */
bool options_given(const struct options *options, const char *name);

/*
 * What records --log-level lets onto the console of a program whose log is a file: 1 + an enum dicomnet_log_level; 0 if
 * it was not given, or if -q, -v or -d say it.
 */
int options_console_level(const struct options *options);

const char *options_program_name(enum program program);

/*
 * The options that were given, one by one, for logs and the summary: begin with *cursor = 0. Returns false at the end;
 * else the long name without dashes and the value as text of at most `size` bytes ("true" for a switch).
 */
bool options_next_given(const struct options *options, size_t *cursor, const char **ret_name, char *ret_value,
                        size_t size);

/* 80 columns: usage, options by group, examples, exit codes. */
void options_print_help(enum program program, FILE *out);

/* Two lines: how it is used, and where the rest stands. */
void options_print_usage(enum program program, FILE *out);

/* Name and version, and those of the libraries it runs with. */
void options_print_version(enum program program, FILE *out);

/*
 * AE title rules (PS3.5 6.2, VR AE): 1 to 16 characters of the default repertoire, no backslash, no control characters,
 * not all spaces. Returns NULL, or what is wrong, to be put after the title: "has more than 16 characters".
 */
const char *ae_title_problem(const char *title);

#endif
