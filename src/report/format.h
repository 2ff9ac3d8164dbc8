/*
 * format - sizes, durations and rates as people read them. Units are decimal: 1 MB is 10^6 bytes.
 */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include <stdint.h>

enum { FORMAT_SIZE = 24 };

/* "812 B", "512.3 KB", "1.2 GB" */
void format_bytes(char ret_text[FORMAT_SIZE], double bytes);

/* "53.9 MB/s", always in MB/s, so that two figures compare at a glance. */
void format_byte_rate(char ret_text[FORMAT_SIZE], double bytes_per_s);

/* "820/s", "9.4/s": one digit after the point below 100. */
void format_count_rate(char ret_text[FORMAT_SIZE], double count_per_s);

/* "0.021 s", "12.3 s", "4:05 min", "2:04:05 h" */
void format_duration(char ret_text[FORMAT_SIZE], uint64_t us);

/* "0.03", "9.9", "63.5": milliseconds, without the unit; two digits after the point below 1. */
void format_ms(char ret_text[FORMAT_SIZE], double us);

/* "0:12", "4:05", "2:04:05"; "99h+" above 99 hours. */
void format_countdown(char ret_text[FORMAT_SIZE], double seconds);

#endif
