/*
 * receiver - see receiver.h.
 *
 * Each association has a `visitor`, which is its provider's context: a guest (serve/guest.h), what its observer is
 * told of it, and what is answered.
 */
#include "serve/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/storage.h"
#include "files/arrival.h"
#include "instance/status_rule.h"
#include "serve/guest.h"
#include "serve/listening.h"
#include "services/storage_faults.h"

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

struct visitor {
    struct guest guest; /* the first member */
    struct receiver *receiver;
    struct receiver_visit visit; /* its association is NULL until it has been made */
    struct dicomnet_storage_provider *provider;
    uint32_t answered; /* instances, for abort_after and stall_after */

    /* Of the current instance. */
    uint16_t status; /* to answer, if keeping it goes well */
    char comment[DICOMNET_COMMENT_SIZE];
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
static void refuse(struct visitor *visitor, uint16_t status, const char *comment)
{
    visitor->status = status;
    snprintf(visitor->comment, sizeof visitor->comment, "%s", comment);
}

static void open_file(struct visitor *visitor, uint8_t context_id, const struct dicomnet_dimse_command *request)
{
    struct receiver *receiver = visitor->receiver;
    const struct receiver_observer *observer = receiver->options.observer;
    char comment[DICOMNET_COMMENT_SIZE];
    uint16_t status = guest_open_file(&visitor->guest, &receiver->folder, context_id, request, comment);
    if (status != DICOMNET_STATUS_SUCCESS)
        refuse(visitor, status, comment);
    else if (observer != NULL && observer->store_replaces != NULL)
        visitor->guest.writer->replace =
            observer->store_replaces(receiver->options.observer_user, request->instance_uid);
}

/* False if the observer does not want it: then the answer is set. */
static bool is_wanted(struct visitor *visitor, const struct dicomnet_dimse_command *request)
{
    const struct receiver_options *options = &visitor->receiver->options;
    char comment[DICOMNET_COMMENT_SIZE] = "";
    if (options->observer == NULL || options->observer->store_asked == NULL)
        return true;
    uint16_t status = options->observer->store_asked(options->observer_user, &visitor->visit, request, comment);
    if (status != DICOMNET_STATUS_SUCCESS)
        refuse(visitor, status, comment);
    return status == DICOMNET_STATUS_SUCCESS;
}

/* Always taken: what is not wanted is dropped when it comes, and refused at its end. */
static uint16_t begin(void *context, struct dicomnet_association *association, uint8_t context_id,
                      const struct dicomnet_dimse_command *request)
{
    struct visitor *visitor = context;
    struct receiver *receiver = visitor->receiver;
    const struct receiver_faults *faults = &receiver->options.faults;
    guest_begin(&visitor->guest, association, request);
    visitor->visit.association = association; /* with receiver_enter it is learnt only here */
    visitor->visit.dropped = 0;
    visitor->status = faults->status;
    receiver->begun++;
    if (faults->fail_every > 0 && receiver->begun % faults->fail_every == 0)
        visitor->status = faults->fail_status;
    visitor->comment[0] = '\0';
    if (is_wanted(visitor, request) && receiver->folder_open &&
        status_rule_judge_status(visitor->status).state != OUTCOME_FAILED)
        open_file(visitor, context_id, request);
    return DICOMNET_STATUS_SUCCESS;
}

static void take_bytes(void *context, struct dicomnet_span bytes)
{
    struct visitor *visitor = context;
    const struct receiver_options *options = &visitor->receiver->options;
    guest_append(&visitor->guest, bytes);
    visitor->visit.dropped = visitor->guest.dropped;
    if (options->observer != NULL && options->observer->store_bytes != NULL)
        options->observer->store_bytes(options->observer_user, &visitor->visit, bytes);
}

/* What came is whole, and what it says it is. */
static enum outcome_reason look_at(void *context, const char *name)
{
    const struct visitor *visitor = context;
    const struct receiver *receiver = visitor->receiver;
    const struct guest *guest = &visitor->guest;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", receiver->options.output_dir, name) < 0)
        return REASON_OUT_OF_MEMORY;
    enum outcome_reason reason = arrival_check_file(receiver->check, path, guest->class_uid, guest->instance_uid, NULL);
    free(path);
    return reason;
}

static uint16_t end(void *context, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct visitor *visitor = context;
    if (visitor->guest.writing) {
        bool is_new;
        char comment[DICOMNET_COMMENT_SIZE];
        uint16_t status =
            guest_keep(&visitor->guest, visitor->receiver->check != NULL ? look_at : NULL, visitor, &is_new, comment);
        if (status != DICOMNET_STATUS_SUCCESS)
            refuse(visitor, status, comment);
    }
    memcpy(ret_comment, visitor->comment, sizeof visitor->comment);
    return visitor->status;
}

static void tell_answer(struct visitor *visitor, uint8_t context_id, struct dicomnet_dimse_command *response)
{
    const struct receiver_options *options = &visitor->receiver->options;
    if (options->observer == NULL || options->observer->store_answered == NULL)
        return;
    struct receiver_answer answer = {
        .response = response,
        .syntax_uid = dicomnet_association_find_context(visitor->guest.association, context_id)->transfer_syntax,
        .bytes = visitor->guest.bytes};
    int error = options->observer->store_answered(options->observer_user, &visitor->visit, &answer);
    if (error == 0)
        return;
    response->status = DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    response->present |= DICOMNET_DIMSE_HAS_ERROR_COMMENT;
    snprintf(response->error_comment, sizeof response->error_comment, "%.64s", dicomnet_error_text(error));
}

/* True if the faults say so: the peer gets no answer. */
static bool is_kept_back(struct visitor *visitor)
{
    const struct receiver_faults *faults = &visitor->receiver->options.faults;
    visitor->answered++;
    if (faults->abort_after > 0 && visitor->answered > faults->abort_after) {
        dicomnet_association_abort(visitor->guest.association, DICOMNET_ERROR_ABORTED_LOCALLY);
        return true;
    }
    return faults->stall_after > 0 && visitor->answered > faults->stall_after;
}

static bool on_answering(void *context, uint8_t context_id, struct dicomnet_dimse_command *response)
{
    struct visitor *visitor = context;
    struct receiver *receiver = visitor->receiver;
    if (is_kept_back(visitor))
        return false;
    tell_answer(visitor, context_id, response);
    if (status_rule_judge_status(response->status).state == OUTCOME_FAILED) {
        receiver->totals.refused++;
        guest_log_refused(receiver->options.logger, response->instance_uid, response->status, response->error_comment);
    } else {
        receiver->totals.stored++;
        receiver->totals.bytes += visitor->guest.bytes;
        guest_log_stored(receiver->options.logger, response->instance_uid, visitor->guest.bytes, response->status);
    }
    visitor->guest.bytes = 0;
    return true;
}

static void cancel(void *context)
{
    struct visitor *visitor = context;
    guest_drop(&visitor->guest);
}

/* ---- one association ---- */

static void free_visitor(struct visitor *visitor)
{
    guest_leave(&visitor->guest);
    free(visitor);
}

static void on_visit_opened(void *context, struct dicomnet_association *association)
{
    struct visitor *visitor = context;
    const struct receiver_options *options = &visitor->receiver->options;
    if (options->observer != NULL && options->observer->association_opened != NULL)
        options->observer->association_opened(options->observer_user, &visitor->visit);
}

static void on_visit_closed(void *context, const struct dicomnet_association_end *how)
{
    struct visitor *visitor = context;
    struct receiver *receiver = visitor->receiver;
    if (receiver->options.observer != NULL && receiver->options.observer->visit_ended != NULL)
        receiver->options.observer->visit_ended(receiver->options.observer_user, &visitor->visit, how);
    receiver->totals.open_associations--;
    free_visitor(visitor);
    free_if_over(receiver);
}

static const struct dicomnet_storage_sink sink = {.opened = on_visit_opened,
                                                  .begin = begin,
                                                  .bytes = take_bytes,
                                                  .end = end,
                                                  .answering = on_answering,
                                                  .cancel = cancel,
                                                  .closed = on_visit_closed};

static const struct dicomnet_association_handler *on_connected(void *user, void **ret_user)
{
    struct receiver *receiver = user;
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return NULL;
    visitor->receiver = receiver;
    const struct dicomnet_storage_provider_options options = {.size = sizeof(struct dicomnet_storage_provider_options),
                                                              .sink = &sink,
                                                              .context = visitor,
                                                              .accept_syntaxes = receiver->options.accept_syntaxes,
                                                              .accept_syntax_count =
                                                                  receiver->options.accept_syntax_count};
    if (dicomnet_storage_provider_create(&visitor->provider, receiver->loop, &options) != 0) {
        free(visitor);
        return NULL;
    }
    storage_provider_delay_responses(visitor->provider, receiver->options.faults.response_delay_ms);
    guest_enter(&visitor->guest, &receiver->guests);
    visitor->visit.number = ++receiver->totals.associations;
    receiver->totals.open_associations++;
    *ret_user = visitor->provider;
    return &dicomnet_storage_provider_handler;
}

static void on_accepted(void *user, void *association_user, struct dicomnet_association *association)
{
    struct receiver *receiver = user;
    struct visitor *visitor = (struct visitor *)guest_accepted(&receiver->guests, association); /* its first member */
    visitor->visit.association = association;
    if (association != NULL)
        return;
    receiver->totals.associations--;
    receiver->totals.open_associations--;
    dicomnet_storage_provider_destroy(association_user);
    free_visitor(visitor);
}

static const struct dicomnet_acceptor_handler acceptor_handler = {.connected = on_connected, .accepted = on_accepted};

/* ---- an association of the caller's ---- */

int receiver_enter(struct receiver *receiver, const struct dicomnet_storage_sink **ret_sink, void **ret_context)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return -ENOMEM;
    visitor->receiver = receiver;
    guest_enter(&visitor->guest, &receiver->guests);
    *ret_sink = &sink;
    *ret_context = visitor;
    return 0;
}

void receiver_leave(struct receiver *receiver, void *context)
{
    free_visitor(context);
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
    if (error == 0 && options->check && (receiver->check = arrival_check_create(NULL)) == NULL) {
        error = -ENOMEM;
        snprintf(ret_problem, problem_size, "%s", dicomnet_error_text(error));
    }
    if (error == 0 && options->acceptor.bind_address != NULL) {
        error = dicomnet_acceptor_open(&receiver->acceptor, loop, &options->acceptor, &acceptor_handler, receiver);
        if (error != 0)
            listening_say_failure(&options->acceptor, error, ret_problem, problem_size);
        else
            acceptor_set_faults(receiver->acceptor, &options->faults.acceptor);
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
