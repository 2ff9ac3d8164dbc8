/* format - see format.h. */
#include "report/format.h"

#include <stdio.h>

void format_bytes(char ret_text[FORMAT_SIZE], double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    while (bytes >= (unit == 0 ? 1000 : 999.95) && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    snprintf(ret_text, FORMAT_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

void format_byte_rate(char ret_text[FORMAT_SIZE], double bytes_per_s)
{
    snprintf(ret_text, FORMAT_SIZE, "%.1f MB/s", bytes_per_s / 1e6);
}

void format_count_rate(char ret_text[FORMAT_SIZE], double count_per_s)
{
    snprintf(ret_text, FORMAT_SIZE, count_per_s < 99.95 ? "%.1f/s" : "%.0f/s", count_per_s);
}

void format_duration(char ret_text[FORMAT_SIZE], uint64_t us)
{
    uint64_t seconds = (us + 500000) / 1000000;
    if (us < 1000000)
        snprintf(ret_text, FORMAT_SIZE, "%.3f s", (double)us / 1e6);
    else if (us < 59950000)
        snprintf(ret_text, FORMAT_SIZE, "%.1f s", (double)us / 1e6);
    else if (seconds < 3600)
        snprintf(ret_text, FORMAT_SIZE, "%u:%02u min", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
    else
        snprintf(ret_text, FORMAT_SIZE, "%llu:%02u:%02u h", (unsigned long long)(seconds / 3600),
                 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
}

void format_ms(char ret_text[FORMAT_SIZE], double us)
{
    snprintf(ret_text, FORMAT_SIZE, "%.*f", us < 1000 ? 2 : 1, us / 1e3);
}

void format_countdown(char ret_text[FORMAT_SIZE], double seconds)
{
    if (seconds >= 99 * 3600.0) {
        snprintf(ret_text, FORMAT_SIZE, "99h+");
        return;
    }
    unsigned whole = seconds > 0 ? (unsigned)(seconds + 0.5) : 0;
    if (whole < 3600)
        snprintf(ret_text, FORMAT_SIZE, "%u:%02u", whole / 60, whole % 60);
    else
        snprintf(ret_text, FORMAT_SIZE, "%u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
}
