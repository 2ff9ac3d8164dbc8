/* match_writer - see match_writer.h. */
#include "report/match_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/text.h"
#include "dicomnet/identifier.h"
#include "report/dicom_json.h"

enum { TERMS_SIZE = 256, NAME_SIZE = 80 };

struct match_writer {
    enum match_format format;
    FILE *out;
    struct charset charset;
    char terms[TERMS_SIZE]; /* the character set of the match that is written */
    struct text line;
    struct text cell;
    bool begun; /* header or bracket is out */
    size_t tag_count;
    uint32_t *tags;

    unsigned screen_columns; /* 0 = any number */
    bool turned;             /* the table is too wide for them: a block for each match */
    unsigned name_width;     /* of the longest keyword */

    /* MATCH_TABLE: cells of the rows that are kept, each ending in NUL, one row after the other. */
    unsigned *widths;
    struct text kept;
    size_t kept_rows;
};

struct match_writer *match_writer_create(enum match_format format, FILE *out, unsigned screen_columns,
                                         const uint32_t *tags, size_t tag_count)
{
    struct match_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->format = format;
    writer->out = out;
    writer->screen_columns = screen_columns;
    writer->tag_count = tag_count;
    writer->tags = calloc(tag_count + 1, sizeof *writer->tags);
    writer->widths = calloc(tag_count + 1, sizeof *writer->widths);
    if (writer->tags == NULL || writer->widths == NULL) {
        match_writer_destroy(writer);
        return NULL;
    }
    memcpy(writer->tags, tags, tag_count * sizeof *tags);
    return writer;
}

void match_writer_destroy(struct match_writer *writer)
{
    if (writer == NULL)
        return;
    charset_fini(&writer->charset);
    text_fini(&writer->line);
    text_fini(&writer->cell);
    text_fini(&writer->kept);
    free(writer->tags);
    free(writer->widths);
    free(writer);
}

/* Write the line that was put together. */
static int write_line(struct match_writer *writer)
{
    errno = 0;
    if (writer->line.failed)
        return -ENOMEM;
    if (writer->line.len > 0 && fwrite(writer->line.data, 1, writer->line.len, writer->out) != writer->line.len)
        return errno > 0 ? -errno : -EIO;
    text_clear(&writer->line);
    return 0;
}

/* ---- cells ---- */

/* Keyword, or "0009,1001" of what the standard does not know. */
static void tag_name(uint32_t tag, char ret_name[NAME_SIZE])
{
    const char *keyword = dicomnet_dictionary_keyword(tag);
    if (*keyword != '\0')
        snprintf(ret_name, NAME_SIZE, "%s", keyword);
    else
        snprintf(ret_name, NAME_SIZE, "%04" PRIX32 ",%04" PRIX32, tag >> 16, tag & 0xFFFF);
}

static size_t count_items(const struct dicomnet_identifier *match, const struct dicomnet_element *sequence)
{
    struct dicomnet_element element = *sequence;
    size_t count = 0;
    while (dicomnet_identifier_next(match, &element) && element.depth > sequence->depth)
        count += element.tag == DICOMNET_TAG_ITEM && element.depth == sequence->depth + 1;
    return count;
}

/* An element of the match as one text of UTF-8 in writer->cell. */
static void fill_cell(struct match_writer *writer, const struct dicomnet_identifier *match, uint32_t tag)
{
    struct dicomnet_element element;
    char number[64];
    text_clear(&writer->cell);
    text_put(&writer->cell, "");
    if (!dicomnet_identifier_find(match, tag, &element))
        return;
    if (strcmp(element.vr, "SQ") == 0) {
        size_t count = count_items(match, &element);
        text_printf(&writer->cell, "%zu item%s", count, count == 1 ? "" : "s");
    } else if (dicomnet_element_is_text(&element)) {
        struct dicomnet_span value = element.value;
        while (value.len > 0 && (value.data[value.len - 1] == ' ' || value.data[value.len - 1] == '\0'))
            value.len--;
        text_put_decoded(&writer->cell, &writer->charset, writer->terms, element.vr, value);
    } else {
        size_t count = dicomnet_element_value_count(&element);
        for (size_t i = 0; i < count && dicomnet_element_get_text(&element, i, number, sizeof number); i++)
            text_printf(&writer->cell, "%s%s", i > 0 ? "\\" : "", number);
    }
}

