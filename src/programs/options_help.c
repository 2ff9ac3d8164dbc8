/* options_help - what --help, --version and a wrong argument print. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "programs/options.h"
#include "programs/options_table.h"

enum { HELP_WIDTH = 79, HELP_INDENT = 29 };

/* Print words from column `column` on, with lines of at most HELP_WIDTH; further lines begin at `indent`. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
    int at = column;
    bool first = true;
    while (*text != '\0') {
        int len = (int)strcspn(text, " ");
        if (!first && at + 1 + len > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        at += fprintf(out, "%s%.*s", first ? "" : " ", len, text);
        first = false;
        text += len + (text[len] == ' ');
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const struct option_row *row)
{
    char names[80], help[512];
    if (row->letter != 0)
        snprintf(names, sizeof names, "  -%c, --%s", row->letter, row->name);
    else
        snprintf(names, sizeof names, "      --%s", row->name);
    int column = fprintf(out, "%s%s%s", names, row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
    if (column + 2 > HELP_INDENT)
        column = fprintf(out, "\n") - 1;
    fprintf(out, "%*s", HELP_INDENT - column, "");

    int len = snprintf(help, sizeof help, "%s", row->help);
    if (row->min != row->max && row->takes == OPTION_UNSIGNED)
        len += snprintf(help + len, sizeof help - (size_t)len, " (%u to %u)", row->min, row->max);
    if (row->initial != NULL)
        len += snprintf(help + len, sizeof help - (size_t)len, " [%s]", row->initial);
    if (row->also != NULL)
        snprintf(help + len, sizeof help - (size_t)len, "; also %s", row->also);
    print_wrapped(out, help, HELP_INDENT, HELP_INDENT);
}

void options_print_help(enum program program, FILE *out)
{
    const struct option_program *texts = option_program_of(program);
    fprintf(out, "Usage: %s\n\n", texts->usage);
    print_wrapped(out, texts->about, 0, 0);

    const char *heading = "";
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & program) == 0)
            continue;
        if (strcmp(heading, row->heading) != 0)
            fprintf(out, "\n%s:\n", row->heading);
        heading = row->heading;
        print_row(out, row);
    }
    fprintf(out, "\nDefaults are in [brackets].\n");
    if (program != PROGRAM_REPORT)
        fprintf(out, "The words of other tools: docs/manual/from-other-tools.md\n");
    fprintf(out, "\nExamples:\n%s", texts->examples);
    fprintf(out, "\nExit codes:\n%s", texts->exit_codes);
}

void options_print_usage(enum program program, FILE *out)
{
    const struct option_program *texts = option_program_of(program);
    fprintf(out, "Usage: %.*s\n", (int)strcspn(texts->usage, "\n"), texts->usage);
    fprintf(out, "       %s --help says the rest\n", texts->name);
}

void options_print_version(enum program program, FILE *out)
{
    fprintf(out, "%s %s\n", options_program_name(program), PROGRAM_VERSION);
    fprintf(out, "libuv %s%s\n", uv_version_string(), LIBRARY_VERSIONS);
}

bool options_begin(struct options *options, enum program program, int argc, char *const *argv, int *ret_exit_code)
{
    char message[OPTIONS_MESSAGE_SIZE];
    switch (options_parse(options, program, argc, argv, message)) {
    case OPTIONS_RUN:
        return true;
    case OPTIONS_HELP:
        options_print_help(program, stdout);
        *ret_exit_code = 0;
        return false;
    case OPTIONS_VERSION:
        options_print_version(program, stdout);
        *ret_exit_code = 0;
        return false;
    case OPTIONS_NOTHING:
        options_print_usage(program, stderr);
        *ret_exit_code = 1;
        return false;
    case OPTIONS_WRONG:
        break;
    }
    fprintf(stderr, "%s: %s\n", options_program_name(program), message);
    *ret_exit_code = 1;
    return false;
}
