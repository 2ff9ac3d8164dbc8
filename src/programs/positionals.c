/* positionals - see positionals.h. */
#include "programs/positionals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "programs/destination.h"
#include "programs/option_groups.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/query_keys.h"

/* Words that may name a destination: `len` of them from index `at` on. */
struct candidate {
    size_t at, len; /* len = 0: none */
};

static bool is_a_file(const char *text)
{
    struct stat status;
    return lstat(text, &status) == 0;
}

static int say_two(const char *one, const char *other, char *ret_message)
{
    const char *quote = strncmp(other, "--", 2) == 0 ? "" : "'";
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "'%.80s' and %s%.80s%s both name a destination; give one", one, quote,
             other, quote);
    return -1;
}

static int say_unexpected(const struct options *options, const char *word, char *ret_message)
{
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "unexpected argument '%.80s' (see %s --help)", word,
             options_program_name(options->program));
    return -1;
}

/* The option that names a destination, or NULL. */
static const char *other_destination(const struct options *options)
{
    const struct connection_group *connection = options_group_of(options, GROUP_CONNECTION);
    return connection->host != NULL      ? "--host"
           : connection->peer != NULL    ? "--peer"
           : connection->loopback        ? "--loopback"
           : connection->connect != NULL ? "--connect"
                                         : NULL;
}

/*
 * The peer's port stands in a word of its own. A --port beside it is the port to receive on in dicom-mover, as it is in
 * movescu and move_scu; in the other programs the peer then has two ports, which is an error.
 */
static int place_port(struct options *options, const char *port, char *ret_message)
{
    struct connection_group *connection = options_group(options, GROUP_CONNECTION);
    struct retrieval_options *retrieval = options_group(options, GROUP_RETRIEVAL);
    struct fetching_group *fetching = options_group(options, GROUP_FETCHING);
    connection->destination_port = port;
    if (!options_given(options, "port"))
        return 0;
    if (retrieval != NULL) {
        if (!options_given(options, "receive-port"))
            retrieval->receive_port = (uint16_t)connection->port;
        fetching->receive_here = true;
        return 0;
    }
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "'%.80s' and --port both name the port; give one", port);
    return -1;
}

/* ---- dicom-sender ---- */

static struct candidate candidate_at(const struct positional *words, size_t count, size_t at)
{
    const char *word = words[at].text;
    bool outermost = at == 0 || at + 1 == count;
    enum destination_shape shape = words[at].behind_dashes ? DESTINATION_NONE : destination_shape(word);
    if (shape == DESTINATION_URL)
        return (struct candidate){at, 1};
    if (shape == DESTINATION_NONE || is_a_file(word))
        return (struct candidate){0};
    bool with_port = shape == DESTINATION_AE_HOST_PORT || shape == DESTINATION_HOST_PORT;
    bool port_follows = at + 1 < count && !words[at + 1].behind_dashes && option_value_is_number(words[at + 1].text);
    if (!with_port && port_follows && (at == 0 || at + 2 == count))
        return (struct candidate){at, 2};
    if (with_port || (shape == DESTINATION_AE_HOST && outermost))
        return (struct candidate){at, 1};
    return (struct candidate){0};
}

/*
 * Add the words to the inputs, without those that name a destination. The order is that in which paths were typed,
 * whether behind --input or not. 0, or -1: no memory.
 */
static int merge_inputs(struct option_list *inputs, const struct positional *words, size_t count,
                        struct candidate without)
{
    const char **items = calloc(inputs->count + count + 1, sizeof *items);
    size_t merged = 0, taken = 0;
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        while (taken < words[i].inputs_before)
            items[merged++] = inputs->items[taken++];
        if (i < without.at || i >= without.at + without.len)
            items[merged++] = words[i].text;
    }
    while (taken < inputs->count)
        items[merged++] = inputs->items[taken++];
    free(inputs->items);
    *inputs = (struct option_list){items, merged};
    return 0;
}

/*
 * With --port, a host name alone is a destination if it is the first or the last word, and neither a file nor called
 * like one.
 */
static struct candidate bare_host(const struct options *options, const struct positional *words, size_t count)
{
    static const char suffix[] = ".dcm"; /* what ends so is meant as a file, even if there is none */
    const size_t ends[] = {0, count - 1};
    for (size_t i = 0; count > 0 && options_given(options, "port") && i < sizeof ends / sizeof ends[0]; i++) {
        const struct positional *word = &words[ends[i]];
        size_t len = strlen(word->text);
        bool names_a_file = len >= sizeof suffix && strcasecmp(word->text + len - sizeof suffix + 1, suffix) == 0;
        if (!word->behind_dashes && destination_shape(word->text) == DESTINATION_HOST && !is_a_file(word->text) &&
            !names_a_file)
            return (struct candidate){ends[i], 1};
    }
    return (struct candidate){0};
}

static int place_in_sender(struct options *options, const struct positional *words, size_t count, char *ret_message)
{
    const char *other = other_destination(options);
    struct connection_group *connection = options_group(options, GROUP_CONNECTION);
    struct sending_group *sending = options_group(options, GROUP_SENDING);
    struct candidate found = {0};
    for (size_t i = 0; i < count; i++) {
        struct candidate candidate = candidate_at(words, count, i);
        if (candidate.len == 0)
            continue;
        if (other != NULL || found.len > 0)
            return say_two(words[i].text, other != NULL ? other : words[found.at].text, ret_message);
        found = candidate;
        i += candidate.len - 1;
    }
    if (found.len == 0 && other == NULL)
        found = bare_host(options, words, count);
    if (found.len > 0)
        connection->destination = words[found.at].text;
    if (found.len == 2 && place_port(options, words[found.at + 1].text, ret_message) != 0)
        return -1;
    if (merge_inputs(&sending->inputs, words, count, found) == 0)
        return 0;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "out of memory");
    return -1;
}

