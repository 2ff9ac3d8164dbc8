/*
 * options_table - the rows behind options: what there is, how it is spelled, what it may be and what it means.
 */
#ifndef PROGRAMS_OPTIONS_TABLE_H
#define PROGRAMS_OPTIONS_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_SWITCH,    /* bool: no value */
    OPTION_NUMBER,    /* uint32_t from min to max; or one of `choices`, if there are any */
    OPTION_SECONDS,   /* uint32_t milliseconds, given in seconds from min to max, fractions allowed */
    OPTION_MODE,      /* uint32_t: permissions, 3 or 4 octal digits */
    OPTION_STATUS,    /* uint32_t: 1 to 4 hexadecimal digits */
    OPTION_CHOICE,    /* uint32_t: the value of one of `choices` */
    OPTION_TEXT,      /* const char *, not empty */
    OPTION_LIMIT,     /* const char *: N, SIZE or TIME, read into options->association_limit */
    OPTION_SYNTHETIC, /* const char *: STUDIESxINSTANCESxSIZE[:CLASS], read into options->synthetic */
    OPTION_PEOPLE,    /* const char *: STUDIESxSERIESxINSTANCES[:SIZE], read into options->population */
    OPTION_RAMP,      /* const char *: N[,N...], each from min to max, read into options->ramp */
    OPTION_EVERY,     /* const char *: N:HEX, N from min to max; read into options->fail_every and fail_status */
    OPTION_HOST,      /* const char *: not empty, no spaces or slashes */
    OPTION_ADDRESS,   /* const char *: an IP address */
    OPTION_AE,        /* char[17]: an AE title */
    OPTION_INPUT,     /* appended to the inputs */
    OPTION_KEY,       /* appended to the keys */
    OPTION_LIST       /* struct option_list: appended to it */
};

struct option_choice {
    const char *name;
    uint32_t value;
};

struct option_row {
    unsigned programs;   /* enum program, or-ed: which have this option */
    const char *group;   /* its heading in the help; rows of a group stand together */
    const char *name;    /* long name, without dashes */
    char short_name;     /* 0 = none */
    const char *aliases; /* other spellings as they are typed, separated by a space; NULL = none */
    enum option_type type;
    const char *argument; /* what the help calls the value; of a choice: "low|medium|high" */
    uint32_t min, max;
    size_t offset;            /* of the field in struct options */
    const char *default_text; /* as if typed; NULL = the field stays zero */
    const char *help;
    const struct option_choice *choices; /* ends with a NULL name */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* What the help of a program says around its options. */
struct option_texts {
    unsigned program;
    const char *name;
    const char *usage;
    const char *about;
    const char *examples;
    const char *exit_codes;
};

const struct option_texts *option_texts_of(unsigned program);

#endif
