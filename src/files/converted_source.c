/* converted_source - see files/converted_source.h. */
#include "files/converted_source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/deflate_source.h"
#include "files/inflate_source.h"
#include "files/pixel_source.h"
#include "files/recode_guess.h"
#include "files/source.h"
#include "wire/recode.h"

struct converted_source {
    struct dicomnet_data_source data;
    struct source input; /* the data set as it lies */
    bool input_open;
    struct inflate_source *inflated; /* of it; NULL = it is not deflated */
    struct pixel_source *pixels;     /* of it, decoded; NULL = it compresses none */
    struct recode_guess guess;
    struct recode *recode;
    struct deflate_source *deflated;   /* what it becomes; NULL = that is not deflated */
    struct dicomnet_data_source *made; /* by the last of these */
    char failure[SOURCE_FAILURE_SIZE]; /* "" = one of these says it */
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
    struct dicomnet_data_source *made = converted->made;
    ssize_t got = made->read(made, offset, gaps, gap_count);
    if (got < 0)
        return judge_error(converted, got);
    bool is_last = offset + (uint64_t)got == base->len;
    int error = is_last ? source_check(&converted->input) : 0;
    return error < 0 ? error : got;
}

/* The converter, between what inflates its input and deflates its output if need be. */
static int open_converter(struct converted_source *converted, struct recode_options *options)
{
    options->input = converted->input.data;
    int error = options->from.deflated ? inflate_source_create(&converted->inflated, converted->input.data) : 0;
    if (error < 0)
        return error;
    if (converted->inflated != NULL)
        options->input = inflate_source_data(converted->inflated);
    error = recode_open(&converted->recode, options);
    if (error < 0)
        return error;
    converted->made = recode_source(converted->recode);
    error = options->to.deflated ? deflate_source_create(&converted->deflated, converted->made) : 0;
    if (converted->deflated != NULL)
        converted->made = deflate_source_data(converted->deflated);
    return error;
}

/* Elements of strange VRs are read by looking ahead in the file, which a deflated one does not allow. */
static void prepare_guess(struct converted_source *converted, struct recode_options *recode_options)
{
    const struct dicomnet_descriptor_source *file = &converted->input.of.file.descriptor;
    if (converted->input.kind != SOURCE_FILE || recode_options->from.deflated)
        return;
    recode_guess_init(&converted->guess, file->fd, file->offset, file->data_len);
    recode_options->guess = recode_guess_read;
    recode_options->context = &converted->guess;
}

/* What is compressed needs its pixels decoded; what is not is converted as it is. */
static int prepare_pixels(struct converted_source *converted, const struct instance *instance,
                          const struct source_options *options, struct recode_options *recode_options)
{
    if (recode_options->from.compression == SYNTAX_NATIVE)
        return 0;
    assert(converted->input.kind == SOURCE_FILE); /* nothing that is made up is compressed */
    const struct dicomnet_descriptor_source *file = &converted->input.of.file.descriptor;
    const struct pixel_source_options pixel_options = {.decoder = options->decoder,
                                                       .fd = file->fd,
                                                       .data_offset = file->offset,
                                                       .data_len = file->data_len,
                                                       .syntax_uid = instance->file.syntax_uid};
    int error = pixel_source_open(&converted->pixels, &pixel_options, converted->failure, sizeof converted->failure);
    if (error < 0)
        return error;
    recode_options->pixels = pixel_source_pixels(converted->pixels);
    memcpy(recode_options->pixels_vr, pixel_source_vr(converted->pixels), sizeof recode_options->pixels_vr);
    recode_options->patches = pixel_source_patches(converted->pixels, &recode_options->patch_count);
    return 0;
}

static int open_parts(struct converted_source *converted, const struct instance *instance, const char *syntax_uid,
                      const struct source_options *options)
{
    struct recode_options recode_options = {.from = syntax_find(instance->file.syntax_uid),
                                            .to = syntax_find(syntax_uid)};
    if (!recode_options.from.walked || recode_options.from.compression == SYNTAX_OPAQUE ||
        recode_options.to.compression != SYNTAX_NATIVE) {
        snprintf(converted->failure, sizeof converted->failure, "there is no way from its transfer syntax to that one");
        return DICOMNET_ERROR_SOURCE_UNDECODABLE;
    }
    int error = source_open(&converted->input, instance, instance->file.syntax_uid, options);
    if (error < 0)
        return error;
    converted->input_open = true;
    source_keep_open(&converted->input);
    error = prepare_pixels(converted, instance, options, &recode_options);
    if (error < 0)
        return (int)judge_error(converted, error);
    prepare_guess(converted, &recode_options);
    error = open_converter(converted, &recode_options);
    if (error < 0)
        return (int)judge_error(converted, error);
    converted->data = (struct dicomnet_data_source){.len = converted->made->len, .read = read_converted};
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
    converted->inflated = NULL;
    converted->recode = NULL;
    converted->deflated = NULL;
    converted->pixels = NULL;
    converted->failure[0] = '\0';
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
    if (converted->failure[0] != '\0')
        return converted->failure;
    if (converted->pixels != NULL && pixel_source_failure(converted->pixels)[0] != '\0')
        return pixel_source_failure(converted->pixels);
    const char *text = recode_failure_text(converted->recode);
    bool is_broken = converted->inflated != NULL && inflate_source_is_broken(converted->inflated);
    return is_broken ? "its deflated bytes are no deflate stream, or end within it" : text;
}

int converted_source_close(struct converted_source *converted)
{
    if (converted == NULL)
        return 0;
    deflate_source_destroy(converted->deflated);
    recode_close(converted->recode);
    pixel_source_close(converted->pixels);
    inflate_source_destroy(converted->inflated);
    int result = converted->input_open ? source_close(&converted->input) : 0;
    free(converted);
    return result;
}
