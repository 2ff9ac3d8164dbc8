/*
 * receiver - see receiver.h.
 *
 * Each association has a `guest`: its provider's context, its place in the list of open ones, and, while an instance
 * comes in, the file it is written to.
 */
#include "engine/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "catalog/part10_writer.h"
#include "dicomnet/log.h"
#include "dicomnet/storage.h"
#include "engine/policy.h"

struct receiver {
    struct receiver_options options;
    struct uv_loop_s *loop;
    struct acceptor *acceptor;
    struct part10_folder folder;
    bool folder_open;
    struct list guests;
    struct receiver_totals totals;
    bool closing;
    void (*closed)(void *user);
    void *closed_user;
};

struct guest {
    struct list_node node;
    struct receiver *receiver;
    struct association *association; /* NULL until it has been made */
    struct storage_provider *provider;
    char instance_uid[UID_SIZE];
    uint64_t bytes;               /* of the current instance */
    struct part10_writer *writer; /* NULL if nothing is kept */
    bool writing;
};

static void free_if_over(struct receiver *receiver)
{
    if (!receiver->closing || !list_is_empty(&receiver->guests))
        return;
    if (receiver->folder_open)
        part10_folder_close(&receiver->folder);
    if (receiver->closed != NULL)
        receiver->closed(receiver->closed_user);
    free(receiver);
}

/* ---- one instance ---- */

static uint16_t begin(void *context, struct association *association, uint8_t context_id,
                      const struct dimse_command *request)
{
    struct guest *guest = context;
    const struct receiver_options *options = &guest->receiver->options;
    const struct association_context *accepted = association_find_context(association, context_id);
    guest->bytes = 0;
    memcpy(guest->instance_uid, request->instance_uid, sizeof guest->instance_uid);
    if (guest->writer == NULL || policy_judge_status(options->status).state == OUTCOME_FAILED)
        return STATUS_SUCCESS; /* the bytes are counted and dropped */
    if (request->instance_uid[0] == '\0' || request->class_uid[0] == '\0')
        return STATUS_CANNOT_UNDERSTAND;
    struct part10_meta meta = {.class_uid = request->class_uid,
                               .instance_uid = request->instance_uid,
                               .syntax_uid = accepted->transfer_syntax,
                               .source_ae = association_calling_ae(association)};
    int error = part10_writer_open(guest->writer, &guest->receiver->folder, &meta);
    guest->writing = error == 0;
    if (error == 0)
        return STATUS_SUCCESS;
    LOG(options->logger, LOG_WARN, LOG_RECEIVER_REFUSED, LOG_TEXT("instance", guest->instance_uid),
        LOG_NUMBER("status", STATUS_REFUSED_OUT_OF_RESOURCES), LOG_TEXT("text", error_text(error)));
    guest->receiver->totals.refused++;
    return STATUS_REFUSED_OUT_OF_RESOURCES;
}

static void take_bytes(void *context, struct span bytes)
{
    struct guest *guest = context;
    guest->bytes += bytes.len;
    if (guest->writing)
        part10_writer_append(guest->writer, bytes.data, bytes.len);
}

/* Keep the file; the status to answer if that went well is `status`. */
static uint16_t keep(struct guest *guest, uint16_t status, char ret_comment[65])
{
    int result = part10_writer_finish(guest->writer);
    guest->writing = false;
    if (result == PART10_KEPT || result == PART10_IDENTICAL)
        return status;
    if (result == PART10_DIFFERENT) {
        snprintf(ret_comment, 65, "another data set with this SOP Instance UID is kept");
        return STATUS_DATA_SET_MISMATCH;
    }
    snprintf(ret_comment, 65, "%.64s", error_text(result));
    return STATUS_REFUSED_OUT_OF_RESOURCES;
}

