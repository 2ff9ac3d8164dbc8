/*
 * option_reader - what options.c and foreign_options.c share: where reading argv is.
 */
#ifndef PROGRAMS_OPTION_READER_H
#define PROGRAMS_OPTION_READER_H

#include <stddef.h>

#include "programs/options.h"
#include "programs/options_table.h"
#include "programs/positionals.h"

struct option_reader {
    struct options *options;
    char *message; /* of OPTIONS_MESSAGE_SIZE bytes: what is wrong */
    int argc;
    char *const *argv;
    int next; /* of argv */
    struct positional *words;
    size_t word_count;
};

/*
 * Set the row's option. `spelling` is what it is called in messages; `value` what stood behind it, or NULL: then the
 * next argument is taken if the row has a value. 0, or -1 and a message.
 */
int option_reader_take(struct option_reader *reader, const struct option_row *row, const char *spelling,
                       int spelling_len, const char *value) DICOMNET_MUST_CHECK;

/* Take a word of another tool. 1: `argument` is none; 0: taken; -1: wrong or refused, and a message. */
int option_reader_take_foreign(struct option_reader *reader, const char *argument) DICOMNET_MUST_CHECK;

/*
 * Take dcm4che's -b or --bind [AE[@ADDRESS]][:PORT], which says by which title we call, or where a server listens.
 * As option_reader_take_foreign.
 */
int option_reader_take_bind(struct option_reader *reader, const char *argument) DICOMNET_MUST_CHECK;

#endif
