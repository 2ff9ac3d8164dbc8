/*
 * options - reads argv by the table of options_table.c. See options.h.
 *
 * A spelling is looked up whole: in the table, so `-ta 5` is --acse-timeout and not `-t a`, then among the words of
 * other tools. Only then are the letters of a single-dash argument read as switches. What could be a slip or a word of
 * another tool (`-aetitle`, `-input`) is refused instead of being read as `-a etitle` and `-i nput`.
 */
#include "programs/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "net/address.h"
#include "programs/foreign_words.h"
#include "programs/option_groups.h"
#include "programs/option_reader.h"
#include "programs/option_rules.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/query_keys.h"
#include "programs/syntax_names.h"

/* Only --timeout sets this timeout, so no row has its initial value. The others have theirs in the table. */
enum { RELEASE_TIMEOUT_MS = 10000 };

static const char secret_shown[] = "(secret)";

/* ---- one option ---- */

/* 0 or -1: no memory. */
static int append_to_list(struct options *options, const struct option_row *row, const char *value)
{
    struct option_list *list = option_field_of(options, row);
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return -1;
    list->items = items;
    list->items[list->count++] = value;
    return 0;
}

static bool is_list(const struct option_row *row)
{
    return row->takes == OPTION_INPUT || row->takes == OPTION_KEY || row->takes == OPTION_LIST ||
           row->takes == OPTION_ADDRESSES || row->takes == OPTION_SYNTAXES;
}

/* Append a copy of each UID that is not in the list yet. 0 or -1: no memory. */
static int append_uids(struct options *options, const struct option_row *row, const char *const *uids, size_t count)
{
    const struct option_list *list = option_field_of(options, row);
    for (size_t i = 0; i < count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < list->count && is_new; j++)
            is_new = strcmp(list->items[j], uids[i]) != 0;
        char *uid = is_new ? strdup(uids[i]) : NULL;
        if (is_new && (uid == NULL || append_to_list(options, row, uid) != 0)) {
            free(uid);
            return -1;
        }
    }
    return 0;
}

/* "implicit,JPEG2000Lossless,1.2.840.10008.1.2.1", or one of the standard's names, some of which have commas. */
static int add_syntaxes(struct options *options, const struct option_row *row, const char *value,
                        char ret_problem[OPTION_PROBLEM_SIZE])
{
    const char *uids[SYNTAX_NAME_UIDS_MAX];
    size_t whole = syntax_names_find(value, uids);
    snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is too much: out of memory");
    if (whole > 0)
        return append_uids(options, row, uids, whole);
    char *names = strdup(value), *rest = names;
    int error = names != NULL ? 0 : -1;
    for (const char *name = strsep(&rest, ","); name != NULL && error == 0; name = strsep(&rest, ",")) {
        size_t count = syntax_names_find(name, uids);
        error = append_uids(options, row, uids, count);
        if (count > 0)
            continue;
        char allowed[SYNTAX_NAMES_TEXT_SIZE];
        syntax_names_say(allowed);
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "has '%.40s', which is no transfer syntax: %s", name, allowed);
        error = -1;
    }
    free(names);
    return error;
}

/* True of what cannot be the value of the option before it: in `--host --json` the host is missing. */
static bool is_an_option(enum program program, const char *argument)
{
    size_t len = strlen(argument);
    return option_find(program, argument, len) != NULL || strcmp(argument, "--") == 0 ||
           (len > 2 && foreign_word_find(program, argument, len) != NULL);
}

/*
 * Add a value to the list that the row names. DCMTK and pynetdicom have the level as a key, QueryRetrieveLevel=STUDY:
 * that is read as --level.
 */
static int add_to_list(struct option_reader *reader, const struct option_row *row, const char *value, char *ret_problem)
{
    struct options *options = reader->options;
    const char *level;
    if (*value == '\0') {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is empty");
        return -1;
    }
    if (row->takes == OPTION_KEY && query_keys_is_level(value, &level)) {
        const struct option_row *level_row = option_find_by_name(options->program, "level");
        options->given[level_row - option_rows] = level;
        return option_value_read(options, level_row, level, ret_problem);
    }
    if (row->takes == OPTION_SYNTAXES)
        return add_syntaxes(options, row, value, ret_problem);
    if (row->takes == OPTION_ADDRESSES && address_problem(value) != NULL) {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "%s", address_problem(value));
        return -1;
    }
    if (append_to_list(options, row, value) == 0)
        return 0;
    snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is too much: out of memory");
    return -1;
}

