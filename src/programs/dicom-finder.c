/*
 * dicom-finder - asks a peer what it has, and prints the matches as they come.
 *
 * One thread, one loop, one association with one C-FIND. Printing blocks: a slow reader of standard output makes the
 * peer wait, and nothing is gathered here. Signals are heard all the same (slow_output.h).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

#include "base/text.h"
#include "dicomnet/query_retrieve.h"
#include "programs/console.h"
#include "programs/option_groups.h"
#include "programs/peer_query.h"
#include "programs/slow_output.h"
#include "report/match_writer.h"
#include "services/peer_text.h"

/* So long a reader that has stopped is waited for when a signal has come; it is part of the DIMSE timeout. */
enum { PATIENCE_MS = 2000 };

struct finder {
    const struct dicom_finder_options *options;
    const struct destination *destination;
    const struct query_keys *keys;
    uv_loop_t loop;
    struct slow_output output;
    uv_timer_t deadline;              /* of a peer that was asked to stop */
    struct dicomnet_query_user *user; /* NULL once it is closed */
    struct dicomnet_query query;
    struct match_writer *writer;
    uint64_t printed;
    int output_error; /* standard output takes no more */
    bool limited;     /* --limit is reached */
    bool too_many;    /* --max-matches is */
    bool interrupted;
    bool begun; /* the query did */
    bool ended; /* the query did: what there is to say of it was said */
    bool succeeded;
};

/* Some of it may be the peer's own words. */
static void say(const struct finder *finder, const char *what)
{
    struct text text = {0};
    text_put_visible(&text, what);
    fprintf(stderr, "dicom-finder: %s: %s\n", finder->destination->text, text.failed ? "" : text.data);
    text_fini(&text);
}

/* ---- the query ---- */

/* The peer was asked to stop, and goes on. */
static void on_deadline(uv_timer_t *timer)
{
    struct finder *finder = timer->data;
    if (finder->user != NULL)
        dicomnet_query_user_abort(finder->user, DICOMNET_ERROR_TIMEOUT_DIMSE);
}

/* Ask the peer to stop: it gets as long for that as for any answer. */
static void stop(struct finder *finder)
{
    uint32_t dimse_ms = finder->options->connection.network.timeouts.dimse_ms;
    if (finder->output.given_up && dimse_ms > finder->output.patience_ms)
        dimse_ms -= finder->output.patience_ms;
    dicomnet_query_user_cancel(finder->user);
    if (dimse_ms > 0 && !uv_is_active((uv_handle_t *)&finder->deadline))
        uv_timer_start(&finder->deadline, on_deadline, dimse_ms, 0);
}

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    struct finder *finder = context;
    finder->query = (struct dicomnet_query){.service = DICOMNET_QUERY_FIND,
                                            .model = finder->options->query.patient_root ? DICOMNET_QUERY_PATIENT_ROOT
                                                                                         : DICOMNET_QUERY_STUDY_ROOT,
                                            .priority = DICOMNET_PRIORITY_MEDIUM,
                                            .identifier = &finder->keys->identifier};
    finder->begun = true;
    int error = dicomnet_query_user_begin(user, &finder->query);
    if (error == 0)
        return;
    finder->ended = true;
    say(finder, error == DICOMNET_ERROR_NO_CONTEXT ? "it does not accept queries in this information model"
                                                   : dicomnet_error_text(error));
    dicomnet_query_user_release(user);
}

static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    struct finder *finder = context;
    uint32_t max = finder->options->query.max_matches;
    finder->too_many = max > 0 && query->match_count > max;
    if (finder->too_many) {
        stop(finder);
        return;
    }
    finder->output_error = match_writer_put(finder->writer, match);
    if (finder->output_error == 0)
        finder->printed++;
    finder->limited = finder->options->query.limit > 0 && finder->printed == finder->options->query.limit;
    if (finder->limited || finder->output_error != 0)
        stop(finder);
}

