/*
 * verification - C-ECHO (PS3.4 Annex A, PS3.7 9.1.5), user side. Both providers (storage.h, query_retrieve.h) answer
 * C-ECHO by themselves.
 */
#ifndef DICOMNET_VERIFICATION_H
#define DICOMNET_VERIFICATION_H

#include "association.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_exchange;
struct dicomnet_verification;

/* How a verification ended. */
struct dicomnet_verification_result {
    int error;                           /* 0 if the peer answered, else what was in the way */
    uint16_t status;                     /* of the C-ECHO-RSP, if error is 0 */
    struct dicomnet_association_end end; /* how the association ended */
    uint64_t connect_us, negotiate_us, echo_us;
};

/*
 * Open an association with the Verification class, send one C-ECHO, release. `options` as for
 * dicomnet_association_open; its proposals are ignored. `done` is called once, on the loop, when everything is over.
 * Returns 0 with *ret_verification, which is freed after `done`, or a negative error (-EINVAL also if loop, options or
 * `done` is NULL) and then `done` is not called.
 */
int dicomnet_verification_echo(struct dicomnet_verification **ret_verification, struct uv_loop_s *loop,
                               const struct dicomnet_association_options *options,
                               void (*done)(void *user, const struct dicomnet_verification_result *result),
                               void *user) DICOMNET_MUST_CHECK;

/*
 * The same as one of the services of an exchange (exchange.h) whose options propose DICOMNET_UID_VERIFICATION. The
 * C-ECHO goes out as soon as it may, and `done` is called once the answer has come, when the association still goes on:
 * `end` says nothing then, unless `error` is that of an association that ended before. The verification is freed after
 * `done`. Also returns DICOMNET_ERROR_NOT_OPEN if the exchange has ended, and DICOMNET_ERROR_NO_CONTEXT if it is open
 * and the peer does not accept the class; if that turns out later, it is the error that `done` gets.
 */
int dicomnet_verification_join(struct dicomnet_verification **ret_verification, struct dicomnet_exchange *exchange,
                               void (*done)(void *user, const struct dicomnet_verification_result *result),
                               void *user) DICOMNET_MUST_CHECK;

/* Give it up: the association, also a shared one, is aborted, and `done` comes soon, with an error. Not after `done`.
 */
void dicomnet_verification_cancel(struct dicomnet_verification *verification);

#ifdef __cplusplus
}
#endif

#endif
