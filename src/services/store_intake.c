/* store_intake - see services/store_intake.h. */
#include "services/store_intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* ---- responses ---- */

/* Double the places of the ring, and move the responses to its beginning. 0 or -ENOMEM. */
static int grow_ring(struct store_intake *intake)
{
    enum { SIZE_FIRST = 4 };
    unsigned size = intake->size == 0 ? SIZE_FIRST : 2 * intake->size;
    if (size > STORE_INTAKE_RESPONSES_MAX)
        size = STORE_INTAKE_RESPONSES_MAX;
    struct store_response *responses = malloc(size * sizeof *responses);
    if (responses == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < intake->count; i++)
        responses[i] = intake->responses[(intake->first + i) % intake->size];
    free(intake->responses);
    intake->responses = responses;
    intake->size = size;
    intake->first = 0;
    return 0;
}

void store_intake_respond(struct store_intake *intake, uint8_t context_id, const struct dicomnet_dimse_command *command,
                          uint32_t delay_ms)
{
    if (intake->count == STORE_INTAKE_RESPONSES_MAX) {
        dicomnet_association_abort(intake->association, DICOMNET_ERROR_DIMSE_UNEXPECTED);
        return;
    }
    int error = intake->count == intake->size ? grow_ring(intake) : 0;
    if (error != 0) {
        dicomnet_association_abort(intake->association, error);
        return;
    }
    struct store_response *response = &intake->responses[(intake->first + intake->count) % intake->size];
    response->due_us = delay_ms > 0 ? clock_monotonic_us() + (uint64_t)delay_ms * 1000 : 0;
    response->context_id = context_id;
    response->command = *command;
    intake->count++;
}

bool store_intake_send(struct store_intake *intake, uint64_t *ret_wait_us)
{
    *ret_wait_us = 0;
    if (intake->count == 0 || !dicomnet_association_can_send(intake->association))
        return false;
    struct store_response *response = &intake->responses[intake->first];
    uint64_t now_us = response->due_us > 0 ? clock_monotonic_us() : 0;
    if (response->due_us > now_us) {
        *ret_wait_us = response->due_us - now_us;
        return false;
    }
    intake->first = (intake->first + 1) % intake->size;
    intake->count--;
    return dicomnet_association_send(intake->association, response->context_id, &response->command, NULL) == 0;
}

/* ---- requests ---- */

static void end_message(struct store_intake *intake, const struct dicomnet_dimse_command *request)
{
    uint16_t status = intake->refused_status;
    char comment[DICOMNET_COMMENT_SIZE] = "";
    intake->in_message = false;
    if (status == DICOMNET_STATUS_SUCCESS)
        status = intake->sink->end(intake->context, comment);
    else if (intake->refused_comment != NULL)
        snprintf(comment, sizeof comment, "%s", intake->refused_comment);
    struct dicomnet_dimse_command response = dicomnet_dimse_response_to(request, status);
    if (comment[0] != '\0') {
        response.present |= DICOMNET_DIMSE_HAS_ERROR_COMMENT;
        snprintf(response.error_comment, sizeof response.error_comment, "%s", comment);
    }
    bool is_store = request->field == DICOMNET_DIMSE_C_STORE_RQ && intake->sink != NULL;
    if (!is_store || intake->sink->answering == NULL ||
        intake->sink->answering(intake->context, intake->context_id, &response))
        store_intake_respond(intake, intake->context_id, &response, intake->response_delay_ms);
}

void store_intake_refuse(struct store_intake *intake, uint8_t context_id, const struct dicomnet_dimse_command *request,
                         uint16_t status, const char *comment)
{
    intake->refused_comment = comment;
    intake->context_id = context_id;
    intake->in_message = true;
    intake->refused_status = status;
    if (!dicomnet_dimse_has_data_set(request))
        end_message(intake, request);
}

bool store_intake_is_answerable(struct store_intake *intake, const struct dicomnet_dimse_command *request)
{
    if ((request->present & DICOMNET_DIMSE_HAS_MESSAGE_ID) != 0)
        return true;
    dicomnet_association_abort(intake->association, DICOMNET_ERROR_DIMSE_MALFORMED);
    return false;
}

static void begin_instance(struct store_intake *intake, uint8_t context_id,
                           const struct dicomnet_dimse_command *request)
{
    uint16_t status = DICOMNET_STATUS_SUCCESS;
    const char *comment = NULL;
    const char *agreed = dicomnet_association_find_context(intake->association, context_id)->abstract_syntax;
    if (intake->sink == NULL) {
        status = DICOMNET_STATUS_CLASS_NOT_SUPPORTED;
    } else if (request->class_uid[0] != '\0' && strcmp(request->class_uid, agreed) != 0) {
        status = DICOMNET_STATUS_CLASS_NOT_SUPPORTED;
        comment = "the SOP class is not that of the presentation context";
    } else if (!dicomnet_dimse_has_data_set(request)) {
        status = DICOMNET_STATUS_CANNOT_UNDERSTAND;
        comment = "no data set";
    } else {
        status = intake->sink->begin(intake->context, intake->association, context_id, request);
    }
    store_intake_refuse(intake, context_id, request, status, comment);
}

void store_intake_command(struct store_intake *intake, uint8_t context_id, const struct dicomnet_dimse_command *request)
{
    if (!store_intake_is_answerable(intake, request))
        return;
    if (request->field == DICOMNET_DIMSE_C_STORE_RQ) {
        begin_instance(intake, context_id, request);
    } else if (request->field == DICOMNET_DIMSE_C_ECHO_RQ && !dicomnet_dimse_has_data_set(request)) {
        struct dicomnet_dimse_command response = dicomnet_dimse_response_to(request, DICOMNET_STATUS_SUCCESS);
        store_intake_respond(intake, context_id, &response, 0);
    } else {
        store_intake_refuse(intake, context_id, request, DICOMNET_STATUS_UNRECOGNIZED_OPERATION, NULL);
    }
}

void store_intake_data(struct store_intake *intake, const struct dicomnet_dimse_command *request,
                       struct dicomnet_span bytes, bool last)
{
    if (!intake->in_message)
        return;
    if (intake->refused_status == DICOMNET_STATUS_SUCCESS && bytes.len > 0)
        intake->sink->bytes(intake->context, bytes);
    if (last)
        end_message(intake, request);
}

bool store_intake_can_use(const struct dicomnet_storage_sink *sink)
{
    return sink == NULL || (sink->begin != NULL && sink->bytes != NULL && sink->end != NULL);
}

void store_intake_end(struct store_intake *intake)
{
    if (intake->in_message && intake->refused_status == DICOMNET_STATUS_SUCCESS && intake->sink->cancel != NULL)
        intake->sink->cancel(intake->context);
    intake->in_message = false;
    free(intake->responses);
    intake->responses = NULL;
    intake->size = intake->count = 0;
}
