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
#include "programs/foreign_words.h"
#include "programs/option_reader.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/query_keys.h"

/* No option changes it. The other timeouts have their defaults in the table. */
enum { RELEASE_TIMEOUT_MS = 10000 };

/* Of dcm4che --connect-timeout and --idle-timeout are in milliseconds: what nobody means as seconds is refused. */
enum { CONNECT_TOO_LONG_MS = 1000 * 1000, IDLE_TOO_LONG_MS = 10000 * 1000 };

/* Of dicom-mover. */
static const char output_dir_default[] = "./downloads";

/* ---- one option ---- */

static struct option_list *list_of(struct options *options, const struct option_row *row)
{
    return (struct option_list *)(void *)((char *)options + row->offset);
}

/* 0 or -1: no memory. */
static int append_to_list(struct options *options, const struct option_row *row, const char *value)
{
    struct option_list *list = list_of(options, row);
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return -1;
    list->items = items;
    list->items[list->count++] = value;
    return 0;
}

static void clear_list(struct options *options, const struct option_row *row)
{
    struct option_list *list = list_of(options, row);
    if ((row->programs & options->program) == 0)
        return;
    free(list->items);
    *list = (struct option_list){0};
}

/* `--host --json` is a forgotten host; --host=--json says it if it is meant. */
static bool is_an_option(enum program program, const char *argument)
{
    size_t len = strlen(argument);
    return option_find(program, argument, len) != NULL || strcmp(argument, "--") == 0 ||
           (len > 2 && foreign_word_find(program, argument, len) != NULL);
}

/* An input, a key, or another value of a list; the key that says the level (as DCMTK and pynetdicom want it) is that of
 * --level. */
static int add_to_list(struct option_reader *reader, const struct option_row *row, const char *value, char *ret_problem)
{
    struct options *options = reader->options;
    const char *level;
    if (*value == '\0') {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is empty");
        return -1;
    }
    if (row->type == OPTION_KEY && query_keys_is_level(value, &level)) {
        const struct option_row *level_row = option_find_by_name(options->program, "level");
        options->given[level_row - option_rows] = true;
        return option_value_read(options, level_row, level, ret_problem);
    }
    if (row->type == OPTION_INPUT) {
        options->inputs[options->input_count++] = value;
    } else if (row->type == OPTION_KEY) {
        options->keys[options->key_count++] = value;
    } else if (append_to_list(options, row, value) != 0) {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "is too much: out of memory");
        return -1;
    }
    return 0;
}

int option_reader_take(struct option_reader *reader, const struct option_row *row, const char *spelling,
                       int spelling_len, const char *inline_value)
{
    struct options *options = reader->options;
    const char *value = inline_value;
    char expected[OPTION_EXPECTED_SIZE], problem[OPTION_PROBLEM_SIZE];

    options->given[row - option_rows] = true;
    if (row->type == OPTION_SWITCH) {
        if (value != NULL) {
            snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: it takes no value", spelling_len, spelling);
            return -1;
        }
        *(bool *)((char *)options + row->offset) = true;
        return 0;
    }
    if (value == NULL && reader->next < reader->argc && !is_an_option(options->program, reader->argv[reader->next]))
        value = reader->argv[reader->next++];
    if (value == NULL)
        value = option_value_if_none(row);
    if (value == NULL) {
        option_value_expected(row, expected);
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: its value is missing: it takes %s", spelling_len,
                 spelling, expected);
        return -1;
    }
    bool is_list = row->type == OPTION_INPUT || row->type == OPTION_KEY || row->type == OPTION_LIST;
    if ((is_list ? add_to_list(reader, row, value, problem) : option_value_read(options, row, value, problem)) == 0)
        return 0;
    snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: '%.80s' %s", spelling_len, spelling, value, problem);
    return -1;
}

/* ---- letters ---- */

/*
 * Switches together ("-rv"), or one option with its number ("-t8"). What else begins with one dash is no word that we
 * know: "-cx" is not `-c x`. All letters are checked before any counts.
 */
