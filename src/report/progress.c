/*
 * progress - see progress.h. The words at the end are in progress_finish.c and progress_failures.c, what
 * log records become in progress_records.c.
 *
 * What is shown at once is put together first and written by one fwrite: on an unbuffered standard error each piece
 * would be a system call, and a half-drawn line would flicker.
 */
#include "report/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "dicomnet/error.h"
#include "engine/session.h"
#include "instance/instance.h"
#include "report/format.h"
#include "report/live_line.h"
#include "report/progress_data.h"
#include "wire/syntax.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 20, PLAIN_INTERVAL_US = 10 * 1000000 };

#define CLEAR_LINE "\r\x1b[K"

static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

struct progress *progress_create(const struct progress_options *options)
{
    struct progress *progress = calloc(1, sizeof *progress);
    if (progress == NULL)
        return NULL;
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    bool wanted = !options->no_progress && options->detail != PROGRESS_QUIET;
    progress->out = options->out;
    progress->detail = options->detail;
    progress->console_level = options->console_level;
    progress->terminal = isatty(fileno(options->out)) == 1;
    progress->live = wanted && progress->terminal && !is_dumb;
    progress->plain = wanted && !progress->live;
    progress->colour = progress->terminal && !is_dumb && (no_colour == NULL || *no_colour == '\0');
    progress->unicode = locale_is_utf8();
    progress->kind = options->kind;
    return progress;
}

static void write_out(struct progress *progress, const struct text *text)
{
    if (text->len > 0)
        fwrite(text->data, 1, text->len, progress->out);
    fflush(progress->out);
}

void progress_destroy(struct progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->line_shown) {
        fputs(CLEAR_LINE, progress->out);
        fflush(progress->out);
    }
    progress_forget_groups(&progress->failures);
    progress_forget_groups(&progress->skipped_dicom);
    progress_forget_causes(progress);
    pair_counts_fini(&progress->conversions);
    text_fini(&progress->line);
    text_fini(&progress->scratch);
    free(progress);
}

struct text *progress_begin_lines(struct progress *progress)
{
    text_clear(&progress->scratch);
    if (progress->line_shown)
        text_put(&progress->scratch, CLEAR_LINE);
    return &progress->scratch;
}

void progress_put_lines(struct progress *progress)
{
    if (progress->line_shown)
        text_put_bytes(&progress->scratch, progress->line.data, progress->line.len);
    write_out(progress, &progress->scratch);
}

void progress_print(struct progress *progress, const char *line)
{
    struct text *text = progress_begin_lines(progress);
    text_put_visible(text, line);
    text_put(text, "\n");
    progress_put_lines(progress);
}

/* ---- how far it is ---- */

static unsigned terminal_columns(const struct progress *progress)
{
    struct winsize size;
    unsigned columns = COLUMNS_DEFAULT;
    if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    /* The last column stays free: a character there makes some terminals wrap. */
    return columns > COLUMNS_MIN ? columns - 1 : COLUMNS_MIN;
}

static uint64_t files_ended(const struct session_totals *totals)
{
    return totals->files - totals->by_state[OUTCOME_PENDING];
}

static uint64_t files_failed(const struct session_totals *totals)
{
    return totals->by_state[OUTCOME_FAILED] + totals->by_state[OUTCOME_IN_DOUBT];
}

/* Remember where it is now, and the rates since the oldest sample that is kept. */
static void measure_rates(struct progress *progress, const struct session_progress *now, struct live_line *line)
{
    const struct session_totals *totals = &now->totals;
    struct progress_sample sample = {
        .elapsed_us = now->elapsed_us,
        .bytes = totals->bytes_stored,
        .files = session_acknowledged(totals),
    };
    size_t kept = progress->sample_count < PROGRESS_SAMPLES ? progress->sample_count : PROGRESS_SAMPLES;
    struct progress_sample oldest = {.elapsed_us = now->elapsed_us - now->transfer_us};
    if (kept > 0)
        oldest = progress->samples[(progress->sample_count - kept) % PROGRESS_SAMPLES];
    progress->samples[progress->sample_count++ % PROGRESS_SAMPLES] = sample;
    double seconds = sample.elapsed_us > oldest.elapsed_us ? (double)(sample.elapsed_us - oldest.elapsed_us) / 1e6 : 0;
    if (seconds > 0) {
        line->bytes_per_s = (double)(sample.bytes - oldest.bytes) / seconds;
        line->files_per_s = (double)(sample.files - oldest.files) / seconds;
    }
}

