/*
 * progress_finish - the words at the end of a session. See progress.h.
 *
 *     stored       1234   652.3 MB in 4 studies
 *     failed         12
 *     duration   12.3 s   scan 0.2 s, transfer 12.1 s
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/scan_width.h"
#include "engine/session.h"
#include "instance/outcome.h"
#include "report/format.h"
#include "report/progress_data.h"

const char *progress_colour(const struct progress *progress, const char *code)
{
    return progress->colour ? code : "";
}

void progress_put_count(struct text *text, const struct progress *progress, const char *label, uint64_t count,
                        const char *code)
{
    bool coloured = code != NULL && count > 0;
    text_printf(text, "  %-10s  %s%10" PRIu64 "%s", label, coloured ? progress_colour(progress, code) : "", count,
                coloured ? progress_colour(progress, COLOUR_OFF) : "");
}

/* " 98 stored, 2 failed": what became of the files, where it is not all of them stored. */
static void put_balance(struct text *text, const struct session_result *result, enum progress_kind kind)
{
    const struct session_totals *totals = &result->totals;
    const uint64_t *by_state = totals->by_state;
    const struct {
        uint64_t count;
        const char *what;
    } parts[] = {{by_state[OUTCOME_STORED] + by_state[OUTCOME_WARNED], "stored"},
                 {by_state[OUTCOME_FAILED], "failed"},
                 {by_state[OUTCOME_IN_DOUBT], "in doubt"},
                 {by_state[OUTCOME_PENDING], kind == PROGRESS_DRY_RUN ? "would be sent" : "not sent"},
                 {result->strict ? by_state[OUTCOME_SKIPPED] : 0, "skipped"}};
    const char *before = ": ";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count == 0 && (i > 0 || kind != PROGRESS_SESSION))
            continue;
        text_printf(text, "%s%" PRIu64 " %s", before, parts[i].count, parts[i].what);
        if (i == 0 && result->strict && by_state[OUTCOME_WARNED] > 0)
            text_printf(text, ", %" PRIu64 " of them with a warning", by_state[OUTCOME_WARNED]);
        before = ", ";
    }
}

static void put_headline(struct text *text, const struct progress *progress, const struct session_result *result,
                         int exit_code)
{
    static const char *const kinds[] = {
        [PROGRESS_SESSION] = "session", [PROGRESS_DRY_RUN] = "dry run", [PROGRESS_PROBE] = "probe"};
    const struct session_totals *totals = &result->totals;
    char duration[FORMAT_SIZE];
    format_duration(duration, result->duration_us);
    bool stopped = result->verdict == SESSION_STOPPED;
    const char *word = stopped                                  ? "stopped"
                       : result->verdict == SESSION_INTERRUPTED ? "interrupted"
                       : exit_code != 0                         ? "ended"
                                                                : "complete";
    text_printf(text, "%s%s %s%s", progress_colour(progress, COLOUR_BOLD), kinds[progress->kind], word,
                progress_colour(progress, COLOUR_OFF));
    text_printf(text, " after %s", duration);
    /* The words of an interruption tell what a second signal would do: they were said when it came. */
    if (stopped && result->stop_text[0] != '\0') {
        text_put(text, ": ");
        text_put_visible(text, result->stop_text);
    } else if (totals->files > 0 && exit_code != 0) {
        put_balance(text, result, progress->kind);
    }
    text_put(text, "\n");
    if (totals->files == 0 && result->verdict == SESSION_COMPLETE)
        text_put(text, "  no files were found (folders below the given ones need --recursive)\n");
}

/* "   2 of them by earlier sessions" behind a count, and the end of the line. */
static void put_earlier(struct text *text, uint64_t count, uint64_t earlier)
{
    if (earlier == count && earlier > 0)
        text_put(text, "   all by earlier sessions");
    else if (earlier > 0)
        text_printf(text, "   %" PRIu64 " of them by earlier sessions", earlier);
    text_put(text, "\n");
}

/* What is known from earlier sessions is in no study of this one. */
static void put_studies(struct text *text, const struct session_totals *totals)
{
    bool resumed = false;
    for (int i = 0; i < OUTCOME_STATE_COUNT; i++)
        resumed = resumed || totals->earlier[i] > 0;
    if (totals->studies > 0)
        text_printf(text, "   %s %" PRIu64 " stud%s", resumed ? "with something left in" : "in", totals->studies,
                    totals->studies == 1 ? "y" : "ies");
    text_put(text, "\n");
}

