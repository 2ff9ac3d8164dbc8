/*
 * receiver - see receiver.h.
 *
 * Each association has a `guest`: its provider's context, its place in the list of open ones, and, while an instance
 * comes in, the file it is written to.
 */
#include "serve/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "dicomnet/storage.h"
#include "files/arrival.h"
#include "files/part10_writer.h"
#include "instance/status_rule.h"
#include "serve/allowed.h"

struct receiver {
    struct receiver_options options;
    struct uv_loop_s *loop;
    struct dicomnet_acceptor *acceptor;
    struct part10_folder folder;
    bool folder_open;
    struct arrival_check *check; /* NULL if nothing is looked at */
    struct list guests;
    struct receiver_totals totals;
    uint64_t begun; /* instances, for fail_every */
    bool closing;
    void (*closed)(void *user);
    void *closed_user;
};

struct guest {
    struct list_node node;
    struct receiver *receiver;
    struct receiver_visit visit;              /* its association is NULL until it has been made */
    struct dicomnet_association *association; /* as that one */
    struct dicomnet_storage_provider *provider;
    struct part10_writer *writer; /* NULL if nothing is kept */
    uint32_t answered;            /* instances, for abort_after and stall_after */

    /* Of the current instance. */
    char class_uid[DICOMNET_UID_SIZE], instance_uid[DICOMNET_UID_SIZE];
    uint16_t status; /* to answer, if keeping it goes well */
    char comment[DICOMNET_COMMENT_SIZE];
    uint64_t bytes;
    bool writing;
};

static void free_receiver(struct receiver *receiver)
{
    if (receiver->folder_open)
        part10_folder_close(&receiver->folder);
    arrival_check_destroy(receiver->check);
    free(receiver);
}

static void free_if_over(struct receiver *receiver)
{
    if (!receiver->closing || !list_is_empty(&receiver->guests))
        return;
    if (receiver->closed != NULL)
        receiver->closed(receiver->closed_user);
    free_receiver(receiver);
}

/* ---- one instance ---- */

/* It will not be kept; its data set still comes and is dropped. */
static void refuse(struct guest *guest, uint16_t status, const char *comment)
{
    guest->status = status;
    snprintf(guest->comment, sizeof guest->comment, "%s", comment);
}

static void open_file(struct guest *guest, uint8_t context_id, const struct dicomnet_dimse_command *request)
{
    struct part10_meta meta = {.class_uid = request->class_uid,
                               .instance_uid = request->instance_uid,
                               .syntax_uid =
                                   dicomnet_association_find_context(guest->association, context_id)->transfer_syntax,
                               .source_ae = dicomnet_association_calling_ae(guest->association)};
    int error = part10_writer_open(guest->writer, &guest->receiver->folder, &meta);
    const struct receiver_observer *observer = guest->receiver->options.observer;
    guest->writing = error == 0;
    guest->visit.dropped = 0;
    guest->writer->replace = observer != NULL && observer->store_replaces != NULL &&
                             observer->store_replaces(guest->receiver->options.observer_user, request->instance_uid);
    if (error != 0)
        refuse(guest, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES, dicomnet_error_text(error));
}

/* False if the observer does not want it: then the answer is set. */
static bool is_wanted(struct guest *guest, const struct dicomnet_dimse_command *request)
{
    const struct receiver_options *options = &guest->receiver->options;
    char comment[DICOMNET_COMMENT_SIZE] = "";
    if (options->observer == NULL || options->observer->store_asked == NULL)
        return true;
    uint16_t status = options->observer->store_asked(options->observer_user, &guest->visit, request, comment);
    if (status != DICOMNET_STATUS_SUCCESS)
        refuse(guest, status, comment);
    return status == DICOMNET_STATUS_SUCCESS;
}

static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                      const struct dicomnet_dimse_command *request)
{
    struct guest *guest = context;
    const struct receiver_faults *faults = &guest->receiver->options.faults;
    guest->association = association; /* a guest that entered learns it only here */
    guest->visit.association = association;
    guest->status = faults->status;
    guest->receiver->begun++;
    if (faults->fail_every > 0 && guest->receiver->begun % faults->fail_every == 0)
        guest->status = faults->fail_status;
    guest->comment[0] = '\0';
    memcpy(guest->class_uid, request->class_uid, sizeof guest->class_uid);
    memcpy(guest->instance_uid, request->instance_uid, sizeof guest->instance_uid);
    if (!is_wanted(guest, request))
        return DICOMNET_STATUS_SUCCESS; /* its data set is dropped, and then it is refused */
    if (guest->writer == NULL || policy_judge_status(guest->status).state == OUTCOME_FAILED)
        return DICOMNET_STATUS_SUCCESS; /* the bytes are counted and dropped */
    if (request->instance_uid[0] == '\0' || request->class_uid[0] == '\0' ||
        (request->cut & (DICOMNET_DIMSE_HAS_INSTANCE_UID | DICOMNET_DIMSE_HAS_CLASS_UID)) != 0)
        refuse(guest, DICOMNET_STATUS_CANNOT_UNDERSTAND, "no SOP Class or Instance UID, or one that is too long");
    else
        open_file(guest, context_id, request);
    return DICOMNET_STATUS_SUCCESS;
}

