/* synthetic_spec - what to make up, as people write it. See files/synthetic.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files/synthetic.h"

/* A number from 1 on and below 2^40, and where it ends; 0 if there is none. */
static uint64_t parse_number(const char *text, char **ret_end)
{
    *ret_end = NULL;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    uint64_t value = strtoull(text, ret_end, 10);
    return errno != 0 || value >> 40 != 0 ? 0 : value;
}

/* "512K" and the like, and where it ends; 0 if there is none. */
static uint64_t parse_size(const char *text, char **ret_end)
{
    static const char suffixes[] = "KMG";
    uint64_t size = parse_number(text, ret_end);
    const char *suffix = size != 0 && **ret_end != '\0' ? strchr(suffixes, **ret_end) : NULL;
    if (suffix == NULL)
        return size;
    ++*ret_end;
    return size << 10 * (suffix - suffixes + 1);
}

bool synthetic_spec_parse(const char *text, struct synthetic_spec *ret_spec)
{
    char *end;
    ret_spec->studies = parse_number(text, &end);
    if (ret_spec->studies == 0 || *end != 'x')
        return false;
    ret_spec->instances = parse_number(end + 1, &end);
    if (ret_spec->instances == 0 || *end != 'x')
        return false;
    ret_spec->options.size_bytes = parse_size(end + 1, &end);
    if (ret_spec->options.size_bytes == 0 || (*end != '\0' && *end != ':'))
        return false;
    int sop_class = *end == ':' ? synthetic_class_find(end + 1) : SYNTHETIC_CT;
    ret_spec->options.sop_class = (enum synthetic_class)sop_class;
    return sop_class >= 0;
}

bool synthetic_population_parse(const char *text, struct synthetic_population *ret_population)
{
    struct synthetic_population *all = ret_population;
    uint64_t *const counts[] = {&all->studies, &all->series, &all->instances};
    char *end;
    uint64_t total = 1;
    for (size_t i = 0; i < 3; i++) {
        *counts[i] = parse_number(text, &end);
        if (*counts[i] == 0 || *counts[i] > SYNTHETIC_POPULATION_MAX || (i < 2 && *end != 'x'))
            return false;
        total *= *counts[i];
        if (total > SYNTHETIC_POPULATION_MAX)
            return false;
        text = end + 1;
    }
    all->size_bytes = SYNTHETIC_SIZE_DEFAULT;
    if (*end == ':')
        all->size_bytes = parse_size(end + 1, &end);
    return all->size_bytes != 0 && *end == '\0';
}