/* "   3 not-dicom, 1 duplicate" */
static void put_why_skipped(struct text *text, const struct progress *progress)
{
    const char *before = "   ";
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        if (progress->skipped[reason] == 0)
            continue;
        text_printf(text, "%s%" PRIu64 " %s", before, progress->skipped[reason],
                    outcome_reason_name((enum outcome_reason)reason));
        before = ", ";
    }
}

static void put_counts(struct text *text, const struct progress *progress, const struct session_totals *totals)
{
    char bytes[FORMAT_SIZE];
    format_bytes(bytes, (double)totals->bytes_stored);
    progress_put_count(text, progress, "files", totals->files, "");
    put_studies(text, totals);
    /* A warning is a success: what was warned is stored. */
    uint64_t warned = totals->by_state[OUTCOME_WARNED], stored = totals->by_state[OUTCOME_STORED] + warned;
    progress_put_count(text, progress, "stored", stored, "");
    if (totals->bytes_stored > 0)
        text_printf(text, "   %s", bytes);
    put_earlier(text, stored, totals->earlier[OUTCOME_STORED] + totals->earlier[OUTCOME_WARNED]);
    progress_put_count(text, progress, "warned", warned, COLOUR_YELLOW);
    text_put(text, warned > 0 ? "   of those stored, with a warning from the peer" : "");
    put_earlier(text, totals->by_state[OUTCOME_WARNED], totals->earlier[OUTCOME_WARNED]);
    if (progress->conversions.files > 0) {
        progress_put_count(text, progress, "converted", progress->conversions.files, NULL);
        text_put(text, "   ");
        conversions_put(text, &progress->conversions);
        text_put(text, "\n");
    }
    progress_put_count(text, progress, "failed", totals->by_state[OUTCOME_FAILED], COLOUR_RED);
    put_earlier(text, totals->by_state[OUTCOME_FAILED], totals->earlier[OUTCOME_FAILED]);
    progress_put_count(text, progress, "skipped", totals->by_state[OUTCOME_SKIPPED], "");
    put_why_skipped(text, progress);
    put_earlier(text, totals->by_state[OUTCOME_SKIPPED], totals->earlier[OUTCOME_SKIPPED]);
    if (totals->by_state[OUTCOME_IN_DOUBT] > 0) {
        progress_put_count(text, progress, "in doubt", totals->by_state[OUTCOME_IN_DOUBT], COLOUR_RED);
        text_put(text, "   sent, but never answered\n");
    }
    if (totals->by_state[OUTCOME_PENDING] > 0) {
        progress_put_count(text, progress, "pending", totals->by_state[OUTCOME_PENDING], COLOUR_YELLOW);
        text_put(text, progress->kind == PROGRESS_DRY_RUN ? "   would be sent\n" : "   not sent\n");
    }
    if (progress->flaw_count > 0) {
        progress_put_count(text, progress, "flaws", progress->flaw_count, COLOUR_YELLOW);
        text_put(text, "   sent as they are; the log has a warning for each\n");
    }
}

static double percentile_ms(const struct histogram *histogram, double share)
{
    return (double)histogram_percentile(histogram, share) / 1e3;
}

/* How long the peer took to answer. */
static void put_response(struct text *text, const struct histogram *response)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    enum { SHARES = sizeof shares / sizeof shares[0] };
    char ms[SHARES][FORMAT_SIZE], max[FORMAT_SIZE];
    for (size_t i = 0; i < SHARES; i++)
        format_ms(ms[i], (double)histogram_percentile(response, shares[i]));
    format_ms(max, (double)response->max_us);
    text_printf(text, "  %-10s  %7s ms   median; p90 %s, p99 %s, p99.9 %s, max %s ms\n", "response", ms[0], ms[1],
                ms[2], ms[3], max);
}

