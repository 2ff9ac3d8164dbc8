/*
 * console_line - a log record as a sentence, for whoever watches a program; the log has the record itself (log_line).
 *
 *     10:15:30 warning: association with 10.0.0.5:104: connection lost: the peer closed the connection
 */
#ifndef REPORT_CONSOLE_LINE_H
#define REPORT_CONSOLE_LINE_H

#include <stdint.h>

struct event_record;
struct text;

/* Put the line, without newline; the time is the local one. */
void console_line_render(struct text *text, const struct event_record *record);

/* The sentence alone, without time and level. */
void console_line_say(struct text *text, const struct event_record *record);

/*
 * A number that records share if they tell of the same trouble, whichever worker, file or instance met it: so that one
 * cause can be said once.
 */
uint64_t console_line_cause(const struct event_record *record);

/* What that trouble is, for all of them: without the path, the instance or the time of this one. */
void console_line_say_cause(struct text *text, const struct event_record *record);

/* "1 file", "2 files": the plural has an s. */
void console_line_put_count(struct text *text, uint64_t count, const char *noun);

#endif
