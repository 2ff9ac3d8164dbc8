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

#include "dicomnet/log.h"

enum program {
    PROGRAM_SENDER = 1 << 0,
    PROGRAM_RECEIVER = 1 << 1,
    PROGRAM_ECHO = 1 << 2,
    PROGRAM_FINDER = 1 << 3,
    PROGRAM_MOVER = 1 << 4,
    PROGRAM_REPORT = 1 << 5,
    PROGRAM_ARCHIVE = 1 << 6
};

enum { OPTIONS_ROWS_MAX = 192, OPTIONS_MESSAGE_SIZE = 1024 };

/* The values of an option that may be repeated, in their order. Owned by the options. */
struct option_list {
    const char **items;
    size_t count;
};

/* The groups of options: see option_groups.h. */
enum option_group {
    GROUP_COMMON, /* struct options, which every program has */
    GROUP_CONNECTION,
    GROUP_NETWORK,
    GROUP_TLS,
    GROUP_IDENTITY,
    GROUP_SENDING,
    GROUP_SESSION,
    GROUP_LEDGER,
    GROUP_ECHO,
    GROUP_QUERY,
    GROUP_FETCHING,
    GROUP_RETRIEVAL,
    GROUP_STORING,
    GROUP_LISTENING,
    GROUP_FAULTS,
    GROUP_ARCHIVE,
    OPTION_GROUP_COUNT
};

/* What every program has: the command line as such, and what is said of the work. */
struct options {
    enum program program;
    bool help;
    bool version;
    bool nothing_typed;

    const char *log_dir;
    bool json;
    bool csv;
    bool no_progress;
    bool quiet;
    bool verbose;
    bool debug;
    enum dicomnet_log_level log_level; /* as given, else by -q, -v, -d: see option_rules.c */

    const char *given[OPTIONS_ROWS_MAX]; /* by row of the table: as typed, "" if nothing was; NULL: not given */
    char bind_parts[64];                 /* what -b said, cut up: see foreign_options.c */

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
 * Read the arguments of `program` (argv[0] is passed over) into its options, of which `options` is the beginning: the
 * struct of option_groups.h that is called as the program is. OPTIONS_WRONG: `ret_message` of OPTIONS_MESSAGE_SIZE
 * bytes says in one line, without the program's name, what is wrong and what is allowed. Call options_fini in any case.
 */
enum options_verdict options_parse(struct options *options, enum program program, int argc, char *const *argv,
                                   char *ret_message);
void options_fini(struct options *options);

/*
 * What all mains begin with: parse, and print help, version or the error. Returns true to go on; false to leave with
 * *ret_exit_code. Call options_fini in any case.
 */
bool options_begin(struct options *options, enum program program, int argc, char *const *argv, int *ret_exit_code);

/* The program's struct of this group; NULL if the program does not have it. */
void *options_group(struct options *options, enum option_group group);
const void *options_group_of(const struct options *options, enum option_group group);

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
