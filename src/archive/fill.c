/*
 * fill - what is in the archive when it opens: files of its folder that the index does not know (yet, or any more),
 * files that are imported, instances that are made up. See archive/archive_private.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_private.h"
#include "files/discover.h"
#include "files/file_source.h"
#include "files/synthetic.h"
#include "instance/event.h"
#include "instance/instance.h"

enum { COPY_SIZE = 64 * 1024, SYNTHETIC_SEED = 1 };

static void say_failed(struct archive *archive, const char *path, const char *reason)
{
    LOG(archive->options.logger, DICOMNET_LOG_WARN, EVENT_FILE_FAILED, LOG_TEXT("path", path),
        LOG_TEXT("reason", reason));
}

/* As arrival_check_file, of any class and instance if the UIDs are NULL; fills in archive->values. */
static enum outcome_reason look_at(struct archive *archive, const char *path, const char *class_uid,
                                   const char *instance_uid, struct instance **ret_instance)
{
    attribute_values_clear(&archive->values);
    return arrival_check_file(archive->check, path, class_uid, instance_uid, ret_instance);
}

/* ---- files of the folder ---- */

enum outcome_reason archive_look_at(struct archive *archive, const char *name, const char *class_uid,
                                    const char *instance_uid, struct instance **ret_instance)
{
    char *path = NULL;
    *ret_instance = NULL;
    if (asprintf(&path, "%s/%s", archive->options.output_dir, name) < 0)
        return REASON_OUT_OF_MEMORY;
    enum outcome_reason reason = look_at(archive, path, class_uid, instance_uid, ret_instance);
    free(path);
    return reason;
}

int archive_add(struct archive *archive, const char *name, const struct instance *instance)
{
    const struct file_facts *file = &instance->file;
    struct index_place place = {.name = name,
                                .size_bytes = file->size_bytes,
                                .mtime_ns = file->mtime_ns,
                                .data_offset = file->data_offset,
                                .data_len = file->data_len,
                                .pad = file->pad,
                                .class_uid = file->class_uid,
                                .instance_uid = file->instance_uid,
                                .syntax_uid = file->syntax_uid};
    return index_add(archive->index, &archive->values, &place);
}

/* Look at a file of the folder and index it. *ret_error is what indexing it gave, or 0. */
static enum outcome_reason index_file(struct archive *archive, const char *name, int *ret_error)
{
    struct instance *instance;
    enum outcome_reason reason = archive_look_at(archive, name, NULL, NULL, &instance);
    *ret_error = reason == REASON_NONE ? archive_add(archive, name, instance) : 0;
    instance_destroy(instance);
    return reason;
}

