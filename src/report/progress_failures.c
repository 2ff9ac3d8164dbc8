/*
 * progress_failures - which files failed and why, in the words at the end: grouped by what happened, each group with
 * its number and some examples. See progress.h.
 *
 *     failed
 *       98 files: the peer does not take its class in its transfer syntax: ...
 *           a/1.dcm
 *           a/2.dcm
 *           a/3.dcm
 *           ... and 95 more
 *       1 file: the file ends inside an element
 *           a/99.dcm  at byte 1410
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/instance.h"
#include "report/console_line.h"
#include "report/progress_data.h"

/* The group of this reason, new if need be. NULL if there are too many, or no memory. */
static struct progress_group *find_group(struct progress_groups *groups, const char *reason)
{
    for (size_t i = 0; i < groups->count; i++)
        if (strcmp(groups->groups[i].reason, reason) == 0)
            return &groups->groups[i];
    char *copy = groups->count < PROGRESS_GROUPS_MAX ? strdup(reason) : NULL;
    if (copy == NULL)
        return NULL;
    struct progress_group *group = &groups->groups[groups->count++];
    *group = (struct progress_group){.reason = copy};
    return group;
}

void progress_add_to_group(struct progress_groups *groups, const char *path, const char *reason, const char *own)
{
    groups->total++;
    struct progress_group *group = find_group(groups, reason);
    if (group == NULL) {
        groups->elsewhere++;
        return;
    }
    if (group->count++ >= PROGRESS_EXAMPLES_MAX)
        return;
    struct text example = {0};
    text_put_visible(&example, path);
    if (*own != '\0') {
        text_put(&example, "  ");
        text_put_visible(&example, own);
    }
    if (!example.failed)
        group->examples[group->examples_kept++] = example.data;
    else
        text_fini(&example);
}

/* What it shares with others of its reason goes into `ret_reason`; what is its own, as a place in the file, apart. */
static void split(const struct instance *instance, char ret_reason[INSTANCE_TEXT_SIZE],
                  char ret_own[INSTANCE_TEXT_SIZE])
{
    struct outcome shared = instance->outcome;
    const char *fact = instance->fact != NULL ? instance->fact : "";
    bool fact_is_shared = shared.reason == REASON_UNSUPPORTED;
    shared.offset = 0;
    outcome_describe(&shared, ret_reason, INSTANCE_TEXT_SIZE);
    size_t len = strlen(ret_reason);
    if (fact_is_shared && *fact != '\0')
        snprintf(ret_reason + len, INSTANCE_TEXT_SIZE - len, ": %s", fact);
    len = 0;
    ret_own[0] = '\0';
    if (instance->outcome.offset > 0)
        len = (size_t)snprintf(ret_own, INSTANCE_TEXT_SIZE, "at byte %" PRIu64, instance->outcome.offset);
    if (!fact_is_shared && *fact != '\0')
        snprintf(ret_own + len, INSTANCE_TEXT_SIZE - len, "%s%s", len > 0 ? ", " : "", fact);
}

void progress_keep_failure(struct progress *progress, const struct instance *instance)
{
    char reason[INSTANCE_TEXT_SIZE], own[INSTANCE_TEXT_SIZE];
    split(instance, reason, own);
    progress_add_to_group(&progress->failures, instance->file.path, reason, own);
}

void progress_keep_skipped(struct progress *progress, const struct instance *instance)
{
    char reason[INSTANCE_TEXT_SIZE], own[INSTANCE_TEXT_SIZE];
    enum outcome_reason why = instance->outcome.reason;
    progress->skipped[why]++;
    if (why == REASON_NOT_DICOM || why == REASON_NOT_A_FILE)
        return;
    split(instance, reason, own);
    progress_add_to_group(&progress->skipped_dicom, instance->file.path, reason, own);
}

void progress_put_groups(struct text *text, const struct progress *progress, const struct progress_groups *groups,
                         const struct progress_words *words)
{
    bool examples_only = true;
    if (groups->total == 0)
        return;
    text_printf(text, "\n%s%s%s\n", progress_colour(progress, words->colour), words->heading,
                progress_colour(progress, COLOUR_OFF));
    for (size_t i = 0; i < groups->count; i++) {
        const struct progress_group *group = &groups->groups[i];
        text_put(text, "  ");
        console_line_put_count(text, group->count, words->noun);
        text_put(text, ": ");
        text_put_visible(text, group->reason);
        text_put(text, "\n");
        for (size_t k = 0; k < group->examples_kept; k++)
            text_printf(text, "      %s\n", group->examples[k]);
        if (group->count > group->examples_kept)
            text_printf(text, "      ... and %" PRIu64 " more\n", group->count - group->examples_kept);
        examples_only = examples_only && group->count == group->examples_kept;
    }
    if (groups->elsewhere > 0)
        text_printf(text, "  ... and %" PRIu64 " for other reasons\n", groups->elsewhere);
    if ((!examples_only || groups->elsewhere > 0) && words->summary_path != NULL) {
        text_put(text, "  all are in ");
        text_put_visible(text, words->summary_path);
        text_put(text, "\n");
    }
}

void progress_forget_groups(struct progress_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        for (size_t k = 0; k < groups->groups[i].examples_kept; k++)
            free(groups->groups[i].examples[k]);
        free(groups->groups[i].reason);
    }
    *groups = (struct progress_groups){0};
}
