/*
 * match_writer - matches of a query as they come: an aligned table, CSV, or an array in the DICOM JSON Model.
 *
 * Nothing is kept but, for the table, its first MATCH_TABLE_ROWS rows: from them come the widths of its columns. They
 * are written when there are that many, or at the end; every further row goes out at once, and a value wider than its
 * column then moves what is behind it. A table that is wider than the terminal is turned: each match is a block, with
 * one line an attribute.
 */
#ifndef REPORT_MATCH_WRITER_H
#define REPORT_MATCH_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dicomnet/error.h"

struct dicomnet_identifier;
struct match_writer;

enum match_format { MATCH_TABLE, MATCH_CSV, MATCH_JSON };

enum {
    MATCH_TABLE_ROWS = 200,
    MATCH_CELL_COLUMNS = 64 /* what is wider in the table is cut, and ends in "..." */
};

/*
 * `tags` are the columns of table and CSV, in their order; copied. JSON holds whatever a match has. `out` is borrowed
 * until match_writer_destroy; it has `screen_columns`, if it is a terminal, else 0. NULL if out of memory.
 */
struct match_writer *match_writer_create(enum match_format format, FILE *out, unsigned screen_columns,
                                         const uint32_t *tags, size_t tag_count);

/* NULL is fine. */
void match_writer_destroy(struct match_writer *writer);

/* Write or keep a match. 0, -ENOMEM, or the negative errno of the stream. */
int match_writer_put(struct match_writer *writer, const struct dicomnet_identifier *match) DICOMNET_MUST_CHECK;

/* Everything that is kept, and what closes the document. A table or CSV without matches is empty. As put. */
int match_writer_finish(struct match_writer *writer) DICOMNET_MUST_CHECK;

#endif