static void take_bytes(void *context, struct dicomnet_span bytes)
{
    struct guest *guest = context;
    const struct receiver_options *options = &guest->receiver->options;
    guest->bytes += bytes.len;
    if (guest->writing)
        part10_writer_append(guest->writer, bytes.data, bytes.len);
    if (guest->writing && guest->writer->error != 0)
        guest->visit.dropped += bytes.len;
    if (options->observer != NULL && options->observer->store_bytes != NULL)
        options->observer->store_bytes(options->observer_user, &guest->visit, bytes);
}

/* What came is whole, and what it says it is. If not, its file is dropped and the answer is set. */
static bool is_sound(struct guest *guest)
{
    struct receiver *receiver = guest->receiver;
    char *path = NULL;
    char comment[DICOMNET_COMMENT_SIZE];
    enum outcome_reason reason = REASON_OUT_OF_MEMORY;
    /* What could not be written is part10_writer_finish's to tell. */
    if (receiver->check == NULL || part10_writer_complete(guest->writer) != 0)
        return true;
    if (asprintf(&path, "%s/%s", receiver->options.output_dir, guest->writer->temporary_name) >= 0)
        reason = arrival_check_file(receiver->check, path, guest->class_uid, guest->instance_uid);
    free(path);
    if (reason == REASON_NONE)
        return true;
    part10_writer_discard(guest->writer);
    uint16_t status = arrival_status(reason, comment);
    refuse(guest, status, comment);
    return false;
}

static void keep(struct guest *guest)
{
    guest->writing = false;
    if (!is_sound(guest))
        return;
    int result = part10_writer_finish(guest->writer);
    if (result == PART10_DIFFERENT)
        refuse(guest, DICOMNET_STATUS_DATA_SET_MISMATCH, "another data set with this SOP Instance UID is kept");
    else if (result < 0)
        refuse(guest, DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES, dicomnet_error_text(result));
}

static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct guest *guest = context;
    if (guest->writing)
        keep(guest);
    memcpy(ret_comment, guest->comment, sizeof guest->comment);
    return guest->status;
}

static void tell_answer(struct guest *guest, uint8_t context_id, struct dicomnet_dimse_command *response)
{
    const struct receiver_options *options = &guest->receiver->options;
    if (options->observer == NULL || options->observer->store_answered == NULL)
        return;
    struct receiver_answer answer = {
        .response = response,
        .syntax_uid = dicomnet_association_find_context(guest->association, context_id)->transfer_syntax,
        .bytes = guest->bytes};
    int error = options->observer->store_answered(options->observer_user, &guest->visit, &answer);
    if (error == 0)
        return;
    response->status = DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    response->present |= DICOMNET_DIMSE_HAS_ERROR_COMMENT;
    snprintf(response->error_comment, sizeof response->error_comment, "%.64s", dicomnet_error_text(error));
}

/* True if the faults say so: the peer gets no answer. */
static bool is_kept_back(struct guest *guest)
{
    const struct receiver_faults *faults = &guest->receiver->options.faults;
    guest->answered++;
    if (faults->abort_after > 0 && guest->answered > faults->abort_after) {
        dicomnet_association_abort(guest->association, DICOMNET_ERROR_ABORTED_LOCALLY);
        return true;
    }
    return faults->stall_after > 0 && guest->answered > faults->stall_after;
}