/* What is shown of the argument that `value` stands in, which was read last: all of it but the value. 0 or -1. */
static int hide(struct option_reader *reader, const char *value)
{
    const char *argument = reader->argv[reader->next - 1];
    bool inside = value >= argument && value <= argument + strlen(argument);
    int before = inside ? (int)(value - argument) : 0;
    size_t size = (size_t)before + sizeof secret_shown;
    char *shown = malloc(size);
    if (shown == NULL) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "out of memory");
        return -1;
    }
    snprintf(shown, size, "%.*s%s", before, argument, secret_shown);
    free(reader->options->shown[reader->next - 2]);
    reader->options->shown[reader->next - 2] = shown;
    return 0;
}

/* Says in reader->message what is wrong with the value. A secret is not repeated. Returns -1. */
static int say_wrong_value(struct option_reader *reader, const struct option_row *row, const char *spelling,
                           int spelling_len, const char *value, const char *problem)
{
    if (row->secret)
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: its value %s", spelling_len, spelling, problem);
    else
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: '%.80s' %s", spelling_len, spelling, value, problem);
    return -1;
}

static int take_switch(struct option_reader *reader, const struct option_row *row)
{
    bool *field = option_field_of(reader->options, row);
    if (field != NULL)
        *field = true;
    return 0;
}

int option_reader_take(struct option_reader *reader, const struct option_row *row, const char *spelling,
                       int spelling_len, const char *inline_value)
{
    struct options *options = reader->options;
    const char *value = inline_value;
    char expected[OPTION_EXPECTED_SIZE], problem[OPTION_PROBLEM_SIZE];

    options->given[row - option_rows] = "";
    if ((row->takes == OPTION_SWITCH || row->stands_for != NULL) && inline_value != NULL) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: it takes no value", spelling_len, spelling);
        return -1;
    }
    if (row->takes == OPTION_SWITCH)
        return take_switch(reader, row);
    if (row->stands_for != NULL)
        value = row->stands_for;
    if (value == NULL && reader->next < reader->argc && !is_an_option(options->program, reader->argv[reader->next]))
        value = reader->argv[reader->next++];
    if (value != NULL && row->secret && hide(reader, value) != 0)
        return -1;
    if (value == NULL)
        value = row->value_if_none;
    if (value == NULL) {
        option_value_expected(row, expected);
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: its value is missing: it takes %s", spelling_len,
                 spelling, expected);
        return -1;
    }
    options->given[row - option_rows] = value;
    if ((is_list(row) ? add_to_list(reader, row, value, problem) : option_value_read(options, row, value, problem)) ==
        0)
        return 0;
    return say_wrong_value(reader, row, spelling, spelling_len, value, problem);
}

/* ---- letters ---- */

/*
 * Read switches that stand together ("-rv"), or one option with its number ("-t8"). Anything else that begins with one
 * dash is unknown: "-cx" is not read as `-c x`. No switch is set before all letters are known to be switches.
 */
static int take_letters(struct option_reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    const struct option_row *first = option_find(program, argument, 2);
    bool is_number = first != NULL && first->takes == OPTION_UNSIGNED && strspn(argument + 2, "0123456789") > 0 &&
                     strspn(argument + 2, "0123456789") == strlen(argument + 2);
    if (is_number)
        return option_reader_take(reader, first, argument, 2, argument + 2);
    if (first != NULL && first->secret) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.2s: its value goes into an argument of its own", argument);
        return -1;
    }
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const struct option_row *row = option_find(program, (const char[]){'-', *letter}, 2);
        if (row != NULL && row->takes == OPTION_SWITCH)
            continue;
        option_say_unknown(program, argument, reader->message);
        return -1;
    }
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const char spelling[] = {'-', *letter};
        if (option_reader_take(reader, option_find(program, spelling, 2), spelling, 2, NULL) != 0)
            return -1;
    }
    return 0;
}

/* ---- all of them ---- */

static void take_positional(struct option_reader *reader, const char *argument, bool behind_dashes)
{
    const struct sending_group *sending = options_group(reader->options, GROUP_SENDING);
    reader->words[reader->word_count++] =
        (struct positional){argument, sending != NULL ? sending->inputs.count : 0, behind_dashes};
}

static int take_argument(struct option_reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    if ((argument[0] != '-' && argument[0] != '+') || argument[1] == '\0') {
        take_positional(reader, argument, false);
        return 0;
    }
    const char *next = reader->next < reader->argc ? reader->argv[reader->next] : NULL;
    argument = foreign_word_other_meaning(program, argument, next);
    int result = option_reader_take_bind(reader, argument);
    if (result <= 0)
        return result;
    size_t len = strcspn(argument, "=");
    bool has_value = argument[len] == '=';
    const struct option_row *row = option_find(program, argument, len);
    /* A short option takes no '=': the value of "-t=8" is "=8", which is then said to be wrong. */
    if (row != NULL && has_value && len == 2)
        return option_reader_take(reader, row, argument, 2, argument + 2);
    if (row != NULL)
        return option_reader_take(reader, row, argument, (int)len, has_value ? argument + len + 1 : NULL);
    result = option_reader_take_foreign(reader, argument);
    if (result <= 0)
        return result;
    if (argument[0] == '-' && argument[1] != '-')
        return take_letters(reader, argument);
    option_say_unknown(program, argument, reader->message);
    return -1;
}

