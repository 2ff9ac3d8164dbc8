/* verify - see verify.h. */
#include "engine/verify.h"

#include <stdio.h>

#include "dicomnet/dimse.h"
#include "dicomnet/status.h"
#include "dicomnet/verification.h"
#include "services/peer_text.h"

static void on_verified(void *user, const struct dicomnet_verification_result *result)
{
    struct verify *verify = user;
    char text[PEER_TEXT_SIZE + 40], why[PEER_TEXT_SIZE];
    verify->verification = NULL;
    if (result->error == 0 && result->status == DICOMNET_STATUS_SUCCESS) {
        verify->done(verify->user, NULL, result->echo_us);
        return;
    }
    peer_describe_end(&result->end, verify->association, verify->words, why, sizeof why);
    if (result->error == 0)
        snprintf(text, sizeof text, "C-ECHO failed: status %04X (%s)", result->status,
                 dicomnet_status_text(result->status));
    else if (result->error == DICOMNET_ERROR_NO_CONTEXT)
        snprintf(text, sizeof text, "C-ECHO failed: the peer does not accept Verification");
    else
        snprintf(text, sizeof text, "C-ECHO failed: %s", why);
    verify->done(verify->user, text, 0);
}

int verify_start(struct verify *verify, struct uv_loop_s *loop,
                 const struct dicomnet_association_parameters *association, const struct peer_words *words,
                 const struct dicomnet_logger *logger, void (*done)(void *user, const char *problem, uint64_t echo_us),
                 void *user)
{
    const struct dicomnet_association_options options = {
        .size = sizeof(struct dicomnet_association_options), .parameters = *association, .logger = logger};
    *verify = (struct verify){.association = association, .words = words, .done = done, .user = user};
    int error = dicomnet_verification_echo(&verify->verification, loop, &options, on_verified, verify);
    if (error != 0)
        verify->verification = NULL;
    return error;
}

bool verify_is_under_way(const struct verify *verify)
{
    return verify->verification != NULL;
}

void verify_cancel(struct verify *verify)
{
    if (verify->verification != NULL)
        dicomnet_verification_cancel(verify->verification);
}
