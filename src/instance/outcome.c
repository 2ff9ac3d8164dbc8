/* outcome - names and texts of outcomes. See instance/outcome.h. */
#include "instance/outcome.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/error.h"
#include "dicomnet/status.h"
#include "instance/status_rule.h"

const char *outcome_state_name(enum outcome_state state)
{
    static const char *const names[OUTCOME_STATE_COUNT] = {"pending", "in_doubt", "stored",
                                                           "warned",  "failed",   "skipped"};
    assert((unsigned)state < OUTCOME_STATE_COUNT);
    return names[state];
}

static const struct {
    const char *name, *text;
} reasons[REASON_COUNT] = {
#define X(name, text, meaning) {text, meaning},
    OUTCOME_REASONS(X)
#undef X
};

const char *outcome_reason_name(enum outcome_reason reason)
{
    assert((unsigned)reason < REASON_COUNT);
    return reasons[reason].name;
}

const char *outcome_reason_text(enum outcome_reason reason)
{
    assert((unsigned)reason < REASON_COUNT);
    return reasons[reason].text;
}

enum outcome_state outcome_state_find(const char *name)
{
    for (int state = 0; state < OUTCOME_STATE_COUNT; state++)
        if (strcmp(name, outcome_state_name((enum outcome_state)state)) == 0)
            return (enum outcome_state)state;
    return OUTCOME_PENDING;
}

enum outcome_reason outcome_reason_find(const char *name)
{
    for (int reason = 0; reason < REASON_COUNT; reason++)
        if (strcmp(name, outcome_reason_name((enum outcome_reason)reason)) == 0)
            return (enum outcome_reason)reason;
    return REASON_NONE;
}

bool outcome_says_no_room(const struct outcome *outcome)
{
    return outcome->has_status && status_rule_says_busy(outcome->status);
}

bool outcome_is_final_failure(const struct outcome *outcome)
{
    if (outcome->state != OUTCOME_FAILED)
        return false;
    switch (outcome->reason) {
    case REASON_STATUS: /* the peer's want of room passes */
        return !outcome_says_no_room(outcome);
    case REASON_UNREADABLE:
    case REASON_MISSING:
    case REASON_VANISHED:
    case REASON_CHANGED:
    case REASON_UNDECODABLE: /* the decoder may have been missing, or at its limits of time or memory */
    case REASON_NO_RESPONSE:
    case REASON_CONNECTION:
    case REASON_INTERRUPTED:
    case REASON_OUT_OF_MEMORY:
        return false;
    default:
        return true;
    }
}

/* Append to a text of `size` bytes, of which *len are used; what does not fit is cut. */
__attribute__((format(printf, 4, 5))) static void append(char *text, size_t size, size_t *len, const char *format, ...)
{
    if (*len + 1 >= size)
        return;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text + *len, size - *len, format, arguments);
    va_end(arguments);
    if (n > 0)
        *len = (size_t)n < size - *len ? *len + (size_t)n : size - 1;
}

/* The peer's words without what could confuse a terminal. */
static void copy_printable(const char *comment, char *ret_text)
{
    do {
        unsigned char letter = (unsigned char)*comment;
        *ret_text++ = (letter > 0 && letter < 0x20) || letter == 0x7f ? '?' : *comment;
    } while (*comment++ != '\0');
}

/* True if the reason says what the error would say again. */
static bool says_error(const struct outcome *outcome)
{
    return (outcome->error == -ENOENT && outcome->reason == REASON_MISSING) ||
           (outcome->error == -ENOMEM && outcome->reason == REASON_OUT_OF_MEMORY) ||
           (outcome->error == DICOMNET_ERROR_SOURCE_UNDECODABLE && outcome->reason == REASON_UNDECODABLE);
}

void outcome_describe(const struct outcome *outcome, char *ret_text, size_t size)
{
    if (size == 0)
        return;
    size_t len = 0;
    ret_text[0] = '\0';
    if (outcome->reason != REASON_NONE)
        append(ret_text, size, &len, "%s", outcome_reason_text(outcome->reason));
    else if (outcome->state == OUTCOME_FAILED || outcome->state == OUTCOME_SKIPPED)
        append(ret_text, size, &len, "%s for an unknown reason", outcome_state_name(outcome->state));
    const char *separator = len > 0 ? ": " : "";
    if (outcome->has_status && (outcome->reason == REASON_STATUS || outcome->status != 0)) {
        append(ret_text, size, &len, "%s%04X (%s)", separator, outcome->status, dicomnet_status_text(outcome->status));
        separator = ", ";
    } else if (outcome->reason == REASON_STATUS) {
        append(ret_text, size, &len, "%sno status at all", separator);
        separator = ", ";
    }
    if (outcome->comment[0] != '\0') {
        char comment[sizeof outcome->comment];
        copy_printable(outcome->comment, comment);
        append(ret_text, size, &len, "%s'%s'", separator, comment);
        separator = ", ";
    }
    if (outcome->error != 0 && !says_error(outcome)) {
        append(ret_text, size, &len, "%s%s", separator, dicomnet_error_text(outcome->error));
        separator = ", ";
    }
    if (outcome->offset != 0)
        append(ret_text, size, &len, "%sat byte %" PRIu64, separator, outcome->offset);
    if (outcome->detail != NULL)
        append(ret_text, size, &len, ": %s", outcome->detail);
}

bool outcome_has_flaws(const struct outcome *outcome)
{
    return outcome->leading_zero_uid || outcome->bad_study_uid || outcome->bad_series_uid || outcome->meta_differs ||
           outcome->unknown_vr || outcome->zero_tail;
}

void outcome_describe_flaws(const struct outcome *outcome, char *ret_text, size_t size)
{
    const struct {
        bool there;
        const char *text;
    } flaws[] = {
        {outcome->leading_zero_uid, "a UID has a component with a leading zero"},
        {outcome->bad_study_uid, "the Study Instance UID is no UID"},
        {outcome->bad_series_uid, "the Series Instance UID is no UID"},
        {outcome->meta_differs, "the file meta information names other UIDs than the data set"},
        {outcome->unknown_vr, "an element has a VR that does not exist"},
        {outcome->zero_tail, "zeros follow the last element"},
    };
    if (size == 0)
        return;
    size_t len = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++)
        if (flaws[i].there)
            append(ret_text, size, &len, "%s%s", len > 0 ? "; " : "", flaws[i].text);
}