enum { HOLDUP_SIZE = 64 };

/* "3rd" */
static const char *ordinal_suffix(unsigned number)
{
    unsigned last = number % 10;
    bool is_teen = number / 10 % 10 == 1;
    return is_teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd";
}

/* What keeps it from going on, long and short; "" = nothing. */
static void describe_holdup(const struct session_progress *now, char ret_long[HOLDUP_SIZE], char ret_short[HOLDUP_SIZE])
{
    unsigned seconds = (unsigned)((now->next_try_us + 999999) / 1000000);
    char when[24] = "now", next[24] = "";
    if (seconds > 0) {
        snprintf(when, sizeof when, "in %u s", seconds);
        snprintf(next, sizeof next, " in %u s", seconds);
    }
    ret_long[0] = ret_short[0] = '\0';
    switch (now->holdup) {
    case HOLDUP_NONE:
        break;
    case HOLDUP_PAUSED:
        snprintf(ret_long, HOLDUP_SIZE, "paused: no room at the peer, next try %s", when);
        snprintf(ret_short, HOLDUP_SIZE, "paused, next try %s", when);
        break;
    case HOLDUP_CONNECTING:
        if (now->tries < 2) {
            snprintf(ret_long, HOLDUP_SIZE, "connecting");
            snprintf(ret_short, HOLDUP_SIZE, "connecting");
            break;
        }
        snprintf(ret_long, HOLDUP_SIZE, "connecting again, %u%s try%s", now->tries, ordinal_suffix(now->tries), next);
        snprintf(ret_short, HOLDUP_SIZE, "%u%s try%s", now->tries, ordinal_suffix(now->tries), next);
        break;
    case HOLDUP_STOPPING:
        snprintf(ret_long, HOLDUP_SIZE, "stopping: stores under way are finished");
        snprintf(ret_short, HOLDUP_SIZE, "stopping");
        break;
    }
}

static struct live_line describe_now(struct progress *progress, const struct session_progress *now)
{
    const struct session_totals *totals = &now->totals;
    struct live_line line = {
        .files_done = files_ended(totals),
        .files_total = totals->files,
        .growing = !now->scan_ended,
        .sending = now->transfer_us > 0,
        .bytes_done = totals->bytes_stored,
        .left_s = -1,
        .failed = files_failed(totals),
        .colour = progress->colour,
        .unicode = progress->unicode,
    };
    uint64_t bytes_ended = progress->bytes_ended > totals->bytes_stored ? progress->bytes_ended : totals->bytes_stored;
    if (totals->bytes_found > 0)
        line.share = (double)bytes_ended / (double)totals->bytes_found;
    else if (totals->files > 0)
        line.share = (double)line.files_done / (double)totals->files;
    bool all_ended = now->scan_ended && line.files_done == totals->files;
    line.share = all_ended ? 1 : line.share < 0.99 ? line.share : 0.99;
    if (line.sending) {
        measure_rates(progress, now, &line);
        if (line.bytes_per_s > 0 && now->scan_ended && totals->bytes_found >= bytes_ended)
            line.left_s = (double)(totals->bytes_found - bytes_ended) / line.bytes_per_s;
    }
    return line;
}

