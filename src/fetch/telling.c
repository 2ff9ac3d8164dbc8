/* telling - see telling.h. */
#include "fetch/telling.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void telling_init(struct telling *telling, struct run *run, const struct inventory *inventory,
                  const struct asking *asking)
{
    *telling = (struct telling){.run = run,
                                .inventory = inventory,
                                .asking = asking,
                                .begun_us = clock_monotonic_us(),
                                .begun_wall_us = clock_wall_us()};
}

void telling_progress(const struct telling *telling, enum retrieval_phase phase, bool has_request)
{
    const struct retrieval_observer *observer = telling->run->observer;
    uint64_t now_us = clock_monotonic_us();
    const struct retrieval_progress now = {
        .phase = phase,
        .counts = telling->inventory->counts,
        .request = has_request ? telling->asking->query.counts : (struct dicomnet_query_counts){0},
        .elapsed_us = now_us - telling->begun_us,
        .asking_us = telling->asking_begun_us > 0 ? now_us - telling->asking_begun_us : 0};
    if (observer->progress != NULL)
        observer->progress(observer->user, &now);
}

void telling_listed(struct telling *telling)
{
    const struct retrieval_counts *counts = &telling->inventory->counts;
    telling->list_us = clock_monotonic_us() - telling->begun_us;
    LOG(&telling->run->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_LISTED, LOG_NUMBER("matches", counts->matches),
        LOG_NUMBER("series", counts->series), LOG_NUMBER("instances", counts->listed),
        LOG_NUMBER("present", counts->present));
}

void telling_asking_begins(struct telling *telling)
{
    if (telling->asking_begun_us == 0)
        telling->asking_begun_us = clock_monotonic_us();
}

/* ---- what is missing ---- */

static void tell_one(struct run *run, const struct retrieval_missing *missing)
{
    run_set_study(run, missing->study_uid);
    LOG(&run->logger, DICOMNET_LOG_INFO, EVENT_RETRIEVAL_MISSING, LOG_TEXT("series", missing->series_uid),
        LOG_TEXT("instance", missing->instance_uid), LOG_NUMBER("count", missing->count),
        LOG_TEXT("text", missing->comment));
    if (run->observer->missing != NULL)
        run->observer->missing(run->observer->user, missing);
    run_set_study(run, "");
}

static void tell_instance(const struct telling *telling, const struct inventory_part *part,
                          const struct inventory_instance *instance)
{
    const struct retrieval_missing missing = {
        .study_uid = part->place.study_uid,
        .series_uid = part->place.series_uid,
        .instance_uid = instance->uid,
        .count = 1,
        .class_uid = instance->class != NULL ? instance->class->uid : "",
        .status = instance->refused_status,
        .comment = instance->refused_comment != NULL ? instance->refused_comment : telling->asking->failure_text};
    tell_one(telling->run, &missing);
}

/* Instances of it that have no name. */
static void tell_part(const struct telling *telling, const struct inventory_part *part, uint64_t count,
                      const char *comment)
{
    const struct retrieval_missing missing = {.study_uid = part->place.study_uid,
                                              .series_uid = part->place.series_uid,
                                              .instance_uid = "",
                                              .count = count,
                                              .class_uid = "",
                                              .comment = comment};
    tell_one(telling->run, &missing);
}

static void tell_unnamed(const struct telling *telling, const struct inventory_part *part)
{
    uint64_t seen = part->below + part->known + part->sent_unnamed;
    char text[400];
    if (part->out_of_reach)
        snprintf(text, sizeof text, "the peer's answer has no key by which it could be asked for");
    else if (part->unnamed + seen > 1)
        snprintf(text, sizeof text, "of %llu instances that the peer speaks of, %llu are accounted for%s%s",
                 (unsigned long long)(part->unnamed + seen), (unsigned long long)seen,
                 telling->asking->failure_text[0] != '\0' ? "; " : "", telling->asking->failure_text);
    else
        snprintf(text, sizeof text, "the peer does not say what it holds, and nothing came%s%s",
                 telling->asking->failure_text[0] != '\0' ? "; " : "", telling->asking->failure_text);
    tell_part(telling, part, part->unnamed, text);
}

/* A third party has got some of them, and nobody knows which. */
static void tell_credited(const struct telling *telling, const struct inventory_part *part, uint64_t wanted)
{
    char text[400];
    snprintf(text, sizeof text, "of %llu instances the peer has sent %llu, and does not say which%s%s",
             (unsigned long long)wanted, (unsigned long long)part->credited,
             telling->asking->failure_text[0] != '\0' ? "; " : "", telling->asking->failure_text);
    if (wanted > part->credited)
        tell_part(telling, part, wanted - part->credited, text);
}

static void tell_target(const struct telling *telling, const struct inventory_target *target)
{
    uint64_t wanted = 0;
    if (target->first == NULL)
        return; /* there was no memory for what it is */
    for (const struct inventory_part *part = target->first; part != NULL; part = part->next)
        wanted += inventory_count_wanted(part) + part->unnamed;
    if (target->first->level != DICOMNET_QUERY_LEVEL_SERIES && target->first->credited > 0) {
        tell_credited(telling, target->first, wanted);
        return;
    }
    for (const struct inventory_part *part = target->first; part != NULL; part = part->next) {
        if (part->credited > 0) {
            tell_credited(telling, part, inventory_count_wanted(part) + part->unnamed);
            continue;
        }
        for (const struct inventory_instance *instance = part->first; instance != NULL; instance = instance->next)
            if (instance->state == INSTANCE_WANTED)
                tell_instance(telling, part, instance);
        if (part->unnamed > 0)
            tell_unnamed(telling, part);
    }
}

/* ---- the end ---- */

void telling_end(const struct telling *telling, uint16_t receive_port, struct retrieval_result *ret_result)
{
    const struct run *run = telling->run;
    uint64_t now_us = clock_monotonic_us();
    *ret_result = (struct retrieval_result){.verdict = run->verdict,
                                            .counts = telling->inventory->counts,
                                            .begun_us = telling->begun_wall_us,
                                            .ended_us = clock_wall_us(),
                                            .duration_us = now_us - telling->begun_us,
                                            .list_us = telling->list_us,
                                            .rounds = telling->asking->round,
                                            .receive_port = receive_port};
    if (telling->asking_begun_us > 0)
        ret_result->asking_us = now_us - telling->asking_begun_us;
    memcpy(ret_result->stop_text, run->stop_text, sizeof ret_result->stop_text);
    telling_progress(telling, RETRIEVAL_DONE, false);
    for (const struct inventory_target *target = telling->inventory->first; target != NULL; target = target->next)
        tell_target(telling, target);
}

int retrieval_exit_code(const struct retrieval_result *result)
{
    const struct retrieval_counts *counts = &result->counts;
    if (result->verdict == RETRIEVAL_INTERRUPTED)
        return 130;
    if (result->verdict == RETRIEVAL_COMPLETE && counts->listed > 0 && counts->missing == 0)
        return 0;
    return counts->stored + counts->present > 0 ? 2 : 1;
}
