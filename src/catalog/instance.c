/* instance - see catalog/instance.h. */
#include "catalog/instance.h"

#include <stdlib.h>
#include <string.h>

/* Copy a string to *cursor, and move that behind it. */
static const char *place_text(char **cursor, const char *text)
{
    char *placed = *cursor;
    size_t size = strlen(text) + 1;
    memcpy(placed, text, size);
    *cursor += size;
    return placed;
}

struct instance *instance_create(const struct file_facts *facts)
{
    struct file_facts owned = *facts;
    const char **texts[] = {&owned.path,         &owned.study_uid, &owned.series_uid,
                            &owned.instance_uid, &owned.class_uid, &owned.syntax_uid};
    size_t size = sizeof(struct instance);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (*texts[i] == NULL)
            *texts[i] = "";
        size += strlen(*texts[i]) + 1;
    }
    struct instance *instance = (struct instance *)malloc(size);
    if (instance == NULL)
        return NULL;
    char *cursor = (char *)(instance + 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = place_text(&cursor, *texts[i]);
    *instance = (struct instance){.file = owned, .outcome = {.state = OUTCOME_PENDING}};
    return instance;
}

void instance_destroy(struct instance *instance)
{
    free(instance);
}
