/*
 * option_values - the values of options: from text into the field that their row names, and back.
 */
#ifndef PROGRAMS_OPTION_VALUES_H
#define PROGRAMS_OPTION_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;
struct option_row;

enum { OPTION_EXPECTED_SIZE = 128, OPTION_PROBLEM_SIZE = 400 };

/*
 * Read `text` into the row's field (not for switches and inputs). Returns 0, or -1 and in `ret_problem` what is wrong
 * and what is allowed, to be put after the value: "is not a number from 1 to 256". `text` is borrowed by text options.
 */
int option_value_read(struct options *options, const struct option_row *row, const char *text,
                      char ret_problem[OPTION_PROBLEM_SIZE]);

/* The row's field, which is an unsigned integer or an enum. */
uint64_t option_value_unsigned(const struct options *options, const struct option_row *row);

/* What the row's option takes: "a number from 1 to 256". */
void option_value_expected(const struct option_row *row, char ret_text[OPTION_EXPECTED_SIZE]);

/* The row's field as text, as it would be typed; "true" or "false" for a switch. */
void option_value_format(const struct options *options, const struct option_row *row, char *ret_text, size_t size);

/* Digits, and at least one; an IPv4 or IPv6 address without brackets. */
bool option_value_is_number(const char *text);
bool option_value_is_address(const char *text);

#endif
