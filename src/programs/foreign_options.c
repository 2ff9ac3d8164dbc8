/* foreign_options - takes the words of foreign_words.h, and dcm4che's -b, into the options. See option_reader.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "programs/foreign_words.h"
#include "programs/option_reader.h"
#include "programs/option_values.h"
#include "programs/option_words.h"

static int set_by_name(struct option_reader *reader, const char *name, const char *spelling, size_t spelling_len,
                       const char *value)
{
    const struct option_row *row = option_find_by_name(reader->options->program, name);
    assert(row != NULL);
    return option_reader_take(reader, row, spelling, (int)spelling_len, value);
}

/* What [AE[@ADDRESS]][:PORT] says, or for a server PORT alone; a part that is not there is NULL. `text` is cut up. */
struct bind_parts {
    char *ae, *address, *port;
};

static struct bind_parts split_bind(char *text, bool serves)
{
    struct bind_parts parts = {.ae = text};
    char *at = strrchr(text, '@'), *colon = strrchr(at != NULL ? at : text, ':');
    if (at != NULL && option_value_is_address(at + 1))
        colon = NULL; /* it is inside the address */
    if (serves && option_value_is_number(text))
        return (struct bind_parts){.port = text};
    if (colon != NULL) {
        *colon = '\0';
        parts.port = colon + 1;
    }
    if (at != NULL) {
        *at = '\0';
        parts.address = at + 1;
    } else if (option_value_is_address(text)) { /* "127.0.0.1:11112", without the AE title */
        parts = (struct bind_parts){.address = text, .port = parts.port};
    }
    return parts;
}

static int place_bind(struct option_reader *reader, const char *spelling, const struct bind_parts *parts, bool serves)
{
    size_t len = strlen(spelling);
    if (!serves && parts->port != NULL && reader->options->program != PROGRAM_MOVER) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%s: nothing is received here, so there is no port", spelling);
        return -1;
    }
    const struct {
        const char *name, *value;
    } rows[] = {{serves ? "ae-title" : "calling-ae", parts->ae},
                {serves ? "port" : "receive-port", parts->port},
                {"bind", parts->address}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].value != NULL && set_by_name(reader, rows[i].name, spelling, len, rows[i].value) != 0)
            return -1;
    return 0;
}

/* A typing slip in an address is no AE title. */
static bool is_meant_as_address(const char *text)
{
    const char *colon = strchr(text, ':');
    bool of_digits = strchr(text, '.') != NULL && strspn(text, "0123456789.") == strlen(text);
    return of_digits || (strchr(text, '@') == NULL && colon != NULL && strchr(colon + 1, ':') != NULL);
}

int option_reader_take_bind(struct option_reader *reader, const char *argument)
{
    struct options *options = reader->options;
    bool serves = (options->program & (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)) != 0;
    const char *value = reader->next < reader->argc ? reader->argv[reader->next] : NULL;
    if (options->program == PROGRAM_REPORT || value == NULL || *value == '-' || *value == '\0' ||
        (strcmp(argument, "-b") != 0 && strcmp(argument, "--bind") != 0))
        return 1;
    /* --bind ADDRESS is our own option, and left to the table; in a server whatever is not clearly theirs. */
    const char *colon = strrchr(value, ':');
    bool has_port = colon != NULL && option_value_is_number(colon + 1) && strchr(value, '[') == NULL;
    bool is_theirs = strchr(value, '@') != NULL || has_port || option_value_is_number(value);
    if (serves && argument[1] == '-' && (option_value_is_address(value) || !is_theirs))
        return 1;
    if (option_value_is_address(value) || is_meant_as_address(value))
        return set_by_name(reader, "bind", argument, strlen(argument), NULL);
    reader->next++;
    snprintf(options->bind_parts, sizeof options->bind_parts, "%s", value);
    const struct bind_parts parts = split_bind(options->bind_parts, serves);
    return place_bind(reader, argument, &parts, serves);
}

int option_reader_take_foreign(struct option_reader *reader, const char *argument)
{
    enum program program = reader->options->program;
    size_t len = strlen(argument);
    const struct foreign_word *word = foreign_word_find(program, argument, len);
    if (word == NULL) {
        len = strcspn(argument, "=");
        word = foreign_word_find(program, argument, len);
    }
    if (word == NULL)
        return 1;
    const char *value = argument[len] == '=' ? argument + len + 1 : NULL;
    if (word->refused != NULL) {
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "'%.*s': %s", (int)len, argument, word->refused);
        return -1;
    }
    if (word->means == NULL) {
        if (word->values == 0 || (value != NULL && *value != '\0'))
            return 0;
        if (value == NULL && reader->next < reader->argc && *reader->argv[reader->next] != '\0') {
            reader->next++;
            return 0;
        }
        snprintf(reader->message, OPTIONS_MESSAGE_SIZE, "%.*s: its value is missing", (int)len, argument);
        return -1;
    }
    char name[32];
    size_t name_len = strcspn(word->means, "=");
    snprintf(name, sizeof name, "%.*s", (int)name_len, word->means);
    if (word->means[name_len] != '=' && set_by_name(reader, name, argument, len, value) != 0)
        return -1;
    if (word->means[name_len] != '=')
        return word->then != NULL ? set_by_name(reader, word->then, argument, len, NULL) : 0;
    const struct option_row *row = option_find_by_name(program, name);
    if (options_given(reader->options, name) && row->takes != OPTION_SYNTAXES)
        return 0;
    return set_by_name(reader, name, argument, len, word->means + name_len + 1);
}