static void put_times(struct text *text, const struct progress *progress, const struct session_result *result)
{
    const struct session_totals *totals = &result->totals;
    char whole[FORMAT_SIZE], scan[FORMAT_SIZE], transfer[FORMAT_SIZE];
    format_duration(whole, result->duration_us);
    format_duration(scan, result->scan_us);
    format_duration(transfer, result->transfer_us);
    text_printf(text, "  %-10s  %10s   scan %s", "duration", whole, scan);
    if (result->scan.scanners > SCAN_WIDTH_LEAST)
        text_printf(text, " with %u scanners", result->scan.scanners);
    if (progress->kind == PROGRESS_SESSION) /* else it transfers nothing */
        text_printf(text, ", transfer %s", transfer);
    text_put(text, "\n");
    uint64_t acknowledged = session_acknowledged(totals);
    if (result->transfer_us == 0 || acknowledged == 0)
        return;
    progress_put_throughput(text, &totals->bytes_stored, acknowledged, result->transfer_us);
    put_response(text, &result->response);
    text_printf(text, "  %-10s  %10s   connect %.2f, negotiate %.2f, read %.2f, write %.2f, wait %.2f ms\n", "phases",
                "medians", percentile_ms(&result->connect, 0.5), percentile_ms(&result->negotiate, 0.5),
                percentile_ms(&result->read, 0.5), percentile_ms(&result->write, 0.5),
                percentile_ms(&result->wait, 0.5));
}

/* Time with a store under way, of the time it was there; in percent. */
static double busy_percent(const struct worker_figures *worker)
{
    double share = worker->there_us > 0 ? (double)worker->store_us / (double)worker->there_us : 0;
    return 100 * (share < 1 ? share : 1);
}

static void put_workers(struct text *text, const struct progress *progress, const struct session_result *result)
{
    double least = 100, most = 0;
    for (unsigned i = 0; i < result->worker_count; i++) {
        double busy = busy_percent(&result->workers[i]);
        least = busy < least ? busy : least;
        most = busy > most ? busy : most;
    }
    if (result->worker_count == 0)
        return;
    unsigned count = result->threads_chosen > 0 ? result->threads_chosen : result->worker_count;
    text_printf(text, "  %-10s  %10u   ", "workers", count);
    if (result->threads_chosen > 0)
        text_printf(text, "chosen by --threads auto%s; ",
                    result->threads_settled ? "" : ", which had too little time or too few studies to try more");
    char range[FORMAT_SIZE], highest[FORMAT_SIZE];
    snprintf(range, sizeof range, "%.0f", least);
    snprintf(highest, sizeof highest, "%.0f", most);
    bool one = strcmp(range, highest) == 0;
    text_printf(text, "busy %s%s%s %%\n", range, one ? "" : " to ", one ? "" : highest);
    for (unsigned i = 0; i < result->worker_count && progress->detail >= PROGRESS_VERBOSE; i++) {
        const struct worker_figures *worker = &result->workers[i];
        char bytes[FORMAT_SIZE], there[FORMAT_SIZE];
        format_bytes(bytes, (double)worker->bytes);
        format_duration(there, worker->there_us);
        text_printf(text, "    %8u  %10" PRIu64 "   stored, %s over %" PRIu64 " association%s; busy %.0f %% of %s\n",
                    i + 1, worker->stored, bytes, worker->associations, worker->associations == 1 ? "" : "s",
                    busy_percent(worker), there);
    }
}

static const char *const limits[TIME_KINDS] = {[TIME_SCANNING] = "the scan: it had found nothing to send yet",
                                               [TIME_STORAGE] = "the storage: instances are opened and read",
                                               [TIME_CONVERTING] = "the conversion of instances to what the peer takes",
                                               [TIME_CONNECTING] = "connecting to the peer",
                                               [TIME_NEGOTIATING] = "the peer's answers to requests for an association",
                                               [TIME_WRITING] = "the network, or the peer's reading",
                                               [TIME_WAITING] = "the peer's answers",
                                               [TIME_PAUSED] = "pauses and back-off: the peer was not to be had",
                                               [TIME_IDLE] = "too little to do: workers were idle"};

/* The kinds that took a hundredth of the time or more, but for those that are `named` already (bits). */
static void put_other_kinds(struct text *text, const struct session_result *result, unsigned named)
{
    const char *before = "; ";
    for (int kind = 0; kind < TIME_KINDS; kind++) {
        double percent = 100 * (double)result->time_us[kind] / (double)result->worker_us;
        if ((named & 1u << kind) != 0 || percent < 0.5)
            continue;
        text_printf(text, "%s%s %.0f %%", before, time_kind_name((enum time_kind)kind), percent);
        before = ", ";
    }
    text_put(text, "\n");
}