/* ---- those who ask a peer ---- */

/*
 * Take KEY=VALUE out of the words, as dicom-rs lets several follow one -q. Returns how many words are left, or -1: no
 * memory.
 */
static int take_matches(struct option_list *keys, struct positional *words, size_t count)
{
    size_t left = 0;
    const char **items = realloc(keys->items, (keys->count + count + 1) * sizeof *items);
    if (items == NULL)
        return -1;
    keys->items = items;
    for (size_t i = 0; i < count; i++) {
        if (query_keys_is_match(words[i].text))
            keys->items[keys->count++] = words[i].text;
        else
            words[left++] = words[i];
    }
    return (int)left;
}

/* Takes what names a destination, at the beginning of the words. Returns how many there were, or -1 and a message. */
static int take_destination(struct options *options, const struct positional *words, size_t count, char *ret_message)
{
    struct connection_group *connection = options_group(options, GROUP_CONNECTION);
    enum destination_shape shape = destination_shape(words[0].text);
    bool has_port = shape == DESTINATION_AE_HOST_PORT || shape == DESTINATION_HOST_PORT || shape == DESTINATION_URL;
    connection->destination = words[0].text;
    if (count < 2 || has_port || !option_value_is_number(words[1].text))
        return 1;
    return place_port(options, words[1].text, ret_message) == 0 ? 2 : -1;
}

static int place_in_requestor(struct options *options, struct positional *words, size_t count, char *ret_message)
{
    const struct connection_group *connection = options_group(options, GROUP_CONNECTION);
    struct query_group *query = options_group(options, GROUP_QUERY);
    const char *other = other_destination(options);
    int left = query != NULL ? take_matches(&query->keys, words, count) : (int)count, taken = 0;
    if (left < 0) {
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "out of memory");
        return -1;
    }
    if (other == NULL && left > 0 && !words[0].behind_dashes) {
        taken = take_destination(options, words, (size_t)left, ret_message);
        if (taken < 0)
            return -1;
        other = connection->destination;
    }
    for (int i = taken; i < left; i++) {
        const char *word = words[i].text;
        if (query != NULL && is_a_file(word) && query->query_file == NULL) {
            query->query_file = word;
            continue;
        }
        enum destination_shape shape = destination_shape(word);
        if (other != connection->destination || (shape != DESTINATION_NONE && shape != DESTINATION_HOST))
            return say_two(word, other, ret_message);
        return say_unexpected(options, word, ret_message);
    }
    return 0;
}

/* ---- servers ---- */

/*
 * Our --abort-after and -tn take a number; those of storescp take none, and the port follows them. A number that can be
 * a port, where no port is given, is therefore refused: it was typed as the port.
 */
static int refuse_swallowed_port(const struct options *options, char *ret_message)
{
    enum { PORT_LIKELY = 1024 };
    const struct fault_group *faults = options_group_of(options, GROUP_FAULTS);
    const struct network_group *group = options_group_of(options, GROUP_NETWORK);
    uint32_t network_s = options_given(options, "network-timeout") ? group->timeouts.network_ms / 1000 : 0;
    bool abort = faults != NULL && faults->abort_after >= PORT_LIKELY, network = network_s >= PORT_LIKELY;
    if (options_given(options, "port") || (!abort && !network))
        return 0;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE,
             abort ? "--abort-after: %u looks like a port, but is the number of stores to answer first; give --port too"
                   : "--network-timeout (-tn): %u looks like a port, but is a number of seconds; give --port too",
             abort ? faults->abort_after : network_s);
    return -1;
}

static int place_in_server(struct options *options, const struct positional *words, size_t count, char *ret_message)
{
    char problem[OPTION_PROBLEM_SIZE];
    const struct option_row *row = option_find_by_name(options->program, "port");
    if (count == 0)
        return refuse_swallowed_port(options, ret_message);
    if (!option_value_is_number(words[0].text) || options_given(options, "port"))
        return say_unexpected(options, words[0].text, ret_message);
    if (count > 1)
        return say_unexpected(options, words[1].text, ret_message);
    if (option_value_read(options, row, words[0].text, problem) == 0)
        return 0;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "the port '%.80s' %s", words[0].text, problem);
    return -1;
}

int positionals_place(struct options *options, struct positional *words, size_t count, char *ret_message)
{
    for (size_t i = 0; i < count; i++) {
        if (*words[i].text != '\0')
            continue;
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "an argument is empty");
        return -1;
    }
    switch (options->program) {
    case PROGRAM_SENDER:
        return place_in_sender(options, words, count, ret_message);
    case PROGRAM_ECHO:
    case PROGRAM_FINDER:
    case PROGRAM_MOVER:
        return place_in_requestor(options, words, count, ret_message);
    case PROGRAM_RECEIVER:
    case PROGRAM_ARCHIVE:
        return place_in_server(options, words, count, ret_message);
    case PROGRAM_REPORT:
        break;
    }
    return count > 0 ? say_unexpected(options, words[0].text, ret_message) : 0;
}
