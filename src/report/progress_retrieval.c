/*
 * progress_retrieval - see progress_retrieval.h.
 *
 *     listed        200   in 4 series
 *     stored        200   104.9 MB
 *     missing         0
 */
#include "report/progress_retrieval.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/session.h"
#include "fetch/retrieval.h"
#include "report/format.h"
#include "report/progress_data.h"

/* To the line it is a session: what is listed are its files. */
void progress_update_retrieval(struct progress *progress, const struct retrieval_progress *now)
{
    const struct retrieval_counts *counts = &now->counts;
    uint64_t sent = (uint64_t)now->request.completed + now->request.warning;
    uint64_t failed = now->request.failed < counts->missing ? now->request.failed : counts->missing;
    /* Of what comes here each instance is counted when it is kept; of what goes elsewhere only the peer knows. */
    uint64_t more = counts->bytes > 0 ? 0 : sent < counts->missing - failed ? sent : counts->missing - failed;
    struct session_progress session = {
        .scan_ended = now->phase != RETRIEVAL_LISTING, .elapsed_us = now->elapsed_us, .transfer_us = now->asking_us};
    session.totals.files = counts->listed;
    session.totals.bytes_stored = counts->bytes;
    session.totals.by_state[OUTCOME_STORED] = counts->stored + more;
    session.totals.by_state[OUTCOME_SKIPPED] = counts->present;
    session.totals.by_state[OUTCOME_FAILED] = failed;
    session.totals.by_state[OUTCOME_PENDING] = counts->missing - failed - more;
    progress_update(progress, &session);
}

/* "3 instances of series 1.2.3" */
static void name_without_instance(const struct retrieval_missing *missing, char *ret_text, size_t size)
{
    const char *uid = missing->series_uid[0] != '\0' ? missing->series_uid : missing->study_uid;
    snprintf(ret_text, size, "%" PRIu64 " instance%s%s%s", missing->count, missing->count == 1 ? "" : "s",
             missing->series_uid[0] != '\0'  ? " of series "
             : missing->study_uid[0] != '\0' ? " of study "
                                             : "",
             uid);
}

void progress_missing(struct progress *progress, const struct retrieval_missing *missing)
{
    char why[480], what[160];
    if (missing->status != 0)
        snprintf(why, sizeof why, "it came, and was refused with status %04X: %s", missing->status, missing->comment);
    else
        snprintf(why, sizeof why, "%s", missing->comment[0] != '\0' ? missing->comment : "it did not come");
    if (missing->instance_uid[0] != '\0')
        snprintf(what, sizeof what, "%s", missing->instance_uid);
    else
        name_without_instance(missing, what, sizeof what);
    progress_add_to_group(&progress->failures, what, why, "");
}

/* ---- the words at the end ---- */

static void put_headline(struct text *text, const struct progress *progress, const struct retrieval_result *result)
{
    static const char *const words[] = {
        [RETRIEVAL_COMPLETE] = "complete", [RETRIEVAL_INTERRUPTED] = "interrupted", [RETRIEVAL_STOPPED] = "stopped"};
    char duration[FORMAT_SIZE];
    format_duration(duration, result->duration_us);
    text_printf(text, "%sretrieval %s%s after %s", progress_colour(progress, COLOUR_BOLD), words[result->verdict],
                progress_colour(progress, COLOUR_OFF), duration);
    if (result->verdict == RETRIEVAL_STOPPED) {
        text_put(text, ": ");
        text_put_visible(text, result->stop_text);
    }
    text_put(text, "\n");
    if (result->counts.listed == 0 && result->verdict == RETRIEVAL_COMPLETE)
        text_put(text, "  nothing matches these keys\n");
}

static void put_counts(struct text *text, const struct progress *progress, const struct retrieval_result *result)
{
    const struct retrieval_counts *counts = &result->counts;
    char bytes[FORMAT_SIZE];
    format_bytes(bytes, (double)counts->bytes);
    progress_put_count(text, progress, "listed", counts->listed, NULL);
    text_printf(text, "   in %" PRIu64 " series, of %" PRIu64 " match%s\n", counts->series, counts->matches,
                counts->matches == 1 ? "" : "es");
    if (counts->present > 0) {
        progress_put_count(text, progress, "present", counts->present, NULL);
        text_put(text, "   were there already\n");
    }
    progress_put_count(text, progress, "stored", counts->stored, NULL);
    if (counts->bytes > 0)
        text_printf(text, "   %s", bytes);
    text_put(text, "\n");
    progress_put_count(text, progress, "missing", counts->missing, COLOUR_RED);
    if (counts->missing > 0)
        text_printf(text, "   after asking %u time%s", result->rounds, result->rounds == 1 ? "" : "s");
    if (counts->unnamed > 0)
        text_printf(text, ", %" PRIu64 " of them counted by the peer and not named", counts->unnamed);
    text_put(text, "\n");
    if (counts->replaced > 0) {
        progress_put_count(text, progress, "replaced", counts->replaced, NULL);
        text_put(text, "   under their name was a cut file, or another instance\n");
    }
    if (counts->unlisted > 0) {
        progress_put_count(text, progress, "unlisted", counts->unlisted, NULL);
        text_put(text, "   came though nobody asked for them, and were refused\n");
    }
}

static void put_times(struct text *text, const struct retrieval_result *result)
{
    char whole[FORMAT_SIZE], list[FORMAT_SIZE], asking[FORMAT_SIZE];
    format_duration(whole, result->duration_us);
    format_duration(list, result->list_us);
    format_duration(asking, result->asking_us);
    text_printf(text, "  %-10s  %10s   listing %s, transfer %s\n", "duration", whole, list, asking);
    if (result->asking_us == 0 || result->counts.stored == 0)
        return;
    progress_put_throughput(text, result->counts.bytes > 0 ? &result->counts.bytes : NULL, result->counts.stored,
                            result->asking_us);
}

void progress_finish_retrieval(struct progress *progress, const struct retrieval_result *result,
                               const char *summary_path, const char *log_path)
{
    struct text *text = progress_begin_lines(progress);
    progress->line_shown = false;
    bool quiet = progress->detail == PROGRESS_QUIET;
    bool troubled = result->counts.missing > 0 || result->counts.listed == 0 || result->verdict != RETRIEVAL_COMPLETE;
    if (!quiet || troubled) {
        put_headline(text, progress, result);
        put_counts(text, progress, result);
        put_times(text, result);
        if (result->verdict != RETRIEVAL_INTERRUPTED) /* then it is plain why it is not there */
            progress_put_groups(text, progress, &progress->failures,
                                &(struct progress_words){"missing", COLOUR_RED, "instance", summary_path});
        progress_put_causes(text, progress);
    }
    if (!quiet && (summary_path != NULL || log_path != NULL))
        progress_put_paths(text, summary_path, log_path, NULL);
    progress_put_lines(progress);
}