static int64_t mtime_ns_of(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

static bool is_there(void *context, const struct index_place *place)
{
    const struct archive *archive = context;
    struct stat status;
    return fstatat(archive->folder.fd, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size == place->size_bytes && mtime_ns_of(&status) == place->mtime_ns;
}

static int index_if_new(struct archive *archive, const char *name)
{
    struct stat status;
    int error;
    if (name[0] == '.' || strncmp(name, "index.sqlite", 12) == 0 ||
        fstatat(archive->folder.fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode) ||
        index_has_file(archive->index, name, (uint64_t)status.st_size, mtime_ns_of(&status)))
        return 0;
    enum outcome_reason reason = index_file(archive, name, &error);
    if (reason != REASON_NONE)
        say_failed(archive, name, outcome_reason_name(reason));
    return reason == REASON_OUT_OF_MEMORY ? -ENOMEM : error;
}

/* True if the program was told to stop while the archive is still being opened. */
static bool is_stopped(const struct archive *archive)
{
    return archive->options.stop != NULL && *archive->options.stop != 0;
}

/* Make the index say what the folder holds. */
static int compare_with_folder(struct archive *archive)
{
    int64_t swept = index_sweep(archive->index, is_there, archive);
    if (swept < 0)
        return (int)swept;
    int fd = openat(archive->folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        int error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    int error = 0;
    errno = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL && error == 0; entry = readdir(folder))
        error = is_stopped(archive) ? -ECANCELED : index_if_new(archive, entry->d_name);
    closedir(folder);
    return error;
}

/* ---- files that are imported ---- */

/* Copy the data set into the folder, as it is. Returns an enum part10_result or a negative error. */
static int copy_file(struct archive *archive, const struct instance *instance, char ret_name[96])
{
    const struct file_facts *file = &instance->file;
    struct meta_header meta = {
        .class_uid = file->class_uid, .instance_uid = file->instance_uid, .syntax_uid = file->syntax_uid};
    struct part10_writer *writer = malloc(sizeof *writer);
    uint8_t *bytes = malloc(COPY_SIZE);
    struct file_source source;
    int error = writer != NULL && bytes != NULL ? file_source_open(&source, instance) : -ENOMEM;
    if (error != 0) {
        free(writer);
        free(bytes);
        return error;
    }
    error = part10_writer_open(writer, &archive->folder, &meta);
    for (uint64_t done = 0; done < source.descriptor.source.len && error == 0;) {
        uint64_t left = source.descriptor.source.len - done;
        struct iovec gap = {.iov_base = bytes, .iov_len = left < COPY_SIZE ? (size_t)left : COPY_SIZE};
        ssize_t n = source.descriptor.source.read(&source.descriptor.source, done, &gap, 1);
        if (n == (ssize_t)gap.iov_len)
            part10_writer_append(writer, bytes, gap.iov_len);
        else
            error = n < 0 ? (int)n : DICOMNET_ERROR_SOURCE_SHORT;
        done += gap.iov_len;
    }
    int closed = file_source_close(&source);
    error = error != 0 ? error : closed;
    if (error == 0) {
        snprintf(ret_name, 96, "%s", writer->final_name);
        error = part10_writer_finish(writer);
    } else {
        part10_writer_discard(writer);
    }
    free(writer);
    free(bytes);
    return error;
}

static int import_file(struct archive *archive, const char *path)
{
    char name[96];
    struct instance *instance;
    enum outcome_reason reason = look_at(archive, path, NULL, NULL, &instance);
    if (instance == NULL)
        return -ENOMEM;
    bool skipped = instance->outcome.state == OUTCOME_SKIPPED;
    int result = 0, error = 0;
    if (reason == REASON_NONE)
        result = copy_file(archive, instance, name);
    if (reason == REASON_NONE && result == PART10_KEPT)
        (void)index_file(archive, name, &error);
    instance_destroy(instance);
    if (skipped) {
        LOG(archive->options.logger, DICOMNET_LOG_INFO, EVENT_FILE_SKIPPED, LOG_TEXT("path", path),
            LOG_TEXT("reason", outcome_reason_name(reason)));
        return 0;
    }
    if (reason != REASON_NONE || result < 0 || result == PART10_DIFFERENT) {
        archive->totals.import_failed++;
        say_failed(archive, path,
                   result < 0                   ? dicomnet_error_text(result)
                   : result == PART10_DIFFERENT ? outcome_reason_name(REASON_UID_CONFLICT)
                                                : outcome_reason_name(reason));
        return result == -ENOSPC ? result : 0;
    }
    archive->totals.imported++;
    return error;
}

static int import_folders(struct archive *archive)
{
    struct discover_options options = {
        .inputs = archive->options.import_dirs, .input_count = archive->options.import_count, .recursive = true};
    struct discover *discover = NULL;
    int error = discover_create(&discover, &options);
    while (error == 0) {
        struct discover_entry entry = discover_next(discover);
        if (entry.kind == DISCOVER_END)
            break;
        if (is_stopped(archive))
            error = -ECANCELED;
        else if (entry.kind == DISCOVER_FILE)
            error = import_file(archive, entry.path);
        else if (entry.state == OUTCOME_FAILED) {
            archive->totals.import_failed++;
            say_failed(archive, entry.path, outcome_reason_name(entry.reason));
        }
    }
    discover_destroy(discover);
    return error;
}

/* ---- instances that are made up ---- */

void archive_make_up(const struct archive *archive, uint64_t study, uint64_t series,
                     struct synthetic_options *ret_options, struct synthetic_story *ret_story)
{
    *ret_options = (struct synthetic_options){.seed = SYNTHETIC_SEED,
                                              .size_bytes = archive->options.synthetic.size_bytes,
                                              .series = series,
                                              .story = ret_story};
    ret_options->sop_class = synthetic_story_make(SYNTHETIC_SEED, study, series, ret_story);
}

/* What its header says: all but the pixel data, whose header is the last 12 bytes of it. */
static int read_made_up(struct archive *archive, const struct synthetic_instance *made,
                        struct dicomnet_identifier *identifier)
{
    struct dicomnet_span header = {.data = made->header, .len = made->header_len - 12};
    int error = dicomnet_identifier_decode(identifier, header, made->syntax_uid);
    attribute_values_clear(&archive->values);
    for (struct dicomnet_element element = {0}; error == 0 && dicomnet_identifier_next(identifier, &element);)
        attribute_values_set(&archive->values, element.tag, element.value, false);
    return error;
}

static int make_up(struct archive *archive)
{
    const struct synthetic_population *wanted = &archive->options.synthetic;
    struct synthetic_options options;
    struct synthetic_story story;
    struct synthetic_instance made;
    struct dicomnet_identifier identifier;
    uint64_t total = wanted->studies * wanted->series * wanted->instances;
    int error = 0;
    dicomnet_identifier_init(&identifier);
    for (uint64_t i = 0; i < total && error == 0; i++) {
        struct index_place place = {.number = i % wanted->instances,
                                    .series = i / wanted->instances % wanted->series,
                                    .study = i / wanted->instances / wanted->series};
        archive_make_up(archive, place.study, place.series, &options, &story);
        synthetic_instance_init(&made, &options, place.study, place.number);
        place.class_uid = made.class_uid;
        place.instance_uid = made.instance_uid;
        place.syntax_uid = made.syntax_uid;
        place.data_len = made.source.len;
        error = read_made_up(archive, &made, &identifier);
        error = error != 0 ? error : index_add(archive->index, &archive->values, &place);
        error = error == 0 && is_stopped(archive) ? -ECANCELED : error;
    }
    dicomnet_identifier_fini(&identifier);
    return error;
}

int archive_fill(struct archive *archive)
{
    uint64_t counts[4];
    int error = index_begin(archive->index);
    if (error == 0 && archive->options.output_dir != NULL)
        error = compare_with_folder(archive);
    if (error == 0 && archive->options.import_count > 0)
        error = import_folders(archive);
    if (error == 0 && archive->options.synthetic.studies > 0)
        error = make_up(archive);
    error = error != 0 ? error : index_commit(archive->index);
    error = error != 0 ? error : index_count_all(archive->index, counts);
    if (error != 0)
        return error;
    archive->totals.patients = counts[DICOMNET_QUERY_LEVEL_PATIENT];
    archive->totals.studies = counts[DICOMNET_QUERY_LEVEL_STUDY];
    archive->totals.series = counts[DICOMNET_QUERY_LEVEL_SERIES];
    archive->totals.instances = counts[DICOMNET_QUERY_LEVEL_IMAGE];
    return 0;
}
