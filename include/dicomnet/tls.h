/*
 * tls - what an association needs to be spoken over TLS: whom to trust, and who we are.
 *
 * A `struct dicomnet_tls` is made once of options, checked, and given to as many associations as wanted: in the
 * `parameters` of a requestor, in the options of an acceptor. It does not change any more, any thread may use it at any
 * time, and each association holds on to it until its end. It keeps the sessions of TLS, so that the next association
 * with the same peer is opened with a shorter handshake.
 *
 * What is spoken is the BCP 195 RFC 8996 TLS Secure Transport Connection Profile of PS3.15 B.12: TLS 1.2 and 1.3 and
 * nothing older, the AEAD cipher suites with forward secrecy, keys of 2048 bits (RSA, DH) or 224 (EC) at least. The
 * peer's certificate has to come from a trusted issuer, be in force, and be made out to the name or address that was
 * connected to.
 */
#ifndef DICOMNET_TLS_H
#define DICOMNET_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "sizes.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dicomnet_tls;

enum { DICOMNET_TLS_WHY_SIZE = 400 };

enum dicomnet_tls_version { DICOMNET_TLS_1_2, DICOMNET_TLS_1_3 };

/* What an acceptor wants of a requestor. */
enum dicomnet_tls_client {
    DICOMNET_TLS_CLIENT_ANY,     /* no certificate is asked for */
    DICOMNET_TLS_CLIENT_REQUEST, /* asked for; who has none is welcome, who has one that is not trusted is not */
    DICOMNET_TLS_CLIENT_REQUIRE  /* nobody comes in without a certificate that is trusted */
};

/* All strings are borrowed for the call; files are PEM. */
struct dicomnet_tls_options {
    size_t size; /* DICOMNET_TLS_OPTIONS_INIT */
    bool server; /* for acceptors: `certificate` is needed. Else for requestors */
    /*
     * Certificates whose holders, and those that they vouch for, are trusted: a file, or a folder whose files are all
     * read. NULL = of a requestor those of the system; an acceptor that asks for a certificate has to have them.
     */
    const char *ca;
    const char *certificate;  /* ours, followed by those that lead to its issuer's; NULL = none */
    const char *key;          /* its private key; NULL = in the same file */
    const char *key_password; /* NULL = the key is not encrypted */
    enum dicomnet_tls_version version_min;
    /* OpenSSL's names of cipher suites, "A:B": those of TLS 1.3 begin with TLS_. NULL = those of the profile */
    const char *ciphers;

    /* ---- of a requestor ---- */

    const char *server_name; /* whom the certificate has to be made out to; NULL = the host of the association */
    /*
     * SHA-256 of the peer's certificate (DER), 64 hexadecimal digits, colons between them or not: no other one is
     * taken. Without `ca` it is proof enough: issuer, dates and name are not looked at. NULL = any that is trusted
     */
    const char *pin;
    bool insecure; /* nothing is checked: the line is encrypted, and whoever answers may be anybody */

    /* ---- of an acceptor ---- */

    enum dicomnet_tls_client client;
};
#define DICOMNET_TLS_OPTIONS_INIT DICOMNET_INIT(struct dicomnet_tls_options)

/*
 * Make it of the options: files are read, and everything is checked that can be. Returns 0; -ENOMEM; -EINVAL for
 * options that contradict each other; DICOMNET_ERROR_OPTIONS_SIZE; or DICOMNET_ERROR_TLS_OPTIONS for what cannot be
 * used: a file that cannot be read or holds something else, a key that does not fit, a wrong password, unknown ciphers.
 * Then `ret_why`, DICOMNET_TLS_WHY_SIZE bytes, is one line for a person (it may be NULL).
 */
int dicomnet_tls_create(struct dicomnet_tls **ret_tls, const struct dicomnet_tls_options *options,
                        char *ret_why) DICOMNET_MUST_CHECK;

/* Give it up; NULL does nothing. It is freed with the last association that uses it. */
void dicomnet_tls_destroy(struct dicomnet_tls *tls);

/* False if it was made `insecure`. */
bool dicomnet_tls_checks_peer(const struct dicomnet_tls *tls);

#ifdef __cplusplus
}
#endif

#endif