static int take_letters(struct option_reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    const struct option_row *first = option_find(program, argument, 2);
    bool is_number = first != NULL && first->type == OPTION_NUMBER && strspn(argument + 2, "0123456789") > 0 &&
                     strspn(argument + 2, "0123456789") == strlen(argument + 2);
    if (is_number)
        return option_reader_take(reader, first, argument, 2, argument + 2);
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const struct option_row *row = option_find(program, (const char[]){'-', *letter}, 2);
        if (row != NULL && row->type == OPTION_SWITCH)
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
    reader->words[reader->word_count++] = (struct positional){argument, reader->options->input_count, behind_dashes};
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
    /* "-t=8" is left to the letters, where the value is "=8" and wrong. */
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
    options->timeouts.release_ms = RELEASE_TIMEOUT_MS;
    options->log_level = DICOMNET_LOG_INFO;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || row->default_text == NULL)
            continue;
        int error = option_value_read(options, row, row->default_text, problem);
        assert(error == 0);
        (void)error;
    }
}

/* --level patient, which only the patient root has, asks for it. */
static void apply_query(struct options *options)
{
    if ((options->program & (PROGRAM_FINDER | PROGRAM_MOVER)) != 0 && options->level == DICOMNET_QUERY_LEVEL_PATIENT &&
        !options->study_root)
        options->patient_root = true;
}

/*
 * Where what is retrieved goes: to a receiver here, unless --move-dest says otherwise and nothing (a folder, a port)
 * says here; then --move-dest is the name of that receiver, as in other tools.
 */
static void apply_retrieval(struct options *options)
{
    bool here = options->output_dir != NULL || options->receive_here || options_given(options, "receive-port");
    if (options->program != PROGRAM_MOVER || (!here && options->move_destination[0] != '\0'))
        return;
    if (options->output_dir == NULL)
        options->output_dir = output_dir_default;
    if (options->get || options->move_destination[0] == '\0')
        return;
    if (options->receive_ae[0] == '\0')
        strcpy(options->receive_ae, options->move_destination);
    options->move_destination[0] = '\0';
}

/* --timeout and -d set what no option of its own has set, wherever they stand. */
static void apply_shared(struct options *options)
{
    static const struct {
        const char *name;
        size_t offset;
    } timeouts[] = {{"connect-timeout", offsetof(struct options, timeouts.connect_ms)},
                    {"acse-timeout", offsetof(struct options, timeouts.acse_ms)},
                    {"dimse-timeout", offsetof(struct options, timeouts.dimse_ms)},
                    {"network-timeout", offsetof(struct options, timeouts.network_ms)},
                    {"idle-timeout", offsetof(struct options, idle_ms)},
                    {"release-timeout", offsetof(struct options, timeouts.release_ms)}}; /* no option of its own */
    if (options_given(options, "timeout"))
        for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
            if (!options_given(options, timeouts[i].name))
                *(uint32_t *)(void *)((char *)options + timeouts[i].offset) = options->timeout_ms;
    if (options_given(options, "log-level"))
        return;
    if (options->program & (PROGRAM_SENDER | PROGRAM_MOVER)) /* its log is a file, which -q and -v do not concern */
        options->log_level = options->debug ? DICOMNET_LOG_DEBUG : DICOMNET_LOG_INFO;
    else
        options->log_level = options->debug     ? DICOMNET_LOG_DEBUG
                             : options->verbose ? DICOMNET_LOG_INFO
                             : options->quiet   ? DICOMNET_LOG_ERROR
                             : (options->program & (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)) != 0
                                 ? DICOMNET_LOG_WARN
                                 : DICOMNET_LOG_ERROR; /* they say it themselves */
}

static const char *find_mover_contradiction(const struct options *options)
{
    bool elsewhere = options->move_destination[0] != '\0';
    if (options->key_count == 0 && options->query_file == NULL && !options->all)
        return "nothing to ask for: give --key KEY=VALUE or --query-file FILE";
    if (options->no_find && options->all)
        return "--no-find and --all exclude each other: without a list only what the keys name can be asked for";
    if (options->get && elsewhere)
        return "--get and --move-dest exclude each other: C-GET sends to who asks";
    if (options->get && (options_given(options, "receive-port") || options_given(options, "receive-ae") ||
                         options_given(options, "receive-bind")))
        return "--get needs no receiver: --receive-port, --receive-ae and --receive-bind belong to C-MOVE";
    return NULL;
}