static uint16_t end(void *context, char ret_comment[65])
{
    struct guest *guest = context;
    struct receiver *receiver = guest->receiver;
    uint16_t status = receiver->options.status;
    if (guest->writing)
        status = keep(guest, status, ret_comment);
    if (policy_judge_status(status).state == OUTCOME_FAILED) {
        receiver->totals.refused++;
        LOG(receiver->options.logger, LOG_WARN, LOG_RECEIVER_REFUSED, LOG_TEXT("instance", guest->instance_uid),
            LOG_NUMBER("status", status), LOG_TEXT("text", ret_comment));
    } else {
        receiver->totals.stored++;
        receiver->totals.bytes += guest->bytes;
        LOG(receiver->options.logger, LOG_DEBUG, LOG_RECEIVER_STORED, LOG_TEXT("instance", guest->instance_uid),
            LOG_NUMBER("bytes", guest->bytes), LOG_NUMBER("status", status));
    }
    return status;
}

static void cancel(void *context)
{
    struct guest *guest = context;
    if (guest->writing)
        part10_writer_discard(guest->writer);
    guest->writing = false;
}

/* ---- one association ---- */

static void free_guest(struct guest *guest)
{
    list_remove(&guest->node);
    free(guest->writer);
    free(guest);
}

static void on_guest_closed(void *context, const struct association_end *how)
{
    (void)how;
    struct guest *guest = context;
    struct receiver *receiver = guest->receiver;
    receiver->totals.open_associations--;
    acceptor_association_ended(receiver->acceptor);
    free_guest(guest);
    free_if_over(receiver);
}

static const struct storage_sink sink = {
    .begin = begin, .bytes = take_bytes, .end = end, .cancel = cancel, .closed = on_guest_closed};

static const struct association_handler *on_connected(void *user, void **ret_user)
{
    struct receiver *receiver = user;
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL)
        return NULL;
    guest->receiver = receiver;
    struct storage_provider_options options = {
        .sink = &sink, .context = guest, .response_delay_ms = receiver->options.response_delay_ms};
    guest->provider = storage_provider_create(receiver->loop, &options);
    if (receiver->folder_open)
        guest->writer = malloc(sizeof *guest->writer);
    list_append(&receiver->guests, &guest->node);
    if (guest->provider == NULL || (receiver->folder_open && guest->writer == NULL)) {
        storage_provider_destroy(guest->provider);
        free_guest(guest);
        return NULL;
    }
    receiver->totals.associations++;
    receiver->totals.open_associations++;
    *ret_user = guest->provider;
    return &storage_provider_handler;
}

static void on_accepted(void *user, void *association_user, struct association *association)
{
    struct receiver *receiver = user;
    struct guest *guest = list_entry(receiver->guests.head.prev, struct guest, node);
    guest->association = association;
    if (association != NULL)
        return;
    receiver->totals.associations--;
    receiver->totals.open_associations--;
    storage_provider_destroy(association_user);
    free_guest(guest);
}

static const struct acceptor_handler acceptor_handler = {.connected = on_connected, .accepted = on_accepted};

/* ---- the whole ---- */

int receiver_open(struct receiver **ret_receiver, struct uv_loop_s *loop, const struct receiver_options *options)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL)
        return -ENOMEM;
    receiver->options = *options;
    receiver->loop = loop;
    list_init(&receiver->guests);
    int error = 0;
    if (options->output_dir != NULL) {
        error = part10_folder_open(&receiver->folder, options->output_dir, options->sync);
        receiver->folder_open = error == 0;
    }
    if (error == 0)
        error = acceptor_open(&receiver->acceptor, loop, &options->acceptor, &acceptor_handler, receiver);
    if (error != 0) {
        if (receiver->folder_open)
            part10_folder_close(&receiver->folder);
        free(receiver);
        return error;
    }
    *ret_receiver = receiver;
    return 0;
}

uint16_t receiver_port(const struct receiver *receiver)
{
    return acceptor_port(receiver->acceptor);
}

const struct receiver_totals *receiver_totals(const struct receiver *receiver)
{
    return &receiver->totals;
}

void receiver_close(struct receiver *receiver, void (*closed)(void *user), void *user)
{
    receiver->closing = true;
    receiver->closed = closed;
    receiver->closed_user = user;
    acceptor_close(receiver->acceptor);
    for (struct list_node *node = list_first(&receiver->guests); node != NULL;
         node = list_next(&receiver->guests, node))
        association_abort(list_entry(node, struct guest, node)->association, ERROR_ABORTED_LOCALLY);
    free_if_over(receiver);
}
