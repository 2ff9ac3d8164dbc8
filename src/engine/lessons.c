/* lessons - see lessons.h. */
#include "engine/lessons.h"

#include <string.h>

#include "engine/study.h"

bool lessons_is_unsupported(const struct lessons *lessons, const char *class_uid)
{
    for (size_t i = 0; i < lessons->unsupported_count; i++)
        if (strcmp(lessons->unsupported[i]->class_uid, class_uid) == 0)
            return true;
    return false;
}

bool lessons_learn_unsupported(struct lessons *lessons, const struct context_pair *pair)
{
    if (lessons_is_unsupported(lessons, pair->class_uid) || lessons->unsupported_count == DICOMNET_PDU_CONTEXTS_MAX)
        return false;
    lessons->unsupported[lessons->unsupported_count++] = pair;
    return true;
}
