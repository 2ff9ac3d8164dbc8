/*
 * fuzz_command - command sets: what was decoded survives being encoded, and so does the response to it.
 *
 * Input: the command set.
 */
#include <string.h>

#include "dicomnet/dimse.h"
#include "dicomnet/error.h"
#include "fuzz.h"

static void check_same_text(const char *a, const char *b, size_t size)
{
    FUZZ_CHECK(strnlen(a, size) < size && strcmp(a, b) == 0);
}

static void check_survives(const struct dicomnet_dimse_command *command)
{
    uint8_t bytes[DICOMNET_DIMSE_COMMAND_ENCODED_MAX];
    struct dicomnet_dimse_command again;
    ssize_t len = dicomnet_dimse_encode_command(bytes, sizeof bytes, command);
    FUZZ_CHECK(len > 0 && len % 2 == 0);
    FUZZ_CHECK(dicomnet_dimse_decode_command((struct dicomnet_span){.data = bytes, .len = (size_t)len}, &again) == 0);
    FUZZ_CHECK(again.present == command->present && again.field == command->field);
    FUZZ_CHECK(again.data_set_type == command->data_set_type && again.priority == command->priority);
    FUZZ_CHECK(again.message_id == command->message_id && again.status == command->status);
    FUZZ_CHECK(again.message_id_responded == command->message_id_responded && again.error_id == command->error_id);
    FUZZ_CHECK(again.remaining == command->remaining && again.completed == command->completed);
    FUZZ_CHECK(again.failed == command->failed && again.warning == command->warning);
    FUZZ_CHECK(again.originator_id == command->originator_id);
    check_same_text(command->class_uid, again.class_uid, sizeof again.class_uid);
    check_same_text(command->instance_uid, again.instance_uid, sizeof again.instance_uid);
    check_same_text(command->error_comment, again.error_comment, sizeof again.error_comment);
    check_same_text(command->move_destination, again.move_destination, sizeof again.move_destination);
    check_same_text(command->originator_ae, again.originator_ae, sizeof again.originator_ae);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dicomnet_dimse_command command;
    int error = dicomnet_dimse_decode_command((struct dicomnet_span){.data = data, .len = size}, &command);
    FUZZ_CHECK(error == 0 || error == DICOMNET_ERROR_DIMSE_MALFORMED);
    if (error != 0)
        return 0;
    FUZZ_CHECK(dicomnet_dimse_field_name(command.field)[0] != '\0');
    check_survives(&command);
    struct dicomnet_dimse_command response = dicomnet_dimse_response_to(&command, 0xA700);
    FUZZ_CHECK(response.message_id_responded == command.message_id && response.status == 0xA700);
    check_survives(&response);
    return 0;
}
