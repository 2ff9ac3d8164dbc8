/*
 * verify - asks the peer once whether it answers (C-ECHO), before anything is sent to it. On the loop's thread.
 */
#ifndef ENGINE_VERIFY_H
#define ENGINE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "dicomnet/error.h"

struct dicomnet_association_parameters;
struct dicomnet_logger;
struct dicomnet_verification;
struct peer_words;
struct uv_loop_s;

/* All zero: nothing is under way. */
struct verify {
    struct dicomnet_verification *verification; /* NULL = none is under way */
    const struct dicomnet_association_parameters *association;
    const struct peer_words *words; /* for `problem`; may be NULL */
    void (*done)(void *user, const char *problem, uint64_t echo_us);
    void *user;
};

/*
 * Begin. `done` comes once, when the association is closed: `problem` says why it failed, for people, NULL = it did
 * not, and the answer took `echo_us`. All is borrowed until then. Returns 0, or a negative error: then `done` is not
 * called.
 */
int verify_start(struct verify *verify, struct uv_loop_s *loop,
                 const struct dicomnet_association_parameters *association, const struct peer_words *words,
                 const struct dicomnet_logger *logger, void (*done)(void *user, const char *problem, uint64_t echo_us),
                 void *user) DICOMNET_MUST_CHECK;

bool verify_is_under_way(const struct verify *verify);

/* End it soon, if it is under way: `done` comes. */
void verify_cancel(struct verify *verify);

#endif
