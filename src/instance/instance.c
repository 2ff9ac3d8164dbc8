/* instance - see instance/instance.h. */
#include "instance/instance.h"

#include <stdarg.h>
#include <stdio.h>
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
    if (instance == NULL)
        return;
    instance_drop_hold(instance);
    free(instance->fact);
    free(instance);
}

void instance_drop_hold(struct instance *instance)
{
    struct instance_hold *hold = instance->hold;
    instance->hold = NULL;
    if (hold != NULL)
        hold->drop(hold);
}

void instance_note(struct instance *instance, const char *format, ...)
{
    static const char cut[] = "...";
    char fact[INSTANCE_FACT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(fact, sizeof fact, format, arguments);
    va_end(arguments);
    if (len >= (int)sizeof fact)
        memcpy(fact + sizeof fact - sizeof cut, cut, sizeof cut);
    free(instance->fact);
    instance->fact = len > 0 ? strdup(fact) : NULL;
}

void instance_describe(const struct instance *instance, char *ret_text, size_t size)
{
    if (size == 0)
        return;
    outcome_describe(&instance->outcome, ret_text, size);
    size_t len = strlen(ret_text);
    if (instance->fact != NULL)
        snprintf(ret_text + len, size - len, "%s%s", len > 0 ? ": " : "", instance->fact);
}
