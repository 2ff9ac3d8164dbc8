/*
 * tls_options - what the options say of TLS, made into what associations take (dicomnet/tls.h).
 *
 * Any option of TLS asks for it: nothing goes in clear because --tls alone was forgotten.
 */
#ifndef PROGRAMS_TLS_OPTIONS_H
#define PROGRAMS_TLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "dicomnet/error.h"

struct dicomnet_tls;
struct tls_group;

/* True if any of them was given. */
bool tls_options_ask(const struct tls_group *tls);

/*
 * For who connects; and for who listens. 0 and a TLS that the caller destroys, or a negative error and one line in
 * `ret_message` of `size` bytes.
 */
int tls_options_connect(const struct tls_group *tls, struct dicomnet_tls **ret_tls, char *ret_message,
                        size_t size) DICOMNET_MUST_CHECK;
int tls_options_listen(const struct tls_group *tls, struct dicomnet_tls **ret_tls, char *ret_message,
                       size_t size) DICOMNET_MUST_CHECK;

/* With --tls-insecure: say on standard error, in red on a terminal, that nobody checks who answers. */
void tls_options_warn(const struct tls_group *tls, const char *program);

#endif
