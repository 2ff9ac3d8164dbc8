/*
 * options_table - the rows behind options: what there is, how it is spelled, what it takes, what it excludes and what
 * it means. How to add one is said at the top of options_table.c.
 */
#ifndef PROGRAMS_OPTIONS_TABLE_H
#define PROGRAMS_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "programs/options.h"

enum option_type {
    OPTION_SWITCH,    /* bool: no value */
    OPTION_UNSIGNED,  /* an unsigned integer from min to max; or one of `choices`, if there are any */
    OPTION_SECONDS,   /* an unsigned integer of milliseconds, given in seconds from min to max, fractions allowed */
    OPTION_MODE,      /* an unsigned integer: permissions, 3 or 4 octal digits */
    OPTION_STATUS,    /* an unsigned integer: 1 to 4 hexadecimal digits */
    OPTION_CHOICE,    /* an unsigned integer or an enum: the value of one of `choices` */
    OPTION_TEXT,      /* const char *, not empty */
    OPTION_HOST,      /* const char *: not empty, no spaces or slashes */
    OPTION_ADDRESS,   /* const char *: an IP address */
    OPTION_AE,        /* char[DICOMNET_AE_SIZE] */
    OPTION_LIMIT,     /* struct session_limit: N, SIZE or TIME */
    OPTION_SYNTHETIC, /* struct synthetic_spec: STUDIESxINSTANCESxSIZE[:CLASS] */
    OPTION_PEOPLE,    /* struct synthetic_population: STUDIESxSERIESxINSTANCES[:SIZE] */
    OPTION_RAMP,      /* struct option_ramp: N[,N...], each from min to max */
    OPTION_EVERY,     /* struct option_every: N:HEX, N from min to max */
    OPTION_LIST,      /* struct option_list: appended to it */
    OPTION_ADDRESSES, /* the same, of IP addresses */
    OPTION_SYNTAXES,  /* the same, of UIDs: one or more transfer syntaxes, see syntax_names.h */
    OPTION_INPUT,     /* the same, for paths, which may be arguments as well */
    OPTION_KEY        /* the same, for keys of a query, which may be arguments as well */
};

struct option_choice {
    const char *name;
    uint32_t value;
};

/* Where the value goes: a member of a group. size = 0: nowhere; that it was given is all there is to know. */
struct option_field {
    enum option_group group;
    size_t offset, size;
};

/* Another option that cannot stand beside this one, or that this one makes no sense without. name = NULL: none. */
struct option_relation {
    const char *name;
    const char *text; /* what is said then, as a whole; NULL: that they exclude each other, or that it is missing */
};

enum { OPTION_CONFLICTS_MAX = 10, OPTION_HEADINGS_MAX = 5 };

/* All options of some headings, of which none can stand beside this one. */
struct option_exclusion {
    const char *headings[OPTION_HEADINGS_MAX]; /* NULL: no more */
    const char *text;                          /* what is said then, in front of the name of the other option */
};

/* What is not said in a row is 0, false or NULL: no letter, no other spelling, a switch, ... */
struct option_row {
    const char *name;    /* long name, without dashes */
    char letter;         /* its short name */
    const char *also;    /* other spellings as they are typed, separated by a space */
    unsigned programs;   /* enum program, or-ed: which have this option */
    const char *heading; /* its heading in the help; rows of one heading stand together */
    enum option_type takes;
    const char *value;         /* what the help calls its value; of a choice: "low|medium|high" */
    const char *stands_for;    /* its value, as if typed: it takes none on the command line */
    const char *value_if_none; /* as if typed, where the option stands without a value */
    uint32_t min, max;
    const struct option_choice *choices; /* ends with a NULL name */
    struct option_field field;
    const char *initial; /* as if typed, where the option is not given; without it the field stays zero */
    const char *follows; /* the option whose value it has where it is not given itself and that one is */
    bool secret;         /* the value is a password or the like, and is shown nowhere: see options_shown */
    struct option_relation conflicts_with[OPTION_CONFLICTS_MAX];
    struct option_exclusion excludes;
    struct option_relation needs;
    uint32_t doubtful; /* a value, in the unit in which it is typed, from which on it cannot be meant ... */
    const char *doubt; /* ... and why not */
    const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* What tells one program from another, beside its options. */
struct option_program {
    unsigned program;
    const char *name;
    const char *usage;
    const char *about;
    const char *examples;
    const char *exit_codes;
    bool runs_without_arguments;       /* it has a default peer to ask */
    bool log_is_a_file;                /* -q and -v do not concern what it holds */
    unsigned log_level;                /* enum dicomnet_log_level, if no option says which */
    const char *one_of[4];             /* options of which at least one is needed; ends with NULL */
    const char *none_of_them;          /* what is said where there is none */
    size_t options_size;               /* of its struct of option_groups.h */
    size_t groups[OPTION_GROUP_COUNT]; /* where in it each group is; 0 = it does not have it (GROUP_COMMON is at 0) */
};

const struct option_program *option_program_of(unsigned program);

/* Where the row's value is; NULL if it has no field, or the program not its group. */
void *option_field_of(struct options *options, const struct option_row *row);
const void *option_value_of(const struct options *options, const struct option_row *row);

#endif
