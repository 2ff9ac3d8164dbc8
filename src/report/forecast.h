/*
 * forecast - what would become of files that are not sent now, by SOP class and the transfer syntax that they lie in:
 * in which syntaxes they may go out (instance/fallback.h), and, if the peer was asked, in which it would take them.
 */
#ifndef REPORT_FORECAST_H
#define REPORT_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicomnet/uid.h"
#include "instance/fallback.h"
#include "report/pair_counts.h"

struct instance;
struct json_t;
struct text;

/* What the peer says to a class and the syntax that instances lie in. */
struct forecast_answer {
    char class_uid[DICOMNET_UID_SIZE], syntax_uid[DICOMNET_UID_SIZE];
    char sent_syntax[DICOMNET_UID_SIZE]; /* as the peer would take them; syntax_uid = as they lie; "" = not at all */
    char *text;                          /* owned: why it would not take them; "" = it would */
};

/* All zero but for the policy is an empty one. */
struct forecast {
    const struct fallback_policy *policy; /* borrowed */
    struct pair_counts found;             /* by class and syntax: what would be sent */
    struct forecast_answer *answers;      /* owned */
    size_t answer_count, answer_room;
};

/* A file that would be sent: one that is pending in a run that was not stopped. Of others nothing is done. 0 or
 * -ENOMEM: then it is not counted. */
int forecast_add_instance(struct forecast *forecast, const struct instance *instance) DICOMNET_MUST_CHECK;

/* The peer's answer to a pair; `sent_syntax` NULL: it takes them in none. Texts are copied. 0 or -ENOMEM. */
int forecast_add_answer(struct forecast *forecast, const char *class_uid, const char *syntax_uid,
                        const char *sent_syntax, const char *text) DICOMNET_MUST_CHECK;

void forecast_fini(struct forecast *forecast);

/* Files of pairs that the peer takes in no syntax. */
uint64_t forecast_refused(const struct forecast *forecast);

/*
 * What becomes of files of this class that lie in this syntax: "as it lies; if refused: Implicit VR Little Endian"; if
 * the peer was asked, "as it lies", "converted to Implicit VR Little Endian" or "refused: ...".
 */
void forecast_put_fate(struct text *text, const struct forecast *forecast, const char *class_uid,
                       const char *syntax_uid);

/* A line for each pair, below a heading; nothing if there are none. */
void forecast_put_table(struct text *text, const struct forecast *forecast);

/* An array with an object for each pair: docs/summary.schema.json. NULL if out of memory. */
struct json_t *forecast_json(const struct forecast *forecast);

#endif
