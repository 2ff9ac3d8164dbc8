/* converted_source - see files/converted_source.h. */
#include "files/converted_source.h"

#include <errno.h>
#include <stdlib.h>

#include "files/source.h"
#include "wire/recode.h"

struct converted_source {
    struct dicomnet_data_source data;
    struct source input; /* the data set as it lies */
    bool input_open;
    struct recode *recode;
    const char *failure; /* static; NULL = the converter says it */
};

/* An error that comes of the file having changed is that. */
static ssize_t judge_error(const struct converted_source *converted, ssize_t error)
{
    return source_check(&converted->input) == DICOMNET_ERROR_SOURCE_CHANGED ? DICOMNET_ERROR_SOURCE_CHANGED : error;
}

static ssize_t read_converted(struct dicomnet_data_source *base, uint64_t offset, const struct iovec *gaps,
                              int gap_count)
{
    struct converted_source *converted = (struct converted_source *)base;
    struct dicomnet_data_source *recoded = recode_source(converted->recode);
    ssize_t got = recoded->read(recoded, offset, gaps, gap_count);
    if (got < 0)
        return judge_error(converted, got);
    bool is_last = offset + (uint64_t)got == base->len;
    int error = is_last ? source_check(&converted->input) : 0;
    return error < 0 ? error : got;
}

/* What is compressed needs its pixels decoded; what is not is converted as it is. */
static int prepare_pixels(struct converted_source *converted, struct recode_options *options)
{
    if (options->from.compression == SYNTAX_NATIVE)
        return 0;
    converted->failure = "its pixels are compressed, and there is nothing to decode them with";
    return DICOMNET_ERROR_SOURCE_UNDECODABLE;
}

static int open_parts(struct converted_source *converted, const struct instance *instance, const char *syntax_uid,
                      const struct source_options *options)
{
    struct recode_options recode_options = {.from = syntax_find(instance->file.syntax_uid),
                                            .to = syntax_find(syntax_uid)};
    if (!recode_options.from.walked || recode_options.from.compression == SYNTAX_OPAQUE ||
        recode_options.to.compression != SYNTAX_NATIVE) {
        converted->failure = "there is no way from its transfer syntax to that one";
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    int error = source_open(&converted->input, instance, instance->file.syntax_uid, options);
    if (error < 0)
        return error;
    converted->input_open = true;
    source_keep_open(&converted->input);
    error = prepare_pixels(converted, &recode_options);
    if (error < 0)
        return error;
    recode_options.input = converted->input.data;
    error = recode_open(&converted->recode, &recode_options);
    if (error < 0)
        return (int)judge_error(converted, error);
    converted->data =
        (struct dicomnet_data_source){.len = recode_source(converted->recode)->len, .read = read_converted};
    return 0;
}

int converted_source_open(struct converted_source **ret_converted, const struct instance *instance,
                          const char *syntax_uid, const struct source_options *options)
{
    struct converted_source *converted = malloc(sizeof *converted);
    *ret_converted = converted;
    if (converted == NULL)
        return -ENOMEM;
    converted->input_open = false;
    converted->recode = NULL;
    converted->failure = NULL;
    return open_parts(converted, instance, syntax_uid, options);
}

struct dicomnet_data_source *converted_source_data(struct converted_source *converted)
{
    return &converted->data;
}

const char *converted_source_failure_text(const struct converted_source *converted)
{
    if (converted == NULL)
        return "";
    return converted->failure != NULL ? converted->failure : recode_failure_text(converted->recode);
}

int converted_source_close(struct converted_source *converted)
{
    if (converted == NULL)
        return 0;
    recode_close(converted->recode);
    int result = converted->input_open ? source_close(&converted->input) : 0;
    free(converted);
    return result;
}