static const char *find_archive_contradiction(const struct options *options)
{
    bool synthetic = options->population_text != NULL;
    if (options->dicom_file != NULL && (options->output_dir != NULL || synthetic || options->import_dirs.count > 0))
        return "--dicom excludes --output-dir, --import and --synthetic: it serves what it names and keeps nothing";
    if (options->output_dir == NULL && !synthetic && options->dicom_file == NULL)
        return "give --output-dir DIR for the archive, or --synthetic to serve what does not exist";
    if (options->output_dir != NULL && synthetic)
        return "--output-dir and --synthetic exclude each other";
    if (synthetic && (options->import_dirs.count > 0 || options->reindex || options->sync))
        return "--import, --reindex and --sync belong to --output-dir, which is missing";
    return NULL;
}

/* What only shows when all arguments are known: what is missing, and what excludes what. */
static const char *find_contradiction(const struct options *options)
{
    if (options->quiet && (options->verbose || options->debug))
        return options->verbose ? "--quiet and --verbose exclude each other" : "--quiet and --debug exclude each other";
    if (options->loopback && options->host != NULL)
        return "--loopback and --host both name a destination; give one";
    if (options->loopback && options->peer != NULL)
        return "--loopback and --peer both name a destination; give one";
    if (options->host != NULL && options->peer != NULL)
        return "--host and --peer both name a destination; give one";
    if (options->connect != NULL && (options->loopback || options->host != NULL || options->peer != NULL))
        return options->host != NULL   ? "--connect and --host both name a destination; give one"
               : options->peer != NULL ? "--connect and --peer both name a destination; give one"
                                       : "--connect and --loopback both name a destination; give one";
    if (options_given(options, "connect-timeout") && options->timeouts.connect_ms >= CONNECT_TOO_LONG_MS)
        return "--connect-timeout: it is in seconds, and no connection takes a quarter of an hour to open; of "
               "milliseconds, divide by 1000";
    if (options_given(options, "idle-timeout") && options->idle_ms >= IDLE_TOO_LONG_MS)
        return "--idle-timeout: it is in seconds, and this is hours; of milliseconds, divide by 1000; 0 is no limit";
    if (options->program == PROGRAM_RECEIVER) {
        if (options->output_dir == NULL && !options->discard)
            return "give --output-dir DIR to keep what comes, or --discard to keep nothing";
        if (options->output_dir != NULL && options->discard)
            return "--output-dir and --discard exclude each other";
    }
    if (options->program == PROGRAM_ARCHIVE)
        return find_archive_contradiction(options);
    if (options->program == PROGRAM_FINDER && options->json && options->csv)
        return "--json and --csv exclude each other";
    if (options->patient_root && options->study_root)
        return "--patient-root and --study-root exclude each other";
    if ((options->program & (PROGRAM_FINDER | PROGRAM_MOVER)) != 0 && options->level == DICOMNET_QUERY_LEVEL_PATIENT &&
        options->study_root)
        return "--level patient: the study root has no such level; --patient-root has";
    if (options->program == PROGRAM_MOVER)
        return find_mover_contradiction(options);
    if (options->program == PROGRAM_SENDER) {
        bool synthetic = options->synthetic_text != NULL;
        bool files = options->input_count > 0 || options->files_from != NULL;
        if (!files && !synthetic)
            return "nothing to send: give --input PATH, a path, --files-from FILE or --synthetic";
        if (files && synthetic)
            return "--synthetic sends no files: give either it or paths (a destination is pacs://[AE@]HOST[:PORT] or "
                   "AE@HOST:PORT)";
        if (!synthetic && (options->repeat > 0 || options->duration_ms > 0))
            return "--repeat and --duration belong to --synthetic, which is missing";
        if (options->ramp_count > 0 && (options_given(options, "threads") || options->dry_run))
            return options->dry_run ? "--ramp and --dry-run exclude each other"
                                    : "--ramp and --threads exclude each other";
        if (options->ramp_count > 0 && options->files_from != NULL && strcmp(options->files_from, "-") == 0)
            return "--ramp reads its input more than once: --files-from must be a file, not -";
        if (options->nul_separated && options->files_from == NULL)
            return "--null: it belongs to --files-from, which is missing";
        if (synthetic && options->ledger != NULL)
            return "--synthetic makes no files that a ledger could know: give either it or --ledger";
        if (options->ramp_count > 0 && options->ledger != NULL)
            return "--ramp sends the same files again and again, and --ledger does not: give either";
        if (options->ledger == NULL && (options->retry_failed || options->allow_other_destination))
            return options->retry_failed ? "--retry-failed: it belongs to --ledger, which is missing"
                                         : "--allow-other-destination: it belongs to --ledger, which is missing";
    }
    if (options->program == PROGRAM_REPORT) {
        if (options->ledger == NULL)
            return "give --ledger FILE";
        if (options->json && options->csv)
            return "--json and --csv exclude each other";
    }
    return NULL;
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
    apply_shared(options);
    apply_query(options);
    apply_retrieval(options);
    const char *contradiction = find_contradiction(options);
    if (contradiction != NULL)
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%s", contradiction);
    return contradiction != NULL ? -1 : 0;
}

