/*
 * live_line - see live_line.h.
 *
 * The line is a row of segments, all of ASCII, so that bytes are columns; only the bar may have other characters and
 * colours, and its columns are counted apart.
 */
#include "report/live_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/format.h"

enum segment {
    SEGMENT_PERCENT,
    SEGMENT_BAR,
    SEGMENT_FILES,
    SEGMENT_BYTES,
    SEGMENT_HOLDUP,
    SEGMENT_BYTE_RATE,
    SEGMENT_FILE_RATE,
    SEGMENT_LEFT,
    SEGMENT_FAILED,
    SEGMENT_COUNT
};

enum { GAP = 2, BAR_MIN = 8, BAR_MAX = 32, BAR_WANTED_FROM = 60, SEGMENT_SIZE = 64 };

#define COLOUR_BAR    "\x1b[36m"
#define COLOUR_DIM    "\x1b[2m"
#define COLOUR_FAILED "\x1b[31m"
#define COLOUR_OFF    "\x1b[0m"

struct segments {
    char text[SEGMENT_COUNT][SEGMENT_SIZE];
};

static void fill_segments(struct segments *row, const struct live_line *line)
{
    char part[FORMAT_SIZE];
    *row = (struct segments){0};
    snprintf(row->text[SEGMENT_FILES], SEGMENT_SIZE, "%" PRIu64 "/%" PRIu64 "%s", line->files_done, line->files_total,
             line->growing ? "+" : "");
    if (line->failed > 0)
        snprintf(row->text[SEGMENT_FAILED], SEGMENT_SIZE, "%" PRIu64 " failed", line->failed);
    if (!line->sending) {
        snprintf(row->text[SEGMENT_PERCENT], SEGMENT_SIZE, "%s", line->growing ? "scanning" : "connecting");
        return;
    }
    snprintf(row->text[SEGMENT_PERCENT], SEGMENT_SIZE, "%3u%%", (unsigned)(line->share * 100));
    if (line->bytes_done > 0) /* what goes to a third party is not counted in bytes */
        format_bytes(row->text[SEGMENT_BYTES], (double)line->bytes_done);
    if (line->holdup != NULL) {
        snprintf(row->text[SEGMENT_HOLDUP], SEGMENT_SIZE, "%s", line->holdup);
        return;
    }
    if (line->bytes_done > 0)
        format_byte_rate(row->text[SEGMENT_BYTE_RATE], line->bytes_per_s);
    format_count_rate(row->text[SEGMENT_FILE_RATE], line->files_per_s);
    if (line->left_s >= 0) {
        format_countdown(part, line->left_s);
        snprintf(row->text[SEGMENT_LEFT], SEGMENT_SIZE, "%s left", part);
    }
}

static unsigned row_width(const struct segments *row)
{
    unsigned width = 0;
    for (int i = 0; i < SEGMENT_COUNT; i++)
        if (row->text[i][0] != '\0')
            width += (unsigned)strlen(row->text[i]) + (width > 0 ? GAP : 0);
    return width;
}

static void put_bar(struct text *text, const struct live_line *line, unsigned width)
{
    unsigned filled = (unsigned)(line->share * width + 1e-9);
    if (line->colour)
        text_put(text, COLOUR_BAR);
    for (unsigned i = 0; i < filled; i++)
        text_put(text, line->unicode ? "\xe2\x94\x81" : "=");
    if (line->colour)
        text_put(text, COLOUR_OFF COLOUR_DIM);
    for (unsigned i = filled; i < width; i++)
        text_put(text, line->unicode ? "\xe2\x94\x80" : "-");
    if (line->colour)
        text_put(text, COLOUR_OFF);
}

/* What does not fit goes, the least needed first. */
static unsigned make_fit(struct segments *row, const struct live_line *line, unsigned columns)
{
    static const enum segment leave_out[] = {SEGMENT_FILE_RATE, SEGMENT_BYTES, SEGMENT_BYTE_RATE, SEGMENT_LEFT,
                                             SEGMENT_PERCENT};
    bool held_up = row->text[SEGMENT_HOLDUP][0] != '\0';
    unsigned bar_room = line->sending && !held_up && columns >= BAR_WANTED_FROM ? BAR_MIN + GAP : 0;
    unsigned width = row_width(row);
    for (size_t i = 0; width + bar_room > columns && i < sizeof leave_out / sizeof leave_out[0]; i++) {
        if (leave_out[i] == SEGMENT_PERCENT && held_up) {
            snprintf(row->text[SEGMENT_HOLDUP], SEGMENT_SIZE, "%s", line->holdup_short);
            width = row_width(row);
            if (width <= columns)
                break;
        }
        row->text[leave_out[i]][0] = '\0';
        width = row_width(row);
    }
    if (width > columns) {
        row->text[SEGMENT_HOLDUP][0] = '\0';
        width = row_width(row);
    }
    return width;
}

void live_line_render(struct text *text, const struct live_line *line, unsigned columns)
{
    struct segments row;
    fill_segments(&row, line);
    unsigned width = make_fit(&row, line, columns);
    unsigned bar = line->sending && columns >= width + GAP + BAR_MIN ? columns - width - GAP : 0;
    bar = bar > BAR_MAX ? BAR_MAX : bar;

    bool first = true;
    for (int i = 0; i < SEGMENT_COUNT; i++) {
        bool is_bar = i == SEGMENT_BAR;
        if (is_bar ? bar == 0 : row.text[i][0] == '\0')
            continue;
        text_put(text, first ? "" : "  ");
        first = false;
        bool red = i == SEGMENT_FAILED && line->colour;
        if (is_bar)
            put_bar(text, line, bar);
        else
            text_printf(text, "%s%.*s%s", red ? COLOUR_FAILED : "", (int)columns, row.text[i], red ? COLOUR_OFF : "");
    }
}

void live_line_describe(struct text *text, const struct live_line *line)
{
    struct segments row;
    fill_segments(&row, line);
    text_printf(text, "%s files", row.text[SEGMENT_FILES]);
    static const enum segment order[] = {SEGMENT_PERCENT,   SEGMENT_BYTES, SEGMENT_HOLDUP, SEGMENT_BYTE_RATE,
                                         SEGMENT_FILE_RATE, SEGMENT_LEFT,  SEGMENT_FAILED};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const char *segment = row.text[order[i]];
        segment += strspn(segment, " ");
        if (*segment != '\0')
            text_printf(text, ", %s%s", segment, order[i] == SEGMENT_FILE_RATE ? " instances" : "");
    }
}