/* Files are slow to be opened: what the scan takes longer, and the workers, is one cause. */
static void put_slow_storage(struct text *text, const struct session_result *result)
{
    char open[FORMAT_SIZE];
    double whole = (double)result->worker_us / 100;
    double scanning = (double)result->time_us[TIME_SCANNING] / whole;
    double storage = (double)result->time_us[TIME_STORAGE] / whole;
    format_ms(open, (double)result->slow_open_us);
    text_printf(text, "  %-10s  %8.0f %%   the storage: %s ms to open a file (scanning %.0f %%, storage %.0f %%)",
                "limit", scanning + storage, open, scanning, storage);
    put_other_kinds(text, result, 1u << TIME_SCANNING | 1u << TIME_STORAGE);
}

/*
 * What the workers' time went into most: more speed would have to come from there. All that took a hundredth of it or
 * more follows.
 */
static void put_limit(struct text *text, const struct session_result *result)
{
    const uint64_t *time_us = result->time_us;
    int most = 0;
    for (int kind = 0; kind < TIME_KINDS; kind++)
        most = time_us[kind] > time_us[most] ? kind : most;
    if (result->worker_us == 0)
        return;
    uint64_t storage_us = time_us[TIME_SCANNING] + time_us[TIME_STORAGE];
    if (result->slow_open_us > 0 && (most == TIME_SCANNING || storage_us > time_us[most])) {
        put_slow_storage(text, result);
        return;
    }
    text_printf(text, "  %-10s  %8.0f %%   %s", "limit", 100 * (double)time_us[most] / (double)result->worker_us,
                limits[most]);
    put_other_kinds(text, result, 1u << most);
}

void progress_put_throughput(struct text *text, const uint64_t *bytes, uint64_t instances, uint64_t us)
{
    char byte_rate[FORMAT_SIZE] = "", rate[FORMAT_SIZE];
    double seconds = (double)us / 1e6;
    if (bytes != NULL)
        format_byte_rate(byte_rate, (double)*bytes / seconds);
    format_count_rate(rate, (double)instances / seconds);
    rate[strcspn(rate, "/")] = '\0';
    text_printf(text, "  %-10s  %10s   %s instances/s\n", "throughput", byte_rate, rate);
}

/* "  summary     logs/...", or nothing for NULL. */
static void put_path(struct text *text, const char *label, const char *path)
{
    if (path == NULL)
        return;
    text_printf(text, "  %-10s  ", label);
    text_put_visible(text, path);
    text_put(text, "\n");
}

void progress_put_paths(struct text *text, const char *summary_path, const char *log_path, const char *ledger_path)
{
    text_put(text, "\n");
    put_path(text, "summary", summary_path);
    put_path(text, "log", log_path);
    put_path(text, "ledger", ledger_path);
}

/* Whoever has stopped a run wants to know whether it can go on. */
static void put_what_is_next(struct text *text, const struct session_totals *totals)
{
    if (totals->by_state[OUTCOME_PENDING] + totals->by_state[OUTCOME_IN_DOUBT] > 0)
        text_printf(text, "  %-10s  the same command again goes on from here: what is stored is not sent again\n",
                    "next");
    else if (totals->by_state[OUTCOME_FAILED] > 0)
        text_printf(text,
                    "  %-10s  the same command again tries what may succeed by now; --retry-failed all that failed\n",
                    "next");
}

static const char *failures_heading(const struct session_totals *totals)
{
    return totals->by_state[OUTCOME_IN_DOUBT] == 0 ? "failed"
           : totals->by_state[OUTCOME_FAILED] == 0 ? "in doubt"
                                                   : "failed or in doubt";
}

void progress_finish(struct progress *progress, const struct session_result *result, int exit_code,
                     const char *summary_path, const char *log_path, const char *ledger_path)
{
    struct text *text = progress_begin_lines(progress);
    progress->line_shown = false;
    bool quiet = progress->detail == PROGRESS_QUIET;
    if (!quiet || exit_code != 0) {
        put_headline(text, progress, result, exit_code);
        put_counts(text, progress, &result->totals);
        put_times(text, progress, result);
        put_workers(text, progress, result);
        put_limit(text, result);
        progress_put_groups(
            text, progress, &progress->failures,
            &(struct progress_words){failures_heading(&result->totals), COLOUR_RED, "file", summary_path});
        progress_put_groups(
            text, progress, &progress->skipped_dicom,
            &(struct progress_words){"skipped, though they are DICOM", COLOUR_YELLOW, "file", summary_path});
        progress_put_causes(text, progress);
    }
    if (!quiet && (summary_path != NULL || log_path != NULL)) {
        progress_put_paths(text, summary_path, log_path, ledger_path);
        if (ledger_path != NULL)
            put_what_is_next(text, &result->totals);
    }
    progress_put_lines(progress);
}
