/*
 * tls - one end of a TLS connection, without the connection: bytes of the line in and out, bytes of the application in
 * and out. It knows neither sockets nor a loop.
 *
 *                 tls_room, tls_feed                      tls_read
 *     the line  ------------------------>  struct tls  ------------->  the application
 *               <------------------------              <-------------
 *                     tls_output                          tls_write
 *
 * All that is fed is taken in before the next is: at most one record is kept that is not complete. All that one
 * tls_write makes is in the output at once, so that it leaves in one write. What TLS has to say by itself stands in
 * front of that; at any other time it is a few bytes, and more than TLS_LATE_MAX of them end the connection.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dicomnet/error.h"
#include "dicomnet/span.h"

struct dicomnet_tls;
struct tls;

enum { TLS_LATE_MAX = 512, TLS_DETAIL_SIZE = 256 };

/*
 * Begin, as a client of `host` (the name or address that was asked for) and `port`; or as a server if `context` is for
 * one, and then they mean nothing. 0, -ENOMEM, or DICOMNET_ERROR_TLS_FAILED.
 */
int tls_create(struct tls **ret_tls, struct dicomnet_tls *context, const char *host, uint16_t port) DICOMNET_MUST_CHECK;
void tls_destroy(struct tls *tls);

/* tls_room: where the next bytes of the line are to be put, and how many fit. tls_feed: that many were put there. */
uint8_t *tls_room(struct tls *tls, size_t *ret_size);
void tls_feed(struct tls *tls, size_t len);

/*
 * Get on with the handshake: 1 = it is done, 0 = it waits for the peer, or an error, which is final. In each case there
 * may be output.
 */
int tls_shake_hands(struct tls *tls) DICOMNET_MUST_CHECK;

/*
 * Fill `room` with what the peer sends. Returns how many bytes, less than `size` if all that was fed is used up; or an
 * error: DICOMNET_ERROR_PEER_CLOSED if the peer said that this was all.
 */
ssize_t tls_read(struct tls *tls, uint8_t *room, size_t size) DICOMNET_MUST_CHECK;

/* Encrypt it into the output. Not while output is held. 0 or an error. */
int tls_write(struct tls *tls, const uint8_t *bytes, size_t len) DICOMNET_MUST_CHECK;

/* Say that this was all (close_notify), into the output. Not while output is held. */
void tls_end(struct tls *tls);

/*
 * What is to go to the peer. It moves with the next call of any other function here; unless it is held, until it was
 * taken.
 */
struct dicomnet_span tls_output(const struct tls *tls);
void tls_hold_output(struct tls *tls);
void tls_output_taken(struct tls *tls);

/* What was fed ends in the middle of a record. */
bool tls_is_in_record(const struct tls *tls);

/* The line broke with `error`: what that means, which may be that the peer wants a certificate of ours. */
int tls_judge_end(const struct tls *tls, int error);

/* More of the last error, for a person: the names in the certificate, say. "" = nothing. Valid until tls_destroy. */
const char *tls_detail(const struct tls *tls);

/* What a context is for. */
bool tls_is_for_server(const struct dicomnet_tls *context);

/* After the handshake: "TLSv1.3", "TLS_AES_128_GCM_SHA256", and whether an earlier session was resumed. */
const char *tls_version(const struct tls *tls);
const char *tls_cipher(const struct tls *tls);
bool tls_is_resumed(const struct tls *tls);

#endif
