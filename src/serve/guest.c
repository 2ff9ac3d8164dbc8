/* guest - see guest.h. */
#include "serve/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/status.h"
#include "files/arrival.h"
#include "instance/event.h"

void guest_enter(struct guest *guest, struct list *guests)
{
    list_append(guests, &guest->node);
}

struct guest *guest_accepted(struct list *guests, struct dicomnet_association *association)
{
    struct guest *guest = list_entry(guests->head.prev, struct guest, node);
    guest->association = association;
    return guest;
}

void guest_leave(struct guest *guest)
{
    guest_drop(guest);
    list_remove(&guest->node);
    free(guest->writer);
    guest->writer = NULL;
}

/* ---- one instance ---- */

void guest_begin(struct guest *guest, struct dicomnet_association *association,
                 const struct dicomnet_dimse_command *request)
{
    guest->association = association;
    guest->bytes = guest->dropped = 0;
    memcpy(guest->class_uid, request->class_uid, sizeof guest->class_uid);
    memcpy(guest->instance_uid, request->instance_uid, sizeof guest->instance_uid);
}

static int open_writer(struct guest *guest, struct part10_folder *folder, uint8_t context_id)
{
    const struct meta_header meta = {
        .class_uid = guest->class_uid,
        .instance_uid = guest->instance_uid,
        .syntax_uid = dicomnet_association_find_context(guest->association, context_id)->transfer_syntax,
        .source_ae = dicomnet_association_calling_ae(guest->association)};
    if (guest->writer == NULL)
        guest->writer = malloc(sizeof *guest->writer);
    return guest->writer != NULL ? part10_writer_open(guest->writer, folder, &meta) : -ENOMEM;
}

uint16_t guest_open_file(struct guest *guest, struct part10_folder *folder, uint8_t context_id,
                         const struct dicomnet_dimse_command *request, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    if (request->instance_uid[0] == '\0' || request->class_uid[0] == '\0' ||
        (request->cut & (DICOMNET_DIMSE_HAS_INSTANCE_UID | DICOMNET_DIMSE_HAS_CLASS_UID)) != 0) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "no SOP Class or Instance UID, or one that is too long");
        return DICOMNET_STATUS_CANNOT_UNDERSTAND;
    }
    int error = open_writer(guest, folder, context_id);
    guest->writing = error == 0;
    if (error == 0)
        return DICOMNET_STATUS_SUCCESS;
    snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s", dicomnet_error_text(error));
    return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
}

void guest_append(struct guest *guest, struct dicomnet_span bytes)
{
    guest->bytes += bytes.len;
    if (!guest->writing)
        return;
    part10_writer_append(guest->writer, bytes.data, bytes.len);
    if (guest->writer->error != 0)
        guest->dropped += bytes.len;
}

uint16_t guest_keep(struct guest *guest, enum outcome_reason (*look)(void *context, const char *name), void *context,
                    bool *ret_new, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    enum outcome_reason reason = REASON_NONE;
    guest->writing = false;
    *ret_new = false;
    /* What could not be written is part10_writer_finish's to tell. */
    if (look != NULL && part10_writer_complete(guest->writer) == 0)
        reason = look(context, guest->writer->temporary_name);
    if (reason != REASON_NONE) {
        part10_writer_discard(guest->writer);
        return arrival_status(reason, ret_comment);
    }
    int result = part10_writer_finish(guest->writer);
    if (result < 0) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s", dicomnet_error_text(result));
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    }
    if (result == PART10_DIFFERENT) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "another data set with this SOP Instance UID is kept");
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    }
    *ret_new = result == PART10_KEPT;
    return DICOMNET_STATUS_SUCCESS;
}

void guest_drop(struct guest *guest)
{
    if (guest->writing)
        part10_writer_discard(guest->writer);
    guest->writing = false;
}

/* ---- what is said of it ---- */

void guest_log_stored(const struct dicomnet_logger *logger, const char *instance_uid, uint64_t bytes, uint16_t status)
{
    LOG(logger, DICOMNET_LOG_DEBUG, EVENT_RECEIVER_STORED, LOG_TEXT("instance", instance_uid),
        LOG_NUMBER("bytes", bytes), LOG_NUMBER("status", status));
}

void guest_log_refused(const struct dicomnet_logger *logger, const char *instance_uid, uint16_t status,
                       const char *text)
{
    LOG(logger, DICOMNET_LOG_WARN, EVENT_RECEIVER_REFUSED, LOG_TEXT("instance", instance_uid),
        LOG_NUMBER("status", status), LOG_TEXT("text", text));
}
