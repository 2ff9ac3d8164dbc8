/* source - see files/source.h. */
#include "files/source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "files/converted_source.h"

/* ---- a file ---- */

static int open_file(struct source *source, const struct instance *instance, const struct source_options *options)
{
    struct file_source *file = &source->of.file;
    source->data = &file->descriptor.source;
    int error = file_source_open(file, instance);
    if (error == 0 && options->pieces != NULL)
        file_source_read_ahead(file, options->pieces);
    return error;
}

static int close_file(struct source *source)
{
    if (source->of.file.hangs)
        snprintf(source->failure, sizeof source->failure, "its storage did not answer in time");
    return file_source_close(&source->of.file);
}

static void keep_file_open(struct source *source)
{
    file_source_keep_open(&source->of.file);
}

static int check_file(const struct source *source)
{
    return file_source_check(&source->of.file);
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

static void keep_synthetic_open(struct source *source)
{
    (void)source;
}

static int check_synthetic(const struct source *source)
{
    (void)source;
    return 0;
}

/* ---- any ---- */

static const struct source_type {
    int (*open)(struct source *source, const struct instance *instance, const struct source_options *options);
    void (*keep_open)(struct source *source);
    int (*check)(const struct source *source);
    int (*close)(struct source *source);
} types[] = {
    [SOURCE_FILE] = {.open = open_file, .keep_open = keep_file_open, .check = check_file, .close = close_file},
    [SOURCE_SYNTHETIC] = {.open = open_synthetic,
                          .keep_open = keep_synthetic_open,
                          .check = check_synthetic,
                          .close = close_synthetic},
};

static void note_failure(struct source *source)
{
    snprintf(source->failure, sizeof source->failure, "%s", converted_source_failure_text(source->converted));
}

static int open_converted(struct source *source, const struct instance *instance, const char *syntax_uid,
                          const struct source_options *options)
{
    int error = converted_source_open(&source->converted, instance, syntax_uid, options);
    if (error == 0) {
        source->data = converted_source_data(source->converted);
        return 0;
    }
    note_failure(source);
    (void)converted_source_close(source->converted);
    source->converted = NULL;
    return error;
}

int source_open(struct source *source, const struct instance *instance, const char *syntax_uid,
                const struct source_options *options)
{
    source->kind = instance->file.source;
    source->converted = NULL;
    source->failure[0] = '\0';
    if (strcmp(syntax_uid, instance->file.syntax_uid) != 0)
        return open_converted(source, instance, syntax_uid, options);
    return types[source->kind].open(source, instance, options);
}

void source_keep_open(struct source *source)
{
    assert(source->converted == NULL);
    types[source->kind].keep_open(source);
}

int source_check(const struct source *source)
{
    assert(source->converted == NULL);
    return types[source->kind].check(source);
}

int source_close(struct source *source)
{
    if (source->converted == NULL)
        return types[source->kind].close(source);
    note_failure(source);
    int result = converted_source_close(source->converted);
    source->converted = NULL;
    return result;
}

const char *source_failure_text(const struct source *source)
{
    return source->converted != NULL ? converted_source_failure_text(source->converted) : source->failure;
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
