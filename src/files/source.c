/* source - see files/source.h. */
#include "files/source.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- a file ---- */

static int open_file(struct source *source, const struct instance *instance, const struct source_options *options)
{
    (void)options;
    source->data = &source->of.file.descriptor.source;
    return file_source_open(&source->of.file, instance);
}

static int close_file(struct source *source)
{
    return file_source_close(&source->of.file);
}

/* ---- an instance made from numbers ---- */

static int open_synthetic(struct source *source, const struct instance *instance, const struct source_options *options)
{
    assert(options->synthetic != NULL);
    source->data = &source->of.synthetic.source;
    synthetic_instance_init(&source->of.synthetic, options->synthetic, instance->file.study_number,
                            instance->file.number);
    return 0;
}

static int close_synthetic(struct source *source)
{
    (void)source;
    return 0;
}

/* ---- any ---- */

static const struct source_type {
    int (*open)(struct source *source, const struct instance *instance, const struct source_options *options);
    int (*close)(struct source *source);
} types[] = {
    [SOURCE_FILE] = {.open = open_file, .close = close_file},
    [SOURCE_SYNTHETIC] = {.open = open_synthetic, .close = close_synthetic},
};

int source_open(struct source *source, const struct instance *instance, const char *syntax_uid,
                const struct source_options *options)
{
    if (strcmp(syntax_uid, instance->file.syntax_uid) != 0)
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    source->kind = instance->file.source;
    return types[source->kind].open(source, instance, options);
}

int source_close(struct source *source)
{
    return types[source->kind].close(source);
}

enum outcome_reason source_failure_reason(int error)
{
    switch (error) {
    case -ENOENT:
        return REASON_VANISHED;
    case DICOMNET_ERROR_SOURCE_CHANGED:
    case DICOMNET_ERROR_SOURCE_SHORT:
        return REASON_CHANGED;
    case DICOMNET_ERROR_SOURCE_UNDECODABLE:
        return REASON_UNDECODABLE;
    default:
        return REASON_UNREADABLE;
    }
}
