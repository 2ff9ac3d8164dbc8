/* dry_run - see dry_run.h. */
#include "programs/dry_run.h"

#include <stdio.h>

#include "base/text.h"
#include "engine/outline.h"
#include "instance/instance.h"
#include "programs/options.h"
#include "report/format.h"

static FILE *list_of(const struct dry_run *dry_run)
{
    return dry_run->options->json ? stderr : stdout;
}

void dry_run_init(struct dry_run *dry_run, const struct options *options, const struct fallback_policy *policy)
{
    *dry_run = (struct dry_run){.options = options, .forecast = {.policy = policy}};
}

void dry_run_fini(struct dry_run *dry_run)
{
    forecast_fini(&dry_run->forecast);
}

void dry_run_show_study(const struct dry_run *dry_run, const struct planned_study *study)
{
    FILE *out = list_of(dry_run);
    char size[FORMAT_SIZE];
    if (dry_run->options->quiet)
        return;
    format_bytes(size, (double)study->bytes);
    fprintf(out, "%s%s: %llu instance%s, %s\n", study->study_uid[0] != '\0' ? "study " : "no study", study->study_uid,
            (unsigned long long)study->instances, study->instances == 1 ? "" : "s", size);
    for (size_t i = 0; i < study->context_count; i++)
        fprintf(out, "  %s as %s\n", dicomnet_uid_keyword(study->contexts[i].class_uid),
                dicomnet_uid_keyword(study->contexts[i].syntax_uid));
}

/* One file, indented: the line of its study was printed just before. */
static void show_file(const struct dry_run *dry_run, const struct instance *instance)
{
    struct text text = {0};
    text_put(&text, "    ");
    text_put_visible(&text, instance->file.path);
    text_put(&text, "  ");
    forecast_put_ways(&text, dry_run->forecast.policy, instance->file.syntax_uid);
    if (!text.failed)
        fprintf(list_of(dry_run), "%s\n", text.data);
    text_fini(&text);
}

int dry_run_add_instance(struct dry_run *dry_run, const struct instance *instance)
{
    if (instance->outcome.state == OUTCOME_PENDING && dry_run->options->verbose)
        show_file(dry_run, instance);
    return forecast_add_instance(&dry_run->forecast, instance);
}

void dry_run_show_forecast(const struct dry_run *dry_run)
{
    struct text text = {0};
    if (dry_run->options->quiet || dry_run->forecast.found.count == 0)
        return;
    text_put(&text, "\n");
    forecast_put_table(&text, &dry_run->forecast);
    if (!text.failed)
        fputs(text.data, list_of(dry_run));
    text_fini(&text);
}
