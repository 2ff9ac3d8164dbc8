/* dry_run - see dry_run.h. */
#include "programs/dry_run.h"

#include <stdio.h>

#include "base/text.h"
#include "engine/outline.h"
#include "engine/probe.h"
#include "engine/session.h"
#include "instance/event.h"
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
    forecast_put_fate(&text, &dry_run->forecast, instance->file.class_uid, instance->file.syntax_uid);
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

int dry_run_add_answer(struct dry_run *dry_run, const struct dicomnet_logger *logger, const struct probed_pair *pair)
{
    const struct dicomnet_log_field how =
        pair->sent_syntax_uid != NULL ? LOG_TEXT("sent_syntax", pair->sent_syntax_uid) : LOG_TEXT("text", pair->text);
    LOG(logger, DICOMNET_LOG_INFO, EVENT_PROBE_ANSWERED, LOG_TEXT("class", pair->class_uid),
        LOG_TEXT("class_name", dicomnet_uid_keyword(pair->class_uid)), LOG_TEXT("syntax", pair->syntax_uid), how,
        LOG_NUMBER("instances", pair->instance_count), LOG_NUMBER("bytes", pair->bytes));
    return forecast_add_answer(&dry_run->forecast, pair->class_uid, pair->syntax_uid, pair->sent_syntax_uid,
                               pair->text);
}

int dry_run_exit_code(const struct dry_run *dry_run, const struct session_result *result)
{
    uint64_t pending = result->totals.by_state[OUTCOME_PENDING], refused = forecast_refused(&dry_run->forecast);
    uint64_t wrong = result->totals.by_state[OUTCOME_FAILED] + refused;
    if (result->verdict != SESSION_COMPLETE || pending == 0)
        return session_exit_code(result);
    if (pending == refused)
        return 1;
    if (result->strict)
        wrong += result->totals.by_state[OUTCOME_SKIPPED];
    return wrong == 0 ? 0 : 2;
}

void dry_run_show_forecast(const struct dry_run *dry_run)
{
    struct text text = {0};
    if (dry_run->options->quiet || dry_run->forecast.found.count == 0)
        return;
    if (dry_run->forecast.answer_count == 0) /* below the studies, which a probe does not list */
        text_put(&text, "\n");
    forecast_put_table(&text, &dry_run->forecast);
    if (!text.failed)
        fputs(text.data, list_of(dry_run));
    fflush(list_of(dry_run)); /* the words at the end stand below it, wherever both go */
    text_fini(&text);
}
