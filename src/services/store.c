/* store - see services/store.h. */
#include "services/store.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "dicomnet/data_source.h"

/* A copy of what fits. Several for each store: snprintf would cost as much as all else that is done here. */
static void copy_text(char *ret_text, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);
    memcpy(ret_text, text, len);
    ret_text[len] = '\0';
}

static bool fits(const char *text, size_t size)
{
    return text != NULL && strnlen(text, size) < size;
}

int store_check(const struct dicomnet_store *store)
{
    if (store == NULL || store->source == NULL || store->source->read == NULL)
        return -EINVAL;
    bool names_fit = fits(store->class_uid, DICOMNET_UID_SIZE) && fits(store->instance_uid, DICOMNET_UID_SIZE);
    bool originator_fits = store->originator_ae == NULL || fits(store->originator_ae, DICOMNET_AE_SIZE);
    return names_fit && originator_fits ? 0 : -EINVAL;
}

void store_reset(struct dicomnet_store *store, uint16_t message_id)
{
    store->message_id = message_id;
    store->answered = store->source_failed = store->all_sent = store->uid_missing = store->response_came = false;
    store->status_missing = store->context_other = false;
    store->status = 0;
    store->error = 0;
    store->comment[0] = '\0';
    store->read_us = store->write_us = store->wait_us = store->read_before_us = 0;
    store->begun_us = clock_monotonic_us();
}

struct dicomnet_dimse_command store_request(const struct dicomnet_store *store)
{
    struct dicomnet_dimse_command request = {.present = DICOMNET_DIMSE_HAS_CLASS_UID | DICOMNET_DIMSE_HAS_INSTANCE_UID |
                                                        DICOMNET_DIMSE_HAS_MESSAGE_ID | DICOMNET_DIMSE_HAS_PRIORITY,
                                             .field = DICOMNET_DIMSE_C_STORE_RQ,
                                             .message_id = store->message_id,
                                             .priority = store->priority};
    copy_text(request.class_uid, sizeof request.class_uid, store->class_uid);
    copy_text(request.instance_uid, sizeof request.instance_uid, store->instance_uid);
    if (store->originator_ae != NULL) {
        request.present |= DICOMNET_DIMSE_HAS_ORIGINATOR_AE | DICOMNET_DIMSE_HAS_ORIGINATOR_ID;
        copy_text(request.originator_ae, sizeof request.originator_ae, store->originator_ae);
        request.originator_id = store->originator_id;
    }
    return request;
}

static bool is_same_class(const struct dicomnet_association *association, uint8_t one_id, uint8_t other_id)
{
    const struct dicomnet_association_context *one = dicomnet_association_find_context(association, one_id);
    const struct dicomnet_association_context *other = dicomnet_association_find_context(association, other_id);
    return one != NULL && other != NULL && strcmp(one->abstract_syntax, other->abstract_syntax) == 0;
}

bool store_matches(const struct dicomnet_store *store, const struct dicomnet_association *association, bool alone,
                   uint8_t context_id, const struct dicomnet_dimse_command *response)
{
    if (store == NULL || store->response_came)
        return false;
    bool uid_given = response->instance_uid[0] != '\0';
    bool cut = (response->cut & DICOMNET_DIMSE_HAS_INSTANCE_UID) != 0;
    if (uid_given && (cut || strcmp(response->instance_uid, store->instance_uid) != 0))
        return false;
    if (store->context_id == context_id)
        return true;
    return alone && is_same_class(association, store->context_id, context_id);
}

void store_take_sent(struct dicomnet_store *store, const struct dicomnet_association *association, uint64_t sent_us)
{
    store->read_us = dicomnet_association_read_us(association);
    store->write_us = sent_us - store->begun_us - (store->read_us - store->read_before_us);
    store->all_sent = true;
}

void store_take_response(struct dicomnet_store *store, uint8_t context_id,
                         const struct dicomnet_dimse_command *response)
{
    store->response_came = true;
    store->context_other = store->context_id != context_id;
    store->uid_missing = response->instance_uid[0] == '\0';
    store->status_missing = (response->present & DICOMNET_DIMSE_HAS_STATUS) == 0;
    store->status = store->status_missing ? DICOMNET_STATUS_PROCESSING_FAILURE : response->status;
    copy_text(store->comment, sizeof store->comment, response->error_comment);
}

void store_finish(struct dicomnet_store *store, uint64_t sent_us, uint64_t now_us)
{
    store->answered = true;
    store->wait_us = now_us > sent_us ? now_us - sent_us : 0;
}
