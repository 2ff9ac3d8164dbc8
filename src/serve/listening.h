/*
 * listening - where an acceptor listens, for people.
 */
#ifndef SERVE_LISTENING_H
#define SERVE_LISTENING_H

#include <stddef.h>
#include <stdint.h>

struct dicomnet_acceptor_options;

/* The number of its addresses, and each of them as it was given. */
size_t listening_count(const struct dicomnet_acceptor_options *options);
const char *listening_address(const struct dicomnet_acceptor_options *options, size_t index);

/* "127.0.0.1:104", "[::1]:104" */
void listening_text(const char *address, uint16_t port, char *ret_text, size_t size);

/* The acceptor could not be opened: where it was to listen, as far as there is room, and the error. */
void listening_say_failure(const struct dicomnet_acceptor_options *options, int error, char *ret_text, size_t size);

#endif
