/*
 * live_line - the one line that shows how far a session is: from figures to text, for any width.
 */
#ifndef REPORT_LIVE_LINE_H
#define REPORT_LIVE_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct text;

struct live_line {
    double share; /* 0 to 1 */
    uint64_t files_done, files_total;
    bool growing; /* the total is not known yet */
    bool sending; /* else only the search for files has begun */
    uint64_t bytes_done;
    double bytes_per_s, files_per_s;
    double left_s; /* below 0: not known */
    uint64_t failed;
    const char *holdup;       /* what keeps it from going on, NULL = nothing; ASCII */
    const char *holdup_short; /* the same where there is no room for that */
    bool colour;
    bool unicode;
};

/*
 * Append the line, without newline, in at most `columns` columns (20 or more). What finds no place is left out: first
 * instances/s, then the bytes, the rate, the time left; the bar takes what is free. Failures and the file counts stay.
 * What holds it up takes the place of rates and time left.
 */
void live_line_render(struct text *text, const struct live_line *line, unsigned columns);

/* The same as a sentence of plain text, for a file or a pipe. */
void live_line_describe(struct text *text, const struct live_line *line);

#endif