/* ---- CSV (RFC 4180, lines end in \n) ---- */

static void put_csv(struct text *line, const char *value, bool first)
{
    bool quoted = strpbrk(value, ",\"\r\n") != NULL;
    text_put(line, first ? "" : ",");
    if (!quoted) {
        text_put_utf8(line, value);
        return;
    }
    text_put(line, "\"");
    for (const char *c = value; *c != '\0'; c++)
        text_put_bytes(line, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    text_put(line, "\"");
}

static void put_csv_header(struct match_writer *writer)
{
    char name[NAME_SIZE];
    for (size_t i = 0; i < writer->tag_count; i++) {
        tag_name(writer->tags[i], name);
        put_csv(&writer->line, name, i == 0);
    }
    text_put(&writer->line, "\n");
}

static int put_csv_row(struct match_writer *writer, const struct dicomnet_identifier *match)
{
    if (!writer->begun)
        put_csv_header(writer);
    writer->begun = true;
    for (size_t i = 0; i < writer->tag_count; i++) {
        fill_cell(writer, match, writer->tags[i]);
        if (writer->cell.failed)
            return -ENOMEM;
        put_csv(&writer->line, writer->cell.data, i == 0);
    }
    text_put(&writer->line, "\n");
    return write_line(writer);
}

/* ---- the table ---- */

/* Columns of a character on a terminal: East Asian ones take two, combining ones none. */
static unsigned columns_of(uint32_t character)
{
    if (character >= 0x300 && character <= 0x36F)
        return 0;
    bool wide = (character >= 0x1100 && character <= 0x115F) || (character >= 0x2E80 && character <= 0xA4CF) ||
                (character >= 0xAC00 && character <= 0xD7A3) || (character >= 0xF900 && character <= 0xFAFF) ||
                (character >= 0xFE30 && character <= 0xFE6F) || (character >= 0xFF00 && character <= 0xFF60) ||
                (character >= 0xFFE0 && character <= 0xFFE6) || (character >= 0x1F300 && character <= 0x1FAFF) ||
                (character >= 0x20000 && character <= 0x3FFFD);
    return wide ? 2 : 1;
}

static unsigned width_of(const char *text)
{
    unsigned width = 0;
    while (*text != '\0') {
        uint32_t character = 0;
        size_t len = text_decode_utf8(text, &character);
        width += len > 0 ? columns_of(character) : 1;
        text += len > 0 ? len : 1;
    }
    return width;
}

/* Put the cell as it is shown: nothing that moves the cursor, no more than MATCH_CELL_COLUMNS. */
static void put_shown(struct text *text, const char *value)
{
    struct text visible = {0};
    text_put_visible(&visible, value);
    text_put(&visible, "");
    if (visible.failed) {
        text->failed = true;
        return;
    }
    if (width_of(visible.data) <= MATCH_CELL_COLUMNS) {
        text_put(text, visible.data);
    } else {
        unsigned width = 0;
        for (const char *c = visible.data;;) {
            uint32_t character = 0;
            size_t len = text_decode_utf8(c, &character);
            unsigned columns = len > 0 ? columns_of(character) : 1;
            if (width + columns > MATCH_CELL_COLUMNS - 3)
                break;
            width += columns;
            text_put_bytes(text, c, len > 0 ? len : 1);
            c += len > 0 ? len : 1;
        }
        text_put(text, "...");
    }
    text_fini(&visible);
}

/* A line of a match's block: its blocks have an empty line between them. */
static void put_turned(struct match_writer *writer, const char *cell, size_t column)
{
    char name[NAME_SIZE];
    tag_name(writer->tags[column], name);
    if (column == 0 && writer->begun)
        text_put(&writer->line, "\n");
    writer->begun = true;
    if (*cell != '\0')
        text_printf(&writer->line, "%-*s  %s\n", (int)writer->name_width, name, cell);
    else
        text_printf(&writer->line, "%s\n", name);
}

/* Put the cell and, unless it is the last of its row, what fills its column. */
static void put_padded(struct match_writer *writer, const char *cell, size_t column)
{
    if (writer->turned) {
        put_turned(writer, cell, column);
        return;
    }
    text_put(&writer->line, cell);
    if (column + 1 == writer->tag_count) {
        text_put(&writer->line, "\n");
        return;
    }
    unsigned width = width_of(cell);
    unsigned gap = (writer->widths[column] > width ? writer->widths[column] - width : 0) + 2;
    text_printf(&writer->line, "%*s", (int)gap, "");
}

/* The rows that are kept decide how wide each column is, and whether there is room for all of them. */
static void decide_widths(struct match_writer *writer)
{
    char name[NAME_SIZE];
    unsigned all = 0;
    for (size_t i = 0; i < writer->tag_count; i++) {
        tag_name(writer->tags[i], name);
        unsigned width = width_of(name);
        writer->name_width = width > writer->name_width ? width : writer->name_width;
        writer->widths[i] = width > writer->widths[i] ? width : writer->widths[i];
        all += writer->widths[i] + (i > 0 ? 2 : 0);
    }
    writer->turned = writer->screen_columns > 0 && all > writer->screen_columns;
}

static int put_kept_rows(struct match_writer *writer)
{
    char name[NAME_SIZE];
    if (writer->kept_rows == 0)
        return 0;
    decide_widths(writer);
    for (size_t i = 0; i < writer->tag_count && !writer->turned; i++) {
        tag_name(writer->tags[i], name);
        put_padded(writer, name, i);
    }
    const char *cell = writer->kept.data;
    for (size_t row = 0; row < writer->kept_rows; row++) {
        for (size_t i = 0; i < writer->tag_count; i++) {
            put_padded(writer, cell, i);
            cell += strlen(cell) + 1;
        }
    }
    writer->begun = true;
    writer->kept_rows = 0;
    text_fini(&writer->kept);
    return write_line(writer);
}

static int put_table_row(struct match_writer *writer, const struct dicomnet_identifier *match)
{
    struct text shown = {0};
    int error = 0;
    for (size_t i = 0; i < writer->tag_count; i++) {
        text_clear(&shown);
        fill_cell(writer, match, writer->tags[i]);
        put_shown(&shown, writer->cell.failed ? "" : writer->cell.data);
        text_put(&shown, "");
        if (writer->cell.failed || shown.failed) {
            error = -ENOMEM;
            break;
        }
        if (writer->begun) {
            put_padded(writer, shown.data, i);
            continue;
        }
        unsigned width = width_of(shown.data);
        writer->widths[i] = width > writer->widths[i] ? width : writer->widths[i];
        text_put_bytes(&writer->kept, shown.data, shown.len + 1);
    }
    text_fini(&shown);
    if (error != 0 || writer->kept.failed)
        return -ENOMEM;
    if (writer->begun)
        return write_line(writer);
    writer->kept_rows++;
    return writer->kept_rows < MATCH_TABLE_ROWS ? 0 : put_kept_rows(writer);
}

/* ---- all ---- */

static int put_json(struct match_writer *writer, const struct dicomnet_identifier *match)
{
    text_put(&writer->line, writer->begun ? ",\n" : "[\n");
    writer->begun = true;
    dicom_json_put(&writer->line, match, &writer->charset);
    return write_line(writer);
}

int match_writer_put(struct match_writer *writer, const struct dicomnet_identifier *match)
{
    dicomnet_identifier_get_text(match, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, writer->terms, sizeof writer->terms);
    switch (writer->format) {
    case MATCH_CSV:
        return put_csv_row(writer, match);
    case MATCH_JSON:
        return put_json(writer, match);
    case MATCH_TABLE:
    default:
        return put_table_row(writer, match);
    }
}

int match_writer_finish(struct match_writer *writer)
{
    int error = 0;
    if (writer->format == MATCH_TABLE)
        error = put_kept_rows(writer);
    if (writer->format == MATCH_JSON) {
        text_put(&writer->line, writer->begun ? "\n]\n" : "[]\n");
        error = write_line(writer);
    }
    if (error == 0 && fflush(writer->out) != 0)
        error = errno > 0 ? -errno : -EIO;
    return error;
}
