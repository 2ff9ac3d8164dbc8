/* channel_dimse - see channel_dimse.h. */
#include "engine/channel_dimse.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicomnet/storage.h"
#include "dicomnet/uid.h"
#include "engine/study.h"
#include "engine/unsupported.h"

struct dimse_channel {
    struct channel channel;
    const struct channel_handler *handler;
    void *user;
    struct dicomnet_storage_user *storage;
    uint16_t priority;
    struct dicomnet_store stores[]; /* by number */
};

static struct dimse_channel *of(struct channel *channel)
{
    return (struct dimse_channel *)channel;
}

static const struct dimse_channel *of_const(const struct channel *channel)
{
    return (const struct dimse_channel *)channel;
}

/* ---- contexts ---- */

static int find_context(struct channel *base, const char *class_uid, const char *syntax_uid)
{
    const struct dicomnet_association_context *context =
        dicomnet_storage_user_find_context(of(base)->storage, class_uid, syntax_uid);
    return context != NULL ? context->id : CHANNEL_NO_CONTEXT;
}

static bool describe_refusal(const struct channel *base, const struct context_pair *pair, char *ret_text, size_t size)
{
    return unsupported_describe(dicomnet_storage_user_association(of_const(base)->storage), pair, ret_text, size);
}

/* ---- stores ---- */

static bool can_prepare(const struct channel *base)
{
    return dicomnet_storage_user_can_prepare(of_const(base)->storage);
}

static bool can_begin(const struct channel *base)
{
    return dicomnet_storage_user_can_store(of_const(base)->storage);
}

static int prepare(struct channel *base, unsigned number, const struct channel_request *request, uint64_t *ret_read_us)
{
    struct dimse_channel *channel = of(base);
    struct dicomnet_store *store = &channel->stores[number];
    *store = (struct dicomnet_store){.context_id = (uint8_t)request->context,
                                     .priority = channel->priority,
                                     .class_uid = request->class_uid,
                                     .instance_uid = request->instance_uid,
                                     .source = request->source};
    int error = dicomnet_storage_user_prepare(channel->storage, store);
    *ret_read_us = store->read_before_us;
    return error == DICOMNET_ERROR_NOT_OPEN || error == DICOMNET_ERROR_NO_CONTEXT ? DICOMNET_ERROR_BUSY : error;
}

static bool begin(struct channel *base, unsigned number)
{
    struct dimse_channel *channel = of(base);
    return dicomnet_storage_user_store(channel->storage, &channel->stores[number]) == 0;
}

/* This is how a peer that says nothing ends an association: a timeout on this side. */
static bool is_silence(int error)
{
    return error == DICOMNET_ERROR_TIMEOUT_DIMSE || error == DICOMNET_ERROR_TIMEOUT_NETWORK;
}

static void on_done(struct dicomnet_storage_user *storage, void *context, struct dicomnet_store *store)
{
    struct dimse_channel *channel = context;
    const struct channel_answer answer = {.answered = store->answered,
                                          .has_status = !store->status_missing,
                                          .uid_missing = store->uid_missing,
                                          .context_other = store->context_other,
                                          .status = store->status,
                                          .comment = store->comment,
                                          .error = store->error,
                                          .in_doubt = store->all_sent || store->response_came,
                                          .silent = is_silence(store->error),
                                          .source_failed = store->source_failed,
                                          .ended_here = store->error == DICOMNET_ERROR_ABORTED_LOCALLY,
                                          .message_id = store->message_id,
                                          .read_us = store->read_us,
                                          .read_ahead_us = store->read_before_us,
                                          .write_us = store->write_us,
                                          .wait_us = store->wait_us};
    (void)storage;
    channel->handler->done(channel->user, (unsigned)(store - channel->stores), &answer);
}

static void on_ready(struct dicomnet_storage_user *storage, void *context)
{
    struct dimse_channel *channel = context;
    (void)storage;
    channel->handler->ready(channel->user);
}

/* ---- opening and ending ---- */

static void on_opened(struct dicomnet_storage_user *storage, void *context)
{
    struct dimse_channel *channel = context;
    const struct dicomnet_association *association = dicomnet_storage_user_association(storage);
    struct channel_opening opening = {.connect_us = dicomnet_association_connect_us(association),
                                      .negotiate_us = dicomnet_association_negotiate_us(association),
                                      .peer_max_pdu = dicomnet_association_peer_max_pdu(association),
                                      .contexts_proposed = (unsigned)dicomnet_association_context_count(association)};
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++)
        opening.contexts_accepted += dicomnet_association_context(association, i)->result == DICOMNET_CONTEXT_ACCEPTED;
    channel->handler->opened(channel->user, &opening);
}

