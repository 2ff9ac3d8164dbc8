/*
 * delivery - one instance on its way to who asked for it: its store, the transfer syntax in which it goes out, and the
 * source that its data set is read from. See archive/archive_private.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "files/source.h"
#include "instance/fallback.h"
#include "instance/instance.h"

struct delivery {
    struct dicomnet_store store;
    char class_uid[DICOMNET_UID_SIZE], instance_uid[DICOMNET_UID_SIZE], syntax_uid[DICOMNET_UID_SIZE];
    bool converted;
    struct instance *instance; /* NULL: its source is not open */
    struct source source;
    struct source_options options;
    struct synthetic_options made; /* of an instance that is made up */
    struct synthetic_story story;
};

struct delivery *delivery_create(void)
{
    return calloc(1, sizeof(struct delivery));
}

void delivery_destroy(struct delivery *delivery)
{
    if (delivery != NULL)
        (void)delivery_close(delivery);
    free(delivery);
}

struct dicomnet_store *delivery_name(struct delivery *delivery, struct index_cursor *row)
{
    struct index_place place;
    index_cursor_place(row, &place);
    snprintf(delivery->class_uid, DICOMNET_UID_SIZE, "%s", place.class_uid);
    snprintf(delivery->instance_uid, DICOMNET_UID_SIZE, "%s", place.instance_uid);
    snprintf(delivery->syntax_uid, DICOMNET_UID_SIZE, "%s", place.syntax_uid);
    delivery->store = (struct dicomnet_store){.class_uid = delivery->class_uid, .instance_uid = delivery->instance_uid};
    return &delivery->store;
}

struct dicomnet_store *delivery_store(struct delivery *delivery)
{
    return &delivery->store;
}

/* ---- the source ---- */

/* The instance of that place, whose file or numbers `delivery` is to be read from. NULL if out of memory. */
static struct instance *instance_of(struct delivery *delivery, const struct archive *archive,
                                    const struct index_place *place)
{
    char *path = NULL;
    struct file_facts facts = {.source = SOURCE_FILE,
                               .size_bytes = place->size_bytes,
                               .mtime_ns = place->mtime_ns,
                               .data_offset = place->data_offset,
                               .data_len = place->data_len,
                               .pad = place->pad,
                               .class_uid = place->class_uid,
                               .instance_uid = place->instance_uid,
                               .syntax_uid = place->syntax_uid};
    if (place->name == NULL) {
        facts.source = SOURCE_SYNTHETIC;
        facts.study_number = place->study;
        facts.number = place->number;
        archive_make_up(archive, place->study, place->series, &delivery->made, &delivery->story);
    } else if (asprintf(&path, "%s/%s", archive->options.output_dir, place->name) < 0) {
        return NULL;
    }
    facts.path = path;
    struct instance *instance = instance_create(&facts);
    free(path);
    return instance;
}

static int open_source(struct delivery *delivery, const struct archive *archive, struct index_cursor *row,
                       const char *agreed_uid)
{
    struct index_place place;
    index_cursor_place(row, &place);
    struct instance *instance = instance_of(delivery, archive, &place);
    if (instance == NULL)
        return -ENOMEM;
    delivery->options = (struct source_options){.synthetic = &delivery->made, .decoder = archive->decoder};
    int error = source_open(&delivery->source, instance, agreed_uid, &delivery->options);
    if (error != 0) {
        instance_destroy(instance);
        return error;
    }
    delivery->instance = instance;
    delivery->store.source = delivery->source.data;
    return 0;
}

bool delivery_close(struct delivery *delivery)
{
    bool sound = true;
    if (delivery->instance != NULL) {
        sound = source_close(&delivery->source) == 0;
        instance_destroy(delivery->instance);
        delivery->instance = NULL;
    }
    return sound;
}

/* ---- the way out ---- */

/*
 * "not taken: CTImage, JPEG2000Lossless", in the 64 characters that an Error Comment has: the keywords, without what
 * each of the classes ends with, or UIDs where those are too long.
 */
static void note(struct retrieve *retrieve, const struct delivery *delivery, const char *problem)
{
    static const char storage[] = "Storage";
    const char *class = dicomnet_uid_keyword(delivery->class_uid), *syntax = dicomnet_uid_keyword(delivery->syntax_uid);
    int class_len = (int)strlen(class), end_len = (int)strlen(storage);
    char text[2 * DICOMNET_UID_SIZE + 128];
    if (class_len > end_len && strcmp(class + class_len - end_len, storage) == 0)
        class_len -= end_len;
    int len = snprintf(text, sizeof text, "%s: %.*s, %s", problem, class_len, class, syntax);
    if (len >= DICOMNET_COMMENT_SIZE)
        snprintf(text, sizeof text, "%s: %s, %s", problem, delivery->class_uid, delivery->syntax_uid);
    retrieve_note(retrieve, text);
}

void delivery_note(const struct delivery *delivery, struct retrieve *retrieve, int error)
{
    const char *text = source_failure_text(&delivery->source);
    if (error == DICOMNET_ERROR_SOURCE_UNDECODABLE && text[0] != '\0')
        retrieve_note(retrieve, text);
    else if (error == DICOMNET_ERROR_SOURCE_UNDECODABLE)
        note(retrieve, delivery, "not decodable");
    else
        retrieve_note(retrieve, dicomnet_error_text(error));
}

/* The context in which it goes out: as it lies, or converted to the first syntax of its fallbacks that has one. */
static const struct dicomnet_association_context *choose(const struct delivery *delivery, const struct archive *archive,
                                                         delivery_find *find, const void *where)
{
    const struct fallback_policy policy = {.allowed = archive->options.transcode};
    const char *syntaxes[FALLBACK_MAX];
    const struct dicomnet_association_context *context = find(where, delivery->class_uid, delivery->syntax_uid);
    size_t count = context == NULL ? fallback_list(&policy, delivery->syntax_uid, syntaxes) : 0;
    for (size_t i = 0; i < count && context == NULL; i++)
        context = find(where, delivery->class_uid, syntaxes[i]);
    return context;
}

bool delivery_open(struct delivery *delivery, struct retrieve *retrieve, struct index_cursor *row, delivery_find *find,
                   const void *where)
{
    struct archive *archive = retrieve->archive;
    const struct dicomnet_association_context *context = choose(delivery, archive, find, where);
    if (context == NULL) {
        note(retrieve, delivery, "not taken");
        return false;
    }
    int error = open_source(delivery, archive, row, context->transfer_syntax);
    if (error != 0) {
        delivery_note(delivery, retrieve, error);
        return false;
    }
    delivery->store.context_id = context->id;
    delivery->converted = delivery->source.converted != NULL;
    return true;
}

bool delivery_was_converted(const struct delivery *delivery)
{
    return delivery->converted;
}
