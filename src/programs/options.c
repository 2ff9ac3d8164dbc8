/*
 * options - reads argv by the table of options_table.c. See options.h.
 *
 * A spelling is looked up whole first, so `-ta 5` is --acse-timeout and not `-t a`; only then are the letters of a
 * single-dash argument read as short options. What could be a slip (`-aetitle`, `-input`) is refused instead of being
 * read as `-a etitle` and `-i nput`.
 */
#include "programs/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "programs/destination.h"
#include "programs/option_values.h"
#include "programs/options_table.h"

/* No option changes it. The other timeouts have their defaults in the table. */
enum { RELEASE_TIMEOUT_MS = 10000 };

struct reader {
    struct options *options;
    const char *program_name;
    char *message;
    int argc;
    char *const *argv;
    int next;                /* of argv */
    size_t first_positional; /* where in the inputs the first positional argument is; SIZE_MAX = nowhere */
};

/* ---- spellings ---- */

static bool row_has_alias(const struct option_row *row, const char *spelling, size_t len)
{
    const char *alias = row->aliases;
    while (alias != NULL && *alias != '\0') {
        size_t alias_len = strcspn(alias, " ");
        if (alias_len == len && strncmp(alias, spelling, len) == 0)
            return true;
        alias += alias_len + (alias[alias_len] == ' ');
    }
    return false;
}

/* The row of a whole spelling ("--threads", "-t", "-ta", "+r") of `len` characters, or NULL. */
static const struct option_row *find_row(enum program program, const char *spelling, size_t len)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & program) == 0)
            continue;
        if (len > 2 && strncmp(spelling, "--", 2) == 0 && strlen(row->name) == len - 2 &&
            strncmp(row->name, spelling + 2, len - 2) == 0)
            return row;
        if (len == 2 && row->short_name != 0 && spelling[0] == '-' && spelling[1] == row->short_name)
            return row;
        if (row_has_alias(row, spelling, len))
            return row;
    }
    return NULL;
}

/* Edits (insert, drop, replace, swap neighbours) between two words of at most 31 characters. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned cost[32][32];
    a_len = a_len < 31 ? a_len : 31;
    b_len = b_len < 31 ? b_len : 31;
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = cost[i - 1][j] + 1 < best ? cost[i - 1][j] + 1 : best;
            best = cost[i][j - 1] + 1 < best ? cost[i][j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            best = swapped && cost[i - 2][j - 2] + 1 < best ? cost[i - 2][j - 2] + 1 : best;
            cost[i][j] = best;
        }
    }
    return cost[a_len][b_len];
}

/* Dashes in front say nothing about what was meant: -port is near to --port. */
static unsigned spelling_distance(const char *typed, size_t typed_len, const char *known, size_t known_len)
{
    size_t typed_dashes = strspn(typed, "-+"), known_dashes = strspn(known, "-+");
    return edit_distance(typed + typed_dashes, typed_len - typed_dashes, known + known_dashes,
                         known_len - known_dashes);
}

static int say_unknown(const struct reader *reader, const char *argument)
{
    size_t argument_len = strcspn(argument, "=");
    char nearest[40] = "";
    unsigned nearest_distance = UINT32_MAX;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & reader->options->program) == 0)
            continue;
        char spellings[160];
        snprintf(spellings, sizeof spellings, "--%s %s", row->name, row->aliases != NULL ? row->aliases : "");
        for (const char *word = spellings; *word != '\0';) {
            size_t len = strcspn(word, " ");
            unsigned distance = spelling_distance(argument, argument_len, word, len);
            if (distance < nearest_distance) {
                nearest_distance = distance;
                snprintf(nearest, sizeof nearest, "%.*s", (int)len, word);
            }
            word += len + (word[len] == ' ');
        }
    }
    bool is_near = nearest_distance <= argument_len / 2;
    snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "unknown option '%.*s'%s%s (all: %s --help)",
             argument_len < 80 ? (int)argument_len : 80, argument, is_near ? "; the nearest is " : "",
             is_near ? nearest : "", reader->program_name);
    return -1;
}

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

