/* unsupported - see unsupported.h. */
#include "engine/unsupported.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/association.h"
#include "dicomnet/pdu.h"
#include "dicomnet/uid.h"
#include "engine/study.h"
#include "instance/fallback.h"
#include "services/peer_text.h"

struct line {
    char *text;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line->text + line->len, line->size - line->len, format, arguments);
    va_end(arguments);
    line->len += len > 0 ? (size_t)len : 0;
    if (line->len >= line->size)
        line->len = line->size - 1;
}

/* "CTImageStorage (1.2.840.10008.5.1.4.1.1.2)"; of a UID that is not the standard's, that alone. */
static void put_uid(struct line *line, const char *uid)
{
    const char *keyword = dicomnet_uid_keyword(uid);
    if (strcmp(keyword, uid) == 0)
        put(line, "%s", uid);
    else
        put(line, "%s (%s)", keyword, uid);
}

enum { ACCEPTED_NAMED_MAX = 6 }; /* what stands behind the list is not to be cut off by it */

static void put_accepted(struct line *line, const struct dicomnet_association *association, const char *class_uid)
{
    unsigned proposed = 0, accepted = 0;
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        if (strcmp(context->abstract_syntax, class_uid) != 0)
            continue;
        proposed++;
        if (context->result != DICOMNET_CONTEXT_ACCEPTED)
            continue;
        if (accepted++ >= ACCEPTED_NAMED_MAX)
            continue;
        put(line, accepted == 1 ? "; of this class the peer takes " : ", ");
        put_uid(line, context->transfer_syntax);
    }
    if (accepted > ACCEPTED_NAMED_MAX)
        put(line, " and %u more", accepted - ACCEPTED_NAMED_MAX);
    if (accepted == 0)
        put(line,
            proposed > 1 ? "; it takes this class in none of the %u syntaxes that were proposed"
                         : "; no other syntax was proposed for this class",
            proposed);
}

enum { NOT_THERE = -1 };

/* The peer's result for this pair: enum dicomnet_pdu_context_result; NOT_THERE = it was not proposed. */
static int find_result(const struct dicomnet_association *association, const char *class_uid, const char *syntax_uid)
{
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        if (strcmp(context->abstract_syntax, class_uid) == 0 && strcmp(context->transfer_syntax, syntax_uid) == 0)
            return context->result;
    }
    return NOT_THERE;
}

static void put_result(struct line *line, int result)
{
    if (result == NOT_THERE)
        return;
    put(line, ": %s", dicomnet_pdu_context_result_text((uint8_t)result));
    if (result <= DICOMNET_CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED)
        put(line, " (result %d)", result);
}

/* "CTImageStorage (UID) as JPEGBaseline8Bit (UID)" */
static struct line begin_line(const char *class_uid, const char *syntax_uid, char *ret_text, size_t size)
{
    struct line line = {.text = ret_text, .size = size};
    ret_text[0] = '\0';
    put_uid(&line, class_uid);
    put(&line, " as ");
    put_uid(&line, syntax_uid);
    return line;
}

/* What has the same result is named together: as it lies, or converted to what. */
bool unsupported_describe(const struct dicomnet_association *association, const struct context_pair *pair,
                          char *ret_text, size_t size)
{
    struct line line = begin_line(pair->class_uid, pair->syntax_uid, ret_text, size);
    bool is_list = false, another_may_do = false;
    int before = NOT_THERE;
    for (size_t i = 0; i < pair->way_count; i++) {
        const struct context_pair *way = pair->ways[i];
        int result = find_result(association, way->class_uid, way->syntax_uid);
        if (i > 0 && result != before) {
            put_result(&line, before);
            is_list = false;
        }
        if (way != pair)
            put(&line, "%s%s",
                is_list                     ? ", "
                : i > 0 && result == before ? ", or converted to "
                                            : "; converted to ",
                dicomnet_uid_keyword(way->syntax_uid));
        is_list = way != pair;
        before = result;
        another_may_do = another_may_do || result > DICOMNET_CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED;
    }
    put_result(&line, before);
    put_accepted(&line, association, pair->class_uid);
    return another_may_do;
}

void unsupported_describe_policy(const struct fallback_policy *policy, const char *class_uid, const char *syntax_uid,
                                 char *ret_text, size_t size)
{
    struct line line = begin_line(class_uid, syntax_uid, ret_text, size);
    for (size_t i = 0; i < policy->only_count; i++) {
        put(&line, i == 0 ? ": only " : ", ");
        put_uid(&line, policy->only[i]);
    }
    put(&line, " may be proposed");
}

void unsupported_add_advice(const struct fallback_policy *policy, const struct peer_words *words,
                            const char *syntax_uid, char *text, size_t size)
{
    struct line line = {.text = text, .size = size, .len = strlen(text)};
    if (words == NULL || words->transcode == NULL)
        return;
    enum transcode needed = fallback_needed(policy, syntax_uid);
    if (needed != policy->allowed)
        put(&line, "; %s %s would convert it", words->transcode, transcode_name(needed));
}

void unsupported_describe_class(const char *class_uid, char *ret_text, size_t size)
{
    struct line line = {.text = ret_text, .size = size};
    ret_text[0] = '\0';
    put_uid(&line, class_uid);
}
