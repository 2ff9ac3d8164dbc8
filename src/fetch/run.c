/* run - see run.h. */
#include "fetch/run.h"

#include <stdio.h>

#include "base/clock.h"

static void pass_on_record(void *user, const struct dicomnet_log_record *record)
{
    const struct run *run = user;
    const struct event_record about = {.log = *record, .study = run->study_uid[0] != '\0' ? run->study_uid : NULL};
    if (run->observer->log != NULL)
        run->observer->log(run->observer->user, &about);
}

void run_init(struct run *run, const struct retrieval_options *options, const struct retrieval_observer *observer)
{
    *run = (struct run){.options = options, .observer = observer};
    run->logger = (struct dicomnet_logger){.write = pass_on_record, .user = run, .level = options->log_level};
}

bool run_comes_here(const struct run *run)
{
    return run->options->output_dir != NULL;
}

void run_set_study(struct run *run, const char *study_uid)
{
    snprintf(run->study_uid, sizeof run->study_uid, "%s", study_uid);
}

void run_heard(struct run *run)
{
    run->heard_us = clock_monotonic_us();
}

void run_moved(struct run *run)
{
    run->moved_us = clock_monotonic_us();
}

bool run_is_over(const struct run *run)
{
    return run->verdict != RETRIEVAL_COMPLETE;
}

void run_give_up(struct run *run, const char *text)
{
    if (run_is_over(run))
        return;
    run->verdict = RETRIEVAL_STOPPED;
    snprintf(run->stop_text, sizeof run->stop_text, "%s", text);
    LOG(&run->logger, DICOMNET_LOG_ERROR, EVENT_SESSION_INTERRUPTED, LOG_TEXT("text", text));
}