/* Set the row's option; `spelling` is what it is called in messages, `inline_value` what stood behind it or NULL. */
static int take_option(struct reader *reader, const struct option_row *row, const char *spelling, int spelling_len,
                       const char *inline_value)
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
    if (value == NULL && reader->next < reader->argc) {
        value = reader->argv[reader->next];
        /* `--host --json` is a forgotten host; --host=--json says it if it is meant. */
        if (find_row(options->program, value, strlen(value)) != NULL || strcmp(value, "--") == 0)
            value = NULL;
        else
            reader->next++;
    }
    if (value == NULL) {
        option_value_expected(row, expected);
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: its value is missing: it takes %s", spelling_len,
                 spelling, expected);
        return -1;
    }
    if (row->type == OPTION_INPUT || row->type == OPTION_KEY || row->type == OPTION_LIST) {
        if (row->type == OPTION_INPUT)
            options->inputs[options->input_count++] = value;
        else if (row->type == OPTION_KEY)
            options->keys[options->key_count++] = value;
        else if (append_to_list(options, row, value) != 0) {
            snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "out of memory");
            return -1;
        }
        if (*value != '\0')
            return 0;
    } else if (option_value_read(options, row, value, problem) == 0) {
        return 0;
    } else {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: '%.80s' %s", spelling_len, spelling, value, problem);
        return -1;
    }
    snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: '' is empty", spelling_len, spelling);
    return -1;
}

/* True if the argument begins with a spelling like -aet, or is a long name with one dash: a slip, not short options. */
static bool looks_like_a_slip(enum program program, const char *argument)
{
    char two_dashes[64];
    snprintf(two_dashes, sizeof two_dashes, "-%s", argument);
    if (find_row(program, two_dashes, strcspn(two_dashes, "=")) != NULL)
        return true;
    for (size_t len = 3; len < strlen(argument); len++)
        if (find_row(program, argument, len) != NULL)
            return true;
    return false;
}

/* Short options: "-t8", "-rv", "-rt8". All letters are checked before any counts. */
static int take_letters(struct reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    if (looks_like_a_slip(program, argument))
        return say_unknown(reader, argument);
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const struct option_row *row = find_row(program, (const char[]){'-', *letter}, 2);
        if (row == NULL)
            return say_unknown(reader, argument);
        if (row->type != OPTION_SWITCH)
            break;
    }
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const char spelling[] = {'-', *letter};
        const struct option_row *row = find_row(program, spelling, 2);
        bool is_switch = row->type == OPTION_SWITCH;
        if (take_option(reader, row, spelling, 2, is_switch || letter[1] == '\0' ? NULL : letter + 1) != 0)
            return -1;
        if (!is_switch)
            break;
    }
    return 0;
}

/* ---- positional arguments ---- */

static int take_positional(struct reader *reader, const char *argument, bool may_be_destination)
{
    struct options *options = reader->options;
    bool first = reader->first_positional == SIZE_MAX;
    if (*argument == '\0') {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "an argument is empty");
        return -1;
    }
    bool one_destination = (options->program & (PROGRAM_ECHO | PROGRAM_FINDER | PROGRAM_MOVER)) != 0;
    if ((options->program & (PROGRAM_RECEIVER | PROGRAM_REPORT | PROGRAM_ARCHIVE)) != 0 ||
        (one_destination && options->destination != NULL)) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "unexpected argument '%.80s' (see %s --help)", argument,
                 reader->program_name);
        return -1;
    }
    if (one_destination) {
        options->destination = argument;
        return 0;
    }
    if (first)
        reader->first_positional = may_be_destination ? options->input_count : SIZE_MAX - 1;
    options->inputs[options->input_count++] = argument;
    return 0;
}

/* The first positional argument is the destination if it looks like one and no other was given. */
static int find_positional_destination(struct reader *reader)
{
    struct options *options = reader->options;
    const char *other = options->host != NULL   ? "--host"
                        : options->peer != NULL ? "--peer"
                        : options->loopback     ? "--loopback"
                                                : NULL;
    if (options->program == PROGRAM_SENDER && reader->first_positional < options->input_count) {
        const char **first = &options->inputs[reader->first_positional];
        /* Nobody calls a folder pacs://, so this is no path even where another destination was given. */
        bool is_url = strncmp(*first, "pacs://", 7) == 0;
        if (is_url || (other == NULL && destination_looks_like_one(*first))) {
            options->destination = *first;
            options->input_count--;
            memmove(first, first + 1, (options->input_count - reader->first_positional) * sizeof *first);
        }
    }
    if (options->destination != NULL && other != NULL) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "'%.80s' and %s both name a destination; give one",
                 options->destination, other);
        return -1;
    }
    return 0;
}

