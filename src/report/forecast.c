/* forecast - see forecast.h. */
#include "report/forecast.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "instance/instance.h"
#include "report/document.h"
#include "report/format.h"
#include "wire/syntax.h"

int forecast_add_instance(struct forecast *forecast, const struct instance *instance)
{
    if (instance->outcome.state != OUTCOME_PENDING || instance->outcome.reason != REASON_NONE)
        return 0;
    return pair_counts_add(&forecast->found, instance->file.class_uid, instance->file.syntax_uid,
                           instance_wire_len(instance));
}

int forecast_add_answer(struct forecast *forecast, const char *class_uid, const char *syntax_uid,
                        const char *sent_syntax, const char *text)
{
    if (forecast->answer_count == forecast->answer_room) {
        size_t room = forecast->answer_room > 0 ? forecast->answer_room * 2 : 8;
        struct forecast_answer *more = realloc(forecast->answers, room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        forecast->answers = more;
        forecast->answer_room = room;
    }
    struct forecast_answer *answer = &forecast->answers[forecast->answer_count];
    *answer = (struct forecast_answer){.text = strdup(text)};
    if (answer->text == NULL)
        return -ENOMEM;
    snprintf(answer->class_uid, sizeof answer->class_uid, "%s", class_uid);
    snprintf(answer->syntax_uid, sizeof answer->syntax_uid, "%s", syntax_uid);
    snprintf(answer->sent_syntax, sizeof answer->sent_syntax, "%s", sent_syntax != NULL ? sent_syntax : "");
    forecast->answer_count++;
    return 0;
}

void forecast_fini(struct forecast *forecast)
{
    for (size_t i = 0; i < forecast->answer_count; i++)
        free(forecast->answers[i].text);
    free(forecast->answers);
    pair_counts_fini(&forecast->found);
    *forecast = (struct forecast){.policy = forecast->policy};
}

/* The answer to this pair, or NULL: the peer was not asked. */
static const struct forecast_answer *find_answer(const struct forecast *forecast, const char *class_uid,
                                                 const char *syntax_uid)
{
    for (size_t i = 0; i < forecast->answer_count; i++)
        if (strcmp(forecast->answers[i].class_uid, class_uid) == 0 &&
            strcmp(forecast->answers[i].syntax_uid, syntax_uid) == 0)
            return &forecast->answers[i];
    return NULL;
}

uint64_t forecast_refused(const struct forecast *forecast)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < forecast->found.count; i++) {
        const struct pair_count *pair = &forecast->found.items[i];
        const struct forecast_answer *answer = find_answer(forecast, pair->first, pair->second);
        if (answer != NULL && answer->sent_syntax[0] == '\0')
            refused += pair->files;
    }
    return refused;
}

/* ---- for people ---- */

static void put_syntaxes(struct text *text, const char *const *uids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_put(text, i > 0 ? ", " : "");
        text_put_visible(text, syntax_name(uids[i]));
    }
}

/* "as it lies; if refused: Implicit VR Little Endian" */
static void put_ways(struct text *text, const struct fallback_policy *policy, const char *syntax_uid)
{
    const char *ways[FALLBACK_MAX];
    size_t count = fallback_list(policy, syntax_uid, ways);
    enum transcode needed = fallback_needed(policy, syntax_uid);
    bool as_it_lies = count > 0 && strcmp(ways[0], syntax_uid) == 0;
    if (count == 0)
        text_put(text, "not at all: no syntax that may be proposed is one that it can go out in");
    else if (as_it_lies)
        text_put(text, "as it lies");
    else
        text_printf(text, "converted to %s", syntax_name(ways[0]));
    if (count > 1) {
        text_put(text, "; if refused: ");
        put_syntaxes(text, ways + 1, count - 1);
        return;
    }
    text_put(text, as_it_lies ? " only" : "");
    if (needed != policy->allowed)
        text_printf(text, "; --transcode %s would convert it", transcode_name(needed));
}

static void put_answer(struct text *text, const struct forecast_answer *answer)
{
    if (answer->sent_syntax[0] == '\0') {
        text_put(text, "refused");
        text_put(text, answer->text[0] != '\0' ? ": " : "");
        text_put_visible(text, answer->text);
    } else if (strcmp(answer->sent_syntax, answer->syntax_uid) == 0) {
        text_put(text, "as it lies");
    } else {
        text_put(text, "converted to ");
        text_put_visible(text, syntax_name(answer->sent_syntax));
    }
}

void forecast_put_fate(struct text *text, const struct forecast *forecast, const char *class_uid,
                       const char *syntax_uid)
{
    const struct forecast_answer *answer = find_answer(forecast, class_uid, syntax_uid);
    if (answer != NULL)
        put_answer(text, answer);
    else if (forecast->answer_count > 0)
        text_put(text, "not asked");
    else
        put_ways(text, forecast->policy, syntax_uid);
}

static int width_of(int width, const char *name)
{
    int len = (int)strlen(name);
    return len > width ? len : width;
}

void forecast_put_table(struct text *text, const struct forecast *forecast)
{
    static const char class_heading[] = "class", syntax_heading[] = "lies in";
    const struct pair_counts *found = &forecast->found;
    int class_width = sizeof class_heading - 1, syntax_width = sizeof syntax_heading - 1;
    if (found->count == 0)
        return;
    for (size_t i = 0; i < found->count; i++) {
        class_width = width_of(class_width, dicomnet_uid_keyword(found->items[i].first));
        syntax_width = width_of(syntax_width, syntax_name(found->items[i].second));
    }
    text_printf(text, "%10s  %9s  %-*s  %-*s  %s\n", "files", "size", class_width, class_heading, syntax_width,
                syntax_heading, forecast->answer_count > 0 ? "the peer takes it" : "goes");
    for (size_t i = 0; i < found->count; i++) {
        const struct pair_count *pair = &found->items[i];
        char bytes[FORMAT_SIZE];
        format_bytes(bytes, (double)pair->bytes);
        text_printf(text, "%10" PRIu64 "  %9s  %-*s  %-*s  ", pair->files, bytes, class_width,
                    dicomnet_uid_keyword(pair->first), syntax_width, syntax_name(pair->second));
        forecast_put_fate(text, forecast, pair->first, pair->second);
        text_put(text, "\n");
    }
}

/* ---- JSON ---- */

static json_t *ways_json(const struct fallback_policy *policy, const char *syntax_uid)
{
    const char *ways[FALLBACK_MAX];
    size_t count = fallback_list(policy, syntax_uid, ways);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, document_string(ways[i])) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *answer_json(const struct forecast_answer *answer)
{
    const char *sent_syntax = answer != NULL && answer->sent_syntax[0] != '\0' ? answer->sent_syntax : NULL;
    if (answer == NULL)
        return json_null();
    return json_pack("{s:o, s:o}", "sent_syntax", document_string_or_null(sent_syntax), "text",
                     document_string_or_null(answer->text[0] != '\0' ? answer->text : NULL));
}

json_t *forecast_json(const struct forecast *forecast)
{
    json_t *array = json_array();
    for (size_t i = 0; i < forecast->found.count; i++) {
        const struct pair_count *pair = &forecast->found.items[i];
        json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "class", document_string(pair->first), "syntax",
                                   document_string(pair->second), "files", document_number(pair->files), "bytes",
                                   document_number(pair->bytes), "ways", ways_json(forecast->policy, pair->second),
                                   "answer", answer_json(find_answer(forecast, pair->first, pair->second)));
        if (json_array_append_new(array, object) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
    return array;
}