static void tell_closed(const struct channel_handler *handler, void *user, const struct dicomnet_association_end *end,
                        uint64_t connect_us)
{
    char text[160];
    dicomnet_association_describe_end(end, text, sizeof text);
    handler->closed(user,
                    &(struct channel_end){
                        .source_failed = end->source_failed, .connect_us = connect_us, .text = text, .report = end});
}

static void on_closed(struct dicomnet_storage_user *storage, void *context, const struct dicomnet_association_end *end)
{
    struct dimse_channel *channel = context;
    tell_closed(channel->handler, channel->user, end,
                dicomnet_association_connect_us(dicomnet_storage_user_association(storage)));
    free(channel);
}

static void release(struct channel *base)
{
    dicomnet_storage_user_release(of(base)->storage);
}

static void abort_channel(struct channel *base)
{
    dicomnet_storage_user_abort(of(base)->storage, DICOMNET_ERROR_ABORTED_LOCALLY);
}

static const struct channel_functions functions = {.find_context = find_context,
                                                   .describe_refusal = describe_refusal,
                                                   .can_prepare = can_prepare,
                                                   .can_begin = can_begin,
                                                   .prepare = prepare,
                                                   .begin = begin,
                                                   .release = release,
                                                   .abort = abort_channel};

static const struct dicomnet_storage_user_handler storage_handler = {
    .opened = on_opened, .done = on_done, .ready = on_ready, .closed = on_closed};

/* As pynetdicom proposes them. */
static size_t add_common(struct dicomnet_association_proposal *proposals, size_t count)
{
    for (size_t i = 0; i < DICOMNET_UID_COMMON_STORAGE_COUNT && count < DICOMNET_PDU_CONTEXTS_MAX; i++)
        proposals[count++] = (struct dicomnet_association_proposal){
            .abstract_syntax = dicomnet_uid_common_storage[i],
            .syntax_count = 4,
            .syntaxes = {DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN,
                         DICOMNET_UID_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_EXPLICIT_VR_BIG_ENDIAN}};
    return count;
}

static int open_association(struct dimse_channel *channel, const struct channel_dimse_peer *peer,
                            const struct channel_options *options)
{
    struct dicomnet_association_proposal proposals[DICOMNET_PDU_CONTEXTS_MAX];
    assert(options->pair_count <= DICOMNET_PDU_CONTEXTS_MAX);
    for (size_t i = 0; i < options->pair_count; i++)
        proposals[i] = (struct dicomnet_association_proposal){.abstract_syntax = options->pairs[i]->class_uid,
                                                              .syntax_count = 1,
                                                              .syntaxes = {options->pairs[i]->syntax_uid}};
    size_t count = options->pair_count;
    if (peer->propose_all)
        count = add_common(proposals, count);
    const struct dicomnet_association_options association = {.size = sizeof(struct dicomnet_association_options),
                                                             .parameters = peer->association,
                                                             .proposals = proposals,
                                                             .proposal_count = count,
                                                             .logger = options->logger};
    return dicomnet_storage_user_open(&channel->storage, options->loop, &association, &storage_handler, channel);
}

static struct channel *open_channel(const struct channel_peer *base, const struct channel_options *options)
{
    const struct channel_dimse_peer *peer = (const struct channel_dimse_peer *)base;
    struct dimse_channel *channel =
        calloc(1, sizeof *channel + (base->window + CHANNEL_SPARE) * sizeof channel->stores[0]);
    int error = -ENOMEM;
    if (channel != NULL) {
        channel->channel.functions = &functions;
        channel->handler = options->handler;
        channel->user = options->user;
        channel->priority = peer->priority;
        error = open_association(channel, peer, options);
    }
    if (error == 0)
        return &channel->channel;
    free(channel);
    const struct dicomnet_association_end end = {.kind = DICOMNET_ASSOCIATION_NOT_CONNECTED, .error = error};
    tell_closed(options->handler, options->user, &end, 0);
    return NULL;
}

void channel_dimse_peer_init(struct channel_dimse_peer *peer, const struct dicomnet_association_parameters *association,
                             uint16_t priority)
{
    *peer = (struct channel_dimse_peer){
        .peer = {.window = 1, .open = open_channel}, .association = *association, .priority = priority};
    if (peer->association.window > DICOMNET_STORAGE_WINDOW_MAX)
        peer->association.window = DICOMNET_STORAGE_WINDOW_MAX;
    if (peer->association.window > 1)
        peer->peer.window = peer->association.window;
}