/* ---- all of them ---- */

static int take_argument(struct reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    size_t len = strcspn(argument, "=");
    bool has_value = argument[len] == '=';
    const struct option_row *row = NULL;
    if (argument[0] == '-' || argument[0] == '+')
        row = find_row(program, argument, len);
    /* "-t=8" is left to the letters, where the value is "=8" and wrong. */
    if (row != NULL && !(has_value && len == 2))
        return take_option(reader, row, argument, (int)len, has_value ? argument + len + 1 : NULL);
    if (argument[0] != '-' || argument[1] == '\0')
        return take_positional(reader, argument, true);
    if (argument[1] == '-')
        return say_unknown(reader, argument);
    return take_letters(reader, argument);
}

static void set_defaults(struct options *options)
{
    char problem[OPTION_PROBLEM_SIZE];
    options->timeouts.release_ms = RELEASE_TIMEOUT_MS;
    options->log_level = LOG_INFO;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || row->default_text == NULL)
            continue;
        int error = option_value_read(options, row, row->default_text, problem);
        assert(error == 0);
        (void)error;
    }
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
        options->log_level = options->debug ? LOG_DEBUG : LOG_INFO;
    else
        options->log_level = options->debug     ? LOG_DEBUG
                             : options->verbose ? LOG_INFO
                             : options->quiet   ? LOG_ERROR
                             : (options->program & (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)) != 0
                                 ? LOG_WARN
                                 : LOG_ERROR; /* they say it themselves */
}

static const char *find_mover_contradiction(const struct options *options)
{
    bool here = options->output_dir != NULL, elsewhere = options->move_destination[0] != '\0';
    if (options->key_count == 0 && options->query_file == NULL && !options->all)
        return "nothing to ask for: give --key KEY=VALUE or --query-file FILE";
    if (options->no_find && options->all)
        return "--no-find and --all exclude each other: without a list only what the keys name can be asked for";
    if (!here && !elsewhere)
        return "give --output-dir DIR to keep what comes, or --move-dest AE to have it sent elsewhere";
    if (here && elsewhere)
        return "--output-dir and --move-dest exclude each other; --receive-ae names this receiver";
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
    if (options->output_dir == NULL && !synthetic)
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
    if (options->host != NULL && options->peer != NULL)
        return "--host and --peer both name a destination; give one";
    if (options->loopback && (options->host != NULL || options->peer != NULL))
        return options->host != NULL ? "--loopback and --host both name a destination; give one"
                                     : "--loopback and --peer both name a destination; give one";
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
    if ((options->program & (PROGRAM_FINDER | PROGRAM_MOVER)) != 0 && options->level == QUERY_LEVEL_PATIENT &&
        !options->patient_root)
        return "--level patient: the study root has no such level; add --patient-root";
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

static int parse_all(struct reader *reader)
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
        if (take_positional(reader, reader->argv[reader->next++], false) != 0)
            return -1;
    apply_shared(options);
    if (find_positional_destination(reader) != 0)
        return -1;
    const char *contradiction = find_contradiction(options);
    if (contradiction != NULL)
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%s", contradiction);
    return contradiction != NULL ? -1 : 0;
}

enum options_verdict options_parse(struct options *options, enum program program, int argc, char *const *argv,
                                   char *ret_message)
{
    struct reader reader = {.options = options,
                            .program_name = options_program_name(program),
                            .message = ret_message,
                            .argc = argc,
                            .argv = argv,
                            .next = 1,
                            .first_positional = SIZE_MAX};
    *options = (struct options){.program = program};
    ret_message[0] = '\0';
    options->inputs = calloc((size_t)argc + 1, sizeof *options->inputs);
    options->keys = calloc((size_t)argc + 1, sizeof *options->keys);
    if (options->inputs == NULL || options->keys == NULL) {
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "out of memory");
        return OPTIONS_WRONG;
    }
    set_defaults(options);
    if (parse_all(&reader) != 0) {
        for (char *c = ret_message; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7F)
                *c = '?';
        return OPTIONS_WRONG;
    }
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