static void set_defaults(struct options *options)
{
    char problem[OPTION_PROBLEM_SIZE];
    struct network_group *network = options_group(options, GROUP_NETWORK);
    if (network != NULL)
        network->timeouts.release_ms = RELEASE_TIMEOUT_MS;
    options->log_level = DICOMNET_LOG_INFO;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || row->initial == NULL)
            continue;
        int error = option_value_read(options, row, row->initial, problem);
        assert(error == 0);
        (void)error;
    }
}

static int parse_all(struct option_reader *reader)
{
    struct options *options = reader->options;
    while (reader->next < reader->argc) {
        const char *argument = reader->argv[reader->next++];
        if (strcmp(argument, "--") == 0)
            break;
        if (take_argument(reader, argument) != 0)
            return -1;
        if (options->help || options->version)
            return 0;
    }
    while (reader->next < reader->argc)
        take_positional(reader, reader->argv[reader->next++], true);
    if (positionals_place(options, reader->words, reader->word_count, reader->message) != 0)
        return -1;
    option_rules_apply(options);
    return option_rules_check(options, reader->message);
}

/* 0 or -1: no memory. */
static int prepare(struct option_reader *reader)
{
    struct options *options = reader->options;
    size_t count = reader->argc > 1 ? (size_t)reader->argc - 1 : 0;
    reader->words = calloc(count + 1, sizeof *reader->words);
    options->shown = calloc(count + 1, sizeof *options->shown);
    if (reader->words == NULL || options->shown == NULL)
        return -1;
    for (; options->shown_count < count; options->shown_count++) {
        options->shown[options->shown_count] = strdup(reader->argv[options->shown_count + 1]);
        if (options->shown[options->shown_count] == NULL)
            return -1;
    }
    return 0;
}

enum options_verdict options_parse(struct options *options, enum program program, int argc, char *const *argv,
                                   char *ret_message)
{
    struct option_reader reader = {.options = options, .message = ret_message, .argc = argc, .argv = argv, .next = 1};
    const struct option_program *facts = option_program_of(program);
    bool runs = argc > 1 || facts->runs_without_arguments;
    memset(options, 0, facts->options_size);
    options->program = program;
    options->nothing_typed = argc <= 1;
    ret_message[0] = '\0';
    if (prepare(&reader) != 0) {
        free(reader.words);
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "out of memory");
        return OPTIONS_WRONG;
    }
    set_defaults(options);
    int error = runs ? parse_all(&reader) : 0;
    free(reader.words);
    if (error != 0) {
        for (char *c = ret_message; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7F)
                *c = '?';
        return OPTIONS_WRONG;
    }
    if (!runs)
        return OPTIONS_NOTHING;
    return options->help ? OPTIONS_HELP : options->version ? OPTIONS_VERSION : OPTIONS_RUN;
}

void options_fini(struct options *options)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || !is_list(row))
            continue;
        struct option_list *list = option_field_of(options, row);
        for (size_t j = 0; row->takes == OPTION_SYNTAXES && j < list->count; j++)
            free((char *)(uintptr_t)list->items[j]);
        free(list->items);
        *list = (struct option_list){0};
    }
    for (size_t i = 0; i < options->shown_count; i++)
        free(options->shown[i]);
    free(options->shown);
    options->shown = NULL;
    options->shown_count = 0;
}

int options_console_level(const struct options *options)
{
    bool said = options->quiet || options->verbose || options->debug;
    return options_given(options, "log-level") && !said ? (int)options->log_level + 1 : 0;
}

bool options_given(const struct options *options, const char *name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (options->given[i] != NULL && strcmp(option_rows[i].name, name) == 0)
            return true;
    return false;
}

bool options_next_given(const struct options *options, size_t *cursor, const char **ret_name, char *ret_value,
                        size_t size)
{
    while (*cursor < option_row_count && options->given[*cursor] == NULL)
        ++*cursor;
    if (*cursor >= option_row_count)
        return false;
    const struct option_row *row = &option_rows[(*cursor)++];
    *ret_name = row->name;
    if (row->secret)
        snprintf(ret_value, size, "%s", secret_shown);
    else
        option_value_format(options, row, ret_value, size);
    return true;
}

const char *options_program_name(enum program program)
{
    return option_program_of(program)->name;
}