/* "C-FIND failed: status A900 (identifier does not match SOP class): comment; it objects to PatientID" */
static void say_failure(const struct finder *finder)
{
    const struct dicomnet_query *query = &finder->query;
    char text[512];
    int len = snprintf(text, sizeof text, "C-FIND failed: status %04X (%s)%s%s", query->status,
                       dicomnet_query_status_text(DICOMNET_QUERY_FIND, query->status),
                       query->comment[0] != '\0' ? ": " : "", query->comment);
    for (unsigned i = 0; i < query->offending_count && (size_t)len + 64 < sizeof text; i++) {
        const char *keyword = dicomnet_dictionary_keyword(query->offending[i]);
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s", i == 0 ? "; it objects to " : ", ", keyword);
        if (*keyword == '\0')
            len += snprintf(text + len, sizeof text - (size_t)len, "%08X", query->offending[i]);
    }
    say(finder, text);
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    struct finder *finder = context;
    (void)failed;
    finder->ended = query->answered;
    bool stopped_by_us = finder->limited || finder->interrupted || finder->output_error != 0;
    finder->succeeded = query->answered && (query->status == DICOMNET_STATUS_SUCCESS ||
                                            (query->status == DICOMNET_STATUS_CANCEL && stopped_by_us));
    if (query->answered && !finder->succeeded && !finder->too_many)
        say_failure(finder);
    if (query->answered)
        dicomnet_query_user_release(user);
}

static void on_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    struct finder *finder = context;
    char text[PEER_TEXT_SIZE];
    (void)user;
    bool by_us = end->error == DICOMNET_ERROR_ABORTED_LOCALLY || end->error == DICOMNET_ERROR_TIMEOUT_DIMSE;
    bool stopped = by_us && (finder->interrupted || finder->limited || finder->too_many);
    /* --limit has what it wants, even if the peer went on and was aborted. */
    finder->succeeded |= stopped && finder->limited;
    if (!finder->ended && !stopped) {
        peer_describe_end(end, &finder->destination->association, &destination_words, text, sizeof text);
        destination_explain(finder->destination, text, sizeof text);
        say(finder, text);
    }
    finder->user = NULL;
    slow_output_unwatch(&finder->output);
    uv_close((uv_handle_t *)&finder->deadline, NULL);
}

static const struct dicomnet_query_user_handler handler = {
    .opened = on_opened, .match = on_match, .ended = on_ended, .closed = on_closed};

/* The first asks the peer to stop, if there is something to stop; a second one does not wait for it. */
static void on_interrupt(void *user, int number)
{
    struct finder *finder = user;
    bool again = finder->interrupted;
    (void)number;
    if (finder->user == NULL)
        return;
    finder->interrupted = true;
    if (again || !finder->begun || finder->ended)
        dicomnet_query_user_abort(finder->user, DICOMNET_ERROR_ABORTED_LOCALLY);
    else
        stop(finder);
}

/* ---- the whole ---- */

static int open_user(struct finder *finder, const struct dicomnet_logger *logger)
{
    const struct dicom_finder_options *options = finder->options;
    const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = dicomnet_query_class_uid(
            options->query.patient_root ? DICOMNET_QUERY_PATIENT_ROOT : DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_FIND),
        .syntax_count = 2,
        .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}};
    struct dicomnet_association_options association = {.size = sizeof(struct dicomnet_association_options),
                                                       .parameters = finder->destination->association,
                                                       .proposals = &proposal,
                                                       .proposal_count = 1,
                                                       .logger = logger};
    struct dicomnet_query_user_options user = {
        .size = sizeof(struct dicomnet_query_user_options), .handler = &handler, .context = finder};
    return dicomnet_query_user_open(&finder->user, &finder->loop, &association, &user);
}