enum options_verdict options_parse(struct options *options, enum program program, int argc, char *const *argv,
                                   char *ret_message)
{
    struct option_reader reader = {.options = options,
                                   .message = ret_message,
                                   .argc = argc,
                                   .argv = argv,
                                   .next = 1,
                                   .words = calloc((size_t)argc + 1, sizeof *reader.words)};
    *options = (struct options){.program = program, .nothing_typed = argc <= 1};
    ret_message[0] = '\0';
    options->inputs = calloc((size_t)argc + 1, sizeof *options->inputs);
    options->keys = calloc((size_t)argc + 1, sizeof *options->keys);
    if (options->inputs == NULL || options->keys == NULL || reader.words == NULL) {
        free(reader.words);
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "out of memory");
        return OPTIONS_WRONG;
    }
    set_defaults(options);
    bool has_default_peer = (program & (PROGRAM_ECHO | PROGRAM_FINDER)) != 0;
    int error = !options->nothing_typed || has_default_peer ? parse_all(&reader) : 0;
    free(reader.words);
    if (error != 0) {
        for (char *c = ret_message; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7F)
                *c = '?';
        return OPTIONS_WRONG;
    }
    if (options->nothing_typed && !has_default_peer)
        return OPTIONS_NOTHING;
    return options->help ? OPTIONS_HELP : options->version ? OPTIONS_VERSION : OPTIONS_RUN;
}

void options_fini(struct options *options)
{
    free(options->inputs);
    free(options->keys);
    for (size_t i = 0; i < option_row_count; i++)
        if (option_rows[i].type == OPTION_LIST)
            clear_list(options, &option_rows[i]);
    options->keys = NULL;
    options->key_count = 0;
    options->inputs = NULL;
    options->input_count = 0;
}

int options_console_level(const struct options *options)
{
    bool said = options->quiet || options->verbose || options->debug;
    return options_given(options, "log-level") && !said ? options->log_level + 1 : 0;
}

bool options_given(const struct options *options, const char *name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (options->given[i] && strcmp(option_rows[i].name, name) == 0)
            return true;
    return false;
}

bool options_next_given(const struct options *options, size_t *cursor, const char **ret_name, char *ret_value,
                        size_t size)
{
    while (*cursor < option_row_count && !options->given[*cursor])
        ++*cursor;
    if (*cursor >= option_row_count)
        return false;
    const struct option_row *row = &option_rows[(*cursor)++];
    *ret_name = row->name;
    option_value_format(options, row, ret_value, size);
    return true;
}

const char *options_program_name(enum program program)
{
    return option_texts_of(program)->name;
}
