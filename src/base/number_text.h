/*
 * number_text - numbers to text and back, whole: no part of a text is left over, nothing is cut to fit.
 */
#ifndef BASE_NUMBER_TEXT_H
#define BASE_NUMBER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_SIZE = 32 }; /* enough for each of them */
enum { NUMBER_STATUS_SIZE = sizeof "0xA700" };

/* Decimal; false if the text is no number, or one outside of the bounds. */
bool number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret_number);
bool number_parse_unsigned(const char *text, uint64_t max, uint64_t *ret_number);

/* Decimal with point and exponent; false if the text is no number or not finite. */
bool number_parse_double(const char *text, double *ret_number);

void number_format_signed(int64_t number, char ret_text[NUMBER_TEXT_SIZE]);
void number_format_unsigned(uint64_t number, char ret_text[NUMBER_TEXT_SIZE]);

/* A DIMSE status, as reports show it: "0xA700". */
void number_format_status(uint16_t status, char ret_text[NUMBER_STATUS_SIZE]);

/* The shortest text that reads back as the same number; `is_float` = as the same float. */
void number_format_double(double number, bool is_float, char ret_text[NUMBER_TEXT_SIZE]);

#endif
