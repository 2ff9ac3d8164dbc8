/*
 * tls_judge - what OpenSSL says went wrong, as an error of ours and a detail for a person.
 */
#ifndef NET_TLS_JUDGE_H
#define NET_TLS_JUDGE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Why a certificate was not accepted: `reason` is an X509_V_ERR_..., `certificate` the one it is about. Writes to
 * `ret_detail` what the certificate says about it.
 */
int judge_certificate(int reason, X509 *certificate, char *ret_detail, size_t size);

/* The SHA-256 of a certificate, 64 hexadecimal digits and a NUL. */
enum { JUDGE_DIGEST_SIZE = 65 };
void judge_digest_text(const uint8_t *digest, char ret_text[JUDGE_DIGEST_SIZE]);

/*
 * The error at the top of OpenSSL's queue. `wants_certificate`: the peer asked for a certificate and was given none.
 */
int judge_failure(unsigned long error, bool wants_certificate, char *ret_detail, size_t size);

#endif
