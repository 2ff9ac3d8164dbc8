/*
 * keep - C-STORE: an instance is looked at, becomes a file under its final name, then a row of the index, then the
 * answer 0000. If the process dies in between, the next start finds the file. See archive/archive_private.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive_private.h"
#include "base/log.h"
#include "files/arrival.h"
#include "instance/instance.h"
#include "instance/outcome.h"

static uint16_t refuse(struct guest *guest, uint16_t status, const char *text)
{
    LOG(guest->archive->options.logger, DICOMNET_LOG_WARN, EVENT_RECEIVER_REFUSED,
        LOG_TEXT("instance", guest->instance_uid), LOG_NUMBER("status", status), LOG_TEXT("text", text));
    guest->archive->totals.refused++;
    return status;
}

static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                      const struct dicomnet_dimse_command *request)
{
    struct guest *guest = context;
    memcpy(guest->class_uid, request->class_uid, sizeof guest->class_uid);
    memcpy(guest->instance_uid, request->instance_uid, sizeof guest->instance_uid);
    if (request->instance_uid[0] == '\0' || request->class_uid[0] == '\0')
        return refuse(guest, DICOMNET_STATUS_CANNOT_UNDERSTAND, "no SOP Class or Instance UID");
    if (guest->writer == NULL)
        guest->writer = malloc(sizeof *guest->writer);
    if (guest->writer == NULL)
        return refuse(guest, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES, dicomnet_error_text(-ENOMEM));
    struct part10_meta meta = {.class_uid = request->class_uid,
                               .instance_uid = request->instance_uid,
                               .syntax_uid =
                                   dicomnet_association_find_context(association, context_id)->transfer_syntax,
                               .source_ae = dicomnet_association_calling_ae(association)};
    int error = part10_writer_open(guest->writer, &guest->archive->folder, &meta);
    guest->writing = error == 0;
    return error == 0 ? DICOMNET_STATUS_SUCCESS
                      : refuse(guest, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES, dicomnet_error_text(error));
}

static void take_bytes(void *context, struct dicomnet_span bytes)
{
    struct guest *guest = context;
    part10_writer_append(guest->writer, bytes.data, bytes.len);
}

/* Is what came whole, and what the request says? NULL if not, or if there is no memory: then the status is set. */
static struct instance *look_at_it(struct guest *guest, uint16_t *ret_status, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct instance *instance = NULL;
    enum outcome_reason reason = archive_look_at(guest->archive, guest->writer->temporary_name, guest->class_uid,
                                                 guest->instance_uid, &instance);
    *ret_status = arrival_status(reason, ret_comment);
    return instance;
}

/* It is kept: can it be found? If not, its file goes again. */
static uint16_t index_it(struct guest *guest, const struct instance *instance, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct archive *archive = guest->archive;
    int error = archive_add(archive, guest->writer->final_name, instance);
    if (error == 0)
        return DICOMNET_STATUS_SUCCESS;
    snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "it cannot be indexed: %.40s",
             error == -EIO ? index_problem(archive->index) : dicomnet_error_text(error));
    unlinkat(archive->folder.fd, guest->writer->final_name, 0);
    return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
}

/* The bytes are all there, under a temporary name: only what can be found and sent again gets a final one. */
static uint16_t keep(struct guest *guest, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    uint16_t status = DICOMNET_STATUS_SUCCESS;
    struct instance *instance = NULL;
    /* What could not be written is part10_writer_finish's to tell. */
    if (part10_writer_complete(guest->writer) == 0 && (instance = look_at_it(guest, &status, ret_comment)) == NULL) {
        part10_writer_discard(guest->writer);
        return status;
    }
    int result = part10_writer_finish(guest->writer);
    if (result < 0) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s", dicomnet_error_text(result));
        status = DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    } else if (result == PART10_DIFFERENT) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "another data set with this SOP Instance UID is kept");
        status = DICOMNET_STATUS_DATA_SET_MISMATCH;
    } else if (result == PART10_KEPT) {
        status = index_it(guest, instance, ret_comment);
    }
    instance_destroy(instance);
    return status;
}

static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct guest *guest = context;
    struct archive *archive = guest->archive;
    guest->writing = false;
    uint16_t status = keep(guest, ret_comment);
    if (status != DICOMNET_STATUS_SUCCESS)
        return refuse(guest, status, ret_comment);
    archive->totals.stored++;
    LOG(archive->options.logger, DICOMNET_LOG_DEBUG, EVENT_RECEIVER_STORED, LOG_TEXT("instance", guest->instance_uid),
        LOG_NUMBER("bytes", guest->writer->data_len), LOG_NUMBER("status", status));
    return status;
}

static void cancel(void *context)
{
    struct guest *guest = context;
    if (guest->writing)
        part10_writer_discard(guest->writer);
    guest->writing = false;
}

const struct dicomnet_storage_sink archive_sink = {.begin = begin, .bytes = take_bytes, .end = end, .cancel = cancel};
