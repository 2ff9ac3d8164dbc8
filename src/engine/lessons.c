/* lessons - see lessons.h. */
#include "engine/lessons.h"

#include <string.h>

#include "dicomnet/status.h"
#include "engine/study.h"
#include "instance/status_rule.h"

bool lessons_is_unsupported(const struct lessons *lessons, const char *class_uid)
{
    for (size_t i = 0; i < lessons->unsupported_count; i++)
        if (strcmp(lessons->unsupported[i]->class_uid, class_uid) == 0)
            return true;
    return false;
}

void lessons_learn_unsupported(struct lessons *lessons, const struct context_pair *pair)
{
    if (pair != NULL && !lessons_is_unsupported(lessons, pair->class_uid) &&
        lessons->unsupported_count < DICOMNET_PDU_CONTEXTS_MAX)
        lessons->unsupported[lessons->unsupported_count++] = pair;
}

void lessons_take_status(struct lessons *lessons, uint16_t status, const struct context_pair *pair)
{
    lessons->busy = policy_says_busy(status);
    lessons->unauthorised = status == DICOMNET_STATUS_NOT_AUTHORISED ? lessons->unauthorised + 1 : 0;
    if (status == DICOMNET_STATUS_CLASS_NOT_SUPPORTED)
        lessons_learn_unsupported(lessons, pair);
}
