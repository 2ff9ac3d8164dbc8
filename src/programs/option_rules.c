/* option_rules - see option_rules.h. */
#include "programs/option_rules.h"

#include <string.h>

#include "dicomnet/acceptor.h"
#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "programs/option_groups.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/options_table.h"

/* Where dicom-mover keeps what comes if no option says where. */
static const char output_dir_default[] = "./downloads";

/* ---- what follows ---- */

/* What follows another option has its value, wherever that one stands. */
static void apply_rows(struct options *options)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || row->follows == NULL || options->given[i] != NULL ||
            !options_given(options, row->follows))
            continue;
        const struct option_row *other = option_find_by_name(options->program, row->follows);
        memcpy(option_field_of(options, row), option_value_of(options, other), row->field.size);
    }
}

/* --log-level counts; without it -q, -v and -d choose the level, as the program has it. */
static void apply_log_level(struct options *options)
{
    const struct option_program *program = option_program_of(options->program);
    if (options_given(options, "log-level"))
        return;
    options->log_level = (enum dicomnet_log_level)program->log_level;
    if (options->debug)
        options->log_level = DICOMNET_LOG_DEBUG;
    else if (options->verbose && !program->log_is_a_file)
        options->log_level = DICOMNET_LOG_INFO;
    else if (options->quiet && !program->log_is_a_file)
        options->log_level = DICOMNET_LOG_ERROR;
}

/* Only the patient root has the level patient. This depends on a value, so it is not in a row. */
static void apply_query(struct options *options)
{
    struct query_group *query = options_group(options, GROUP_QUERY);
    if (query != NULL && query->level == DICOMNET_QUERY_LEVEL_PATIENT && !options_given(options, "study-root"))
        query->patient_root = true;
}

/*
 * Decide where retrieved instances go. --move-dest alone sends them to that AE. With a folder or a port to receive on,
 * they come here, and --move-dest is the AE title of our receiver, as in movescu. Without --move-dest they come here
 * too.
 */
static void apply_retrieval(struct options *options)
{
    struct retrieval_options *retrieval = options_group(options, GROUP_RETRIEVAL);
    const struct fetching_group *fetching = options_group(options, GROUP_FETCHING);
    if (retrieval == NULL)
        return;
    bool here = retrieval->output_dir != NULL || fetching->receive_here || options_given(options, "receive-port");
    if (!here && retrieval->move_destination[0] != '\0')
        return;
    if (retrieval->output_dir == NULL)
        retrieval->output_dir = output_dir_default;
    if (retrieval->get || retrieval->move_destination[0] == '\0')
        return;
    if (retrieval->receive_ae[0] == '\0')
        strcpy(retrieval->receive_ae, retrieval->move_destination);
    retrieval->move_destination[0] = '\0';
}

/* A probe is a dry run that connects. */
static void apply_probe(struct options *options)
{
    struct session_options *session = options_group(options, GROUP_SESSION);
    if (session != NULL && session->probe)
        session->dry_run = true;
}

void option_rules_apply(struct options *options)
{
    apply_rows(options);
    apply_log_level(options);
    apply_query(options);
    apply_retrieval(options);
    apply_probe(options);
}

/* ---- what excludes what, and what is missing ---- */

/* Given as an option, or as an argument that stands for one. */
static bool is_there(const struct options *options, const char *name)
{
    const struct option_row *row = option_find_by_name(options->program, name);
    if (row == NULL)
        return false;
    const void *field = option_value_of(options, row);
    if (row->takes == OPTION_INPUT || row->takes == OPTION_KEY)
        return ((const struct option_list *)field)->count > 0;
    if (row->takes == OPTION_TEXT && row->initial == NULL)
        return *(const char *const *)field != NULL;
    return options->given[row - option_rows] != NULL;
}

static int say(char *ret_message, const char *text)
{
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "%s", text);
    return -1;
}

static int check_conflicts(const struct options *options, const struct option_row *row, char *ret_message)
{
    for (size_t i = 0; i < OPTION_CONFLICTS_MAX && row->conflicts_with[i].name != NULL; i++) {
        const struct option_relation *other = &row->conflicts_with[i];
        if (!is_there(options, other->name))
            continue;
        if (other->text != NULL)
            return say(ret_message, other->text);
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "--%s and --%s exclude each other", row->name, other->name);
        return -1;
    }
    return 0;
}

static bool stands_under(const struct option_row *row, const char *const headings[OPTION_HEADINGS_MAX])
{
    for (size_t i = 0; i < OPTION_HEADINGS_MAX && headings[i] != NULL; i++)
        if (strcmp(row->heading, headings[i]) == 0)
            return true;
    return false;
}