/* Write what is still kept, and say what is not to be seen in the output. */
static int finish(struct finder *finder)
{
    int error = finder->output_error;
    bool worthwhile = finder->succeeded || finder->interrupted || finder->printed > 0;
    if (error == 0 && worthwhile)
        error = match_writer_finish(finder->writer);
    if (finder->output.given_up) {
        fprintf(stderr, "dicom-finder: interrupted while nobody read standard output: what is there is not whole\n");
        return 130;
    }
    if (error != 0) {
        fprintf(stderr, "dicom-finder: standard output: %s\n", dicomnet_error_text(error));
        return 1;
    }
    if (!finder->options->common.quiet && worthwhile) {
        fprintf(stderr, "%llu match%s", (unsigned long long)finder->printed, finder->printed == 1 ? "" : "es");
        if (finder->limited && finder->query.match_count > finder->printed)
            fprintf(stderr, "; there are more (--limit)");
        else if (finder->limited && finder->query.status == DICOMNET_STATUS_CANCEL)
            fprintf(stderr, "; there may be more (--limit)");
        fprintf(stderr, "\n");
    }
    if (finder->too_many)
        fprintf(stderr,
                "dicom-finder: the peer lists more than %u matches: narrow the keys, or allow more with "
                "--max-matches\n",
                (unsigned)finder->options->query.max_matches);
    if (finder->interrupted)
        return 130;
    return finder->succeeded ? 0 : finder->printed > 0 ? 2 : 1;
}

/* 0 if standard output is no terminal. */
static unsigned screen_columns(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The query, from the association to the last match. Returns the exit code. */
static int query(struct finder *finder)
{
    struct dicomnet_logger logger = console_logger((enum dicomnet_log_level)finder->options->common.log_level);

    if (uv_loop_init(&finder->loop) != 0) {
        fprintf(stderr, "dicom-finder: no memory\n");
        return 1;
    }
    uv_timer_init(&finder->loop, &finder->deadline);
    finder->deadline.data = finder;
    int error = open_user(finder, &logger);
    int deaf = error == 0 ? slow_output_watch(&finder->output, &finder->loop) : 0;
    if (error != 0) {
        say(finder, dicomnet_error_text(error));
        uv_close((uv_handle_t *)&finder->deadline, NULL);
    } else if (deaf != 0) {
        dicomnet_query_user_abort(finder->user, deaf);
    }
    uv_run(&finder->loop, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&finder->loop);
    assert(closed == 0);
    (void)closed;
    return error == 0 ? finish(finder) : 1;
}

static int run(struct finder *finder)
{
    const struct dicom_finder_options *options = finder->options;
    enum match_format format = options->common.json ? MATCH_JSON : options->common.csv ? MATCH_CSV : MATCH_TABLE;
    uint32_t half_ms = options->connection.network.timeouts.dimse_ms / 2;
    uint32_t patience_ms = half_ms > 0 && half_ms < PATIENCE_MS ? half_ms : PATIENCE_MS;
    int exit_code = 1;

    int error = slow_output_open(&finder->output, patience_ms, on_interrupt, finder);
    if (error != 0) {
        say(finder, dicomnet_error_text(error));
        return 1;
    }
    finder->writer =
        match_writer_create(format, finder->output.file, screen_columns(), finder->keys->tags, finder->keys->count);
    if (finder->writer != NULL)
        exit_code = query(finder);
    else
        fprintf(stderr, "dicom-finder: no memory\n");
    match_writer_destroy(finder->writer);
    slow_output_close(&finder->output);
    return exit_code;
}

static int ask(const void *read_options)
{
    const struct dicom_finder_options *options = read_options;
    struct peer_query query;
    int exit_code = peer_query_read(&query, &options->common, &options->query, true);
    if (exit_code == 0) {
        struct finder finder = {.options = options, .destination = &query.destination, .keys = &query.keys};
        exit_code = run(&finder);
    }
    peer_query_fini(&query);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct dicom_finder_options options;
    return console_main(PROGRAM_FINDER, &options.common, argc, argv, ask);
}
