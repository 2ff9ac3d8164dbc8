/*
 * option_rules - what only shows when all arguments are known: the values that follow from other ones, what excludes
 * what, and what is missing.
 *
 * Almost all of it stands in the rows of the table (options_table.h) and is only carried out here. What a row cannot
 * say, as it depends on a value, is code, and says so.
 */
#ifndef PROGRAMS_OPTION_RULES_H
#define PROGRAMS_OPTION_RULES_H

#include "dicomnet/error.h"

struct options;

/* Set what was not given, and follows from what was. */
void option_rules_apply(struct options *options);

/*
 * 0, or -1 and one line in `ret_message` of OPTIONS_MESSAGE_SIZE bytes: two options that exclude each other, a value
 * that cannot be meant, an option that lacks another one, or nothing for the program to do.
 */
int option_rules_check(const struct options *options, char *ret_message) DICOMNET_MUST_CHECK;

#endif
