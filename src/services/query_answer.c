/* query_answer - what the application says to a request that it serves. See dicomnet/query_retrieve.h. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "services/query_provider_private.h"
#include "services/store.h"

static struct dicomnet_query_provider *provider_of(struct dicomnet_query_request *request)
{
    return (struct dicomnet_query_provider *)(void *)((char *)request -
                                                      offsetof(struct dicomnet_query_provider, request));
}

/* Encode the data set of a response. 0 or a negative error. */
static int put_data_set(struct dicomnet_query_provider *provider, struct outgoing *outgoing,
                        const struct dicomnet_identifier *identifier)
{
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(provider->association, provider->context_id);
    size_t size = dicomnet_identifier_encoded_size(identifier);
    int error = buffer_grow(&outgoing->bytes, &outgoing->size, size, DICOMNET_IDENTIFIER_SIZE_MAX);
    if (error != 0)
        return error;
    ssize_t len = dicomnet_identifier_encode(identifier, context->transfer_syntax, outgoing->bytes, size);
    if (len < 0)
        return (int)len;
    outgoing->len = (size_t)len;
    outgoing->has_data_set = true;
    return 0;
}

int dicomnet_query_request_match(struct dicomnet_query_request *request, const struct dicomnet_identifier *match,
                                 uint16_t status)
{
    struct dicomnet_query_provider *provider = provider_of(request);
    assert(request->service == DICOMNET_QUERY_FIND && dicomnet_query_status_is_pending(status));
    if (provider->association == NULL || provider->state != SERVING)
        return DICOMNET_ERROR_NOT_OPEN;
    if (provider->match.waiting || provider->leaving == LEAVING_PENDING)
        return DICOMNET_ERROR_BUSY;
    int error = put_data_set(provider, &provider->match, match);
    if (error != 0)
        return error;
    provider->match.command = dicomnet_dimse_response_to(&provider->command, status);
    provider->match.waiting = true;
    query_provider_pump(provider);
    return 0;
}

void dicomnet_query_request_progress(struct dicomnet_query_request *request, const struct dicomnet_query_counts *counts)
{
    struct dicomnet_query_provider *provider = provider_of(request);
    assert(request->service != DICOMNET_QUERY_FIND);
    if (provider->state != SERVING)
        return;
    provider->progress = *counts;
    provider->progress_waiting = true;
    query_provider_pump(provider);
}

const struct dicomnet_association_context *
dicomnet_query_request_find_context(const struct dicomnet_query_request *request, const char *class_uid,
                                    const char *syntax_uid)
{
    const struct dicomnet_association *association = request->association;
    for (size_t i = 0; i < dicomnet_association_context_count(association); i++) {
        const struct dicomnet_association_context *context = dicomnet_association_context(association, i);
        if (context->result == DICOMNET_CONTEXT_ACCEPTED && (context->roles & DICOMNET_ASSOCIATION_ROLE_USER) != 0 &&
            strcmp(context->abstract_syntax, class_uid) == 0 && strcmp(context->transfer_syntax, syntax_uid) == 0)
            return context;
    }
    return NULL;
}

int dicomnet_query_request_store(struct dicomnet_query_request *request, struct dicomnet_store *store)
{
    struct dicomnet_query_provider *provider = provider_of(request);
    assert(request->service == DICOMNET_QUERY_GET);
    if (provider->association == NULL || provider->state != SERVING)
        return DICOMNET_ERROR_NOT_OPEN;
    if (provider->store != NULL)
        return DICOMNET_ERROR_BUSY;
    if (store == NULL)
        return -EINVAL;
    const struct dicomnet_association_context *context =
        dicomnet_association_find_context(provider->association, store->context_id);
    if (context == NULL || context->result != DICOMNET_CONTEXT_ACCEPTED ||
        (context->roles & DICOMNET_ASSOCIATION_ROLE_USER) == 0)
        return DICOMNET_ERROR_NO_CONTEXT;
    int error = provider->options.handler->stored != NULL ? store_check(store) : -EINVAL;
    if (error != 0)
        return error;
    store_reset(store, operations_next_message_id(&provider->operations));
    provider->store = store;
    provider->operation.message_id = store->message_id;
    provider->operation.field = DICOMNET_DIMSE_C_STORE_RQ;
    operations_wait(&provider->operations, &provider->operation);
    query_provider_pump(provider);
    return 0;
}

void dicomnet_query_request_finish(struct dicomnet_query_request *request, uint16_t status,
                                   const struct dicomnet_query_finish *finish)
{
    struct dicomnet_query_provider *provider = provider_of(request);
    assert(!dicomnet_query_status_is_pending(status));
    if (provider->state != SERVING)
        return;
    query_provider_put_final(provider, status, finish != NULL ? finish->comment : NULL);
    if (finish != NULL && finish->counts != NULL)
        query_provider_put_counts(&provider->final.command, finish->counts, status == DICOMNET_STATUS_CANCEL);
    /* If there is no memory for the list, the response goes out without it. */
    if (finish != NULL && finish->failed != NULL && provider->association != NULL)
        (void)!put_data_set(provider, &provider->final, finish->failed);
    query_provider_pump(provider);
}