static int check_exclusions(const struct options *options, const struct option_row *row, char *ret_message)
{
    for (size_t i = 0; i < option_row_count && row->excludes.text != NULL; i++) {
        const struct option_row *other = &option_rows[i];
        if ((other->programs & options->program) == 0 || !stands_under(other, row->excludes.headings) ||
            !is_there(options, other->name))
            continue;
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "%s --%s", row->excludes.text, other->name);
        return -1;
    }
    return 0;
}

static int check_doubt(const struct options *options, const struct option_row *row, char *ret_message)
{
    if (row->doubt == NULL || options->given[row - option_rows] == NULL)
        return 0;
    uint64_t value = option_value_unsigned(options, row);
    if ((row->takes == OPTION_SECONDS ? value / 1000 : value) < row->doubtful)
        return 0;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "--%s: %s", row->name, row->doubt);
    return -1;
}

static int check_needs(const struct options *options, const struct option_row *row, char *ret_message)
{
    if (row->needs.name == NULL || is_there(options, row->needs.name))
        return 0;
    if (row->needs.text != NULL)
        return say(ret_message, row->needs.text);
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "--%s: it belongs to --%s, which is missing", row->name,
             row->needs.name);
    return -1;
}

static int check_rows(const struct options *options, char *ret_message,
                      int (*check)(const struct options *options, const struct option_row *row, char *ret_message))
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if ((row->programs & options->program) == 0 || !is_there(options, row->name))
            continue;
        if (check(options, row, ret_message) != 0)
            return -1;
    }
    return 0;
}

/* The program does nothing without one of these. */
static int check_one_of(const struct options *options, char *ret_message)
{
    const struct option_program *program = option_program_of(options->program);
    if (program->none_of_them == NULL)
        return 0;
    for (size_t i = 0; program->one_of[i] != NULL; i++)
        if (is_there(options, program->one_of[i]))
            return 0;
    return say(ret_message, program->none_of_them);
}

/* The two lowest bits of the octet belong to congestion notification (RFC 3168), and the system sets them. */
static int check_traffic_class(const struct network_group *network, char *ret_message)
{
    if (network == NULL || (network->traffic_class & 3) == 0)
        return 0;
    snprintf(ret_message, OPTIONS_MESSAGE_SIZE,
             "--tos: %u is no code point: a number is the whole octet, four times the code point (ef is 184)",
             network->traffic_class);
    return -1;
}

/* Rules that depend on the value of an option; a row can only say that an option is given. */
static int check_values(const struct options *options, char *ret_message)
{
    const struct query_group *query = options_group_of(options, GROUP_QUERY);
    const struct connection_group *connection = options_group_of(options, GROUP_CONNECTION);
    const struct sending_group *sending = options_group_of(options, GROUP_SENDING);
    const struct session_options *session = options_group_of(options, GROUP_SESSION);
    if (query != NULL && query->level == DICOMNET_QUERY_LEVEL_PATIENT && options_given(options, "study-root"))
        return say(ret_message, "--level patient: the study root has no such level; --patient-root has");
    const struct listening_group *listening = options_group_of(options, GROUP_LISTENING);
    if (listening != NULL && listening->bind_addresses.count > DICOMNET_ACCEPTOR_ADDRESSES_MAX) {
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE, "--bind: at most %d addresses", DICOMNET_ACCEPTOR_ADDRESSES_MAX);
        return -1;
    }
    if (check_traffic_class(options_group_of(options, GROUP_NETWORK), ret_message) != 0)
        return -1;
    if (sending == NULL)
        return 0;
    const char *list = session->discover.files_from;
    if (sending->ramp.count > 0 && list != NULL && strcmp(list, "-") == 0)
        return say(ret_message, "--ramp reads its input more than once: --files-from must be a file, not -");
    if (sending->output_dir != NULL && connection->destination != NULL) {
        snprintf(ret_message, OPTIONS_MESSAGE_SIZE,
                 "'%.80s' names a destination, and --output-dir sends to nobody; give one", connection->destination);
        return -1;
    }
    return 0;
}

int option_rules_check(const struct options *options, char *ret_message)
{
    if (check_rows(options, ret_message, check_conflicts) != 0 ||
        check_rows(options, ret_message, check_exclusions) != 0 || check_rows(options, ret_message, check_doubt) != 0 ||
        check_values(options, ret_message) != 0 || check_one_of(options, ret_message) != 0)
        return -1;
    return check_rows(options, ret_message, check_needs);
}
