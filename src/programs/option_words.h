/*
 * option_words - how options are spelled: from what was typed to a row of the table, and to the nearest row if there is
 * none.
 */
#ifndef PROGRAMS_OPTION_WORDS_H
#define PROGRAMS_OPTION_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "programs/options.h"
#include "programs/options_table.h"

/* True if `list`, words separated by one space each, has the word of `len` characters. NULL is an empty list. */
bool option_list_has(const char *list, const char *word, size_t len);

/* The row of a whole spelling ("--threads", "-t", "-ta", "+r") of `len` characters, or NULL. */
const struct option_row *option_find(enum program program, const char *spelling, size_t len);

/* The row with this long name, or NULL. */
const struct option_row *option_find_by_name(enum program program, const char *name);

/*
 * Say in `ret_message` of OPTIONS_MESSAGE_SIZE bytes that there is no such option, and which one is nearest: among the
 * long ones if a long one was typed. What is behind a '=' does not count.
 */
void option_say_unknown(enum program program, const char *argument, char *ret_message);

#endif
