/*
 * document - the values that the summaries of dicom-sender and dicom-mover are made of, and how their documents begin.
 *
 * A value is new and the caller's; NULL if out of memory.
 */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "dicomnet/error.h"

/* How numbers are written: for json_dumps and json_dumpf. */
enum { DOCUMENT_FLAGS = JSON_REAL_PRECISION(12) };

/* A string of any bytes: jansson refuses what is not UTF-8. The second is null for NULL. */
json_t *document_string(const char *string);
json_t *document_string_or_null(const char *string);

json_t *document_number(uint64_t value);

/* Microseconds as seconds: no digits but those that were measured. */
json_t *document_seconds(uint64_t us);

/* What `amount` in `us` microseconds is in a second, with three digits after the point; 0 for no time. */
json_t *document_rate(double amount, uint64_t us);

/* A time of the wall clock as text; null for 0. */
json_t *document_time(uint64_t wall_us);

/* "0xA700" */
json_t *document_status(uint16_t status);

/*
 * Write the members of this object, which is freed (NULL is no memory), without the brace that ends it: lists follow as
 * further members. 0 or a negative errno.
 */
int document_put_header(FILE *out, json_t *header) DICOMNET_MUST_CHECK;

#endif
