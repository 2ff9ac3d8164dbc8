/*
 * tls_context - the inside of a struct dicomnet_tls (dicomnet/tls.h): what all connections that are made with it share.
 *
 * Once made it is only read, by any thread. The exceptions are how many hold on to it, and the sessions that peers have
 * offered to resume, which are behind a lock.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "dicomnet/tls.h"

enum {
    TLS_PIN_LEN = 32,      /* SHA-256 */
    TLS_NAME_SIZE = 256,   /* a host name or an address */
    TLS_PEER_SIZE = 600,   /* whose session it is: host, port, and the name that the certificate was checked for */
    TLS_SESSIONS_MAX = 64, /* kept for later associations: several a peer, one for each of its workers */
};

struct tls_session {
    char peer[TLS_PEER_SIZE];
    SSL_SESSION *session; /* owned */
};

struct dicomnet_tls {
    SSL_CTX *ssl_context;
    BIO_METHOD *bio_method; /* of the connections' BIOs: see tls.c */
    bool server;
    bool insecure;
    bool has_certificate;
    bool has_pin;
    bool pin_is_enough; /* issuer, dates and name are not looked at */
    uint8_t pin[TLS_PIN_LEN];
    char server_name[TLS_NAME_SIZE]; /* "" = the host of the association */
    enum dicomnet_tls_client client;

    atomic_int holders;
    CRYPTO_RWLOCK *lock; /* of what follows */
    size_t session_count;
    struct tls_session sessions[TLS_SESSIONS_MAX]; /* the newest last */
};

/* In tls.c: what OpenSSL calls on behalf of a connection is set. 0 or -ENOMEM. */
int tls_engine_prepare(struct dicomnet_tls *tls);

/* One more holds on to it; dicomnet_tls_destroy lets go. */
struct dicomnet_tls *tls_context_hold(struct dicomnet_tls *tls);

/* A session with that peer that can be resumed; the caller frees it. NULL if there is none. */
SSL_SESSION *tls_context_take_session(struct dicomnet_tls *tls, const char *peer);

/* Keep this session for the next association with that peer; it is given away. */
void tls_context_keep_session(struct dicomnet_tls *tls, const char *peer, SSL_SESSION *session);

#endif