void progress_update(struct progress *progress, const struct session_progress *now)
{
    if (!progress->live && !progress->plain)
        return;
    struct live_line line = describe_now(progress, now);
    char holdup[HOLDUP_SIZE], holdup_short[HOLDUP_SIZE];
    describe_holdup(now, holdup, holdup_short);
    if (*holdup != '\0') {
        line.holdup = holdup;
        line.holdup_short = holdup_short;
    }
    if (progress->live) {
        text_clear(&progress->line);
        live_line_render(&progress->line, &line, terminal_columns(progress));
        progress->line_shown = true;
        progress_begin_lines(progress);
        progress_put_lines(progress);
    } else if (now->elapsed_us >= progress->plain_us + PLAIN_INTERVAL_US) {
        progress->plain_us = now->elapsed_us;
        struct text *text = progress_begin_lines(progress);
        live_line_describe(text, &line);
        text_put(text, "\n");
        progress_put_lines(progress);
    }
}

/* ---- lines ---- */

static const char *state_colour(const struct progress *progress, enum outcome_state state)
{
    if (!progress->colour)
        return "";
    return state == OUTCOME_FAILED || state == OUTCOME_IN_DOUBT ? COLOUR_RED
           : state == OUTCOME_WARNED                            ? COLOUR_YELLOW
           : state == OUTCOME_STORED                            ? ""
                                                                : COLOUR_DIM;
}

/* "[15/100] path (512.3 KB) ... stored (0.021 s)  1.2.3" */
static void put_file_line(struct progress *progress, const struct instance *instance,
                          const struct session_progress *now)
{
    const struct outcome *outcome = &instance->outcome;
    char part[FORMAT_SIZE];
    struct text *text = progress_begin_lines(progress);
    text_printf(text, "[%" PRIu64 "/%" PRIu64 "%s] ", files_ended(&now->totals), now->totals.files,
                now->scan_ended ? "" : "+");
    text_put_visible(text, instance->file.path);
    if (instance->file.size_bytes > 0) {
        format_bytes(part, (double)instance->file.size_bytes);
        text_printf(text, " (%s)", part);
    }
    const char *colour = state_colour(progress, outcome->state);
    text_printf(text, " ... %s%s%s", colour, outcome_state_name(outcome->state), *colour != '\0' ? COLOUR_OFF : "");
    if (outcome->earlier) {
        text_put(text, " by an earlier session");
    } else if (outcome->state == OUTCOME_STORED || outcome->state == OUTCOME_WARNED || outcome->has_status) {
        format_duration(part, outcome->write_us + outcome->wait_us);
        text_printf(text, " (%s)", part);
    }
    if (outcome_is_converted(outcome)) {
        text_put(text, ", converted to ");
        text_put_visible(text, syntax_name(outcome->sent_syntax));
    }
    if (outcome->state != OUTCOME_STORED) {
        char description[INSTANCE_TEXT_SIZE] = "";
        instance_describe(instance, description, sizeof description);
        text_put(text, *description != '\0' ? ": " : "");
        text_put_visible(text, description);
    }
    if (instance->file.instance_uid != NULL && instance->file.instance_uid[0] != '\0') {
        text_put(text, "  ");
        text_put_visible(text, instance->file.instance_uid);
    }
    text_put(text, "\n");
    progress_put_lines(progress);
}

void progress_instance_ended(struct progress *progress, const struct instance *instance,
                             const struct session_progress *now)
{
    enum outcome_state state = instance->outcome.state;
    if (state == OUTCOME_FAILED || state == OUTCOME_IN_DOUBT)
        progress_keep_failure(progress, instance);
    else if (state == OUTCOME_SKIPPED)
        progress_keep_skipped(progress, instance);
    else if (state == OUTCOME_STORED || state == OUTCOME_WARNED)
        progress->flaw_count += outcome_has_flaws(&instance->outcome);
    (void)conversions_add(&progress->conversions, instance); /* without memory the summary says that it is not whole */
    if (state != OUTCOME_SKIPPED && state != OUTCOME_PENDING && !instance->outcome.earlier)
        progress->bytes_ended += instance_wire_len(instance);
    /* What is still pending when a session was stopped is one number at the end, not a line each. */
    if (progress->detail >= PROGRESS_VERBOSE && state != OUTCOME_PENDING)
        put_file_line(progress, instance, now);
}