static bool on_answering(void *context, uint8_t context_id, struct dicomnet_dimse_command *response)
{
    struct guest *guest = context;
    struct receiver *receiver = guest->receiver;
    if (is_kept_back(guest))
        return false;
    tell_answer(guest, context_id, response);
    if (policy_judge_status(response->status).state == OUTCOME_FAILED) {
        receiver->totals.refused++;
        LOG(receiver->options.logger, DICOMNET_LOG_WARN, EVENT_RECEIVER_REFUSED,
            LOG_TEXT("instance", response->instance_uid), LOG_NUMBER("status", response->status),
            LOG_TEXT("text", response->error_comment));
    } else {
        receiver->totals.stored++;
        receiver->totals.bytes += guest->bytes;
        LOG(receiver->options.logger, DICOMNET_LOG_DEBUG, EVENT_RECEIVER_STORED,
            LOG_TEXT("instance", response->instance_uid), LOG_NUMBER("bytes", guest->bytes),
            LOG_NUMBER("status", response->status));
    }
    guest->bytes = 0;
    return true;
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

static void on_guest_opened(void *context, struct dicomnet_association *association)
{
    struct guest *guest = context;
    const struct receiver_options *options = &guest->receiver->options;
    if (options->observer != NULL && options->observer->association_opened != NULL)
        options->observer->association_opened(options->observer_user, &guest->visit);
}

static void on_guest_closed(void *context, const struct dicomnet_association_end *how)
{
    struct guest *guest = context;
    struct receiver *receiver = guest->receiver;
    if (receiver->options.observer != NULL && receiver->options.observer->visit_ended != NULL)
        receiver->options.observer->visit_ended(receiver->options.observer_user, &guest->visit, how);
    receiver->totals.open_associations--;
    free_guest(guest);
    free_if_over(receiver);
}

/* The association's request has come: is its peer one of those that may be here? */
static bool is_welcome(void *context, const struct dicomnet_association *association)
{
    const struct guest *guest = context;
    const struct allowed *allowed = guest->receiver->options.allowed;
    return allowed == NULL ||
           allowed_has(allowed, dicomnet_association_calling_ae(association), dicomnet_association_peer(association));
}

static const struct dicomnet_storage_sink sink = {.opened = on_guest_opened,
                                                  .begin = begin,
                                                  .bytes = take_bytes,
                                                  .end = end,
                                                  .answering = on_answering,
                                                  .cancel = cancel,
                                                  .closed = on_guest_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    struct receiver *receiver = user;
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL)
        return NULL;
    guest->receiver = receiver;
    struct dicomnet_storage_provider_options options = {.sink = &sink,
                                                        .context = guest,
                                                        .welcome = is_welcome,
                                                        .response_delay_ms =
                                                            receiver->options.faults.response_delay_ms};
    guest->provider = dicomnet_storage_provider_create(receiver->loop, &options);
    if (receiver->folder_open)
        guest->writer = malloc(sizeof *guest->writer);
    list_append(&receiver->guests, &guest->node);
    if (guest->provider == NULL || (receiver->folder_open && guest->writer == NULL)) {
        dicomnet_storage_provider_destroy(guest->provider);
        free_guest(guest);
        return NULL;
    }
    guest->visit.number = ++receiver->totals.associations;
    receiver->totals.open_associations++;
    *ret_user = guest->provider;
    return &dicomnet_storage_provider_handler;
}

static void on_accepted(void *user, void *association_user, struct dicomnet_association *association)
{
    struct receiver *receiver = user;
    struct guest *guest = list_entry(receiver->guests.head.prev, struct guest, node);
    guest->association = association;
    guest->visit.association = association;
    if (association != NULL)
        return;
    receiver->totals.associations--;
    receiver->totals.open_associations--;
    dicomnet_storage_provider_destroy(association_user);
    free_guest(guest);
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected, .accepted = on_accepted};

/* ---- an association of the caller's ---- */

int receiver_enter(struct receiver *receiver, const struct dicomnet_storage_sink **ret_sink, void **ret_context)
{
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL)
        return -ENOMEM;
    guest->receiver = receiver;
    if (receiver->folder_open && (guest->writer = malloc(sizeof *guest->writer)) == NULL) {
        free(guest);
        return -ENOMEM;
    }
    list_append(&receiver->guests, &guest->node);
    *ret_sink = &sink;
    *ret_context = guest;
    return 0;
}

void receiver_leave(struct receiver *receiver, void *context)
{
    free_guest(context);
    free_if_over(receiver);
}

/* ---- the whole ---- */

int receiver_open(struct receiver **ret_receiver, struct uv_loop_s *loop, const struct receiver_options *options,
                  char *ret_problem, size_t problem_size)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) {
        snprintf(ret_problem, problem_size, "%s", dicomnet_error_text(-ENOMEM));
        return -ENOMEM;
    }
    receiver->options = *options;
    receiver->loop = loop;
    list_init(&receiver->guests);
    int error = 0;
    if (options->output_dir != NULL) {
        error = part10_folder_open(&receiver->folder, options->output_dir, options->sync);
        receiver->folder_open = error == 0;
        receiver->folder.mode = options->mode;
        receiver->folder.keep_free = options->keep_free;
        if (error != 0)
            snprintf(ret_problem, problem_size, "%s: %s", options->output_dir, dicomnet_error_text(error));
    }
    if (error == 0 && options->check && (receiver->check = arrival_check_create()) == NULL) {
        error = -ENOMEM;
        snprintf(ret_problem, problem_size, "%s", dicomnet_error_text(error));
    }
    if (error == 0 && options->acceptor.bind_address != NULL) {
        error = dicomnet_acceptor_open(&receiver->acceptor, loop, &options->acceptor, &acceptor_handler, receiver);
        if (error != 0)
            snprintf(ret_problem, problem_size, "%s:%u: %s", options->acceptor.bind_address, options->acceptor.port,
                     dicomnet_error_text(error));
    }
    if (error != 0) {
        free_receiver(receiver);
        return error;
    }
    *ret_receiver = receiver;
    return 0;
}

uint16_t receiver_port(const struct receiver *receiver)
{
    return dicomnet_acceptor_port(receiver->acceptor);
}

bool receiver_has(const struct receiver *receiver, const char *instance_uid)
{
    return receiver->folder_open && part10_folder_has(&receiver->folder, instance_uid);
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
    if (receiver->acceptor != NULL)
        dicomnet_acceptor_close(receiver->acceptor);
    free_if_over(receiver);
}
