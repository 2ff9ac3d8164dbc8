/*
 * log_line - a log record as a line that a person reads: on the console of every program.
 */
#ifndef REPORT_LOG_LINE_H
#define REPORT_LOG_LINE_H

struct event_record;
struct text;

/* Put "10:15:30.123 warn  association.rejected w3 a12 peer=... text="..."", without newline; the time is UTC. */
void log_line_render(struct text *text, const struct event_record *record);

#endif
